/// \file
/// The transmitter of a port that sends no data: a sink's, or a switch's towards a generator. All
/// that leaves it are the PFC frames that hold the other side, or flow packets with credits for it.
///
///     who owns the buffer ──requests──▶ [ line ]
///     who sends to it ◀──frames that take effect──
///
/// It holds no packets and counts none; see pause_sender.hpp for its frames.
/// Source: IEEE 802.1Q-2018 clause 36.
#pragma once

#include "actors/component.hpp"
#include "actors/queue/pause_sender.hpp"
#include "actors/queue/transmitter.hpp"

namespace sluice {

class pause_port final : public component {
public:
  pause_port(std::string name, std::string node, line_config line)
      : component{std::move(name), std::move(node)}, line_{std::move(line)} {}

  /// Before the run, as port_queue::send_pauses.
  void send_pauses(pause_sender::config c, bool asked) {
    frames_ = pause_sender{std::move(c)};
    frames_in_ = last_input();
    asked_ = asked;
  }

  /// Between activations, for changes while it runs.
  transmitter& line() { return line_; }
  pause_sender* frames() { return &frames_; }

  std::string_view kind() const override { return "pause port"; }
  component_counters snapshot(sim_time) const override { return {}; }
  void report(sim_time, const reporter&) const override {}
  pause_counts pauses_sent() const override { return frames_.counts(); }
  sim_time next_event() const override { return line_.control_start(frames_.first()); }
  sim_time next_work() const override { return frames_.has_news() ? next_event() : never; }

protected:
  void advance() override {
    while (asked_ && !requests().items.empty()) {
      frames_.ask(from_packet(requests().items.front()));
      pop_packet(frames_in_ - 1);
    }
    for (;;) {
      const auto at = line_.control_start(frames_.first());
      if (at > limit_)
        return;
      if (asked_ && requests().promise <= at) {
        need_packets(frames_in_ - 1, at);  // what is asked for until then goes into the same frame
        return;
      }
      const auto sent = frames_.send(at, line_.transmit_control(at));
      if (!sent.lost)
        emit_signal(frames_in_, to_signal(sent.frame, sent.at));
    }
  }
  sim_time earliest_packet(port_index) override { return never; }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index i) override {
    if (i != frames_in_)
      return never;
    const auto next = std::min(frames_.first(), asked_ ? requests().promise : never);
    return later(line_.control_start(next), line_.control_time() + frames_.latency());
  }
  void explain_signal(port_index i, sim_time beyond) override {
    if (i == frames_in_ && asked_ && frames_.first() >= never)
      need_packets(i - 1, beyond - frames_.latency() - line_.control_time());
  }

private:
  const input& requests() const { return inputs_[frames_in_ - 1]; }
  input& requests() { return inputs_[frames_in_ - 1]; }

  transmitter line_;
  pause_sender frames_;
  port_index frames_in_ = 0;
  bool asked_ = false;
};

}  // namespace sluice
