/// \file
/// The output directory of a run (`--out DIR`): report.html, summary.json, series.json,
/// metrics.jsonl, summary.txt, metrics.prom and the scenario as it was read.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/execute.hpp"
#include "report/report.hpp"

namespace sluice {

/// Creates the directory now, so that a wrong path fails before the run and not after it.
/// Throws verb_failure.
void prepare_output(const std::string& directory);

/// Every file is written under another name and renamed, the JSON summary last: who finds
/// summary.json finds all of the run. Throws verb_failure.
void write_output(const std::string& directory, const load_result& loaded, const outcome& done);

/// Under another name, then renamed: nobody finds half of it. Throws verb_failure.
void write_whole(const std::filesystem::path& path, const std::string& text);
void write_whole(const std::filesystem::path& path,
                 const std::function<void(std::ostream&)>& write);

/// Writes repeat.sh: a shell script that runs the program with these (quoted) arguments and its
/// own. Throws verb_failure.
void write_script(const std::string& directory, const std::string& arguments);

/// The picture and the links of what was loaded; nothing if that has errors.
void add_topology(report_parts& parts, const load_result& loaded);

/// Where the page in `directory` finds the files of the summary's taps.
void add_tap_files(report_parts& parts, const std::filesystem::path& directory);

/// One line of JSON, with whatever is not UTF-8 in a name replaced.
std::string json_line(const nlohmann::json& value);

}  // namespace sluice
