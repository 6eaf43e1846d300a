/// \file
/// The parts of a network that events change, for changes while it runs: who reads for an
/// application, what a link is made of, which schedules come from a generator.
///
/// A change takes effect at a time of which nothing has been decided yet (`earliest`). From then on
/// the parts do what the scenario with that event more has them do; before, it makes no difference.
/// So the network goes on exactly as one that was built with the event would at that time.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/logic/link_sets.hpp"
#include "topology/scenario.hpp"
#include "traffic/generator.hpp"

namespace sluice {

class cable;
class ingress_port;
class pause_port;
class pause_sender;
class port_queue;
class producer;
class transmitter;

class levers {
public:
  // -- while it is built
  // ---------------------------------------------------------------------------

  /// The application behind `target` ("h3/vm4") reads by this line, normally at this rate.
  void add_reader(const std::string& target, transmitter& line, std::uint64_t normal_bps) {
    readers_[target] = {&line, normal_bps};
  }
  /// Why `target` cannot be changed, if somebody asks.
  void refuse(const std::string& target, std::string why) { refused_[target] = std::move(why); }
  /// The schedule that the traffic entry `flow` has there.
  void add_schedule(const std::string& entry, producer& at, std::uint32_t flow,
                    generator_config made) {
    schedules_[entry].push_back({&at, flow, std::move(made)});
  }

  /// What one end of a link sends with: a queue, or a bare generator, or nothing but the MAC of a
  /// sink. `frames`: what sends pauses to the other end, if that obeys any.
  struct link_end {
    port_queue* queue = nullptr;
    producer* source = nullptr;
    pause_port* mac = nullptr;
    pause_sender* frames = nullptr;
    cable* carries = nullptr;
    bool pauses = false;          // frames that stop; not credits
    unsigned all_priorities = 0;  // what a pause of the whole link is about
    unsigned own_priorities = 0;  // what it holds by itself, if there is something to hold
    // Where the results have these frames, and whom they stop.
    std::size_t pause_way = 0, first_stoppable = 0;
  };
  /// A link's end in an aggregation of its switch.
  struct member {
    std::shared_ptr<link_sets> sets;
    std::uint16_t port = 0;  ///< there
    port_queue* queue = nullptr;
    sim_time down_delay = 0, up_delay = 0;
    sim_time under_way = 0;                   ///< from the choice to the queue
    std::vector<const ingress_port*> choose;  ///< all of the switch
  };
  void add_member(std::size_t link, member m) { members_.emplace(link, std::move(m)); }

  /// End a and end b.
  std::array<link_end, 2>& link(std::size_t index) { return links_[index]; }
  void links(std::size_t n) { links_.resize(n); }

  // -- while it runs, between activations
  // ----------------------------------------------------------

  /// Why this cannot be done while the network runs; empty: it can.
  std::string problem(const timed_event& e) const;
  /// When it can take effect, or end: after `now`, and after all that is already decided. `never`:
  /// it cannot.
  sim_time earliest(const timed_event& e, sim_time now) const;
  /// Of an event that injects pauses: by whom.
  const link_end& sender_of(const timed_event& e) const {
    return links_[e.link][e.inject.from_b ? 1 : 0];
  }
  /// `s.events` has one event more, from a time on that `earliest` has allowed: this one, number
  /// `event` in `s`.
  void begin(const scenario& s, std::size_t event);
  /// It ends, at a time that `earliest` has allowed; which is in `s`.
  void finish(const scenario& s, std::size_t event);

private:
  struct reader {
    transmitter* line = nullptr;
    std::uint64_t normal_bps = 0;
  };
  struct schedule {
    producer* source = nullptr;
    std::uint32_t flow = 0;
    generator_config made;
  };
  static transmitter* line_of(const link_end& e);
  void revise(const scenario& s, const timed_event& e);

  std::map<std::string, reader> readers_;
  std::map<std::string, std::string> refused_;
  std::map<std::string, std::vector<schedule>> schedules_;
  std::vector<std::array<link_end, 2>> links_;
  std::multimap<std::size_t, member> members_;   // by link
  std::map<std::size_t, std::size_t> injected_;  // event -> its first series at its pause_sender
};

}  // namespace sluice
