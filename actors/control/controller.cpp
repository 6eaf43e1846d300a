#include "actors/control/controller.hpp"

#include <algorithm>
#include <numeric>

namespace sluice {

controller::controller(controller_config c) : component{c.name, ""}, config_{std::move(c)} {
  sent_.assign(config_.devices.size(), 0);
  for (const auto& d : config_.devices) {
    auto& ports = heard_.emplace_back();
    for (const auto& p : d.ports)
      ports.push_back({.name = p});
  }
}

void controller::advance() {
  for (port_index d = 0; d < outputs_.size(); ++d) {
    const auto& commands = config_.devices[d].commands;
    for (auto& i = sent_[d]; i < commands.size() && window_open(outputs_[d]); ++i)
      emit(d, as_packet(commands[i]));
    auto& notices = outputs_[d].items;
    for (; !notices.empty() && notices.front().at <= limit_; notices.pop()) {
      hear(heard_[d], notices.front());
      ++outputs_[d].heard;
    }
  }
}

void controller::hear(std::vector<port_state>& ports, const signal& s) {
  auto& p = ports[s.port];
  const auto part = 1u << s.priority;
  if (s.what == signal::kind::stop) {
    ++p.stops;
    if (p.stopped == 0)
      p.since = s.at;
    p.stopped = static_cast<std::uint8_t>(p.stopped | part);
  } else {
    ++p.starts;
    p.stopped = static_cast<std::uint8_t>(p.stopped & ~part);
    if (p.stopped == 0)
      p.stopped_for += s.at - p.since;
  }
}

std::vector<controller::port_state> controller::state(sim_time now) const {
  std::vector<port_state> known;
  for (std::size_t d = 0; d < heard_.size(); ++d) {
    auto ports = heard_[d];
    each_coming(outputs_[d], [&](const signal& s) {
      if (s.at <= now)
        hear(ports, s);
    });
    for (const auto& c : config_.devices[d].commands)
      if ((c.what == command::kind::stop || c.what == command::kind::start) && c.at <= now)
        ports[c.port].ordered = c.what == command::kind::stop;
    for (auto& p : ports) {
      if (p.stopped != 0 && now > p.since)
        p.stopped_for += now - p.since;
      known.push_back(std::move(p));
    }
  }
  return known;
}

std::uint64_t controller::commands_sent() const {
  return std::accumulate(sent_.begin(), sent_.end(), std::uint64_t{0});
}

// All commands are on their way at once, unless there are more than the window takes.
sim_time controller::earliest_packet(port_index d) {
  const auto& commands = config_.devices[d].commands;
  return sent_[d] == commands.size() ? never : commands[sent_[d]].at;
}

sim_time controller::next_event() const {
  sim_time t = never;
  for (std::size_t d = 0; d < sent_.size(); ++d)
    if (const auto& commands = config_.devices[d].commands; sent_[d] < commands.size())
      t = std::min(t, commands[sent_[d]].at);
  return t;
}

}  // namespace sluice
