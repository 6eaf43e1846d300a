/// \file
/// Internal to traffic/: numbers in network byte order, headers made of them, and the checksum of
/// the Internet protocols over them (RFC 1071).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "traffic/address.hpp"

namespace sluice {

/// \pre at + 1 < data.size()
inline std::uint16_t be16(std::span<const std::uint8_t> data, std::size_t at) {
  return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
}

inline void put16(std::span<std::uint8_t> out, std::size_t at, unsigned value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

/// The sum of RFC 1071 before it is complemented. At most 65535 bytes are summed, and 32 bits hold
/// twice that, so folding can wait until the end.
inline std::uint32_t sum16(std::span<const std::uint8_t> data, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < data.size(); i += 2)
    sum += be16(data, i);
  if (data.size() % 2 != 0)
    sum += static_cast<std::uint32_t>(data.back() << 8);
  return sum;
}

inline std::uint16_t folded(std::uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

/// Fills a buffer whose size was checked, front to back, in network order.
class header_writer {
public:
  explicit header_writer(std::span<std::uint8_t> out) : out_{out} {}

  void u8(unsigned v) { out_[at_++] = static_cast<std::uint8_t>(v); }
  void u16(std::size_t v) {
    u8(static_cast<std::uint8_t>(v >> 8));
    u8(static_cast<std::uint8_t>(v));
  }
  void u32(std::uint32_t v) {
    u16(v >> 16);
    u16(v & 0xffff);
  }
  void address(const net_address& a) {
    std::ranges::copy(a.bytes(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += a.bytes().size();
  }
  std::size_t at() const { return at_; }

private:
  std::span<std::uint8_t> out_;
  std::size_t at_ = 0;
};

}  // namespace sluice
