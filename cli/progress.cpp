#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "metrics/text.hpp"

namespace sluice {

namespace {

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view{term} != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

progress_bar::progress_bar(std::string title, sim_time end)
    : title_{std::move(title)}, end_{end}, visible_{on_terminal()} {}

progress_bar::~progress_bar() {
  if (visible_)
    fmt::print(stderr, "\r\x1b[K");
}

void progress_bar::update(sim_time now, double wall_seconds) {
  if (!visible_)
    return;
  const std::scoped_lock lock{mutex_};
  const auto time = std::chrono::steady_clock::now();
  if (time - drawn_ < std::chrono::milliseconds{100})
    return;
  drawn_ = time;
  draw(now, wall_seconds);
}

void progress_bar::snapshot(const run_results& so_far) {
  const std::scoped_lock lock{mutex_};
  const auto hops = so_far.packet_hops;
  const auto wall = so_far.wall_seconds;
  if (last_wall_ > 0 && wall > last_wall_ && hops >= last_hops_)
    speed_ = static_cast<double>(hops - last_hops_) / (wall - last_wall_);
  last_hops_ = hops;
  last_wall_ = wall;
  lost_ = so_far.dropped.packets;
  stops_ = 0;
  for (const auto& p : so_far.pauses)
    stops_ += p.sent;
}

void progress_bar::draw(sim_time now, double wall_seconds) {
  std::string line = title_;
  if (end_ < never && end_ > 0) {
    const double share = std::clamp(static_cast<double>(now) / static_cast<double>(end_), 0.0, 1.0);
    constexpr std::size_t cells = 24;
    const auto full = static_cast<std::size_t>(share * cells);
    line += fmt::format(" [{}{}] {:3.0f}%  {} of {}", std::string(full, '#'),
                        std::string(cells - full, '.'), 100 * share, human_time_ps(now),
                        human_time_ps(end_));
  } else {
    line += fmt::format("  {} of virtual time", human_time_ps(now));
  }
  if (speed_ > 0)
    line += "  " + human_speed(speed_);
  if (last_wall_ > 0)
    line += fmt::format("  lost {}  stops {}", human_count(lost_), human_count(stops_));
  line += fmt::format("  {:.0f} s", wall_seconds);
  // A line that wraps could not be wiped.
  line.resize(std::min(line.size(), terminal_width() - 1));
  fmt::print(stderr, "\r\x1b[K{}", line);
  std::fflush(stderr);
}

}  // namespace sluice
