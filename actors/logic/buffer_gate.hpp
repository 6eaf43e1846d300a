/// \file
/// The buffer accounting of a hop: whether a packet fits, when its sender is to stop, and when it
/// may start again.
///
/// Source: US 9,485,188, the description of the input side buffer control: "the threshold for the
/// maximum number of data packets is not necessarily the entire room available"; when it is
/// reached, a stop goes to the producer; when the queue has released enough to be below a
/// (lower) threshold, room is signalled. What lies between the stop threshold and the capacity is
/// the head-room for packets that are under way when the stop is issued.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace sluice {

/// Bytes and packets together; both limits hold. Unlimited where nothing is set.
struct buffer_limit {
  static constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max() / 4;
  std::int64_t bytes = unlimited;
  std::int64_t packets = unlimited;

  /// Which share of it so much is, by the measure that is nearer to it.
  double share(std::int64_t in_bytes, std::int64_t in_packets) const {
    return std::max(static_cast<double>(in_bytes) / static_cast<double>(bytes),
                    static_cast<double>(in_packets) / static_cast<double>(packets));
  }
  /// By either measure.
  bool reached_by(std::int64_t in_bytes, std::int64_t in_packets) const {
    return in_bytes >= bytes || in_packets >= packets;
  }
};

class buffer_gate {
public:
  struct config {
    buffer_limit capacity;
    bool stops = false;  ///< on/off towards the sender; without it the gate only drops
    buffer_limit stop;   ///< reached by either measure: stop
    buffer_limit start;  ///< undercut or met by both: start
  };

  buffer_gate() = default;
  explicit buffer_gate(const config& c) : config_{c} {}

  std::int64_t bytes() const { return bytes_; }
  std::int64_t packets() const { return packets_; }
  std::int64_t max_bytes() const { return max_bytes_; }
  std::int64_t max_packets() const { return max_packets_; }
  bool stopping() const { return stopping_; }
  const config& settings() const { return config_; }

  bool fits(std::int64_t frame_bytes) const {
    return bytes_ + frame_bytes <= config_.capacity.bytes && packets_ < config_.capacity.packets;
  }

  /// Takes a packet that fits. Returns true if a stop is to be sent now.
  bool arrive(std::int64_t frame_bytes) {
    bytes_ += frame_bytes;
    ++packets_;
    max_bytes_ = std::max(max_bytes_, bytes_);
    max_packets_ = std::max(max_packets_, packets_);
    if (!config_.stops || stopping_ || !config_.stop.reached_by(bytes_, packets_))
      return false;
    stopping_ = true;
    return true;
  }

  /// Lets a packet go. Returns true if a start is to be sent now.
  bool release(std::int64_t frame_bytes) {
    bytes_ -= frame_bytes;
    --packets_;
    if (!stopping_ || bytes_ > config_.start.bytes || packets_ > config_.start.packets)
      return false;
    stopping_ = false;
    return true;
  }

  /// How much may still arrive, with no further release, before a stop must be sent. Zero while
  /// stopping; unlimited without flow control.
  std::int64_t slack_bytes() const {
    if (!config_.stops)
      return buffer_limit::unlimited;
    return stopping_ ? 0 : std::max<std::int64_t>(0, config_.stop.bytes - 1 - bytes_);
  }
  std::int64_t slack_packets() const {
    if (!config_.stops)
      return buffer_limit::unlimited;
    return stopping_ ? 0 : std::max<std::int64_t>(0, config_.stop.packets - 1 - packets_);
  }

private:
  config config_;
  std::int64_t bytes_ = 0, packets_ = 0;
  std::int64_t max_bytes_ = 0, max_packets_ = 0;
  bool stopping_ = false;
};

}  // namespace sluice
