// Credits of PCI Express between host and NIC: what they let through against the formula of a
// credit loop, throughput = min(line, credits x unit / round trip), in both directions.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

constexpr std::uint32_t frame = 1024;  // 4 transactions of 256 bytes, 64 data credits

/// Two hosts, one sender; everything but the bus of one of them is fast.
scenario loop(bool at_sender, pcie_settings limited) {
  scenario s;
  s.name = "credit-loop";
  s.duration = 4 * millisecond;
  auto fc = everywhere(hop_policy::on_off);
  fc.nic = fc.bridge = hop_policy::pcie_credit;
  for (const bool sends : {true, false}) {
    host_settings h;
    vm_settings vm;
    vm.name = "v";
    vm.drain_bps = 400'000'000'000;
    h.vms = {vm};
    h.guest_bps = 400'000'000'000;
    h.hypervisor.per_packet = h.napi.per_packet = h.napi.per_poll = h.napi.per_softirq = 0;
    h.hypervisor.copy_bps = h.bridge.copy_bps = 400'000'000'000;
    h.bridge.per_packet = 0;
    h.pcie.posted = h.pcie.completion = {0, 0};
    h.pcie.non_posted_headers = 0;
    h.pcie.update = 1;
    if (sends == at_sender)
      h.pcie = limited;
    s.nodes.push_back(make_node(sends ? "a" : "b", h, fc));
  }
  s.links = {make_link("a", "nic0", "b", "nic0", 100'000'000'000, 500 * nanosecond)};
  generate_settings g;
  g.size_bytes = frame;
  g.share_ppm = 1'000'000;
  traffic_entry t;
  t.name = "t";
  t.what = g;
  t.from = {"a/v"};
  t.to = {"b/v"};
  s.traffic = {t};
  return s;
}

}  // namespace

TEST_CASE("a credit loop passes what its credits and its round trip allow") {
  int below = 0, above = 0;
  for (const bool at_sender : {true, false})
    for (const sim_time latency : {300 * nanosecond, 1 * microsecond, 4 * microsecond})
      for (const std::uint32_t window : {1u, 2u, 3u, 5u, 8u, 13u, 21u, 31u}) {
        pcie_settings p;
        p.bps = 64'000'000'000;
        p.latency = latency;
        p.update = 1;
        p.non_posted_headers = 0;
        // Credits for so many frames: by data, by headers, or both.
        const auto by = window % 3;
        p.posted = {by == 0 ? 0 : 4 * window, by == 1 ? 0 : 64 * window};
        p.completion = p.posted;
        const auto s = loop(at_sender, p);
        run_options o;
        o.random_executor = true;
        const auto r = run(s, o);
        CHECK(r.violations.empty());
        CHECK(r.dropped.packets == 0);
        const auto service = line_rate{p.bps}.time_of(frame);
        const auto round_trip = service + 2 * latency;
        // The bus takes one frame after the other, and gives a frame's credits back when it leaves.
        const auto between = std::max(service, round_trip / window);
        const auto expected =
            static_cast<double>(s.duration - 20 * microsecond) / static_cast<double>(between);
        CAPTURE(at_sender);
        CAPTURE(latency);
        CAPTURE(window);
        CHECK(static_cast<double>(r.delivered.packets) == doctest::Approx(expected).epsilon(0.01));
        (round_trip / window > service ? below : above) += 1;
      }
  CHECK(below > 10);  // the sweep has to have both sides of the knee
  CHECK(above > 10);
}

TEST_CASE("read requests pass what their credits and the round trip of the bus allow") {
  int below = 0, above = 0;
  for (const sim_time latency : {300 * nanosecond, 1 * microsecond, 4 * microsecond})
    for (const std::uint32_t headers : {1u, 2u, 4u, 6u, 10u, 18u, 32u, 64u, 128u}) {
      pcie_settings p;
      p.bps = 64'000'000'000;
      p.latency = latency;
      p.update = 1;
      p.posted = p.completion = {0, 0};
      p.non_posted_headers = headers;
      const auto s = loop(true, p);
      const auto r = run(s, {});
      CHECK(r.violations.empty());
      CHECK(r.dropped.packets == 0);
      // A frame is two requests of 512 bytes; with one credit it takes what there is.
      const auto frames = std::max<std::int64_t>(1, headers / 2);
      const auto service = line_rate{p.bps}.time_of(frame);
      const auto between = std::max(service, 2 * latency / frames);
      CAPTURE(latency);
      CAPTURE(headers);
      CHECK(static_cast<double>(r.delivered.packets)
            == doctest::Approx(static_cast<double>(s.duration - 20 * microsecond)
                               / static_cast<double>(between))
                   .epsilon(0.01));
      (2 * latency / frames > service ? below : above) += 1;
    }
  CHECK(below > 10);
  CHECK(above > 5);
}

TEST_CASE("a slower UpdateFC makes the round trip longer by what it waits") {
  pcie_settings p;
  p.bps = 64'000'000'000;
  p.completion = {4, 64};  // one frame
  p.update = 3 * microsecond;
  const auto s = loop(true, p);
  run_options o;
  const auto r = run(s, o);
  // Every frame's credits wait for the next update: one frame each time.
  CHECK(static_cast<double>(r.delivered.packets)
        == doctest::Approx(static_cast<double>(s.duration) / static_cast<double>(p.update))
               .epsilon(0.01));
}

TEST_CASE("a frame that needs more credits than there are goes alone") {
  pcie_settings p;
  p.completion = {2, 8};
  const auto r = run(loop(true, p), {});
  CHECK(r.dropped.packets == 0);
  CHECK(r.delivered.packets > 1000);
}
