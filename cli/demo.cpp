/// \file
/// `sluice demo`: the same captured traffic without and with flow control, side by side.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "metrics/summary.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;

struct demo_run {
  std::string_view name;  ///< of its column
  std::string_view file;
};

constexpr std::array demo_runs{demo_run{"no flow control", "demo-lossy.yaml"},
                               demo_run{"on/off at every hop", "demo-lossless.yaml"}};

struct arguments {
  run_settings settings;
  bool json = false;
};

/// The source tree that the program was built from, else the neighbourhood of the program.
fs::path scenario_file(std::string_view name) {
  std::error_code error;
  const auto beside = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> folders{fs::path{SLUICE_DATA_DIR} / "scenarios"};
  if (!error)
    for (const auto* relative : {"scenarios", "../scenarios", "../share/sluice/scenarios"})
      folders.push_back((beside / relative).lexically_normal());
  for (const auto& folder : folders)
    if (fs::exists(folder / name, error))
      return folder / name;
  std::string looked;
  for (const auto& folder : folders)
    looked += fmt::format("\n  {}", folder.string());
  throw verb_failure{exit_usage,
                     fmt::format("the demo's scenario {} is in none of these folders; run "
                                 "the program from its source tree:{}",
                                 name, looked)};
}

std::string headline(const scenario& what) {
  std::size_t hosts = 0, switches = 0, vms = 0;
  for (const auto& n : what.nodes) {
    switches += std::holds_alternative<switch_settings>(n.as) ? 1 : 0;
    if (const auto* host = std::get_if<host_settings>(&n.as)) {
      ++hosts;
      vms += host->vms.size();
    }
  }
  const auto plural = [](std::size_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
  };
  std::vector<std::string> captures;
  for (const auto& entry : what.traffic)
    if (const auto* replay = std::get_if<replay_settings>(&entry.what))
      captures.push_back(fs::path{replay->file}.filename().string());
  return fmt::format("{} on {}, {}; replayed: {}", plural(vms, "VM", "VMs"),
                     plural(hosts, "host", "hosts"), plural(switches, "switch", "switches"),
                     captures.empty() ? "nothing" : fmt::format("{}", fmt::join(captures, ", ")));
}

int act(const arguments& args) {
  interrupt_guard interrupt;
  std::vector<outcome> outcomes;
  std::string about;
  for (const auto& each : demo_runs) {
    const auto loaded = load_or_fail(scenario_file(each.file).string(), args.settings.set);
    about = headline(*loaded.value);
    outcomes.push_back(execute(*loaded.value, args.settings, interrupt));
    if (outcomes.back().results.interrupted)
      break;
  }

  if (args.json) {
    auto all = nlohmann::json::array();
    for (const auto& o : outcomes)
      all.push_back(summary_json(o.results, o.expectations));
    fmt::print("{}", json_line({{"runs", std::move(all)}}));
  } else {
    std::vector<named_run> columns;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      columns.push_back({demo_runs[i].name, &outcomes[i].results});
    fmt::print("{}\n\n{}\n", about, comparison_text(columns));
    for (const auto& o : outcomes) {
      const auto held = std::ranges::count_if(o.expectations, &expectation_result::ok);
      fmt::print("{}: {} of {} expectations held\n", o.results.scenario, held,
                 o.expectations.size());
      for (const auto& e : o.expectations)
        if (!e.ok)
          fmt::print("  NOT MET: {} (measured {}) {}\n", e.text, measured_text(e), e.note);
      for (const auto& wrong : o.results.violations)
        fmt::print("  VIOLATED: {}\n", wrong);
    }
    fmt::print("Run them yourself: ./sluice run scenarios/{}\n", demo_runs.back().file);
  }
  return most_serious(outcomes);
}

}  // namespace

verb add_demo(CLI::App& app) {
  auto* command = app.add_subcommand(
      "demo", "Replay captured traffic without and with flow control, side by side");
  const auto args = std::make_shared<arguments>();
  args->settings.add_options(*command);
  command->add_flag("--json", args->json,
                    "Print both summaries as one JSON object: {\"runs\": [...]}");
  return {command, [args] { return with_exit_codes([&] { return act(*args); }); }};
}

}  // namespace sluice
