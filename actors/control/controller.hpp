/// \file
/// The controller: the SDN controller of the document, one for the network.
///
///     controller ──commands──▶ virtual switch of each host
///                ◀─notices───  (a port has stopped its sender, and lets it go on)
///
/// One output for each switch that it controls. Before the first packet it distributes what the
/// switch needs to know: the thresholds of each port, which priorities are lossless, and for the
/// overlay where the VMs are that its own VMs talk to (virtual network and whether through a
/// tunnel). During the run it stops and starts ports at the times of the scenario's events; such a
/// command is sent early enough to take effect at the event's time. It hears of every stop and
/// start at a port, `latency` later, and from that alone knows the state of the network.
///
/// No data packet passes through it and it decides nothing about one. Nobody waits for it: its
/// commands are known from the begin, which is what it promises.
///
/// Counters: none of packets; see `state`, which the summary shows.
/// Source: US 9,485,188 ("the program may include SDN controller ... may generate flow control
/// commands and react to flow control between the hardware and software elements"; the thresholds
/// that the program designates for each queue; the stop command to the producer).
#pragma once

#include <vector>

#include "actors/component.hpp"
#include "actors/control/command.hpp"

namespace sluice {

struct controller_config {
  struct device {
    std::string name;
    std::vector<std::string> ports;
    std::vector<command> commands;  ///< in the order of `at`
  };
  std::string name = "controller";
  std::vector<device> devices;  ///< in the order in which they are joined
};

class controller final : public component {
public:
  explicit controller(controller_config c);

  std::string_view kind() const override { return "controller"; }
  component_counters snapshot(sim_time) const override { return {}; }
  /// It has no counters of packets to report.
  void report(sim_time, const reporter&) const override {}
  sim_time next_event() const override;
  /// It waits for nothing, and notices of what has happened long ago may still be in their switch.
  void assume(sim_time) override {}

  /// What it knows of a port by now.
  struct port_state {
    std::string name;
    std::uint64_t stops = 0, starts = 0;  ///< notices
    sim_time since = 0;                   ///< of the stop that is in force, as heard
    sim_time stopped_for = 0;             ///< between them, up to `now`
    std::uint8_t stopped = 0;             ///< bit n: part n, if it is divided; else bit 0
    bool ordered = false;                 ///< its own stop is in force
  };
  /// Every port that it controls. Only while no cell is active.
  std::vector<port_state> state(sim_time now) const;
  std::uint64_t commands_sent() const;

protected:
  void advance() override;
  sim_time earliest_packet(port_index) override;
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

private:
  static void hear(std::vector<port_state>& ports, const signal& s);

  controller_config config_;
  std::vector<std::size_t> sent_;               // commands, by device
  std::vector<std::vector<port_state>> heard_;  // by device and port
};

}  // namespace sluice
