#include "metrics/exposition.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "metrics/catalogue.hpp"
#include "tests/metrics/example_run.hpp"

using namespace sluice;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  std::istringstream in{text};
  for (std::string each; std::getline(in, each);)
    if (each == line)
      return true;
  return false;
}

/// What promtool says about a text: its exit code and output.
std::pair<int, std::string> promtool_check(const std::string& metrics) {
  char name[] = "/tmp/sluice-metrics-XXXXXX";
  const int fd = mkstemp(name);
  REQUIRE(fd >= 0);
  close(fd);
  std::ofstream{name} << metrics;
  const auto command = std::string{"promtool check metrics < "} + name + " 2>&1";
  std::string said;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char block[4096];
  while (std::fgets(block, sizeof block, pipe) != nullptr)
    said += block;
  const int status = pclose(pipe);
  std::remove(name);
  return {WEXITSTATUS(status), said};
}

bool have_promtool() {
  if (std::system("command -v promtool >/dev/null 2>&1") == 0)
    return true;
  MESSAGE("SKIPPED: promtool is not installed (Debian package prometheus)");
  return false;
}

}  // namespace

TEST_CASE("flows, components and hops become labelled series") {
  const auto text = metrics_text(example_run());
  CHECK(has_line(text, R"(sluice_made_packets_total{flow="storage"} 60)"));
  CHECK(has_line(text, R"(sluice_held_packets{flow="noise"} 3)"));
  CHECK(has_line(
      text,
      R"(sluice_drops_packets_total{component="h3/vm4.socket.rx",node="h3",reason="mtu_exceeded",priority="3"} 2)"));
  CHECK(has_line(
      text,
      R"(sluice_queue_max_bytes{component="h3/vm4.socket.rx",kind="queue",node="h3"} 65536)"));
  CHECK(
      has_line(text, R"(sluice_stopped_seconds_total{on="h3/vm4.socket.rx",priority="all"} 0.02)"));
  CHECK(has_line(text, R"(sluice_stops_sent_total{on="leaf1:p2",priority="3"} 0)"));
  CHECK(has_line(text, R"(sluice_run_info{scenario="example",version=")" SLUICE_VERSION
                       R"(",fingerprint="9f0c000000000001",seed="42",clock="virtual"} 1)"));
  CHECK(has_line(text, "sluice_virtual_time_seconds 0.2"));
  CHECK(has_line(text, "sluice_run_over 1"));
  // In between a fingerprint would be another series with each snapshot.
  auto so_far = example_run();
  so_far.over = false;
  CHECK(metrics_text(so_far).find("fingerprint=\"\"") != std::string::npos);
}

TEST_CASE("latency is a cumulative histogram in seconds that ends at the count") {
  const auto text = metrics_text(example_run());
  CHECK(has_line(text, R"(sluice_latency_seconds_count{flow="storage"} 60)"));
  CHECK(has_line(text, R"(sluice_latency_seconds_bucket{flow="storage",le="+Inf"} 60)"));
  CHECK(has_line(text, R"(sluice_latency_seconds_bucket{flow="storage",le="0.0001"} 60)"));
  CHECK(has_line(text, R"(sluice_latency_seconds_bucket{flow="storage",le="1e-07"} 0)"));
  CHECK(has_line(text, R"(sluice_latency_seconds_sum{flow="storage"} 0.00183)"));
}

TEST_CASE("a family without a series is left out") {
  auto run = example_run();
  run.replays.clear();
  CHECK(metrics_text(run).find("sluice_capture_") == std::string::npos);
}

TEST_CASE("names with quotes and backslashes are escaped") {
  auto run = example_run();
  run.scenario = "a\"b\\c";
  CHECK(metrics_text(run).find(R"(scenario="a\"b\\c")") != std::string::npos);
}

TEST_CASE("promtool has nothing to say about the metrics") {
  if (!have_promtool())
    return;
  const auto [code, said] = promtool_check(metrics_text(example_run()));
  CHECK(code == 0);
  CHECK(said == "");
}

TEST_CASE("promtool has nothing to say about the metrics of an empty run") {
  if (!have_promtool())
    return;
  const auto [code, said] = promtool_check(metrics_text(run_results{}));
  CHECK(code == 0);
  CHECK(said == "");
}

TEST_CASE("the manual explains every metric, and no other") {
  std::ifstream in{SLUICE_SOURCE_DIR "/docs/metrics.md"};
  std::stringstream page;
  page << in.rdbuf();
  const auto text = page.str();
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = text.find("| `sluice_", at)) != std::string::npos; ++at)
    ++rows;
  CHECK(rows == metric_catalogue().size());
  for (const auto& metric : metric_catalogue())
    CHECK_MESSAGE(text.find("| `" + std::string{metric.name} + "` |") != std::string::npos,
                  metric.name);
}
