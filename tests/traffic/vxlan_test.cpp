#include "traffic/vxlan.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "tests/traffic/capture_bytes.hpp"
#include "tests/traffic/tshark.hpp"
#include "traffic/random.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

vxlan_outer example_outer(std::uint32_t vni = 0x123456, std::uint8_t priority = 5,
                          bool tagged = true) {
  vxlan_outer outer;
  outer.source_mac = *net_address::parse("02:00:00:00:00:0a");
  outer.destination_mac = *net_address::parse("02:00:00:00:00:0b");
  outer.source = *net_address::parse("192.0.2.1");
  outer.destination = *net_address::parse("192.0.2.2");
  outer.vni = vni;
  outer.priority = priority;
  outer.tagged = tagged;
  return outer;
}

// In an exact allocation, so that a sanitizer sees a byte too many.
byte_string encapsulated(const vxlan_outer& outer, const byte_string& inner) {
  byte_string out(vxlan_header_bytes(outer.tagged) + inner.size(), 0xee);
  const auto result = encapsulate_vxlan(outer, inner, out);
  REQUIRE(result.code == vxlan_ec::ok);
  REQUIRE(result.bytes.data() == out.data());
  REQUIRE(result.bytes.size() == out.size());
  return out;
}

vxlan_ec code_of(const byte_string& bytes) {
  const byte_string exact{bytes};
  return decapsulate_vxlan(exact).code;
}

bool same(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  return std::ranges::equal(a, b);
}

// The checksum as RFC 1071 writes it, in another way than the code's: one addition at a time, the
// carry taken round at once.
std::uint16_t checksum(std::span<const std::uint8_t> data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    sum += static_cast<std::uint32_t>(i % 2 == 0 ? data[i] << 8 : data[i]);
    if (sum > 0xffff)
      sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum);
}

void put16(byte_string& bytes, std::size_t at, unsigned v) {
  bytes.at(at) = static_cast<std::uint8_t>(v >> 8);
  bytes.at(at + 1) = static_cast<std::uint8_t>(v);
}

// After a change of an untagged packet's IPv4 header, which is `size` bytes long.
void repair_checksum(byte_string& bytes, std::size_t size = 20) {
  put16(bytes, 14 + 10, 0);
  put16(bytes, 14 + 10, checksum(std::span{bytes}.subspan(14, size)));
}

}  // namespace

// -- the bytes ---------------------------------------------------------------

TEST_CASE("tagged headers are those computed by hand") {
  byte_string out(54, 0xee);
  const auto result = write_vxlan_headers(example_outer(), 50000, 60, out);
  REQUIRE(result.code == vxlan_ec::ok);
  CHECK(result.bytes.size() == 54);
  // Total length 20 + 8 + 8 + 60 = 96. CS5 is DSCP 40, so the DS byte is 0xa0. The header's words
  // are 45a0 0060 0000 4000 4011 0000 c000 0201 c000 0202: their sum is 0x4a16 with the carries
  // taken round, and its complement 0xb5e9. UDP is 8 + 8 + 60 = 76 bytes.
  const byte_string expected{
      0x02, 0x00, 0x00, 0x00, 0x00, 0x0b,  // to
      0x02, 0x00, 0x00, 0x00, 0x00, 0x0a,  // from
      0x81, 0x00, 0xa0, 0x00,              // tag: PCP 5, VID 0
      0x08, 0x00,                          // IPv4
      0x45, 0xa0, 0x00, 0x60,              // version and length, CS5, total length
      0x00, 0x00, 0x40, 0x00,              // ID, DF
      0x40, 0x11, 0xb5, 0xe9,              // TTL 64, UDP, checksum
      0xc0, 0x00, 0x02, 0x01,              // 192.0.2.1
      0xc0, 0x00, 0x02, 0x02,              // 192.0.2.2
      0xc3, 0x50, 0x12, 0xb5,              // 50000, 4789
      0x00, 0x4c, 0x00, 0x00,              // length, no checksum
      0x08, 0x00, 0x00, 0x00,              // I
      0x12, 0x34, 0x56, 0x00,              // VNI
  };
  CHECK(out == expected);
}

TEST_CASE("untagged headers are those computed by hand") {
  byte_string out(50, 0xee);
  REQUIRE(write_vxlan_headers(example_outer(1, 0, false), 65535, 14, out));
  // 4500 0032 0000 4000 4011 0000 c000 0201 c000 0202: 0x4948, complement 0xb6b7.
  const byte_string expected{
      0x02, 0x00, 0x00, 0x00, 0x00, 0x0b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x08, 0x00,  //
      0x45, 0x00, 0x00, 0x32, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb6, 0xb7,              //
      0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02, 0x02,                                      //
      0xff, 0xff, 0x12, 0xb5, 0x00, 0x1e, 0x00, 0x00,                                      //
      0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
  };
  CHECK(out == expected);
}

TEST_CASE("the overhead is 50 bytes and a tag adds four") {
  CHECK(vxlan_overhead_bytes == 50);
  CHECK(vxlan_header_bytes(false) == 50);
  CHECK(vxlan_header_bytes(true) == 54);
  CHECK(max_vxlan_inner_bytes == 65499);
}

TEST_CASE("the header checksum verifies for every priority and many lengths") {
  byte_string out(54);
  for (unsigned priority = 0; priority != 8; ++priority)
    for (std::size_t inner = min_vxlan_inner_bytes; inner <= max_vxlan_inner_bytes; inner += 13)
      for (const bool tagged : {false, true}) {
        const auto outer = example_outer(7, static_cast<std::uint8_t>(priority), tagged);
        REQUIRE(write_vxlan_headers(outer, 50000, inner, out));
        REQUIRE(checksum(std::span{out}.subspan(tagged ? 18 : 14, 20)) == 0);
      }
}

// -- there and back ----------------------------------------------------------

TEST_CASE("any inner frame comes back as it was, with VNI, priority and addresses") {
  const bool ok = rc::check([] {
    auto outer = example_outer();
    outer.vni = *rc::gen::weightedOneOf<std::uint32_t>(
        {{1, rc::gen::element<std::uint32_t>(0, 1, max_vni)},
         {1, rc::gen::inRange<std::uint32_t>(0, max_vni + 1)}});
    outer.priority = *rc::gen::inRange<std::uint8_t>(0, 8);
    outer.tagged = *rc::gen::arbitrary<bool>();
    const auto ip = *rc::gen::arbitrary<std::array<std::uint8_t, 4>>();
    const auto mac = *rc::gen::arbitrary<std::array<std::uint8_t, 6>>();
    outer.source = net_address::ipv4(ip);
    outer.destination_mac = net_address::mac(mac);
    const auto size = *rc::gen::inRange<std::size_t>(min_vxlan_inner_bytes, 1600);
    const auto inner = *rc::gen::container<byte_string>(size, rc::gen::arbitrary<std::uint8_t>());

    const auto packet = encapsulated(outer, inner);
    const auto back = decapsulate_vxlan(packet);
    RC_ASSERT(back.code == vxlan_ec::ok);
    RC_ASSERT(same(back.inner, inner));
    RC_ASSERT(back.inner.data() == packet.data() + vxlan_header_bytes(outer.tagged));
    RC_ASSERT(back.outer == outer);
    RC_ASSERT(back.dscp == outer.priority * 8);
    RC_ASSERT(back.vid == 0);
    RC_ASSERT(back.source_port == vxlan_source_port(inner));
  });
  CHECK(ok);
}

TEST_CASE("every priority comes back with every kind of VNI, tagged or not") {
  random_stream random{1, "vxlan"};
  for (std::uint8_t priority = 0; priority != 8; ++priority)
    for (const std::uint32_t vni : {0u, 1u, 0xffffffu})
      for (const bool tagged : {false, true}) {
        byte_string inner(14 + random.below(1500));
        std::ranges::generate(inner, [&] { return static_cast<std::uint8_t>(random.next()); });
        const auto outer = example_outer(vni, priority, tagged);
        const auto packet = encapsulated(outer, inner);
        const auto back = decapsulate_vxlan(packet);
        REQUIRE(back);
        CHECK(back.outer == outer);
        CHECK(same(back.inner, inner));
      }
}

TEST_CASE("the smallest and the largest inner frame come back, others are refused") {
  for (const auto size : {min_vxlan_inner_bytes, max_vxlan_inner_bytes}) {
    const byte_string inner(size, 0x5a);
    const auto packet = encapsulated(example_outer(), inner);
    CHECK(same(decapsulate_vxlan(packet).inner, inner));
  }
  byte_string out(70'000, 0xee);
  const byte_string untouched = out;
  const auto code = [&](std::size_t size) {
    return encapsulate_vxlan(example_outer(), byte_string(size), out).code;
  };
  CHECK(code(min_vxlan_inner_bytes - 1) == vxlan_ec::too_short);
  CHECK(code(0) == vxlan_ec::too_short);
  CHECK(code(max_vxlan_inner_bytes + 1) == vxlan_ec::too_long);
  CHECK(out == untouched);
}

TEST_CASE("a frame inside the buffer is encapsulated in place, wherever it lies") {
  const auto inner = make_frame({.bytes = 200});
  const auto expected = encapsulated(example_outer(), inner);
  for (std::size_t offset = 0; offset != 60; ++offset) {
    byte_string buffer(60 + 200, 0xee);
    std::ranges::copy(inner, buffer.begin() + static_cast<std::ptrdiff_t>(offset));
    const auto result =
        encapsulate_vxlan(example_outer(), std::span{buffer}.subspan(offset, 200), buffer);
    REQUIRE(result);
    CHECK(same(result.bytes, expected));
  }
}

TEST_CASE("a buffer that is too small is not written to") {
  const auto inner = make_frame({.bytes = 100});
  for (std::size_t size = 0; size != 154; ++size) {
    byte_string out(size, 0xee);
    const auto result = encapsulate_vxlan(example_outer(), inner, out);
    REQUIRE(result.code == vxlan_ec::no_room);
    REQUIRE(result.bytes.empty());
    if (size < 54)
      REQUIRE(write_vxlan_headers(example_outer(), 1, 100, out).code == vxlan_ec::no_room);
    REQUIRE(out == byte_string(size, 0xee));
  }
}

TEST_CASE("settings that no header can carry are refused") {
  const auto inner = make_frame({.bytes = 100});
  byte_string out(200, 0xee);
  const auto code = [&](auto change) {
    auto outer = example_outer();
    change(outer);
    const auto whole = encapsulate_vxlan(outer, inner, out).code;
    CHECK(write_vxlan_headers(outer, 1, 100, out).code == whole);
    return whole;
  };
  CHECK(code([](vxlan_outer& o) { o.vni = max_vni + 1; }) == vxlan_ec::bad_settings);
  CHECK(code([](vxlan_outer& o) { o.priority = 8; }) == vxlan_ec::bad_settings);
  CHECK(code([](vxlan_outer& o) { o.source = {}; }) == vxlan_ec::bad_settings);
  CHECK(code([](vxlan_outer& o) { o.destination = *net_address::parse("::1"); })
        == vxlan_ec::bad_settings);
  CHECK(code([](vxlan_outer& o) { o.source_mac = o.source; }) == vxlan_ec::bad_settings);
  CHECK(code([](vxlan_outer& o) { o.destination_mac = {}; }) == vxlan_ec::bad_settings);
  CHECK(out == byte_string(200, 0xee));
}

// -- the source port ---------------------------------------------------------

TEST_CASE("source ports follow the flow, stay in their range and spread over it") {
  const auto redis = make_frame({.bytes = 100});
  CHECK(vxlan_source_port(redis) == vxlan_source_port(make_frame({.bytes = 1500})));
  CHECK(vxlan_source_port(redis)
        != vxlan_source_port(make_frame({.bytes = 100, .destination_port = 6380})));
  CHECK(vxlan_source_port(redis)
        != vxlan_source_port(make_frame({.from = {10, 0, 0, 2}, .to = {10, 0, 0, 1}})));

  std::set<std::uint16_t> seen;
  for (std::uint32_t flow = 0; flow != 16384; ++flow) {
    const auto port = vxlan_source_port(std::uint64_t{flow});
    CHECK(port >= 49152);
    seen.insert(port);
  }
  // Of 2^14 ports, that many drawn at random leave 1/e untouched: 10357 seen, give or take 40.
  CHECK(seen.size() > 10'000);

  seen.clear();
  for (std::uint16_t port = 0; port != 1000; ++port)
    seen.insert(vxlan_source_port(make_frame({.bytes = 100, .destination_port = port})));
  CHECK(seen.size() > 900);
}

TEST_CASE("all fragments of a datagram take one path") {
  auto head = make_frame({.protocol = 17, .bytes = 500});
  auto tail = head;
  head[14 + 6] = 0x20;
  put16(tail, 14 + 6, 60);
  tail[14 + 20] ^= 0xff;  // no port is here
  CHECK(vxlan_source_port(head) == vxlan_source_port(tail));
}

TEST_CASE("frames without IP have their MAC addresses' source port") {
  byte_string arp = make_frame({.bytes = 60});
  put16(arp, 12, 0x0806);
  auto other = arp;
  other[40] ^= 0xff;
  CHECK(vxlan_source_port(arp) == vxlan_source_port(other));
  other[11] ^= 0xff;
  CHECK(vxlan_source_port(arp) != vxlan_source_port(other));
  for (std::size_t size = 0; size != 60; ++size) {
    const byte_string exact(arp.begin(), arp.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(vxlan_source_port(exact) >= 49152);
  }
}

// -- what is not ours --------------------------------------------------------

TEST_CASE("every truncation of a packet is too short") {
  for (const bool tagged : {false, true}) {
    const auto packet =
        encapsulated(example_outer(9, 3, tagged), make_frame({.bytes = 90, .tags = 1}));
    for (std::size_t size = 0; size != packet.size(); ++size) {
      const byte_string exact(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
      CAPTURE(size);
      const auto result = decapsulate_vxlan(exact);
      CHECK(result.code == vxlan_ec::too_short);
      CHECK(result.inner.empty());
    }
  }
}

TEST_CASE("every corruption of one byte of the headers is a reason, or changes only its field") {
  const auto inner = make_frame({.bytes = 90});
  for (const bool tagged : {false, true}) {
    const auto packet = encapsulated(example_outer(0x123456, 2, tagged), inner);
    const auto good = decapsulate_vxlan(packet);
    REQUIRE(good);
    const std::size_t ip = tagged ? 18 : 14, udp = ip + 20, vxlan = udp + 8;
    for (std::size_t at = 0; at != vxlan + 8; ++at)
      for (unsigned flip = 1; flip != 256; ++flip) {
        auto bytes = packet;
        bytes[at] ^= static_cast<std::uint8_t>(flip);
        const auto result = decapsulate_vxlan(bytes);
        CAPTURE(tagged);
        CAPTURE(at);
        CAPTURE(flip);
        auto expected = good.outer;
        if (at < 12) {
          REQUIRE(result);
          CHECK(result.outer.source_mac == net_address::mac(std::span{bytes}.subspan<6, 6>()));
          CHECK(result.outer.destination_mac == net_address::mac(std::span{bytes}.first<6>()));
          continue;
        }
        if (at < ip && !(tagged && (at == 14 || at == 15))) {
          // With the tag's EtherType gone, 0x40 of the tag is version 4 and no header length.
          const bool untagged = tagged && bytes[12] == 0x08 && bytes[13] == 0x00;
          CHECK(result.code == (untagged ? vxlan_ec::bad_length : vxlan_ec::not_ipv4));
          continue;
        }
        if (at >= ip && at < udp) {
          // A header that is said to be longer is summed up with what follows.
          const bool version = at == ip && bytes[ip] >> 4 != 4;
          const bool length = at == ip && (bytes[ip] & 15) < 5;
          CHECK(result.code
                == (version  ? vxlan_ec::not_ipv4
                    : length ? vxlan_ec::bad_length
                             : vxlan_ec::bad_checksum));
          continue;
        }
        if (at == udp + 2 || at == udp + 3) {
          CHECK(result.code == vxlan_ec::not_vxlan_port);
          continue;
        }
        if (at == udp + 4 || at == udp + 5) {
          CHECK(result.code == vxlan_ec::bad_length);
          continue;
        }
        if (at == udp + 6 || at == udp + 7) {
          CHECK(result.code == vxlan_ec::bad_udp_checksum);
          continue;
        }
        if (at == vxlan && (flip & 8) != 0) {
          CHECK(result.code == vxlan_ec::no_vni_flag);
          continue;
        }
        REQUIRE(result);
        CHECK(same(result.inner, inner));
        if (tagged && at == 14)
          expected.priority = bytes[at] >> 5;
        if (at >= vxlan + 4 && at < vxlan + 7)
          expected.vni ^= flip << 8 * (vxlan + 6 - at);
        CHECK(result.outer == expected);
        CHECK(result.vid == (tagged ? (bytes[14] & 15) << 8 | bytes[15] : 0));
        CHECK(result.source_port == (bytes[udp] << 8 | bytes[udp + 1]));
      }
  }
}

TEST_CASE("any bytes are decoded without reading beyond them") {
  const bool ok = rc::check([] {
    auto packet =
        encapsulated(example_outer(3, 6, *rc::gen::arbitrary<bool>()), make_frame({.bytes = 64}));
    const auto changes = *rc::gen::inRange(0, 6);
    for (int i = 0; i != changes; ++i)
      packet[*rc::gen::inRange<std::size_t>(0, 60)] = *rc::gen::arbitrary<std::uint8_t>();
    // Right checksums, or no change would get behind them.
    const std::size_t ip = packet[12] == 0x81 ? 18 : 14, size = (packet[ip] & 15) * 4u;
    if (*rc::gen::arbitrary<bool>() && size >= 20) {
      put16(packet, ip + 10, 0);
      put16(packet, ip + 10, checksum(std::span{packet}.subspan(ip, size)));
    }
    packet.resize(*rc::gen::inRange<std::size_t>(0, packet.size() + 1));
    const byte_string exact{packet};
    const auto result = decapsulate_vxlan(exact);
    RC_ASSERT(to_string(result.code) != "unknown");
    if (!result) {
      RC_ASSERT(result.inner.empty());
    } else {
      RC_ASSERT(result.inner.size() >= min_vxlan_inner_bytes);
      RC_ASSERT(result.inner.data() >= exact.data() + vxlan_overhead_bytes);
      RC_ASSERT(result.inner.data() + result.inner.size() <= exact.data() + exact.size());
      RC_ASSERT(result.outer.vni <= max_vni);
      RC_ASSERT(result.outer.priority < 8);
    }
  });
  CHECK(ok);
}

TEST_CASE("packets that are no VXLAN are told apart") {
  const auto packet = encapsulated(example_outer(1, 0, false), make_frame({.bytes = 100}));
  CHECK(code_of(make_frame({.bytes = 100, .ip6 = true})) == vxlan_ec::not_ipv4);

  auto tcp = packet;
  tcp[14 + 9] = 6;
  repair_checksum(tcp);
  CHECK(code_of(tcp) == vxlan_ec::not_udp);

  auto first = packet, last = packet;
  put16(first, 14 + 6, 0x2000);
  put16(last, 14 + 6, 10);
  repair_checksum(first);
  repair_checksum(last);
  CHECK(code_of(first) == vxlan_ec::fragment);
  CHECK(code_of(last) == vxlan_ec::fragment);

  auto stacked = encapsulated(example_outer(), make_frame({.bytes = 100}));
  put16(stacked, 16, 0x8100);
  CHECK(code_of(stacked) == vxlan_ec::not_ipv4);
}

TEST_CASE("lengths that contradict each other are refused") {
  const auto packet = encapsulated(example_outer(1, 0, false), make_frame({.bytes = 100}));
  const auto with_lengths = [&](unsigned ip, unsigned udp) {
    auto bytes = packet;
    put16(bytes, 14 + 2, ip);
    put16(bytes, 34 + 4, udp);
    repair_checksum(bytes);
    return code_of(bytes);
  };
  CHECK(with_lengths(136, 116) == vxlan_ec::ok);
  CHECK(with_lengths(135, 115) == vxlan_ec::ok);
  CHECK(with_lengths(137, 117) == vxlan_ec::too_short);
  CHECK(with_lengths(136, 115) == vxlan_ec::bad_length);
  CHECK(with_lengths(136, 117) == vxlan_ec::bad_length);
  CHECK(with_lengths(136, 0) == vxlan_ec::bad_length);
  CHECK(with_lengths(50, 30) == vxlan_ec::ok);  // an Ethernet header is the least
  CHECK(with_lengths(49, 29) == vxlan_ec::bad_length);
  CHECK(with_lengths(28, 8) == vxlan_ec::bad_length);
  CHECK(with_lengths(27, 7) == vxlan_ec::bad_length);
  CHECK(with_lengths(0, 0) == vxlan_ec::bad_length);

  // Nothing is read of a UDP header that the IPv4 header has no room for.
  for (unsigned total = 20; total != 28; ++total) {
    byte_string bytes(packet.begin(), packet.begin() + 14 + total);
    put16(bytes, 14 + 2, total);
    repair_checksum(bytes);
    CHECK(code_of(bytes) == vxlan_ec::bad_length);
  }
}

TEST_CASE("padding behind the packet is no part of the inner frame") {
  const auto inner = make_frame({.bytes = 60});
  auto packet = encapsulated(example_outer(), inner);
  packet.resize(packet.size() + 17, 0xee);
  CHECK(same(decapsulate_vxlan(packet).inner, inner));
}

TEST_CASE("IPv4 options are skipped and belong to the checksum") {
  const auto inner = make_frame({.bytes = 60});
  auto packet = encapsulated(example_outer(1, 0, false), inner);
  packet.insert(packet.begin() + 34, {1, 1, 1, 0});  // three no-operations and the end
  packet[14] = 0x46;
  put16(packet, 16, 100);
  repair_checksum(packet, 24);
  const auto result = decapsulate_vxlan(packet);
  REQUIRE(result);
  CHECK(same(result.inner, inner));
  for (std::size_t size = 0; size != packet.size(); ++size)
    CHECK(code_of({packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size)})
          == vxlan_ec::too_short);
  packet[34] = 2;
  CHECK(code_of(packet) == vxlan_ec::bad_checksum);
}

TEST_CASE("a UDP checksum is accepted when it is right") {
  for (const std::uint32_t size : {60u, 61u}) {  // an odd datagram ends in half a word
    auto packet = encapsulated(example_outer(1, 0, false), make_frame({.bytes = size}));
    const byte_string datagram{packet.begin() + 34, packet.end()};
    byte_writer pseudo{true};
    pseudo.raw(std::span{packet}.subspan(26, 8)).u8(0).u8(17).u16(datagram.size()).raw(datagram);
    put16(packet, 34 + 6, checksum(pseudo.bytes));
    CHECK(code_of(packet) == vxlan_ec::ok);
    packet.back() ^= 1;
    CHECK(code_of(packet) == vxlan_ec::bad_udp_checksum);
  }
}

TEST_CASE("a tag's priority goes before the DSCP's, and both are told") {
  auto packet = encapsulated(example_outer(1, 3, true), make_frame({.bytes = 60}));
  put16(packet, 14, 6 << 13 | 1 << 12 | 100);  // a switch gave it PCP 6, DEI and VLAN 100
  const auto result = decapsulate_vxlan(packet);
  REQUIRE(result);
  CHECK(result.outer.priority == 6);
  CHECK(result.vid == 100);
  CHECK(result.dscp == 24);
}

TEST_CASE("every code has a name of its own") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(vxlan_ec::no_room); ++code)
    names.insert(to_string(static_cast<vxlan_ec>(code)));
  CHECK(names.size() == static_cast<std::size_t>(vxlan_ec::no_room) + 1);
  CHECK_FALSE(names.contains("unknown"));
}

// -- what Wireshark says -----------------------------------------------------

TEST_CASE("tshark reads the headers as they were meant") {
  if (!have_tshark())
    return;
  std::vector<packet_spec> packets;
  std::vector<std::string> expected;
  for (std::uint8_t priority = 0; priority != 8; ++priority)
    for (const std::uint32_t vni : {0u, 1u, 0xffffffu})
      for (const bool tagged : {false, true}) {
        const std::uint32_t size = 60 + 177 * priority;
        const auto inner = make_frame(
            {.from = {10, 0, 0, static_cast<std::uint8_t>(vni)}, .protocol = 17, .bytes = size});
        packets.push_back(
            {packets.size() * 1000, encapsulated(example_outer(vni, priority, tagged), inner), 0});
        const auto text = [](auto n) { return std::to_string(n); };
        // The last: 1 is "good" of the IPv4 checksum, 3 "not present" of the UDP one.
        expected.push_back(text(vni) + "|" + text(priority * 8) + "|"
                           + (tagged ? text(unsigned{priority}) + "|0" : "|") + "|4789|"
                           + text(vxlan_source_port(inner)) + "|" + text(size + 36) + "|"
                           + text(size + 16)
                           + "|1|64|0x0800|192.0.2.1|192.0.2.2|02:00:00:00:00:0a|1|3");
      }
  const auto lines = tshark_fields(
      packets, {"vxlan.vni", "ip.dsfield.dscp", "vlan.priority", "vlan.id", "udp.dstport",
                "udp.srcport", "ip.len", "udp.length", "ip.flags.df", "ip.ttl", "vxlan.flags",
                "ip.src", "ip.dst", "eth.src", "ip.checksum.status", "udp.checksum.status"});
  REQUIRE(lines.size() == expected.size());
  for (std::size_t i = 0; i != lines.size(); ++i)
    CHECK(lines[i] == expected[i]);
}

TEST_CASE("tshark finds the inner frame behind the headers, and nothing malformed") {
  if (!have_tshark())
    return;
  std::vector<packet_spec> packets;
  for (const bool tagged : {false, true})
    packets.push_back(
        {0, encapsulated(example_outer(42, 4, tagged), make_frame({.bytes = 128})), 0});
  const temp_file capture{make_pcap(packets)};
  const std::string command = "tshark -n -r '" + capture.path()
                              + "' -Y 'vxlan && tcp.dstport == 6379 && ip.src == 10.0.0.1"
                                " && eth.src == 02:00:00:00:00:01 && !_ws.malformed'"
                                " -T fields -e frame.protocols 2>/dev/null";
  const auto said = output_of(command);
  CHECK(said.find("eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp") != said.npos);
  CHECK(said.find("eth:ethertype:vlan:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp") != said.npos);
}

TEST_CASE("tshark calls a checksum bad where the decoder does") {
  if (!have_tshark())
    return;
  auto packet = encapsulated(example_outer(1, 0, false), make_frame({.bytes = 100}));
  packet[14 + 8] = 63;  // a hop that forgot to correct the checksum
  CHECK(code_of(packet) == vxlan_ec::bad_checksum);
  const auto lines = tshark_fields({{0, packet, 0}}, {"ip.checksum.status"});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == "0");
}
