#include "traffic/pcapng_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "traffic/error.hpp"

namespace sluice {

namespace {

// What a processor's own cache holds when the system copies it.
constexpr std::size_t worth_writing = 256 << 10;
constexpr std::uint32_t section_header = 0x0a0d0d0a, interface_description = 1,
                        interface_statistics = 5, enhanced_packet = 6;
constexpr std::uint16_t end_of_options = 0, comment_option = 1;

}  // namespace

pcapng_writer::pcapng_writer(std::string file, const std::string& program,
                             const std::string& comment)
    : file_{std::move(file)} {
  if (file_ == "-") {
    out_ = stdout;
  } else {
    growing_ = fmt::format("{}.part-{}", file_, getpid());
    out_ = std::fopen(growing_.c_str(), "wb");
    if (out_ == nullptr)
      fail();
    std::setvbuf(out_, nullptr, _IONBF, 0);  // there is a buffer here
  }
  begin(section_header);
  number(0x1a2b3c4d, 4);
  number(1, 2);
  number(0, 2);
  number(~std::uint64_t{0}, 8);  // the section's length is not known
  option(comment_option, comment);
  option(4, program);
  option(end_of_options, {});
  end();
}

pcapng_writer::~pcapng_writer() {
  if (out_ == nullptr || out_ == stdout)
    return;
  std::fclose(out_);
  std::remove(growing_.c_str());
}

std::uint32_t pcapng_writer::add(const interface& i) {
  constexpr std::uint16_t ethernet = 1;
  begin(interface_description);
  number(ethernet, 2);
  number(0, 2);
  number(i.snap_bytes, 4);
  option(2, i.name);
  option(3, i.description);
  if (i.bps != 0)
    option(8, i.bps, 8);
  option(9, 9, 1);  // 10^-9 seconds
  if (!i.filter.empty())
    option(11, std::string(1, '\0') + i.filter);  // 0: libpcap's language
  option(end_of_options, {});
  end();
  return interfaces_++;
}

void pcapng_writer::write(std::uint32_t on, std::int64_t time_ns,
                          std::span<const std::uint8_t> captured, std::uint32_t wire_bytes,
                          direction way, std::string_view comment) {
  begin(enhanced_packet);
  const auto time = static_cast<std::uint64_t>(time_ns);
  numbers({on, static_cast<std::uint32_t>(time >> 32), static_cast<std::uint32_t>(time),
           static_cast<std::uint32_t>(captured.size()), wire_bytes});
  buffer_.insert(buffer_.end(), captured.begin(), captured.end());
  pad();
  constexpr std::uint32_t flags = 2 | 4 << 16;
  numbers({flags, static_cast<std::uint32_t>(way)});
  option(comment_option, comment);
  numbers({end_of_options});
  end();
}

void pcapng_writer::write(std::uint32_t on, const statistics& s) {
  begin(interface_statistics);
  number(on, 4);
  const auto time = [&](std::int64_t ns) {
    number(static_cast<std::uint64_t>(ns) >> 32, 4);
    number(static_cast<std::uint64_t>(ns) & 0xffff'ffff, 4);
  };
  time(s.end_ns);
  for (const auto& [code, ns] : {std::pair{2, s.begin_ns}, std::pair{3, s.end_ns}}) {
    number(static_cast<std::uint64_t>(code), 2);
    number(8, 2);
    time(ns);
  }
  option(4, s.seen, 8);
  option(5, s.dropped, 8);
  option(end_of_options, {});
  end();
}

void pcapng_writer::flush() {
  put_out();
  if (std::fflush(out_) != 0)
    fail();
}

void pcapng_writer::close() {
  flush();
  if (out_ == stdout) {
    out_ = nullptr;
    return;
  }
  const bool closed = std::fclose(out_) == 0;
  out_ = nullptr;
  if (!closed || std::rename(growing_.c_str(), file_.c_str()) != 0) {
    const auto why = errno;
    std::remove(growing_.c_str());
    errno = why;
    fail();
  }
}

// -- blocks ---------------------------------------------------------------------------------------

void pcapng_writer::begin(std::uint32_t type) {
  block_ = buffer_.size();
  numbers({type, 0});  // its length, when it is known
}

template <std::size_t N>
void pcapng_writer::numbers(const std::uint32_t (&values)[N]) {
  std::uint8_t bytes[4 * N];
  for (std::size_t i = 0; i < N; ++i)
    for (unsigned k = 0; k < 4; ++k)
      bytes[4 * i + k] = static_cast<std::uint8_t>(values[i] >> 8 * k);
  buffer_.insert(buffer_.end(), bytes, bytes + sizeof bytes);
}

void pcapng_writer::number(std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    buffer_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

// One without a value is left out, unless it ends the list.
void pcapng_writer::option(std::uint16_t code, std::string_view value) {
  if (value.empty() && code != end_of_options)
    return;
  value = value.substr(0, 0xffff);
  number(code, 2);
  number(value.size(), 2);
  buffer_.insert(buffer_.end(), value.begin(), value.end());
  pad();
}

void pcapng_writer::option(std::uint16_t code, std::uint64_t value, unsigned bytes) {
  number(code, 2);
  number(bytes, 2);
  number(value, bytes);
  pad();
}

void pcapng_writer::pad() {
  buffer_.resize(block_ + (buffer_.size() - block_ + 3) / 4 * 4);
}

void pcapng_writer::end() {
  const auto length = static_cast<std::uint32_t>(buffer_.size() - block_ + 4);
  numbers({length});
  for (unsigned i = 0; i < 4; ++i)
    buffer_[block_ + 4 + i] = static_cast<std::uint8_t>(length >> 8 * i);
  if (buffer_.size() >= worth_writing)
    put_out();
}

void pcapng_writer::put_out() {
  if (!buffer_.empty() && std::fwrite(buffer_.data(), 1, buffer_.size(), out_) != buffer_.size())
    fail();
  flushed_ += buffer_.size();
  buffer_.clear();
}

void pcapng_writer::fail() const {
  throw traffic_error{traffic_ec::cannot_write,
                      fmt::format("{}: cannot write: {}", file_ == "-" ? "standard output" : file_,
                                  std::strerror(errno))};
}

}  // namespace sluice
