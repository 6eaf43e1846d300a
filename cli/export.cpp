/// \file
/// `sluice export openmetrics DIR`: the metrics of a run over time, for Prometheus.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "metrics/openmetrics.hpp"
#include "scenarios/quantity.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;

struct arguments {
  std::string format, directory, out, start, interval = "1s", job = "sluice", instance;
};

/// As the directory is called: of several runs each has one of its own.
std::string instance_of(const std::string& directory) {
  std::error_code error;
  auto path = fs::absolute(directory, error).lexically_normal();
  if (!path.has_filename())
    path = path.parent_path();
  return path.filename().string();
}

openmetrics_options options_of(const arguments& args) {
  openmetrics_options options;
  options.job = args.job;
  options.instance = args.instance.empty() ? instance_of(args.directory) : args.instance;
  const auto interval = parse_quantity(args.interval);
  // promtool may be a millisecond off.
  if (!interval.value || interval.value->what != quantity::kind::duration
      || interval.value->amount < 10 * millisecond || interval.value->amount > 3600 * second)
    throw verb_failure{exit_usage,
                       fmt::format("--interval {}: write Prometheus' time from sample to sample, "
                                   "for example 1s (10ms to 3600s)",
                                   args.interval)};
  options.interval_ms = static_cast<std::int64_t>(interval.value->amount / millisecond);
  if (!args.start.empty()) {
    try {
      options.time_ms = parse_utc_time(args.start);
    } catch (const std::invalid_argument& e) {
      throw verb_failure{exit_usage, fmt::format("--start: {}", e.what())};
    }
    return options;
  }
  // So that dashboards show it at once, and no retention takes it for old.
  using namespace std::chrono;
  options.ends = true;
  options.time_ms = 1'000 * duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
  return options;
}

std::ifstream open_history(const std::string& directory) {
  const auto path = fs::path{directory} / "metrics.jsonl";
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    const bool ran = fs::exists(fs::path{directory} / "summary.json", error);
    throw verb_failure{
        exit_usage, ran ? fmt::format(
                        "{} is not there: the run took no samples of its metrics (--metrics-every "
                        "off, or a very large network); run it again with --out {} "
                        "--metrics-every INTERVAL, for example 100us",
                        path.string(), directory)
                        : fmt::format("{} is not there; `sluice run FILE --out {}` writes it",
                                      path.string(), directory)};
  }
  std::ifstream in{path, std::ios::binary};
  if (!in)
    throw verb_failure{exit_usage, fmt::format("cannot read {}", path.string())};
  return in;
}

openmetrics_totals convert(const arguments& args,
                           const std::function<void(std::string_view)>& write) {
  const auto options = options_of(args);
  auto in = open_history(args.directory);
  try {
    return write_openmetrics(in, options, write);
  } catch (const history_error& e) {
    throw verb_failure{
        exit_usage, fmt::format("{} is broken: {}; run the scenario again with --out",
                                (fs::path{args.directory} / "metrics.jsonl").string(), e.what())};
  }
}

int act(const arguments& args) {
  openmetrics_totals done;
  if (args.out.empty() || args.out == "-") {
    done = convert(args, [](std::string_view text) {
      if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        throw verb_failure{exit_usage, fmt::format("cannot write to the standard output: {}",
                                                   std::generic_category().message(errno))};
    });
    if (std::fflush(stdout) != 0)
      throw verb_failure{exit_usage, fmt::format("cannot write to the standard output: {}",
                                                 std::generic_category().message(errno))};
  } else {
    write_whole(args.out, [&](std::ostream& out) {
      done = convert(args, [&](std::string_view text) {
        out.write(text.data(), static_cast<std::streamsize>(text.size()));
      });
    });
  }
  fmt::print(stderr, "sluice: {} series with {} samples, {} to {}\n", done.series, done.samples,
             utc_time(done.first_ms), utc_time(done.last_ms));
  return exit_ok;
}

}  // namespace

verb add_export(CLI::App& app) {
  auto* command =
      app.add_subcommand("export", "Write the metrics of a run over time, for Prometheus");
  const auto args = std::make_shared<arguments>();
  command->add_option("FORMAT", args->format, "openmetrics")
      ->required()
      ->check(CLI::IsMember({"openmetrics"}));
  command->add_option("DIR", args->directory, "What `sluice run --out` has written")->required();
  command->add_option("-o,--out", args->out, "File to write; default: the standard output");
  command->add_option("--start", args->start,
                      "Prometheus' time of the begin of the run, as 2026-11-22T03:00:00Z or in "
                      "seconds since 1970; default: so that it ends now");
  command->add_option("--interval", args->interval,
                      "Prometheus' time from sample to sample; default: 1s, as its configuration "
                      "here has it");
  command->add_option("--instance", args->instance,
                      "Label of all series; default: the name of DIR");
  command->add_option("--job", args->job, "Likewise; default: sluice");
  return {command, [args] { return with_exit_codes([&] { return act(*args); }); }};
}

}  // namespace sluice
