#include "topology/blocked_by.hpp"

#include <doctest/doctest.h>

using namespace sluice;

TEST_CASE("blame follows who held whom, and stays with whoever was slow without being held") {
  // a is held by b for 10 and by c for 30; b is never held; c is held by d for 20.
  const blame who{{{"a", "b", 10}, {"a", "c", 30}, {"c", "d", 20}}};
  CHECK(who.held("a") == 40);
  CHECK(who.held("b") == 0);
  const auto roots = who.roots("a");
  CHECK(roots.at("b") == doctest::Approx(10));
  CHECK(roots.at("c") == doctest::Approx(10));
  CHECK(roots.at("d") == doctest::Approx(20));
  CHECK(who.roots("b").empty());
}

TEST_CASE("blame passes on no more than it was given, in proportion") {
  // b is held for 100 in all, but holds a for 40 only.
  const blame who{{{"a", "b", 40}, {"b", "x", 75}, {"b", "y", 25}}};
  const auto roots = who.roots("a");
  CHECK(roots.at("x") == doctest::Approx(30));
  CHECK(roots.at("y") == doctest::Approx(10));
  CHECK(roots.size() == 2);
}

TEST_CASE("a circle of blame ends where it closes") {
  const blame who{{{"a", "b", 8}, {"b", "c", 8}, {"c", "b", 8}}};
  const auto roots = who.roots("a");
  double sum = 0;
  for (const auto& [name, time] : roots)
    sum += time;
  CHECK(sum == doctest::Approx(8));
}

TEST_CASE("shares are of the run and of all senders, the largest first, the smallest left out") {
  const auto shares = shares_of({{"x", 100}, {"y", 400}, {"z", 0.1}}, 1000, 2);
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].component == "y");
  CHECK(shares[0].share == doctest::Approx(0.2));
  CHECK(shares[1].share == doctest::Approx(0.05));
  CHECK(shares_of({{"x", 1}}, 0, 1).empty());
}
