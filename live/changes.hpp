/// \file
/// Changes to a run that goes on: from the text of a request to an event of the scenario, checked
/// as the loader checks one, and back to a command that repeats the run.
///
///     body ──▶ --set 'events.+={at: 0ps, body}' ──▶ loader ──▶ timed_event ──▶ steering ──▶ time
///
/// A body is JSON: exactly one item of `events` without `at`.
///
/// Threading: any function by any thread; one change is checked at a time.
#pragma once

#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "live/http_server.hpp"
#include "scenarios/loader.hpp"
#include "topology/steering.hpp"

namespace sluice {

class live_changes {
public:
  /// \param loaded the scenario that runs
  /// \param file where it came from \param options with which it was loaded
  live_changes(const load_result& loaded, std::string file, load_options options, steering& steers);

  /// 200 {"event": n, "at_ps": t, "at_seconds": s}. 400: the body is no such JSON; 422: the
  /// scenario cannot have this event; 409: the run refused it, or its file is not what it was; 504:
  /// the run did not come to it in `answer_seconds`, but will.
  http_reply change(const std::string& body);
  /// Likewise; the body is {"event": n}.
  http_reply end(const std::string& body);

  /// What was changed so far, by number: {"event", "what" (the body), "text", "at_ps",
  /// "at_seconds", and with an end "for_ps", "for_seconds"}.
  nlohmann::json list() const;

  /// The changes as arguments of a run: `events.+={at: 123456ps, set: h2/server.drain, ...}`.
  std::vector<std::string> overrides() const;

  static constexpr int answer_seconds = 5;

private:
  // What was asked for, until it is known which number it has.
  struct asked {
    nlohmann::ordered_json body;
    std::shared_future<steering::answer> answer;
  };
  struct done {
    timed_event event;
    nlohmann::ordered_json body;
  };

  std::vector<done> all() const;
  http_reply wait(const std::shared_future<steering::answer>& answer, bool ends);

  std::vector<load_result::source> sources_;
  std::size_t events_ = 0;  // of the scenario itself
  std::string file_;
  load_options options_;
  steering& steers_;
  std::mutex loading_;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<asked> asked_;
};

/// JSON in a line of YAML, with as few quotes as it can be: {set: h2/server.drain, to: 1Gbit}.
std::string flow_text(const nlohmann::ordered_json& value);

/// An argument as a shell takes it.
std::string shell_quoted(std::string_view argument);

}  // namespace sluice
