#include "traffic/capture_info.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tests/traffic/capture_bytes.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

capture_info info_of(const byte_string& bytes) {
  capture_reader reader{bytes, "test.pcap"};
  return read_capture_info(reader);
}

}  // namespace

TEST_CASE("a capture's figures are counted") {
  pcapng_writer w;
  const auto frame = make_frame({.bytes = 100});
  const auto big = make_frame({.bytes = 9000});
  w.section().interface(1, 0).interface(101, 0);
  w.enhanced(0, 20, frame).enhanced(0, 10, frame, 1514).enhanced(0, 15, big).enhanced(0, 30, frame);
  w.enhanced(1, 40, {frame.begin() + 14, frame.end()}).simple(100, frame);
  const auto info = info_of(w.bytes());
  CHECK(info.packets == 6);
  CHECK(info.bytes == 100 + 1514 + 9000 + 100 + 86 + 100);
  CHECK(info.captured_bytes == 100 + 100 + 9000 + 100 + 86 + 100);
  CHECK(info.first_ns == 10'000);
  CHECK(info.last_ns == 40'000);
  CHECK(info.interfaces == 2);
  CHECK(info.link_types == std::vector<std::string>{"EN10MB", "RAW"});
  CHECK(info.sliced == 1);
  CHECK(info.oversize == 1);
  CHECK(info.backward_timestamps == 1);
  CHECK(info.unstamped == 1);
  CHECK(info.complete);
  REQUIRE(info.talkers.size() == 1);
  CHECK(info.talkers[0].packets == 6);
  REQUIRE(info.endpoints.size() == 2);
  CHECK(to_string(info.endpoints[0].address) == "10.0.0.1");
  CHECK(info.endpoints[0].sent_packets == 6);
  CHECK(to_text(info).find("10.0.0.1 -> 10.0.0.2") != std::string::npos);
}

TEST_CASE("a capture that is cut off is counted up to there and says so") {
  auto bytes = make_pcap({{1'000, make_frame({}), 0}, {2'000, make_frame({}), 0}});
  bytes.resize(bytes.size() - 1);
  const auto info = info_of(bytes);
  CHECK(info.packets == 1);
  CHECK_FALSE(info.complete);
  CHECK(info.error_code == traffic_ec::cut_off);
  CHECK(info.error_packet == 2);
  CHECK(info.error.find("packet 2") != std::string::npos);
  CHECK(to_text(info).find("DAMAGED") != std::string::npos);
}

TEST_CASE("a capture without packets has its link type and no times") {
  const auto info = info_of(make_pcap({}));
  CHECK(info.packets == 0);
  CHECK(info.first_ns == 0);
  CHECK(info.link_types == std::vector<std::string>{"EN10MB"});
  CHECK_FALSE(to_text(info).empty());
}

TEST_CASE("talkers without IP are known by MAC address, and groups are no endpoints") {
  auto frame = make_frame({});
  frame[12] = 0x88;  // not IP
  frame[13] = 0xb5;
  auto group = make_frame({.to = {224, 0, 0, 1}});
  const auto info = info_of(make_pcap({{0, frame, 0}, {0, group, 0}}));
  REQUIRE(info.talkers.size() == 2);
  CHECK(info.endpoints.size() == 3);
  for (const auto& endpoint : info.endpoints)
    CHECK_FALSE(endpoint.address.is_multicast());
}

TEST_CASE("memory for talkers is bounded, and what is beyond is counted") {
  std::vector<packet_spec> packets;
  const std::uint32_t many = capture_info::max_tracked + 1000;
  for (std::uint32_t i = 0; i != many; ++i)
    packets.push_back(
        {i,
         make_frame({.from = {10, static_cast<std::uint8_t>(i >> 16),
                              static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)},
                     .to = {172, 16, 0, 1},
                     .bytes = 60}),
         0});
  const auto info = info_of(make_pcap(packets));
  CHECK(info.packets == many);
  CHECK(info.talkers_total == capture_info::max_tracked);
  CHECK(info.talkers.size() == capture_info::max_talkers);
  CHECK(info.endpoints.size() == capture_info::max_tracked);
  CHECK(info.untracked_packets >= 1000);
}

// capinfos.csv is what Wireshark's capinfos says of the shipped captures; its header names columns.
TEST_CASE("the shipped captures have the packets and bytes that capinfos counts") {
  const std::string folder = SLUICE_SOURCE_DIR "/scenarios/captures/";
  std::ifstream csv{folder + "capinfos.csv"};
  std::string line;
  int checked = 0;
  while (std::getline(csv, line)) {
    std::istringstream fields{line};
    std::string name, packets, bytes;
    std::getline(fields, name, ',');
    std::getline(fields, packets, ',');
    std::getline(fields, bytes, ',');
    if (packets.empty() || packets.find_first_not_of("0123456789") != std::string::npos)
      continue;
    CAPTURE(name);
    const auto info = read_capture_info(folder + name);
    CHECK(info.complete);
    CHECK(std::to_string(info.packets) == packets);
    CHECK(std::to_string(info.bytes) == bytes);
    ++checked;
  }
  CHECK(checked >= 3);
}
