#include "traffic/mac_control.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "tests/traffic/capture_bytes.hpp"
#include "tests/traffic/tshark.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

byte_string written(const mac_control& frame) {
  byte_string out(mac_control_bytes, 0xee);  // exact, so that a sanitizer sees a byte too many
  REQUIRE(write_mac_control(frame, out));
  return out;
}

mac_control example(std::uint8_t classes, std::array<std::uint16_t, pause_classes> quanta) {
  mac_control frame;
  frame.source = *net_address::parse("02:00:00:00:00:0a");
  frame.classes = classes;
  frame.quanta = quanta;
  return frame;
}

}  // namespace

TEST_CASE("a PFC frame is as it was computed by hand") {
  byte_string expected{
      0x01, 0x80, 0xc2, 0x00, 0x00, 0x01,              // to the link's other end
      0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x88, 0x08,  // from, MAC control
      0x01, 0x01, 0x00, 0x88,                          // PFC, classes 3 and 7
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,  // 0 to 3
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02,  // 4 to 7
  };
  expected.resize(60);
  CHECK(written(example(0x88, {0, 0, 0, 0xffff, 0, 0, 0, 0x0102})) == expected);
}

TEST_CASE("a PAUSE frame is as it was computed by hand") {
  auto frame = example(0, {0x1234});
  frame.what = mac_control::kind::pause;
  byte_string expected{0x01, 0x80, 0xc2, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00,
                       0x00, 0x00, 0x0a, 0x88, 0x08, 0x00, 0x01, 0x12, 0x34};
  expected.resize(60);
  CHECK(written(frame) == expected);
}

TEST_CASE("what was written is read again, but for the quanta of classes that are not meant") {
  const bool ok = rc::check([] {
    mac_control frame;
    frame.what = *rc::gen::element(mac_control::kind::pfc, mac_control::kind::pause);
    frame.source = net_address::mac(*rc::gen::arbitrary<std::array<std::uint8_t, 6>>());
    frame.classes = *rc::gen::arbitrary<std::uint8_t>();
    frame.quanta = *rc::gen::arbitrary<std::array<std::uint16_t, pause_classes>>();
    const auto bytes = written(frame);
    const auto read = read_mac_control(bytes);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->what == frame.what);
    RC_ASSERT(read->source == frame.source);
    const bool pause = frame.what == mac_control::kind::pause;
    RC_ASSERT(read->classes == (pause ? 0 : frame.classes));
    for (unsigned c = 0; c < pause_classes; ++c) {
      const bool meant = pause ? c == 0 : (frame.classes >> c & 1) != 0;
      RC_ASSERT(read->quanta[c] == (meant ? frame.quanta[c] : 0));
    }
  });
  CHECK(ok);
}

TEST_CASE("what is no such frame, or is cut, is not read") {
  const auto good = written(example(1, {1}));
  CHECK(read_mac_control(good));
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK_FALSE(read_mac_control(byte_string(good.begin(), good.begin() + static_cast<long>(n))));
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{5}, std::size_t{12}, std::size_t{14}, std::size_t{15}}) {
    auto bad = good;
    bad[at] ^= 0x40;
    CHECK_FALSE(read_mac_control(bad));
  }
  auto more = good;  // a set bit above class 7 means nothing
  more[16] = 0xff;
  REQUIRE(read_mac_control(more));
  CHECK(read_mac_control(more)->classes == 1);
  byte_string small(mac_control_bytes - 1, 0xee);
  CHECK_FALSE(write_mac_control(example(1, {1}), small));
  CHECK(std::ranges::count(small, 0xee) == static_cast<long>(small.size()));
}

TEST_CASE("a quantum is 512 bit times") {
  constexpr std::uint64_t gbit = 1'000'000'000;
  CHECK(quanta_time(1, 10 * gbit) == 51'200);
  CHECK(quanta_time(65535, gbit) == 33'553'920 * nanosecond);
  CHECK(quanta_time(65535, 40 * gbit) == 838'848 * nanosecond);
  CHECK(quanta_time(0, gbit) == 0);
  CHECK(quanta_for(0, gbit) == 0);
  CHECK(quanta_for(-1, gbit) == 0);
  CHECK(quanta_for(1, gbit) == 1);
  CHECK(quanta_for(51'200, 10 * gbit) == 1);
  CHECK(quanta_for(51'201, 10 * gbit) == 2);
  CHECK(quanta_for(second, gbit) == max_quanta);
  CHECK(quanta_for(never, 400 * gbit) == max_quanta);
  const bool ok = rc::check([] {
    const auto bps = *rc::gen::inRange<std::uint64_t>(1'000, 800'000'000'000);
    const auto quanta = *rc::gen::arbitrary<std::uint16_t>();
    const auto time = quanta_time(quanta, bps);
    RC_ASSERT(quanta_for(time, bps) <= quanta);
    RC_ASSERT(quanta_for(time + 1, bps) >= quanta);
  });
  CHECK(ok);
}

TEST_CASE("tshark reads PFC and PAUSE frames as they were meant, without an expert's remark") {
  if (!have_tshark())
    return;
  std::vector<packet_spec> packets;
  std::vector<std::string> expected;
  for (unsigned c = 0; c < pause_classes; ++c) {
    std::array<std::uint16_t, pause_classes> quanta{};
    for (unsigned x = 0; x < pause_classes; ++x)
      quanta[x] = static_cast<std::uint16_t>(1000 * x + c);
    packets.push_back({c, written(example(static_cast<std::uint8_t>(1u << c | 1u), quanta)), 0});
    std::string line = "0x0101|";
    for (unsigned x = 0; x < pause_classes; ++x)
      line += std::to_string(x == c || x == 0 ? 1 : 0) + "|";
    for (unsigned x = 0; x < pause_classes; ++x)
      line += std::to_string(quanta[x]) + "|";
    expected.push_back(line + "|");
  }
  auto pause = example(0, {4711});
  pause.what = mac_control::kind::pause;
  packets.push_back({9, written(pause), 0});
  expected.push_back("0x0001|" + std::string(16, '|') + "4711|");
  std::vector<std::string> fields{"macc.opcode"};
  for (const auto* of : {"macc.cbfc.enbv.c", "macc.cbfc.pause_time.c"})
    for (unsigned x = 0; x < pause_classes; ++x)
      fields.push_back(of + std::to_string(x));
  fields.push_back("macc.pause_time");
  fields.push_back("_ws.expert.message");
  CHECK(tshark_fields(packets, fields) == expected);
}
