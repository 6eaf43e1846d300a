/// \file
/// `sluice sweep FILE --set PATH=a..b`: a grid of runs, as a table, CSV, JSON and a page with
/// plots.
#include "report/sweep.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "metrics/sweep_point.hpp"
#include "metrics/version.hpp"
#include "scenarios/expectation.hpp"
#include "scenarios/sweep_values.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_points = 1000;
constexpr std::size_t most_metrics = 32;
/// Lines of flows that are kept in all; each point keeps as many.
constexpr std::size_t most_flow_lines = 100'000;

struct arguments {
  std::string file;
  run_settings settings;
  unsigned jobs = 0;  // 0: as many as there are processors for them
  std::vector<std::string> metrics;
  std::string out;
  bool json = false;
};

/// What is swept, and what is set for all points.
struct grid {
  std::vector<swept_key> keys;
  std::vector<std::string> set;
  std::vector<bool> sweeps;  // in the order of the command line: one of `keys`, or of `set`

  std::size_t points() const {
    std::size_t n = 1;
    for (const auto& k : keys)
      n *= k.values.size();
    return n;
  }
  /// The last key changes from point to point.
  std::vector<const swept_value*> at(std::size_t point) const {
    std::vector<const swept_value*> out(keys.size());
    for (auto k = keys.size(); k-- > 0;) {
      out[k] = &keys[k].values[point % keys[k].values.size()];
      point /= keys[k].values.size();
    }
    return out;
  }
  std::vector<std::string> set_at(std::size_t point) const {
    std::vector<std::string> out;
    const auto values = at(point);
    std::size_t swept = 0, plain = 0;
    for (const bool sweeps_it : sweeps)
      if (sweeps_it) {
        out.push_back(fmt::format("{}={}", keys[swept].path, values[swept]->text));
        ++swept;
      } else {
        out.push_back(set[plain++]);
      }
    return out;
  }
  std::string label(std::size_t point) const {
    std::string out;
    const auto values = at(point);
    for (std::size_t k = 0; k < keys.size(); ++k)
      out += fmt::format("{}{}={}", k == 0 ? "" : ", ", keys[k].path, values[k]->text);
    return out;
  }
};

grid grid_of(const arguments& args) {
  grid out;
  for (const auto& each : args.settings.set) {
    auto parsed = parse_swept(each);
    if (const auto* wrong = std::get_if<std::string>(&parsed))
      throw verb_failure{exit_usage, fmt::format("--set {}", *wrong)};
    auto& key = std::get<swept_key>(parsed);
    out.sweeps.push_back(key.swept());
    if (!key.swept()) {
      out.set.push_back(each);
      continue;
    }
    for (const auto& other : out.keys)
      if (other.path == key.path)
        throw verb_failure{exit_usage, fmt::format("--set {}: `{}` has several values already; "
                                                   "write all of them once, separated by commas",
                                                   each, key.path)};
    if (key.path == "seed" && args.settings.seed)
      throw verb_failure{exit_usage, "--seed would undo --set seed: leave one of them out"};
    out.keys.push_back(std::move(key));
    if (out.points() > most_points)
      throw verb_failure{exit_usage,
                         fmt::format("these values make {} points or more; at most {} are run: "
                                     "take fewer values, as with `a..b:5`",
                                     out.points(), most_points)};
  }
  if (out.keys.empty())
    throw verb_failure{exit_usage,
                       "nothing is swept: give a key several values, as --set "
                       "defaults.link.rate=1Gbit..10Gbit or --set "
                       "defaults.flow-control=none,on_off"};
  return out;
}

/// `latency{flow=web} p99`, `delivered %`: an expectation without its comparison.
expectation metric_of(const std::string& text) {
  auto name = text;
  while (name.ends_with(' '))
    name.pop_back();
  const bool share = name.ends_with('%');
  if (share)
    name.pop_back();
  if (name.find_first_of("<>!") != std::string::npos || name.find("==") != std::string::npos)
    throw verb_failure{exit_usage, fmt::format("--metric {}: write the metric alone, without a "
                                               "comparison",
                                               text)};
  auto parsed = parse_expectation(fmt::format("{} >= 0{}", name, share ? "%" : ""));
  if (const auto* wrong = std::get_if<expectation_error>(&parsed))
    throw verb_failure{exit_usage, fmt::format("--metric {}: {}{}{}", text, wrong->message,
                                               wrong->hint.empty() ? "" : "; ", wrong->hint)};
  auto line = std::get<expectation>(std::move(parsed));
  line.text = text;
  if (const auto wrong = problem_of(line); !wrong.empty())
    throw verb_failure{exit_usage, fmt::format("--metric {}: {}", text, wrong)};
  return line;
}

/// That a point ran what was checked: between the two the file could have changed.
std::size_t identity_of(const load_result& loaded) {
  std::string all;
  for (const auto& s : loaded.sources)
    if (!s.is_argument)
      all += fmt::format("{}\n{}\n{}\n", s.name, s.text.size(), s.text);
  return std::hash<std::string>{}(all);
}

class sweep {
public:
  sweep(const arguments& args, grid what, interrupt_guard& interrupt)
      : args_{args},
        grid_{std::move(what)},
        interrupt_{interrupt},
        count_{grid_.points()},
        points_(count_),
        codes_(count_, exit_ok) {
    if (args.metrics.size() > most_metrics)
      throw verb_failure{exit_usage, fmt::format("at most {} --metric are shown", most_metrics)};
    for (const auto& text : args.metrics)
      metrics_.push_back(metric_of(text));
  }

  /// Everything that is wrong with any point is told before one runs.
  void check() {
    std::set<std::string> told;
    for (std::size_t i = 0; i < count_ && !interrupt_.flag(); ++i) {
      const auto loaded = load_checked(args_.file, grid_.set_at(i));
      std::string text;
      for (const auto& d : loaded.diagnostics)
        if (const auto one = render(loaded, diagnostics_list{d}, colours());
            told.insert(one).second)
          text += one;
      fmt::print(stderr, "{}", text);
      if (!loaded.value)
        throw verb_failure{exit_usage, fmt::format("point {} of {} cannot run: {}", i + 1, count_,
                                                   grid_.label(i))};
      if (i == 0) {
        identity_ = identity_of(loaded);
        name_ = loaded.value->name;
        real_clock_ = loaded.value->clock == clock_kind::real_time || !args_.settings.speed.empty();
      }
    }
  }

  void run() {
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    auto jobs = args_.jobs;
    if (jobs == 0)  // on the real clock they would be in each other's way
      jobs = real_clock_ ? 1 : std::max(1U, processors / std::max(1U, args_.settings.threads));
    jobs = static_cast<unsigned>(std::min<std::size_t>(jobs, count_));
    settings_ = args_.settings;
    settings_.progress = false;
    if (settings_.threads == 0 && jobs > 1)
      settings_.threads = std::max(1U, processors / jobs);
    fmt::print(stderr, "sluice: {} points, {} at a time\n", count_, jobs);
    std::vector<std::jthread> workers;
    for (unsigned j = 1; j < jobs; ++j)
      workers.emplace_back([this] { work(); });
    work();
  }

  json result() const {
    json out{{"sweep", 1},         {"sluice", sluice_version},   {"scenario", name_},
             {"file", args_.file}, {"set", grid_.set},           {"metrics", args_.metrics},
             {"grid", count_},     {"interrupted", incomplete()}};
    auto& keys = out["keys"] = json::array();
    for (const auto& k : grid_.keys) {
      auto values = json::array();
      for (const auto& v : k.values)
        values.push_back(v.text);
      keys.push_back({{"path", k.path},
                      {"unit", k.unit()},
                      {"scale", !k.kind       ? "words"
                                : k.geometric ? "log"
                                              : "linear"},
                      {"values", std::move(values)}});
    }
    auto& points = out["points"] = json::array();
    for (const auto& p : points_)
      if (!p.is_null())
        points.push_back(p);
    out["expect"] = expectations(points);
    out["left_out"] = {{"flows", left_out_}};
    return out;
  }

  int code() const {
    const auto code = most_serious(codes_);
    return code != exit_engine && incomplete() ? exit_interrupted : code;
  }

private:
  /// Some points were not run, or not to their end.
  bool incomplete() const {
    return std::ranges::any_of(
        points_, [](const json& p) { return p.is_null() || p["verdict"] == "interrupted"; });
  }

  void work() {
    for (std::size_t i = next_++; i < count_ && !interrupt_.flag(); i = next_++)
      run_point(i);
  }

  void run_point(std::size_t i) {
    json point;
    int code = exit_ok;
    const auto wrong = failure_of([&] { code = run_point(i, point); });
    if (wrong) {
      code = wrong->code;
      point["verdict"] = "error";
      point["error"] = wrong->what();
    }
    point["point"] = i + 1;
    auto& values = point["values"] = json::array();
    auto& numbers = point["numbers"] = json::array();
    const auto at = grid_.at(i);
    for (std::size_t k = 0; k < at.size(); ++k) {
      values.push_back(at[k]->text);
      numbers.push_back(grid_.keys[k].kind ? json(at[k]->number) : json{});
    }
    const std::scoped_lock lock{mutex_};
    fmt::print(stderr, "sluice: point {} ({} of {}): {}: {}\n", i + 1, ++done_, count_,
               grid_.label(i), wrong ? wrong->what() : point["verdict"].get<std::string>());
    codes_[i] = code;
    points_[i] = std::move(point);
  }

  int run_point(std::size_t i, json& point) {
    const auto loaded = load_checked(args_.file, grid_.set_at(i));
    if (!loaded.value || identity_of(loaded) != identity_)
      throw verb_failure{exit_usage, fmt::format("{} or a file that it includes changed during the "
                                                 "sweep",
                                                 args_.file)};
    auto what = *loaded.value;
    what.name = fmt::format("{} ({})", what.name, grid_.label(i));
    what.taps.clear();  // all points would write the same files
    std::string folder;
    if (!args_.out.empty()) {
      folder = (fs::path{args_.out} / fmt::format("{:04}", i + 1)).string();
      prepare_output(folder);
    }
    const auto done = execute(std::move(what), settings_, interrupt_);
    const auto flows = std::max<std::size_t>(10, most_flow_lines / count_);
    std::vector<expectation_result> metrics;
    for (const auto& m : metrics_)
      metrics.push_back(evaluate(m, done.results));
    point = sweep_point_json(done.results, done.expectations, metrics, flows);
    point["verdict"] = !done.results.violations.empty() ? "violated"
                       : done.results.interrupted       ? "interrupted"
                       : done.code == exit_ok           ? "ok"
                                                        : "failed";
    if (!folder.empty()) {
      write_output(folder, loaded, done);
      point["directory"] = fs::path{folder}.filename().string();
    }
    const std::scoped_lock lock{mutex_};
    if (done.results.flows.size() > flows)
      left_out_ = std::max(left_out_, done.results.flows.size() - flows);
    for (const auto& m : metrics)
      if (m.invalid && told_.insert(m.text).second)
        fmt::print(stderr, "sluice: warning: --metric {}: {}\n", m.text, m.note);
    return done.code;
  }

  /// Each line of `expect`: at how many points it failed, and the first of them.
  static json expectations(const json& points) {
    auto out = json::array();
    for (const auto& p : points) {
      if (!p.contains("expect") || p["verdict"] == "interrupted")
        continue;
      for (const auto& e : p["expect"]) {
        auto line =
            std::ranges::find_if(out, [&](const json& l) { return l["text"] == e["text"]; });
        if (line == out.end()) {
          out.push_back(
              {{"text", e["text"]}, {"points", 0}, {"failed", 0}, {"first_failed", nullptr}});
          line = std::prev(out.end());
        }
        auto& l = *line;
        l["points"] = l["points"].get<std::size_t>() + 1;
        if (e["ok"] == true)
          continue;
        l["failed"] = l["failed"].get<std::size_t>() + 1;
        if (l["first_failed"].is_null())
          l["first_failed"] = p["point"];
      }
    }
    return out;
  }

  const arguments& args_;
  const grid grid_;
  interrupt_guard& interrupt_;
  const std::size_t count_;
  std::vector<expectation> metrics_;
  run_settings settings_;
  std::string name_;
  std::size_t identity_ = 0;
  bool real_clock_ = false;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // of what follows
  std::vector<json> points_;
  std::vector<int> codes_;
  std::set<std::string> told_;
  std::size_t done_ = 0, left_out_ = 0;
};

/// Nothing of an earlier sweep must stand beside this one's files.
void prepare_sweep(const fs::path& folder) {
  prepare_output(folder);
  std::error_code error;
  for (const auto* name : {"sweep.json", "sweep.html", "sweep.csv", "flows.csv"})
    fs::remove(folder / name, error);
  for (std::size_t i = 1; i <= most_points; ++i)
    if (const auto point = folder / fmt::format("{:04}", i);
        fs::exists(point / "summary.json", error))
      prepare_output(point);
}

void write_sweep(const fs::path& folder, const json& result) {
  write_whole(folder / "sweep.csv", sweep_csv(result));
  write_whole(folder / "flows.csv", sweep_flows_csv(result));
  write_whole(folder / "sweep.html", sweep_html(result));
  write_whole(folder / "sweep.json", json_line(result));
}

int act(const arguments& args) {
  interrupt_guard interrupt;
  sweep all{args, grid_of(args), interrupt};
  all.check();
  if (!args.out.empty())
    prepare_sweep(args.out);
  all.run();
  const auto result = all.result();
  fmt::print("{}", args.json ? json_line(result) : sweep_text(result));
  std::fflush(stdout);
  if (!args.out.empty())
    write_sweep(args.out, result);
  return all.code();
}

}  // namespace

verb add_sweep(CLI::App& app) {
  auto* command =
      app.add_subcommand("sweep", "Run a scenario for each of several values: a grid of runs");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario")->required();
  args->settings.add_options(*command);
  command->get_option("--set")->description(
      "PATH=VALUES: a,b,c or a..b (10 values), a..b:N, a..b:+STEP, a..b:x2, a..b:logN; several "
      "make "
      "a grid; PATH=VALUE changes all points");
  command->get_option("--threads")
      ->description("Threads of each run; default: the processors divided by the runs at a time");
  command
      ->add_option("--jobs", args->jobs, "Runs at a time; default: as many as there are processors")
      ->check(CLI::Range(1U, 256U));
  command
      ->add_option("--metric", args->metrics,
                   "A column of the table: a metric as in expect, as 'latency{flow=web} p99' or "
                   "'delivered %'; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--out", args->out,
                      "Directory for sweep.html, sweep.csv, flows.csv, sweep.json, and for each "
                      "point a directory with its summary");
  command->add_flag("--json", args->json, "Print sweep.json");
  return {command, [args] { return with_exit_codes([&] { return act(*args); }); }};
}

}  // namespace sluice
