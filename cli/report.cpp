/// \file
/// `sluice report DIR`: the page of a run, made again from its files. `sluice diff DIR DIR`: two
/// runs side by side.
#include "report/report.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "report/diff.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What `run` writes is far smaller: its series are bounded, its summary grows with the network.
constexpr std::uintmax_t largest_json = 256u << 20;

std::string read_file(const fs::path& path, std::uintmax_t largest) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw verb_failure{exit_usage, fmt::format("{} is not there; `sluice run FILE --out {}` writes "
                                               "it",
                                               path.string(), path.parent_path().string())};
  const auto size = fs::file_size(path, error);
  if (!error && size > largest)
    throw verb_failure{exit_usage, fmt::format("{} has {} MiB; at most {} are read", path.string(),
                                               size >> 20, largest >> 20)};
  std::ifstream in{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (error || !in)
    throw verb_failure{exit_usage, fmt::format("cannot read {}", path.string())};
  return text;
}

json read_json(const fs::path& path, std::string (*problem)(const json&)) {
  const auto text = read_file(path, largest_json);
  try {
    return read_checked(text, problem);
  } catch (const std::invalid_argument& e) {
    throw verb_failure{exit_usage,
                       fmt::format("{} is broken: {}; run the scenario again with --out",
                                   path.string(), e.what())};
  }
}

report_parts read_parts(const fs::path& folder) {
  report_parts parts;
  parts.summary = read_json(folder / "summary.json", problem_of_summary);
  std::error_code error;
  // A run with --series off has none.
  if (fs::exists(folder / "series.json", error))
    parts.series = read_json(folder / "series.json", problem_of_series);
  parts.scenario = read_file(folder / "scenario.yaml", max_scenario_bytes);
  // Its captures may be elsewhere.
  load_options options;
  options.check_files = false;
  options.set = parts.summary.value("set", std::vector<std::string>{});
  add_topology(parts, load_scenario((folder / "scenario.yaml").string(), options));
  add_tap_files(parts, folder);
  return parts;
}

int report(const std::string& directory) {
  const auto page = report_html(read_parts(directory));
  const auto path = fs::path{directory} / "report.html";
  write_whole(path, page);
  fmt::print("{}\n", path.string());
  return exit_ok;
}

int diff(const std::string& a, const std::string& b, const std::string& out) {
  const auto x = read_json(fs::path{a} / "summary.json", problem_of_summary);
  const auto y = read_json(fs::path{b} / "summary.json", problem_of_summary);
  const auto figures = diff_text({a, &x}, {b, &y});
  if (!out.empty()) {
    named_report one{a, read_parts(a)}, other{b, read_parts(b)};
    // From this page they are elsewhere.
    for (auto* r : {&one, &other})
      r->parts.tap_files.clear();
    write_whole(out, diff_html(one, other, figures));
  }
  fmt::print("{}", figures);
  return exit_ok;
}

}  // namespace

verb add_report(CLI::App& app) {
  auto* command =
      app.add_subcommand("report", "Make the report of a run again, from its output directory");
  const auto directory = std::make_shared<std::string>();
  command->add_option("DIR", *directory, "What `sluice run --out` has written")->required();
  return {command, [directory] { return with_exit_codes([&] { return report(*directory); }); }};
}

verb add_diff(CLI::App& app) {
  auto* command = app.add_subcommand("diff", "Show the main figures of two runs side by side");
  struct arguments {
    std::string one, other, out;
  };
  const auto args = std::make_shared<arguments>();
  command->add_option("DIR", args->one, "What `sluice run --out` has written")->required();
  command->add_option("OTHER", args->other, "Likewise, of the other run")->required();
  command->add_option("--out", args->out, "File for both reports side by side, as one HTML page");
  return {command, [args] {
            return with_exit_codes([&] { return diff(args->one, args->other, args->out); });
          }};
}

}  // namespace sluice
