/// \file
/// The verbs of the command line. Each adds itself to the parser and says what it does when chosen;
/// parsing, help and completion come from the parser alone.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

namespace sluice {

struct verb {
  CLI::App* command = nullptr;
  std::function<int()> act;  ///< returns the exit code
};

verb add_run(CLI::App& app);
verb add_demo(CLI::App& app);
verb add_matrix(CLI::App& app);
verb add_sweep(CLI::App& app);
verb add_check(CLI::App& app);
verb add_graph(CLI::App& app);
verb add_report(CLI::App& app);
verb add_diff(CLI::App& app);
verb add_export(CLI::App& app);
verb add_pcap(CLI::App& app);
verb add_schema(CLI::App& app);
verb add_explain(CLI::App& app);
verb add_completion(CLI::App& app);
verb add_version(CLI::App& app);

/// "sluice: error: MESSAGE" on stderr, after what stdout still holds.
void print_error(const std::string& message);

}  // namespace sluice
