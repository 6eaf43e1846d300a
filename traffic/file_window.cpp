#include "traffic/file_window.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "traffic/error.hpp"
#include "traffic/random.hpp"

namespace sluice {

namespace {

constexpr std::size_t window_bytes = 64 * 1024;

[[noreturn]] void fail_to_open(const std::string& file, const std::string& why) {
  throw capture_error{traffic_ec::cannot_open, file, 0, 0, "cannot be opened: " + why};
}

}  // namespace

file_window::file_window(const std::string& file) : name_{file} {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0)
    fail_to_open(file, std::strerror(errno));
  struct stat status {};
  if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail_to_open(file, S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  version_ = mix64(
      size_
      ^ mix64(static_cast<std::uint64_t>(status.st_mtim.tv_sec)
              ^ mix64(static_cast<std::uint64_t>(status.st_mtim.tv_nsec) ^ mix64(status.st_ino))));
}

file_window::file_window(std::span<const std::uint8_t> bytes, const std::string& name)
    : name_{name}, size_{bytes.size()}, held_{bytes} {}

file_window::~file_window() {
  if (fd_ >= 0)
    ::close(fd_);
}

std::span<const std::uint8_t> file_window::at(std::uint64_t offset, std::size_t bytes) {
  if (offset >= size_)
    return {};
  bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - offset));
  if (offset < held_from_ || offset - held_from_ + bytes > held_.size())
    fill(offset, bytes);
  return held_.subspan(static_cast<std::size_t>(offset - held_from_), bytes);
}

void file_window::fill(std::uint64_t offset, std::size_t bytes) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(std::max(bytes, window_bytes), size_));
  if (wanted > capacity_) {
    buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(wanted);
    capacity_ = wanted;
  }
  held_ = {};
  held_from_ = offset;
  const auto aim = static_cast<std::size_t>(std::min<std::uint64_t>(capacity_, size_ - offset));
  std::size_t got = 0;
  while (got < aim) {
    const auto n = ::pread(fd_, buffer_.get() + got, aim - got, static_cast<off_t>(offset + got));
    if (n > 0) {
      got += static_cast<std::size_t>(n);
    } else if (n == 0 || errno != EINTR) {
      throw capture_error{traffic_ec::cannot_read, name_, 0, offset + got,
                          n == 0 ? "became shorter while it was read"
                                 : fmt::format("cannot be read: {}", std::strerror(errno))};
    }
  }
  held_ = {buffer_.get(), got};
}

}  // namespace sluice
