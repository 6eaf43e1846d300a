/// \file
/// Internal to traffic/: numbers in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

/// \pre at + 1 < data.size()
inline std::uint16_t be16(std::span<const std::uint8_t> data, std::size_t at) {
  return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
}

inline void put16(std::span<std::uint8_t> out, std::size_t at, unsigned value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace sluice
