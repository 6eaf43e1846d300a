// Packets as bytes, and bytes as pcapng: read back by the readers that are here already.
#include "traffic/frame_bytes.hpp"

#include <doctest/doctest.h>
#include <pcap/dlt.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/traffic/capture_bytes.hpp"
#include "traffic/byte_order.hpp"
#include "traffic/capture.hpp"
#include "traffic/error.hpp"
#include "traffic/headers.hpp"
#include "traffic/pcapng_writer.hpp"
#include "traffic/random.hpp"
#include "traffic/vxlan.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + std::to_string(getpid()))).string();
}

// Two endpoints on two hosts.
frame_bytes::config between(net_address a = {}, net_address b = {}) {
  frame_bytes::config c;
  c.endpoints = {{{}, a, 0, 0}, {{}, b, 1, 7}};
  c.flows = {{4791}};
  return c;
}

packet make_packet(std::uint32_t bytes) {
  packet p;
  p.id = 0x0102030405060708;
  p.bytes = bytes;
  p.from = 0;
  p.to = 1;
  p.priority = 3;
  p.ecn = packet::ecn_capable;
  return p;
}

byte_string bytes_of(frame_bytes& frames, const packet& p) {
  frame_bytes::progress seen;
  const auto m = frames.of(p, seen);
  CHECK(m.wire_bytes == p.bytes);
  return {m.bytes.begin(), m.bytes.end()};
}

// Of TCP or UDP, as a receiver checks it.
bool transport_is_intact(const byte_string& frame) {
  const auto h = parse_headers(DLT_EN10MB, frame);
  const std::span<const std::uint8_t> all{frame};
  const auto segment = all.subspan(h.link_bytes + h.ip_bytes);
  auto sum = sum16(h.destination.bytes(), sum16(h.source.bytes()));
  sum += h.protocol + static_cast<std::uint32_t>(segment.size());
  return folded(sum16(segment, sum)) == 0xffff;
}

bool ip_is_intact(const byte_string& frame) {
  return folded(sum16(std::span<const std::uint8_t>{frame}.subspan(14, 20))) == 0xffff;
}

}  // namespace

TEST_CASE("a generated packet is UDP with right checksums, and carries its id") {
  frame_bytes frames{between()};
  for (const std::uint32_t bytes : {60u, 61u, 1514u, 9018u}) {
    const auto f = bytes_of(frames, make_packet(bytes));
    REQUIRE(f.size() == bytes);
    const auto h = parse_headers(DLT_EN10MB, f);
    CHECK(to_string(h.source) == "10.0.0.1");
    CHECK(to_string(h.destination) == "10.0.0.2");
    CHECK(h.destination_port == 4791);
    CHECK(h.dscp == 3 << 3);
    CHECK(h.ecn == packet::ecn_capable);
    CHECK(ip_is_intact(f));
    CHECK(transport_is_intact(f));
    CHECK(be16(f, 42) == 0x0102);
    CHECK(be16(f, 48) == 0x0708);
  }
}

TEST_CASE("a generated packet between IPv6 addresses is IPv6") {
  frame_bytes frames{
      between(net_address::parse("fd00::1").value(), net_address::parse("fd00::2").value())};
  const auto f = bytes_of(frames, make_packet(200));
  const auto h = parse_headers(DLT_EN10MB, f);
  CHECK(h.ip_version == 6);
  CHECK(to_string(h.destination) == "fd00::2");
  CHECK(h.dscp == 3 << 3);
  CHECK(transport_is_intact(f));
}

TEST_CASE("ARP, multicast and broadcast have their addresses") {
  frame_bytes frames{between()};
  auto p = make_packet(60);
  p.special = packet::arp;
  auto f = bytes_of(frames, p);
  auto h = parse_headers(DLT_EN10MB, f);
  CHECK(h.ether_type == ether_type_arp);
  CHECK(to_string(h.destination) == "10.0.0.2");
  p.special = packet::broadcast;
  f = bytes_of(frames, p);
  h = parse_headers(DLT_EN10MB, f);
  CHECK(to_string(h.destination_mac) == "ff:ff:ff:ff:ff:ff");
  CHECK(to_string(h.destination) == "255.255.255.255");
  CHECK(transport_is_intact(f));
  p.special = packet::multicast;
  f = bytes_of(frames, p);
  h = parse_headers(DLT_EN10MB, f);
  CHECK(h.destination.is_multicast());
  CHECK(h.destination_mac.is_multicast());
}

TEST_CASE("what is shorter than its headers is cut") {
  frame_bytes frames{between()};
  CHECK(bytes_of(frames, make_packet(20)).size() == 20);
}

TEST_CASE("a tunnel's headers go before the frame") {
  frame_bytes frames{between()};
  auto p = make_packet(1000 + 54);
  p.overlay = 54;
  const auto f = bytes_of(frames, p);
  const auto d = decapsulate_vxlan(f);
  REQUIRE(d);
  CHECK(d.outer.vni == 7);
  CHECK(d.outer.priority == 3);
  CHECK(d.inner.size() == 1000);
  const auto h = parse_headers(DLT_EN10MB, d.inner);
  CHECK(to_string(h.source) == "10.0.0.1");
}

TEST_CASE("captured packets are as they were; marks and pieces are put right") {
  const auto file = temporary("frames.pcap");
  const auto small = make_frame({.bytes = 300});
  const auto large = make_frame({.bytes = 4000, .destination_port = 80});
  std::ofstream{file, std::ios::binary} << [&] {
    const auto all = make_pcap({{1, small, 0}, {2, large, 0}, {3, small, 2000}});
    return std::string(all.begin(), all.end());
  }();
  std::vector<std::uint64_t> offsets;
  {
    capture_reader reader{file};
    capture_record r;
    while (reader.next(r))
      offsets.push_back(r.offset);
  }
  REQUIRE(offsets.size() == 3);
  auto c = between();
  c.captures = {file};
  frame_bytes frames{c};
  frame_bytes::progress seen;

  auto p = make_packet(300);
  p.frame = frame_ref{0, offsets[0]};
  auto m = frames.of(p, seen);
  CHECK(byte_string{m.bytes.begin(), m.bytes.end()} == small);

  // Congested: the bits and the header's checksum, nothing else.
  p.ecn = packet::ecn_congested;
  m = frames.of(p, seen);
  const byte_string marked{m.bytes.begin(), m.bytes.end()};
  CHECK(parse_headers(DLT_EN10MB, marked).ecn == packet::ecn_congested);
  auto unmarked = marked;
  unmarked[15] = small[15];
  unmarked[24] = small[24];
  unmarked[25] = small[25];
  CHECK(unmarked == small);
  // It changed by as much as the sum did.
  const auto before = folded(sum16(std::span<const std::uint8_t>{small}.subspan(14, 20)));
  const auto after = folded(sum16(std::span<const std::uint8_t>{marked}.subspan(14, 20)));
  CHECK(before == after);

  // In pieces of 1514: headers again, data in order.
  const auto h = parse_headers(DLT_EN10MB, large);
  const auto headers = static_cast<std::size_t>(h.link_bytes + h.ip_bytes + h.transport_bytes);
  p.ecn = packet::ecn_not_capable;
  p.frame = frame_ref{0, offsets[1]};
  byte_string data;
  for (std::size_t left = 4000 - headers; left != 0;) {
    const auto now = std::min<std::size_t>(left, 1514 - headers);
    p.bytes = static_cast<std::uint32_t>(headers + now);
    m = frames.of(p, seen);
    REQUIRE(m.bytes.size() == p.bytes);
    const byte_string piece{m.bytes.begin(), m.bytes.end()};
    CHECK(be16(piece, 16) == p.bytes - 14);
    CHECK(ip_is_intact(piece));
    CHECK(transport_is_intact(piece));
    CHECK(be16(piece, 40) == ((be16(large, 40) + data.size()) & 0xffff));
    data.insert(data.end(), piece.begin() + static_cast<std::ptrdiff_t>(headers), piece.end());
    left -= now;
  }
  CHECK(data == byte_string{large.begin() + static_cast<std::ptrdiff_t>(headers), large.end()});

  // Cut when it was captured.
  p.frame = frame_ref{0, offsets[2]};
  p.bytes = 2000;
  m = frames.of(p, seen);
  CHECK(m.wire_bytes == 2000);
  CHECK(byte_string{m.bytes.begin(), m.bytes.end()} == small);
  std::filesystem::remove(file);
}

TEST_CASE("whatever was captured, and whatever its size on the way: no more bytes than its own") {
  const auto file = temporary("any.pcap");
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    random_stream lot{seed, "frames"};
    // Frames with bytes overwritten, cut, of every link type.
    std::vector<packet_spec> all;
    for (int i = 0; i < 40; ++i) {
      auto f = make_frame({.protocol = static_cast<std::uint8_t>(lot.below(2) == 0 ? 6 : 17),
                           .bytes = static_cast<std::uint32_t>(100 + lot.below(3000)),
                           .tags = static_cast<unsigned>(lot.below(3)),
                           .ip6 = lot.below(2) == 0});
      const auto wire = static_cast<std::uint32_t>(f.size());
      for (auto n = lot.below(6); n != 0; --n)
        f[lot.below(std::min<std::size_t>(80, f.size()))] =
            static_cast<std::uint8_t>(lot.below(256));
      if (lot.below(3) == 0)
        f.resize(lot.below(f.size() + 1));
      all.push_back({static_cast<std::uint64_t>(i), f, wire});
    }
    constexpr int links[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_NULL};
    const auto link = links[seed % 4];
    {
      const auto bytes = make_pcap(all, {.link_type = static_cast<std::uint32_t>(link)});
      std::ofstream{file, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                  static_cast<std::streamsize>(bytes.size()));
    }
    std::vector<std::uint64_t> offsets;
    {
      capture_reader reader{file};
      capture_record r;
      while (reader.next(r))
        offsets.push_back(r.offset);
    }
    auto c = between();
    c.captures = {file};
    frame_bytes frames{c};
    frame_bytes::progress seen;
    for (int n = 0; n < 300; ++n) {
      auto p = make_packet(static_cast<std::uint32_t>(1 + lot.below(3200)));
      p.frame = frame_ref{0, offsets[lot.below(offsets.size())]};
      p.ecn = static_cast<std::uint8_t>(lot.below(4));
      const auto m = frames.of(p, seen);
      CHECK(m.wire_bytes == p.bytes);
      CHECK(m.bytes.size() <= p.bytes);
    }
  }
  std::filesystem::remove(file);
}

TEST_CASE("what is written as pcapng is read back") {
  const auto file = temporary("written.pcapng");
  const auto frame = make_frame({.bytes = 301});
  {
    sluice::pcapng_writer w{file, "a test", "why"};
    CHECK(w.add({"p1", "a port", "udp", 25'000'000'000, 0}) == 0);
    CHECK(w.add({"p2", "", "", 0, 128}) == 1);
    w.write(0, 1'700'000'000'123'456'789, frame, 301, sluice::pcapng_writer::direction::inbound);
    w.write(1, 1'700'000'000'123'456'790, std::span{frame}.first(99), 301,
            sluice::pcapng_writer::direction::outbound, "a comment");
    w.write(0, {1, 2, 3, 4});
    CHECK_FALSE(std::filesystem::exists(file));  // not before it is whole
    w.close();
  }
  capture_reader reader{file};
  capture_record r;
  REQUIRE(reader.next(r));
  CHECK(r.timestamp_ns == 1'700'000'000'123'456'789);
  CHECK(byte_string{r.data.begin(), r.data.end()} == frame);
  REQUIRE(reader.next(r));
  CHECK(r.interface == 1);
  CHECK(r.captured_bytes() == 99);
  CHECK(r.wire_bytes == 301);
  CHECK_FALSE(reader.next(r));
  CHECK(reader.interfaces()[1].snap_bytes == 128);
  std::filesystem::remove(file);
}

TEST_CASE("a pcapng that was not ended leaves nothing, and one that cannot begin says so") {
  const auto file = temporary("unfinished.pcapng");
  { sluice::pcapng_writer w{file, "a test", ""}; }
  CHECK_FALSE(std::filesystem::exists(file));
  for (const auto& left :
       std::filesystem::directory_iterator{std::filesystem::temp_directory_path()})
    CHECK(left.path().string().find(file) == std::string::npos);
  try {
    sluice::pcapng_writer w{"/nowhere/at/all.pcapng", "a test", ""};
    FAIL("it was opened");
  } catch (const traffic_error& e) {
    CHECK(e.code() == traffic_ec::cannot_write);
    CHECK(std::string{e.what()}.find("/nowhere/at/all.pcapng: cannot write") == 0);
  }
}
