/// \file
/// Runs the built program as a user does and says what came of it.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

namespace sluice {

struct finished {
  int code = -1;  ///< exit code; 128 + signal when a signal ended it
  std::string out, err;
};

/// The program with these arguments, in the source tree. Ends it after two minutes.
finished run_program(const std::vector<std::string>& arguments);

/// The same, but sends `signal` as soon as stderr holds `cue` (an empty cue: after `after_ms`).
finished interrupt_program(const std::vector<std::string>& arguments, const std::string& cue,
                           int after_ms, int signal = SIGINT);

/// The same, but calls `look` with what stderr holds, again and again, and sends SIGINT as soon as
/// it says so.
finished watch_program(const std::vector<std::string>& arguments,
                       const std::function<bool(const std::string& err)>& look);

/// A folder of its own, removed at the end of the test.
class temporary_folder {
public:
  temporary_folder();
  ~temporary_folder();
  std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

void write_text(const std::string& path, const std::string& text);
std::string read_text_of(const std::string& path);

/// The smallest legal scenario, with more lines at the end.
std::string small_scenario(const std::string& more = "");

}  // namespace sluice
