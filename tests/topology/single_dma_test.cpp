// A NIC that reads what it sends by DMA: as fast as the arithmetic says, under every policy of the
// bus, in hosts with a virtual switch and with virtual functions.
#include <doctest/doctest.h>

#include <algorithm>

#include "actors/logic/dma_engine.hpp"
#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

scenario one_host(bool single, bool functions, hop_policy bus, std::uint32_t size) {
  scenario s;
  s.name = "single-dma";
  s.duration = millisecond;
  auto fc = everywhere(hop_policy::on_off);
  fc.nic = fc.bridge = bus;
  host_settings h;
  h.vms.push_back({});
  h.vms.back().name = "v";
  h.vswitch.sr_iov = functions;
  h.hypervisor.per_packet = 0;
  h.bridge.per_packet = 0;
  h.pcie.bps = 64'000'000'000;
  h.nic.dma.emplace().single = single;
  s.nodes = {make_node("h", h, fc), make_node("k", sink_settings{}, fc)};
  s.links = {make_link("h", "nic0", "k", "p", 100'000'000'000, 500 * nanosecond)};
  s.traffic = {stream("t", "h/v", "k", 0, size)};
  return s;
}

}  // namespace

TEST_CASE("packets come as fast as one or two DMA operations each let them") {
  for (const bool functions : {false, true})
    for (const auto bus : {hop_policy::on_off, hop_policy::pcie_credit})
      for (const bool single : {true, false})
        for (const std::uint32_t size : {60u, 128u, 1514u}) {
          CAPTURE(functions);
          CAPTURE(bus);
          CAPTURE(single);
          CAPTURE(size);
          auto s = one_host(single, functions, bus, size);
          if (bus == hop_policy::pcie_credit) {
            // As many as never hold anything up.
            auto& h = std::get<host_settings>(s.nodes[0].as);
            h.pcie.completion = {0, 0};
            h.pcie.non_posted_headers = 0;
          }
          const auto r = run_checked(s);
          REQUIRE(r.dma.size() == 1);
          const auto& d = r.dma[0];
          CHECK(d.from == (functions ? "h/v.vnic-tx" : "h.bridge-tx"));
          CHECK(d.operations == d.packets * (single ? 1 : 2));
          CHECK(d.fetches == d.operations);
          dma_engine::config c;
          c.single = single;
          c.bus = line_rate{64'000'000'000};
          const auto each = dma_engine{c}.read(size);
          // But for the first microseconds, until a packet has come so far.
          const auto most = static_cast<std::uint64_t>(s.duration / each) + 1;
          CHECK(d.packets <= most);
          CHECK(d.packets > most - most / 100);
          CHECK(r.dropped.packets == 0);
        }
}

TEST_CASE("credits for header and payload apart are more, and both come back") {
  std::uint64_t packets[2];
  for (const bool single : {false, true}) {
    auto s = one_host(single, false, hop_policy::pcie_credit, 128);
    auto& h = std::get<host_settings>(s.nodes[0].as);
    h.nic.dma->set_up = nanosecond;
    // Four completions at a time: four packets of one, or two of two.
    h.pcie.completion = {4, 1024};
    const auto r = run_checked(s);
    packets[single] = r.dma[0].packets;
    CHECK(r.dropped.packets == 0);
  }
  CHECK(packets[1] > packets[0] * 3 / 2);
}
