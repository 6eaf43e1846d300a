#include "actors/logic/scheduler.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace sluice;

namespace {

// How many bytes each priority gets of `rounds` picks when all in `waiting` always have a packet.
std::array<std::uint64_t, 8> shares(priority_scheduler::config c, unsigned waiting,
                                    std::array<int, 8> sizes, int picks) {
  priority_scheduler s{c};
  std::array<std::uint64_t, 8> bytes{};
  for (int i = 0; i < picks; ++i) {
    const auto p = s.pick(waiting, [&](unsigned q) { return std::int64_t{sizes[q]}; });
    REQUIRE((waiting >> p & 1) == 1);
    bytes[p] += static_cast<std::uint64_t>(sizes[p]);
  }
  return bytes;
}

constexpr std::array<int, 8> alike{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000};

}  // namespace

TEST_CASE("strict serves the highest priority that waits") {
  const auto b = shares({}, 0b0101'0010, alike, 100);
  CHECK(b[6] == 100'000);
  CHECK(b[4] == 0);
}

TEST_CASE("wrr shares packets by weight") {
  priority_scheduler::config c{priority_scheduler::kind::wrr, {1, 1, 1, 2, 5, 1, 1, 1}};
  auto sizes = alike;
  sizes[4] = 100;  // size does not matter to wrr
  const auto b = shares(c, 0b0001'1001, sizes, 8000);
  CHECK(b[0] == 1'000'000);
  CHECK(b[3] == 2'000'000);
  CHECK(b[4] == 500'000);
}

TEST_CASE("dwrr shares bytes by quantum, whatever the sizes") {
  priority_scheduler::config c{priority_scheduler::kind::dwrr, {1500, 1, 1, 3000, 1, 1, 1, 1}};
  auto sizes = alike;
  sizes[0] = 1500;
  sizes[3] = 64;
  const auto b = shares(c, 0b0000'1001, sizes, 200'000);
  CHECK(static_cast<double>(b[3]) / static_cast<double>(b[0])
        == doctest::Approx(2.0).epsilon(0.01));
}

TEST_CASE("a priority that was silent has saved nothing up") {
  priority_scheduler::config c{priority_scheduler::kind::dwrr, {1000, 1000, 1, 1, 1, 1, 1, 1}};
  priority_scheduler s{c};
  const auto size = [](unsigned) { return std::int64_t{1000}; };
  for (int i = 0; i < 50; ++i)
    CHECK(s.pick(0b01, size) == 0);
  int first = 0;
  for (int i = 0; i < 100; ++i)
    first += s.pick(0b11, size) == 0;
  CHECK(first == 50);
}
