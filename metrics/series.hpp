/// \file
/// How the figures of a run grew: columns of values, taken down at fixed points of virtual time.
///
/// All but what a component holds are counts since the begin of the run. (What was made is not
/// among them: in the middle of a run a source that is held up does not know yet how much is due.)
/// Times are in picoseconds, sizes in bytes of frames. A column says nothing of the samples before
/// its first value that was not 0; and what was 0 in every sample has no column at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/version.hpp"
#include "traffic/units.hpp"

namespace sluice {

struct run_results;

/// Values of one figure; those before the sample with the number `first` were 0.
struct series_column {
  std::size_t first = 0;
  std::vector<std::int64_t> values;

  /// The value in a sample.
  std::int64_t at(std::size_t sample) const {
    return sample < first || values.empty() ? 0 : values[sample - first];
  }
};

/// Where a queue stops its sender and how much it takes; -1: no such limit in bytes.
struct buffer_marks {
  std::int64_t capacity = -1, stop = -1, start = -1;
};

struct time_series {
  struct flow {
    std::string name;
    series_column delivered, delivered_bytes, dropped;
  };
  struct component {
    std::string name, kind;
    buffer_marks marks;
    series_column held_bytes;  ///< what had arrived and waited
    series_column dropped;
  };
  struct pause {
    std::string on, held;
    int priority = -1;
    series_column paused;  ///< picoseconds
  };
  struct frames {
    std::string from, to;
    int priority = 0;
    bool credits = false;  ///< flow packets, not pause frames
    series_column sent;
  };

  sim_time interval = 0;
  std::vector<sim_time> times;  ///< of the samples; the last one is the end of the run
  std::vector<flow> flows;
  std::vector<component> components;
  std::vector<pause> pauses;
  std::vector<frames> pause_frames;
  /// How many there were beyond what is kept: those with the smallest peaks.
  struct left_out {
    std::size_t flows = 0, components = 0, pauses = 0, pause_frames = 0;
  } left_out;
};

/// The shape of series.json: docs/report.md. With the distributions of the flows' latencies.
nlohmann::json series_json(const time_series& series, const run_results& run,
                           std::string_view version = sluice_version);

}  // namespace sluice
