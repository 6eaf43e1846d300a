/// \file
/// Internal to traffic/: what the two readers behind `capture_reader` have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "traffic/capture.hpp"
#include "traffic/file_window.hpp"

namespace sluice {

struct capture_reader::impl {
  impl(format kind, std::unique_ptr<file_window> window)
      : kind_{kind}, window_{std::move(window)} {}
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;
  virtual ~impl() = default;

  virtual bool next(capture_record& record) = 0;

  /// About the packet that is being read, whose header or block is at `offset`.
  [[noreturn]] void fail(traffic_ec code, std::uint64_t offset, std::string message) const;

  /// Checks the lengths of a packet before anything is read or allocated for it.
  /// \param remain bytes that its file or block has left for it.
  void check_lengths(std::uint64_t offset, std::uint32_t captured, std::uint32_t wire,
                     std::uint64_t remain, bool file_ends_there) const;

  format kind_;
  std::unique_ptr<file_window> window_;
  std::vector<capture_interface> interfaces_;
  std::uint64_t packets_ = 0;  // given out so far
  std::int64_t last_stamp_ns_ = 0;
};

/// \throws capture_error
std::unique_ptr<capture_reader::impl> make_pcap_reader(std::unique_ptr<file_window> window);
std::unique_ptr<capture_reader::impl> make_pcapng_reader(std::unique_ptr<file_window> window);

/// Time stamps are clamped to this either way: no difference of two overflows.
inline constexpr std::int64_t max_timestamp_ns = (std::int64_t{1} << 62) - 1;

}  // namespace sluice
