// What is shipped works: every scenario of the folder loads, does what its `expect` says, and has
// one result, whatever the number of threads and the order of activation.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "metrics/expect.hpp"
#include "scenarios/loader.hpp"
#include "tests/support/small_network.hpp"

using namespace sluice;
using namespace sluice::testing;

namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{SLUICE_SOURCE_DIR} / "scenarios";

// The prefixes that are run a hundred times each; what is longer takes too long for a test.
constexpr std::uint64_t prefix_hops = 60'000;
constexpr std::uint64_t orders = often(100);
// Whole runs below this are run whole in random order, too.
constexpr std::uint64_t short_run_hops = often(3'000'000);

std::vector<fs::path> shipped() {
  std::vector<fs::path> files;
  for (const auto& e : fs::recursive_directory_iterator{folder})
    if (e.path().extension() == ".yaml")
      files.push_back(e.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 6);
  return files;
}

scenario load(const fs::path& file) {
  auto r = load_scenario(file.string(), {.known_metrics = known_metric_names});
  REQUIRE_MESSAGE(r.value, render(r, false));
  CHECK_MESSAGE(r.diagnostics.empty(), render(r, false));
  return std::move(*r.value);
}

run_results run_with(const scenario& s, unsigned threads) {
  run_options o;
  o.threads = threads;
  return run(s, o);
}

run_results run_in_order(const scenario& s, std::uint64_t order) {
  run_options o;
  o.random_executor = true;
  o.executor_seed = order;
  return run(s, o);
}

// The longest beginning of a scenario, to some percent, that keeps within `prefix_hops`; the whole
// of it if that does.
scenario prefix_of(scenario s, const run_results& whole) {
  if (whole.packet_hops <= prefix_hops)
    return s;
  s.until_traffic_done = false;
  sim_time fits = 0, too_long = whole.virtual_time;
  s.duration = static_cast<sim_time>(static_cast<double>(too_long) * prefix_hops
                                     / static_cast<double>(whole.packet_hops));
  for (int i = 0; i < 12; ++i) {
    const auto hops = run_with(s, 1).packet_hops;
    (hops <= prefix_hops ? fits : too_long) = s.duration;
    if (hops <= prefix_hops && hops > prefix_hops * 8 / 10)
      break;
    s.duration = fits + (too_long - fits) / 2;
  }
  s.duration = fits;
  return s;
}

// Not what was read but what came out: each packet of a capture is due once for each repetition.
void check_replays_are_whole(const scenario& s, const run_results& r) {
  std::size_t i = 0;
  for (const auto& t : s.traffic) {
    const auto* settings = std::get_if<replay_settings>(&t.what);
    if (settings == nullptr)
      continue;
    CAPTURE(t.name);
    const auto& x = r.replays.at(i++);
    REQUIRE(x.flow == t.name);
    const auto flow = std::find_if(r.flows.begin(), r.flows.end(),
                                   [&](const auto& f) { return f.name == t.name; });
    REQUIRE(flow != r.flows.end());
    const auto once = x.packets - x.filtered - x.unmapped - x.oversize + x.split_into;
    // What goes to several is counted once for each of them.
    if (t.cast == cast_kind::captured)
      CHECK(flow->made.packets >= once * settings->timing.repeat);
    else
      CHECK(flow->made.packets == once * settings->timing.repeat);
  }
}

}  // namespace

TEST_CASE("every shipped scenario does what it says, the same with any threads and any order") {
  for (const auto& file : shipped()) {
    CAPTURE(file.filename().string());
    const auto begin = std::chrono::steady_clock::now();
    const auto s = load(file);
    CHECK(!s.expectations.empty());

    const auto whole = run_with(s, 1);
    for (const auto& v : whole.violations)
      FAIL_CHECK(v);
    CHECK(!whole.interrupted);
    CHECK(whole.delivered.packets > 0);
    check_replays_are_whole(s, whole);
    for (const auto& e : evaluate(s.expectations, whole))
      CHECK_MESSAGE(e.ok, e.text << ": measured " << measured_text(e) << " " << e.note);

    const auto expected = digest(whole);
    for (const unsigned threads : {1u, 2u, 4u}) {  // 1: the same again
      CAPTURE(threads);
      CHECK(digest(run_with(s, threads)) == expected);
    }
    const bool is_short = whole.packet_hops < short_run_hops;
    for (std::uint64_t order = 1; is_short && order <= 2; ++order) {
      CAPTURE(order);
      CHECK(digest(run_in_order(s, order)) == expected);
    }

    const auto prefix = prefix_of(s, whole);
    const auto first = run_with(prefix, 2);
    CHECK(first.violations.empty());
    CHECK(first.packet_hops <= prefix_hops);
    CHECK(first.delivered.packets > 0);
    const auto expected_first = digest(first);
    // Thousands of components take longer to build than to run.
    const auto tried =
        std::max<std::uint64_t>(4, std::min(orders, orders * 1000 / whole.components.size()));
    for (std::uint64_t order = 0; order < tried; ++order) {
      CAPTURE(order);
      CHECK(digest(run_in_order(prefix, order)) == expected_first);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    MESSAGE(fmt::format("{}: {} packet-hops{}, the first {} in {} orders; {:.1f} s",
                        file.filename().string(), whole.packet_hops,
                        is_short ? ", whole in 2 orders" : "", first.packet_hops, tried,
                        took.count()));
  }
}

// capinfos.csv holds what Wireshark's capinfos says of each capture: see captures/make.sh.
TEST_CASE("a replayed capture has the packets and bytes that capinfos counts") {
  struct row {
    std::uint64_t packets, wire_bytes, captured_bytes;
  };
  std::map<std::string, row> counted;
  std::ifstream csv{folder / "captures" / "capinfos.csv"};
  REQUIRE(csv);
  std::string line;
  std::getline(csv, line);
  REQUIRE(line == "file,packets,wire_bytes,captured_bytes");
  while (std::getline(csv, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream fields{line};
    std::string name;
    row x{};
    const bool read{fields >> name >> x.packets >> x.wire_bytes >> x.captured_bytes};
    REQUIRE(read);
    counted[name] = x;
  }
  REQUIRE(!counted.empty());

  std::set<std::string> replayed;
  for (const auto& file : shipped()) {
    CAPTURE(file.filename().string());
    auto s = load(file);
    s.until_traffic_done = false;
    s.duration = microsecond;  // captures are counted when they are opened
    for (const auto& x : run_with(s, 1).replays) {
      const auto name = fs::path{x.file}.filename().string();
      CAPTURE(name);
      REQUIRE(counted.count(name) == 1);
      CHECK(x.packets == counted[name].packets);
      CHECK(x.bytes == counted[name].wire_bytes);
      replayed.insert(name);
    }
  }
  CHECK(replayed.size() == counted.size());  // no capture is shipped for nothing
}
