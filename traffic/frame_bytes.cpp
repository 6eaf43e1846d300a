#include "traffic/frame_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pcap/dlt.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "traffic/byte_order.hpp"
#include "traffic/capture.hpp"
#include "traffic/headers.hpp"
#include "traffic/vxlan.hpp"

namespace sluice {

namespace {

constexpr std::uint16_t type_ipv4 = 0x0800, type_ipv6 = 0x86dd;
constexpr std::uint8_t protocol_tcp = 6, protocol_udp = 17;
constexpr std::size_t ipv4_bytes = 20, ipv6_bytes = 40, udp_bytes = 8;
constexpr std::size_t most_headers = 54;  // of a tunnel

std::uint32_t number_at(std::span<const std::uint8_t> data, std::size_t at, bool swapped) {
  std::uint32_t value = 0;
  std::memcpy(&value, data.data() + at, 4);
  return swapped ? __builtin_bswap32(value) : value;
}

net_address mac_of(std::uint32_t number, std::uint8_t kind) {
  const std::uint8_t bytes[6] = {0x02,
                                 kind,
                                 static_cast<std::uint8_t>(number >> 24),
                                 static_cast<std::uint8_t>(number >> 16),
                                 static_cast<std::uint8_t>(number >> 8),
                                 static_cast<std::uint8_t>(number)};
  return net_address::mac(bytes);
}

net_address ip_of(std::uint8_t net, std::uint8_t second, std::uint32_t number) {
  const std::uint8_t bytes[4] = {net, static_cast<std::uint8_t>(second + (number >> 16)),
                                 static_cast<std::uint8_t>(number >> 8),
                                 static_cast<std::uint8_t>(number)};
  return net_address::ipv4(bytes);
}

// Of TCP or UDP, with addresses before it. `length` is that of header and data; what of it is not
// in `data` is zeros, which add nothing.
std::uint16_t transport_checksum(const net_address& from, const net_address& to,
                                 std::uint8_t protocol, std::span<const std::uint8_t> data,
                                 std::size_t length) {
  auto sum = sum16(from.bytes());
  sum = sum16(to.bytes(), sum);
  sum += protocol + static_cast<std::uint32_t>(length);
  const auto x = static_cast<std::uint16_t>(~folded(sum16(data, sum)));
  return x == 0 && protocol == protocol_udp ? 0xffff : x;
}

// A piece of a packet, as a packet of its own.
struct piece {
  std::size_t link, headers;  // bytes before the IP header, and before the data
  std::size_t bytes;          // that were on the wire; the frame may be cut
  std::uint32_t before;       // bytes of data that went ahead of it
  std::uint32_t number;       // of this piece, from 0
  bool last;
};

void make_packet(std::span<std::uint8_t> frame, const frame_headers& h, const piece& p) {
  const auto ip = frame.subspan(p.link);
  const auto length = p.bytes - p.link;
  if (h.ip_version == 4) {
    put16(ip, 2, static_cast<unsigned>(length));
    put16(ip, 4, be16(ip, 4) + p.number);
    put16(ip, 10, 0);
    put16(ip, 10, static_cast<std::uint16_t>(~folded(sum16(ip.first(h.ip_bytes)))));
  } else {
    put16(ip, 4, static_cast<unsigned>(length - ipv6_bytes));
  }
  const auto segment = ip.subspan(h.ip_bytes);
  const bool cut = frame.size() < p.bytes;  // then nobody can know the checksum
  const auto sum = [&](std::size_t at) {
    put16(segment, at, 0);
    put16(segment, at,
          transport_checksum(h.source, h.destination, h.protocol, segment, segment.size()));
  };
  if (h.protocol == protocol_tcp && h.transport_bytes >= 20) {
    const auto sequence =
        (static_cast<std::uint32_t>(be16(segment, 4)) << 16 | be16(segment, 6)) + p.before;
    put16(segment, 4, sequence >> 16);
    put16(segment, 6, sequence & 0xffff);
    if (!p.last)
      segment[13] &= 0xf6;  // FIN and PSH go with the end
    if (!cut)
      sum(16);
  } else if (h.protocol == protocol_udp && h.transport_bytes >= udp_bytes) {
    put16(segment, 4, static_cast<unsigned>(segment.size()));
    const bool had = be16(segment, 6) != 0;
    put16(segment, 6, 0);
    if (had && !cut)
      sum(6);
  }
}

// The two bits behind the DSCP.
void set_ecn(std::span<std::uint8_t> frame, const frame_headers& h, std::uint8_t ecn) {
  const std::size_t ip = h.link_bytes;
  if (h.ip_version == 4 && frame.size() >= ip + ipv4_bytes) {
    const auto before = be16(frame, ip);
    frame[ip + 1] = static_cast<std::uint8_t>((frame[ip + 1] & ~3) | ecn);
    // RFC 1624: HC' = ~(~HC + ~m + m')
    const auto sum = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~be16(frame, ip + 10)))
                     + static_cast<std::uint16_t>(~before) + be16(frame, ip);
    put16(frame, ip + 10, static_cast<std::uint16_t>(~folded(sum)));
  } else if (h.ip_version == 6 && frame.size() >= ip + ipv6_bytes) {
    frame[ip + 1] = static_cast<std::uint8_t>((frame[ip + 1] & 0xcf) | ecn << 4);
  }
}

}  // namespace

// One capture, mapped. Where the lengths of a packet stand before its bytes, as in pcap and in an
// Enhanced Packet Block, nothing is kept of it.
class frame_bytes::store {
public:
  explicit store(const std::string& file) : file_{file} {
    capture_reader reader{file};
    map(reader.file_bytes());
    capture_record r;
    for (bool first = true; reader.next(r); first = false) {
      if (first)
        swapped_ = r.offset >= 8 && number_at(all_, r.offset - 8, false) != r.captured_bytes();
      const bool plain = r.stamped && r.link_type == DLT_EN10MB && r.offset >= 8
                         && number_at(all_, r.offset - 8, swapped_) == r.captured_bytes()
                         && number_at(all_, r.offset - 4, swapped_) == r.wire_bytes;
      if (!plain)
        others_.emplace(r.offset, entry{r.captured_bytes(), r.wire_bytes, r.link_type});
    }
  }
  ~store() {
    if (!all_.empty())
      munmap(const_cast<std::uint8_t*>(all_.data()), all_.size());
  }
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  void soon(std::uint64_t offset) const {
    if (offset >= 8 && offset < all_.size()) {
      __builtin_prefetch(all_.data() + offset - 8);
      __builtin_prefetch(all_.data() + offset + 56);
    }
  }

  source at(std::uint64_t offset) const {
    entry e{0, 0, DLT_EN10MB};
    if (const auto found = others_.empty() ? others_.end() : others_.find(offset);
        found != others_.end())
      e = found->second;
    else if (offset >= 8 && offset <= all_.size())
      e = {number_at(all_, offset - 8, swapped_), number_at(all_, offset - 4, swapped_),
           DLT_EN10MB};
    if (offset > all_.size() || e.captured > all_.size() - offset)
      throw capture_error{traffic_ec::cannot_read, file_, 0, offset,
                          "the file changed while it was replayed"};
    return {all_.subspan(offset, e.captured), e.wire, e.link_type};
  }

private:
  struct entry {
    std::uint32_t captured = 0, wire = 0;
    int link_type = 0;
  };

  void map(std::uint64_t bytes) {
    const int fd = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    void* at = fd < 0 ? MAP_FAILED : mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    const auto why = errno;
    if (fd >= 0)
      close(fd);
    if (at == MAP_FAILED)
      throw capture_error{traffic_ec::cannot_read, file_, 0, 0, std::strerror(why)};
    all_ = {static_cast<const std::uint8_t*>(at), bytes};
  }

  std::string file_;
  std::span<const std::uint8_t> all_;
  bool swapped_ = false;
  std::unordered_map<std::uint64_t, entry> others_;  // by offset
};

frame_bytes::frame_bytes(config c) : config_{std::move(c)} {
  for (std::uint32_t e = 0; e < config_.endpoints.size(); ++e) {
    auto& x = config_.endpoints[e];
    if (!x.mac)
      x.mac = mac_of(e, 0);
    if (!x.ip)
      x.ip = ip_of(10, 0, e + 1);
  }
  for (const auto& file : config_.captures)
    stores_.push_back(std::make_unique<store>(file));
}

frame_bytes::~frame_bytes() = default;

frame_bytes::made frame_bytes::of(const packet& p, progress& seen) {
  const auto frame = inner(p, seen);
  if (p.overlay == 0)
    return frame;
  const auto &from = config_.endpoints[p.from], &to = config_.endpoints[p.to];
  vxlan_outer outer{mac_of(from.host, 1),
                    mac_of(to.host, 1),
                    ip_of(172, 16, from.host + 1),
                    ip_of(172, 16, to.host + 1),
                    to.vni,
                    p.priority,
                    p.overlay > vxlan_overhead_bytes};
  const auto source_port = vxlan_source_port(frame.bytes);
  in_buffer(frame.bytes);
  const std::span<std::uint8_t> before{buffer_.data() + most_headers - p.overlay, p.overlay};
  write_vxlan_headers(outer, source_port, frame.wire_bytes, before);
  return {{before.data(), p.overlay + frame.bytes.size()}, p.overlay + frame.wire_bytes};
}

void frame_bytes::soon(const packet& p) const {
  if (!p.frame.synthetic())
    stores_[p.frame.capture()]->soon(p.frame.offset());
}

frame_bytes::made frame_bytes::inner(const packet& p, progress& seen) {
  if (p.frame.synthetic())
    return {generate(p), p.frame_bytes()};
  auto m = captured(p, seen);
  if (p.ecn != packet::ecn_congested)
    return m;  // nothing on the way changes it but a mark
  const auto h = parse_headers(DLT_EN10MB, m.bytes);
  if (h.ip_version != 0 && h.ecn != p.ecn) {
    const auto own = in_buffer(m.bytes);
    set_ecn(own, h, p.ecn);
    m.bytes = own;
  }
  return m;
}

// Behind room for a tunnel's headers.
std::span<std::uint8_t> frame_bytes::room(std::size_t bytes) {
  if (buffer_.size() < most_headers + bytes)
    buffer_.resize(most_headers + bytes);
  return {buffer_.data() + most_headers, bytes};
}

// What can be written: the bytes themselves if they stand there already, else a copy.
std::span<std::uint8_t> frame_bytes::in_buffer(std::span<const std::uint8_t> frame) {
  const bool there = frame.data() == buffer_.data() + most_headers;
  const auto out = room(frame.size());
  if (!there)
    std::ranges::copy(frame, out.begin());
  return out;
}

// -- captured -------------------------------------------------------------------------------------

frame_bytes::made frame_bytes::captured(const packet& p, progress& seen) {
  const auto s = stores_.at(p.frame.capture())->at(p.frame.offset());
  const auto bytes = p.frame_bytes();
  if (s.link_type == DLT_EN10MB && s.wire_bytes == bytes)
    return {s.data, bytes};
  const auto h = parse_headers(s.link_type, s.data);
  const bool wrapped = h.link != link_class::ethernet;
  const std::size_t link = wrapped ? ethernet_header_bytes : h.link_bytes;
  const auto whole = ethernet_bytes(s.link_type, h, s.wire_bytes);
  // What goes before the data of each piece.
  const auto headers = link + (whole == bytes ? 0 : h.ip_bytes + h.transport_bytes);
  const auto data_begin = h.link_bytes + headers - link;
  const auto before = whole == bytes ? progress::frame{p.frame} : pass(p, headers, whole, seen);
  const auto begin = std::min<std::size_t>(data_begin + before.data, s.data.size());
  const auto data = s.data.subspan(
      begin,
      std::min<std::size_t>(bytes - std::min<std::size_t>(bytes, headers), s.data.size() - begin));
  const auto out = room(std::min<std::size_t>(bytes, headers + data.size()));
  if (wrapped)
    wrap(out.first(std::min(headers, out.size())), p, h, s.data);
  else
    std::copy_n(s.data.begin(), std::min({headers, out.size(), s.data.size()}), out.begin());
  if (out.size() > headers)
    std::ranges::copy(data.first(out.size() - headers),
                      out.begin() + static_cast<std::ptrdiff_t>(headers));
  if (whole != bytes && h.ip_version != 0 && out.size() >= headers)
    make_packet(out, h,
                {link, headers, bytes, before.data, before.pieces,
                 before.data + (bytes - headers) + headers >= whole});
  return {out, bytes};
}

// Notes that a piece has passed; what had passed before it.
frame_bytes::progress::frame frame_bytes::pass(const packet& p, std::size_t headers,
                                               std::size_t whole, progress& seen) {
  if (p.from >= seen.of.size())
    seen.of.resize(p.from + 1);
  auto& f = seen.of[p.from];
  const auto all = whole > headers ? whole - headers : 0;
  if (f.which.offset() != p.frame.offset() || f.data >= all)
    f = {p.frame};
  const auto before = f;
  const std::size_t bytes = p.frame_bytes();
  f.data += static_cast<std::uint32_t>(bytes > headers ? bytes - headers : 0);
  ++f.pieces;
  return before;
}

// The headers of what was captured without Ethernet, with one; as far as both have bytes.
void frame_bytes::wrap(std::span<std::uint8_t> out, const packet& p, const frame_headers& h,
                       std::span<const std::uint8_t> captured) const {
  const std::uint16_t type = h.ether_type != 0   ? h.ether_type
                             : h.ip_version == 6 ? type_ipv6
                                                 : type_ipv4;
  std::array<std::uint8_t, ethernet_header_bytes> front{};
  ethernet(front, p, type);
  const auto link = std::min(front.size(), out.size());
  std::copy_n(front.begin(), link, out.begin());
  const auto rest = captured.subspan(std::min<std::size_t>(h.link_bytes, captured.size()));
  std::copy_n(rest.begin(), std::min(rest.size(), out.size() - link),
              out.begin() + static_cast<std::ptrdiff_t>(link));
}

// -- made up --------------------------------------------------------------------------------------

void frame_bytes::ethernet(std::span<std::uint8_t> out, const packet& p, std::uint16_t type) const {
  header_writer w{out};
  const auto& to = config_.endpoints[p.to];
  static constexpr std::uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const std::uint8_t group[6] = {0x01,
                                 0x00,
                                 0x5e,
                                 static_cast<std::uint8_t>(p.flow >> 16 & 0x7f),
                                 static_cast<std::uint8_t>(p.flow >> 8),
                                 static_cast<std::uint8_t>(p.flow)};
  w.address(p.special == packet::broadcast || p.special == packet::arp ? net_address::mac(broadcast)
            : p.special == packet::multicast                           ? net_address::mac(group)
                                                                       : to.mac);
  w.address(config_.endpoints[p.from].mac);
  w.u16(type);
}

std::span<const std::uint8_t> frame_bytes::generate(const packet& p) {
  const auto bytes = p.frame_bytes();
  // Headers need their room; what a frame is too short for is cut.
  const auto out = room(std::max<std::size_t>(bytes, ethernet_header_bytes + ipv6_bytes + 16));
  std::ranges::fill(out, std::uint8_t{0});
  if (p.special == packet::arp)
    generate_arp(out, p);
  else
    generate_udp(out, p);
  return out.first(bytes);
}

net_address frame_bytes::ipv4_of(std::uint32_t number) const {
  const auto& ip = config_.endpoints[number].ip;
  return ip.kind() == net_address::family::ipv4 ? ip : ip_of(10, 0, number + 1);
}

void frame_bytes::generate_arp(std::span<std::uint8_t> out, const packet& p) const {
  ethernet(out, p, ether_type_arp);
  header_writer w{out.subspan(ethernet_header_bytes)};
  w.u16(1);
  w.u16(type_ipv4);
  w.u8(6);
  w.u8(4);
  w.u16(1);  // a request
  w.address(config_.endpoints[p.from].mac);
  w.address(ipv4_of(p.from));
  w.u16(0);
  w.u32(0);
  w.address(ipv4_of(p.to));
}

void frame_bytes::generate_udp(std::span<std::uint8_t> out, const packet& p) const {
  using family = net_address::family;
  const std::size_t bytes = p.frame_bytes();
  auto from = config_.endpoints[p.from].ip, to = config_.endpoints[p.to].ip;
  const bool v6 = from.kind() == family::ipv6 && to.kind() == family::ipv6;
  if (!v6) {
    from = ipv4_of(p.from);
    to = p.special == packet::multicast   ? ip_of(239, 0, p.flow & 0x7fffff)
         : p.special == packet::broadcast ? net_address::parse("255.255.255.255").value()
                                          : ipv4_of(p.to);
  }
  const auto headers = ethernet_header_bytes + (v6 ? ipv6_bytes : ipv4_bytes);
  const auto datagram = std::max(bytes, headers + udp_bytes) - headers;
  ethernet(out, p, v6 ? type_ipv6 : type_ipv4);
  header_writer w{out.subspan(ethernet_header_bytes)};
  const auto traffic_class = static_cast<unsigned>(p.priority << 5 | p.ecn);
  if (v6) {
    w.u32(6u << 28 | traffic_class << 20 | (p.flow & 0xfffff));
    w.u16(std::min<std::size_t>(datagram, 0xffff));
    w.u8(protocol_udp);
    w.u8(64);
    w.address(from);
    w.address(to);
  } else {
    constexpr unsigned dont_fragment = 0x4000;
    w.u8(0x45);
    w.u8(traffic_class);
    w.u16(std::min<std::size_t>(ipv4_bytes + datagram, 0xffff));
    w.u16(p.id & 0xffff);
    w.u16(dont_fragment);
    w.u8(64);
    w.u8(protocol_udp);
    w.u16(0);
    w.address(from);
    w.address(to);
    const auto ip = out.subspan(ethernet_header_bytes, ipv4_bytes);
    put16(ip, 10, static_cast<std::uint16_t>(~folded(sum16(ip))));
  }
  header_writer u{out.subspan(headers)};
  constexpr std::uint16_t first_port = 49152;
  u.u16(first_port + (p.flow & 0x3fff));
  u.u16(p.flow < config_.flows.size() ? config_.flows[p.flow].port : 9);
  u.u16(std::min<std::size_t>(datagram, 0xffff));
  u.u16(0);
  constexpr std::size_t id_bytes = 8;
  const auto marked = std::min(out.size() - headers, udp_bytes + id_bytes);
  if (datagram >= udp_bytes + id_bytes) {
    u.u32(static_cast<std::uint32_t>(p.id >> 32));
    u.u32(static_cast<std::uint32_t>(p.id));
  }
  // Behind the id there are zeros.
  const auto front = out.subspan(headers, std::min(marked, datagram));
  put16(out.subspan(headers), 6, transport_checksum(from, to, protocol_udp, front, datagram));
}

}  // namespace sluice
