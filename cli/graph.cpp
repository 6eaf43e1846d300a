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
#include "topology/parts_graph.hpp"

namespace sluice {

verb add_graph(CLI::App& app) {
  struct arguments {
    std::string file, format;
    bool parts = false;
  };
  auto* command = app.add_subcommand("graph", "Print the topology as a picture");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario (YAML)")->required();
  command
      ->add_option("--format", args->format,
                   "svg (default), dot, mermaid (default of --parts) or json")
      ->check(CLI::IsMember({"svg", "dot", "mermaid", "json"}));
  command->add_flag("--parts", args->parts,
                    "The components that the nodes are made of, and the loss points among them");
  return {command, [args] {
            return with_exit_codes([&]() -> int {
              const auto loaded = load_or_fail(args->file);
              const std::string format = !args->format.empty() ? args->format
                                         : args->parts         ? "mermaid"
                                                               : "svg";
              if (args->parts && format == "svg")
                throw verb_failure{exit_usage,
                                   "--parts has no picture of its own: take --format "
                                   "mermaid, dot or json"};
              const auto text =
                  args->parts ? parts_graph(network{*loaded.value}, *parse_graph_format(format))
                              : graph(*loaded.value, *parse_graph_format(format));
              fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
              return exit_ok;
            });
          }};
}

}  // namespace sluice
