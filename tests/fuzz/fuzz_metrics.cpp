// Any bytes as the metrics of a run over time: they become OpenMetrics text, or a history_error.
// The end mark comes last, once, and only then; no line is cut and no sample lacks its time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "metrics/openmetrics.hpp"

namespace {

void require(bool truth, const char* what) {
  if (!truth) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

void check_line(std::string_view line) {
  if (line.starts_with("# HELP ") || line.starts_with("# TYPE "))
    return;
  const auto stamp = line.rfind(' ');
  require(
      stamp != std::string_view::npos && stamp + 5 < line.size() && line[line.size() - 4] == '.',
      "a sample has a time, in milliseconds");
  const auto value = line.rfind(' ', stamp - 1);
  require(
      value != std::string_view::npos && value > 0 && line[value - 1] == '}' && value + 1 < stamp,
      "a sample has labels and a value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string{reinterpret_cast<const char*>(data), size}};
  sluice::openmetrics_options options;
  options.instance = "fuzz";
  std::string rest;
  bool over = false, whole = false;
  try {
    sluice::write_openmetrics(in, options, [&](std::string_view text) {
      rest += text;
      std::size_t begin = 0;
      for (std::size_t end; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string_view line{rest.data() + begin, end - begin};
        require(!over, "nothing follows the end");
        over = line == "# EOF";
        if (!over)
          check_line(line);
      }
      rest.erase(0, begin);
    });
    whole = true;
  } catch (const sluice::history_error&) {
  }
  require(over == whole, "the end is there when all of it is");
  require(rest.empty(), "lines are whole");
  return 0;
}
