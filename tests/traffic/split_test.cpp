#include "traffic/split.hpp"

#include <doctest/doctest.h>
#include <pcap/dlt.h>
#include <rapidcheck.h>

#include "tests/traffic/capture_bytes.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

frame_headers headers_of(const frame_spec& spec) {
  return parse_headers(DLT_EN10MB, make_frame(spec));
}

}  // namespace

TEST_CASE("a TCP super-frame becomes segments of the MTU that repeat 54 bytes of headers") {
  const auto plan = plan_split(headers_of({.bytes = 4434}), 4434, 1518);  // 3 x 1460 of data
  REQUIRE(plan);
  CHECK(plan->pieces == 3);
  CHECK(plan->full_bytes == 1514);
  CHECK(plan->last_bytes == 1514);
  const auto one_more = plan_split(headers_of({.bytes = 4435}), 4435, 1518);
  CHECK(one_more->pieces == 4);
  CHECK(one_more->last_bytes == 55);
}

TEST_CASE("a tag and IPv6 make the repeated headers longer") {
  const auto plan = plan_split(headers_of({.bytes = 9000, .tags = 1, .ip6 = true}), 9000, 1518);
  REQUIRE(plan);
  CHECK(plan->full_bytes == 18 + 1500);
  CHECK(plan->pieces == 7);  // 8922 of data in pieces of 1440
  CHECK(plan->last_bytes == 78 + 8922 - 6 * 1440);
}

TEST_CASE("UDP is fragmented in multiples of 8 bytes with the IP header repeated") {
  // 14 + 20 + 4000: fragments of 1480, 1480 and 1040.
  const auto plan = plan_split(headers_of({.protocol = 17, .bytes = 4034}), 4034, 1518);
  REQUIRE(plan);
  CHECK(plan->pieces == 3);
  CHECK(plan->full_bytes == 1514);
  CHECK(plan->last_bytes == 34 + 1040);
  // An MTU of 1501 leaves 1481: only the last may use the odd byte.
  const auto odd = plan_split(headers_of({.protocol = 17, .bytes = 34 + 2961}), 34 + 2961, 1519);
  CHECK(odd->pieces == 2);
  CHECK(odd->full_bytes == 34 + 1480);
  CHECK(odd->last_bytes == 34 + 1481);
}

TEST_CASE("fragments of IPv6 carry a fragment header") {
  // 1500 - 40 - 8 = 1452: 1448 in a fragment.
  const auto plan =
      plan_split(headers_of({.protocol = 17, .bytes = 3054, .ip6 = true}), 3054, 1518);
  REQUIRE(plan);
  CHECK(plan->pieces == 3);
  CHECK(plan->full_bytes == 54 + 8 + 1448);
  CHECK(plan->last_bytes == 54 + 8 + 104);
}

TEST_CASE("what is not IP, or has no room for data, is not split") {
  auto frame = make_frame({.bytes = 3000});
  frame[12] = 0x88;
  CHECK_FALSE(plan_split(parse_headers(DLT_EN10MB, frame), 3000, 1518));
  CHECK_FALSE(plan_split(headers_of({.bytes = 3000}), 3000, 58));
  CHECK_FALSE(plan_split(headers_of({.bytes = 3000}), 3000, 18));
  CHECK_FALSE(plan_split(headers_of({.bytes = 3000}), 3000, 0));
}

TEST_CASE("pieces carry all data, none is too large, and only the last is short") {
  const bool ok = rc::check([] {
    const auto protocol = *rc::gen::element<std::uint8_t>(6, 17);
    const bool ip6 = *rc::gen::arbitrary<bool>();
    const auto tags = *rc::gen::inRange(0u, 3u);
    const auto max_frame = *rc::gen::inRange<std::uint32_t>(200, 10'000);
    const auto bytes = *rc::gen::inRange<std::uint32_t>(max_frame + 1, 200'000);
    const auto h = headers_of({.protocol = protocol, .bytes = 200, .tags = tags, .ip6 = ip6});
    const auto plan = plan_split(h, bytes, max_frame);
    RC_ASSERT(plan.has_value());
    RC_ASSERT(plan->pieces >= 2);
    const std::uint32_t repeated = protocol == 6 ? h.link_bytes + h.ip_bytes + h.transport_bytes
                                                 : h.link_bytes + h.ip_bytes + (ip6 ? 8u : 0u);
    const std::uint32_t original =
        protocol == 6 ? repeated : std::uint32_t{h.link_bytes} + h.ip_bytes;
    std::uint64_t data = 0;
    for (std::uint32_t i = 0; i != plan->pieces; ++i) {
      RC_ASSERT(plan->bytes_of(i) <= max_frame);
      RC_ASSERT(plan->bytes_of(i) > repeated);
      data += plan->bytes_of(i) - repeated;
    }
    RC_ASSERT(data == bytes - original);
    if (protocol != 6)
      RC_ASSERT((plan->full_bytes - repeated) % 8 == 0u);
  });
  CHECK(ok);
}
