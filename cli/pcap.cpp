/// \file
/// `sluice pcap FILE`: what is in a capture.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "traffic/capture_info.hpp"
#include "traffic/error.hpp"

namespace sluice {

namespace {

nlohmann::json to_json(const capture_info& info) {
  nlohmann::json out{{"file", info.file},
                     {"file_bytes", info.file_bytes},
                     {"format", info.format == capture_reader::format::pcap ? "pcap" : "pcapng"},
                     {"packets", info.packets},
                     {"bytes", info.bytes},
                     {"captured_bytes", info.captured_bytes},
                     {"first_ns", info.first_ns},
                     {"last_ns", info.last_ns},
                     {"interfaces", info.interfaces},
                     {"link_types", info.link_types},
                     {"sliced", info.sliced},
                     {"oversize", info.oversize},
                     {"backward_timestamps", info.backward_timestamps},
                     {"unstamped", info.unstamped},
                     {"fragments", info.fragments},
                     {"complete", info.complete}};
  if (!info.complete) {
    out["error"] = {
        {"message", info.error}, {"packet", info.error_packet}, {"offset", info.error_offset}};
    if (info.error_code)
      out["error"]["code"] = to_string(*info.error_code);
  }
  auto& talkers = out["talkers"] = nlohmann::json::array();
  for (const auto& t : info.talkers)
    talkers.push_back({{"source", to_string(t.source)},
                       {"destination", to_string(t.destination)},
                       {"packets", t.packets},
                       {"bytes", t.bytes}});
  return out;
}

}  // namespace

verb add_pcap(CLI::App& app) {
  struct arguments {
    std::string file;
    bool json = false;
  };
  auto* command = app.add_subcommand("pcap", "Show what is in a capture, and suggest a map for it");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "A capture (pcap or pcapng)")->required();
  command->add_flag("--json", args->json, "Print one JSON object");
  return {command, [args] {
            return with_exit_codes([&]() -> int {
              const auto info = read_capture_info(args->file);
              fmt::print("{}", args->json ? json_line(to_json(info)) : to_text(info));
              if (!info.complete)
                throw verb_failure{exit_capture, info.error};
              return exit_ok;
            });
          }};
}

}  // namespace sluice
