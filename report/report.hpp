/// \file
/// A run as one page: HTML that needs nothing else, neither files nor a network.
///
/// Everything in it that came from a run is data: JSON in a script element of a type that no
/// browser runs, `<` written as \u003c, put on the page as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What a report is made of. Units are those of the files.
struct report_parts {
  nlohmann::json summary;   ///< summary.json: an object
  nlohmann::json series;    ///< series.json; null if the run was not sampled
  std::string scenario;     ///< the text of scenario.yaml; may be empty
  nlohmann::json topology;  ///< as `sluice graph --format json`; null if it is not known
  std::string picture;      ///< as `sluice graph`: SVG; may be empty
  /// Of each of the summary's taps: its file's path from where the page is; empty if it is not
  /// there.
  std::vector<std::string> tap_files{};
};

std::string report_html(const report_parts& parts);

/// Two reports beside each other, below a table of their figures (diff_text), as one page.
struct named_report {
  std::string name;  ///< of the run: its directory
  report_parts parts;
};
std::string diff_html(const named_report& a, const named_report& b, std::string_view figures);

/// What is wrong with a summary or a series that was read from a file: a sentence; empty if nothing
/// that would keep it from being shown.
std::string problem_of_summary(const nlohmann::json& summary);
std::string problem_of_series(const nlohmann::json& series);

/// The text of such a file as JSON, checked by one of these.
/// \throws std::invalid_argument that says what is wrong: also when it is no JSON, or nested deeper
/// than what `run` writes
nlohmann::json read_checked(const std::string& text, std::string (*problem)(const nlohmann::json&));

}  // namespace sluice
