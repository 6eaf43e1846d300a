#include "scenarios/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace sluice {

namespace {

/// Thrown inside a parse, after the error was reported, because yaml-cpp has no other way out.
struct give_up {};

/// What yaml-cpp's terse messages usually mean.
std::string_view advice(std::string_view message) {
  struct pair {
    std::string_view message, advice;
  };
  static constexpr pair table[] = {
      {"end of map not found", "keys of one map start in the same column; a key ends with `: `"},
      {"end of sequence not found", "items of one list start with `- ` in the same column"},
      {"end of map flow not found", "a `{` is not closed with `}`, or a `,` is missing"},
      {"end of sequence flow not found", "a `[` is not closed with `]`, or a `,` is missing"},
      {"illegal map value", "text with `: ` in it needs quotes"},
      {"illegal EOF in scalar", "a quote is not closed"},
      {"the referenced anchor is not defined",
       "an alias `*name` needs an anchor `&name` before it"},
  };
  for (const auto& p : table)
    if (message.substr(0, p.message.size()) == p.message)
      return p.advice;
  return {};
}

std::size_t utf8_length(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

}  // namespace

std::size_t utf8_sequence(std::string_view s, std::size_t i) {
  const auto at = [&](std::size_t k) { return static_cast<unsigned char>(s[i + k]); };
  const auto c = at(0);
  if (c < 0x80)
    return 1;
  if (c < 0xc2 || c > 0xf4)
    return 0;
  const auto n = utf8_length(c);
  if (i + n > s.size())
    return 0;
  for (std::size_t k = 1; k < n; ++k)
    if ((at(k) & 0xc0) != 0x80)
      return 0;
  if ((c == 0xe0 && at(1) < 0xa0) || (c == 0xed && at(1) > 0x9f) || (c == 0xf0 && at(1) < 0x90)
      || (c == 0xf4 && at(1) > 0x8f))
    return 0;
  return n;
}

/// Turns events into nodes.
class tree_builder final : public YAML::EventHandler {
public:
  tree_builder(yaml_forest& forest, std::uint32_t source, int first_line, std::size_t first_byte)
      : forest_{forest}, source_{source}, first_line_{first_line}, first_byte_{first_byte} {}

  yaml_node* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0)
      return;
    forest_.error_at(source_, line(mark), column(mark), 1,
                     "a second document begins here; a scenario is one document");
    throw give_up{};
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto* node = make(yaml_node::kind::null, mark);
    remember(anchor, node);
    add(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto* node = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    // An anchor whose node is still open is an ancestor of this alias.
    if (node == nullptr || std::find_if(open_.begin(), open_.end(), [&](const level& l) {
                             return l.node == node;
                           }) != open_.end()) {
      forest_.error_at(source_, line(mark), column(mark), 1,
                       "this alias refers to a value that contains it");
      throw give_up{};
    }
    add(node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    auto* node = make(yaml_node::kind::scalar, mark);
    node->text = value;
    node->quoted = tag == "!";
    measure(*node, mark);
    remember(anchor, node);
    add(node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(make(yaml_node::kind::list, mark), anchor, mark);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(make(yaml_node::kind::map, mark), anchor, mark);
  }

  void OnMapEnd() override {
    drop_duplicates(*open_.back().node);
    merge(*open_.back().node);
    close();
  }

  int line(const YAML::Mark& mark) const { return mark.line + first_line_; }

  std::size_t byte(const YAML::Mark& mark) const {
    return static_cast<std::size_t>(mark.column) + (mark.line == 0 ? first_byte_ : 0);
  }

  int column(const YAML::Mark& mark) const {
    return forest_.column_of(source_, line(mark), byte(mark));
  }

private:
  struct level {
    yaml_node* node;
    yaml_node* key = nullptr;  // of the pair that is being read
  };

  yaml_node* make(yaml_node::kind what, const YAML::Mark& mark) {
    auto* node = forest_.make(what);
    node->source = source_;
    node->line = line(mark);
    node->column = column(mark);
    if (forest_.size() + merged_ > max_scenario_values)
      too_many(node->line, node->column);
    return node;
  }

  [[noreturn]] void too_many(int at_line, int at_column) {
    forest_.error_at(source_, at_line, at_column, 1,
                     fmt::format("more than {} values, counting every alias", max_scenario_values));
    throw give_up{};
  }

  void remember(YAML::anchor_t anchor, yaml_node* node) {
    if (anchor == 0)
      return;
    if (anchors_.size() <= anchor)
      anchors_.resize(anchor + 1);
    anchors_[anchor] = node;
  }

  // The length on its own line: to the closing quote of a quoted scalar, or what the text fills.
  void measure(yaml_node& node, const YAML::Mark& mark) {
    auto rest = forest_.line_of(source_, node.line);
    rest.remove_prefix(std::min(byte(mark), rest.size()));
    std::size_t n = 1;
    if (!rest.empty() && (rest[0] == '"' || rest[0] == '\'')) {
      while (n < rest.size() && rest[n] != rest[0])
        n += rest[0] == '"' && rest[n] == '\\' && n + 1 < rest.size() ? 2 : 1;
      n = std::min(n + 1, rest.size());
    } else {
      n = 0;
      while (n < node.text.size() && n < rest.size() && rest[n] == node.text[n])
        ++n;
    }
    int characters = 0;
    for (std::size_t i = 0; i < n; i += utf8_length(static_cast<unsigned char>(rest[i])))
      ++characters;
    node.length = std::max(1, characters);
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0)
      return;
    forest_.error_at(source_, line(mark), column(mark), 1,
                     fmt::format("the tag `{}` means nothing in a scenario", tag));
  }

  void open(yaml_node* node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (open_.size() >= static_cast<std::size_t>(max_scenario_depth)) {
      forest_.error_at(source_, line(mark), column(mark), 1,
                       fmt::format("lists and maps nested deeper than {}", max_scenario_depth));
      throw give_up{};
    }
    remember(anchor, node);
    open_.push_back({node});
  }

  void close() {
    auto* node = open_.back().node;
    open_.pop_back();
    add(node);
  }

  void add(yaml_node* node) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    auto& parent = open_.back();
    parent.node->weight += node->weight;
    if (parent.node->weight > max_scenario_values)
      too_many(parent.node->line, parent.node->column);
    if (parent.node->is_list()) {
      parent.node->items.push_back(node);
    } else if (parent.key == nullptr) {
      parent.key = node;
    } else {
      if (!parent.key->is_scalar()) {
        forest_.error(*parent.key, parent.key->is_null()
                                       ? "a key is missing before `:`"
                                       : "a key must be a word, not a list or map");
      } else {
        if (node->is_null()) {
          // Nothing was written, so the only place to point at is the key.
          node->line = parent.key->line;
          node->column = parent.key->column;
          node->length = parent.key->length;
        }
        parent.node->entries.push_back({parent.key, node});
      }
      parent.key = nullptr;
    }
  }

  // The first of two equal keys is kept, and the second is an error: YAML wants keys to differ.
  void drop_duplicates(yaml_node& map) {
    std::unordered_map<std::string_view, const yaml_node*> seen;
    std::erase_if(map.entries, [&](const yaml_node::entry& e) {
      const auto [first, fresh] = seen.emplace(e.key->text, e.key);
      if (!fresh)
        forest_.error(*e.key, fmt::format("`{}` is given twice", e.key->text),
                      fmt::format("the first is in line {}", first->second->line));
      return !fresh;
    });
  }

  // `<<: *base` or `<<: [*a, *b]`: their pairs stand under the map's own; the earlier of several
  // bases wins (https://yaml.org/type/merge.html).
  void merge(yaml_node& map) {
    const auto is_merge = [](const yaml_node::entry& e) {
      return !e.key->quoted && e.key->text == "<<";
    };
    if (std::none_of(map.entries.begin(), map.entries.end(), is_merge))
      return;
    std::vector<yaml_node::entry> own, merges;
    for (const auto& e : map.entries)
      (is_merge(e) ? merges : own).push_back(e);
    map.entries = std::move(own);
    std::unordered_set<std::string_view> names;
    for (const auto& e : map.entries)
      names.insert(e.key->text);
    const auto add_all = [&](const yaml_node& base, const yaml_node& key) {
      if (!base.is_map()) {
        forest_.error(key, "`<<` wants a map or a list of maps to merge, such as `<<: *name`");
        return;
      }
      merged_ += base.entries.size();
      if (forest_.size() + merged_ > max_scenario_values)
        too_many(key.line, key.column);
      for (const auto& e : base.entries)
        if (names.insert(e.key->text).second)
          map.entries.push_back(e);
    };
    for (const auto& m : merges) {
      if (m.value->is_list())
        for (const auto* base : m.value->items)
          add_all(*base, *m.key);
      else
        add_all(*m.value, *m.key);
    }
  }

  yaml_forest& forest_;
  std::uint32_t source_;
  int first_line_;
  std::size_t first_byte_;
  int documents_ = 0;
  yaml_node* root_ = nullptr;
  std::vector<level> open_;
  std::vector<yaml_node*> anchors_;
  std::size_t merged_ = 0;
};

yaml_node* yaml_node::find(std::string_view key) const {
  for (const auto& e : entries)
    if (e.key->text == key)
      return e.value;
  return nullptr;
}

yaml_node* yaml_forest::make(yaml_node::kind what) {
  nodes_.emplace_back();
  nodes_.back().what = what;
  return &nodes_.back();
}

yaml_node* yaml_forest::copy(const yaml_node& of) {
  nodes_.push_back(of);
  return &nodes_.back();
}

std::uint32_t yaml_forest::add_source(const std::string& name, std::string_view text,
                                      bool is_argument) {
  auto& starts = line_starts_.emplace_back(1, std::size_t{0});
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n')
      starts.push_back(i + 1);
  result_.sources.push_back({name, std::string{text}, is_argument});
  return static_cast<std::uint32_t>(result_.sources.size() - 1);
}

std::string_view yaml_forest::line_of(std::uint32_t source, int line) const {
  const std::string_view text = result_.sources[source].text;
  const auto& starts = line_starts_[source];
  if (line < 1 || static_cast<std::size_t>(line) > starts.size())
    return {};
  const auto begin = starts[static_cast<std::size_t>(line) - 1];
  const auto end = static_cast<std::size_t>(line) < starts.size()
                       ? starts[static_cast<std::size_t>(line)] - 1
                       : text.size();
  return text.substr(begin, end - begin);
}

int yaml_forest::column_of(std::uint32_t source, int line, std::size_t byte) const {
  const auto text = line_of(source, line);
  // A file may be one line of megabytes, and its values are asked for from left to right.
  auto& last = last_column_;
  if (last.source != source || last.line != line || last.byte > byte)
    last = {source, line, 0, 1};
  for (; last.byte < text.size() && last.byte < byte; ++last.byte)
    if ((static_cast<unsigned char>(text[last.byte]) & 0xc0) != 0x80)
      ++last.column;
  return last.column;
}

yaml_node* yaml_forest::parse(std::uint32_t source, std::size_t offset) {
  const auto text = std::string_view{result_.sources[source].text}.substr(offset);
  if (text.size() > max_scenario_bytes) {
    error_at(source, 0, 0, 0,
             fmt::format("larger than {} MiB, which no scenario is", max_scenario_bytes >> 20));
    return nullptr;
  }

  // Before yaml-cpp sees it: bytes that are no text, and nesting or lists that would fill its queue
  // of tokens, which it keeps until the outermost bracket closes. The nesting is counted without
  // regard to quotes (a bracket counts where a value may begin), which is exact enough for a limit.
  struct bracket {
    int line;
    std::size_t byte;
    char what;
  };
  std::vector<bracket> open;
  int line = 1;
  std::size_t begin = 0, commas = 0;
  char before = ',';
  const auto fail = [&](std::size_t at, std::string message, std::string hint = {}) {
    const auto skip = line == 1 ? offset : 0;
    error_at(source, line, column_of(source, line, at - begin + skip), 1, std::move(message),
             std::move(hint));
    return nullptr;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto n = utf8_sequence(text, i);
    const auto c = text[i];
    if (n == 0)
      return fail(i, "not UTF-8 text", "save the file as UTF-8");
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
      return fail(i, fmt::format("a control character (0x{:02x}) in the text", c));
    if (c == '[' || c == '{') {
      if (before == ',' || before == '[' || before == '{' || before == ':' || before == '-'
          || before == '?' || before == '\n')
        open.push_back({line, i - begin + (line == 1 ? offset : 0), c});
      if (open.size() > static_cast<std::size_t>(max_scenario_depth))
        return fail(i, fmt::format("lists and maps nested deeper than {}", max_scenario_depth));
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
    } else if (c == ',' && ++commas > max_scenario_values) {
      return fail(i, fmt::format("more than {} values", max_scenario_values));
    }
    if (c == '\n') {
      ++line;
      begin = i + 1;
    }
    if (c != ' ' && c != '\t' && c != '\r')
      before = c;
    i += n;
  }

  // yaml-cpp skips a byte order mark itself, without counting it.
  tree_builder builder{*this, source, 1, offset};
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser{in};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const give_up&) {
    return nullptr;
  } catch (const YAML::Exception& e) {
    if (e.mark.is_null()) {
      error_at(source, 0, 0, 0, "not YAML: " + e.msg);
      return nullptr;
    }
    std::string hint{advice(e.msg)};
    // A tab in the indentation shows up as all kinds of errors, on its line or the one after.
    for (auto l = std::max(1, builder.line(e.mark) - 1); l <= builder.line(e.mark); ++l) {
      const auto indentation = line_of(source, l);
      const auto tab = indentation.find('\t');
      if (tab != std::string_view::npos && indentation.find_first_not_of(" \t") > tab) {
        error_at(source, l, column_of(source, l, tab), 1, "a tab in the indentation",
                 "YAML indents with spaces only");
        return nullptr;
      }
    }
    if (!open.empty() && e.msg.find("flow not found") != std::string::npos) {
      const auto& b = open.back();
      error_at(source, b.line, column_of(source, b.line, b.byte), 1,
               fmt::format("this `{}` is not closed", b.what), std::move(hint));
      return nullptr;
    }
    error_at(source, builder.line(e.mark), builder.column(e.mark), 1, "not YAML: " + e.msg,
             std::move(hint));
    return nullptr;
  } catch (const std::exception& e) {
    error_at(source, 0, 0, 0, fmt::format("not YAML: {}", e.what()));
    return nullptr;
  }
  if (builder.root() != nullptr)
    return builder.root();
  auto* nothing = make(yaml_node::kind::null);
  nothing->source = source;
  return nothing;
}

source_mark yaml_forest::mark(const yaml_node& at) const {
  return {result_.sources[at.source].name, at.line, at.column};
}

void yaml_forest::error(const yaml_node& at, std::string message, std::string hint) {
  report(at.source, at.line, at.column, at.length, std::move(message), std::move(hint),
         diagnostic::severity::error);
}

void yaml_forest::warning(const yaml_node& at, std::string message, std::string hint) {
  report(at.source, at.line, at.column, at.length, std::move(message), std::move(hint),
         diagnostic::severity::warning);
}

void yaml_forest::error_at(std::uint32_t source, int line, int column, int length,
                           std::string message, std::string hint) {
  report(source, line, column, length, std::move(message), std::move(hint),
         diagnostic::severity::error);
}

void yaml_forest::report(std::uint32_t source, int line, int column, int length,
                         std::string message, std::string hint, diagnostic::severity level) {
  if (!reported_.insert(fmt::format("{}:{}:{}:{}", source, line, column, message)).second)
    return;
  if (level == diagnostic::severity::error)
    ++errors_;
  if (result_.diagnostics.size() >= max_reported_errors)
    return;
  result_.diagnostics.push_back({source_mark{result_.sources[source].name, line, column}, length,
                                 std::move(message), std::move(hint), level});
}

}  // namespace sluice
