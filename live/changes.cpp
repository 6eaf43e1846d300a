#include "live/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "scenarios/assemble.hpp"

namespace sluice {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int deepest_body = 6;

double seconds_of(sim_time t) {
  return static_cast<double>(t) / static_cast<double>(second);
}

/// The JSON object of a body; nothing: it is none.
std::optional<ordered_json> object_of(const std::string& body) {
  bool deep = false;
  const auto value = ordered_json::parse(
      body,
      [&](int depth, ordered_json::parse_event_t, ordered_json&) {
        deep = deep || depth > deepest_body;
        return !deep;
      },
      false);
  if (deep || !value.is_object())
    return {};
  return value;
}

/// Of the loader's texts those that were read from files.
bool same_files(const std::vector<load_result::source>& a,
                const std::vector<load_result::source>& b) {
  const auto next = [](auto& i, const auto& list) {
    while (i != list.end() && i->is_argument)
      ++i;
    return i != list.end();
  };
  auto i = a.begin();
  auto j = b.begin();
  for (;; ++i, ++j) {
    const bool more = next(i, a), also = next(j, b);
    if (!more || !also)
      return more == also;
    if (i->name != j->name || i->text != j->text)
      return false;
  }
}

bool plain(std::string_view word) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  if (word.empty() || letters.find(word.front()) == std::string_view::npos)
    return false;
  for (const auto special : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
    if (word == special)
      return false;
  return word.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "_./%-")
             == std::string_view::npos
         // "a -- b" has blanks; a word that ends in one would lose it.
         || (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_./%- ")
                 == std::string_view::npos
             && word.back() != ' ');
}

std::string quoted(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string flow_text(const ordered_json& value) {
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, each] : value.items())
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", plain(key) ? key : quoted(key),
                         flow_text(each));
    return '{' + out + '}';
  }
  if (value.is_array()) {
    for (const auto& each : value)
      out += (out.empty() ? "" : ", ") + flow_text(each);
    return '[' + out + ']';
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return plain(text) ? text : quoted(text);
  }
  return value.dump();
}

std::string shell_quoted(std::string_view argument) {
  if (!argument.empty()
      && argument.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_./:=%+-")
             == std::string_view::npos)
    return std::string{argument};
  std::string out = "'";
  for (const char c : argument)
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  return out + '\'';
}

live_changes::live_changes(const load_result& loaded, std::string file, load_options options,
                           steering& steers)
    : sources_{loaded.sources},
      events_{loaded.value->events.size()},
      file_{std::move(file)},
      options_{std::move(options)},
      steers_{steers} {}

http_reply live_changes::change(const std::string& body) {
  const auto wanted = object_of(body);
  if (!wanted)
    return refusal(400, "the body is one item of a scenario's `events`, as JSON",
                   R"(for example {"set": "h3/vm4.drain", "to": "1Gbit", "for": "5ms"})");
  if (wanted->contains("at"))
    return refusal(422, "`at` is chosen by the run: the earliest time that is still open",
                   "leave it out");
  ordered_json event{{"at", "0ps"}};
  event.update(*wanted);

  std::optional<timed_event> checked;
  {
    const std::scoped_lock lock{loading_};
    auto options = options_;
    options.set.push_back("events.+=" + event.dump(-1, ' ', false, json::error_handler_t::replace));
    // From the text that was read when the run began: the file may have been changed since.
    options.folder = folder_of(file_);
    const auto& text = sources_.front();
    auto loaded = load_scenario_text(text.text, text.name, options);
    if (!same_files(loaded.sources, sources_))
      return refusal(409, "a file that the scenario includes is not what it was when the run began",
                     "changes are checked against the scenario: begin the run again");
    for (const auto& d : loaded.diagnostics)
      if (d.level == diagnostic::severity::error)
        return refusal(422, d.message, d.hint);
    if (!loaded.value || loaded.value->events.size() != events_ + 1)
      return refusal(422, "that is not one event");
    checked = std::move(loaded.value->events.back());
  }

  std::shared_future<steering::answer> answer;
  {
    const std::scoped_lock lock{mutex_};
    answer = steers_.change(*checked).share();
    asked_.push_back({*wanted, answer});
  }
  return wait(answer, false);
}

http_reply live_changes::end(const std::string& body) {
  const auto wanted = object_of(body);
  if (!wanted || wanted->size() != 1 || !wanted->contains("event")
      || !(*wanted)["event"].is_number_unsigned())
    return refusal(400, "the body says which change ends", R"(for example {"event": 0})");
  return wait(steers_.end((*wanted)["event"].get<std::size_t>()).share(), true);
}

http_reply live_changes::wait(const std::shared_future<steering::answer>& answer, bool ends) {
  if (answer.wait_for(std::chrono::seconds{answer_seconds}) != std::future_status::ready)
    return refusal(504, fmt::format("the run has not come to it in {} s; it will", answer_seconds),
                   "look at the list of changes");
  const auto& a = answer.get();
  if (!a.refused.empty())
    return refusal(409, a.refused);
  return {200, json{{"event", a.event},
                    {ends ? "ends_ps" : "at_ps", a.at},
                    {ends ? "ends_seconds" : "at_seconds", seconds_of(a.at)}}
                       .dump()
                   + '\n'};
}

std::vector<live_changes::done> live_changes::all() const {
  std::vector<done> out;
  for (auto& e : steers_.events())
    out.push_back({std::move(e), ordered_json::object()});
  const std::scoped_lock lock{mutex_};
  for (const auto& a : asked_)
    if (a.answer.wait_for(std::chrono::seconds{0}) == std::future_status::ready)
      if (const auto& answer = a.answer.get(); answer.refused.empty() && answer.event < out.size())
        out[answer.event].body = a.body;
  return out;
}

json live_changes::list() const {
  auto out = json::array();
  for (const auto& [e, body] : all()) {
    json one{{"event", out.size()},
             {"what", json(body)},
             {"text", flow_text(body)},
             {"at_ps", e.at},
             {"at_seconds", seconds_of(e.at)}};
    if (e.duration < never) {
      one["for_ps"] = e.duration;
      one["for_seconds"] = seconds_of(e.duration);
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<std::string> live_changes::overrides() const {
  std::vector<std::string> out;
  for (const auto& [e, body] : all()) {
    ordered_json event{{"at", fmt::format("{}ps", e.at)}};
    event.update(body);
    event.erase("for");
    if (e.duration < never)
      event["for"] = fmt::format("{}ps", e.duration);
    out.push_back("events.+=" + flow_text(event));
  }
  return out;
}

}  // namespace sluice
