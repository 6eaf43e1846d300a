/// \file
/// `sluice run FILE`: one scenario, once.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "live/changes.hpp"
#include "live/live_server.hpp"
#include "live/run_view.hpp"
#include "metrics/summary.hpp"
#include "scenarios/quantity.hpp"
#include "topology/steering.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;

struct arguments {
  std::string file;
  std::vector<std::string> taps;  // PORT, FILE, PORT, FILE...
  run_settings settings;
  std::string out;
  std::optional<std::string> serve;
  std::optional<std::string> series, metrics_every;
  bool hold = false;
  bool json = false;
};

/// Who watches a run, and may change it: what `--serve` needs, in the order in which it is taken
/// down.
struct watched {
  steering steers;
  live_changes changes;
  std::unique_ptr<live_server> server;

  watched(const arguments& args, const load_result& loaded, const run_settings& settings)
      : changes{loaded, args.file, load_settings(settings.set), steers} {
    const auto& s = *loaded.value;
    live_options options;
    options.token = make_token();
    options.speed = real_speed(s, settings);
    try {
      options.where = parse_serve_address(*args.serve);
      server = std::make_unique<live_server>(options, s, changes, steers);
    } catch (const std::exception& e) {
      throw verb_failure{exit_usage, e.what()};
    }
    fmt::print(stderr, "sluice: serving metrics at {}/metrics\nsluice: live page at {}/#token={}\n",
               server->url(), server->url(), options.token);
  }
};

/// The arguments, quoted, that repeat a run that was changed while it went on, on either clock, to
/// the same fingerprint.
std::string repeating(const std::string& file, const arguments& args, const run_results& results,
                      const live_changes& changes) {
  std::vector<std::string> out{"run", file};
  const auto& own = args.settings;
  if (own.seed)
    out.insert(out.end(), {"--seed", std::to_string(*own.seed)});
  for (const auto& s : own.set)
    out.insert(out.end(), {"--set", s});
  for (const auto& s : changes.overrides())
    out.insert(out.end(), {"--set", s});
  // It ended where somebody had enough of it.
  if (results.interrupted)
    out.insert(out.end(), {"--set", fmt::format("duration={}ps", results.virtual_time)});
  std::string line;
  for (const auto& a : out)
    line += (line.empty() ? "" : " ") + shell_quoted(a);
  return line;
}

/// "off", or an interval of virtual time such as 100us. Without the option a run with an output
/// directory is sampled, at an interval of the program's choice.
void choose_samples(std::string_view option, const std::optional<std::string>& said,
                    const std::string& out, bool& sampled, sim_time& every) {
  if (said == "off")
    return;
  if (said) {
    if (out.empty())
      throw verb_failure{
          exit_usage, fmt::format("{} is written to the output directory: add --out DIR", option)};
    const auto interval = parse_quantity(*said);
    if (!interval.value || interval.value->what != quantity::kind::duration
        || interval.value->amount < nanosecond || interval.value->amount > 1000 * second)
      throw verb_failure{exit_usage,
                         fmt::format("{} {}: write the virtual time from sample to sample, "
                                     "for example 100us (1ns to 1000s), or off",
                                     option, *said)};
    every = static_cast<sim_time>(interval.value->amount);
  }
  sampled = !out.empty();
}

/// What `--set` changes, and taps as keys of the scenario, whose checks say what is wrong with
/// them.
std::vector<std::string> changes(const arguments& args) {
  auto set = args.settings.set;
  for (std::size_t i = 0; i + 1 < args.taps.size(); i += 2) {
    const auto tap = fmt::format("taps.tap{}", i / 2 + 1);
    // JSON's strings are YAML's: "-" alone would be a list.
    set.push_back(fmt::format("{}.on={}", tap, nlohmann::json(args.taps[i]).dump()));
    set.push_back(fmt::format("{}.file={}", tap, nlohmann::json(args.taps[i + 1]).dump()));
  }
  return set;
}

int act(const arguments& args) {
  auto settings = args.settings;
  choose_samples("--series", args.series, args.out, settings.sampled, settings.series_interval);
  choose_samples("--metrics-every", args.metrics_every, args.out, settings.all_metrics,
                 settings.metrics_interval);
  settings.tap_folder = args.out;
  if (args.hold && !args.serve)
    throw verb_failure{exit_usage, "--hold keeps the live page and the metrics up: add --serve"};
  // From here on: whoever interrupts, even before the run has begun, gets what there is.
  interrupt_guard interrupt;
  const auto loaded = load_or_fail(args.file, changes(args));
  const auto& taps = loaded.value->taps;
  const bool piped = std::ranges::any_of(taps, [](const auto& t) { return t.file == "-"; });
  if (piped && args.json)
    throw verb_failure{exit_usage, "a tap has the standard output: --json has no room there"};
  if (!args.out.empty())
    prepare_output(args.out);

  std::optional<watched> live;
  watcher who;
  if (args.serve) {
    live.emplace(args, loaded, settings);
    who.steers = &live->steers;
    who.look = [&](const run_results& so_far) { live->server->publish(so_far); };
  }

  auto done = execute(*loaded.value, settings, interrupt, who);
  if (live)
    done.changes = live->changes.list();
  if (args.json)
    fmt::print("{}", json_line(summary_of(done)));
  else
    fmt::print(piped ? stderr : stdout, "{}", summary_text(done.results, done.expectations));
  std::fflush(stdout);
  // Last, so that a full disk does not also cost what the run found.
  if (!args.out.empty()) {
    if (!done.changes.empty())
      write_script(args.out,
                   repeating(fs::absolute(args.file).string(), args, done.results, live->changes));
    write_output(args.out, loaded, done);
  }

  if (live) {
    if (!done.changes.empty())
      fmt::print(stderr, "sluice: the run was changed; this repeats it:\nsluice {}\n",
                 repeating(args.file, args, done.results, live->changes));
    live->server->close(done.results, verdict_json(done.results, done.expectations));
    if (args.hold && !interrupt.flag()) {
      fmt::print(stderr, "sluice: the run is over; still serving at {}/ until Ctrl-C\n",
                 live->server->url());
      interrupt.wait();
    }
  }
  return done.code;
}

}  // namespace

verb add_run(CLI::App& app) {
  auto* command = app.add_subcommand("run", "Run a scenario");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario (YAML)")->required();
  args->settings.add_options(*command);
  command->add_option("--out", args->out,
                      "Directory for report.html, summary.json, series.json, summary.txt, "
                      "metrics.prom, metrics.jsonl and the scenario");
  command->add_option("--series", args->series,
                      "With --out: virtual time from sample to sample of the time series, or off; "
                      "default: some hundred samples");
  command->add_option(
      "--metrics-every", args->metrics_every,
      "With --out: virtual time from sample to sample of all metrics, for `export`, "
      "or off; default: some hundred samples, none of very large networks");
  command
      ->add_option("--tap", args->taps,
                   "Write what passes a port as pcapng; FILE - is the standard output, as for "
                   "wireshark -k -i -; may be repeated")
      ->type_name("PORT FILE")
      ->type_size(2)
      ->allow_extra_args(false);
  command
      ->add_option("--serve", args->serve,
                   "Serve the live page and Prometheus metrics at ADDR:PORT (alone: "
                   "127.0.0.1:9464)")
      ->type_name("[=ADDR:PORT]");
  command->add_flag("--hold", args->hold, "Keep serving after the run, until interrupted");
  command->add_flag("--json", args->json, "Print the summary as one JSON object");
  return {command, [args] { return with_exit_codes([&] { return act(*args); }); }};
}

}  // namespace sluice
