/// \file
/// `sluice graph FILE`: the topology as a picture (SVG), or as text for Graphviz, Mermaid or
/// programs.
#include "topology/graph.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/verbs.hpp"

namespace sluice {

verb add_graph(CLI::App& app) {
  struct arguments {
    std::string file, format = "svg";
  };
  auto* command = app.add_subcommand("graph", "Print the topology as a picture");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario (YAML)")->required();
  command->add_option("--format", args->format, "svg (default), dot, mermaid or json")
      ->check(CLI::IsMember({"svg", "dot", "mermaid", "json"}));
  return {command, [args] {
            return with_exit_codes([&]() -> int {
              const auto loaded = load_or_fail(args->file);
              const auto text = graph(*loaded.value, *parse_graph_format(args->format));
              fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
              return exit_ok;
            });
          }};
}

}  // namespace sluice
