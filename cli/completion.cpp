/// \file
/// `sluice completion SHELL`: a completion script, made from the parser's own verbs and options, so
/// that it cannot know fewer or more than the program.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/exit_code.hpp"
#include "cli/verbs.hpp"

namespace sluice {

namespace {

struct flag {
  std::string name;  ///< "--threads"
  std::string description;
  bool takes_value = false;
};

struct word {
  std::string name;
  std::string description;
  std::vector<flag> flags;
  std::vector<std::string> values;  ///< of its argument, when it is not a file
};

/// What stands between single quotes in every one of the three shells.
std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  return '\'' + text + '\'';
}

const std::vector<std::string>& shells() {
  static const std::vector<std::string> names{"bash", "zsh", "fish"};
  return names;
}

std::vector<word> words_of(const CLI::App& app) {
  std::vector<word> words;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    word w{command->get_name(), command->get_description(), {}, {}};
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        w.flags.push_back(
            {"--" + name, option->get_description(), option->get_items_expected_max() > 0});
    if (w.name == "completion")
      w.values = shells();
    if (w.name == "export")
      w.values = {"openmetrics"};
    words.push_back(std::move(w));
  }
  return words;
}

std::string names_of(const std::vector<word>& words) {
  std::string out;
  for (const auto& w : words)
    out += (out.empty() ? "" : " ") + w.name;
  return out;
}

std::string for_bash(const std::vector<word>& words) {
  std::string cases;
  for (const auto& w : words) {
    std::string all = fmt::format("{}", fmt::join(w.values, " "));
    for (const auto& f : w.flags)
      all += (all.empty() ? "" : " ") + f.name;
    cases += fmt::format("    {}) words={} ;;\n", w.name, quoted(all));
  }
  return fmt::format(R"(# bash completion of sluice: source <(sluice completion bash)
_sluice() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W {} -- "$word"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -o filenames -F _sluice sluice ./sluice
)",
                     quoted(names_of(words)), cases);
}

/// ':' and brackets mean something in a zsh specification.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']')
      out += '\\';
    out += c;
  }
  return out;
}

std::string for_zsh(const std::vector<word>& words) {
  std::string verbs, cases;
  for (const auto& w : words) {
    verbs += fmt::format("    {}\n", quoted(zsh_text(w.name) + ':' + zsh_text(w.description)));
    std::string specs;
    for (const auto& f : w.flags)
      specs += ' '
               + quoted(fmt::format("*{}{}[{}]{}", f.name, f.takes_value ? "=" : "",
                                    zsh_text(f.description), f.takes_value ? ":value:_files" : ""));
    if (!w.values.empty())
      specs += ' ' + quoted(fmt::format("1:value:({})", fmt::join(w.values, " ")));
    if (w.name != "completion")
      specs += ' ' + quoted("*:file:_files");
    cases += fmt::format("    {}) _arguments{} ;;\n", w.name, specs);
  }
  return fmt::format(R"(#compdef sluice
# zsh completion of sluice: source <(sluice completion zsh)
_sluice() {{
  local -a verbs=(
{}  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
{}  esac
}}
compdef _sluice sluice ./sluice
)",
                     verbs, cases);
}

std::string for_fish(const std::vector<word>& words) {
  std::string out = "# fish completion of sluice: sluice completion fish | source\n";
  for (const auto& w : words) {
    out += fmt::format("complete -c sluice -n __fish_use_subcommand -f -a {} -d {}\n", w.name,
                       quoted(w.description));
    const auto when = fmt::format("'__fish_seen_subcommand_from {}'", w.name);
    for (const auto& f : w.flags)
      out += fmt::format("complete -c sluice -n {} -l {} {}-d {}\n", when, f.name.substr(2),
                         f.takes_value ? "-r " : "", quoted(f.description));
    if (!w.values.empty())
      out += fmt::format("complete -c sluice -n {} -f -a '{}'\n", when, fmt::join(w.values, " "));
  }
  return out;
}

}  // namespace

verb add_completion(CLI::App& app) {
  auto* command = app.add_subcommand("completion", "Print a completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember(shells()));
  return {command, [&app, shell] {
            const auto words = words_of(app);
            fmt::print("{}", *shell == "bash"  ? for_bash(words)
                             : *shell == "zsh" ? for_zsh(words)
                                               : for_fish(words));
            return exit_ok;
          }};
}

}  // namespace sluice
