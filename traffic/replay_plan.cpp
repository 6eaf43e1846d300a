#include "traffic/replay_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "traffic/random.hpp"

namespace sluice {

namespace {

constexpr std::uint32_t least_max_frame = 64;

std::uint32_t max_frame_of(const replay_config& config, std::uint32_t endpoint) {
  if (!config.max_frame)
    return max_frame_bytes;
  const auto bytes = config.max_frame(endpoint);
  if (bytes < least_max_frame)
    throw traffic_error{
        traffic_ec::bad_config,
        fmt::format("endpoint {} may send frames of at most {} bytes: fewer than {}", endpoint,
                    bytes, least_max_frame)};
  return bytes;
}

// The same for both ways.
std::uint64_t conversation(const frame_headers& h) {
  const auto end = [](const net_address& address, const net_address& mac, std::uint16_t port) {
    return mix64(std::hash<net_address>{}(address ? address : mac) + port);
  };
  return mix64(end(h.source, h.source_mac, h.source_port)
               + end(h.destination, h.destination_mac, h.destination_port) + h.protocol);
}

std::uint8_t cast_of(const frame_headers& h) {
  if (h.ether_type == ether_type_arp)
    return packet::arp;
  const auto& to = h.destination_mac ? h.destination_mac : h.destination;
  if (!to.is_multicast())
    return packet::ordinary;
  const auto bytes = to.bytes();
  const bool all =
      to.kind() != net_address::family::ipv6
      && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0xff; });
  return all ? packet::broadcast : packet::multicast;
}

}  // namespace

packet_selector::packet_selector(const replay_config& config)
    : filter_{config.filter},
      oversize_{config.oversize},
      mapped_{!config.map.empty()},
      casts_{config.casts},
      from_{config.from},
      to_{config.to},
      classify_{config.classify} {
  std::erase(to_, from_);
  if (!mapped_ && to_.empty())
    throw traffic_error{traffic_ec::bad_config, "without a map, from and to must differ"};
  if (!mapped_)
    max_frame_[from_] = max_frame_of(config, from_);
  for (std::size_t i = 0; i != config.map.size(); ++i) {
    const auto& [address, endpoint] = config.map[i];
    if (!map_.emplace(address, target{endpoint, i}).second)
      throw traffic_error{traffic_ec::bad_config,
                          fmt::format("the map has {} twice", to_string(address))};
    if (!max_frame_.contains(endpoint))
      max_frame_[endpoint] = max_frame_of(config, endpoint);
  }
  for (const auto& r : config.receivers)
    receivers_.emplace(r.endpoint, receiver{r.ports, bpf_filter{r.filter}});
}

std::optional<packet_selector::selected> packet_selector::select(const capture_record& record,
                                                                 replay_report* report) const {
  const auto skip = [report](std::uint64_t replay_report::*count) {
    if (report != nullptr)
      ++(report->*count);
    return std::nullopt;
  };
  if (!filter_.matches(record))
    return skip(&replay_report::filtered);
  const auto headers = parse_headers(record.link_type, record.data);
  if (headers.link == link_class::foreign)
    return skip(&replay_report::foreign_link);
  const auto bytes = ethernet_bytes(record.link_type, headers, record.wire_bytes);
  if (bytes == 0)
    return skip(&replay_report::runts);
  selected result{from_, 0, {}, 0, emission::unclassified, headers.ecn};
  if (!mapped_)
    result.to = to_.size() == 1 ? to_[0] : to_[conversation(headers) % to_.size()];
  if (casts_)
    result.special = cast_of(headers);
  if (mapped_ && !map_packet(headers, result, report))
    return skip(&replay_report::unmapped);
  if (!fit(headers, bytes, result, report))
    return skip(&replay_report::oversize_dropped);
  if (report != nullptr && headers.link != link_class::ethernet)
    ++report->not_ethernet;
  if (!receivers_.empty())
    result.socket = socket_of(record, headers, result.to);
  if (classify_)
    if (const auto* rules = classify_(result.from))
      result.priority = rules->priority_of(headers.pcp, headers.dscp);
  return result;
}

// A fragment that is not the first has no port: it goes to socket 0.
std::uint8_t packet_selector::socket_of(const capture_record& record, const frame_headers& headers,
                                        std::uint32_t to) const {
  const auto found = receivers_.find(to);
  if (found == receivers_.end())
    return 0;
  const auto& [ports, filter] = found->second;
  if (!filter.matches(record))
    return packet::filtered;
  const auto port = std::find(ports.begin(), ports.end(), headers.destination_port);
  const bool listens = headers.destination_port != 0 && port != ports.end();
  return listens ? static_cast<std::uint8_t>(port - ports.begin() + 1) : std::uint8_t{0};
}

const packet_selector::target* packet_selector::find(const net_address& address,
                                                     const net_address& mac) const {
  for (const auto* key : {&address, &mac})
    if (*key)
      if (const auto it = map_.find(*key); it != map_.end())
        return &it->second;
  return nullptr;
}

bool packet_selector::map_packet(const frame_headers& headers, selected& into,
                                 replay_report* report) const {
  const auto* source = find(headers.source, headers.source_mac);
  const auto* destination = find(headers.destination, headers.destination_mac);
  const bool selects =
      source != nullptr && destination != nullptr && source->endpoint != destination->endpoint;
  if (report != nullptr && source != nullptr) {
    ++report->map[source->index].seen;
    report->map[source->index].sent += selects;
  }
  if (report != nullptr && destination != nullptr) {
    report->map[destination->index].seen +=
        source == nullptr || source->index != destination->index;
    report->map[destination->index].received += selects;
  }
  if (!selects)
    return false;
  into.from = source->endpoint;
  into.to = destination->endpoint;
  return true;
}

bool packet_selector::fit(const frame_headers& headers, std::uint32_t bytes, selected& into,
                          replay_report* report) const {
  const auto max_frame = max_frame_.find(into.from)->second;
  if (bytes <= max_frame) {
    into.pieces = {1, bytes, bytes};
    return true;
  }
  const auto plan =
      oversize_ == oversize_rule::split ? plan_split(headers, bytes, max_frame) : std::nullopt;
  if (plan)
    into.pieces = *plan;
  if (report != nullptr) {
    ++report->oversize;
    report->split += plan.has_value();
    report->split_into += plan ? plan->pieces : 0;
  }
  return plan.has_value();
}

replay_walk::replay_walk(const std::string& file, const replay_timing& timing)
    : reader_{file}, clock_{timing} {}

bool replay_walk::next(const packet_selector& selector, planned& piece, replay_report* report) {
  while (piece_ == pieces_) {
    if (!reader_.next(record_))
      return false;
    begin(selector, report);
  }
  return emit(piece);
}

bool replay_walk::next_preparing(packet_selector& selector, planned& piece, replay_report& report) {
  while (piece_ == pieces_) {
    if (!reader_.next(record_))
      return false;
    selector.prepare(record_.link_type);
    ++report.file_packets;
    report.file_bytes += record_.wire_bytes;
    begin(selector, &report);
  }
  return emit(piece);
}

void replay_walk::begin(const packet_selector& selector, replay_report* report) {
  const auto packet = selector.select(record_, report);
  if (!packet)
    return;
  packet_ = *packet;
  piece_ = 0;
  pieces_ = packet_.pieces.pieces;
  const auto stamp = clock_.packet(record_);
  if (report == nullptr)
    return;
  ++report->selected;
  report->sliced += record_.sliced();
  report->backward += stamp == replay_clock::stamp::backward;
  report->unstamped += stamp == replay_clock::stamp::none;
  if (!record_.stamped)
    return;
  report->first_ns =
      any_stamp_ ? std::min(report->first_ns, record_.timestamp_ns) : record_.timestamp_ns;
  report->last_ns =
      any_stamp_ ? std::max(report->last_ns, record_.timestamp_ns) : record_.timestamp_ns;
  any_stamp_ = true;
}

bool replay_walk::emit(planned& piece) {
  piece.bytes = packet_.pieces.bytes_of(piece_++);
  piece.due = clock_.piece(piece.bytes);
  piece.offset = record_.offset;
  piece.from = packet_.from;
  piece.to = packet_.to;
  piece.socket = packet_.socket;
  piece.priority = packet_.priority;
  piece.ecn = packet_.ecn;
  piece.special = packet_.special;
  return true;
}

}  // namespace sluice
