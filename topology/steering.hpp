/// \file
/// What somebody who watches a run on the real clock may have it do: stand still and go on, change
/// its speed, and make changes to the network, the same as a scenario's `events`.
///
///     any thread                                        the run, between two ticks
///     hold, go_on, speed ──────────────────────────────▶ pace of the wall clock
///     change(event), end(number) ── future<answer> ────▶ applied at a time that is still open
///
/// A change takes effect at a time of which nothing has been decided yet: the answer says which.
/// With all changes at these times as events of its scenario the run repeats to the last bit, on
/// either clock: `events`.
///
/// Threading: every function may be called by any thread. The run looks here between two ticks; no
/// thread that moves packets ever does.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "topology/scenario.hpp"

namespace sluice {

class steering {
public:
  /// What came of a request.
  struct answer {
    std::string refused;    ///< why not, and what would help; empty: it is done
    std::size_t event = 0;  ///< its number in `events`
    sim_time at = 0;        ///< when it takes effect; or when it ends
  };

  /// The real clock stands still, and with it the run.
  void hold();
  void go_on();
  bool held() const;

  /// From now on so many times as fast as the wall clock. \pre > 0
  void speed(double times);
  /// 0: as the run began.
  double speed() const;

  /// Has the run make this change as soon as it can. Its `at` is chosen by the run; a `duration` of
  /// never lasts until `end`. Everything else has passed the checks of a scenario.
  std::future<answer> change(timed_event e);
  /// Has an event of `events` end as soon as possible.
  std::future<answer> end(std::size_t event);

  /// All changes so far, with the times at which they took effect and for how long.
  std::vector<timed_event> events() const;

  // -- for the run
  // ---------------------------------------------------------------------------------

  /// One request: a change that is not yet in `events`, or the end of one that is.
  struct request {
    bool ends = false;
    timed_event event;
    std::size_t number = 0;
    std::promise<answer> done;
  };
  /// Hands over the requests in the order in which they came. `act` says what came of each: it
  /// sets `event.at`, or with `ends` its duration.
  void serve(const std::function<answer(request&)>& act);
  /// The run is over: what is still asked for is refused, now and later.
  void close();

private:
  std::future<answer> ask(request r);

  mutable std::mutex mutex_;
  bool held_ = false, closed_ = false;
  double speed_ = 0;
  std::deque<request> requests_;
  std::vector<timed_event> events_;
};

}  // namespace sluice
