#include "scenarios/keys.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "scenarios/loader.hpp"
#include "scenarios/quantity.hpp"

namespace {

std::string value_of(std::string_view path) {
  const auto* k = sluice::find_key(path);
  REQUIRE_MESSAGE(k != nullptr, path);
  return std::string{k->fallback};
}

std::uint64_t number_of(std::string_view path) {
  const auto q = sluice::parse_quantity(value_of(path)).value;
  REQUIRE_MESSAGE(q, path);
  return q->amount;
}

void check_limit(std::string_view path, const sluice::queue_limit& l) {
  CHECK(number_of(path) == static_cast<std::uint64_t>(l.amount));
  CHECK(l.in == sluice::queue_limit::unit::packets);
}

}  // namespace

TEST_CASE("every key of the table has one entry, a parent and help") {
  std::set<std::string_view> seen;
  for (const auto& k : sluice::all_keys()) {
    CHECK_MESSAGE(seen.insert(k.path).second, k.path);
    CHECK_MESSAGE(!k.help.empty(), k.path);
    CHECK_MESSAGE(k.forms != 0, k.path);
    if (!k.like.empty())
      CHECK_MESSAGE(sluice::find_key(k.like) != nullptr, k.path);
    auto parent = k.path;
    parent.remove_suffix(k.name().size());
    if (!parent.empty() && parent.back() == '.')
      parent.remove_suffix(1);
    CHECK_MESSAGE((parent.empty() || sluice::find_key(parent) != nullptr), k.path);
    CHECK_MESSAGE(((k.forms & sluice::form_choice) != 0) == !k.choices.empty(), k.path);
  }
}

TEST_CASE("every range of the table parses, and holds the default") {
  for (const auto& k : sluice::all_keys())
    for (auto rest = k.range; !rest.empty();) {
      const auto one = rest.substr(0, rest.find(' '));
      rest = one.size() == rest.size() ? std::string_view{} : rest.substr(one.size() + 1);
      const auto dots = one.find("..");
      REQUIRE_MESSAGE(dots != std::string_view::npos, k.path);
      CHECK_MESSAGE(sluice::parse_quantity(one.substr(0, dots)).value, k.path);
      const auto high = one.substr(dots + 2);
      CHECK_MESSAGE((high.empty() || sluice::parse_quantity(high).value), k.path);
    }
}

TEST_CASE("the table's defaults are those of the structs") {
  const sluice::link l;
  CHECK(number_of("defaults.link.rate") == l.rate_bps);
  CHECK(number_of("defaults.link.delay") == static_cast<std::uint64_t>(l.delay));
  CHECK(number_of("defaults.link.mtu") == l.mtu);
  const sluice::vm_settings vm;
  const std::string v = "nodes.<host>.vms.<vm>.";
  CHECK(number_of(v + "socket-buffer") == static_cast<std::uint64_t>(vm.socket_buffer_bytes));
  CHECK(number_of(v + "drain") == vm.drain_bps);
  CHECK_FALSE(vm.qdisc);
  CHECK(number_of(v + "network") == vm.network);
  check_limit(v + "vnic-ring", vm.vnic_ring);
  const sluice::host_settings h;
  CHECK(number_of("nodes.<host>.guest.rate") == h.guest_bps);
  CHECK(number_of("nodes.<host>.guest.latency") == static_cast<std::uint64_t>(h.guest_latency));
  CHECK(number_of("nodes.<host>.hypervisor.per-packet")
        == static_cast<std::uint64_t>(h.hypervisor.per_packet));
  CHECK(number_of("nodes.<host>.hypervisor.copy-rate") == h.hypervisor.copy_bps);
  check_limit("nodes.<host>.hypervisor.queue", h.hypervisor.queue);
  const auto time = [](sluice::sim_time t) { return static_cast<std::uint64_t>(t); };
  CHECK(number_of("nodes.<host>.hypervisor.notification") == time(h.hypervisor.notification));
  CHECK(number_of("nodes.<host>.napi.interrupt") == time(h.napi.interrupt));
  CHECK(number_of("nodes.<host>.napi.per-packet") == time(h.napi.per_packet));
  CHECK(number_of("nodes.<host>.napi.weight") == h.napi.weight);
  CHECK(number_of("nodes.<host>.napi.budget") == h.napi.budget);
  CHECK(number_of("nodes.<host>.napi.per-poll") == time(h.napi.per_poll));
  CHECK(number_of("nodes.<host>.napi.per-softirq") == time(h.napi.per_softirq));
  CHECK(number_of("nodes.<host>.bridge.queue")
        == static_cast<std::uint64_t>(h.bridge.queue.amount));
  CHECK(number_of("nodes.<host>.bridge.per-packet") == time(h.bridge.per_packet));
  CHECK(number_of("nodes.<host>.bridge.copy-rate") == h.bridge.copy_bps);
  CHECK(number_of("nodes.<host>.vswitch.port-queue")
        == static_cast<std::uint64_t>(h.vswitch.port_queue_bytes));
  CHECK(number_of("nodes.<host>.vswitch.forwarding-delay")
        == static_cast<std::uint64_t>(h.vswitch.forwarding_delay));
  CHECK(number_of("nodes.<host>.nic.rx-buffer")
        == static_cast<std::uint64_t>(h.nic.rx_buffer_bytes));
  CHECK(number_of("nodes.<host>.nic.tx-buffer")
        == static_cast<std::uint64_t>(h.nic.tx_buffer_bytes));
  const sluice::dma_settings dma;
  CHECK(number_of("nodes.<host>.nic.dma.header") == dma.header_bytes);
  CHECK(number_of("nodes.<host>.nic.dma.descriptor") == dma.descriptor_bytes);
  CHECK(number_of("nodes.<host>.nic.dma.fetch") == dma.fetch);
  CHECK(number_of("nodes.<host>.nic.dma.set-up") == time(dma.set_up));
  CHECK(dma.single);
  CHECK(number_of("nodes.<host>.pcie.rate") == h.pcie.bps);
  CHECK(number_of("nodes.<host>.pcie.latency") == static_cast<std::uint64_t>(h.pcie.latency));
  const sluice::switch_settings sw;
  CHECK(number_of("nodes.<switch>.buffer") == static_cast<std::uint64_t>(sw.buffer_bytes));
  CHECK(number_of("nodes.<switch>.forwarding-delay")
        == static_cast<std::uint64_t>(sw.forwarding_delay));
  const sluice::sink_settings sink;
  CHECK(number_of("nodes.<sink>.buffer") == static_cast<std::uint64_t>(sink.buffer_bytes));
  const sluice::generate_settings g;
  CHECK(number_of("traffic.<entry>.generate.size") == g.size_bytes);
  CHECK(number_of("traffic.<entry>.generate.burst") == g.burst_packets);
  CHECK(number_of("seed") == sluice::scenario{}.seed);
}

TEST_CASE("the schema is JSON, knows every implemented key and no planned one") {
  const auto schema = nlohmann::json::parse(sluice::json_schema());
  CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(schema["properties"].contains("nodes"));
  CHECK_FALSE(schema["properties"]["expect"].dump().find("between") != std::string::npos);
  CHECK(schema["additionalProperties"] == false);
  CHECK_FALSE(schema.contains("required"));
  CHECK(schema["anyOf"].size() == 2);
  const auto& nodes = schema["properties"]["nodes"]["additionalProperties"]["oneOf"];
  CHECK(nodes.size() == 4);
  CHECK(nodes[0]["properties"]["nic"]["properties"].contains("rx-buffer"));
  CHECK_FALSE(nodes[1]["properties"].contains("classify"));
  CHECK(schema["properties"]["defaults"]["properties"]["host"]["properties"].contains("nic"));
  CHECK_FALSE(schema["properties"]["defaults"]["properties"]["host"]["properties"].contains("vms"));
}

TEST_CASE("explain finds a key by its path and by its last part") {
  CHECK(sluice::explain("defaults.link.rate")->find("25Gbit") != std::string::npos);
  const auto drain = sluice::explain("drain");
  REQUIRE(drain);
  CHECK(drain->find("nodes.<host>.vms.<vm>.drain") != std::string::npos);
  CHECK(drain->find("nodes.<sink>.drain") != std::string::npos);
  CHECK(sluice::explain("vswitch.port-queue")->find("256KiB") != std::string::npos);
  CHECK(sluice::explain("events")->find("example") != std::string::npos);
  CHECK(sluice::explain("")->find("traffic") != std::string::npos);
  CHECK(sluice::explain("expect[].between")->find("Not implemented yet") != std::string::npos);
  CHECK_FALSE(sluice::explain("drian"));
  CHECK(sluice::suggest_key("drian") == "drain");
}

// To make the page again: SLUICE_WRITE_REFERENCE=1 test_scenarios -tc="the committed reference*"
TEST_CASE("the committed reference page is the generated one") {
  const auto path = std::string{SLUICE_SOURCE_DIR} + "/docs/scenario-reference.md";
  if (std::getenv("SLUICE_WRITE_REFERENCE") != nullptr)
    std::ofstream{path} << sluice::reference_page();
  std::ifstream in{path};
  std::stringstream text;
  text << in.rdbuf();
  CHECK_MESSAGE(text.str() == sluice::reference_page(),
                "run: SLUICE_WRITE_REFERENCE=1 test_scenarios -tc=\"the committed reference*\"");
}
