/// \file
/// `sluice check FILE...`: everything that can be known without running, for any number of files.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/verbs.hpp"
#include "metrics/text.hpp"
#include "topology/validate.hpp"
#include "traffic/replay.hpp"

namespace sluice {

namespace {

/// Endpoints of a scenario as numbers, and what their lines carry.
class endpoint_table {
public:
  explicit endpoint_table(const scenario& s) {
    for (const auto& node : s.nodes) {
      std::uint32_t largest = max_frame_bytes;
      for (const auto& link : s.links)
        if (link.a.node == node.name || link.b.node == node.name)
          largest = std::min(largest, link.mtu + ethernet_and_tag_bytes);
      if (const auto* host = std::get_if<host_settings>(&node.as))
        for (const auto& vm : host->vms)
          add(node.name + '/' + vm.name, largest);
      else
        add(node.name, largest);
    }
  }

  std::uint32_t number_of(const std::string& name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? UINT32_MAX : found->second;
  }
  std::uint32_t max_frame(std::uint32_t number) const { return largest_.at(number); }
  const std::string& name_of(std::uint32_t number) const { return names_.at(number); }

private:
  static constexpr std::uint32_t ethernet_and_tag_bytes = 18;

  void add(const std::string& name, std::uint32_t largest) {
    numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
    names_.push_back(name);
    largest_.push_back(largest);
  }

  std::map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> names_;
  std::vector<std::uint32_t> largest_;
};

replay_config config_of(const traffic_entry& entry, const replay_settings& settings,
                        const endpoint_table& endpoints) {
  replay_config config;
  config.file = settings.file;
  config.filter = settings.filter;
  config.timing = settings.timing;
  config.oversize = settings.oversize;
  for (const auto& m : settings.map)
    if (const auto address = net_address::parse(m.address))
      config.map.push_back({*address, endpoints.number_of(m.endpoint)});
  if (settings.map.empty() && !entry.from.empty() && !entry.to.empty()) {
    config.from = endpoints.number_of(entry.from.front());
    for (const auto& to : entry.to)
      config.to.push_back(endpoints.number_of(to));
  }
  config.start = entry.start;
  config.stop = entry.stop;
  config.max_frame = [&](std::uint32_t number) { return endpoints.max_frame(number); };
  return config;
}

/// What a replay would do with its capture, in a few lines.
std::string replay_text(const traffic_entry& entry, const replay_settings& settings,
                        const replay_report& report, const endpoint_table& endpoints) {
  std::string out =
      fmt::format("  {}: {} of {} packets of {}", entry.name, human_count(report.selected),
                  human_count(report.file_packets), settings.file);
  if (report.packets != report.selected)
    out += fmt::format(", sent as {}", human_count(report.packets));
  out += fmt::format(", {}", human_bytes(static_cast<double>(report.bytes)));
  if (settings.timing.repeat > 1)
    out += fmt::format("; {} rounds, one every {}", human_count(settings.timing.repeat),
                       human_time_ps(report.period));
  out += '\n';
  const auto note = [&](std::uint64_t n, std::string_view what) {
    if (n != 0)
      out += fmt::format("    {} {}\n", human_count(n), what);
  };
  note(report.filtered, "left out by the filter");
  note(report.unmapped, "skipped: they match no address of the map, or are multicast");
  note(report.foreign_link, "skipped: a link type that cannot become Ethernet");
  note(report.runts, "skipped: shorter than their link header");
  note(report.oversize_dropped, "skipped: larger than the line's MTU");
  note(report.not_ethernet, "get an Ethernet header");
  note(report.sliced, "captured shorter than they were; sent at full length");
  if (report.split != 0)
    out += fmt::format("    {} larger than the line's MTU, split into {}\n",
                       human_count(report.split), human_count(report.split_into));
  note(report.backward, "stamped earlier than one before; due with it");
  note(report.unstamped, "without a time stamp; due with the one before");
  for (const auto& producer : report.producers)
    out += fmt::format("    {} sends {} packets, {}\n", endpoints.name_of(producer.endpoint),
                       human_count(producer.packets),
                       human_bytes(static_cast<double>(producer.bytes)));
  return out;
}

std::string counts(const scenario& s) {
  const auto plural = [](std::size_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
  };
  return fmt::format("{}, {}, {}, {}, {}", plural(s.nodes.size(), "node", "nodes"),
                     plural(s.links.size(), "link", "links"),
                     plural(s.traffic.size(), "traffic entry", "traffic entries"),
                     plural(s.events.size(), "event", "events"),
                     plural(s.expectations.size(), "expectation", "expectations"));
}

int check_file(const std::string& file, const std::vector<std::string>& set) {
  const auto loaded = load_or_fail(file, set);
  const auto& s = *loaded.value;
  const endpoint_table endpoints{s};

  std::string replays;
  auto problems = validate(s);
  for (const auto& entry : s.traffic) {
    const auto* settings = std::get_if<replay_settings>(&entry.what);
    if (settings == nullptr)
      continue;
    const auto capture = replay::open(config_of(entry, *settings, endpoints));
    const auto& report = capture.report();
    replays += replay_text(entry, *settings, report, endpoints);
    if (report.packets == 0)
      problems.push_back({settings->file_where, 1,
                          fmt::format("no packet of {} is replayed", settings->file),
                          "loosen the filter, or map the addresses that `sluice pcap` shows",
                          diagnostic::severity::error});
    for (std::size_t i = 0; i < report.map.size() && i < settings->map.size(); ++i)
      if (report.map[i].seen == 0)
        problems.push_back({settings->map[i].where,
                            static_cast<int>(settings->map[i].address.size()),
                            fmt::format("no packet has the address {}", settings->map[i].address),
                            fmt::format("`sluice pcap {}` lists the addresses", settings->file),
                            diagnostic::severity::error});
  }
  if (!problems.empty())
    fmt::print(stderr, "{}", render(loaded, problems, colours()));
  if (has_errors(problems))
    return exit_usage;
  fmt::print("{}: ok: {}\n{}", file, counts(s), replays);
  return exit_ok;
}

}  // namespace

verb add_check(CLI::App& app) {
  struct arguments {
    std::vector<std::string> files, set;
  };
  auto* command = app.add_subcommand("check", "Find everything that is wrong without running");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->files, "Scenarios")->required();
  command->add_option("--set", args->set, "Change a value of the scenario: PATH=VALUE")
      ->allow_extra_args(false);
  return {command, [args] {
            // Every file is looked at, whatever the ones before it were like.
            int code = exit_ok;
            for (const auto& file : args->files)
              code = std::max(code, with_exit_codes([&] { return check_file(file, args->set); }));
            return code;
          }};
}

}  // namespace sluice
