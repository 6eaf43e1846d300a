/// \file
/// sluice: the only place where all of the parts meet.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

#include "cli/exit_code.hpp"
#include "cli/verbs.hpp"
#include "live/address.hpp"
#include "metrics/text.hpp"
#include "metrics/version.hpp"

namespace sluice {

void print_error(const std::string& message) {
  std::fflush(stdout);
  fmt::print(stderr, "sluice: error: {}\n", message);
}

namespace {

/// `--serve` takes its address after '=' only, or else `run --serve FILE` would serve at FILE. An
/// address after a blank is what people type all the same; it cannot be a file, so take it.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> out;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--serve") {
      std::string address;
      if (i + 1 < argc && argv[i + 1][0] != '-' && !std::filesystem::exists(argv[i + 1])) {
        const std::string next = argv[i + 1];
        const auto colon = next.rfind(':');
        const auto port = colon == std::string::npos ? next : next.substr(colon + 1);
        if (!port.empty() && port.find_first_not_of("0123456789") == std::string::npos) {
          address = next;
          ++i;
        }
      }
      const serve_address standard;
      argument +=
          '=' + (address.empty() ? fmt::format("{}:{}", standard.host, standard.port) : address);
    }
    out.push_back(std::move(argument));
  }
  std::ranges::reverse(out);  // as CLI11 wants them
  return out;
}

/// A wrong verb gets a suggestion; CLI11 would only call it unexpected.
int refuse_unknown_verb(const std::string& word, const std::vector<verb>& verbs) {
  std::vector<std::string> names;
  for (const auto& v : verbs)
    names.push_back(v.command->get_name());
  const auto near = closest(word, names);
  print_error(fmt::format("there is no verb '{}'{}; the verbs are {}", word,
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                          fmt::join(names, ", ")));
  return exit_usage;
}

int main_of(int argc, char** argv) {
  CLI::App app{
      "Sluice emulates lossless virtual networks and replays captured traffic through them.",
      "sluice"};
  app.set_version_flag("--version", fmt::format("sluice {}", sluice_version));
  app.set_help_all_flag("--help-all", "Help of every verb");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 all went well, 1 an expectation failed, 2 wrong usage or scenario,\n"
      "3 a capture cannot be read, 4 engine error, 130 interrupted.");

  const std::vector<verb> verbs{
      add_run(app),    add_demo(app),    add_matrix(app),     add_sweep(app),  add_check(app),
      add_graph(app),  add_report(app),  add_diff(app),       add_export(app), add_pcap(app),
      add_schema(app), add_explain(app), add_completion(app), add_version(app)};

  if (argc < 2) {
    std::cerr << app.help();
    return exit_usage;
  }
  if (const std::string word = argv[1];
      !word.starts_with('-')
      && std::ranges::none_of(verbs, [&](const verb& v) { return v.command->check_name(word); }))
    return refuse_unknown_verb(word, verbs);

  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0)
      return app.exit(e);  // help and version: to stdout
    const auto chosen =
        std::ranges::find_if(verbs, [](const verb& v) { return v.command->parsed(); });
    const auto name = chosen == verbs.end() ? "" : ' ' + chosen->command->get_name();
    print_error(fmt::format("{}; see sluice{} --help", e.what(), name));
    return exit_usage;
  }
  for (const auto& v : verbs)
    if (v.command->parsed())
      return v.act();
  return exit_usage;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  try {
    return sluice::main_of(argc, argv);
  } catch (const std::exception& e) {
    // Whatever nobody expected is an error of the program, not of its user.
    sluice::print_error(
        fmt::format("unexpected: {} (a bug in Sluice; please report it)", e.what()));
    return sluice::exit_engine;
  }
}
