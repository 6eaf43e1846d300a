// Any bytes as the files of two runs, which lie behind each other with a 0 between them: a summary,
// its series, the scenario, and another summary. They are refused with a reason, or become a
// report, a table and a page with both, out of whose data no text gets.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "report/diff.hpp"
#include "report/report.hpp"

namespace {

using nlohmann::json;

void require(bool truth, const char* what) {
  if (!truth) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

std::string next_part(std::string_view& rest) {
  const auto end = rest.find('\0');
  std::string part{rest.substr(0, end)};
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

std::optional<json> read(const std::string& text, std::string (*problem)(const json&)) {
  try {
    return sluice::read_checked(text, problem);
  } catch (const std::invalid_argument& e) {
    require(*e.what() != '\0', "a refusal has a reason");
    return {};
  }
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size())
    ++count;
  return count;
}

/// The data of the page, as its script reads them.
json data_of(std::string_view page) {
  const std::string_view begin = "<script type=\"application/json\" id=\"data\">";
  const auto from = page.find(begin);
  require(from != std::string_view::npos, "a page has data");
  const auto rest = page.substr(from + begin.size());
  return json::parse(rest.substr(0, rest.find("</script>")));
}

void check_page(const std::string& page, std::size_t scripts) {
  require(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "a page is whole");
  require(count_of(page, "<script") == scripts, "nothing becomes a script");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  static const auto scripts = count_of(report_html({}), "<script");
  static const auto scripts_of_two = count_of(diff_html({}, {}, ""), "<script");
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const auto summary = read(next_part(rest), problem_of_summary);
  const auto series = read(next_part(rest), problem_of_series);
  const auto scenario = next_part(rest);
  const auto other = read(next_part(rest), problem_of_summary);
  if (!summary)
    return 0;
  const report_parts parts{*summary, series.value_or(nullptr), scenario, nullptr, scenario};
  const auto page = report_html(parts);
  check_page(page, scripts);
  const auto shown = data_of(page);
  require(shown["summary"].is_object() && shown["series"].is_null() == !series,
          "all of it is there");

  const auto& second = other ? *other : *summary;
  const auto figures = diff_text({"a", &*summary}, {"b", &second});
  require(!figures.empty(), "two summaries have figures");
  if (!other)
    require(figures.find('%') == std::string::npos
                || summary->dump(-1, ' ', false, json::error_handler_t::replace).find('%')
                       != std::string::npos,
            "a run does not differ from itself");
  check_page(diff_html({"a", parts}, {scenario, {second, nullptr, "", nullptr, ""}}, figures),
             scripts_of_two);
  return 0;
}
