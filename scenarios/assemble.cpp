#include "scenarios/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "scenarios/check.hpp"

namespace sluice {

namespace {

namespace fs = std::filesystem;

class assembler {
public:
  explicit assembler(yaml_forest& forest) : forest_{forest} {}

  yaml_node* load(std::uint32_t source, const std::string& file) {
    auto* root = forest_.parse(source);
    if (root == nullptr)
      return nullptr;
    if (!root->is_map()) {
      if (root->is_null())
        forest_.error_at(source, 0, 0, 0, "the file is empty",
                         "the smallest scenario has `nodes`, `links` and `traffic`");
      else
        forest_.error(*root,
                      fmt::format("a scenario is a map, not {}",
                                  root->is_list() ? "a list" : "a single value"),
                      "it begins like `nodes: {...}`");
      return nullptr;
    }
    const auto* include = root->find("include");
    if (include == nullptr)
      return root;

    chain_.push_back(file);
    // The later of several files wins, and this file over all: merged from the last to the first.
    auto* result = root;
    std::vector<const yaml_node*> files;
    if (include->is_list())
      for (const auto* i : include->items)
        files.push_back(i);
    else
      files.push_back(include);
    for (auto i = files.rbegin(); i != files.rend(); ++i)
      if (auto* base = (*i)->is_scalar() ? included(**i, file) : nullptr)
        result = merged(*base, *result);
    chain_.pop_back();
    return result;
  }

private:
  yaml_node* included(const yaml_node& where, const std::string& from) {
    const auto path = resolve_path(folder_of(from), where.text);
    const auto same = std::find_if(chain_.begin(), chain_.end(), [&](const std::string& c) {
      std::error_code ignored;
      return c == path || fs::equivalent(c, path, ignored);
    });
    if (same != chain_.end()) {
      std::string names;
      for (auto i = same; i != chain_.end(); ++i)
        names += *i + " -> ";
      forest_.error(where, fmt::format("files include each other: {}{}", names, path));
      return nullptr;
    }
    if (++files_ > max_included_files) {
      forest_.error(where, fmt::format("more than {} files are included", max_included_files));
      return nullptr;
    }
    std::string text, error;
    if (!read_text(path, text, error)) {
      forest_.error(where, fmt::format("cannot read `{}`: {}", path, error));
      return nullptr;
    }
    return load(forest_.add_source(path, text), path);
  }

  // `own` over `base`, in the order of `base`; neither is changed, others may share them.
  yaml_node* merged(const yaml_node& base, const yaml_node& own) {
    auto* result = forest_.copy(own);
    result->entries = base.entries;
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < base.entries.size(); ++i)
      places.emplace(base.entries[i].key->text, i);
    for (const auto& e : own.entries) {
      const auto place = places.find(e.key->text);
      if (place == places.end()) {
        result->entries.push_back(e);
        continue;
      }
      auto& below = result->entries[place->second];
      below.key = e.key;
      below.value =
          below.value->is_map() && e.value->is_map() ? merged(*below.value, *e.value) : e.value;
    }
    return result;
  }

  yaml_forest& forest_;
  std::vector<std::string> chain_;
  std::size_t files_ = 0;
};

class override_one {
public:
  override_one(yaml_forest& forest, const std::string& argument)
      : forest_{forest}, argument_{argument} {
    source_ = forest.add_source("--set " + argument, argument, true);
  }

  yaml_node* apply(yaml_node* root) {
    const auto equals = argument_.find('=');
    if (equals == std::string::npos || equals == 0) {
      forest_.error_at(source_, 1, 1, length(argument_), "an override is `path=value`",
                       "for example `--set h3/vm4.drain=1Gbit`");
      return root;
    }
    const auto errors = forest_.errors();
    value_ = forest_.parse(source_, equals + 1);
    if (value_ == nullptr || forest_.errors() != errors)
      return root;
    if (value_->is_null()) {
      forest_.error_at(source_, 1, 1, length(argument_), "an override wants a value after `=`");
      return root;
    }
    if (!split(std::string_view{argument_}.substr(0, equals), *root))
      return root;
    auto* changed = put(root, 0);
    return changed == nullptr ? root : changed;
  }

private:
  // As a path's part: one more item of the list before it. So that `events.+=...` reads as it does.
  static constexpr std::string_view appended = "+";

  struct part {
    std::string text;
    std::size_t at;  // byte of the argument
  };

  static int length(std::string_view text) {
    return static_cast<int>(std::min<std::size_t>(text.size(), 200));
  }

  void fail(const part& p, std::string message, std::string hint = {}) {
    forest_.error_at(source_, 1, forest_.column_of(source_, 1, p.at), length(p.text),
                     std::move(message), std::move(hint));
  }

  static std::vector<std::string_view> names_in(const yaml_node* map) {
    std::vector<std::string_view> names;
    if (map != nullptr) {
      for (const auto& e : map->entries)
        names.push_back(e.key->text);
      for (const auto* i : map->items)
        if (i->is_scalar())
          names.push_back(i->text);
    }
    return names;
  }

  // The path's parts from the top; its first part may be an endpoint, a node or a traffic entry.
  bool split(std::string_view path, const yaml_node& root) {
    for (std::size_t at = 0; at <= path.size();) {
      const auto dot = std::min(path.find('.', at), path.size());
      parts_.push_back({std::string{path.substr(at, dot - at)}, at});
      at = dot + 1;
    }
    for (const auto& p : parts_)
      if (p.text.empty()) {
        fail(p, "a name is missing in the path");
        return false;
      }
    const auto first = parts_[0];
    const auto* nodes = root.find("nodes");
    const auto* traffic = root.find("traffic");
    const auto slash = first.text.find('/');
    if (slash != std::string::npos) {
      const part host{first.text.substr(0, slash), first.at};
      const part vm{first.text.substr(slash + 1), first.at + slash + 1};
      const auto* node = nodes == nullptr ? nullptr : nodes->find(host.text);
      if (node == nullptr) {
        fail(host, fmt::format("there is no node `{}`", host.text),
             did_you_mean(host.text, names_in(nodes)));
        return false;
      }
      const auto vms = names_in(node->find("vms"));
      if (std::find(vms.begin(), vms.end(), vm.text) == vms.end()) {
        fail(vm, fmt::format("node `{}` has no VM `{}`", host.text, vm.text),
             did_you_mean(vm.text, vms));
        return false;
      }
      parts_.erase(parts_.begin());
      parts_.insert(parts_.begin(), {{"nodes", first.at}, host, {"vms", first.at}, vm});
    } else if (std::any_of(top_level_keys().begin(), top_level_keys().end(),
                           [&](const key_info* k) { return k->name() == first.text; })) {
      return true;
    } else if (nodes != nullptr && nodes->find(first.text) != nullptr) {
      parts_.insert(parts_.begin(), {"nodes", first.at});
    } else if (traffic != nullptr && traffic->find(first.text) != nullptr) {
      parts_.insert(parts_.begin(), {"traffic", first.at});
    } else {
      auto words = names_in(nodes);
      for (const auto w : names_in(traffic))
        words.push_back(w);
      for (const auto* k : top_level_keys())
        words.push_back(k->name());
      fail(first, fmt::format("`{}` is no key, node or traffic entry of this scenario", first.text),
           did_you_mean(first.text, words));
      return false;
    }
    return true;
  }

  // A copy of `at` in which the path from part `i` on has the value; null pointer: reported.
  yaml_node* put(const yaml_node* at, std::size_t i) {
    if (i == parts_.size())
      return value_;
    const auto& p = parts_[i];
    if (p.text == appended && i > 0)
      return with_item(at, i);
    if (at == nullptr || at->is_null())
      return extended(*made(yaml_node::kind::map, p), p, i);
    if (at->is_scalar()) {
      at = opened(*at, i);
      if (at == nullptr) {
        fail(p, fmt::format("`{}` is a single value, there is no `{}` in it", parts_[i - 1].text,
                            p.text));
        return nullptr;
      }
    }
    if (at->is_list()) {
      if (i > 0 && parts_[i - 1].text == "vms")
        return extended(*vms_map(*at), p, i);
      std::size_t index = 0;
      if (p.text.size() > 6 || p.text.find_first_not_of("0123456789") != std::string::npos
          || (index = std::stoul(p.text)) >= at->items.size()) {
        fail(p, fmt::format(
                    "`{}` is a list of {}: its items are {}", parts_[i - 1].text, at->items.size(),
                    at->items.empty() ? "none" : fmt::format("0 to {}", at->items.size() - 1)));
        return nullptr;
      }
      auto* item = put(at->items[index], i + 1);
      if (item == nullptr)
        return nullptr;
      auto* list = forest_.copy(*at);
      list->items[index] = item;
      return list;
    }
    return extended(*at, p, i);
  }

  // A copy of a list with one more item; a list of its own where there is none.
  yaml_node* with_item(const yaml_node* list, std::size_t i) {
    const auto& p = parts_[i];
    if (list != nullptr && !list->is_null() && !list->is_list()) {
      fail(p, fmt::format("`{}` is no list, so nothing can be added to it", parts_[i - 1].text),
           list->is_map() ? fmt::format("a map gets a key: `{}.<key>=...`", parts_[i - 1].text)
                          : std::string{});
      return nullptr;
    }
    auto* item = put(nullptr, i + 1);
    if (item == nullptr)
      return nullptr;
    auto* result =
        list != nullptr && list->is_list() ? forest_.copy(*list) : made(yaml_node::kind::list, p);
    result->items.push_back(item);
    return result;
  }

  yaml_node* extended(const yaml_node& map, const part& p, std::size_t i) {
    auto* value = put(map.find(p.text), i + 1);
    if (value == nullptr)
      return nullptr;
    auto* result = forest_.copy(map);
    for (auto& e : result->entries)
      if (e.key->text == p.text) {
        e.value = value;
        return result;
      }
    result->entries.push_back({scalar(p), value});
    return result;
  }

  // Two short forms stand for maps: a link's text and a single flow-control policy.
  yaml_node* opened(const yaml_node& at, std::size_t i) {
    if (i == 2 && parts_[0].text == "links") {
      auto* map = forest_.copy(at);
      map->what = yaml_node::kind::map;
      auto* text = forest_.copy(at);
      map->entries.push_back({scalar({"endpoints", parts_[i].at}), text});
      return map;
    }
    if (i > 0 && parts_[i - 1].text == "flow-control") {
      auto* map = forest_.copy(at);
      map->what = yaml_node::kind::map;
      for (const auto* hop : {"guest", "vm-vswitch", "vswitch-nic", "nic-fabric"})
        map->entries.push_back({scalar({hop, parts_[i].at}), forest_.copy(at)});
      return map;
    }
    return nullptr;
  }

  yaml_node* vms_map(const yaml_node& list) {
    auto* map = forest_.copy(list);
    map->what = yaml_node::kind::map;
    map->items.clear();
    for (auto* i : list.items) {
      auto* settings = forest_.copy(*i);
      settings->what = yaml_node::kind::null;
      map->entries.push_back({i, settings});
    }
    return map;
  }

  yaml_node* made(yaml_node::kind what, const part& p) {
    auto* node = forest_.make(what);
    node->source = source_;
    node->line = 1;
    node->column = forest_.column_of(source_, 1, p.at);
    node->length = length(p.text);
    return node;
  }

  yaml_node* scalar(const part& p) {
    auto* node = made(yaml_node::kind::scalar, p);
    node->text = p.text;
    return node;
  }

  yaml_forest& forest_;
  const std::string& argument_;
  std::uint32_t source_ = 0;
  yaml_node* value_ = nullptr;
  std::vector<part> parts_;
};

}  // namespace

yaml_node* assemble(yaml_forest& forest, std::uint32_t source, const std::string& file) {
  return assembler{forest}.load(source, file);
}

yaml_node* apply_override(yaml_forest& forest, yaml_node* root, const std::string& argument) {
  return override_one{forest, argument}.apply(root);
}

bool read_text(const std::string& path, std::string& text, std::string& error) {
  std::error_code code;
  const auto status = fs::status(path, code);
  if (code) {
    error = code.message();
    return false;
  }
  if (fs::is_directory(status)) {
    error = "it is a folder";
    return false;
  }
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  if (!in) {
    error = errno != 0 ? std::strerror(errno) : "it cannot be opened";
    return false;
  }
  // Not by the file's size: pipes have none, and devices never end.
  text.resize(max_scenario_bytes + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return true;
}

std::string folder_of(const std::string& path) {
  const auto folder = fs::path{path}.parent_path();
  return folder.empty() ? "." : folder.string();
}

std::string resolve_path(const std::string& folder, const std::string& path) {
  const fs::path p{path};
  return (p.is_absolute() ? p : fs::path{folder} / p).lexically_normal().string();
}

}  // namespace sluice
