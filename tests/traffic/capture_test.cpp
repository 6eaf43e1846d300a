#include "traffic/capture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "tests/traffic/capture_bytes.hpp"
#include "traffic/units.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

struct seen {
  std::vector<capture_record> records;  // data already invalid
  std::vector<byte_string> data;
  std::optional<capture_error> error;
};

seen read(const byte_string& bytes) {
  seen result;
  try {
    capture_reader reader{bytes, "test.pcap"};
    capture_record record;
    while (reader.next(record)) {
      result.records.push_back(record);
      result.data.emplace_back(record.data.begin(), record.data.end());
    }
  } catch (const capture_error& error) {
    result.error = error;
  }
  return result;
}

std::vector<packet_spec> some_packets() {
  std::vector<packet_spec> packets;
  for (std::uint32_t i = 0; i != 5; ++i)
    packets.push_back(
        {1'700'000'000'123'456'789u + i * 1'000, make_frame({.bytes = 60 + 37 * i}), 0});
  packets.push_back({1'700'000'001'000'000'001, make_frame({.bytes = 96}), 1514});
  return packets;
}

traffic_ec code_of(const byte_string& bytes) {
  const auto result = read(bytes);
  REQUIRE(result.error);
  return result.error->code();
}

// Patches a 32-bit little-endian number.
byte_string patched(byte_string bytes, std::size_t at, std::uint32_t value) {
  for (unsigned i = 0; i != 4; ++i)
    bytes.at(at + i) = static_cast<std::uint8_t>(value >> 8 * i);
  return bytes;
}

}  // namespace

TEST_CASE("pcap is read in both byte orders and both resolutions") {
  for (const bool big : {false, true})
    for (const bool ns : {false, true}) {
      CAPTURE(big);
      CAPTURE(ns);
      const auto packets = some_packets();
      const auto bytes = make_pcap(packets, {.big_endian = big, .nanoseconds = ns});
      const auto result = read(bytes);
      REQUIRE_FALSE(result.error);
      REQUIRE(result.records.size() == packets.size());
      for (std::size_t i = 0; i != packets.size(); ++i) {
        const auto& record = result.records[i];
        CHECK(record.number == i + 1);
        CHECK(
            record.timestamp_ns
            == static_cast<std::int64_t>(packets[i].stamp_ns / (ns ? 1 : 1000) * (ns ? 1 : 1000)));
        CHECK(record.link_type == 1);
        CHECK(result.data[i] == packets[i].data);
        CHECK(record.sliced() == (i == 5));
        CHECK(std::equal(packets[i].data.begin(), packets[i].data.end(),
                         bytes.begin() + static_cast<long>(record.offset)));
      }
      CHECK(result.records[5].wire_bytes == 1514);
    }
}

TEST_CASE("a stamp after 2038 is later than one before") {
  const auto frame = make_frame({});
  const auto result = read(make_pcap({{4'000'000'000'000'000'000, frame, 0}}));
  REQUIRE(result.records.size() == 1);
  CHECK(result.records[0].timestamp_ns == 4'000'000'000'000'000'000);
}

TEST_CASE("offsets hold where libpcap cuts packets to the snap length") {
  const auto packets = some_packets();
  const auto bytes = make_pcap(packets, {.snap_bytes = 64});
  const auto result = read(bytes);
  REQUIRE_FALSE(result.error);
  REQUIRE(result.records.size() == packets.size());
  for (std::size_t i = 0; i != packets.size(); ++i) {
    CHECK(result.data[i].size() == std::min<std::size_t>(64, packets[i].data.size()));
    CHECK(std::equal(result.data[i].begin(), result.data[i].end(),
                     bytes.begin() + static_cast<long>(result.records[i].offset)));
  }
}

TEST_CASE("a snap length of 2^32 - 1 or 0 reads as no limit") {
  for (const std::uint32_t snap : {0xffff'ffffu, 0u, 0x8000'0000u}) {
    const auto result = read(make_pcap(some_packets(), {.snap_bytes = snap}));
    CHECK_FALSE(result.error);
    CHECK(result.data[4].size() == 208);
    pcapng_writer w;
    w.section().interface(1, snap).enhanced(0, 1, make_frame({}));
    CHECK(read(w.bytes()).data.size() == 1);
  }
}

TEST_CASE("a pcap cut at any byte gives the packets before and an error with the place") {
  const auto packets = some_packets();
  const auto whole = make_pcap(packets);
  std::size_t complete = 0, next_end = 24 + 16 + packets[0].data.size();
  for (std::size_t cut = 0; cut != whole.size(); ++cut) {
    CAPTURE(cut);
    if (cut == next_end && ++complete < packets.size())
      next_end += 16 + packets[complete].data.size();
    const auto result = read({whole.begin(), whole.begin() + static_cast<long>(cut)});
    REQUIRE(result.records.size() == complete);
    const bool clean_end =
        cut == 24 || (complete != 0 && cut == next_end - 16 - packets[complete].data.size());
    REQUIRE(result.error.has_value() != clean_end);
    if (cut > 24 && !clean_end) {
      CHECK(result.error->code() == traffic_ec::cut_off);
      CHECK(result.error->packet() == complete + 1);
      CHECK(result.error->offset() == next_end - 16 - packets[complete].data.size());
    }
  }
}

TEST_CASE("an error says file, packet, offset, what was promised and what is there") {
  auto bytes = make_pcap({{0, make_frame({.bytes = 1500}), 0}});
  bytes.resize(24 + 16 + 312);
  const auto result = read(bytes);
  REQUIRE(result.error);
  CHECK(
      std::string{result.error->what()}
      == "test.pcap: packet 1 at offset 0x18 (24): cut off: header promises 1500 bytes, 312 "
         "remain");
}

TEST_CASE("lengths of a pcap that lie are refused without being believed") {
  const auto good = make_pcap(some_packets());
  for (const std::uint32_t lie : {0xffff'ffffu, 0x8000'0000u, 0x7fff'ffffu, max_frame_bytes + 1}) {
    CHECK(code_of(patched(good, 24 + 8, lie)) == traffic_ec::bad_length);
    CHECK(code_of(patched(good, 24 + 12, lie)) == traffic_ec::bad_length);
  }
  CHECK(code_of(patched(good, 24 + 12, 59)) == traffic_ec::bad_length);  // wire < captured
}

TEST_CASE("what is no capture is refused by name") {
  CHECK(code_of({}) == traffic_ec::empty);
  CHECK(code_of({0x1f, 0x8b, 8, 0, 0, 0}) == traffic_ec::compressed);
  CHECK(code_of({0x28, 0xb5, 0x2f, 0xfd, 0, 0}) == traffic_ec::compressed);
  CHECK(code_of({'h', 'e', 'l', 'l', 'o', '\n'}) == traffic_ec::not_a_capture);
  CHECK(code_of({0xa1, 0xb2}) == traffic_ec::not_a_capture);
  CHECK(code_of({0xa1, 0xb2, 0xc3, 0xd4}) == traffic_ec::cut_off);
  CHECK(std::string{read({0x1f, 0x8b, 8}).error->what()}.find("gunzip it first")
        != std::string::npos);
  auto version = make_pcap({});
  version[4] = 9;
  CHECK(code_of(version) == traffic_ec::unsupported);
}

TEST_CASE("a missing file, a directory and a pipe cannot be opened") {
  for (const auto* path : {"/no/such/file.pcap", "/tmp", "/dev/null"})
    CHECK_THROWS_AS(capture_reader{path}, capture_error);
}

TEST_CASE("a file reads as its bytes do, also across the window's edge") {
  std::vector<packet_spec> packets;
  for (std::uint32_t i = 0; i != 400; ++i)
    packets.push_back({i * 1'000'000ull, make_frame({.bytes = 60 + i * 7 % 9000}), 0});
  packets.push_back({999'000'000, byte_string(200'000, 0xee), 0});
  packets.push_back({999'000'000, make_frame({}), 0});
  pcapng_writer w;
  w.section().interface(1, 0);
  for (const auto& packet : packets)
    w.enhanced(0, packet.stamp_ns / 1000, packet.data);
  for (const auto& bytes : {make_pcap(packets), w.bytes()}) {
    const temp_file file{bytes};
    capture_reader reader{file.path()};
    capture_record record;
    for (const auto& packet : packets) {
      REQUIRE(reader.next(record));
      REQUIRE(std::equal(packet.data.begin(), packet.data.end(), record.data.begin(),
                         record.data.end()));
      REQUIRE(record.timestamp_ns == static_cast<std::int64_t>(packet.stamp_ns));
    }
    CHECK_FALSE(reader.next(record));
  }
}

TEST_CASE("pcapng with interfaces of different link types and snap lengths is read") {
  for (const bool big : {false, true}) {
    CAPTURE(big);
    pcapng_writer w{big};
    const auto frame = make_frame({});
    const byte_string ip{frame.begin() + 14, frame.end()};
    w.section().interface(1, 96).interface(101, 65535, w.option(9, {9}));
    w.enhanced(0, 1'000'001, frame).enhanced(1, 1'000'001'500, ip, 1400);
    w.block(0x0bad'0001, {1, 2, 3, 4});  // unknown
    w.obsolete(0, 1'000'002, frame);
    // A second section starts counting interfaces anew.
    w.section().interface(113, 0).enhanced(0, 1'000'003, byte_string(30, 1));
    const auto result = read(w.bytes());
    REQUIRE_FALSE(result.error);
    REQUIRE(result.records.size() == 4);
    const auto& r = result.records;
    CHECK(r[0].timestamp_ns == 1'000'001'000);
    CHECK(r[1].timestamp_ns == 1'000'001'500);
    CHECK(r[2].timestamp_ns == 1'000'002'000);
    CHECK(link_type_name(r[0].link_type) == "EN10MB");
    CHECK(link_type_name(r[1].link_type) == "RAW");
    CHECK(link_type_name(r[3].link_type) == "LINUX_SLL");
    CHECK(r[3].interface == 2);
    CHECK(r[1].wire_bytes == 1400);
    CHECK(result.data[0] == frame);
    CHECK(result.data[1] == ip);
    for (std::size_t i = 0; i != r.size(); ++i)
      CHECK(std::equal(result.data[i].begin(), result.data[i].end(),
                       w.bytes().begin() + static_cast<long>(r[i].offset)));
  }
}

TEST_CASE("sections of different byte orders follow each other") {
  pcapng_writer little, big{true};
  little.section().interface(1, 0).enhanced(0, 5, make_frame({}));
  big.section().interface(1, 0).enhanced(0, 6, make_frame({}));
  auto bytes = little.bytes();
  bytes.insert(bytes.end(), big.bytes().begin(), big.bytes().end());
  const auto result = read(bytes);
  REQUIRE(result.records.size() == 2);
  CHECK(result.records[1].timestamp_ns == 6'000);
}

TEST_CASE("time stamps follow resolution and offset of their interface") {
  struct row {
    std::uint8_t resolution;
    std::int64_t offset_s;
    std::uint64_t ticks;
    std::int64_t ns;
  };
  for (const auto& [resolution, offset_s, ticks, ns] : {
           row{0, 0, 3, 3'000'000'000},             // seconds
           row{6, 0, 1'234, 1'234'000},             //
           row{9, 0, 1'234, 1'234},                 //
           row{12, 0, 1'999, 1},                    // picoseconds: rounded down
           row{0x80 | 10, 0, 1536, 1'500'000'000},  // 2^-10 s
           row{0x80 | 32, 0, 1ull << 31, 500'000'000},
           row{0xff, 0, ~0ull, 0},             // 2^-127 s
           row{127, 0, ~0ull, 0},              // 10^-127 s
           row{6, 100, 1, 100'000'001'000},    //
           row{6, -100, 1, -99'999'999'000},   //
           row{0, 0, ~0ull, (1ll << 62) - 1},  // clamped
           row{6, INT64_MIN, 0, 1 - (1ll << 62)},
       }) {
    CAPTURE(int{resolution});
    pcapng_writer w;
    auto options = w.option(9, {resolution});
    const auto offset = w.option(14, w.number().u64(static_cast<std::uint64_t>(offset_s)).bytes);
    options.insert(options.end(), offset.begin(), offset.end());
    w.section().interface(1, 0, options).enhanced(0, ticks, make_frame({}));
    const auto result = read(w.bytes());
    REQUIRE(result.records.size() == 1);
    CHECK(result.records[0].timestamp_ns == ns);
  }
}

TEST_CASE("a simple packet has no stamp and repeats the one before") {
  pcapng_writer w;
  const auto frame = make_frame({.bytes = 100});
  w.section().interface(1, 64);
  w.simple(40, byte_string(40, 1))
      .enhanced(0, 7, frame)
      .simple(100, {frame.begin(), frame.begin() + 64});
  const auto result = read(w.bytes());
  REQUIRE(result.records.size() == 3);
  CHECK_FALSE(result.records[0].stamped);
  CHECK(result.records[0].timestamp_ns == 0);
  CHECK(result.records[1].stamped);
  CHECK_FALSE(result.records[2].stamped);
  CHECK(result.records[2].timestamp_ns == 7'000);
  CHECK(result.data[2].size() == 64);
  CHECK(result.records[2].wire_bytes == 100);
}

TEST_CASE("a pcapng cut at any byte that is no block's end is an error") {
  pcapng_writer w;
  std::vector<std::size_t> ends{0};
  const auto mark = [&] { ends.push_back(w.bytes().size()); };
  w.section(), mark();
  w.interface(1, 0, w.option(9, {9})), mark();
  w.enhanced(0, 1, make_frame({.bytes = 61})), mark();
  w.simple(33, byte_string(33, 2)), mark();
  w.obsolete(0, 3, make_frame({.bytes = 64})), mark();
  for (std::size_t cut = 0; cut != w.bytes().size(); ++cut) {
    CAPTURE(cut);
    const auto result = read({w.bytes().begin(), w.bytes().begin() + static_cast<long>(cut)});
    const bool at_end = cut != 0 && std::find(ends.begin(), ends.end(), cut) != ends.end();
    CHECK(result.error.has_value() != at_end);
    if (cut >= 4 && !at_end)
      CHECK(result.error->code() == traffic_ec::cut_off);
  }
}

TEST_CASE("pcapng blocks that lie are refused") {
  const auto frame = make_frame({.bytes = 64});
  pcapng_writer w;
  w.section().interface(1, 0);
  const auto block = w.bytes().size();
  w.enhanced(0, 1, frame);
  const auto& good = w.bytes();
  REQUIRE_FALSE(read(good).error);
  SUBCASE("a block of length 0 would never end") {
    CHECK(code_of(patched(good, block + 4, 0)) == traffic_ec::bad_length);
    CHECK(code_of(patched(good, block + 4, 8)) == traffic_ec::bad_length);
    CHECK(code_of(patched(good, 4, 0)) == traffic_ec::bad_length);
  }
  SUBCASE("a length that is no multiple of 4") {
    CHECK(code_of(patched(good, block + 4, 97)) == traffic_ec::bad_length);
  }
  SUBCASE("a length beyond the file") {
    CHECK(code_of(patched(good, block + 4, 0xffff'fffc)) == traffic_ec::cut_off);
  }
  SUBCASE("two lengths that differ") {
    CHECK(code_of(patched(good, good.size() - 4, 92)) == traffic_ec::bad_block);
  }
  SUBCASE("an interface that was not described") {
    CHECK(code_of(patched(good, block + 8, 1)) == traffic_ec::bad_block);
    CHECK(code_of(patched(good, block + 8, 0xffff'ffff)) == traffic_ec::bad_block);
  }
  SUBCASE("a captured length beyond its block, or beyond any frame") {
    CHECK(code_of(patched(good, block + 20, 68)) == traffic_ec::bad_length);
    CHECK(code_of(patched(good, block + 20, 0xffff'ffff)) == traffic_ec::bad_length);
    CHECK(code_of(patched(good, block + 24, 0xffff'ffff)) == traffic_ec::bad_length);
  }
  SUBCASE("an option beyond its block") {
    pcapng_writer bad;
    bad.section().interface(1, 0, bad.number().u16(2).u16(400).u32(0).bytes);
    CHECK(code_of(bad.bytes()) == traffic_ec::bad_block);
  }
  SUBCASE("a resolution of two bytes") {
    pcapng_writer bad;
    bad.section().interface(1, 0, bad.option(9, {6, 6}));
    CHECK(code_of(bad.bytes()) == traffic_ec::bad_block);
  }
  SUBCASE("a packet block too short for its own header") {
    pcapng_writer bad;
    bad.section().interface(1, 0).block(6, byte_string(16, 0));
    CHECK(code_of(bad.bytes()) == traffic_ec::bad_length);
  }
  SUBCASE("a major version of the future") {
    auto future = good;
    future[12] = 2;
    CHECK(code_of(future) == traffic_ec::unsupported);
  }
}

TEST_CASE("a block larger than the window is skipped or read in pieces") {
  pcapng_writer w;
  const auto frame = make_frame({});
  w.section().interface(1, 0).block(0x0bad, byte_string(700'000, 9)).enhanced(0, 1, frame);
  const temp_file file{w.bytes(), ".pcapng"};
  capture_reader reader{file.path()};
  capture_record record;
  REQUIRE(reader.next(record));
  CHECK(byte_string(record.data.begin(), record.data.end()) == frame);
  CHECK_FALSE(reader.next(record));
}
