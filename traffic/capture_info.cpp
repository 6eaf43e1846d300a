#include "traffic/capture_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

#include "traffic/headers.hpp"

namespace sluice {

namespace {

using address_pair = std::pair<net_address, net_address>;

struct pair_hash {
  std::size_t operator()(const address_pair& pair) const noexcept {
    const std::hash<net_address> hash;
    return hash(pair.first) * 31 + hash(pair.second);
  }
};

constexpr std::uint32_t largest_usual_frame = 1518;
constexpr std::size_t suggested_addresses = 16;

class collector {
public:
  explicit collector(capture_info& info) : info_{info} {}

  void add(const capture_record& record) {
    const auto headers = parse_headers(record.link_type, record.data);
    ++info_.packets;
    info_.bytes += record.wire_bytes;
    info_.captured_bytes += record.captured_bytes();
    info_.sliced += record.sliced();
    info_.fragments += headers.fragment;
    info_.oversize +=
        ethernet_bytes(record.link_type, headers, record.wire_bytes) > largest_usual_frame;
    add_link_type(record.link_type);
    add_stamp(record);
    const bool ip = static_cast<bool>(headers.source);
    add_talker(ip ? headers.source : headers.source_mac,
               ip ? headers.destination : headers.destination_mac, record.wire_bytes);
  }

  // Sorts by bytes, then by address, so that equal captures give equal pages.
  void finish() {
    info_.talkers_total = talkers_.size();
    for (const auto& [key, talker] : talkers_)
      info_.talkers.push_back(talker);
    std::sort(info_.talkers.begin(), info_.talkers.end(), [](const auto& a, const auto& b) {
      return std::tie(b.bytes, a.source, a.destination)
             < std::tie(a.bytes, b.source, b.destination);
    });
    if (info_.talkers.size() > capture_info::max_talkers)
      info_.talkers.resize(capture_info::max_talkers);
    for (const auto& [key, endpoint] : endpoints_)
      info_.endpoints.push_back(endpoint);
    std::sort(info_.endpoints.begin(), info_.endpoints.end(), [](const auto& a, const auto& b) {
      const auto bytes_a = a.sent_bytes + a.received_bytes;
      const auto bytes_b = b.sent_bytes + b.received_bytes;
      return std::tie(bytes_b, a.address) < std::tie(bytes_a, b.address);
    });
  }

private:
  void add_link_type(int link_type) {
    if (link_type == last_link_type_)
      return;
    last_link_type_ = link_type;
    if (link_types_.insert(link_type).second)
      info_.link_types.push_back(link_type_name(link_type));
  }

  void add_stamp(const capture_record& record) {
    if (!record.stamped) {
      ++info_.unstamped;
      return;
    }
    const auto stamp = record.timestamp_ns;
    if (!any_stamp_) {
      info_.first_ns = info_.last_ns = stamp;
      any_stamp_ = true;
    } else {
      info_.backward_timestamps += stamp < previous_ns_;
      info_.first_ns = std::min(info_.first_ns, stamp);
      info_.last_ns = std::max(info_.last_ns, stamp);
    }
    previous_ns_ = stamp;
  }

  void add_talker(const net_address& from, const net_address& to, std::uint32_t bytes) {
    if (!from && !to)
      return;
    bool tracked = true;
    if (auto* talker = find(talkers_, address_pair{from, to})) {
      talker->source = from;
      talker->destination = to;
      ++talker->packets;
      talker->bytes += bytes;
    } else {
      tracked = false;
    }
    tracked = add_endpoint(from, true, bytes) && tracked;
    tracked = add_endpoint(to, false, bytes) && tracked;
    info_.untracked_packets += !tracked;
  }

  bool add_endpoint(const net_address& address, bool sends, std::uint32_t bytes) {
    if (address.is_unspecified() || address.is_multicast())
      return true;
    auto* endpoint = find(endpoints_, address);
    if (endpoint == nullptr)
      return false;
    endpoint->address = address;
    ++(sends ? endpoint->sent_packets : endpoint->received_packets);
    (sends ? endpoint->sent_bytes : endpoint->received_bytes) += bytes;
    return true;
  }

  // The entry of a key, made when there is room for another; else null.
  template <class Map>
  static typename Map::mapped_type* find(Map& map, const typename Map::key_type& key) {
    if (map.size() < capture_info::max_tracked)
      return &map[key];
    const auto it = map.find(key);
    return it == map.end() ? nullptr : &it->second;
  }

  capture_info& info_;
  std::unordered_map<address_pair, capture_info::talker, pair_hash> talkers_;
  std::unordered_map<net_address, capture_info::endpoint> endpoints_;
  std::set<int> link_types_;
  int last_link_type_ = -1;
  bool any_stamp_ = false;
  std::int64_t previous_ns_ = 0;
};

void read_all(capture_reader& reader, collector& into, capture_info& info) {
  try {
    capture_record record;
    while (reader.next(record))
      into.add(record);
  } catch (const capture_error& error) {
    info.complete = false;
    info.error = error.what();
    info.error_code = error.code();
    info.error_packet = error.packet();
    info.error_offset = error.offset();
  }
}

// Seconds since 1970 with all nine digits: exact, and needs no calendar.
std::string seconds_text(std::int64_t ns) {
  const bool negative = ns < 0;
  const auto magnitude =
      negative ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  return fmt::format("{}{}.{:09} s", negative ? "-" : "", magnitude / 1'000'000'000,
                     magnitude % 1'000'000'000);
}

std::string timing_text(const capture_info& info) {
  std::string text;
  if (info.packets == info.unstamped)
    return "time      no time stamps\n";
  const auto duration = info.last_ns - info.first_ns;
  text += fmt::format("first     {} after 1970\n", seconds_text(info.first_ns));
  text += fmt::format("last      {}\n", seconds_text(info.last_ns));
  text += fmt::format("duration  {}\n", seconds_text(duration));
  if (duration > 0)
    text += fmt::format("mean      {:.0f} packets/s, {:.3f} Mbit/s\n",
                        static_cast<double>(info.packets) * 1e9 / static_cast<double>(duration),
                        static_cast<double>(info.bytes) * 8e3 / static_cast<double>(duration));
  return text;
}

std::string oddities_text(const capture_info& info) {
  std::string text;
  const auto line = [&text](std::uint64_t count, const char* what) {
    if (count != 0)
      text += fmt::format("note      {} {}\n", count, what);
  };
  line(info.sliced, "sliced: captured shorter than they were; a replay sends them at full length");
  line(info.oversize, "oversize: frames above 1518 bytes (TSO, GRO or jumbo)");
  line(info.backward_timestamps, "stamped earlier than the packet before");
  line(info.unstamped, "without a time stamp");
  line(info.fragments, "IP fragments beyond a first");
  line(info.untracked_packets, "of addresses beyond those that are counted one by one");
  return text;
}

std::string talkers_text(const capture_info& info) {
  if (info.talkers.empty())
    return {};
  std::string text = fmt::format("\n{:>10} {:>14}  top talkers ({} of {}{})\n", "packets", "bytes",
                                 info.talkers.size(), info.talkers_total,
                                 info.talkers_total == capture_info::max_tracked ? " or more" : "");
  for (const auto& talker : info.talkers)
    text += fmt::format("{:>10} {:>14}  {} -> {}\n", talker.packets, talker.bytes,
                        to_string(talker.source), to_string(talker.destination));
  return text;
}

std::string map_text(const capture_info& info) {
  if (info.endpoints.empty())
    return {};
  std::string text = "\nsuggested map (put your endpoints in place of h1/vm1...):\n    map:\n";
  const auto shown = std::min(info.endpoints.size(), suggested_addresses);
  for (std::size_t i = 0; i != shown; ++i) {
    const auto address = to_string(info.endpoints[i].address);
    const bool quote = info.endpoints[i].address.kind() != net_address::family::ipv4;
    text += fmt::format("      {}: h{}/vm1\n", quote ? '"' + address + '"' : address, i + 1);
  }
  if (shown != info.endpoints.size())
    text += fmt::format("      # and {} more\n", info.endpoints.size() - shown);
  return text;
}

}  // namespace

capture_info read_capture_info(capture_reader& reader) {
  capture_info info;
  info.file = reader.file();
  info.file_bytes = reader.file_bytes();
  info.format = reader.kind();
  collector into{info};
  read_all(reader, into, info);
  into.finish();
  info.interfaces = static_cast<std::uint32_t>(reader.interfaces().size());
  if (info.link_types.empty())  // no packet: at least what the interfaces say
    for (const auto& interface : reader.interfaces())
      if (const auto name = link_type_name(interface.link_type);
          std::find(info.link_types.begin(), info.link_types.end(), name) == info.link_types.end())
        info.link_types.push_back(name);
  return info;
}

capture_info read_capture_info(const std::string& file) {
  capture_reader reader{file};
  return read_capture_info(reader);
}

std::string to_text(const capture_info& info) {
  std::string link_types;
  for (const auto& name : info.link_types)
    link_types += (link_types.empty() ? "" : ", ") + name;
  std::string text =
      fmt::format("{}: {}, {} bytes\n", info.file,
                  info.format == capture_reader::format::pcap ? "pcap" : "pcapng", info.file_bytes);
  if (!info.complete)
    text +=
        fmt::format("DAMAGED   {}\n          (what follows is what comes before)\n", info.error);
  text += fmt::format("packets   {}\n", info.packets);
  text += fmt::format("bytes     {} on the wire, {} captured\n", info.bytes, info.captured_bytes);
  text += fmt::format("links     {} ({} interface{})\n", link_types, info.interfaces,
                      info.interfaces == 1 ? "" : "s");
  if (info.packets != 0)
    text += timing_text(info);
  return text + oddities_text(info) + talkers_text(info) + map_text(info);
}

}  // namespace sluice
