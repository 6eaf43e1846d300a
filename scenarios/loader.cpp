#include "scenarios/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "scenarios/assemble.hpp"
#include "scenarios/check.hpp"
#include "scenarios/convert.hpp"
#include "scenarios/yaml_tree.hpp"

namespace sluice {

namespace {

// In the order of the sources, and of the lines in each.
void sort_diagnostics(load_result& result) {
  std::unordered_map<std::string_view, std::size_t> order;
  for (std::size_t i = 0; i < result.sources.size(); ++i)
    order.emplace(result.sources[i].name, i);
  std::stable_sort(result.diagnostics.begin(), result.diagnostics.end(),
                   [&](const diagnostic& a, const diagnostic& b) {
                     const auto key = [&](const diagnostic& d) {
                       const auto at = order.find(d.where.file);
                       return std::tuple{at == order.end() ? order.size() : at->second,
                                         d.where.line, d.where.column};
                     };
                     return key(a) < key(b);
                   });
}

void load_source(load_result& result, const std::string& name, const std::string& file,
                 std::string_view text, const load_options& options) {
  yaml_forest forest{result};
  const auto source = forest.add_source(name, text);
  auto* root = assemble(forest, source, file);
  if (root != nullptr) {
    for (const auto& argument : options.set)
      root = apply_override(forest, root, argument);
    check_tree(forest, *root);
    auto s = convert_tree(forest, *root, name, folder_of(file), options);
    if (forest.errors() == 0)
      result.value = std::move(s);
  }
  sort_diagnostics(result);
  if (forest.errors() > max_reported_errors)
    result.diagnostics.push_back(
        {source_mark{name, 0, 0},
         0,
         fmt::format("{} more errors are not shown", forest.errors() - max_reported_errors),
         {},
         diagnostic::severity::error});
}

struct colours {
  std::string_view error, warning, bold, caret, reset;
};

constexpr colours plain{"", "", "", "", ""};
constexpr colours terminal{"\033[1;31m", "\033[1;35m", "\033[1m", "\033[1;32m", "\033[0m"};

std::string_view line_text(std::string_view text, int line) {
  for (int l = 1; l < line; ++l) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos)
      return {};
    text.remove_prefix(end + 1);
  }
  auto found = text.substr(0, text.find('\n'));
  if (!found.empty() && found.back() == '\r')
    found.remove_suffix(1);
  return found;
}

/// Byte of the character `n` (from 0) of UTF-8 text.
std::size_t byte_of(std::string_view text, int n) {
  std::size_t i = 0;
  for (; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && n-- == 0)
      break;
  return i;
}

constexpr int shown_width = 120;

/// A file can hold escape sequences that a terminal would obey, and bytes that are no text: each
/// such byte becomes one `?`, so that columns stay.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto n = utf8_sequence(text, i);
    if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7f
        || (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0)) {
      out += '?';
      i += std::max<std::size_t>(1, n);
    } else {
      out += text.substr(i, n);
      i += n;
    }
  }
  return out;
}

void render_one(const load_result& result, const diagnostic& d, const colours& c,
                std::string& out) {
  const load_result::source* source = nullptr;
  for (const auto& s : result.sources)
    if (s.name == d.where.file)
      source = &s;
  const auto argument = source != nullptr && source->is_argument;
  out += c.bold;
  out += printable(d.where.file);
  if (d.where.line > 0 && !argument)
    out += fmt::format(":{}:{}", d.where.line, d.where.column);
  out += fmt::format(
      ":{} {}{}:{} {}\n", c.reset, d.level == diagnostic::severity::error ? c.error : c.warning,
      d.level == diagnostic::severity::error ? "error" : "warning", c.reset, printable(d.message));

  if (source != nullptr && d.where.line > 0) {
    const auto line = printable(line_text(source->text, d.where.line));
    std::string_view text = line;
    auto column = d.where.column - 1;
    // A long line is shown around the value.
    std::string_view before, after;
    if (column > shown_width - 40) {
      const auto skip = column - 40;
      text.remove_prefix(byte_of(text, skip));
      column -= skip;
      before = "...";
    }
    if (const auto end = byte_of(text, shown_width); end < text.size()) {
      text = text.substr(0, end);
      after = "...";
    }
    const auto value = text.substr(byte_of(text, column));
    int width = 0;
    for (const char ch : value)
      if ((static_cast<unsigned char>(ch) & 0xc0) != 0x80)
        ++width;
    const auto carets = std::clamp(d.length, 1, std::max(1, width));
    // Tabs stay tabs, so that the caret stands under the value whatever their width.
    std::string padding(before.size(), ' ');
    for (const char ch : text.substr(0, byte_of(text, column)))
      if ((static_cast<unsigned char>(ch) & 0xc0) != 0x80)
        padding += ch == '\t' ? '\t' : ' ';
    const auto number = argument ? std::string{} : fmt::format("{}", d.where.line);
    out += fmt::format("{:>5} | {}{}{}\n", number, before, text, after);
    out += fmt::format("      | {}{}{}{}\n", padding, c.caret,
                       std::string(static_cast<std::size_t>(carets), '^'), c.reset);
  }
  if (!d.hint.empty())
    out += fmt::format("      = {}\n", printable(d.hint));
}

}  // namespace

load_result load_scenario(const std::string& path, const load_options& options) {
  load_result result;
  std::string text, error;
  if (!read_text(path, text, error)) {
    result.diagnostics.push_back({source_mark{path, 0, 0},
                                  0,
                                  fmt::format("cannot read the scenario: {}", error),
                                  {},
                                  diagnostic::severity::error});
    return result;
  }
  load_source(result, path, path, text, options);
  return result;
}

load_result load_scenario_text(std::string_view text, const std::string& name,
                               const load_options& options) {
  load_result result;
  // The name may be anything; only the folder says where relative paths start.
  load_source(result, name, resolve_path(options.folder.empty() ? "." : options.folder, "text"),
              text, options);
  return result;
}

std::string render(const load_result& result, bool colour) {
  return render(result, result.diagnostics, colour);
}

std::string render(const load_result& result, const diagnostics_list& diagnostics, bool colour) {
  std::string out;
  for (const auto& d : diagnostics)
    render_one(result, d, colour ? terminal : plain, out);
  return out;
}

}  // namespace sluice
