#include "cli/output.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <system_error>

#include "cli/exit_code.hpp"
#include "metrics/exposition.hpp"
#include "metrics/history.hpp"
#include "metrics/summary.hpp"
#include "topology/graph.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& where, const std::error_code& why) {
  throw verb_failure{exit_usage, fmt::format("cannot write {}: {}; choose a directory that you "
                                             "may write to",
                                             where.string(), why.message())};
}

}  // namespace

void write_whole(const fs::path& path, const std::string& text) {
  write_whole(path, [&](std::ostream& out) { out << text; });
}

void write_whole(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const fs::path temporary = path.string() + fmt::format(".part-{}", getpid());
  try {
    std::ofstream out{temporary, std::ios::binary};
    write(out);
    out.flush();
    if (!out)
      fail(path, {errno, std::generic_category()});
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error)
    fail(path, error);
}

namespace {

/// The scenario as it was read. An included file goes where the copy's `include` finds it, if it
/// was below the scenario's own folder.
void write_scenario(const fs::path& directory, const load_result& loaded) {
  fs::path folder;
  bool first = true;
  for (const auto& source : loaded.sources) {
    if (source.is_argument)
      continue;
    if (first) {
      folder = fs::path{source.name}.parent_path();
      write_whole(directory / "scenario.yaml", source.text);
      first = false;
      continue;
    }
    const auto relative = fs::path{source.name}.lexically_relative(folder.empty() ? "." : folder);
    if (relative.empty() || relative.is_absolute() || *relative.begin() == "..")
      continue;
    std::error_code error;
    fs::create_directories((directory / relative).parent_path(), error);
    if (error)
      fail(directory / relative, error);
    write_whole(directory / relative, source.text);
  }
}

}  // namespace

void prepare_output(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error && !fs::is_directory(directory))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    fail(directory, error);
  if (access(directory.c_str(), W_OK | X_OK) != 0)
    fail(directory, {errno, std::generic_category()});
  // No summary, series, metrics or report of an earlier run must stand beside this run's files,
  // should it not end.
  for (const auto* name :
       {"summary.json", "series.json", "metrics.jsonl", "report.html", "repeat.sh"})
    fs::remove(fs::path{directory} / name, error);
}

void write_output(const std::string& directory, const load_result& loaded, const outcome& done) {
  const fs::path out{directory};
  write_scenario(out, loaded);
  report_parts report;
  report.summary = summary_of(done);
  if (done.results.series) {
    report.series = series_json(*done.results.series, done.results);
    write_whole(out / "series.json", json_line(report.series));
  }
  if (done.results.history)
    write_whole(out / "metrics.jsonl", history_text(*done.results.history, done.results));
  for (const auto& source : loaded.sources)
    if (!source.is_argument) {
      report.scenario = source.text;
      break;
    }
  add_topology(report, loaded);
  add_tap_files(report, directory);
  write_whole(out / "report.html", report_html(report));
  write_whole(out / "metrics.prom", metrics_text(done.results));
  write_whole(out / "summary.txt", summary_text(done.results, done.expectations));
  write_whole(out / "summary.json", json_line(report.summary));
}

void write_script(const std::string& directory, const std::string& arguments) {
  const auto path = fs::path{directory} / "repeat.sh";
  write_whole(path,
              "#!/bin/sh\n# Repeats this run with what was changed while it went on. More options "
              "may follow.\nexec \"${SLUICE:-sluice}\" "
                  + arguments + " \"$@\"\n");
  std::error_code ignored;  // sh repeat.sh does, too
  fs::permissions(path, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                  fs::perm_options::add, ignored);
}

void add_topology(report_parts& parts, const load_result& loaded) {
  if (!loaded.value)
    return;
  parts.picture = graph(*loaded.value, graph_format::svg);
  parts.topology = nlohmann::json::parse(graph(*loaded.value, graph_format::json));
}

// Beside the page first: a directory may have been moved as a whole.
void add_tap_files(report_parts& parts, const fs::path& directory) {
  for (const auto& tap : parts.summary.value("taps", nlohmann::json::array())) {
    const fs::path file{tap["file"].get<std::string>()};
    std::error_code error;
    auto& link = parts.tap_files.emplace_back();
    if (fs::is_regular_file(directory / file.filename(), error))
      link = file.filename().string();
    else if (fs::is_regular_file(file, error))
      link = fs::proximate(file, directory, error).string();
  }
}

std::string json_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace sluice
