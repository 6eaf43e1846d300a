/// \file
/// A queue whose sender has a credit for each of its buffers, told of in lists: credit-list flow
/// control as the policy of a hop.
///
///     sender ──packets──▶ [ buffers, all of one size ] ──▶ whoever empties them
///            ◀──lists───
///
/// A buffer holds one frame, and each is as large as the largest: a hop cuts nothing. A packet that
/// leaves makes its buffer a receive request, and so a credit; when a list of them goes is
/// credit_builder.hpp's affair. From the start the sender has the first list.
///
/// Arrivals and departures are told of each in their order, but may be known further ahead on one
/// side than on the other: they count, and lists go, when what comes before is known on both.
/// Order at one time: arrivals, departures, lists.
///
/// Source: WO 00/41365, claims 1 to 16; US 9,485,188, "credits" among the signals of a virtual
/// interface.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "actors/engine/ring.hpp"
#include "actors/logic/credit_builder.hpp"

namespace sluice {

class buffer_credits {
public:
  struct config {
    credit_builder::config lists;
    unsigned buffers = 1;
    std::uint32_t buffer_bytes = 1518;
  };

  explicit buffer_credits(const config& c) : builder_{c.lists}, bytes_{c.buffer_bytes} {
    for (unsigned k = 0; k < c.buffers; ++k) {
      builder_.post(bytes_, 0);
      freed_.push(0);
    }
    builder_.take(list_, 0);
    initial_ = static_cast<unsigned>(list_.size());
    for (unsigned k = 0; k < initial_; ++k)
      freed_.pop();
    due_ = builder_.due(0);
  }

  /// Credits that the sender has from the start.
  unsigned initial() const { return initial_; }

  void arrive(std::uint32_t bytes, sim_time at) { arrivals_.push({at, bytes}); }
  void leave(std::uint32_t bytes, sim_time at) { departures_.push({at, bytes}); }

  /// No arrival before `arrivals` is missing, and no departure before `departures`: hands over the
  /// lists until then, as one call for each credit with its time and the bytes of the packet that
  /// has left its buffer. False: nothing has come of it.
  template <class Send>
  bool look(sim_time arrivals, sim_time departures, Send send) {
    for (bool any = false;; any = true) {
      const auto comes = arrivals_.empty() ? never : arrivals_.front().at;
      const auto leaves = departures_.empty() ? never : departures_.front().at;
      if (due_ < std::min(comes, leaves)) {
        if (due_ >= std::min(arrivals, departures))
          return any;
        const auto at = due_;
        builder_.take(list_, at);
        for (std::size_t k = 0; k < list_.size(); ++k) {
          send(at, freed_.front());
          freed_.pop();
        }
        due_ = builder_.due(at);
        continue;
      }
      if (comes <= leaves) {
        if (comes >= never || comes > departures)
          return any;
        builder_.arrive(arrivals_.front().bytes, comes);
        arrivals_.pop();
      } else {
        if (leaves >= arrivals)
          return any;
        builder_.post(bytes_, leaves);
        freed_.push(departures_.front().bytes);
        departures_.pop();
      }
      due_ = builder_.due(std::min(comes, leaves));
    }
  }

  /// When the next list goes, if nothing else happens that is not known.
  sim_time due() const { return due_; }
  /// The first thing that happens of those that do not count yet.
  sim_time next_event() const {
    return std::min({due_, arrivals_.empty() ? never : arrivals_.front().at,
                     departures_.empty() ? never : departures_.front().at});
  }
  /// There are buffers that the sender has not been told of.
  bool has_more() const { return builder_.next() >= 0; }
  /// The sender has no credits, and all that it had them for has come. It gets none before this, or
  /// else before something leaves of which nothing is known; 0: it has some.
  sim_time starved_until() const {
    if (builder_.outstanding() != 0 || !arrivals_.empty())
      return 0;
    return std::min(due_, departures_.empty() ? never : departures_.front().at);
  }

  const credit_builder& builder() const { return builder_; }

private:
  struct event {
    sim_time at;
    std::uint32_t bytes;
  };

  credit_builder builder_;
  std::uint32_t bytes_;
  unsigned initial_ = 0;
  ring<event> arrivals_, departures_;  // that do not count yet
  ring<std::uint32_t> freed_;          // packets that have left the buffers not told of
  std::vector<std::uint32_t> list_;
  sim_time due_ = never;
};

}  // namespace sluice
