#include "traffic/headers.hpp"

#include <doctest/doctest.h>
#include <pcap/dlt.h>
#include <rapidcheck.h>

#include "tests/traffic/capture_bytes.hpp"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("addresses are written as they are read") {
  for (const auto* text :
       {"10.0.0.1", "255.255.255.255", "fe80::1", "::", "2001:db8::ff:0:1", "02:00:00:00:00:04"}) {
    const auto address = net_address::parse(text);
    REQUIRE(address);
    CHECK(to_string(*address) == text);
  }
  CHECK(to_string(*net_address::parse("02-AB-00-00-00-04")) == "02:ab:00:00:00:04");
  CHECK(to_string(net_address{}) == "-");
}

TEST_CASE("what is no address is not parsed") {
  for (const auto* text : {"", "10.0.0", "10.0.0.256", "10.0.0.1/24", "010.0.0.1.2", "fe80::1%eth0",
                           "02:00:00:00:00", "02:00:00-00:00:04", "0g:00:00:00:00:04", "host",
                           "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"})
    CHECK_FALSE(net_address::parse(text));
}

TEST_CASE("families never compare equal, and hashes follow equality") {
  const auto v4 = *net_address::parse("2.0.0.0");
  const auto mac = *net_address::parse("02:00:00:00:00:00");
  CHECK(v4 != mac);
  CHECK(std::hash<net_address>{}(v4) != std::hash<net_address>{}(mac));
  CHECK(std::hash<net_address>{}(v4) == std::hash<net_address>{}(*net_address::parse("2.0.0.0")));
}

TEST_CASE("multicast is recognised in each family") {
  for (const auto* text :
       {"224.0.0.1", "239.1.1.1", "255.255.255.255", "ff02::1", "01:00:5e:00:00:01"})
    CHECK(net_address::parse(text)->is_multicast());
  for (const auto* text : {"10.0.0.255", "fe80::1", "02:00:00:00:00:01"})
    CHECK_FALSE(net_address::parse(text)->is_multicast());
}

TEST_CASE("Ethernet, IPv4 and TCP headers are found behind any number of tags") {
  for (unsigned tags = 0; tags != 3; ++tags) {
    const auto h = parse_headers(DLT_EN10MB, make_frame({.bytes = 200, .tags = tags}));
    CHECK(h.link_bytes == 14 + 4 * tags);
    CHECK(h.ip_bytes == 20);
    CHECK(h.transport_bytes == 20);
    CHECK(to_string(h.source) == "10.0.0.1");
    CHECK(to_string(h.destination) == "10.0.0.2");
    CHECK(to_string(h.source_mac) == "02:00:00:00:00:01");
    CHECK(h.destination_port == 6379);
    CHECK(h.dscp == 26);
    CHECK(h.pcp == (tags == 0 ? std::nullopt : std::optional<std::uint8_t>{3}));
  }
}

TEST_CASE("the two bits behind the DSCP say whether a packet may be marked") {
  for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
    auto v4 = make_frame({.bytes = 200});
    v4[15] = static_cast<std::uint8_t>(46 << 2 | ecn);
    auto h = parse_headers(DLT_EN10MB, v4);
    CHECK(h.ecn == ecn);
    CHECK(h.dscp == 46);
    auto v6 = make_frame({.protocol = 17, .bytes = 200, .ip6 = true});
    v6[14] = 0x60 | 46 >> 2;
    v6[15] = static_cast<std::uint8_t>((46 & 3) << 6 | ecn << 4);
    h = parse_headers(DLT_EN10MB, v6);
    CHECK(h.ecn == ecn);
    CHECK(h.dscp == 46);
  }
}

TEST_CASE("IPv6 and UDP headers are found") {
  const auto h = parse_headers(DLT_EN10MB, make_frame({.protocol = 17, .bytes = 200, .ip6 = true}));
  CHECK(h.ip_version == 6);
  CHECK(h.ip_bytes == 40);
  CHECK(h.transport_bytes == 8);
  CHECK(to_string(h.source) == "fd00::a00:1");
  CHECK(h.dscp == 26);
}

TEST_CASE("a fragment's data is not taken for a transport header") {
  auto frame = make_frame({.bytes = 200});
  frame[14 + 7] = 100;
  const auto h = parse_headers(DLT_EN10MB, frame);
  CHECK(h.fragment);
  CHECK(h.transport_bytes == 0);
  CHECK(h.source_port == 0);
}

TEST_CASE("ARP has the protocol's addresses") {
  byte_writer w{true};
  w.zeros(12).u16(0x0806).u16(1).u16(0x0800).u8(6).u8(4).u16(1);
  w.zeros(6).u32(0x0a000001).zeros(6).u32(0x0a000002);
  const auto h = parse_headers(DLT_EN10MB, w.bytes);
  CHECK(to_string(h.source) == "10.0.0.1");
  CHECK(to_string(h.destination) == "10.0.0.2");
  CHECK(h.ip_version == 0);
}

TEST_CASE("pseudo headers are replaced by an Ethernet header") {
  const auto frame = make_frame({.bytes = 114});
  const byte_string ip{frame.begin() + 14, frame.end()};
  const auto check = [&](int link_type, const byte_string& pseudo) {
    CAPTURE(link_type);
    auto data = pseudo;
    data.insert(data.end(), ip.begin(), ip.end());
    const auto h = parse_headers(link_type, data);
    CHECK(h.link == link_class::convertible);
    CHECK(to_string(h.source) == "10.0.0.1");
    CHECK(ethernet_bytes(link_type, h, static_cast<std::uint32_t>(data.size())) == 114);
    CHECK(ethernet_bytes(link_type, h, static_cast<std::uint32_t>(pseudo.size())) == 0);
  };
  check(DLT_RAW, {});
  check(DLT_IPV4, {});
  check(DLT_NULL, {2, 0, 0, 0});
  check(DLT_NULL, {0, 0, 0, 2});
  check(DLT_LOOP, {0, 0, 0, 2});
  byte_string sll(16), sll2(20);
  sll[14] = sll2[0] = 8;
  check(DLT_LINUX_SLL, sll);
  check(DLT_LINUX_SLL2, sll2);
  CHECK(parse_headers(DLT_IEEE802_11, frame).link == link_class::foreign);
  CHECK(ethernet_bytes(DLT_IEEE802_11, {}, 100) == 0);
}

TEST_CASE("any bytes of any link type are parsed without reading beyond them") {
  const bool ok = rc::check([] {
    const auto link_type = *rc::gen::element(DLT_EN10MB, DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL,
                                             DLT_LOOP, DLT_LINUX_SLL, DLT_LINUX_SLL2, 147);
    auto data = *rc::gen::container<byte_string>(rc::gen::arbitrary<std::uint8_t>());
    if (*rc::gen::arbitrary<bool>()) {  // half of them begin like something real
      auto frame = make_frame({.bytes = 120, .ip6 = *rc::gen::arbitrary<bool>()});
      frame[20] = *rc::gen::element<std::uint8_t>(0, 6, 43, 44, 51, 60);
      std::copy_n(data.begin(), std::min<std::size_t>(data.size(), 60), frame.begin() + 54);
      frame.resize(*rc::gen::inRange<std::size_t>(0, 121));
      data = frame;
    }
    // An exact allocation, so that a sanitizer sees a read beyond its end.
    const byte_string exact{data};
    const auto h = parse_headers(link_type, exact);
    RC_ASSERT(h.ip_version == 0 || h.ip_bytes >= 20);
  });
  CHECK(ok);
}
