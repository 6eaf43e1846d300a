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

std::optional<verb_failure> failure_of(const std::function<void()>& act) {
  try {
    act();
    return std::nullopt;
  } catch (const verb_failure& e) {
    return e;
  } catch (const capture_error& e) {
    return verb_failure{exit_capture, e.what()};
  } catch (const traffic_error& e) {
    return verb_failure{exit_usage, e.what()};
  } catch (const engine_error& e) {
    return verb_failure{exit_engine, e.what()};
  }
}

int with_exit_codes(const std::function<int()>& act) {
  int code = exit_ok;
  const auto failed = failure_of([&] { code = act(); });
  if (!failed)
    return code;
  if (*failed->what() != '\0')
    print_error(failed->what());
  return failed->code;
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

load_result load_checked(const std::string& file, const std::vector<std::string>& set) {
  auto loaded = load_scenario(file, load_settings(set));
  if (!loaded.value)
    return loaded;
  // The loader knows names; what they may be compared with is known here.
  bool wrong_lines = false;
  for (const auto& line : loaded.value->expectations)
    if (auto wrong = problem_of(line); !wrong.empty()) {
      loaded.diagnostics.push_back({line.where,
                                    static_cast<int>(line.text.size()),
                                    std::move(wrong),
                                    {},
                                    diagnostic::severity::error});
      wrong_lines = true;
    }
  if (wrong_lines)
    loaded.value.reset();
  return loaded;
}

load_result load_or_fail(const std::string& file, const std::vector<std::string>& set) {
  auto loaded = load_checked(file, set);
  if (!loaded.diagnostics.empty())
    fmt::print(stderr, "{}", render(loaded, colours()));
  if (!loaded.value)
    throw verb_failure{exit_usage, ""};
  return loaded;
}

int most_serious(std::span<const int> codes) {
  for (const int code :
       {exit_engine, exit_interrupted, exit_capture, exit_usage, exit_expectation_failed})
    if (std::ranges::find(codes, code) != codes.end())
      return code;
  return exit_ok;
}

int most_serious(const std::vector<outcome>& outcomes) {
  std::vector<int> codes;
  for (const auto& o : outcomes)
    codes.push_back(o.code);
  return most_serious(codes);
}

outcome execute(scenario what, const run_settings& settings, interrupt_guard& interrupt,
                const watcher& who) {
  if (settings.seed)
    what.seed = *settings.seed;

  for (auto& t : what.taps)
    if (t.file.empty())
      t.file = (std::filesystem::path{settings.tap_folder} / (t.name + ".pcapng")).string();

  std::optional<progress_bar> bar;
  if (settings.progress)
    bar.emplace(what.name, what.duration);
  const bool visible = bar && bar->visible();
  run_options options;
  options.threads = settings.threads;
  options.random_executor = settings.executor == "random";
  options.executor_seed = what.seed;
  options.stop = &interrupt.flag();
  options.series = settings.sampled;
  options.series_interval = settings.series_interval;
  options.history = settings.all_metrics;
  options.history_interval = settings.metrics_interval;
  if (!settings.speed.empty())
    options.real_speed = parse_speed(settings.speed);
  options.steered = who.steers;
  options.depths = static_cast<bool>(who.look);
  if (who.look || visible) {
    options.snapshot_seconds = who.look ? 0.25 : 1;
    options.on_snapshot = [&](const run_results& so_far) {
      if (visible)
        bar->snapshot(so_far);
      if (who.look)
        who.look(so_far);
    };
  }
  if (visible)
    options.on_progress = [&](sim_time now, double wall) { bar->update(now, wall); };

  outcome out;
  out.results = run(what, options);
  out.results.set = settings.set;
  out.expectations = evaluate(what.expectations, out.results);
  out.code = exit_code_of(out.results, out.expectations);
  return out;
}

}  // namespace sluice
