/// \file
/// The taps of a run: what passed the tapped ports, as pcapng.
///
/// Each tap is a file, or the standard output, with one interface: the port. What its streams have
/// seen is merged by time, and written as far as the run has come. At one time: packets that come
/// before those that go, data before the frames that hold a port.
///
/// A thread of its own makes the frames and writes them, at most two slices behind the run; what it
/// fails with comes out of the next call.
///
/// Virtual time 0 is the tap's epoch. The interface's statistics count what was seen, whatever the
/// filter kept, and what the port dropped.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actors/queue/tap_stream.hpp"
#include "metrics/results.hpp"
#include "topology/scenario.hpp"
#include "traffic/frame_bytes.hpp"

namespace sluice {

class tap_set {
public:
  struct place {
    std::size_t tap = 0;      ///< of the scenario's
    bool sends = false;       ///< the port does; else it receives
    std::string holder = {};  ///< of frames that hold a port: the port that sends them
  };

  tap_set();
  ~tap_set();

  /// Before the run. Streams live as long as this.
  tap_stream& add(const place& p);
  bool empty() const { return streams_.empty(); }

  /// Opens the files. `bps`: of each tap's port.
  /// \throws traffic_error cannot_write, bad_filter; capture_error
  void open(const scenario& s, frame_bytes::config frames, const std::vector<std::uint64_t>& bps);
  /// Nothing is under way, and the run has come to `t`: writes what was seen until then.
  void write(sim_time t);
  /// The run ended at `t`. \param r for what was dropped; gets the taps' own results.
  void close(sim_time t, run_results& r);

private:
  struct tap;
  struct watched {
    place where;
    tap_stream stream;
    frame_bytes::progress seen;
    unsigned held = 0;  // classes, by the frames that have passed
  };

  // What was seen in a slice, for the writer.
  struct seen_part {
    watched* from;
    tap_stream::seen what;
    std::size_t packets = 0, frames = 0;  // that are written
    sim_time next() const;
  };
  using batch = std::vector<seen_part>;  // by tap

  void work();
  void hand_over(batch b);
  void finish_writing();
  void write(batch& b);
  void write(tap& to, watched& from, const packet& p);
  void write(tap& to, watched& from, const tap_stream::control_frame& f);
  void write(tap& to, const watched& from, sim_time at, frame_bytes::made m,
             std::string_view comment);
  static std::string comment(watched& from, const tap_stream::control_frame& f);

  std::vector<std::unique_ptr<watched>> streams_;
  std::vector<std::unique_ptr<tap>> taps_;
  std::unique_ptr<frame_bytes> frames_;
  std::vector<tap_stream::block> pool_;  // of memory, on the run's side
  // Between the run and the writer.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<batch> waiting_;
  std::vector<tap_stream::block> used_;  // empty, for their memory
  std::exception_ptr failed_;
  bool busy_ = false, over_ = false;
  std::thread writer_;
};

}  // namespace sluice
