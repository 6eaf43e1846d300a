/// \file
/// Takes down the figures of a network at fixed points of virtual time, in bounded memory.
///
/// Samples are taken only when nothing is under way between cells and everything up to the sample's
/// time, and nothing later, has been handled. So they do not depend on threads or on the executor.
/// What is read is what counts packets anyway; nothing is added to the way of a packet.
///
/// When there are too many samples every second one goes, and the interval doubles. When there are
/// too many values, those columns go that have had the smallest peaks so far, and stay away.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/series.hpp"
#include "topology/network.hpp"
#include "topology/scenario.hpp"

namespace sluice {

class series_recorder {
public:
  /// \param interval of virtual time; 0: some hundred samples, as the scenario's duration and the
  /// size of the network suggest. The network has not begun to run.
  series_recorder(const network& n, const scenario& s, sim_time interval);

  sim_time interval() const { return series_.interval; }
  /// The time of the next sample.
  sim_time next() const { return next_; }
  /// Takes the sample of `next`, which has just been reached.
  void sample();
  /// Takes a last one and gives everything. What was sampled at the run's end or beyond is dropped:
  /// a run is over with its last delivery. \param now at which the network is
  time_series finish(sim_time end, sim_time now);

private:
  // What bounds the memory of one kind of column.
  struct group {
    std::size_t values = 0, most = 0;
  };
  // Of each series: where it stands in `series_`, what it last was, and the most it ever was.
  struct entry {
    std::int64_t peak = 0;
    bool out = false;  // it is not kept any more
  };
  // The flows that a consumer has had, and how much of each.
  struct consumed {
    struct of_flow {
      std::size_t flow = 0;
      tally delivered;
    };
    std::uint64_t packets = 0;
    std::vector<of_flow> flows;
  };
  // What a component had dropped of each flow when it was last looked at.
  struct dropped {
    std::uint64_t packets = 0;
    std::vector<std::uint64_t> of_flow;
  };

  void take(sim_time at, sim_time now);
  void take_flows();
  void take_components(sim_time now);
  void take_pauses(sim_time now);
  void put(series_column& c, std::int64_t value, group& g);
  void halve();
  template <class Series, class Columns>
  void bound(std::vector<Series>& series, std::vector<entry>& entries, group& g, Columns columns);
  template <class Columns>
  void each_column(Columns visit);
  void drop_from(std::size_t sample);

  const network& network_;
  time_series series_;
  sim_time next_ = 0;
  std::size_t most_samples_ = 0;
  group flows_, components_, pauses_, frames_;
  std::vector<entry> of_flow_, of_component_, of_pause_, of_frames_;
  std::vector<std::uint64_t> frames_ways_;  // number of the way * priorities + priority
  std::vector<consumed> consumed_;
  std::vector<dropped> dropped_;
  std::vector<tally> delivered_of_;
  std::vector<std::uint64_t> dropped_of_;
};

}  // namespace sluice
