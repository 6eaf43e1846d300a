/// \file
/// A connection that is regulated by credit lists: what its sender and its receiver have to know,
/// and how either finds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/logic/credit_builder.hpp"
#include "metrics/results.hpp"
#include "traffic/units.hpp"

namespace sluice {

struct credit_connection {
  std::uint32_t flow = 0;          ///< index of the traffic entry
  std::uint32_t from = 0, to = 0;  ///< endpoints
  bool regulated = true;           ///< without, the sender sends whatever it has: as VIA alone
  credit_builder::config lists;
  bool in_device = false;  ///< the I/O device cuts requests; else each packet is posted by itself
  /// In place of lists a window, as TCP has: so many bytes of a transport buffer, from which the
  /// application copies what it reads. The receiver says what is free when it is
  /// as much as two full packets, or as the sender may lack for one.
  std::int64_t window_bytes = 0;
  std::uint32_t largest = 0;          ///< packet that the network takes
  unsigned buffers = 64;              ///< that the receiving application has
  std::uint32_t least = 0, most = 0;  ///< their sizes: one of these or between, drawn for each
  sim_time work = 0;                  ///< of the receiving application, for each buffer
  sim_time per_list = 0;              ///< until the receiver has sent a list
  sim_time poll = 0;                  ///< the sender looks for lists so often; 0: it is notified
  sim_time post = 0;                  ///< until the sender has posted another buffer for a list
  std::uint64_t seed = 0;             ///< of the sizes
};

/// The connections of one side, numbered in the order in which they are added.
class connection_index {
public:
  static constexpr std::size_t none = ~std::size_t{0};

  /// \param peer the endpoint at the other side.
  void add(std::uint32_t flow, std::uint32_t peer) {
    if (flow >= of_flow_.size())
      of_flow_.resize(flow + 1);
    of_flow_[flow].push_back({peer, size_++});
  }
  std::size_t find(std::uint32_t flow, std::uint32_t peer) const {
    if (flow < of_flow_.size())
      for (const auto& c : of_flow_[flow])
        if (c.peer == peer)
          return c.number;
    return none;
  }

private:
  struct entry {
    std::uint32_t peer;
    std::size_t number;
  };
  std::vector<std::vector<entry>> of_flow_;
  std::size_t size_ = 0;
};

}  // namespace sluice
