/// \file
/// Reading capture files, packet by packet, with one window of the file in memory.
///
/// Classic pcap (both byte orders, microseconds and nanoseconds) is decoded by libpcap. Every
/// pcapng goes through a reader of our own, because libpcap refuses a file whose interfaces differ
/// in link type or snap length, and two readers for one format would give two sets of rules. Both
/// read through the same bounded window of the file, so a length that lies is found before anything
/// is allocated for it.
///
/// Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng (sections 4.1 to 4.5, appendix A).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "traffic/error.hpp"

namespace sluice {

/// One packet of a capture. `data` is valid until the next call of the reader.
struct capture_record {
  std::uint64_t number = 0;       ///< from 1, over all sections and interfaces
  std::int64_t timestamp_ns = 0;  ///< since 1970; clamped to +-2^62; see `stamped`
  /// false: the file has no time stamp for it (a Simple Packet Block); timestamp_ns then repeats
  /// that of the last stamped packet before it, or is 0.
  bool stamped = true;
  std::uint32_t wire_bytes = 0;        ///< as it was on the wire
  std::uint32_t interface = 0;         ///< index into `capture_reader::interfaces()`
  int link_type = 0;                   ///< libpcap's DLT_ value
  std::uint64_t offset = 0;            ///< of the first captured byte in the file
  std::span<const std::uint8_t> data;  ///< the captured bytes: at most wire_bytes

  std::uint32_t captured_bytes() const { return static_cast<std::uint32_t>(data.size()); }
  bool sliced() const { return data.size() < wire_bytes; }
};

struct capture_interface {
  int link_type = 0;             ///< DLT_ value
  std::uint32_t snap_bytes = 0;  ///< 0: no limit
  std::uint64_t packets = 0;     ///< read so far
};

/// The name of a link type, "EN10MB" and so on; "DLT_147" when it has none.
std::string link_type_name(int link_type);

class capture_reader {
public:
  enum class format : std::uint8_t { pcap, pcapng };

  /// Opens a file and reads its header.
  /// \throws capture_error
  explicit capture_reader(const std::string& file);

  /// Reads a capture that is in memory and outlives the reader; `name` stands for it in errors.
  /// \throws capture_error
  capture_reader(std::span<const std::uint8_t> bytes, const std::string& name);

  capture_reader(capture_reader&&) noexcept;
  capture_reader& operator=(capture_reader&&) noexcept;
  ~capture_reader();

  /// Reads the next packet. False: the file ended, and ended well.
  /// \throws capture_error; after that the reader can only be destroyed.
  bool next(capture_record& record);

  format kind() const;

  /// Interfaces met so far, over all sections; a classic pcap has one.
  const std::vector<capture_interface>& interfaces() const;

  std::uint64_t file_bytes() const;

  /// Another number when the file was written to since another reader opened it.
  std::uint64_t file_version() const;

  const std::string& file() const;

  struct impl;

private:
  std::unique_ptr<impl> impl_;
};

}  // namespace sluice
