/// \file
/// The buffer of one port with a gate for each class that has one of its own, as PFC wants it, and
/// one gate for all the others.
///
///     |<- class 3: XOFF + head-room ->|<- class 4: likewise ->|<- what is left: everybody else ->|
///
/// With no class of its own it is a buffer_gate and nothing else: that is on/off, or no flow
/// control. Classes are priorities, 0 to 7.
///
/// Source: IEEE 802.1Q-2018 clause 36 (a buffer by port and priority); buffer_gate.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "actors/logic/buffer_gate.hpp"
#include "traffic/packet.hpp"

namespace sluice {

class class_gates {
public:
  struct config {
    buffer_gate::config shared;              ///< of all classes that have no gate of their own
    std::uint8_t own = 0;                    ///< bit c: class c has one...
    std::vector<buffer_gate::config> parts;  ///< ...these, by class

    /// Gives the class a gate of its own. In the order of classes.
    void add(unsigned c, const buffer_gate::config& gate) {
      own = static_cast<std::uint8_t>(own | 1u << c);
      parts.push_back(gate);
    }
    /// Which of the parts is the class's, if it has one.
    std::size_t part(unsigned c) const {
      return static_cast<std::size_t>(std::popcount(own & ((1u << c) - 1u)));
    }
    const buffer_gate::config& of(unsigned c) const {
      return (own >> c & 1) != 0 ? parts[part(c)] : shared;
    }
    /// bit c: the gate of class c stops its sender.
    std::uint8_t stopping_classes() const {
      unsigned bits = shared.stops ? ~unsigned{own} & 0xffu : 0u;
      for (unsigned c = 0; c < max_priorities; ++c)
        bits |= (own >> c & 1) != 0 && of(c).stops ? 1u << c : 0u;
      return static_cast<std::uint8_t>(bits);
    }
    bool stops() const { return stopping_classes() != 0; }
    /// The smallest of the stop thresholds in bytes, and in packets.
    buffer_limit least_stop() const {
      auto least = shared.stops ? shared.stop : buffer_limit{};
      for (const auto& p : parts)
        if (p.stops)
          least = {std::min(least.bytes, p.stop.bytes), std::min(least.packets, p.stop.packets)};
      return least;
    }
  };

  class_gates() = default;
  explicit class_gates(const config& c) : shared_{c.shared} {
    for (unsigned p = 0; p < max_priorities; ++p)
      if ((c.own >> p & 1) != 0) {
        own_.emplace_back(c.of(p));
        index_[p] = static_cast<std::uint8_t>(own_.size());
      }
  }

  const buffer_gate& of(unsigned c) const {
    return index_[c] == 0 ? shared_ : own_[index_[c] - 1u];
  }

  bool fits(unsigned c, std::int64_t frame_bytes) const { return of(c).fits(frame_bytes); }
  /// As buffer_gate::arrive and release, of the class's gate.
  bool arrive(unsigned c, std::int64_t frame_bytes) {
    const bool stop = at(c).arrive(frame_bytes);
    if (!own_.empty())
      count(frame_bytes, 1);
    return stop;
  }
  bool release(unsigned c, std::int64_t frame_bytes) {
    if (!own_.empty())
      count(-frame_bytes, -1);
    return at(c).release(frame_bytes);
  }

  /// Of all classes together.
  std::int64_t bytes() const { return own_.empty() ? shared_.bytes() : bytes_; }
  std::int64_t packets() const { return own_.empty() ? shared_.packets() : packets_; }
  std::int64_t max_bytes() const { return own_.empty() ? shared_.max_bytes() : max_bytes_; }
  std::int64_t max_packets() const { return own_.empty() ? shared_.max_packets() : max_packets_; }

  /// Whether any gate is stopping.
  bool stopping() const {
    return shared_.stopping()
           || std::any_of(own_.begin(), own_.end(), [](const auto& g) { return g.stopping(); });
  }
  /// What may still arrive, of whatever class, before any gate stops its sender.
  std::int64_t slack_bytes() const {
    auto slack = shared_.slack_bytes();
    for (const auto& g : own_)
      slack = std::min(slack, g.slack_bytes());
    return slack;
  }
  std::int64_t slack_packets() const {
    auto slack = shared_.slack_packets();
    for (const auto& g : own_)
      slack = std::min(slack, g.slack_packets());
    return slack;
  }

private:
  buffer_gate& at(unsigned c) { return index_[c] == 0 ? shared_ : own_[index_[c] - 1u]; }
  void count(std::int64_t bytes, std::int64_t packets) {
    bytes_ += bytes;
    packets_ += packets;
    max_bytes_ = std::max(max_bytes_, bytes_);
    max_packets_ = std::max(max_packets_, packets_);
  }

  buffer_gate shared_;
  std::vector<buffer_gate> own_;
  std::array<std::uint8_t, max_priorities> index_{};  // 0: shared; else of own_, plus one
  std::int64_t bytes_ = 0, packets_ = 0, max_bytes_ = 0, max_packets_ = 0;  // if there are own_
};

}  // namespace sluice
