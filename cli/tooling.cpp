/// \file
/// The small verbs: schema, explain, version.
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/verbs.hpp"
#include "metrics/catalogue.hpp"
#include "metrics/text.hpp"
#include "metrics/version.hpp"
#include "scenarios/keys.hpp"

namespace sluice {

namespace {

/// A metric is what somebody who reads an `expect:` line will ask about.
std::optional<std::string> explain_metric(const std::string& name) {
  std::string out;
  for (const auto& metric : metric_catalogue()) {
    const auto names = expect_names(metric);
    if (name != metric.name && std::ranges::find(names, name) == names.end())
      continue;
    out += fmt::format(
        "{}{}\n  {}\n  in expectations: {}\n", metric.name,
        metric.labels.empty() ? "" : fmt::format("{{{}}}", fmt::join(metric.labels, ", ")),
        metric.help, fmt::join(names, ", "));
  }
  return out.empty() ? std::nullopt : std::optional{out};
}

int explain_key(const std::string& key) {
  const auto text = explain(key);
  const auto metric = key.empty() ? std::nullopt : explain_metric(key);
  if (!text && !metric) {
    const auto near = suggest_key(key);
    throw verb_failure{
        exit_usage, fmt::format("there is no key and no metric '{}'{}; `sluice explain` lists the "
                                "top-level keys",
                                key, near ? fmt::format("; did you mean '{}'?", *near) : "")};
  }
  fmt::print("{}{}{}", text.value_or(""), text && metric ? "\n" : "", metric.value_or(""));
  return exit_ok;
}

}  // namespace

verb add_schema(CLI::App& app) {
  auto* command = app.add_subcommand("schema", "Print the JSON Schema of scenario files");
  return {command, [] {
            const auto text = json_schema();
            fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
            return exit_ok;
          }};
}

verb add_explain(CLI::App& app) {
  auto* command =
      app.add_subcommand("explain", "Explain a key of the scenario language, or a metric");
  const auto key = std::make_shared<std::string>();
  command->add_option("KEY", *key, "For example links[].rate or just rate; none: the top level");
  return {command, [key] { return with_exit_codes([&] { return explain_key(*key); }); }};
}

verb add_version(CLI::App& app) {
  auto* command = app.add_subcommand("version", "Print the version");
  return {command, [] {
            fmt::print("sluice {}\ncompiler {}\n{}\n", sluice_version, __VERSION__,
                       pcap_lib_version());
            return exit_ok;
          }};
}

}  // namespace sluice
