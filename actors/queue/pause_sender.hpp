/// \file
/// The MAC of a port that holds its peer: it sends PFC frames, or flow packets with credits, as its
/// buffer asks for them, and frames that the scenario injects.
///
/// A frame goes ahead of all data, but what is on the line is finished. What was asked for while it
/// waited goes into the same frame: it says how things are when it leaves. Its effect at the peer
/// comes when its last bit has crossed the cable and the peer's MAC has responded. It is lost if
/// the cable goes down meanwhile. A flow packet is sent at least every so often, so one that was
/// lost is made good by the next; flow packets that say nothing new are left out where none is
/// lost.
///
/// Counters by class: frames that enabled it, and the quanta that they said.
/// Source: IEEE 802.1Q-2018 clause 36, 802.3-2018 annex 31B; InfiniBand Architecture 7.9.4.
#pragma once

#include <array>
#include <bit>
#include <vector>

#include "actors/engine/parcel.hpp"
#include "actors/engine/ring.hpp"
#include "actors/logic/outage.hpp"
#include "actors/logic/pause_requests.hpp"
#include "actors/queue/tap_stream.hpp"
#include "metrics/counters.hpp"

namespace sluice {

/// A request as a packet, from who owns the buffer to the port's sender; and as a signal, the frame
/// that has had its effect, for which nobody has to know the reason. Their `at` is set by who sends
/// them. A packet's fields stand for others here: `due` and `from`, `to` for the reason's two
/// numbers of bytes, `overlay` and `socket` for what it is about.
inline packet to_packet(const pause_request& r) {
  packet p;
  p.at = r.at;
  p.ingress = r.hold;
  p.egress = r.go;
  p.flow = r.quanta;
  p.id = r.number;
  p.priority = static_cast<std::uint8_t>(r.what);
  p.bytes = mac_control_bytes;
  p.due = r.why.bytes;
  p.from = static_cast<std::uint32_t>(r.why.limit);
  p.to = static_cast<std::uint32_t>(r.why.limit >> 32);
  p.overlay = static_cast<std::uint8_t>(r.why.what);
  p.socket = r.why.priority;
  return p;
}
inline pause_request from_packet(const packet& p) {
  return {p.at,
          static_cast<std::uint8_t>(p.ingress),
          static_cast<std::uint8_t>(p.egress),
          static_cast<std::uint16_t>(p.flow),
          static_cast<std::uint16_t>(p.id),
          static_cast<pause_request::kind>(p.priority),
          {static_cast<pause_reason::kind>(p.overlay), p.socket, p.due,
           static_cast<std::int64_t>(std::uint64_t{p.to} << 32 | p.from)}};
}
inline signal to_signal(const pause_request& r, sim_time at) {
  return {at, r.quanta | static_cast<std::uint32_t>(r.number) << 16,
          static_cast<std::uint16_t>(r.hold | r.go << 8),
          r.what == pause_request::kind::pfc     ? signal::kind::pfc
          : r.what == pause_request::kind::pause ? signal::kind::pause
                                                 : signal::kind::credit,
          0};
}
inline pause_request from_signal(const signal& s) {
  return {s.at,
          static_cast<std::uint8_t>(s.port & 0xff),
          static_cast<std::uint8_t>(s.port >> 8),
          static_cast<std::uint16_t>(s.bytes & 0xffff),
          static_cast<std::uint16_t>(s.bytes >> 16),
          s.what == signal::kind::pfc     ? pause_request::kind::pfc
          : s.what == signal::kind::pause ? pause_request::kind::pause
                                          : pause_request::kind::credit,
          {}};
}

class pause_sender {
public:
  /// Frames that the scenario has the port send: at `what.at` and every `every` until before
  /// `until`.
  struct injection {
    pause_request what;
    sim_time every = never;
    sim_time until = never;
  };
  struct config {
    std::vector<injection> injected;
    std::vector<outage> outages;  ///< of the cable, by time
    sim_time cable = 0;           ///< propagation
    sim_time response = 0;        ///< of the peer's MAC
    /// Of flow packets: a lane's is sent again so long after one that was lost.
    sim_time repeat = never;
    /// Taps at its port and at its peer's, if there are any. Flow packets are no Ethernet frames.
    std::vector<tap_stream*> tapped, peer_tapped;
  };

  pause_sender() : pause_sender{config{}} {}
  explicit pause_sender(config c) : config_{std::move(c)} { again_.fill(never); }

  /// In order of time.
  void ask(const pause_request& r) { asked_.push(r); }

  /// Between activations: it is to send frames more. Returns their number among all.
  std::size_t inject(const injection& i) {
    config_.injected.push_back(i);
    return config_.injected.size() - 1;
  }
  /// Likewise: from `t` on, of which nothing was decided, a series is like this. If it began before
  /// it goes on until its new end.
  void revise(std::size_t number, const injection& i, sim_time t) {
    auto& own = config_.injected[number];
    if (i.what.at >= t)
      own = i;
    own.until = i.until;
    if (own.what.at >= own.until)
      own.what.at = never;
  }
  /// Likewise: the cable will be down at other times.
  void revise(std::vector<outage> outages) { config_.outages = std::move(outages); }
  sim_time cable() const { return config_.cable; }

  /// The earliest frame that waits, or is to be injected; never: none.
  sim_time first() const {
    auto t = asked_.empty() ? never : asked_.front().at;
    for (const auto& i : config_.injected)
      t = std::min(t, i.what.at);
    for (auto at : again_)
      t = std::min(t, at);
    return t;
  }
  /// Whether what waits has something new to say: not a frame that only keeps up a pause.
  bool has_news() const {
    return first() < never && (asked_.empty() || asked_.front().what == pause_request::kind::credit)
           && config_.injected.empty();
  }

  struct effect {
    pause_request frame;
    sim_time at;  ///< when the peer obeys it
    bool lost;    ///< it never gets there
  };
  /// The frame that starts at `from` and has left at `to`: everything up to `from`, as far as one
  /// frame can say it. \pre first() <= from
  effect send(sim_time from, sim_time to) {
    auto frame = pop();
    tap_stream::reasons why;
    const bool seen = !config_.tapped.empty() || !config_.peer_tapped.empty();
    if (seen)
      note(why, frame);
    while (first() <= from && joins(frame, peek())) {
      const auto r = pop();
      frame.hold = static_cast<std::uint8_t>((frame.hold & ~r.go) | r.hold);
      frame.go = static_cast<std::uint8_t>((frame.go & ~r.hold) | r.go);
      if (r.hold != 0)
        frame.quanta = r.quanta;
      if (seen)
        note(why, r);
      if (static_cast<std::int16_t>(static_cast<std::uint16_t>(r.number - frame.number)) > 0)
        frame.number = r.number;
    }
    number_ = frame.number;
    const bool credit = frame.what == pause_request::kind::credit;
    for (unsigned c = 0; c < pause_classes; ++c) {
      const bool holds = frame.what == pause_request::kind::pause || (frame.hold >> c & 1) != 0;
      if (holds || (frame.go >> c & 1) != 0) {
        ++sent_.priorities[c].frames;
        sent_.priorities[c].quanta += holds && !credit ? frame.quanta : 0u;
      }
    }
    ++sent_.frames;
    const auto arrives = to + config_.cable;
    while (outage_ < config_.outages.size() && config_.outages[outage_].to <= from)
      ++outage_;
    const bool lost = outage_ < config_.outages.size() && config_.outages[outage_].from < arrives;
    sent_.lost += lost;
    if (seen && !credit) {
      for (auto* tap : config_.tapped)
        tap->saw(to, frame, why);
      if (!lost)
        for (auto* tap : config_.peer_tapped)
          tap->saw(arrives, frame, why);
    }
    if (credit) {
      const auto lane = static_cast<unsigned>(std::countr_zero(frame.hold));
      said_[lane] = frame.quanta;
      again_[lane] = lost ? later(from, config_.repeat) : never;
    }
    return {frame, arrives + config_.response, lost};
  }
  /// From when a frame has left until it has its effect.
  sim_time latency() const { return config_.cable + config_.response; }

  const pause_counts& counts() const { return sent_; }

private:
  // Of what waits: what the buffer asked for, an injection's, or beyond those a lane's repetition.
  // At one time the buffer's is first.
  std::size_t earliest() const {
    const auto injections = config_.injected.size();
    std::size_t best = injections;
    auto t = asked_.empty() ? never : asked_.front().at;
    for (std::size_t i = 0; i < injections; ++i)
      if (config_.injected[i].what.at < t) {
        t = config_.injected[i].what.at;
        best = i;
      }
    for (std::size_t lane = 0; lane < again_.size(); ++lane)
      if (again_[lane] < t) {
        t = again_[lane];
        best = injections + 1 + lane;
      }
    return best;
  }
  pause_request peek() const {
    const auto i = earliest();
    return i == config_.injected.size()  ? asked_.front()
           : i > config_.injected.size() ? repeated(i - config_.injected.size() - 1)
                                         : injected(i);
  }
  pause_request pop() {
    const auto i = earliest();
    if (i == config_.injected.size()) {
      const auto r = asked_.front();
      asked_.pop();
      return r;
    }
    if (i > config_.injected.size()) {
      const auto lane = i - config_.injected.size() - 1;
      const auto r = repeated(lane);
      again_[lane] = never;
      return r;
    }
    const auto r = injected(i);
    auto& x = config_.injected[i];
    x.what.at = later(x.what.at, x.every);
    if (x.what.at >= x.until)
      x.what.at = never;
    return r;
  }
  // An injected frame answers nothing that was announced.
  pause_request injected(std::size_t i) const {
    auto r = config_.injected[i].what;
    r.number = number_;
    r.why.what = pause_reason::kind::scenario;
    return r;
  }
  // Why what is asked for is in the frame that is being made. The last word on a class is right.
  static void note(tap_stream::reasons& why, const pause_request& r) {
    if (r.why.what == pause_reason::kind::scenario) {
      for (unsigned c = 0; c < pause_classes; ++c)
        if (((r.hold | r.go) >> c & 1) != 0)
          why[c] = r.why;
    } else if (r.why.what != pause_reason::kind::nothing) {
      why[r.why.priority] = r.why;
    }
  }
  pause_request repeated(std::size_t lane) const {
    pause_request r;
    r.at = again_[lane];
    r.hold = static_cast<std::uint8_t>(1u << lane);
    r.quanta = said_[lane];
    r.what = pause_request::kind::credit;
    return r;
  }
  static bool joins(const pause_request& a, const pause_request& b) {
    if (a.what == pause_request::kind::credit)
      return b.what == a.what && a.hold == b.hold;
    return a.what == pause_request::kind::pfc && b.what == a.what
           && (a.hold == 0 || b.hold == 0 || a.quanta == b.quanta);
  }

  config config_;
  ring<pause_request> asked_;
  std::uint16_t number_ = 0;
  // By lane: what was said last, and when it is said again.
  std::array<std::uint16_t, pause_classes> said_{};
  std::array<sim_time, pause_classes> again_;
  pause_counts sent_;
  std::size_t outage_ = 0;
};

}  // namespace sluice
