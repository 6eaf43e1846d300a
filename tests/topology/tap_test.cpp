// What taps write, against what was replayed and what was counted.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <pcap/dlt.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "scenarios/loader.hpp"
#include "tests/support/small_network.hpp"
#include "traffic/capture.hpp"
#include "traffic/error.hpp"
#include "traffic/headers.hpp"
#include "traffic/mac_control.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

using bytes = std::vector<std::uint8_t>;

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() / fmt::format("sluice-{}-{}", getpid(), name))
      .string();
}

struct frame {
  std::int64_t at = 0;
  std::uint32_t wire_bytes = 0;
  bytes data;
  bool control() const { return read_mac_control(data).has_value(); }
};

std::vector<frame> read(const std::string& file) {
  std::vector<frame> all;
  capture_reader reader{file};
  capture_record r;
  while (reader.next(r))
    all.push_back({r.timestamp_ns, r.wire_bytes, {r.data.begin(), r.data.end()}});
  return all;
}

std::string whole(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

scenario load(const std::string& text) {
  auto r = load_scenario_text(text, "tap.yaml", {});
  REQUIRE_MESSAGE(r.value, render(r, false));
  return *r.value;
}

struct reason {
  bool stops = false;
  std::int64_t bytes = 0, limit = 0;
};
// Of all comments that give a port's occupancy, in order.
std::vector<reason> whys(const std::string& file, const std::string& port, const std::string& of) {
  const auto text = whole(file);
  const std::regex comment{"(XOFF|XON) priority 3: ingress " + port + " ([0-9]+)" + of
                           + "(≥|≤) ([0-9]+) B"};
  std::vector<reason> all;
  for (std::sregex_iterator i{text.begin(), text.end(), comment}, end; i != end; ++i) {
    const bool stops = (*i)[1] == "XOFF";
    CHECK((*i)[3] == (stops ? "≥" : "≤"));
    all.push_back({stops, std::stoll((*i)[2]), std::stoll((*i)[4])});
  }
  return all;
}

// Two senders to one slow receiver, over PFC.
scenario with_pauses() {
  return load(R"(
until: traffic-done
defaults:
  link: {rate: 25Gbit}
  flow-control: {guest: on_off, vm-vswitch: on_off, vswitch-nic: on_off, nic-fabric: pfc}
  pfc: {priorities: [3]}
nodes:
  a: {kind: host, vms: [v]}
  b: {kind: host, vms: [w]}
  c: {kind: host, vms: {x: {drain: 4Gbit}}}
  s: {kind: switch, buffer: 1MiB}
links: [a -- s, b -- s, c -- s]
traffic:
  t: {generate: {rate: 10Gbit, size: 1500B, packets: 1500}, from: [a/v, b/w], to: c/x, priority: 3}
taps:
  nic: {on: c}
  port: {on: "s:p3"}
  sender: {on: a/v, direction: out}
)");
}

}  // namespace

TEST_CASE("a capture replayed over a lossless path and tapped at its receiver is the capture") {
  for (const std::string name : {"dns.pcapng", "http.pcap", "redis.pcapng", "incast.pcapng"}) {
    CAPTURE(name);
    const auto capture = std::string{SLUICE_SOURCE_DIR} + "/scenarios/captures/" + name;
    auto s = load(R"(
until: traffic-done
defaults: {link: {rate: 100Gbit, mtu: 9000}, flow-control: on_off}
nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}
links: [a -- b]
traffic: {t: {replay: ")"
                  + capture + R"(", from: a/v, to: b/w}}
taps: {there: {on: b/w, direction: in}, wire: {on: "a:nic0", epoch: 1000}}
)");
    for (auto& t : s.taps)
      t.file = temporary(t.name + ".pcapng");
    const auto r = run_checked(s);
    const auto sent = read(capture), came = read(s.taps[0].file), wire = read(s.taps[1].file);
    REQUIRE(came.size() == sent.size());
    REQUIRE(wire.size() == sent.size());
    std::size_t same = 0;
    for (std::size_t i = 0; i < sent.size(); ++i)
      same += came[i].data == sent[i].data && came[i].wire_bytes == sent[i].wire_bytes
              && wire[i].data == sent[i].data;
    CHECK(same == sent.size());
    CHECK(wire[0].at >= 1'000'000'000'000);
    CHECK(r.taps.size() == 2);
    CHECK(r.taps[0].written == sent.size());
    for (const auto& t : s.taps)
      std::filesystem::remove(t.file);
  }
}

TEST_CASE("taps see what is counted: packets, and the frames that hold a port") {
  auto s = with_pauses();
  for (auto& t : s.taps)
    t.file = temporary(t.name + ".pcapng");
  const auto r = run_checked(s);
  const auto nic = read(s.taps[0].file), port = read(s.taps[1].file), sender = read(s.taps[2].file);
  std::uint64_t sent = 0, had = 0;
  for (const auto& p : r.pause_frames)
    if (p.from == "c:nic0") {
      sent = p.sent.frames;
      had = p.had.frames;
    }
  CHECK(sent > 10);
  const auto frames = [](const auto& all) {
    return static_cast<std::uint64_t>(
        std::count_if(all.begin(), all.end(), [](const auto& f) { return f.control(); }));
  };
  CHECK(frames(nic) == sent);
  CHECK(frames(port) == had);
  CHECK(nic.size() - sent == 3000);
  CHECK(port.size() - had == 3000);
  CHECK(sender.size() == 1500);
  // Both ends of a cable see the same, a cable's length apart.
  std::vector<std::int64_t> left, arrived;
  for (const auto& f : port)
    if (!f.control())
      left.push_back(f.at);
  for (const auto& f : nic)
    if (!f.control())
      arrived.push_back(f.at);
  REQUIRE(left.size() == arrived.size());
  for (std::size_t i = 0; i < left.size(); ++i)
    CHECK(arrived[i] - left[i] == 500);  // its default
  for (const auto* all : {&nic, &port})
    CHECK(std::is_sorted(all->begin(), all->end(),
                         [](const auto& a, const auto& b) { return a.at < b.at; }));
  for (const auto& t : s.taps)
    std::filesystem::remove(t.file);
}

TEST_CASE("a tap changes nothing, and is the same whatever runs the actors") {
  auto s = with_pauses();
  auto plain = s;
  plain.taps.clear();
  const auto expected = digest(run(plain, {}));
  std::vector<std::string> first;
  for (int way = 0; way < 5; ++way) {
    CAPTURE(way);
    for (auto& t : s.taps)
      t.file = temporary(fmt::format("{}{}.pcapng", t.name, way));
    run_options o;
    o.random_executor = way < 2;
    o.executor_seed = static_cast<std::uint64_t>(way);
    o.threads = way < 2 ? 1 : 1u << (way - 2);
    CHECK(digest(run(s, o)) == expected);
    for (std::size_t t = 0; t < s.taps.size(); ++t) {
      if (way == 0)
        first.push_back(whole(s.taps[t].file));
      else
        CHECK(whole(s.taps[t].file) == first[t]);
      std::filesystem::remove(s.taps[t].file);
    }
  }
  CHECK(first[0].size() > 4'000'000);
}

TEST_CASE("a frame's comment says what the buffer held when the frame was asked for") {
  auto s = with_pauses();
  s.taps.resize(1);
  s.taps[0].file = temporary("why.pcapng");
  run_checked(s);
  auto all = whys(s.taps[0].file, "c:nic0", " B ");
  CHECK(all.size() > 10);
  std::set<std::int64_t> limits, held;
  for (const auto& w : all) {
    CHECK((w.stops ? w.bytes >= w.limit : w.bytes <= w.limit));
    CHECK(std::abs(w.bytes - w.limit) < 1500);  // the frame that made it so is the last in it
    limits.insert(w.limit);
    held.insert(w.bytes);
  }
  CHECK(limits.size() == 2);  // XOFF and XON, which do not change
  CHECK(held.size() >= 2);

  // A shared memory, whose thresholds do.
  s = load(R"(
duration: 2ms
defaults: {link: {rate: 25Gbit}, flow-control: {nic-fabric: pfc}, pfc: {priorities: [3]}}
nodes:
  a: {kind: generator}
  b: {kind: generator}
  k: {kind: sink}
  s: {kind: switch, buffer: 1MiB, scheduler: wrr,
      shared-buffer: {reserve: 4KiB, shift: 3, xon-offset: 3KiB}}
links: [a -- s, b -- s, k -- s]
traffic:
  t: {generate: {rate: 20Gbit, size: 1500B, arrivals: poisson}, from: [a, b], to: k, priority: 3}
taps: {port: {on: "s:p1", direction: out}}
events:
  - {at: 100us, inject: pfc-pause, on: "s:p1", priority: 5, for: 10us}
)");
  s.taps[0].file = temporary("why.pcapng");
  run_checked(s);
  all = whys(s.taps[0].file, "s:p1", " B of the shared pool ");
  CHECK(all.size() > 10);
  limits.clear();
  for (const auto& w : all) {
    CHECK((w.stops ? w.bytes >= w.limit : w.bytes <= w.limit));
    if (w.stops)
      limits.insert(w.limit);
  }
  CHECK(limits.size() > 2);
  const auto text = whole(s.taps[0].file);
  CHECK(text.find("XOFF priority 5: by the scenario") != std::string::npos);
  CHECK(text.find("XON priority 5: by the scenario") != std::string::npos);
  std::filesystem::remove(s.taps[0].file);
}

TEST_CASE("a tap's filter and length choose what is kept of it") {
  auto s = with_pauses();
  s.taps.resize(1);
  auto& t = s.taps[0];
  t.file = temporary("chosen.pcapng");
  t.filter = "ether proto 0x8808";
  auto r = run_checked(s);
  auto all = read(t.file);
  CHECK(all.size() > 10);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& f) { return f.control(); }));
  CHECK(r.taps[0].written == all.size());
  CHECK(r.taps[0].seen == all.size() + 3000);

  t.filter = "udp";
  t.snap_bytes = 64;
  t.direction = tap_settings::way::out;
  run_checked(s);
  CHECK(read(t.file).empty());  // it only receives
  t.direction = tap_settings::way::in;
  run_checked(s);
  all = read(t.file);
  REQUIRE(all.size() == 3000);
  CHECK(all[0].data.size() == 64);
  CHECK(all[0].wire_bytes == 1500);
  std::filesystem::remove(t.file);
}

TEST_CASE("a tap that cannot be written ends the run with an error, and leaves no file") {
  auto s = with_pauses();
  s.taps[0].file = "/nowhere/at/all.pcapng";
  s.taps[1].file = temporary("other.pcapng");
  s.taps[2].file = temporary("third.pcapng");
  CHECK_THROWS_AS(run(s, {}), traffic_error);
  CHECK_FALSE(std::filesystem::exists(s.taps[1].file));
}
