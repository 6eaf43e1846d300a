/// \file
/// The counters of a component: plain integers, owned by one component and copied into a snapshot
/// now and then. Nothing here locks, allocates on the packet path, or knows a network.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "traffic/packet.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// Why a component dropped a packet. `name_of` gives the word of summaries and metrics.
enum class drop_reason : std::uint8_t {
  buffer_full,        ///< no room, and no flow control that would have prevented it
  headroom_exceeded,  ///< flow control stopped the sender, but too late for the room that was left
  mtu_exceeded,       ///< larger than the link's MTU allows
  no_route,           ///< no port leads to its destination
  link_down,          ///< on a link while it was down
  filtered,           ///< the receiver's packet filter does not let it in
  watchdog,           ///< its priority was held for so long that a PFC watchdog let go of it
  early,              ///< random early detection: the queue was filling, and it may not be marked
  no_buffer,          ///< an elastic FIFO had no free buffer for it
  connection_broken,  ///< its connection found no receive buffer for it, or for one before
  mbuf_limit,         ///< the chain of mbufs that its sender may hold was at its limit
  no_mbufs,           ///< the pool of mbufs that it was to be kept in was empty
};
inline constexpr std::size_t drop_reasons = 12;

constexpr std::string_view name_of(drop_reason r) {
  constexpr std::string_view names[drop_reasons] = {
      "buffer_full", "headroom_exceeded", "mtu_exceeded", "no_route",
      "link_down",   "filtered",          "watchdog",     "early",
      "no_buffer",   "connection_broken", "mbuf_limit",   "no_mbufs"};
  return names[static_cast<std::size_t>(r)];
}

/// Packets and their frame bytes.
struct tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  void add(std::uint32_t frame_bytes) {
    ++packets;
    bytes += frame_bytes;
  }
  tally& operator+=(const tally& o) {
    packets += o.packets;
    bytes += o.bytes;
    return *this;
  }
  tally& operator-=(const tally& o) {
    packets -= o.packets;
    bytes -= o.bytes;
    return *this;
  }
  friend tally operator+(tally a, const tally& b) { return a += b; }
  friend tally operator-(tally a, const tally& b) { return a -= b; }
  friend bool operator==(const tally&, const tally&) = default;
};

/// How often and how long a sender was held by one receiver.
struct held_counts {
  std::uint64_t stops = 0, starts = 0;
  sim_time time = 0;
};

/// What a receiver has done to its sender.
struct stop_counts {
  std::uint64_t stops = 0;
  double closest = 0;  ///< largest occupancy over the threshold at which it holds its sender
};

/// PFC and PAUSE frames that a port has sent, or those of its peer that it has had.
struct pause_counts {
  struct of_priority {
    std::uint64_t frames = 0;       ///< that held it or let it go
    std::uint64_t quanta = 0;       ///< that they said
    std::uint64_t transitions = 0;  ///< of who obeys: from running to held
    sim_time time = 0;              ///< likewise: for which it was held
    std::uint64_t storms = 0;       ///< likewise: that its watchdog has seen
  };
  std::array<of_priority, max_priorities> priorities{};
  std::uint64_t frames = 0;     ///< in all
  std::uint64_t lost = 0;       ///< of those sent: the cable was down
  std::uint64_t ignored = 0;    ///< of those had: they meant a priority that is not lossless
  std::uint64_t under_way = 0;  ///< on the line, or not responded to yet
};

/// Drops by reason and priority. Most components never drop anything, so the table is made for the
/// first one: of a thousand hosts the empty ones would be most of the memory.
class drop_table {
public:
  tally& of(drop_reason why, unsigned priority) {
    if (rows_.empty())
      rows_.resize(drop_reasons);
    return rows_[static_cast<std::size_t>(why)][priority];
  }
  tally of(drop_reason why, unsigned priority) const {
    return rows_.empty() ? tally{} : rows_[static_cast<std::size_t>(why)][priority];
  }
  tally total() const {
    tally sum;
    for (const auto& by_priority : rows_)
      for (const auto& t : by_priority)
        sum += t;
    return sum;
  }

private:
  std::vector<std::array<tally, max_priorities>> rows_;
};

/// What every component counts. Conservation, for each: in + made = out + consumed + dropped +
/// held, where `held` is what the component itself finds in its queues, not a difference.
struct component_counters {
  tally in, made, out, consumed, held;
  drop_table dropped;
  std::int64_t max_bytes = 0;    ///< the largest occupancy of its buffer, exact
  std::int64_t max_packets = 0;  ///< likewise in packets
  std::uint64_t stops_sent = 0, starts_sent = 0;
  std::uint64_t stops_received = 0, starts_received = 0;
  sim_time stopped = 0;        ///< time during which its sending side was held by the other side
  std::uint64_t wake_ups = 0;  ///< its process slept for want of packets and was woken by one
  std::uint64_t pushes = 0;  ///< virtual switch: packets moved on when a sender had enqueued one...
  std::uint64_t pulls = 0;   ///< ...or because the receiver had found nothing
  std::uint64_t marked = 0;  ///< packets marked as congested (ECN)
  /// By index of the traffic entry; they grow with the first drop, the first copy.
  std::vector<tally> dropped_of_flow, copied_of_flow;

  void drop(drop_reason why, const packet& p) {
    dropped.of(why, p.priority & 7).add(p.frame_bytes());
    count(dropped_of_flow, p);
  }
  /// A packet to several has been multiplied: there is one more of it now, made here.
  void copy(const packet& p) {
    made.add(p.frame_bytes());
    count(copied_of_flow, p);
  }
  /// A packet has been cut in two: there is one more of it now, and no byte.
  void cut(std::uint32_t flow) {
    ++made.packets;
    if (flow >= copied_of_flow.size())
      copied_of_flow.resize(flow + 1);
    ++copied_of_flow[flow].packets;
  }
  tally dropped_total() const { return dropped.total(); }
  bool conserved() const { return in + made == out + consumed + dropped_total() + held; }

private:
  static void count(std::vector<tally>& of_flow, const packet& p) {
    if (p.flow >= of_flow.size())
      of_flow.resize(p.flow + 1);
    of_flow[p.flow].add(p.frame_bytes());
  }
};

/// Distribution of latencies in picoseconds: log-linear buckets of 1/64 of an octave at a
/// granularity of 1 ns, so a percentile is at most 0.8% (and half a nanosecond) off; minimum,
/// maximum, sum and count are exact. Buckets as in HdrHistogram (G. Tene), but growing on demand:
/// a histogram of latencies below 1 ms needs 7 KiB.
class latency_histogram {
public:
  /// On the packet path: allocates only when a latency is larger than all before it. A negative
  /// latency cannot be; should one come, it counts as 0 and shows in the minimum.
  void add(sim_time latency) {
    const auto ps = static_cast<std::uint64_t>(latency < 0 ? 0 : latency);
    const std::size_t bucket = bucket_of(ps / nanosecond);
    if (bucket >= buckets_.size()) [[unlikely]]
      grow(bucket);
    ++buckets_[bucket];
    ++count_;
    sum_ += ps;
    min_ = latency < min_ ? latency : min_;
    max_ = latency > max_ ? latency : max_;
  }
  void merge(const latency_histogram& other);

  std::uint64_t count() const { return count_; }
  sim_time min() const { return count_ == 0 ? 0 : min_; }
  sim_time max() const { return count_ == 0 ? 0 : max_; }
  /// Arithmetic mean in picoseconds; 0 without any.
  double mean() const;
  /// Sum in seconds, for Prometheus histograms.
  double sum_seconds() const;
  /// The latency that a share `q` (0 to 1) of the packets does not exceed (nearest rank): the
  /// middle of its bucket, never outside [min, max]; the first and last ranks are exact.
  sim_time quantile(double q) const;
  /// How many are at most `bound` (to the bucket's precision), for Prometheus histograms.
  std::uint64_t count_at_most(sim_time bound) const;
  /// From the first bucket to the last one in use, an eighth of an octave at a time (below 128 ns:
  /// 8 ns): the nanoseconds at which the part ends, and how many fell into it.
  template <class Visit>
  void each_part(Visit visit) const {
    constexpr std::size_t part = 8;
    for (std::size_t b = 0; b < buckets_.size() && begin_of(b) * nanosecond <= max_; b += part) {
      std::uint64_t n = 0;
      for (std::size_t i = b; i < b + part; ++i)
        n += buckets_[i];
      visit(static_cast<std::uint64_t>(begin_of(b + part)), n);
    }
  }

private:
  __extension__ using uint128 = unsigned __int128;
  static constexpr int sub_bits = 6;  // 64 buckets an octave

  // Below 128 ns a bucket is 1 ns wide; from there each octave doubles the width.
  static std::size_t bucket_of(std::uint64_t ns) {
    const int octave = std::bit_width(ns) - 1 - sub_bits;
    if (octave <= 0)
      return ns;
    return (static_cast<std::size_t>(octave) << sub_bits) + (ns >> octave);
  }
  static sim_time middle_of(std::size_t bucket);
  /// In nanoseconds.
  static sim_time begin_of(std::size_t bucket) {
    if (bucket < std::size_t{2} << sub_bits)
      return static_cast<sim_time>(bucket);
    const auto octave = (bucket >> sub_bits) - 1;
    return static_cast<sim_time>(bucket - (octave << sub_bits)) << octave;
  }
  void grow(std::size_t bucket);

  std::vector<std::uint64_t> buckets_;  // grows to the largest value seen
  std::uint64_t count_ = 0;
  uint128 sum_ = 0;
  sim_time min_ = never, max_ = 0;
};

}  // namespace sluice
