/// \file
/// The sending side of a hop: when the next packet may start, given the line, and what the other
/// side has said or promised.
///
/// A stop that arrives at `s` holds every transmission that has not started before `s`; one that
/// is under way finishes. A start that arrives at `r` allows transmissions from `r` on. Both are
/// looked up at the time in question, never "now": the answer may be for a time long before or
/// after anything else that is known (DESIGN 3, rule 8).
///
/// Where the receiver is a queue in the same machine, the sender can look into it: it keeps the
/// receiver's `room` by what it has sent and what was reported as released, and sleeps while there
/// is none.
///
/// On a wire with PFC it obeys frames instead, by class: `start_class`. Two links tell it of them.
/// On that of its packets the receiver announces each transition and allows so many bytes before
/// the next one: while all that was announced is heard and the allowance lasts, nothing else has to
/// be known. Only then does it matter what comes on the other, from the port that sends the frames.
/// On an InfiniBand link it sends a class as far as it has credits, which come the same way; they
/// only ever allow more, so with enough of them nothing has to be known. So it is with S-PFC, where
/// it looks for the room that a class has in the receiver's queue.
///
/// A line may be a process rather than a wire. Then it sleeps while it finds nothing to send, and
/// takes `wake_up` to begin again; and it may work in polls, as Linux' NAPI does: after `weight`
/// packets in a row it pays `per_poll`, after `budget` packets it lets others run for `per_budget`.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "actors/engine/cell.hpp"
#include "actors/logic/class_rooms.hpp"
#include "actors/logic/dma_engine.hpp"
#include "actors/logic/ib_window.hpp"
#include "actors/logic/pause_timers.hpp"
#include "actors/logic/read_requests.hpp"
#include "actors/logic/room.hpp"
#include "actors/queue/hold.hpp"
#include "actors/queue/pause_sender.hpp"
#include "metrics/counters.hpp"
#include "traffic/packet.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// A line's rate from `at` on. Zero: it stands still until the next change.
struct rate_change {
  sim_time at = 0;
  line_rate rate;
};

struct line_config {
  line_rate rate;
  std::vector<rate_change> changes;  ///< by time
  std::vector<outage> outages;       ///< by time, disjoint: nothing starts in them
  /// Of an aggregated port, by time: what arrives before `to` and has not started by `from` never
  /// will; it is thrown away from `from` on, as soon as the receiver holds it no longer.
  std::vector<outage> purges;
  std::uint32_t overhead_bytes = 0;  ///< that each packet takes beyond its frame bytes
  std::uint32_t control_bytes = 0;   ///< of the line that a frame of flow control takes, all in all
  sim_time per_packet = 0;           ///< fixed service time of a packet
  /// Its packets are read from a host's memory: instead of their bytes at `rate` this takes time.
  std::optional<dma_engine::config> dma;
  sim_time wake_up = 0;             ///< from the arrival at a sleeping process to its start
  unsigned weight = 0, budget = 0;  ///< packets; 0: no polls
  sim_time per_poll = 0, per_budget = 0;
};

class transmitter {
public:
  struct verdict {
    sim_time at;   ///< the start, if certain; else nothing starts before this
    bool certain;  ///< `at` is final
    /// If not: to be sure, the pauses would have to be known beyond this; never: the signals beyond
    /// `at`.
    sim_time pauses_beyond = never;
    unsigned classes = 0;  ///< with start_class: bit c, class c may start then
    /// If pauses are lacking: when it goes on if nothing comes; never: it does not.
    sim_time ends = never;
  };

  explicit transmitter(line_config c) : line_{std::move(c)}, rate_{line_.rate} {
    if (line_.dma)
      dma_ = std::make_unique<dma_engine>(*line_.dma);
    revise(std::move(line_.changes), std::move(line_.outages));
    purge(std::move(line_.purges));
  }

  /// Between activations: from a time on, no earlier than `busy()` and than anything that was
  /// decided, its rate and its carrier will be otherwise. What was so before that time stays.
  void revise(std::vector<rate_change> changes, std::vector<outage> outages) {
    line_.changes = std::move(changes);
    line_.outages = std::move(outages);
    fastest_ = line_.rate;
    for (const auto& x : line_.changes)
      if (x.rate.bps() > fastest_.bps())
        fastest_ = x.rate;
    steady_ = line_.changes.empty() && line_.outages.empty() && !line_.rate.stopped() && !reads_;
    if (credits_)
      credits_->lanes.revise(line_.outages);
  }
  /// Likewise what it is to throw away.
  void purge(std::vector<outage> purges) {
    line_.purges = std::move(purges);
    drops_some_ = watched() || !line_.purges.empty();
  }
  const line_config& line() const { return line_; }

  /// How many it sends to; one unless said otherwise. Before the run.
  void receivers(std::size_t n) { others_.resize(n - 1); }
  /// What is known of the queue at the other end; and whether its owner may say stop besides.
  /// Before the run.
  void check_room(const room::config& c, bool commanded = false, std::size_t at = 0) {
    held(at).seen = room{c};
    commanded_ = commanded;
  }
  /// Before the run: what it sends is read over PCI Express, with so many requests outstanding.
  void limit_reads(const read_requests::config& c) {
    if (c.credits == 0)
      return;
    reads_ = std::make_unique<read_requests>(c);
    steady_ = false;
  }
  bool checks_room(std::size_t at = 0) const { return held(at).seen.checked(); }

  /// A process that is free since `busy()` and finds the first packet at `ready` has slept, unless
  /// it was waiting for that one.
  sim_time awake(sim_time ready, bool waited_for = false) const {
    return ready <= busy_ ? busy_ : waited_for ? ready : later(ready, line_.wake_up);
  }

  /// When the packet can start that is ready at `ready`. Takes in the signals that have taken
  /// effect by then, but none later than `limit`, so that what has been counted depends on the
  /// limit alone.
  /// \param at which of several receivers the packet is for; `out` leads there.
  [[gnu::always_inline]] verdict start(cell::output& out, sim_time ready, std::uint32_t bytes,
                                       sim_time limit, bool waited_for = false,
                                       std::size_t at = 0) {
    auto& h = held(at);
    slept_ = ready > busy_ && !waited_for;
    sim_time t = awake(ready, waited_for);
    for (;;) {
      if (t > limit)
        return {t, false};
      if (!steady_) {
        t = open_at(t, ready);
        if (reads_)
          t = reads_->ready(t, bytes);
        if (t >= never)
          return {never, false};
      }
      while (!out.items.empty() && out.items.front().at <= t)
        hear(out, h);
      if (h.now()) {
        if (out.items.empty())
          return {t > out.promise ? t : out.promise, false};
        t = out.items.front().at;  // later than t, or it had been heard
        continue;
      }
      if (h.resumed > t) {
        t = h.resumed;
        continue;
      }
      if (h.seen.full(bytes)) {
        if (out.items.empty() && out.promise <= t)
          return {t, false};  // something may have been taken out by then
        h.sleep(t, bytes);
        continue;
      }
      // What we do not know of a queue that we look into can only be more room.
      const bool certain = (h.seen.checked() && !commanded_) || out.promise > t
                           || !out.items.empty()
                           || (out.bytes + bytes <= out.allowed.bytes
                               && static_cast<std::int64_t>(out.packets) < out.allowed.packets
                               && t < out.allowed.until);
      return {t, certain};
    }
  }

  /// Before the run: it obeys PFC (or PAUSE) frames that come as signals on an output of their own.
  /// \param announced the receiver speaks PFC: its stops and starts announce frames. If not, they
  ///   hold all classes themselves, and frames come besides.
  /// \param injected frames come that the receiver knows nothing of.
  void obey_pauses(const pause_timers::config& c, bool announced, bool injected) {
    obeys_ = std::make_unique<obedience>(pause_timers{c}, announced, injected);
    drops_some_ = watched() || !line_.purges.empty();
  }
  /// Likewise: it has the credits that flow packets bring, as signals on an output of their own.
  void obey_credits(const ib_window::config& c) { credits_ = std::make_unique<window>(c); }
  /// Whether frames of the other side decide on what it may send.
  bool obeys_frames() const { return obeys_ != nullptr || credits_ != nullptr; }
  /// With S-PFC: what is known of the queue at the other end, by class. As check_room. Before the
  /// run.
  void check_rooms(const class_rooms::config& c, bool commanded = false) {
    rooms_ = std::make_unique<class_rooms>(c);
    commanded_ = commanded;
  }
  /// Whether a class may be held while others are not: use `start_class`.
  bool by_class() const { return obeys_frames() || rooms_ != nullptr; }
  bool watched() const { return obeys_ != nullptr && obeys_->timers.watched(); }
  /// Whether a packet of the class that would start at `t` is dropped in its place: in a storm.
  bool drops(unsigned c, sim_time t) const {
    return watched() && obeys_->timers.drops() && obeys_->timers.storm(c, t);
  }
  /// Whether a packet that arrived at `arrived` and would start at `t` is thrown away in its place.
  bool purges(sim_time arrived, sim_time t) const {
    return std::any_of(line_.purges.begin(), line_.purges.end(),
                       [&](const auto& x) { return x.from <= t && arrived < x.to; });
  }
  /// Whether it may be that something does not leave by the line, for either reason.
  bool drops_some() const { return drops_some_; }
  /// Whether what it may send by class can only become more: credits, or room.
  bool by_room() const { return credits_ != nullptr || rooms_ != nullptr; }
  /// Whether nothing but frames holds it.
  bool held_by_frames() const {
    return credits_ != nullptr || (obeys_ != nullptr && obeys_->announced);
  }
  /// A class that it cannot send for want of credits, and what it has to send.
  struct wait {
    sim_time since = never;  ///< never: it does not wait
    std::uint32_t bytes = 0;
  };
  wait waits(unsigned c) const {
    return credits_ ? wait{credits_->lanes.waits_since(c), credits_->lanes.wanted(c)} : wait{};
  }

  /// `start` for a line that is held by class: when the first of several classes can start.
  /// \param pauses by which comes what holds them; with S-PFC that is `out` itself.
  /// \param waiting bit c: class c has a packet, which is ready at `ready(c)` and has `size(c)`
  /// bytes; not 0.
  /// \param horizon no other class has a packet before this. Nothing is heard beyond it, as then
  /// another class might start first, for which what was heard would have come too early.
  /// \param waited_for as in `start`
  template <class Ready, class Size>
  verdict start_class(cell::output& out, cell::output& pauses, unsigned waiting, Ready ready,
                      Size size, sim_time limit, sim_time horizon = never,
                      bool waited_for = false) {
    sim_time t = never;
    std::uint32_t bytes = 0;  // of the largest
    for (unsigned left = waiting; left != 0; left &= left - 1) {
      const auto c = static_cast<unsigned>(__builtin_ctz(left));
      t = std::min(t, ready(c));
      bytes = std::max(bytes, size(c));
    }
    slept_ = t > busy_ && !waited_for;
    horizon = std::max(horizon, busy_);
    // What waits for credits is looked at from when the last packet has left on, whether or not a
    // flow packet has kept the line busy since: it may not have been known of then.
    if (credits_)
      return start_with(credits_->lanes, pauses, waiting, ready, size, std::max(t, credits_->free),
                        limit, horizon);
    t = awake(t, waited_for);
    if (rooms_)
      return start_with(*rooms_, pauses, waiting, ready, size, t, limit, horizon);
    auto& o = *obeys_;
    for (;;) {
      if (!steady_)
        t = any_at(t, waiting, ready);
      if (t > limit || t > horizon)
        return {t, false};
      obey(out, pauses, t);
      if (first_.now()) {
        if (out.items.empty())
          return {std::max(t, out.promise), false};
        t = out.items.front().at;  // later than t, or it had been heard
        continue;
      }
      if (first_.resumed > t) {
        t = first_.resumed;
        continue;
      }
      unsigned classes = 0;
      sim_time next = never;  // the first of those that cannot start at t
      bool paused = false;
      for (unsigned left = waiting; left != 0; left &= left - 1) {
        const auto c = static_cast<unsigned>(__builtin_ctz(left));
        const auto r = let_go_at(t, ready(c));
        if (o.timers.paused(c, t) && !(o.timers.watched() && o.timers.storm(c, t))) {
          paused = true;
          const auto ends = o.timers.watched() ? std::min(o.timers.resumes(c), o.timers.storm_at(c))
                                               : o.timers.resumes(c);
          next = std::min(next, std::max(r, ends));
        } else if (r > t) {
          next = std::min(next, r);
        } else {
          classes |= 1u << c;
        }
      }
      if (classes != 0) {
        const bool pauses_known = !pauses.items.empty() || pauses.promise > t;
        const auto stops_known = [&] {
          return out.promise > t || !out.items.empty()
                 || (out.bytes + bytes <= out.allowed.bytes
                     && static_cast<std::int64_t>(out.packets) < out.allowed.packets
                     && t < out.allowed.until);
        };
        if (!o.announced)
          return {t, pauses_known && stops_known(), pauses_known ? never : t, classes, t};
        // Or no frame is on its way that we have not been told of.
        if (pauses_known || (o.quiet() && stops_known()))
          return {t, true, never, classes};
        return {t, false, o.quiet() ? never : t, classes, t};
      }
      if (!pauses.items.empty())
        t = std::min(next, pauses.items.front().at);  // which is later than t, or was heard
      else if (!paused || pauses.promise > next)
        t = next;
      else
        return {std::max(t, pauses.promise), false, next, 0, next};
    }
  }

  /// Whether it has noted that the class is held.
  bool class_held(unsigned c) const {
    return rooms_     ? rooms_->waits(c)
           : credits_ ? credits_->lanes.waits_since(c) != never
                      : !watched() && obeys_->timers.resumes(c) > busy_;
  }
  /// Of a line that is held by class: the class, of which a packet is ready at `ready`, does not
  /// start before this, whatever the others do. \param tells by which comes what holds it.
  sim_time class_bound(const cell::output& tells, unsigned c, sim_time ready) const {
    const auto free = std::max(busy_, ready);
    if (!class_held(c))
      return free;
    const auto next = tells.items.empty() ? tells.promise : tells.items.front().at;
    const auto ends = rooms_     ? never
                      : credits_ ? credits_->lanes.recovers()
                                 : obeys_->timers.resumes(c);
    return std::max(free, std::min(next, ends));
  }

  /// When a MAC control frame can start that is ready at `ready`: data do not hold it up.
  sim_time control_start(sim_time ready) const {
    const auto t = std::max(ready, busy_);
    return steady_ ? t : carried_at(t);
  }
  /// Starts it. Returns when its last bit has left.
  sim_time transmit_control(sim_time t) {
    if (!steady_)
      at(t);
    return busy_ = t + control_time();
  }
  sim_time control_time() const { return fastest_.time_of(line_.control_bytes); }

  /// It has started a packet of the class at `t`, until `sent`: it costs room, or credits.
  void spend(sim_time t, sim_time sent, unsigned c, std::uint32_t bytes) {
    if (rooms_)
      rooms_->send(c, bytes);
    if (!credits_)
      return;
    credits_->free = sent;
    credits_->lanes.send(c, bytes);
    const auto arrives = sent + credits_->cable;
    for (const auto& o : line_.outages)
      if (o.from < arrives && o.to > t)
        return credits_->lanes.lose(c, bytes, sent, line_.outages);
  }

  /// Starts the packet at `t`, which `start` has returned. Returns when its last bit has left.
  sim_time transmit(sim_time t, std::uint32_t bytes, std::size_t to = 0) {
    if (!steady_)
      at(t);
    if (reads_)
      reads_->send(t, bytes);
    if (slept_) {
      ++wake_ups_;
      in_a_row_ = 0;
    }
    if (held(to).seen.checked())
      held(to).seen.send(bytes);
    busy_ = t + line_.per_packet
            + (dma_ ? dma_->read(bytes) : rate_.time_of(bytes + line_.overhead_bytes));
    const auto sent = busy_;
    if (line_.weight != 0) {
      ++in_a_row_;
      if (in_a_row_ % line_.weight == 0)
        busy_ += line_.per_poll;
      if (line_.budget != 0 && in_a_row_ % line_.budget == 0)
        busy_ += line_.per_budget;
    }
    return sent;
  }

  /// Nothing is waiting and nothing can start before `t`: signals up to then have taken effect.
  void idle(cell::output& out, sim_time t, sim_time limit, std::size_t at = 0) {
    if (busy_ > t)
      t = busy_;
    if (t > limit)
      t = limit;
    while (!out.items.empty() && out.items.front().at <= t)
      hear(out, held(at));
  }
  void idle(cell::output& out, cell::output& pauses, sim_time t, sim_time limit) {
    // What waits for credits is looked at from when it is ready on, whatever else the line carries.
    obey(out, pauses, std::min(std::max(t, credits_ ? credits_->free : busy_), limit));
  }

  sim_time busy() const { return busy_; }
  bool stopped(std::size_t at = 0) const { return held(at).now(); }
  /// Whether it has to ask for what it lacks. A receiver that has stopped it will speak by itself;
  /// one that is merely full knows nothing of us.
  bool asks(std::size_t at = 0) const { return !stopped(at) || checks_room(at) || rooms_; }
  /// Likewise when a class is held by frames, whose end is `v.pauses_beyond`: whoever holds it
  /// refreshes it or ends it, and asking him about a far time would come back to us. Frames that
  /// nobody has announced follow no such rule.
  bool asks_for_pauses(const verdict& v) const {
    return v.classes != 0 || by_room() || obeys_->injected || watched();
  }
  /// It is never faster.
  line_rate fastest() const { return fastest_; }
  /// A packet of `bytes` takes no less, whatever the line's rate will be.
  sim_time least_service(std::uint32_t bytes) const {
    const auto t = dma_ ? dma_->least(bytes) : fastest_.time_of(bytes + line_.overhead_bytes);
    return t >= never ? 0 : line_.per_packet + t;
  }

  /// What it has read, if it reads by DMA.
  const dma_engine::counts* dma() const { return dma_ ? &dma_->counted() : nullptr; }
  /// How often it began after having had nothing to send.
  std::uint64_t wake_ups() const { return wake_ups_; }
  /// How it will have been held by `now`, counting signals that have arrived by then but were not
  /// looked at yet. Only while no cell is active.
  held_counts until(const cell::output& out, sim_time now, std::size_t at = 0) const {
    auto h = held(at);
    cell::each_coming(out, [&](const signal& s) {
      if (s.at <= now)
        h.hear(s);
    });
    if (!rooms_)
      return {h.stops, h.starts, h.held_until(now)};
    const auto by_class = paused_until(out, now);
    return {h.stops + by_class.stops, h.starts + by_class.starts,
            std::max(h.held_until(now), by_class.time)};
  }
  /// Likewise the frames that it has had; and what they did to all priorities together:
  /// transitions, and the time for which the one was held that was held longest.
  pause_counts pauses_until(const cell::output& pauses, sim_time now) const {
    pause_counts sum;
    if (rooms_) {
      auto rooms = *rooms_;
      cell::each_coming(pauses, [&](const signal& s) {
        if (s.at <= now && s.what == signal::kind::release)
          rooms.hear(s);
      });
      for (unsigned c = 0; c < pause_classes; ++c) {
        const auto k = rooms.of(c, now);
        sum.priorities[c] = {0, 0, k.waits, k.waited};
      }
      return sum;
    }
    if (credits_) {
      auto lanes = credits_->lanes;
      cell::each_coming(pauses, [&](const signal& s) {
        if (s.at <= now)
          lanes.hear(from_signal(s));
        else
          ++sum.under_way;
      });
      lanes.recover(now);
      for (unsigned c = 0; c < pause_classes; ++c) {
        const auto k = lanes.of(c, now);
        sum.priorities[c] = {k.packets, 0, k.waits, k.waited};
        sum.frames += k.packets;
      }
      return sum;
    }
    auto timers = obeys_->timers;
    cell::each_coming(pauses, [&](const signal& s) {
      if (s.at <= now)
        timers.hear(s.at, from_signal(s).frame());
      else
        ++sum.under_way;
    });
    for (unsigned c = 0; c < pause_classes; ++c) {
      const auto k = timers.of(c, now);
      sum.priorities[c] = {k.frames, k.quanta, k.transitions, k.paused, k.storms};
    }
    sum.frames = timers.frames();
    sum.ignored = timers.ignored();
    return sum;
  }
  held_counts paused_until(const cell::output& pauses, sim_time now) const {
    held_counts sum;
    for (const auto& p : pauses_until(pauses, now).priorities) {
      sum.stops += p.transitions;
      sum.time = std::max(sum.time, p.time);
    }
    sum.starts = sum.stops;
    return sum;
  }

private:
  hold& held(std::size_t at) { return at == 0 ? first_ : others_[at - 1]; }
  const hold& held(std::size_t at) const { return at == 0 ? first_ : others_[at - 1]; }
  static void hear(cell::output& out, hold& h) {
    const signal s = out.items.front();
    out.items.pop();
    ++out.heard;
    h.hear(s);
  }

  // What it has been told of pauses.
  struct obedience {
    obedience(pause_timers t, bool a, bool i) : timers{t}, announced{a}, injected{i} {}
    pause_timers timers;
    bool announced, injected;
    unsigned open = 0;                  // classes that are held, by what was announced
    std::uint16_t told = 0, heard = 0;  // numbers of frames

    // Whether every frame that was announced has been heard, and no class is held.
    bool quiet() const {
      return !injected && open == 0
             && static_cast<std::int16_t>(static_cast<std::uint16_t>(told - heard)) <= 0;
    }
  };

  // Of an InfiniBand link.
  struct window {
    explicit window(const ib_window::config& c) : lanes{c}, cable{c.cable} {}
    ib_window lanes;
    sim_time cable;
    sim_time free = 0;  // from when on no packet is being sent; flow packets may
  };

  // What of the classes has credits, or room: `w` knows. They come on `tells`. From `t` on.
  template <class Window, class Ready, class Size>
  verdict start_with(Window& w, cell::output& tells, unsigned waiting, Ready ready, Size size,
                     sim_time t, sim_time limit, sim_time horizon) {
    for (;;) {
      if (!steady_)
        t = any_at(t, waiting, ready);
      if (t > limit || t > horizon)
        return {std::max(t, busy_), false};
      hear(tells, t);
      if (first_.now()) {
        if (tells.items.empty())
          return {std::max(t, tells.promise), false};
        t = tells.items.front().at;  // later than t, or it had been heard
        continue;
      }
      if (first_.resumed > t) {
        t = first_.resumed;
        continue;
      }
      const bool known = !tells.items.empty() || tells.promise > t;
      unsigned classes = 0, lacking = 0;
      sim_time next = never;
      for (unsigned left = waiting; left != 0; left &= left - 1) {
        const auto c = static_cast<unsigned>(__builtin_ctz(left));
        if (const auto r = std::max(let_go_at(t, ready(c)), w.resumed(c)); r > t)
          next = std::min(next, r);
        else if (!w.lacks(c, size(c)))
          classes |= 1u << c;
        else
          lacking |= 1u << c;
      }
      if (lacking != 0 && !known) {
        const auto from = std::min({std::max(t, tells.promise), next, recovers(w)});
        return {std::max(classes != 0 ? t : from, busy_), false, std::max(t, tells.promise),
                classes,
                t};  // even if nothing comes of it: that it waits from here on has to be noted
      }
      for (unsigned left = lacking; left != 0; left &= left - 1) {
        const auto c = static_cast<unsigned>(__builtin_ctz(left));
        w.wait(c, size(c), t);
      }
      if (classes != 0 && t >= busy_) {
        // Or a stop may come, unless its sender has said that none will.
        const auto& allowed = tells.allowed;
        if (commanded_ && !known && !(allowed.stated() && t < allowed.until))
          return {t, false, t, classes, t};
        return {t, true, never, classes, t};
      }
      if (classes != 0)
        next = std::min(next, busy_);
      auto come = recovers(w);
      if (!tells.items.empty())
        come = std::min(come, tells.items.front().at);
      else if (lacking != 0 && tells.promise <= std::min(next, come))
        return {std::max(tells.promise, busy_), false, tells.promise, classes,
                std::min(next, come)};
      t = std::min(next, come);
    }
  }
  static sim_time recovers(const ib_window& w) { return w.recovers(); }
  static sim_time recovers(const class_rooms&) { return never; }

  // Takes in what has come by t: credits, or room, or a stop of all classes.
  void hear(cell::output& tells, sim_time t) {
    while (!tells.items.empty() && tells.items.front().at <= t) {
      const signal s = tells.items.front();
      tells.items.pop();
      ++tells.heard;
      if (credits_)
        credits_->lanes.hear(from_signal(s));
      else if (s.what == signal::kind::release)
        rooms_->hear(s);
      else
        first_.hear(s);
    }
    if (credits_)
      credits_->lanes.recover(t);
  }

  // Takes in what has come by t on both links.
  void obey(cell::output& out, cell::output& pauses, sim_time t) {
    if (by_room())
      return hear(pauses, t);
    auto& o = *obeys_;
    while (!out.items.empty() && out.items.front().at <= t) {
      if (!o.announced) {
        hear(out, first_);
        continue;
      }
      const auto s = out.items.front();
      out.items.pop();
      ++out.heard;
      if (s.what == signal::kind::stop)
        o.open |= 1u << s.priority;
      else
        o.open &= ~(1u << s.priority);
      o.told = static_cast<std::uint16_t>(s.bytes);
    }
    while (!pauses.items.empty() && pauses.items.front().at <= t) {
      const auto s = pauses.items.front();
      pauses.items.pop();
      ++pauses.heard;
      const auto request = from_signal(s);
      o.timers.hear(s.at, request.frame());
      o.heard = request.number;
    }
  }

  // Commits to a start at t: rate and outages before it are history.
  void at(sim_time t) {
    while (change_ < line_.changes.size() && line_.changes[change_].at <= t)
      rate_ = line_.changes[change_++].rate;
    while (outage_ < line_.outages.size() && line_.outages[outage_].to <= t)
      ++outage_;
  }

  // The first time from t on at which the line can start a packet, or throw it away. Commits to
  // nothing: the same packet may be asked about again, from an earlier time.
  // \param arrived when it came
  sim_time open_at(sim_time t, sim_time arrived) const {
    const auto open = carried_at(t);
    for (const auto& x : line_.purges)
      if (arrived < x.to)
        return std::min(open, std::max(t, x.from));
    return open;
  }

  // Of a class whose packet came at `ready`: when the line lets it go.
  sim_time let_go_at(sim_time t, sim_time ready) const {
    return line_.purges.empty() ? ready : open_at(std::max(t, ready), ready);
  }
  // Of any class.
  template <class Ready>
  sim_time any_at(sim_time t, unsigned waiting, Ready ready) const {
    if (line_.purges.empty())
      return carried_at(t);
    auto first = never;
    for (unsigned left = waiting; left != 0; left &= left - 1) {
      const auto r = ready(static_cast<unsigned>(__builtin_ctz(left)));
      first = std::min(first, open_at(std::max(t, r), r));
    }
    return std::max(t, first);
  }

  // The first time from t on at which it can start one.
  sim_time carried_at(sim_time t) const {
    auto rate = rate_;
    auto change = change_;
    auto outage = outage_;
    for (;;) {
      while (change < line_.changes.size() && line_.changes[change].at <= t)
        rate = line_.changes[change++].rate;
      if (rate.stopped()) {
        if (change == line_.changes.size())
          return never;
        t = line_.changes[change].at;
        continue;
      }
      while (outage < line_.outages.size() && line_.outages[outage].to <= t)
        ++outage;
      if (outage == line_.outages.size() || line_.outages[outage].from > t)
        return t;
      t = line_.outages[outage].to;
      if (t >= never)
        return never;
    }
  }

  line_config line_;
  // By receiver; nearly always there is one, and nothing but a test stands before it.
  hold first_;
  std::vector<hold> others_;
  std::unique_ptr<obedience> obeys_;
  std::unique_ptr<window> credits_;
  std::unique_ptr<class_rooms> rooms_;
  std::unique_ptr<read_requests> reads_;
  std::unique_ptr<dma_engine> dma_;
  bool commanded_ = false;
  line_rate rate_;
  line_rate fastest_;
  bool steady_ = true;
  bool drops_some_ = false;
  std::size_t change_ = 0, outage_ = 0;
  sim_time busy_ = 0;
  std::uint64_t wake_ups_ = 0;
  bool slept_ = false;
  unsigned in_a_row_ = 0;
};

}  // namespace sluice
