#include "cli/execute.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"
#include "metrics/summary.hpp"
#include "topology/run.hpp"
#include "traffic/error.hpp"

namespace sluice {

namespace {

/// "2x", "0.5x" or "2": how fast the real clock runs.
double parse_speed(const std::string& text) {
  double speed = 0;
  const auto* end = text.data() + text.size() - (text.ends_with('x') ? 1 : 0);
  const auto [stopped, error] = std::from_chars(text.data(), end, speed);
  if (error != std::errc{} || stopped != end || !(speed > 0) || speed > 1e6)
    throw verb_failure{exit_usage,
                       fmt::format("--speed {}: write how many times faster than the wall "
                                   "clock, for example 2x or 0.5x (at most 1000000x)",
                                   text)};
  return speed;
}

}  // namespace

bool colours() {
  return isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

int with_exit_codes(const std::function<int()>& act) {
  try {
    return act();
  } catch (const verb_failure& e) {
    if (*e.what() != '\0')
      print_error(e.what());
    return e.code;
  } catch (const capture_error& e) {
    print_error(e.what());
    return exit_capture;
  } catch (const traffic_error& e) {
    print_error(e.what());
    return exit_usage;
  } catch (const engine_error& e) {
    print_error(e.what());
    return exit_engine;
  }
}

void run_settings::add_options(CLI::App& command) {
  command.add_option("--seed", seed, "Seed of everything random; default: the scenario's");
  command
      .add_option("--threads", threads, "Threads that run the actors; default: one per processor")
      ->check(CLI::Range(1U, 1024U));
  command.add_option("--speed", speed,
                     "Run on the real clock, so many times as fast as it (2x, 0.5x)");
  command.add_option("--set", set, "Change a value of the scenario: PATH=VALUE; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--executor", executor,
                  "What runs the actors: caf, or random (one thread, in an order drawn from the "
                  "seed; for tests, the results are the same)")
      ->check(CLI::IsMember({"caf", "random"}));
}

load_options load_settings(const std::vector<std::string>& set) {
  load_options options;
  options.set = set;
  options.known_metrics = known_metric_names;
  return options;
}

double real_speed(const scenario& s, const run_settings& settings) {
  if (!settings.speed.empty())
    return parse_speed(settings.speed);
  return s.clock == clock_kind::real_time ? s.speed : 0;
}

nlohmann::json summary_of(const outcome& done) {
  auto summary = summary_json(done.results, done.expectations);
  if (!done.changes.empty())
    summary["changes"] = done.changes;
  return summary;
}

load_result load_or_fail(const std::string& file, const std::vector<std::string>& set) {
  auto loaded = load_scenario(file, load_settings(set));
  if (!loaded.diagnostics.empty())
    fmt::print(stderr, "{}", render(loaded, colours()));
  if (!loaded.value)
    throw verb_failure{exit_usage, ""};

  // The loader knows names; what they may be compared with is known here.
  diagnostics_list problems;
  for (const auto& line : loaded.value->expectations)
    if (auto wrong = problem_of(line); !wrong.empty())
      problems.push_back({line.where,
                          static_cast<int>(line.text.size()),
                          std::move(wrong),
                          {},
                          diagnostic::severity::error});
  if (!problems.empty()) {
    fmt::print(stderr, "{}", render(loaded, problems, colours()));
    throw verb_failure{exit_usage, ""};
  }
  return loaded;
}

int most_serious(const std::vector<outcome>& outcomes) {
  for (const int code : {exit_engine, exit_interrupted, exit_expectation_failed})
    if (std::ranges::any_of(outcomes, [&](const auto& o) { return o.code == code; }))
      return code;
  return exit_ok;
}

outcome execute(scenario what, const run_settings& settings, interrupt_guard& interrupt,
                const watcher& who) {
  if (settings.seed)
    what.seed = *settings.seed;

  for (auto& t : what.taps)
    if (t.file.empty())
      t.file = (std::filesystem::path{settings.tap_folder} / (t.name + ".pcapng")).string();

  progress_bar bar{what.name, what.duration};
  run_options options;
  options.threads = settings.threads;
  options.random_executor = settings.executor == "random";
  options.executor_seed = what.seed;
  options.stop = &interrupt.flag();
  options.series = settings.sampled;
  options.series_interval = settings.series_interval;
  if (!settings.speed.empty())
    options.real_speed = parse_speed(settings.speed);
  options.steered = who.steers;
  options.depths = static_cast<bool>(who.look);
  if (who.look || bar.visible()) {
    options.snapshot_seconds = who.look ? 0.25 : 1;
    options.on_snapshot = [&](const run_results& so_far) {
      bar.snapshot(so_far);
      if (who.look)
        who.look(so_far);
    };
  }
  if (bar.visible())
    options.on_progress = [&](sim_time now, double wall) { bar.update(now, wall); };

  outcome out;
  out.results = run(what, options);
  out.expectations = evaluate(what.expectations, out.results);
  out.code = exit_code_of(out.results, out.expectations);
  return out;
}

}  // namespace sluice
