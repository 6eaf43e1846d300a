// The pool of mbufs and the limits of its chains, against a model that knows every packet.
#include "actors/logic/mbuf_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "traffic/random.hpp"

using namespace sluice;
using verdict = mbuf_pool::verdict;

namespace {

mbuf_pool::config small(mbuf_pool::limits how) {
  mbuf_pool::config c;
  c.pool_bytes = 20 * 2048;
  c.limit_bytes = 8 * 2048;
  c.least_bytes = 2 * 2048;
  c.how = how;
  c.unhealthy = 100;
  c.healthy = 50;
  c.measure = 10;
  c.restore_after = 2;
  return c;
}

}  // namespace

TEST_CASE("a packet takes whole clusters and gives them back") {
  mbuf_pool m{small(mbuf_pool::limits::fixed), 2, 1};
  CHECK(m.clusters(0) == 2048);
  CHECK(m.clusters(1) == 2048);
  CHECK(m.clusters(2048) == 2048);
  CHECK(m.clusters(2049) == 4096);
  CHECK(m.take(0, 0, 60, 1) == verdict::taken);
  CHECK(m.take(1, 0, 9000, 1) == verdict::taken);
  CHECK(m.held() == 6 * 2048);
  m.give_back(0, 0);
  CHECK(m.chains()[0].held == 0);
  m.give_back(1, 0);
  CHECK(m.held() == 0);
  CHECK(m.most_held() == 6 * 2048);
}

TEST_CASE("without limits one address takes the whole pool, with a fixed one it does not") {
  for (const auto how : {mbuf_pool::limits::none, mbuf_pool::limits::fixed}) {
    mbuf_pool m{small(how), 2, 1};
    int taken = 0;
    for (int k = 0; k < 100; ++k)
      taken += m.take(0, 0, 1500, k) == verdict::taken;
    const bool limited = how == mbuf_pool::limits::fixed;
    CHECK(taken == (limited ? 8 : 20));
    CHECK(m.chains()[0].over_limit == (limited ? 92 : 0));
    CHECK(m.chains()[0].exhausted == (limited ? 0 : 80));
    CHECK(m.take(1, 0, 1500, 100) == (limited ? verdict::taken : verdict::exhausted));
    CHECK(m.next_measurement() == never);
  }
}

TEST_CASE(
    "the limit of a chain that grows old is halved to the least, and doubled when it is young") {
  mbuf_pool m{small(mbuf_pool::limits::dynamic), 2, 1};
  REQUIRE(m.take(0, 0, 1500, 5) == verdict::taken);
  const auto measure = [&](int times) {
    for (int k = 0; k < times; ++k)
      m.measure(m.next_measurement());
  };
  measure(10);  // at 100 it is 95 old
  CHECK(m.chains()[0].limit == 8 * 2048);
  measure(1);  // at 110: 105
  CHECK(m.chains()[0].limit == 4 * 2048);
  measure(5);
  CHECK(m.chains()[0].limit == 2 * 2048);
  CHECK(m.chains()[0].lowered == 2);
  CHECK(m.chains()[0].oldest == 155);
  CHECK(m.lowered() == 1);
  CHECK(m.chains()[1].limit == 8 * 2048);
  // At the least limit one more fits, and then none.
  CHECK(m.take(0, 0, 1500, 160) == verdict::taken);
  CHECK(m.take(0, 0, 1500, 160) == verdict::over_limit);
  CHECK(m.take(1, 0, 1500, 160) == verdict::taken);
  m.give_back(1, 0);
  // The oldest goes at 210; the next is 60 and 70 old then: neither healthy nor unhealthy.
  measure(5);
  m.give_back(0, 0);
  measure(2);
  CHECK(m.chains()[0].limit == 2 * 2048);
  m.give_back(0, 0);
  measure(1);
  CHECK(m.chains()[0].limit == 2 * 2048);  // one healthy measurement is not enough
  measure(1);
  CHECK(m.chains()[0].limit == 4 * 2048);
  measure(2);
  CHECK(m.chains()[0].limit == 8 * 2048);
  CHECK(m.lowered() == 0);
  CHECK(m.chains()[0].raised == 2);
  CHECK(m.chains()[0].lowest_limit == 2 * 2048);
  // Nothing is held and nothing lowered: nothing is measured until something comes.
  m.measure(1'000'000);
  CHECK(m.next_measurement() == 1'000'010);
}

TEST_CASE("an empty chain takes a packet that is larger than its limit, but not than the pool") {
  mbuf_pool m{small(mbuf_pool::limits::fixed), 1, 1};
  CHECK(m.take(0, 0, 30'000, 0) == verdict::taken);
  CHECK(m.take(0, 0, 60, 0) == verdict::over_limit);
  m.give_back(0, 0);
  CHECK(m.take(0, 0, 60'000, 0) == verdict::exhausted);
}

// Every packet is known to the model: who holds it, where, since when.
TEST_CASE("pool and chains never hold more than they may, and limits follow the ages") {
  struct held {
    std::size_t chain;
    std::int64_t bytes;
    sim_time at;
  };
  std::uint64_t lowered = 0, raised = 0, over_limit = 0, exhausted = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    random_stream r{seed, "mbufs"};
    mbuf_pool::config c;
    c.cluster_bytes = static_cast<std::int64_t>(256 + r.below(4096));
    c.pool_bytes = c.cluster_bytes * static_cast<std::int64_t>(1 + r.below(60));
    c.how = static_cast<mbuf_pool::limits>(r.below(3));
    c.limit_bytes =
        1 + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(c.pool_bytes)));
    c.least_bytes =
        1 + static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(c.limit_bytes)));
    c.unhealthy = static_cast<sim_time>(1 + r.below(200));
    c.healthy = static_cast<sim_time>(r.below(static_cast<std::uint64_t>(c.unhealthy) + 1));
    c.measure = static_cast<sim_time>(1 + r.below(60));
    c.restore_after = static_cast<unsigned>(1 + r.below(4));
    const auto chains = 1 + r.below(5), sockets = 1 + r.below(3);
    mbuf_pool m{c, chains, sockets};
    std::vector<std::deque<held>> on(sockets);
    std::vector<std::int64_t> limit(chains, c.limit_bytes);
    std::vector<unsigned> healthy(chains, 0);
    const auto held_by = [&](std::size_t chain) {
      std::int64_t sum = 0;
      for (const auto& q : on)
        for (const auto& h : q)
          sum += h.chain == chain ? h.bytes : 0;
      return sum;
    };
    const auto pool = [&] {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < chains; ++k)
        sum += held_by(k);
      return sum;
    };
    sim_time now = 0;
    for (int step = 0; step < 400; ++step) {
      now += static_cast<sim_time>(r.below(40));
      while (m.next_measurement() <= now) {
        const auto at = m.next_measurement();
        for (std::size_t k = 0; k < chains; ++k) {
          auto since = at;
          for (const auto& q : on)
            for (const auto& h : q)
              if (h.chain == k)
                since = std::min(since, h.at);
          if (at - since > c.unhealthy)
            limit[k] = std::max(c.least_bytes, limit[k] / 2);
          healthy[k] = at - since <= c.healthy && limit[k] < c.limit_bytes ? healthy[k] + 1 : 0;
          if (healthy[k] == c.restore_after) {
            limit[k] = std::min(c.limit_bytes, 2 * limit[k]);
            healthy[k] = 0;
          }
        }
        m.measure(at);
      }
      const auto s = r.below(sockets);
      if (r.below(5) < 2) {
        if (!on[s].empty()) {
          m.give_back(on[s].front().chain, s);
          on[s].pop_front();
        }
      } else {
        const auto k = r.below(chains);
        const auto bytes = static_cast<std::uint32_t>(1 + r.below(9000));
        const auto size = m.clusters(bytes);
        CHECK(size % c.cluster_bytes == 0);
        CHECK(size >= bytes);
        const bool over =
            c.how != mbuf_pool::limits::none && held_by(k) != 0 && held_by(k) + size > limit[k];
        const auto expected = over                           ? verdict::over_limit
                              : pool() + size > c.pool_bytes ? verdict::exhausted
                                                             : verdict::taken;
        REQUIRE(m.take(k, s, bytes, now) == expected);
        if (expected == verdict::taken)
          on[s].push_back({k, size, now});
      }
      REQUIRE(m.held() == pool());
      CHECK(m.held() <= c.pool_bytes);
      for (std::size_t k = 0; k < chains; ++k) {
        REQUIRE(m.chains()[k].held == held_by(k));
        if (c.how != mbuf_pool::limits::none)
          REQUIRE(m.chains()[k].limit == limit[k]);
      }
    }
    for (const auto& x : m.chains()) {
      lowered += x.lowered;
      raised += x.raised;
      over_limit += x.over_limit;
      exhausted += x.exhausted;
    }
  }
  CHECK(lowered > 100);
  CHECK(raised > 100);
  CHECK(over_limit > 100);
  CHECK(exhausted > 100);
}
