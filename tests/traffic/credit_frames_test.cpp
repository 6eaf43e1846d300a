#include "traffic/credit_frames.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/traffic/capture_bytes.hpp"
#include "tests/traffic/tshark.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

// The remainder over a packet with its checksum, bit by bit over the bits as they are sent.
std::uint16_t residue(std::span<const std::uint8_t> bytes) {
  std::uint32_t crc = 0xffff;
  for (const auto byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((crc ^ (byte >> bit & 1u)) & 1u) != 0;
      crc >>= 1;
      if (carry)
        crc ^= 0xd008;
    }
  return static_cast<std::uint16_t>(crc);
}

}  // namespace

TEST_CASE("a PCIe credit packet is as it was computed by hand, and its checksum verifies") {
  const auto bytes = write_pcie_flow({.what = pcie_flow_dllp::kind::update,
                                      .pool = pcie_pool::completion,
                                      .channel = 3,
                                      .headers = 0x5a,
                                      .data = 0xabc});
  // 0xa3 for the type; 0x5a << 14 is 0x168000, and 0xabc beside it.
  CHECK(bytes[0] == 0xa3);
  CHECK(bytes[1] == 0x16);
  CHECK(bytes[2] == 0x8a);
  CHECK(bytes[3] == 0xbc);
  CHECK(residue(bytes) == 0x556f);
}

TEST_CASE("PCIe credit packets come back as they were, and no damaged one does") {
  const bool ok = rc::check([] {
    pcie_flow_dllp d;
    d.what = static_cast<pcie_flow_dllp::kind>(*rc::gen::inRange(0, 3));
    d.pool = static_cast<pcie_pool>(*rc::gen::inRange(0, 3));
    d.channel = *rc::gen::inRange<std::uint8_t>(0, 8);
    d.header_scale = *rc::gen::inRange<std::uint8_t>(0, 4);
    d.headers = *rc::gen::arbitrary<std::uint8_t>();
    d.data_scale = *rc::gen::inRange<std::uint8_t>(0, 4);
    d.data = *rc::gen::inRange<std::uint16_t>(0, 4096);
    auto bytes = write_pcie_flow(d);
    RC_ASSERT(residue(bytes) == 0x556f);
    RC_ASSERT(read_pcie_flow(bytes) == d);
    RC_ASSERT(!read_pcie_flow(std::span{bytes}.first(5)));
    // A checksum of 16 bits finds any one burst that is not longer.
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^=
        *rc::gen::inRange<std::uint8_t>(1, 255);
    RC_ASSERT(!read_pcie_flow(bytes));
  });
  CHECK(ok);
}

TEST_CASE("InfiniBand flow packets come back as they were, and no damaged one does") {
  const bool ok = rc::check([] {
    ib_flow_packet p;
    p.init = *rc::gen::arbitrary<bool>();
    p.lane = *rc::gen::inRange<std::uint8_t>(0, 16);
    p.fctbs = *rc::gen::inRange<std::uint16_t>(0, 4096);
    p.fccl = *rc::gen::inRange<std::uint16_t>(0, 4096);
    auto bytes = write_ib_flow(p);
    RC_ASSERT(read_ib_flow(bytes) == p);
    RC_ASSERT(!read_ib_flow({}));
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^=
        *rc::gen::inRange<std::uint8_t>(1, 255);
    RC_ASSERT(!read_ib_flow(bytes));
  });
  CHECK(ok);
}

TEST_CASE("tshark reads InfiniBand flow packets as they were meant") {
  if (!have_tshark())
    return;
  // It knows them only inside ERF records (DLT 197, type 25), and only if something follows.
  constexpr std::size_t record = 16 + 48;
  std::vector<packet_spec> packets;
  std::vector<std::string> expected;
  for (std::uint8_t lane = 0; lane < 16; ++lane) {
    const auto fctbs = static_cast<std::uint16_t>(lane * 273);
    const auto fccl = static_cast<std::uint16_t>(4095 - lane * 100);
    const auto flow = write_ib_flow({lane % 2 == 1, lane, fctbs, fccl});
    byte_string erf(record);
    erf[8] = 25;                                       // infiniband link
    erf[11] = static_cast<std::uint8_t>(record);       // length of the record...
    erf[15] = static_cast<std::uint8_t>(record - 16);  // ...and on the wire
    std::copy(flow.begin(), flow.end(), erf.begin() + 16);
    packets.push_back({lane, erf, 0});
    expected.push_back((lane % 2 == 1 ? "1|" : "0|") + std::to_string(fctbs) + "|"
                       + std::to_string(lane) + "|" + std::to_string(fccl) + "|");
  }
  CHECK(tshark_fields(packets,
                      {"infiniband_link.op", "infiniband_link.fctbs", "infiniband_link.vl",
                       "infiniband_link.fccl", "_ws.malformed"},
                      {.link_type = 197})
        == expected);
}
