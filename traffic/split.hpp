/// \file
/// Internal to traffic/: how a frame that is too large for its line becomes several.
#pragma once

#include <cstdint>
#include <optional>

#include "traffic/headers.hpp"

namespace sluice {

/// Sizes of the pieces: all `full_bytes` but the last. Frame bytes, headers repeated in each.
struct split_plan {
  std::uint32_t pieces = 1;
  std::uint32_t full_bytes = 0;
  std::uint32_t last_bytes = 0;

  std::uint32_t bytes_of(std::uint32_t piece) const {
    return piece + 1 == pieces ? last_bytes : full_bytes;
  }
};

/// \param frame_bytes of the frame as Ethernet, larger than `max_frame`.
/// \param max_frame the line's MTU + 18.
/// \return nothing when it cannot be split: not IP, or no room for data beside the headers.
std::optional<split_plan> plan_split(const frame_headers& headers, std::uint32_t frame_bytes,
                                     std::uint32_t max_frame);

}  // namespace sluice
