#include "topology/run.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>

#include "metrics/conservation.hpp"
#include "metrics/history.hpp"
#include "topology/network.hpp"
#include "topology/series_recorder.hpp"
#include "topology/steering.hpp"
#include "traffic/mac_control.hpp"

namespace sluice {

namespace {

using wall_clock = std::chrono::steady_clock;

double since(wall_clock::time_point t) {
  return std::chrono::duration<double>(wall_clock::now() - t).count();
}

/// One run from its begin to its end.
class session {
public:
  session(const scenario& s, const run_options& o)
      : scenario_{s}, options_{o}, network_{scenario_, o.steered != nullptr} {
    threads_ = o.threads != 0 ? o.threads : std::max(1u, std::thread::hardware_concurrency());
    set_windows();
    if (o.random_executor) {
      threads_ = 1;
      executor_ = make_random_executor(network_.cells(), o.executor_seed);
    } else {
      executor_ = make_caf_executor(network_.cells(), threads_);
    }
    for (const auto& l : s.links)
      longest_pause_ = std::max(longest_pause_, 2 * quanta_time(max_quanta, l.rate_bps));
    for (const auto& n : scenario_.nodes)
      watched_ = watched_ || n.flow_control.pfc.watchdog.has_value();
    if (o.series)
      recorder_.emplace(network_, s, o.series_interval);
    if (o.history)
      record_history();
    setup_seconds_ = since(created_);
    started_ = last_snapshot_ = wall_clock::now();
  }

  // Whoever waits for an answer gets one, whatever has happened.
  ~session() {
    if (options_.steered != nullptr)
      options_.steered->close();
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  run_results run() {
    // The begin is a sample, too: rates need one.
    if (history_)
      history_->sample(gather(0));
    if (scenario_.clock == clock_kind::real_time || options_.real_speed)
      run_real();
    else
      run_virtual();
    const auto end = scenario_.until_traffic_done && !interrupted_ && now_ >= scenario_.duration
                         ? std::min(now_, scenario_.duration)
                         : now_;
    const double wall = since(started_);
    network_.finish(end);
    auto r = gather(end);
    if (options_.depths)
      add_depths(r);
    r.over = true;
    r.wall_seconds = wall;
    if (scenario_.until_traffic_done && !interrupted_ && r.held.packets == 0)
      r.virtual_time = std::min(end, r.last_delivery);
    r.violations = check_conservation(r);
    network_.close_taps(end, r);
    if (recorder_)
      r.series = recorder_->finish(r.virtual_time, end);
    if (history_)
      r.history = std::make_shared<const metric_history>(history_->finish(r));
    return r;
  }

private:
  static constexpr std::size_t packets_under_way = 400'000;
  // Of all metrics: in a run with a duration, or when an interval is asked for.
  static constexpr sim_time usual_samples = 200;
  static constexpr std::size_t most_components = 1'500;
  static constexpr std::size_t asked_samples = 8'000, asked_values = 20'000'000;
  // Without a duration a run ends when nothing is left to happen: `never` itself is no limit.
  static constexpr sim_time last_limit = never - 1;
  // Of a slice: some tenths of a second; and that looking at each cell in between costs little.
  std::uint64_t few_hops() const { return 400'000 + 150 * network_.cells().size(); }
  std::uint64_t many_hops() const { return 4 * few_hops(); }
  // Of a deadlock while other traffic goes on: so long it is looked at before the run ends.
  static constexpr sim_time patience = millisecond;

  // How far who may run ahead. What is under way has to stay small: each kind of component has its
  // share of it, and the more hops lead on from those of a kind, the less is for each.
  void set_windows() {
    std::map<std::string_view, std::size_t> hops_from, hops_of_kind;
    for (const auto& h : network_.hops())
      ++hops_from[h.from];
    // A producer without traffic needs nothing, and there may be thousands.
    const auto counts = [](const component& c) { return c.kind() != "producer" || !c.untouched(); };
    for (const auto& c : network_.components())
      if (counts(*c))
        hops_of_kind[c->kind()] += std::max<std::size_t>(1, hops_from[c->name()]);
    const auto share = packets_under_way / hops_of_kind.size();
    for (const auto& c : network_.components())
      if (counts(*c))
        c->window(std::clamp<std::size_t>(share / hops_of_kind[c->kind()], 32, 512));
  }

  // Where the series have their samples, if there are any, so that the actors stop no more often.
  void record_history() {
    history_recorder::limits most;
    auto interval = options_.history_interval;
    if (interval > 0) {
      most = {asked_samples, asked_values, 0};
    } else {
      // It would be felt.
      if (network_.components().size() > most_components)
        return;
      const auto step = recorder_ ? recorder_->interval() : 10 * microsecond;
      const bool ends_by_itself = scenario_.until_traffic_done || scenario_.duration >= never;
      most.expected = ends_by_itself ? 0 : scenario_.duration;
      const auto wanted = ends_by_itself ? 8 * step : scenario_.duration / usual_samples;
      interval = step * std::max<sim_time>(1, (wanted + step - 1) / step);
    }
    history_.emplace(interval, most);
  }

  bool stopped() {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed))
      interrupted_ = true;
    return interrupted_;
  }

  // In slices of virtual time, so that somebody may look, or stop it; and to see whether it can
  // still go on. How long they are depends on the model alone, or where a deadlocked run ends would
  // depend on the machine.
  void run_virtual() {
    const auto end = std::min(scenario_.duration, last_limit);
    sim_time slice = std::clamp<sim_time>(end / 256, microsecond, millisecond);
    std::uint64_t hops = 0;
    while (now_ < end && !stopped()) {
      // If nothing is left to happen, skip the rest; unless it waits for itself.
      if (now_ > 0 && executor_->next_event() >= never) {
        if (!deadlock_)
          skip_rest(end);
        break;
      }
      now_ = std::min(end, later(now_, slice));
      run_to(now_);
      const auto passed = network_.packet_hops() - hops;
      hops += passed;
      deadlock_ = network_.find_deadlock();
      // A watchdog breaks it up.
      if (deadlock_ && !watched_ && (passed == 0 || now_ - deadlock_->since > patience))
        break;
      // Traffic that waits for somebody who will never go on: only refreshes would follow.
      if (passed == 0 && scenario_.until_traffic_done && slice > longest_pause_
          && network_.next_work() >= never) {
        skip_rest(end);
        break;
      }
      if (passed < few_hops() / 8)
        slice = later(slice, 3 * slice);
      else if (passed < few_hops())
        slice = later(slice, slice);
      else if (passed > many_hops())
        slice = std::max<sim_time>(microsecond, slice / 2);
      report();
    }
  }

  // With stops at the samples on the way. Whoever decides about the run does so only where it would
  // stop without them, so that they change nothing.
  void run_to(sim_time t) {
    for (auto next = next_sample(); next <= t; next = next_sample()) {
      // Nothing comes after the traffic; and the run is over with its last delivery.
      if (scenario_.until_traffic_done && now_ > 0 && executor_->next_event() >= never)
        break;
      executor_->run_until(next);
      if (recorder_ && recorder_->next() == next)
        recorder_->sample();
      if (history_ && history_->next() == next)
        history_->sample(gather(next));
    }
    executor_->run_until(t);
    network_.write_taps(t);
  }

  sim_time next_sample() const {
    return std::min(recorder_ ? recorder_->next() : never, history_ ? history_->next() : never);
  }

  // Without a duration a run ends here.
  void skip_rest(sim_time end) {
    if (end < last_limit)
      now_ = end;
  }

  // Where virtual time should be by the wall clock.
  class wall_pace {
  public:
    explicit wall_pace(double speed) : speed_{speed} {}

    sim_time target() const {
      return from_ + static_cast<sim_time>(since(begun_) * speed_ * static_cast<double>(second));
    }
    /// Wall seconds by which a run that has got to `now` is late.
    double behind(sim_time now) const {
      return since(begun_)
             - static_cast<double>(now - from_) / static_cast<double>(second) / speed_;
    }
    double speed() const { return speed_; }
    void go_on(sim_time from, double speed) {
      begun_ = wall_clock::now();
      from_ = from;
      speed_ = speed;
    }

  private:
    wall_clock::time_point begun_ = wall_clock::now();
    sim_time from_ = 0;
    double speed_;
  };

  // What who watches asks for. False: to stand still.
  bool steer(wall_pace& pace) {
    auto& s = *options_.steered;
    s.serve([&](auto& request) { return change(request); });
    const auto asked = s.speed() != 0 ? s.speed() : pace.speed();
    const bool held = s.held();
    if (held || held_ || asked != pace.speed())
      pace.go_on(now_, asked);
    held_ = held;
    return !held;
  }

  // The network goes on as one that has had the event from the begin.
  steering::answer change(steering::request& r) {
    auto& e = r.event;
    if (auto why = network_.problem(e); !why.empty())
      return {std::move(why), 0, 0};
    auto at = network_.earliest(e, now_);
    if (r.ends)
      at = std::max(at, later(e.at, 1));  // it has a duration
    if (r.ends && later(e.at, e.duration) <= at)
      return {"it is over before that could take effect", 0, 0};
    if (at >= never)
      return {"it is in the middle of a packet that will never end", 0, 0};
    if (at >= std::min(scenario_.duration, last_limit))
      return {"the run ends before that could take effect", 0, 0};
    auto& events = scenario_.events;
    if (r.ends) {
      const auto number = made_[r.number];
      e.duration = events[number].duration = at - e.at;
      network_.end_change(scenario_, number);
    } else {
      e.at = at;
      made_.push_back(events.size());
      events.push_back(e);
      network_.change(scenario_, made_.back());
    }
    executor_->retract(at);
    return {{}, 0, at};
  }

  // Sources and everything else are held back to the wall clock, tick by tick.
  void run_real() {
    wall_pace pace{options_.real_speed.value_or(scenario_.speed)};
    const auto end = std::min(scenario_.duration, last_limit);
    constexpr auto tick = std::chrono::milliseconds{2};
    auto wake = wall_clock::now();
    while (now_ < end && !stopped()) {
      if (options_.steered != nullptr && !steer(pace)) {
        report();
        std::this_thread::sleep_for(10 * tick);
        continue;
      }
      now_ = std::min(end, std::max({pace.target(), now_, sim_time{1}}));
      run_to(now_);
      // Whoever looks now sees the network as it was at now_.
      const auto behind = pace.behind(now_);
      if (now_ < end || behind > 0)
        lag_ = std::max(lag_, behind);
      // A deadlocked run goes on to its end, if it has one: nobody has to wait for what he knows.
      deadlock_ = network_.find_deadlock();
      report();
      if (scenario_.until_traffic_done
          && (executor_->next_event() >= never || (deadlock_ && end == last_limit)))
        break;
      wake = std::max(wake + tick, wall_clock::now());
      std::this_thread::sleep_until(wake);
    }
  }

  void report() {
    const double wall = since(started_);
    if (options_.on_progress && wall - progress_at_ >= 0.1) {
      progress_at_ = wall;
      options_.on_progress(now_, wall);
    }
    if (options_.on_snapshot && options_.snapshot_seconds > 0
        && since(last_snapshot_) >= std::max(options_.snapshot_seconds, 20 * snapshot_cost_)) {
      const auto begin = wall_clock::now();
      auto so_far = gather(now_);
      if (options_.depths)
        add_depths(so_far);
      options_.on_snapshot(so_far);
      last_snapshot_ = wall_clock::now();
      snapshot_cost_ = since(begin);
    }
  }

  void add_depths(run_results& r) {
    if (places_.empty())
      for (std::size_t i = 0; i < r.components.size(); ++i)
        places_.emplace(r.components[i].name, i);
    for (const auto& c : network_.components())
      c->sample(now_, [&](std::string_view name, std::string_view, std::int64_t held,
                          const component_counters&) {
        const auto place = places_.find(std::string{name});
        if (place == places_.end())
          return;
        auto& of = r.components[place->second];
        // What a source holds is known at the end only: see producer::finish.
        of.waiting_bytes = of.kind == "producer" ? 0 : held;
        of.marks = c->marks();
      });
  }

  run_results gather(sim_time now) {
    auto r = network_.gather(now);
    r.scenario = scenario_.name;
    r.seed = scenario_.seed;
    r.real_clock = scenario_.clock == clock_kind::real_time || options_.real_speed.has_value();
    r.threads = threads_;
    r.wall_seconds = since(started_);
    r.setup_seconds = setup_seconds_;
    r.lag_seconds = lag_;
    r.interrupted = interrupted_;
    r.deadlock = deadlock_;
    const auto t = executor_->totals();
    r.engine = {network_.cells().size(), network_.channels(), t.parcels, t.wants,
                t.activations,           t.recoveries};
    return r;
  }

  scenario scenario_;  // with the changes that were made
  const run_options& options_;
  wall_clock::time_point created_ = wall_clock::now();
  network network_;
  std::unique_ptr<executor> executor_;
  std::optional<series_recorder> recorder_;
  std::optional<history_recorder> history_;
  unsigned threads_ = 1;
  double setup_seconds_ = 0;
  wall_clock::time_point started_, last_snapshot_;
  double snapshot_cost_ = 0;                             // wall seconds that the last one took
  std::unordered_map<std::string, std::size_t> places_;  // of components in results, by name
  double progress_at_ = 0;
  double lag_ = 0;
  sim_time now_ = 0;
  std::optional<deadlock_result> deadlock_;
  sim_time longest_pause_ = 0;
  bool watched_ = false;  // by watchdogs
  bool interrupted_ = false;
  bool held_ = false;              // by who watches...
  std::vector<std::size_t> made_;  // ...whose changes are these of scenario_.events
};

}  // namespace

run_results run(const scenario& s, const run_options& options) {
  return session{s, options}.run();
}

}  // namespace sluice
