/// \file
/// A capture replayed: which packets, from whom to whom, when.
///
/// Opening a replay reads the whole capture once. That pass refuses a damaged file before the run,
/// counts what each rule did, and leaves the schedule in memory when it is small; a larger one is
/// read again, streaming, by each producer's source. Both ways run the same code and give the same
/// emissions.
///
/// **Which packets.** In this order, each step counted in the report:
/// 1. `filter` (BPF, on the packet as captured);
/// 2. link types: Ethernet as it is; RAW, IPV4, IPV6, NULL, LOOP, LINUX_SLL(2) with a 14-byte
///    Ethernet header in place of their own; others skipped; shorter than a header: a runt,
///    skipped;
/// 3. `map`: by IP (or ARP) address, else by MAC address. Both sides must be mapped, to different
///    endpoints; multicast and broadcast are unmapped unless the map names them. Without one all go
///    `from` -> `to`, or with several receivers each conversation (addresses and ports, whichever
///    way round) to one of them;
/// 4. frames above the producer's largest: `split` or `drop`.
/// With `classify` each packet's priority is what its PCP or DSCP says; with `casts` whom it is for
/// is what its addresses say: a broadcast, a multicast, ARP, or one receiver.
///
/// **Split.** TCP becomes segments that each repeat the link, IP and TCP headers; any other IP is
/// fragmented (multiples of 8 bytes; IPv6 with its fragment header of 8). Sizes only: the frame_ref
/// is the original's. Pieces have at most MTU = max_frame - 18 bytes of IP packet. What is not IP
/// cannot be split and is dropped.
///
/// **When.** Due times come from an absolute schedule, rounded down once, so they do not drift.
/// With t(i) the time of packet i after the first selected one, gaps above `max-gap` shortened:
/// - as captured: start + t(i);  speed: start + t(i) * den / num;
/// - rate: start + 8 * (frame bytes of the entry before it) / rate;
/// - pps: start + (packets of the entry before it) / pps;
/// - as fast as possible: all at start.
///
/// A packet stamped earlier than one before it is due with it. An unstamped one likewise. All
/// pieces of a split frame are due together (rate and pps: each in its turn). Round k of `repeat`
/// begins k periods after start: a period is last - first + mean gap (as captured, speed; 0 when
/// all selected packets have one time), or all bytes or packets at the rate. No packet is due at or
/// after `stop`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "traffic/address.hpp"
#include "traffic/capture.hpp"
#include "traffic/settings.hpp"
#include "traffic/source.hpp"

namespace sluice {

struct replay_config {
  struct mapping {
    net_address address;
    std::uint32_t endpoint = 0;
  };

  std::string file;
  std::uint16_t capture_index = 0;  ///< of the run: goes into each frame_ref
  std::string filter;               ///< BPF; empty: everything
  replay_timing timing;
  oversize_rule oversize = oversize_rule::split;
  std::vector<mapping> map;  ///< empty: everything goes from `from` to `to`
  std::uint32_t from = 0;
  std::vector<std::uint32_t> to;  ///< if several, each conversation to one of them; not to `from`
  bool casts = false;             ///< see packet::special
  /// How a receiver takes packets apart; of endpoints that are not here all go to socket 0.
  struct receiver {
    std::uint32_t endpoint = 0;
    std::vector<std::uint16_t> ports;  ///< packets to ports[i] (TCP or UDP) are for socket i + 1
    std::string filter;                ///< BPF: what its IP layer lets in; empty: everything
  };
  std::vector<receiver> receivers;
  /// Priorities of what an endpoint sends, by the frames themselves. Null: that of the entry.
  std::function<const classify_settings*(std::uint32_t endpoint)> classify;
  sim_time start = 0;
  sim_time stop = never;
  /// The largest frame that an endpoint may send (its line's MTU + 18). Unset: no limit.
  std::function<std::uint32_t(std::uint32_t endpoint)> max_frame;
  /// Schedules up to so many emissions are kept in memory (24 bytes each); larger ones are
  /// streamed.
  std::size_t max_records_in_memory = 1'000'000;
};

/// What a replay makes of its capture, in one round.
struct replay_report {
  struct mapping_count {
    net_address address;
    std::uint32_t endpoint = 0;
    std::uint64_t seen = 0;      ///< packets that passed the filter and have the address
    std::uint64_t sent = 0;      ///< selected packets of which it is the source
    std::uint64_t received = 0;  ///< selected packets of which it is the destination
  };
  struct producer_count {
    std::uint32_t endpoint = 0;
    std::uint64_t packets = 0, bytes = 0;  ///< emitted
    std::uint8_t priorities = 0;           ///< bit p: of priority p, if classified
  };

  std::uint64_t file_packets = 0, file_bytes = 0;  ///< all of the capture, wire bytes
  std::uint64_t filtered = 0;                      ///< rejected by `filter`
  std::uint64_t foreign_link = 0;      ///< skipped: a link type that cannot become Ethernet
  std::uint64_t runts = 0;             ///< skipped: shorter than its link header
  std::uint64_t unmapped = 0;          ///< skipped: multicast, or an address without endpoint
  std::uint64_t oversize_dropped = 0;  ///< skipped: too large, and `drop` or not IP
  std::uint64_t selected = 0;          ///< the rest: file_packets less the five above

  std::uint64_t packets = 0, bytes = 0;  ///< emitted in one round: selected, after splitting
  std::uint64_t not_ethernet = 0;        ///< selected, with an Ethernet header made for them
  std::uint64_t sliced = 0;      ///< selected, captured shorter than they were; sent at full length
  std::uint64_t oversize = 0;    ///< too large for their line: split or dropped
  std::uint64_t split = 0;       ///< of them split...
  std::uint64_t split_into = 0;  ///< ...into so many
  std::uint64_t backward = 0;    ///< selected, stamped earlier than one before; due moved up to it
  std::uint64_t unstamped = 0;   ///< selected, without time stamp
  std::int64_t first_ns = 0, last_ns = 0;  ///< earliest and latest stamp of those selected
  std::vector<mapping_count> map;          ///< as in the configuration
  std::vector<producer_count> producers;   ///< by endpoint
  sim_time period = 0;                     ///< from the begin of a round to that of the next
  bool in_memory = false;  ///< the schedule is kept; otherwise each source streams the file
};

/// Immutable once open; sources share its schedule and may be used from different threads.
class replay {
public:
  /// Reads the capture once.
  /// \throws capture_error for a capture that cannot be read, traffic_error (bad_filter,
  /// bad_config) for settings that cannot work.
  static replay open(replay_config config);

  const replay_report& report() const;

  /// Endpoints that emit at least one packet, ascending.
  std::vector<std::uint32_t> producers() const;

  /// The schedule of one producer from its begin, independent of all others; empty for an endpoint
  /// that does not emit. A streaming source throws capture_error from `next` when the file changed
  /// since it was opened.
  std::unique_ptr<traffic_source> source_for(std::uint32_t endpoint) const;

  struct state;

private:
  explicit replay(std::shared_ptr<const state> opened) : state_{std::move(opened)} {}

  std::shared_ptr<const state> state_;
};

/// Checks a BPF expression without a capture, as for Ethernet.
/// \throws traffic_error bad_filter with libpcap's message.
void check_filter(const std::string& filter);

}  // namespace sluice
