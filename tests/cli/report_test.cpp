#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

using namespace sluice;

namespace {

using nlohmann::json;

json json_file(const std::string& path) {
  return json::parse(read_text_of(path));
}

/// A run into a folder of its own; its summary without what the machine had to do with it.
json run_into(const std::string& folder, const std::string& file,
              std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"run", file, "--out", folder, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto done = run_program(arguments);
  INFO(done.err);
  REQUIRE(done.code <= 1);
  auto summary = json::parse(done.out);
  for (const auto* key :
       {"threads", "wall_seconds", "setup_seconds", "packet_hops_per_second", "engine"})
    summary.erase(key);
  return summary;
}

/// What the script of the page reads.
json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const auto from = page.find(begin);
  REQUIRE(from != std::string::npos);
  return json::parse(
      page.substr(from + begin.size(), page.find("</script>", from) - from - begin.size()));
}

}  // namespace

TEST_CASE("a run with --out writes a report with the figures of --json") {
  const temporary_folder folder;
  const auto summary = run_into(folder / "o", "scenarios/stalled-vm.yaml");
  const auto data = data_of(read_text_of(folder / "o/report.html"));
  CHECK(data["summary"] == json_file(folder / "o/summary.json"));
  CHECK(data["series"] == json_file(folder / "o/series.json"));
  CHECK(data["summary"]["flows"] == summary["flows"]);
  CHECK(data["summary"]["fingerprint"] == summary["fingerprint"]);
  CHECK(data["scenario"] == read_text_of("scenarios/stalled-vm.yaml"));
  CHECK(data["topology"]["links"].size() > 0);
  CHECK(data["picture"].get<std::string>().starts_with("<svg"));

  // Made again it is the same.
  const auto before = read_text_of(folder / "o/report.html");
  std::filesystem::remove(folder / "o/report.html");
  const auto done = run_program({"report", folder / "o"});
  CHECK(done.code == 0);
  CHECK(done.out == folder / "o/report.html\n");
  CHECK(read_text_of(folder / "o/report.html") == before);
}

TEST_CASE("a report knows what --set has changed, and where the files of taps are") {
  const temporary_folder folder;
  run_into(
      folder / "o", "scenarios/pfc-incast.yaml",
      {"--set", "traffic.write.generate.packets=50", "--set", "h5/disk.drain=3Gbit", "--tap",
       "h5:nic0", folder / "o/in here.pcapng", "--tap", "h6/client", folder / "elsewhere.pcapng"});
  const auto data = data_of(read_text_of(folder / "o/report.html"));
  CHECK(data["summary"]["set"] == json{"traffic.write.generate.packets=50", "h5/disk.drain=3Gbit"});
  CHECK(data["tap_files"] == json{"in here.pcapng", "../elsewhere.pcapng"});
  const auto& taps = data["summary"]["taps"];
  REQUIRE(taps.size() == 2);
  CHECK(taps[0]["on"] == "h5:nic0");
  CHECK(taps[0]["bytes"] == std::filesystem::file_size(folder / "o/in here.pcapng"));
  CHECK(taps[1]["bytes"] == std::filesystem::file_size(folder / "elsewhere.pcapng"));
  CHECK(taps[0]["dropped"] == 0);

  // Made again it is the same; in another place it finds what was moved with it.
  const auto before = read_text_of(folder / "o/report.html");
  CHECK(run_program({"report", folder / "o"}).code == 0);
  CHECK(read_text_of(folder / "o/report.html") == before);
  std::filesystem::rename(folder / "o", folder / "moved");
  CHECK(run_program({"report", folder / "moved"}).code == 0);
  CHECK(data_of(read_text_of(folder / "moved/report.html"))["tap_files"] == data["tap_files"]);
  std::filesystem::remove(folder / "moved/in here.pcapng");
  CHECK(run_program({"report", folder / "moved"}).code == 0);
  CHECK(data_of(read_text_of(folder / "moved/report.html"))["tap_files"]
        == json{"", "../elsewhere.pcapng"});
}

TEST_CASE("the picture of a report that is made again is that of the changed scenario") {
  const temporary_folder folder;
  run_into(folder / "o", "scenarios/smallest.yaml", {"--set", "defaults.link.rate=40Gbit"});
  const auto first = data_of(read_text_of(folder / "o/report.html"));
  CHECK(first["topology"]["links"][0]["rate_bps"] == 40'000'000'000);
  CHECK(run_program({"report", folder / "o"}).code == 0);
  CHECK(data_of(read_text_of(folder / "o/report.html")) == first);
}

TEST_CASE("a series ends with the figures of the summary, and never goes back") {
  const temporary_folder folder;
  for (const auto* file : {"scenarios/incast-lossy.yaml", "scenarios/pfc-incast.yaml"}) {
    CAPTURE(file);
    const auto summary = run_into(folder / "o", file);
    const auto series = json_file(folder / "o/series.json");
    const auto& seconds = series["seconds"];
    CHECK(seconds.size() > 50);
    CHECK(seconds.size() <= 801);
    CHECK(std::is_sorted(seconds.begin(), seconds.end()));
    CHECK(seconds.back() == summary["virtual_seconds"]);
    CHECK(series["fingerprint"] == summary["fingerprint"]);
    REQUIRE(series["flows"].size() == summary["flows"].size());
    for (const auto& f : series["flows"]) {
      const auto& whole = summary["flows"][f["flow"].get<std::string>()];
      CHECK(f["delivered"].back() == whole["delivered"]);
      CHECK(f["dropped"].back() == whole["dropped"]);
      CHECK(std::is_sorted(f["delivered"].begin(), f["delivered"].end()));
      std::uint64_t in_histogram = 0;
      for (const auto& n : f["latency"]["packets"])
        in_histogram += n.get<std::uint64_t>();
      CHECK(in_histogram == whole["delivered"]);
    }
    std::uint64_t dropped = 0;
    for (const auto& c : series["components"]) {
      const auto& whole = summary["components"][c["component"].get<std::string>()];
      if (c.contains("dropped"))
        dropped += c["dropped"].back().get<std::uint64_t>();
      // The samples may miss the peak, but not exceed it. (An engine's is by ingress.)
      if (c.contains("held_bytes") && c["kind"] == "queue")
        for (const auto& held : c["held_bytes"])
          CHECK(held.get<std::int64_t>() <= whole["max_bytes"].get<std::int64_t>());
    }
    CHECK(dropped == summary["packets"]["dropped"]);
    for (const auto& p : series["pauses"]) {
      bool found = false;
      for (const auto& whole : summary["pauses"])
        if (whole["on"] == p["on"] && whole["holds"] == p["holds"]
            && whole["priority"] == p["priority"])
          found = found || whole["paused_seconds"] == p["paused_seconds"].back();
      CHECK(found);
    }
  }
}

TEST_CASE("series do not depend on who runs the actors, and change nothing") {
  const temporary_folder folder;
  for (const auto* file : {"scenarios/stalled-vm.yaml", "scenarios/pfc-incast.yaml",
                           "scenarios/pfc-deadlock.yaml", "scenarios/elastic-fifo.yaml"}) {
    CAPTURE(file);
    const auto summary = run_into(folder / "a", file, {"--threads", "1"});
    const auto series = read_text_of(folder / "a/series.json");
    CHECK(run_into(folder / "a", file, {"--threads", "2"}) == summary);
    CHECK(read_text_of(folder / "a/series.json") == series);
    CHECK(run_into(folder / "a", file, {"--executor", "random"}) == summary);
    CHECK(read_text_of(folder / "a/series.json") == series);
    // How often samples are taken, or whether, is not seen in what the run finds.
    CHECK(run_into(folder / "a", file, {"--series", "7us"}) == summary);
    CHECK(json_file(folder / "a/series.json")["interval_seconds"] >= 7e-6);
    CHECK(run_into(folder / "a", file, {"--series", "off"}) == summary);
    CHECK_FALSE(std::filesystem::exists(folder / "a/series.json"));
    CHECK(data_of(read_text_of(folder / "a/report.html"))["series"].is_null());
  }
}

TEST_CASE("a long series becomes coarser, not longer") {
  const temporary_folder folder;
  run_into(folder / "o", "scenarios/stalled-vm.yaml", {"--series", "100ns"});
  const auto series = json_file(folder / "o/series.json");
  CHECK(series["seconds"].size() <= 8001);
  CHECK(series["seconds"].size() > 4000);
  CHECK(series["interval_seconds"] > 1e-7);
}

TEST_CASE("of too many columns those with the largest peaks are kept, and the others counted") {
  const temporary_folder folder;
  write_text(folder / "s.yaml",
             "nodes:\n"
             "  a: {kind: host, vms: {\"v[1-60]\": {}}}\n"
             "  b: {kind: host, vms: {\"w[1-60]\": {drain: 20Mbit}}}\n"
             "links: [a -- b]\n"
             "traffic: {t: {generate: {rate: 5Gbit}, from: \"a/v[1-60]\", to: \"b/w[1-60]\"}}\n"
             "duration: 1ms\n"
             "defaults: {flow-control: on_off}\n");
  run_into(folder / "o", folder / "s.yaml", {"--series", "130ns"});
  const auto series = json_file(folder / "o/series.json");
  CHECK(series["left_out"]["components"] > 0);
  CHECK(series["left_out"]["flows"] == 0);
  std::size_t values = 0;
  for (const auto* group : {"flows", "components", "pauses", "pause_frames"})
    for (const auto& each : series[group])
      for (const auto& column : each)
        values += column.is_array() ? column.size() : 0;
  CHECK(values > 0);
  CHECK(values <= 4'000'000);
  bool fullest = false;  // the one queue that all share
  for (const auto& c : series["components"])
    fullest = fullest || c["component"] == "a:nic0-tx";
  CHECK(fullest);
}

TEST_CASE("diff shows two runs side by side") {
  const temporary_folder folder;
  run_into(folder / "a", "scenarios/incast-lossy.yaml");
  run_into(folder / "b", "scenarios/incast-lossless.yaml");
  const auto done = run_program({"diff", folder / "a", folder / "b"});
  CHECK(done.code == 0);
  for (const auto* part : {"incast-lossy", "incast-lossless", "  dropped", "-100.0%", "lost at",
                           "senders stopped by", "p99", "goodput"}) {
    CAPTURE(part);
    CHECK(done.out.find(part) != std::string::npos);
  }
  const auto page = folder / "both.html";
  const auto drawn = run_program({"diff", folder / "a", folder / "b", "--out", page});
  CHECK(drawn.code == 0);
  CHECK(drawn.out == done.out);
  CHECK(data_of(read_text_of(page)).size() == 2);
  CHECK(run_program({"diff", folder / "a", folder / "b", "--out", folder / "no/x.html"}).code == 2);

  const auto same = run_program({"diff", folder / "a", folder / "a"});
  CHECK(same.out.find("differs") == std::string::npos);
}
