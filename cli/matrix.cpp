/// \file
/// `sluice matrix FILE`: one scenario four times, with a lossy and a lossless virtual network over
/// a lossy and a lossless physical one, side by side.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"
#include "metrics/summary.hpp"

namespace sluice {

namespace {

struct arguments {
  std::string file;
  run_settings settings;
  bool json = false;
};

struct corner {
  std::string_view name;  ///< of its column: virtual, then physical
  std::string_view word;  ///< in the JSON object
  bool lossless_virtual, lossless_physical;
};

constexpr std::array corners{corner{"lossy, lossy", "lossy-lossy", false, false},
                             corner{"lossy, lossless", "lossy-lossless", false, true},
                             corner{"lossless, lossy", "lossless-lossy", true, false},
                             corner{"lossless, lossless", "lossless-lossless", true, true}};

void set_corner(scenario& s, const corner& c) {
  const auto policy = [](bool lossless) {
    return lossless ? hop_policy::on_off : hop_policy::none;
  };
  for (auto& n : s.nodes) {
    auto& f = n.flow_control;
    for (auto* p : {&f.qdisc, &f.guest_tx, &f.guest_rx, &f.hypervisor, &f.vnic_rx, &f.vswitch,
                    &f.bridge, &f.nic})
      *p = policy(c.lossless_virtual);
    f.fabric = policy(c.lossless_physical);
  }
  s.name = fmt::format("{} ({})", s.name, c.name);
  // They are about the network that the scenario describes, and that is the last one.
  if (!c.lossless_virtual || !c.lossless_physical)
    s.expectations.clear();
}

int act(const arguments& args) {
  interrupt_guard interrupt;
  const auto loaded = load_or_fail(args.file, args.settings.set);
  std::vector<outcome> outcomes;
  for (const auto& c : corners) {
    auto what = *loaded.value;
    set_corner(what, c);
    what.taps.clear();  // four runs would write the same files
    outcomes.push_back(execute(std::move(what), args.settings, interrupt));
    if (outcomes.back().results.interrupted)
      break;
  }
  if (args.json) {
    nlohmann::json all;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      all[std::string{corners[i].word}] =
          summary_json(outcomes[i].results, outcomes[i].expectations);
    fmt::print("{}", json_line(std::move(all)));
  } else {
    std::vector<named_run> columns;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      columns.push_back({corners[i].name, &outcomes[i].results});
    fmt::print(
        "Columns: the virtual network (guests, hypervisors, virtual switches, bridges, NIC "
        "rings),\nthe physical network (links and switches)\n\n{}\n",
        comparison_text(columns));
    for (const auto& o : outcomes) {
      for (const auto& e : o.expectations)
        if (!e.ok)
          fmt::print("NOT MET: {} (measured {}) {}\n", e.text, measured_text(e), e.note);
      for (const auto& wrong : o.results.violations)
        fmt::print("VIOLATED in {}: {}\n", o.results.scenario, wrong);
    }
  }
  return most_serious(outcomes);
}

}  // namespace

verb add_matrix(CLI::App& app) {
  auto* command = app.add_subcommand(
      "matrix", "Run a scenario lossy and lossless, virtual and physical: four columns");
  const auto args = std::make_shared<arguments>();
  command->add_option("FILE", args->file, "The scenario")->required();
  args->settings.add_options(*command);
  command->add_flag("--json", args->json,
                    "Print one JSON object: a summary for each of lossy-lossy, lossy-lossless, "
                    "lossless-lossy, lossless-lossless (virtual-physical)");
  return {command, [args] { return with_exit_codes([&] { return act(*args); }); }};
}

}  // namespace sluice
