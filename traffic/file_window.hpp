/// \file
/// A bounded view of a file that is too large to hold: any range of it, made contiguous on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sluice {

/// Reads forward cheaply and backward correctly. Memory: one buffer of 64 KiB, which grows to the
/// largest range asked for.
class file_window {
public:
  /// Opens a regular file.
  /// \throws capture_error cannot_open, empty.
  explicit file_window(const std::string& file);

  /// Bytes that are in memory already and outlive the window.
  file_window(std::span<const std::uint8_t> bytes, const std::string& name);

  file_window(const file_window&) = delete;
  file_window& operator=(const file_window&) = delete;
  ~file_window();

  std::uint64_t size() const { return size_; }
  const std::string& name() const { return name_; }

  /// Changes whenever the file does, as far as the system tells: size and time of modification.
  std::uint64_t version() const { return version_; }

  /// The bytes from `offset`, as many as asked for or as the file has. Valid until the next call.
  /// \throws capture_error cannot_read when the file shrank or the system fails.
  std::span<const std::uint8_t> at(std::uint64_t offset, std::size_t bytes);

private:
  void fill(std::uint64_t offset, std::size_t bytes);

  std::string name_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t version_ = 0;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t capacity_ = 0;
  std::span<const std::uint8_t> held_;  // what of the file is in memory...
  std::uint64_t held_from_ = 0;         // ...and where that begins
};

}  // namespace sluice
