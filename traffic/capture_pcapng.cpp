// pcapng, read by ourselves: libpcap wants one link type and one snap length in a file.
// Section numbers are those of draft-ietf-opsawg-pcapng-02.
#include <fmt/format.h>
#include <pcap/dlt.h>

#include <algorithm>
#include <cstring>

#include "traffic/capture_formats.hpp"
#include "traffic/units.hpp"

namespace sluice {

namespace {

enum : std::uint32_t {
  block_section = 0x0a0d0d0a,  // 4.1
  block_interface = 1,         // 4.2
  block_packet_obsolete = 2,   // appendix A
  block_packet_simple = 3,     // 4.4
  block_packet_enhanced = 6,   // 4.3
};
enum : std::uint16_t { option_end = 0, option_tsresol = 9, option_tsoffset = 14 };

constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint32_t min_block_bytes = 12;
// A packet block may carry comments and such after its packet. One that is larger is still read,
// but not held at once.
constexpr std::uint32_t max_held_bytes = max_frame_bytes + 64 * 1024;
constexpr std::size_t max_interfaces = 65'536;  // of all sections: bounds memory

// LINKTYPE_ values of files are libpcap's DLT_ values, but for a few whose DLT_ differed among
// systems (pcap-common.c of libpcap has the list).
int link_type_of_file(std::uint16_t type) {
  switch (type) {
    case 50:
      return DLT_PPP_SERIAL;
    case 51:
      return DLT_PPP_ETHER;
    case 100:
      return DLT_ATM_RFC1483;
    case 101:
      return DLT_RAW;
    case 102:
      return DLT_SLIP_BSDOS;
    case 103:
      return DLT_PPP_BSDOS;
    case 106:
      return DLT_ATM_CLIP;
    default:
      return type;
  }
}

std::int64_t clamp_stamp(int128 ns) {
  return static_cast<std::int64_t>(
      std::clamp<int128>(ns, -int128{max_timestamp_ns}, int128{max_timestamp_ns}));
}

// What an interface's options say of its time stamps.
class stamp_unit {
public:
  void set_resolution(std::uint8_t tsresol) { tsresol_ = tsresol; }
  void set_offset_seconds(std::int64_t seconds) { offset_s_ = seconds; }

  std::int64_t to_ns(std::uint64_t ticks) const {
    return clamp_stamp(int128{offset_s_} * 1'000'000'000 + static_cast<int128>(scale(ticks)));
  }

private:
  // Rounded down to whole nanoseconds. 2^64 ticks times 10^9 are below 2^94.
  uint128 scale(std::uint64_t ticks) const {
    const unsigned exponent = tsresol_ & 0x7f;
    if ((tsresol_ & 0x80) != 0)
      return exponent >= 94 ? 0 : static_cast<uint128>(ticks) * 1'000'000'000 >> exponent;
    uint128 ns = ticks;
    for (unsigned e = exponent; e < 9; ++e)
      ns *= 10;
    for (unsigned e = 9; e < exponent && ns != 0; ++e)
      ns /= 10;
    return ns;
  }

  std::uint8_t tsresol_ = 6;
  std::int64_t offset_s_ = 0;
};

class pcapng_reader final : public capture_reader::impl {
public:
  explicit pcapng_reader(std::unique_ptr<file_window> window)
      : impl{capture_reader::format::pcapng, std::move(window)} {
    read_block_header();
    read_section();
    at_ += block_bytes_;
  }

  bool next(capture_record& record) override {
    while (at_ != window_->size()) {
      read_block_header();
      bool is_packet = false;
      switch (block_type_) {
        case block_section:
          read_section();
          break;
        case block_interface:
          read_interface();
          break;
        case block_packet_enhanced:
          is_packet = read_enhanced(record, false);
          break;
        case block_packet_obsolete:
          is_packet = read_enhanced(record, true);
          break;
        case block_packet_simple:
          is_packet = read_simple(record);
          break;
        default:
          break;  // name resolution, statistics, secrets, custom: nothing for us
      }
      at_ += block_bytes_;
      if (is_packet)
        return true;
    }
    return false;
  }

private:
  // Reads type and length, checks the length against the file and against its copy at the end.
  void read_block_header() {
    const auto remain = window_->size() - at_;
    const auto head = window_->at(at_, min_block_bytes);
    if (head.size() < min_block_bytes)
      fail(traffic_ec::cut_off, at_,
           fmt::format("cut off: a block has at least {} bytes, {} remain", min_block_bytes,
                       head.size()));
    std::memcpy(&block_type_, head.data(), 4);  // a section's type reads the same in both orders
    if (block_type_ == block_section)
      read_byte_order(head);
    block_type_ = field32(head, 0);
    block_bytes_ = field32(head, 4);
    if (block_bytes_ < min_block_bytes || block_bytes_ % 4 != 0)
      fail(traffic_ec::bad_length, at_,
           fmt::format("corrupt: block of type {:#x} has length {}: not a multiple of 4 from {} on",
                       block_type_, block_bytes_, min_block_bytes));
    if (block_bytes_ > remain)
      fail(traffic_ec::cut_off, at_,
           fmt::format("cut off: block of type {:#x} promises {} bytes, {} remain", block_type_,
                       block_bytes_, remain));
    // All of a block that fits is asked for at once, so that reading goes forward only.
    if (block_bytes_ <= max_held_bytes)
      window_->at(at_, block_bytes_);
    const auto tail = field32(window_->at(at_ + block_bytes_ - 4, 4), 0);
    if (tail != block_bytes_)
      fail(traffic_ec::bad_block, at_,
           fmt::format("corrupt: block of type {:#x} begins with length {} and ends with {}",
                       block_type_, block_bytes_, tail));
  }

  void read_byte_order(std::span<const std::uint8_t> head) {
    swapped_ = false;
    const auto magic = field32(head, 8);
    swapped_ = magic == __builtin_bswap32(byte_order_magic);
    if (!swapped_ && magic != byte_order_magic)
      fail(traffic_ec::bad_block, at_,
           fmt::format("corrupt: {:#x} is no byte-order magic of a section", magic));
  }

  void read_section() {
    const auto block = body(16, "section header");
    const auto major = field16(block, 4), minor = field16(block, 6);
    if (major != 1)
      fail(traffic_ec::unsupported, at_,
           fmt::format("pcapng version {}.{} is unknown", major, minor));
    first_interface_ = interfaces_.size();
  }

  void read_interface() {
    const auto block = body(8, "interface description");
    if (interfaces_.size() == max_interfaces)
      fail(traffic_ec::unsupported, at_, fmt::format("more than {} interfaces", max_interfaces));
    interfaces_.push_back({link_type_of_file(field16(block, 0)), field32(block, 4), 0});
    units_.emplace_back();
    read_interface_options(units_.back());
  }

  void read_interface_options(stamp_unit& unit) {
    const auto end = at_ + block_bytes_ - 4;
    auto at = at_ + 16;
    while (end - at >= 4) {
      const auto head = window_->at(at, 4);
      const auto code = field16(head, 0), size = field16(head, 2);
      const std::uint64_t padded = (std::uint64_t{size} + 3) / 4 * 4;
      at += 4;
      if (code == option_end)
        return;
      if (padded > end - at)
        fail(traffic_ec::bad_block, at_,
             fmt::format("corrupt: option {} has {} bytes, its block {}", code, size, end - at));
      if ((code == option_tsresol && size != 1) || (code == option_tsoffset && size != 8))
        fail(traffic_ec::bad_block, at_,
             fmt::format("corrupt: option {} cannot have {} bytes", code, size));
      if (code == option_tsresol)
        unit.set_resolution(window_->at(at, 1)[0]);
      if (code == option_tsoffset)
        unit.set_offset_seconds(static_cast<std::int64_t>(field64(window_->at(at, 8), 0)));
      at += padded;
    }
  }

  bool read_enhanced(capture_record& record, bool obsolete) {
    constexpr std::uint32_t fixed = 20;
    const auto block = body(fixed, "packet");
    // The obsolete block has a 16-bit interface and a drop count where the other has 32 bits.
    const std::uint32_t interface = obsolete ? field16(block, 0) : field32(block, 0);
    const auto ticks = std::uint64_t{field32(block, 4)} << 32 | field32(block, 8);
    const auto captured = field32(block, 12), wire = field32(block, 16);
    check_interface(interface);
    check_lengths(at_, captured, wire, block_bytes_ - min_block_bytes - fixed, false);
    last_stamp_ns_ = units_[first_interface_ + interface].to_ns(ticks);
    give(record, interface, captured, wire, fixed);
    record.stamped = true;
    return true;
  }

  // Has neither a time stamp nor a captured length: that is the least of the three limits.
  bool read_simple(capture_record& record) {
    constexpr std::uint32_t fixed = 4;
    const auto wire = field32(body(fixed, "simple packet"), 0);
    check_interface(0);
    const auto snap = interfaces_[first_interface_].snap_bytes;
    const auto captured = snap == 0 ? wire : std::min(wire, snap);
    check_lengths(at_, captured, wire, block_bytes_ - min_block_bytes - fixed, false);
    give(record, 0, captured, wire, fixed);
    record.stamped = false;
    return true;
  }

  void give(capture_record& record, std::uint32_t interface, std::uint32_t captured,
            std::uint32_t wire, std::uint32_t fixed) {
    const auto index = first_interface_ + interface;
    record.number = ++packets_;
    record.timestamp_ns = last_stamp_ns_;
    record.wire_bytes = wire;
    record.interface = static_cast<std::uint32_t>(index);
    record.link_type = interfaces_[index].link_type;
    record.offset = at_ + 8 + fixed;
    record.data = window_->at(record.offset, captured);
    ++interfaces_[index].packets;
  }

  void check_interface(std::uint32_t interface) const {
    if (interface >= interfaces_.size() - first_interface_)
      fail(traffic_ec::bad_block, at_,
           fmt::format("corrupt: interface {} of a section that has described {}", interface,
                       interfaces_.size() - first_interface_));
  }

  // The first bytes of the block's body.
  std::span<const std::uint8_t> body(std::uint32_t bytes, const char* what) {
    if (block_bytes_ - min_block_bytes < bytes)
      fail(traffic_ec::bad_length, at_,
           fmt::format("corrupt: {} block has only {} bytes", what, block_bytes_));
    return window_->at(at_ + 8, bytes);
  }

  std::uint16_t field16(std::span<const std::uint8_t> data, std::size_t at) const {
    std::uint16_t value = 0;
    std::memcpy(&value, data.data() + at, 2);
    return swapped_ ? __builtin_bswap16(value) : value;
  }

  std::uint32_t field32(std::span<const std::uint8_t> data, std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, data.data() + at, 4);
    return swapped_ ? __builtin_bswap32(value) : value;
  }

  std::uint64_t field64(std::span<const std::uint8_t> data, std::size_t at) const {
    std::uint64_t value = 0;
    std::memcpy(&value, data.data() + at, 8);
    return swapped_ ? __builtin_bswap64(value) : value;
  }

  bool swapped_ = false;
  std::uint64_t at_ = 0;  // the current block
  std::uint32_t block_type_ = 0;
  std::uint32_t block_bytes_ = 0;
  std::size_t first_interface_ = 0;  // of the current section, in interfaces_
  std::vector<stamp_unit> units_;    // beside interfaces_
};

}  // namespace

std::unique_ptr<capture_reader::impl> make_pcapng_reader(std::unique_ptr<file_window> window) {
  return std::make_unique<pcapng_reader>(std::move(window));
}

}  // namespace sluice
