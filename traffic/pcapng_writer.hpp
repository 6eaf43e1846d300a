/// \file
/// Writing pcapng: one section, an interface for each tap, nanoseconds.
///
/// | block | with |
/// |---|---|
/// | Section Header | the program and a comment |
/// | Interface Description | if_name, if_description, if_speed, if_tsresol 9, if_filter; Ethernet |
/// | Enhanced Packet | direction (epb_flags), a comment if there is one |
/// | Interface Statistics | begin, end, packets seen and dropped |
///
/// Numbers are little endian. A file grows under a name of its own (`.part-` and the process) and
/// gets its own when it is whole; "-" is the standard output, which is flushed by `flush` alone.
/// Source: draft-ietf-opsawg-pcapng, sections 4.1 to 4.3 and 4.6.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

class pcapng_writer {
public:
  enum class direction : std::uint8_t { unknown = 0, inbound = 1, outbound = 2 };
  struct interface {
    std::string name, description, filter;
    std::uint64_t bps = 0;         ///< 0: not said
    std::uint32_t snap_bytes = 0;  ///< 0: whole packets
  };
  struct statistics {
    std::int64_t begin_ns = 0, end_ns = 0;  ///< since 1970
    std::uint64_t seen = 0, dropped = 0;
  };

  /// \throws traffic_error cannot_write
  pcapng_writer(std::string file, const std::string& program, const std::string& comment);
  /// Without `close` what was written is removed.
  ~pcapng_writer();
  pcapng_writer(const pcapng_writer&) = delete;
  pcapng_writer& operator=(const pcapng_writer&) = delete;

  /// Returns its number, from 0.
  std::uint32_t add(const interface& i);
  /// \param captured the bytes that there are, at most `wire_bytes`.
  /// \throws traffic_error cannot_write
  void write(std::uint32_t on, std::int64_t time_ns, std::span<const std::uint8_t> captured,
             std::uint32_t wire_bytes, direction way, std::string_view comment = {});
  void write(std::uint32_t on, const statistics& s);
  /// What was written so far reaches the file, or who reads the pipe.
  void flush();
  /// That it has got so far.
  std::uint64_t bytes() const { return flushed_ + buffer_.size(); }
  /// The file is whole. \throws traffic_error cannot_write
  void close();

private:
  void begin(std::uint32_t type);
  void number(std::uint64_t value, unsigned bytes);
  template <std::size_t N>
  void numbers(const std::uint32_t (&values)[N]);
  void option(std::uint16_t code, std::string_view value);
  void option(std::uint16_t code, std::uint64_t value, unsigned bytes);
  void pad();
  void end();
  void put_out();
  [[noreturn]] void fail() const;

  std::string file_, growing_;
  std::FILE* out_ = nullptr;
  std::vector<std::uint8_t> buffer_;  // whole blocks, but for the one that is being made
  std::size_t block_ = 0;             // where that begins
  std::uint64_t flushed_ = 0;         // bytes before those
  std::uint32_t interfaces_ = 0;
};

}  // namespace sluice
