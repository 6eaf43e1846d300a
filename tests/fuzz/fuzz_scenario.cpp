// The scenario loader over arbitrary text: whatever comes, it returns, and what it accepts can be
// checked and drawn. The first byte chooses how the rest is split between the file and one --set.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "scenarios/loader.hpp"
#include "topology/graph.hpp"
#include "topology/validate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
  sluice::load_options options;
  options.check_files = false;
  options.folder = "/nonexistent";
  if (data[0] % 2 == 1) {
    const auto end = text.find('\n');
    options.set.push_back(text.substr(0, end));
    text = end == std::string::npos ? std::string{} : text.substr(end + 1);
  }
  const auto result = sluice::load_scenario_text(text, "fuzz.yaml", options);
  const auto shown = sluice::render(result, data[0] % 4 >= 2);
  if (result.value.has_value() == sluice::has_errors(result.diagnostics))
    std::abort();
  if (!result.value) {
    if (shown.empty())
      std::abort();
    return 0;
  }
  sluice::render(result, sluice::validate(*result.value), false);
  for (const auto format : {sluice::graph_format::svg, sluice::graph_format::dot,
                            sluice::graph_format::mermaid, sluice::graph_format::json})
    if (sluice::graph(*result.value, format).empty())
      std::abort();
  return 0;
}
