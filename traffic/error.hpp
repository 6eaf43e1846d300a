/// \file
/// What goes wrong in traffic/: one exception type with a code, a place and a message.
///
/// Everything here throws `traffic_error` (or the `capture_error` below) from functions that open,
/// check or read; nothing prints. Callers that must not throw (actors) catch it at their border.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice {

enum class traffic_ec : std::uint8_t {
  cannot_open,    ///< no such file, no permission, not a regular file
  cannot_write,   ///< no permission, no room, or nobody reads the pipe
  cannot_read,    ///< the system refused to read, or the file changed while it was read
  empty,          ///< no byte in it
  compressed,     ///< gzip, zstd, xz...: the message says which tool unpacks it
  not_a_capture,  ///< neither pcap nor pcapng
  unsupported,    ///< a version or variant that no reader here knows
  cut_off,        ///< the file ends inside a header, a packet or a block
  bad_length,     ///< a length that contradicts another one or is larger than any frame
  bad_block,      ///< pcapng: wrong trailing length, option beyond its block, unknown interface...
  bad_filter,     ///< the BPF expression does not compile
  bad_config,     ///< settings that contradict each other or are out of range
};

/// "cut_off" and so on: the name of a code, for summaries in JSON.
std::string_view to_string(traffic_ec code);

/// Settings that cannot work (a scenario error, exit code 2) or, as `capture_error`, a capture that
/// cannot be read (exit code 3).
class traffic_error : public std::runtime_error {
public:
  traffic_error(traffic_ec code, const std::string& message)
      : std::runtime_error{message}, code_{code} {}

  traffic_ec code() const { return code_; }

private:
  traffic_ec code_;
};

/// A capture that cannot be read, with the place. `what()` is complete, for example
/// "redis.pcap: packet 17 at offset 0x4d2 (1234): cut off: header promises 1500 bytes, 312 remain".
class capture_error : public traffic_error {
public:
  /// \param packet number of the packet that could not be read, from 1; 0: not inside a packet.
  /// \param offset of the header or block that is wrong.
  capture_error(traffic_ec code, std::string file, std::uint64_t packet, std::uint64_t offset,
                std::string message);

  const std::string& file() const { return file_; }
  std::uint64_t packet() const { return packet_; }
  std::uint64_t offset() const { return offset_; }
  const std::string& message() const { return message_; }  ///< without the place

private:
  std::string file_;
  std::uint64_t packet_;
  std::uint64_t offset_;
  std::string message_;
};

}  // namespace sluice
