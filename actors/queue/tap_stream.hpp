/// \file
/// What a tap has seen at one place: packets, and the frames that hold a port, with their times.
///
/// One cell writes it, in order of time, as far ahead as it runs; whoever takes out does so between
/// activations, up to a time to which the run has come. Without a tap nothing of this is there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "actors/engine/cell.hpp"
#include "actors/logic/pause_requests.hpp"

namespace sluice {

class tap_stream {
public:
  struct record {
    packet what;           ///< `at`: when it was seen, its last bit
    pause_request frame;   ///< of a MAC control frame
    bool control = false;  ///< it is one
  };

  void saw(sim_time at, const packet& p) {
    records_.push_back({p, {}, false});
    records_.back().what.at = at;
  }
  void saw(sim_time at, const pause_request& frame) {
    records_.push_back({{}, frame, true});
    records_.back().what.at = at;
  }
  bool empty() const { return records_.empty(); }
  /// Takes out what was seen until `t`, into `into`, which is empty and gives its memory.
  void take(sim_time t, std::vector<record>& into) {
    records_.swap(into);
    // What is later is little: as far as cells run ahead.
    const auto rest = std::upper_bound(into.begin(), into.end(), t,
                                       [](sim_time x, const record& r) { return x < r.what.at; });
    records_.assign(rest, into.end());
    into.erase(rest, into.end());
  }

private:
  std::vector<record> records_;
};

/// A channel inside a host that is looked at.
class tap_passage final : public passage {
public:
  explicit tap_passage(std::vector<tap_stream*> to) : to_{std::move(to)} {}

  result pass(std::span<packet> packets) override {
    for (auto* to : to_)
      for (const auto& p : packets)
        to->saw(p.at, p);
    return {packets.size(), 0};
  }

private:
  std::vector<tap_stream*> to_;
};

}  // namespace sluice
