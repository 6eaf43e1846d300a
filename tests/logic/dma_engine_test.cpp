#include "actors/logic/dma_engine.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace sluice;

namespace {

dma_engine::config on(std::uint64_t bps) {
  dma_engine::config c;
  c.bus = line_rate{bps};
  return c;
}

}  // namespace

TEST_CASE("a frame costs what its buffers, descriptors and transactions cost") {
  // 8 Gbit/s: a byte takes a nanosecond.
  auto c = on(8'000'000'000);
  SUBCASE("single: one descriptor, one operation") {
    dma_engine e{c};
    // 16 B of descriptor and 100 B of data, 20 B around each.
    CHECK(e.read(100) == (60 + 36 + 120) * nanosecond);
    CHECK(e.least(100) == (60 + 120) * nanosecond);
    CHECK(e.counted().operations == 1);
    CHECK(e.counted().bytes_down == 156);
    CHECK(e.counted().bytes_up == 48);
  }
  SUBCASE("split: two of each") {
    c.single = false;
    dma_engine e{c};
    CHECK(e.read(100) == (2 * 60 + 2 * 36 + 74 + 66) * nanosecond);
    CHECK(e.counted().operations == 2);
    CHECK(e.counted().fetches == 2);
  }
  SUBCASE("a frame that is all header is one buffer, either way") {
    c.single = false;
    dma_engine e{c};
    CHECK(e.read(54) == (60 + 36 + 74) * nanosecond);
    CHECK(e.read(55) == (2 * 60 + 2 * 36 + 74 + 21) * nanosecond);
  }
  SUBCASE("a large frame: completions of 256 B, requests for 512 B") {
    dma_engine e{c};
    CHECK(e.read(1514) == (60 + 36 + 1514 + 6 * 20) * nanosecond);
    CHECK(e.counted().bytes_up == (1 + 3) * 24);
  }
  SUBCASE("descriptors come by the bunch") {
    c.fetch = 4;
    dma_engine e{c};
    CHECK(e.read(100) == (60 + 64 + 20 + 120) * nanosecond);
    for (int i = 0; i < 3; ++i)
      CHECK(e.read(100) == (60 + 120) * nanosecond);
    CHECK(e.read(100) == (60 + 64 + 20 + 120) * nanosecond);
    CHECK(e.counted().fetches == 2);
  }
}

TEST_CASE("one transfer a packet never takes longer than two, nor less than it could") {
  rc::check([] {
    auto c = on(*rc::gen::inRange<std::uint64_t>(1'000'000'000, 256'000'000'000));
    c.header_bytes = *rc::gen::inRange(14u, 200u);
    c.descriptor_bytes = *rc::gen::inRange(1u, 64u);
    c.fetch = *rc::gen::inRange(1u, 64u);
    c.set_up = *rc::gen::inRange<sim_time>(1, microsecond);
    c.read_request = 128u << *rc::gen::inRange(0, 5);
    c.max_payload = 128u << *rc::gen::inRange(0, 5);
    dma_engine single{c};
    c.single = false;
    dma_engine split{c};
    sim_time one = 0, two = 0;
    std::uint64_t bytes = 0;
    for (const auto n :
         *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(14u, 9019u))) {
      const auto least = single.least(n), least_split = split.least(n);
      const auto a = single.read(n), b = split.read(n);
      RC_ASSERT(a >= least);
      RC_ASSERT(b >= least_split);
      RC_ASSERT(b - a >= (n > c.header_bytes ? c.set_up : 0)
                             - c.bus.time_of(c.fetch * (c.descriptor_bytes + 20u)) - 2);
      RC_ASSERT(single.least(n + 1) >= least);
      RC_ASSERT(split.least(n + 1) >= least_split);
      one += a;
      two += b;
      bytes += n;
    }
    RC_ASSERT(two >= one - c.bus.time_of(c.fetch * (c.descriptor_bytes + 20u)));
    RC_ASSERT(single.counted().bytes_down >= bytes);
    RC_ASSERT(split.counted().operations >= single.counted().operations);
    RC_ASSERT(single.counted().operations == single.counted().packets);
  });
}
