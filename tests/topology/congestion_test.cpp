// Marks on the way, what a queue drops early, and sources that are told: that rates settle where
// they are fair and the line stays busy.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

scenario incast(int senders, bool capable, const ecn_settings& ecn, bool regulates) {
  scenario s;
  s.name = "congestion";
  s.duration = 30 * millisecond;
  auto fc = everywhere(hop_policy::none);
  fc.regulates = regulates;
  switch_settings w;
  w.buffer_bytes = 16 << 20;
  w.ecn = ecn;
  s.nodes = {make_node("s", w, fc), make_node("k", sink_settings{}, fc)};
  const auto link = [&](const std::string& name) {
    s.links.push_back(make_link(name, "p", "s", name, 10'000'000'000, 500 * nanosecond));
  };
  link("k");
  for (int i = 0; i < senders; ++i) {
    const auto name = fmt::format("g{}", i);
    s.nodes.push_back(make_node(name, generator_settings{}, fc));
    link(name);
    auto t = stream("f" + name, name, "k", 0, 1000);
    std::get<generate_settings>(t.what).ecn = capable;
    s.traffic.push_back(t);
  }
  return s;
}

}  // namespace

TEST_CASE("a queue that is too long marks what may be marked and drops the rest early") {
  const ecn_settings ecn{50'000, 50'000, 1'000'000, true};
  const auto marked = run(incast(2, true, ecn, false), {});
  CHECK(marked.violations.empty());
  const auto& m = counters_of(marked, "s:k");
  CHECK(m.marked > 1'000);
  CHECK(m.dropped.of(drop_reason::early, 0).packets == 0);
  std::uint64_t delivered = 0;
  for (const auto& f : marked.flows)
    delivered += f.marked;
  CHECK(delivered <= m.marked);
  CHECK(delivered > m.marked / 2);  // the rest is in the queue

  // Dropped early, the queue is never longer than its threshold and a frame.
  const auto dropped = run(incast(2, false, ecn, false), {});
  const auto& d = counters_of(dropped, "s:k");
  CHECK(d.marked == 0);
  CHECK(d.dropped.of(drop_reason::early, 0).packets > 1'000);
  CHECK(d.dropped.of(drop_reason::buffer_full, 0).packets == 0);
  CHECK(d.max_bytes <= 50'000 + 2 * 1'000);
  // And the line never idle.
  CHECK(static_cast<double>(dropped.delivered.packets)
        == doctest::Approx(30e-3 * 10e9 / 8 / 1024).epsilon(0.01));
}

TEST_CASE("regulated sources share the line evenly, keep it busy and the queue short") {
  for (const int senders : {2, 4}) {
    CAPTURE(senders);
    const ecn_settings ecn{20'000, 80'000, 100'000, true};
    auto s = incast(senders, true, ecn, true);
    s.duration = 100 * millisecond;
    std::string expected;
    for (const unsigned threads : {1u, 2u, 4u}) {
      run_options o;
      o.threads = threads;
      const auto r = run(s, o);
      CHECK(r.violations.empty());
      CHECK(r.dropped.packets == 0);
      // The fluid model of it has the same rate for all; the noise of marks is what is left.
      std::vector<double> goodput;
      double sum = 0;
      for (const auto& f : r.flows) {
        goodput.push_back(static_cast<double>(f.delivered.bytes) * 8 / 0.1);
        sum += goodput.back();
      }
      CHECK(sum > 0.75 * 10e9 * 1000 / 1024);
      CHECK(*std::min_element(goodput.begin(), goodput.end()) > 0.6 * sum / senders);
      CHECK(*std::max_element(goodput.begin(), goodput.end()) < 1.4 * sum / senders);
      for (const auto& x : r.rates) {
        CHECK(x.notifications > 10);
        CHECK(x.lowest_bps < 10'000'000'000 / static_cast<std::uint64_t>(senders));
      }
      if (expected.empty())
        expected = digest(r);
      CHECK(difference(digest(r), expected) == "");
    }
    // Without, the queue holds all that there is no room for on the line.
    auto free = s;
    for (auto& n : free.nodes)
      n.flow_control.regulates = false;
    CHECK(counters_of(run(free, {}), "s:k").max_bytes
          > 3 * counters_of(run(s, {}), "s:k").max_bytes);
  }
}

TEST_CASE("a receiver tells a source no more often than its interval, and it hears it later") {
  const ecn_settings ecn{1'000, 1'000, 1'000'000, true};  // nearly everything is marked
  auto s = incast(2, true, ecn, true);
  s.duration = 10 * millisecond;
  for (auto& n : s.nodes) {
    n.flow_control.rate.interval = 100 * microsecond;
    n.flow_control.rate.latency = 2 * microsecond;
    n.flow_control.rate.limiter.min_bps = 6'000'000'000;  // too much together: marks all the time
  }
  const auto r = run(s, {});
  for (const auto& x : r.rates) {
    CHECK(x.notifications <= 100);
    CHECK(x.notifications > 90);
    CHECK(x.lowest_bps == 6'000'000'000);
  }
}
