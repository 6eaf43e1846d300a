/// \file
/// What a tap has seen at one place: packets, and the frames that hold a port, with their times.
///
/// One cell writes it, in order of time, as far ahead as it runs; whoever takes out does so between
/// activations, up to a time to which the run has come. Without a tap nothing of this is there.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "actors/engine/cell.hpp"
#include "actors/logic/pause_requests.hpp"

namespace sluice {

class tap_stream {
public:
  /// Why a frame says of each class what it says.
  using reasons = std::array<pause_reason, pause_classes>;
  struct control_frame {
    sim_time at = 0;
    pause_request what;
    reasons why;
  };
  /// In order of time, each.
  struct seen {
    std::vector<packet> packets;  ///< `at`: when it was seen, its last bit
    std::vector<control_frame> frames;

    bool empty() const { return packets.empty() && frames.empty(); }
    void clear() { packets.clear(), frames.clear(); }
  };

  /// They were seen so long before they arrive.
  void saw(std::span<const packet> all, sim_time before = 0) {
    auto& to = seen_.packets;
    const auto first = to.size();
    to.insert(to.end(), all.begin(), all.end());
    for (auto i = first; before != 0 && i < to.size(); ++i)
      to[i].at -= before;
  }
  void saw(sim_time at, const pause_request& frame, const reasons& why) {
    seen_.frames.push_back({at, frame, why});
  }
  bool empty() const { return seen_.empty(); }
  /// Takes out what was seen until `t`, into `into`, which is empty and gives its memory.
  void take(sim_time t, seen& into) {
    take(t, seen_.packets, into.packets);
    take(t, seen_.frames, into.frames);
  }

private:
  template <class Item>
  static void take(sim_time t, std::vector<Item>& from, std::vector<Item>& into) {
    from.swap(into);
    // What is later is little: as far as cells run ahead.
    const auto rest = std::upper_bound(into.begin(), into.end(), t,
                                       [](sim_time x, const Item& i) { return x < i.at; });
    from.assign(rest, into.end());
    into.erase(rest, into.end());
  }

  seen seen_;
};

/// A channel inside a host that is looked at.
class tap_passage final : public passage {
public:
  explicit tap_passage(std::vector<tap_stream*> to) : to_{std::move(to)} {}

  result pass(std::span<packet> packets) override {
    for (auto* to : to_)
      to->saw(packets);
    return {packets.size(), 0};
  }

private:
  std::vector<tap_stream*> to_;
};

}  // namespace sluice
