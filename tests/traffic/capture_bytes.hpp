/// \file
/// Captures and frames made byte by byte, for the tests of traffic/.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace sluice::test {

using byte_string = std::vector<std::uint8_t>;

/// Appends numbers in one byte order.
class byte_writer {
public:
  explicit byte_writer(bool big_endian = false) : big_{big_endian} {}

  byte_writer& u8(std::uint64_t v) { return put(v, 1); }
  byte_writer& u16(std::uint64_t v) { return put(v, 2); }
  byte_writer& u32(std::uint64_t v) { return put(v, 4); }
  byte_writer& u64(std::uint64_t v) { return put(v, 8); }
  byte_writer& raw(std::span<const std::uint8_t> data) {
    bytes.insert(bytes.end(), data.begin(), data.end());
    return *this;
  }
  byte_writer& zeros(std::size_t n) {
    bytes.resize(bytes.size() + n);
    return *this;
  }

  byte_string bytes;

private:
  byte_writer& put(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i != size; ++i)
      bytes.push_back(static_cast<std::uint8_t>(v >> 8 * (big_ ? size - 1 - i : i)));
    return *this;
  }

  bool big_;
};

// -- frames ------------------------------------------------------------------

struct frame_spec {
  std::array<std::uint8_t, 4> from{10, 0, 0, 1}, to{10, 0, 0, 2};
  std::uint8_t protocol = 6;
  std::uint32_t bytes = 100;  ///< of the whole frame
  unsigned tags = 0;
  bool ip6 = false;  ///< addresses then are fd00::from and fd00::to
  std::uint16_t destination_port = 6379;
};

inline byte_string make_frame(const frame_spec& spec) {
  byte_writer w{true};
  w.u16(0x0200).u32(spec.to[3]).u16(0x0200).u32(spec.from[3]);
  for (unsigned i = 0; i != spec.tags; ++i)
    w.u16(0x8100).u16(3 << 13 | 7);
  const auto header = w.bytes.size() + 2;
  if (spec.ip6) {
    w.u16(0x86dd)
        .u32(0x60000000 | 26u << 22)
        .u16(spec.bytes - header - 40)
        .u8(spec.protocol)
        .u8(64);
    for (const auto& address : {spec.from, spec.to})
      w.u16(0xfd00).zeros(10).raw(address);
  } else {
    w.u16(0x0800).u8(0x45).u8(26 << 2).u16(spec.bytes - header).u32(0).u8(64).u8(spec.protocol);
    w.u16(0).raw(spec.from).raw(spec.to);
  }
  w.u16(40000).u16(spec.destination_port);
  if (spec.protocol == 6)
    w.u32(1).u32(1).u8(0x50).u8(0x10);
  if (w.bytes.size() < spec.bytes)
    w.zeros(spec.bytes - w.bytes.size());
  w.bytes.resize(spec.bytes);
  return w.bytes;
}

// -- classic pcap ------------------------------------------------------------

struct pcap_options {
  bool big_endian = false;
  bool nanoseconds = false;
  std::uint32_t link_type = 1;
  std::uint32_t snap_bytes = 262144;
};

/// One packet; `stamp` in the file's own unit.
struct packet_spec {
  std::uint64_t stamp_ns = 0;
  byte_string data;
  std::uint32_t wire_bytes = 0;  ///< 0: as captured
};

inline byte_string make_pcap(const std::vector<packet_spec>& packets, pcap_options options = {}) {
  byte_writer w{options.big_endian};
  w.u32(options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0);
  w.u32(options.snap_bytes).u32(options.link_type);
  for (const auto& packet : packets) {
    const auto fraction = packet.stamp_ns % 1'000'000'000;
    w.u32(packet.stamp_ns / 1'000'000'000).u32(options.nanoseconds ? fraction : fraction / 1000);
    w.u32(packet.data.size()).u32(packet.wire_bytes != 0 ? packet.wire_bytes : packet.data.size());
    w.raw(packet.data);
  }
  return w.bytes;
}

// -- pcapng ------------------------------------------------------------------

class pcapng_writer {
public:
  explicit pcapng_writer(bool big_endian = false) : big_{big_endian}, out_{big_endian} {}

  pcapng_writer& section() {
    return block(0x0a0d0d0a, number().u32(0x1a2b3c4d).u16(1).u16(0).u64(~0ull).bytes);
  }

  /// \param options already encoded.
  pcapng_writer& interface(std::uint16_t link_type, std::uint32_t snap_bytes,
                           const byte_string& options = {}) {
    return block(1, number().u16(link_type).u16(0).u32(snap_bytes).raw(options).bytes);
  }

  pcapng_writer& enhanced(std::uint32_t interface, std::uint64_t stamp, const byte_string& data,
                          std::uint32_t wire_bytes = 0) {
    return block(6, number()
                        .u32(interface)
                        .u32(stamp >> 32)
                        .u32(stamp)
                        .u32(data.size())
                        .u32(wire_bytes != 0 ? wire_bytes : data.size())
                        .raw(padded(data))
                        .bytes);
  }

  pcapng_writer& obsolete(std::uint16_t interface, std::uint64_t stamp, const byte_string& data) {
    return block(2, number()
                        .u16(interface)
                        .u16(9)
                        .u32(stamp >> 32)
                        .u32(stamp)
                        .u32(data.size())
                        .u32(data.size())
                        .raw(padded(data))
                        .bytes);
  }

  pcapng_writer& simple(std::uint32_t wire_bytes, const byte_string& data) {
    return block(3, number().u32(wire_bytes).raw(padded(data)).bytes);
  }

  pcapng_writer& block(std::uint32_t type, const byte_string& body) {
    const auto size = body.size() + 12;
    out_.u32(type).u32(size).raw(body).u32(size);
    return *this;
  }

  byte_string option(std::uint16_t code, const byte_string& value) const {
    return number().u16(code).u16(value.size()).raw(padded(value)).bytes;
  }

  byte_writer number() const { return byte_writer{big_}; }
  const byte_string& bytes() const { return out_.bytes; }

private:
  static byte_string padded(byte_string data) {
    data.resize((data.size() + 3) / 4 * 4);
    return data;
  }

  bool big_;
  byte_writer out_;
};

// -- files -------------------------------------------------------------------

/// A file that is gone when the test is.
class temp_file {
public:
  explicit temp_file(const byte_string& bytes, const std::string& suffix = ".pcap") {
    static int count = 0;
    path_ =
        (std::filesystem::temp_directory_path()
         / ("sluice-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count) + suffix))
            .string();
    std::ofstream{path_, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                 static_cast<std::streamsize>(bytes.size()));
  }
  temp_file(const temp_file&) = delete;
  temp_file& operator=(const temp_file&) = delete;
  ~temp_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  const std::string& path() const { return path_; }

private:
  std::string path_;
};

}  // namespace sluice::test
