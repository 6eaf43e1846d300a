#include "scenarios/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "scenarios/name_range.hpp"
#include "scenarios/suggest.hpp"
#include "traffic/units.hpp"

namespace sluice {

namespace {

std::uint32_t form_of(const quantity& q) {
  switch (q.what) {
    case quantity::kind::count:
      return q.bare ? form_integer | form_count : form_count;
    case quantity::kind::duration:
      return form_duration;
    case quantity::kind::rate:
      return form_rate;
    case quantity::kind::size:
      return form_size;
    case quantity::kind::packets:
      return form_packets;
    case quantity::kind::percent:
      return form_percent;
    case quantity::kind::factor:
      return form_factor;
  }
  return 0;
}

constexpr std::uint32_t numeric_forms = form_integer | form_count | form_factor | form_duration
                                        | form_rate | form_size | form_packets | form_percent;

bool less(const quantity& a, const quantity& b) {
  __extension__ typedef unsigned __int128 wide;
  return static_cast<wide>(a.amount) * b.divisor < static_cast<wide>(b.amount) * a.divisor;
}

std::string_view shape_name(const yaml_node& n) {
  switch (n.what) {
    case yaml_node::kind::null:
      return "nothing";
    case yaml_node::kind::scalar:
      return "a single value";
    case yaml_node::kind::list:
      return "a list";
    case yaml_node::kind::map:
      return "a map";
  }
  return "";
}

/// "bit, kbit, Mbit, Gbit, Tbit" of every form with a unit.
std::string units_of(const key_info& k) {
  std::string text;
  const auto add = [&](form f, quantity::kind kind) {
    if (k.forms & f)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", kind_units(kind));
  };
  add(form_duration, quantity::kind::duration);
  add(form_rate, quantity::kind::rate);
  add(form_size, quantity::kind::size);
  add(form_packets, quantity::kind::packets);
  add(form_percent, quantity::kind::percent);
  add(form_factor, quantity::kind::factor);
  return text;
}

class checker {
public:
  explicit checker(yaml_forest& forest) : forest_{forest} {}

  void fields(const std::vector<const key_info*>& known, const yaml_node& map,
              const key_info* owner) {
    for (const auto& e : map.entries) {
      const key_info* k = nullptr;
      for (const auto* c : known)
        if (c->name() == e.key->text && c->name().front() != '<')
          k = c;
      if (k == nullptr)
        unknown(known, *e.key, owner);
      else if (k->status == key_status::planned)
        forest_.error(*e.key, fmt::format("`{}` is not implemented yet", k->name()));
      else
        value(*k, *e.value, e.key->text);
    }
    for (const auto* c : known)
      if (c->required && map.find(c->name()) == nullptr)
        forest_.error(
            map, fmt::format("`{}` is missing", c->name()),
            c->example.empty() ? std::string{} : fmt::format("for example `{}: ...`", c->name()));
  }

private:
  void value(const key_info& k, const yaml_node& n, std::string_view name) {
    if (k.path == "nodes")
      return nodes(n);
    switch (n.what) {
      case yaml_node::kind::null:
        if (!(k.forms & (form_map | form_names | form_list)))
          forest_.error(n, fmt::format("`{}` has no value: it wants {}", name, expected_text(k)));
        else if (k.forms & form_map)
          fields(children_of(k), n, &k);
        return;
      case yaml_node::kind::scalar:
        return scalar(k, n, name);
      case yaml_node::kind::list:
        if (!(k.forms & form_list))
          return shape(k, n, name);
        if (const auto* item = child_of(k, "[]"))
          for (const auto* i : n.items)
            value(*item, *i, name);
        return;
      case yaml_node::kind::map:
        if (k.forms & form_map)
          return fields(children_of(k), n, &k);
        if (!(k.forms & form_names))
          return shape(k, n, name);
        for (const auto& e : n.entries) {
          const auto* child = child_of(k, "<>");
          if (child == nullptr)
            continue;
          check_name(*child, *e.key);
          value(*child, *e.value, e.key->text);
        }
        return;
    }
  }

  void shape(const key_info& k, const yaml_node& n, std::string_view name) {
    forest_.error(n, fmt::format("`{}` wants {}, not {}", name, expected_text(k), shape_name(n)),
                  k.example.empty()
                      ? std::string{}
                      : fmt::format("for example `{}`", k.example.substr(0, k.example.find('\n'))));
  }

  // What stands under `nodes` depends on each node's kind.
  void nodes(const yaml_node& n) {
    static const std::vector<std::string_view> kinds{"host", "switch", "generator", "sink"};
    if (!n.is_map()) {
      forest_.error(n,
                    fmt::format("`nodes` wants a map from names to nodes, not {}", shape_name(n)),
                    "for example `nodes: {a: {kind: host, vms: [v]}}`");
      return;
    }
    for (const auto& e : n.entries) {
      name_of("node", *e.key);
      const auto* kind = e.value->find("kind");
      if (!e.value->is_map() || kind == nullptr) {
        forest_.error(e.value->is_map() ? *e.key : *e.value,
                      fmt::format("node `{}` has no `kind`", e.key->text),
                      fmt::format("for example `{}: {{kind: host, vms: [vm1]}}`; kinds are host, "
                                  "switch, generator and sink",
                                  e.key->text));
        continue;
      }
      if (!kind->is_scalar() || std::find(kinds.begin(), kinds.end(), kind->text) == kinds.end()) {
        auto hint = did_you_mean(kind->text, kinds);
        forest_.error(*kind,
                      kind->is_scalar()
                          ? fmt::format("there is no node kind `{}`", kind->text)
                          : fmt::format("`kind` wants a word, not {}", shape_name(*kind)),
                      hint.empty() ? "kinds are host, switch, generator and sink" : hint);
        continue;
      }
      const auto* k = find_key(fmt::format("nodes.<{}>", kind->text));
      fields(children_of(*k), *e.value, k);
    }
  }

  void check_name(const key_info& k, const yaml_node& key) {
    if (k.name() == "<vm>")
      names_of("VM", key);
    else if (k.name() == "<entry>")
      name_of("traffic entry", key);
    else if (k.name() == "<priority>"
             && !(key.text.size() == 1 && key.text[0] >= '0' && key.text[0] <= '7'))
      forest_.error(key, fmt::format("`{}` is not a priority: 0 to 7", key.text));
  }

  void name_of(std::string_view what, const yaml_node& key) {
    if (!valid_name(key.text))
      forest_.error(key, fmt::format("`{}` cannot be the name of a {}", key.text, what),
                    "names are letters, digits, `_` and single `-`, at most 64");
  }

  // One, or a range of them.
  void names_of(std::string_view what, const yaml_node& key) {
    const auto range = expand_name(key.text);
    if (range.names.empty())
      forest_.error(key, fmt::format("`{}` is no range of names", key.text), range.wrong);
    else if (!valid_name(range.names.back()))
      name_of(what, key);
  }

  void scalar(const key_info& k, const yaml_node& n, std::string_view name) {
    if (k.forms & form_choice) {
      const auto words = split_choices(k.choices);
      if (std::find(words.begin(), words.end(), n.text) != words.end())
        return;
      const auto later = split_choices(k.later);
      if (std::find(later.begin(), later.end(), n.text) != later.end()) {
        forest_.error(n, fmt::format("`{}` is not implemented yet for `{}`", n.text, name),
                      fmt::format("what there is: {}", fmt::join(words, ", ")));
        return;
      }
    }
    if (k.forms & form_text) {
      if (k.path == "nodes.<host>.vms[]")
        names_of("VM", n);
      else if (n.text.empty())
        forest_.error(n, fmt::format("`{}` is empty", name));
      return;
    }
    if (k.forms & numeric_forms) {
      const auto parsed = parse_quantity(n.text);
      if (parsed.value) {
        if (k.forms & form_of(*parsed.value))
          return range(k, n, name, *parsed.value);
        const auto units = units_of(k);
        if (parsed.value->bare && !units.empty()) {
          // Of several units the right one is not for us to guess.
          const auto one = units.find(',') == std::string::npos;
          forest_.error(n, fmt::format("`{}` has no unit: `{}` is in {}", n.text, name, units),
                        one ? fmt::format("did you mean `{}{}`?", n.text, units) : std::string{});
        } else {
          forest_.error(
              n, fmt::format("`{}` is {}, but `{}` wants {}", n.text,
                             parsed.value->what == quantity::kind::count && !parsed.value->bare
                                 ? "a number of thousands or more"
                                 : kind_name(parsed.value->what),
                             name, expected_text(k)));
        }
        return;
      }
      if (parsed.numeric) {
        std::string hint;
        if (!parsed.suggestion.empty()) {
          const auto better = parse_quantity(parsed.suggestion);
          if (better.value && (k.forms & form_of(*better.value)))
            hint = fmt::format("did you mean `{}`?", parsed.suggestion);
        }
        const auto units = units_of(k);
        if (hint.empty() && !units.empty())
          hint = fmt::format("`{}` is in {}", name, units);
        forest_.error(n, fmt::format("{}; `{}` wants {}", parsed.message, name, expected_text(k)),
                      std::move(hint));
        return;
      }
    }
    if (k.forms & form_choice) {
      auto hint = did_you_mean(n.text, split_choices(k.choices));
      forest_.error(n,
                    fmt::format("`{}` cannot be `{}`: it wants {}", name, n.text, expected_text(k)),
                    std::move(hint));
      return;
    }
    if (!(k.forms & numeric_forms))
      return shape(k, n, name);
    forest_.error(n, fmt::format("`{}` wants {}, not `{}`", name, expected_text(k), n.text));
  }

  void range(const key_info& k, const yaml_node& n, std::string_view name, const quantity& q) {
    if (q.what == quantity::kind::duration && q.amount >= static_cast<std::uint64_t>(never)) {
      forest_.error(n, fmt::format("`{}` is longer than any run can be (26 days)", n.text));
      return;
    }
    for (auto rest = k.range; !rest.empty();) {
      const auto one = rest.substr(0, rest.find(' '));
      rest = one.size() == rest.size() ? std::string_view{} : rest.substr(one.size() + 1);
      const auto dots = one.find("..");
      const auto low = parse_quantity(one.substr(0, dots)).value;
      const auto high = parse_quantity(one.substr(dots + 2)).value;
      if (!low || low->what != q.what)
        continue;
      if (less(q, *low))
        forest_.error(n, high ? fmt::format("`{}` is out of range: `{}` is at least {}, at most {}",
                                            n.text, name, one.substr(0, dots), one.substr(dots + 2))
                              : fmt::format("`{}` is out of range: `{}` is at least {}", n.text,
                                            name, one.substr(0, dots)));
      else if (high && less(*high, q))
        forest_.error(n, fmt::format("`{}` is out of range: `{}` is at least {}, at most {}",
                                     n.text, name, one.substr(0, dots), one.substr(dots + 2)));
    }
  }

  void unknown(const std::vector<const key_info*>& known, const yaml_node& key,
               const key_info* owner) {
    std::vector<std::string_view> names;
    for (const auto* c : known)
      if (c->name().front() != '<' && c->name() != "[]")
        names.push_back(c->name());
    auto hint = did_you_mean(key.text, names);
    if (hint.empty()) {
      // Right word, wrong place?
      std::vector<std::string_view> places;
      for (const auto& k : all_keys())
        if (k.name() == key.text)
          places.push_back(k.path);
      if (places.size() == 1 && places[0] == key.text)
        hint = fmt::format("`{}` belongs to the whole file, not in here", key.text);
      else if (!places.empty())
        hint = fmt::format("there is `{}`", fmt::join(places, "`, `"));
      else
        hint = fmt::format("keys here are {}", fmt::join(names, ", "));
    }
    forest_.error(key,
                  owner == nullptr ? fmt::format("unknown key `{}`", key.text)
                                   : fmt::format("unknown key `{}` in `{}`", key.text, owner->path),
                  std::move(hint));
  }

  yaml_forest& forest_;
};

}  // namespace

bool valid_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '-'
      || name.find("--") != std::string_view::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& words) {
  const auto near = nearest(word, words);
  return near ? fmt::format("did you mean `{}`?", *near) : std::string{};
}

void check_tree(yaml_forest& forest, const yaml_node& root) {
  checker{forest}.fields(top_level_keys(), root, nullptr);
}

}  // namespace sluice
