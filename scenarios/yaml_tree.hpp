/// \file
/// A YAML file as a tree that remembers where every value was written.
///
/// Built from yaml-cpp's events rather than from its nodes: duplicate keys stay visible, every
/// value has a mark with its length, and the limits of `loader.hpp` hold while the file is read,
/// not after memory is gone. Aliases share their node; a tree may therefore be larger than the
/// file, so its expanded size is bounded too. `<<` merges are resolved here.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "scenarios/loader.hpp"

namespace sluice {

struct yaml_node {
  enum class kind : std::uint8_t { null, scalar, list, map };
  struct entry;

  kind what = kind::null;
  bool quoted = false;       ///< a scalar in quotes or a block scalar
  std::uint32_t source = 0;  ///< index into load_result::sources
  int line = 0, column = 0;  ///< from 1
  int length = 1;            ///< characters on its line
  std::uint64_t weight = 1;  ///< values in it, aliases written out
  std::string text;          ///< of a scalar
  std::vector<yaml_node*> items;
  std::vector<entry> entries;

  bool is_null() const { return what == kind::null; }
  bool is_scalar() const { return what == kind::scalar; }
  bool is_list() const { return what == kind::list; }
  bool is_map() const { return what == kind::map; }

  /// The first value under `key` of a map; null pointer when there is none.
  yaml_node* find(std::string_view key) const;
};

struct yaml_node::entry {
  yaml_node* key;
  yaml_node* value;
};

/// Bytes of the well-formed UTF-8 sequence at `i` (RFC 3629, no surrogates); 0: malformed.
std::size_t utf8_sequence(std::string_view text, std::size_t i);

/// Owns the nodes of all files of one load, and their sources.
class yaml_forest {
public:
  explicit yaml_forest(load_result& result) : result_{result} {}

  yaml_node* make(yaml_node::kind what);
  yaml_node* copy(const yaml_node& of);

  /// A text to point into; returns its index in load_result::sources.
  std::uint32_t add_source(const std::string& name, std::string_view text,
                           bool is_argument = false);

  /// Parses `text`, which is the source from byte `offset` on, as one YAML document. Null pointer
  /// when that is not possible; what is wrong is then in the result's diagnostics.
  yaml_node* parse(std::uint32_t source, std::size_t offset = 0);

  source_mark mark(const yaml_node& at) const;

  void error(const yaml_node& at, std::string message, std::string hint = {});
  void warning(const yaml_node& at, std::string message, std::string hint = {});
  void error_at(std::uint32_t source, int line, int column, int length, std::string message,
                std::string hint = {});

  load_result& result() { return result_; }
  std::size_t size() const { return nodes_.size(); }
  std::size_t errors() const { return errors_; }

  /// Column in characters, from 1, of byte `byte` (from 0) of line `line` (from 1).
  int column_of(std::uint32_t source, int line, std::size_t byte) const;
  std::string_view line_of(std::uint32_t source, int line) const;

private:
  void report(std::uint32_t source, int line, int column, int length, std::string message,
              std::string hint, diagnostic::severity level);

  struct position {
    std::uint32_t source = UINT32_MAX;
    int line = 0;
    std::size_t byte = 0;
    int column = 1;
  };

  load_result& result_;
  mutable position last_column_;  // where column_of stopped counting
  std::deque<yaml_node> nodes_;
  std::vector<std::vector<std::size_t>> line_starts_;  // by source
  std::unordered_set<std::string> reported_;  // a value under an anchor is checked at every alias
  std::size_t errors_ = 0;
};

}  // namespace sluice
