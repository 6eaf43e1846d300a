/// \file
/// What a tap has seen at one place: packets, and the frames that hold a port, with their times.
///
/// One cell writes it, in order of time, as far ahead as it runs; whoever takes out does so between
/// activations, up to a time to which the run has come. Without a tap nothing of this is there.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
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
  /// Packets in blocks, so that none is moved as more come, and memory goes round.
  using block = std::unique_ptr<packet[]>;
  static constexpr std::size_t block_packets = 512;
  /// In order of time, each.
  struct seen {
    std::vector<block> blocks;
    std::size_t packets = 0;  ///< in them; `at`: when it was seen, its last bit
    std::vector<control_frame> frames;

    const packet& operator[](std::size_t i) const {
      return blocks[i / block_packets][i % block_packets];
    }
    bool empty() const { return packets == 0 && frames.empty(); }
  };

  /// They were seen so long before they arrive.
  void saw(std::span<const packet> all, sim_time before = 0) {
    while (!all.empty()) {
      const auto within = seen_.packets % block_packets;
      if (within == 0)
        add_block();
      const auto n = std::min(all.size(), block_packets - within);
      auto* to = seen_.blocks.back().get() + within;
      std::copy_n(all.begin(), n, to);
      if (before != 0)
        for (std::size_t i = 0; i < n; ++i)
          to[i].at -= before;
      seen_.packets += n;
      all = all.subspan(n);
    }
  }
  void saw(sim_time at, const pause_request& frame, const reasons& why) {
    seen_.frames.push_back({at, frame, why});
  }
  bool empty() const { return seen_.empty(); }

  /// Takes out what was seen until `t`. \param into empty, but for memory
  /// \param pool of blocks that nobody uses; gets and gives
  void take(sim_time t, seen& into, std::vector<block>& pool) {
    std::ranges::move(spare_, std::back_inserter(pool));
    spare_.clear();
    std::swap(spare_, pool);
    std::swap(seen_, into);
    // What is later is little: as far as cells run ahead.
    const auto later =
        std::upper_bound(into.frames.begin(), into.frames.end(), t,
                         [](sim_time x, const control_frame& f) { return x < f.at; });
    seen_.frames.assign(later, into.frames.end());
    into.frames.erase(later, into.frames.end());
    std::size_t begin = 0, end = into.packets;
    while (begin < end)
      if (const auto i = begin + (end - begin) / 2; into[i].at <= t)
        begin = i + 1;
      else
        end = i;
    for (auto i = begin; i < into.packets; ++i)
      saw({&into[i], 1});
    into.packets = begin;
    std::swap(spare_, pool);
    // It will see about as much again.
    const auto n = std::min(pool.size(), into.blocks.size());
    spare_.insert(spare_.end(), std::move_iterator{pool.end() - static_cast<std::ptrdiff_t>(n)},
                  std::move_iterator{pool.end()});
    pool.resize(pool.size() - n);
  }

private:
  void add_block() {
    if (spare_.empty()) {
      seen_.blocks.push_back(std::make_unique<packet[]>(block_packets));
    } else {
      seen_.blocks.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
  }

  seen seen_;
  std::vector<block> spare_;
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
