/// \file
/// The one table of the scenario language: every key, what it takes, its default, its range and one
/// sentence of help. The loader's checks, the JSON Schema, `sluice explain` and the reference page
/// of the manual are all made from it, so they cannot disagree.
///
/// A path names keys from the top: `defaults.link.rate`. `<word>` stands for a name that the user
/// chooses (`traffic.<entry>.rate`), `[]` for an item of a list (`links[].rate`). What stands under
/// `nodes` depends on the node's kind: `nodes.<host>`, `nodes.<switch>`, `nodes.<generator>`,
/// `nodes.<sink>`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What a value may look like; a key may take several forms.
enum form : std::uint32_t {
  form_text = 1 << 0,
  form_integer = 1 << 1,   ///< 42
  form_count = 1 << 2,     ///< 42, 100k, 1M
  form_factor = 1 << 3,    ///< 4x
  form_duration = 1 << 4,  ///< 10ms
  form_rate = 1 << 5,      ///< 10Gbit
  form_size = 1 << 6,      ///< 256KiB
  form_packets = 1 << 7,   ///< 256 packets
  form_percent = 1 << 8,   ///< 30%
  form_choice = 1 << 9,    ///< one of `choices`
  form_map = 1 << 10,      ///< keys of the language
  form_names = 1 << 11,    ///< keys that the user chooses
  form_list = 1 << 12,
};

enum class key_status : std::uint8_t { implemented, planned };

struct key_info {
  std::string_view path;
  std::uint32_t forms = 0;
  std::string_view help;
  std::string_view fallback = {};  ///< the default, as one would write it
  std::string_view choices = {};   ///< "a|b"
  std::string_view later = {};     ///< choices that are refused as not implemented yet
  std::string_view range = {};     ///< "1ps..", "0bit..100Tbit"; one for each form, by spaces
  std::string_view like = {};      ///< takes the keys of that path...
  std::string_view except = {};    ///< ...but these, "a|b"
  std::string_view example = {};   ///< YAML
  key_status status = key_status::implemented;
  bool required = false;
  std::string_view since = "0.1.0";

  /// The last part of the path: "rate", "<vm>", "[]".
  std::string_view name() const;
};

/// The whole table, in the order of the manual.
std::span<const key_info> all_keys();

/// The entry of a path as the table writes it; null pointer when there is none.
const key_info* find_key(std::string_view path);

/// What may stand directly under `key`, in the order of the table (`like` followed).
const std::vector<const key_info*>& children_of(const key_info& key);

/// The top-level keys.
const std::vector<const key_info*>& top_level_keys();

/// The child called `name` (or "<...>" or "[]"); null pointer when there is none.
const key_info* child_of(const key_info& key, std::string_view name);

/// "a|b|c" in parts.
std::vector<std::string_view> split_choices(std::string_view choices);

/// "a rate such as `10Gbit`, or a percentage such as `30%`".
std::string expected_text(const key_info& key);

/// JSON Schema (draft 2020-12) of a scenario file, for the YAML language server.
std::string json_schema();

/// The text of `sluice explain KEY`: what the key takes, its default, the keys in it, an example.
/// `key` is a path of the table, or its last part or parts. Empty key: the top level. No value when
/// there is no such key; `suggest_key` then says which was probably meant.
std::optional<std::string> explain(std::string_view key);
std::optional<std::string> suggest_key(std::string_view key);

/// docs/scenario-reference.md.
std::string reference_page();

}  // namespace sluice
