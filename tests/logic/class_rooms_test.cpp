#include "actors/logic/class_rooms.hpp"

#include <doctest/doctest.h>

#include "traffic/random.hpp"

using namespace sluice;

namespace {

class_rooms rooms(std::uint8_t lossless, std::int64_t stop, std::int64_t start) {
  class_rooms::config c;
  c.lossless = lossless;
  c.each.checked = true;
  c.each.stop.bytes = stop;
  c.each.start.bytes = start;
  return class_rooms{c};
}

signal left(unsigned priority, std::uint32_t bytes, sim_time at) {
  return {.at = at,
          .bytes = bytes,
          .what = signal::kind::release,
          .priority = static_cast<std::uint8_t>(priority)};
}

}  // namespace

TEST_CASE("S-PFC: a priority without room waits alone, and until its start threshold") {
  auto r = rooms(1 << 3 | 1 << 4, 1000, 400);
  r.send(3, 1000);
  CHECK(r.lacks(3, 60));
  CHECK_FALSE(r.lacks(4, 60));
  r.wait(3, 60, 50);
  r.wait(3, 60, 70);  // it does already
  CHECK(r.waits(3));
  r.hear(left(3, 100, 80));
  CHECK(r.lacks(3, 60));  // there is room, but it sleeps on
  r.hear(left(3, 500, 90));
  CHECK_FALSE(r.lacks(3, 60));
  CHECK(r.resumed(3) == 90);
  CHECK(r.of(3, 1000).waits == 1);
  CHECK(r.of(3, 1000).waited == 40);
  CHECK(r.of(4, 1000).waits == 0);
}

TEST_CASE("S-PFC: what is not lossless always goes") {
  auto r = rooms(1 << 3, 1000, 400);
  for (int i = 0; i < 1000; ++i)
    r.send(0, 1500);
  CHECK_FALSE(r.lacks(0, 1500));
  CHECK(r.of(0, 1000).waits == 0);
}

TEST_CASE("S-PFC: whatever is sent and leaves, no priority has more there than its part holds") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    random_stream x{seed, "rooms"};
    const auto stop = static_cast<std::int64_t>(1 + x.below(20'000));
    const auto start = static_cast<std::int64_t>(x.below(static_cast<std::uint64_t>(stop)));
    auto r = rooms(0xff, stop, start);
    std::int64_t there[max_priorities] = {};
    sim_time waited[max_priorities] = {}, since[max_priorities];
    std::fill(std::begin(since), std::end(since), never);
    for (sim_time t = 1; t < 2000; ++t) {
      const auto c = static_cast<unsigned>(x.below(max_priorities));
      const auto bytes = static_cast<std::uint32_t>(60 + x.below(1455));
      if (x.below(2) == 0) {
        if (r.lacks(c, bytes)) {
          r.wait(c, bytes, t);
          if (since[c] == never)
            since[c] = t;
        } else {
          r.send(c, bytes);
          there[c] += bytes;
        }
      } else if (there[c] > 0) {
        const auto out = static_cast<std::uint32_t>(std::min<std::int64_t>(bytes, there[c]));
        there[c] -= out;
        r.hear(left(c, out, t));
        if (since[c] != never && there[c] <= start) {
          waited[c] += t - since[c];
          since[c] = never;
        }
      }
      REQUIRE(there[c] < stop + 1514);
      REQUIRE(r.waits(c) == (since[c] != never));
    }
    for (unsigned c = 0; c < max_priorities; ++c)
      CHECK(r.of(c, 2000).waited == waited[c] + (since[c] != never ? 2000 - since[c] : 0));
  }
}
