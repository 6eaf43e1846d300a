/// \file
/// Builds a network from a scenario: which component stands where, with which configuration, and
/// who is joined to whom. See network.hpp for the picture.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/control/controller.hpp"
#include "actors/credits/connection.hpp"
#include "actors/queue/port_queue.hpp"
#include "actors/switching/forwarding_engine.hpp"
#include "actors/switching/ingress_port.hpp"
#include "actors/switching/shared_memory_engine.hpp"
#include "actors/switching/virtual_switch.hpp"
#include "topology/event_profiles.hpp"
#include "topology/network.hpp"
#include "topology/routing.hpp"
#include "topology/thresholds.hpp"
#include "traffic/replay.hpp"

namespace sluice {

class network_builder {
public:
  /// \param changeable whatever events can change can be changed while it runs.
  network_builder(const scenario& s, network& n, bool changeable);

  void build();

private:
  // An endpoint of traffic: a VM, a generator or a sink. Its index is in every packet.
  struct endpoint {
    std::string name;
    std::size_t node = 0;
    unsigned sends = 0, receives = 0;  // bit p: traffic of priority p
    bool sends_away = false;           // to other nodes
    std::uint32_t network = 0;         // 0: of none
    bool tunnelled = false;            // behind a tunnel
    producer* source = nullptr;
    std::vector<consumer*> readers;
    // With credit lists: its connections, as numbers in credits_, and their actors.
    std::vector<std::size_t> opens, accepts;
    bool sends_plain = false, receives_plain = false;  // of no connection
    credit_sender* lists_in = nullptr;
    credit_receiver* lists_out = nullptr;
  };
  // What is attached to one end of a link.
  struct attachment {
    component* sender = nullptr;          // its output goes onto the link
    component* receiver = nullptr;        // its input takes what comes from the link
    forwarding_engine* engine = nullptr;  // that accounts for the receiver, if it is a port
    std::size_t ingress = 0, egress = 0;  // numbers there, of receiver and sender
    std::string name;                     // of the receiver, as the one who stops
    bool stops = false;
    // Where there is one, for PFC: the sender as what it is, and the receiver.
    port_queue* queue = nullptr;
    producer* source = nullptr;
    port_queue* buffer = nullptr;
    class_gates::config room;  // of the receiver
  };
  // One port of a physical switch, both directions.
  struct port_plan {
    bool has_ingress = true, has_egress = true;
    std::string name;  // of the egress queue; ".in" is added for the ingress
    class_gates::config ingress;
    sender_bound sender;  // of who sends there
    std::uint32_t max_frame_bytes = 0;
    class_gates::config egress;
    line_config line;
    unsigned priorities = 0;
    ingress_port* in = nullptr;
    port_queue* out = nullptr;
    std::uint16_t ingress_index = 0, egress_index = 0;
  };
  struct switch_plan {
    std::string name, node, egress_kind;
    std::vector<port_plan> ports;
    sim_time forwarding_delay = 0;
    scheduler_settings scheduler;
    // leads[i]: the ports (numbers in `ports`) that lead to endpoint i
    std::vector<std::vector<std::uint16_t>> leads;
    // feeds[port]: the ports from which traffic can come to it
    std::vector<std::vector<bool>> feeds;
    forwarding_engine* engine = nullptr;
    std::optional<ecn_settings> ecn;
    bool watched = false;                        // what is held may leave all at once
    std::shared_ptr<link_sets> sets;             // of ports, as numbers in `ports`
    std::optional<shared_memory_config> memory;  // if the ports share it
  };

  template <class T, class... Args>
  T& add(Args&&... args);
  void connect(component& upper, component& lower, sim_time down, sim_time up);
  passage* tapped(const component& upper, const component& lower);
  std::vector<tap_stream*> streams(const std::string& port, bool sends,
                                   const std::string& holder = {});
  void open_taps();
  std::vector<std::string> capture_files_;  // by number

  void number_endpoints();
  void plan_traffic();
  void note_pair(std::uint32_t from, std::uint32_t to, std::uint8_t priority);
  void find_feeds();
  void plan_credits();
  room::config send_queue_of(std::uint32_t endpoint) const;
  credit_sender& add_credit_sender(std::uint32_t endpoint);
  credit_receiver& add_credit_receiver(std::uint32_t endpoint);
  void join_credit_lists();
  void build_host(std::size_t node);
  unsigned priorities_of(std::size_t node) const;
  // How S-PFC divides a queue by priority; not at all if there is one only.
  struct division {
    unsigned priorities = 0;  // bit p: it has a part for priority p; 0: it is whole
    std::uint8_t lossless = 0;
  };
  static division divide(hop_policy& policy, unsigned priorities, std::uint8_t lossless);
  static void set_parts(port_queue_config& c, const division& parts, buffer_limit each);
  // A queue inside a host, before it is joined to who fills it.
  struct stage {
    port_queue* queue;
    room::config seen;  // by its sender: how much room there is, or is in each part
    division parts;
  };
  // The virtual switch of a host; port v is VM v's, the last one the uplink if there is a link.
  struct vswitch_plan {
    virtual_switch* hub = nullptr;
    std::vector<port_queue*> outputs;
    room::config input;  // as a sender sees any of its input queues, or their parts
    division parts;      // none: they are whole
  };
  vswitch_plan build_vswitch(std::size_t node);
  void control(virtual_switch& hub, std::size_t node, const virtual_switch_config& c,
               const vswitch_plan& plan, buffer_limit output);
  bool commanded(const std::string& port) const;
  void build_controller();
  void enter(const vswitch_plan& vswitch, std::size_t port, port_queue& sender, sim_time latency);
  void build_vm(std::size_t node, std::size_t vm, const vswitch_plan& vswitch);
  port_queue& build_sending(std::size_t node, std::size_t vm, const std::string& into);
  stage build_receiving(std::size_t node, std::size_t vm, port_queue* from);
  hop_policy mbuf_hop(std::size_t node) const;
  mbuf_sockets& add_mbuf_sockets(std::size_t node, std::size_t vm);
  stage add_function(std::size_t node, std::size_t vm);
  void build_sr_iov_host(std::size_t node);
  port_plan stopped_entry(std::size_t node, const std::string& name, hop_facts hop,
                          sim_time per_packet) const;
  void enter(const switch_plan& plan, const port_plan& port, port_queue& sender, sim_time latency);
  port_queue& add_nic_buffer(std::size_t node);
  // From the host to the wire: bridge and NIC; and back, as far as the bridge.
  void build_uplink(std::size_t node, port_queue& from);
  port_queue& build_downlink(std::size_t node);
  stage add_bridge(std::size_t node, const char* name, std::uint64_t bps, bool sends);
  void read_by_dma(std::size_t node, line_config& line) const;
  std::uint32_t header_apart(std::size_t node) const;
  std::string nic_name(std::size_t node) const;
  void build_router_host(std::size_t node);
  switch_plan plan_router_senders(std::size_t node) const;
  bool talks_to_itself(std::size_t node) const;
  buffer_limit posted(std::size_t node, std::size_t vm) const;
  sim_time posting_slice(std::size_t node, std::size_t vm) const;
  std::vector<outage> shortages(std::size_t node, std::size_t vm) const;
  void build_switch(std::size_t node);
  shared_memory_config shared_memory(std::size_t node, const switch_plan& plan) const;
  void plan_aggregation(std::size_t node, switch_plan& plan) const;
  void note_aggregation(std::size_t node, const switch_plan& plan);
  void build_generator(std::size_t node);
  void build_sink(std::size_t node);
  void build_links();
  void build_switching(switch_plan& plan);
  void fill_producers();
  void regulate_producers();
  red::config early(const std::optional<ecn_settings>& settings, const std::string& queue,
                    bool drops = true) const;
  std::shared_ptr<const std::vector<std::uint8_t>> listeners(std::uint32_t port) const;

  // What comes to a stage, by priority, for S-PFC; and what of that it holds, if not what the
  // node's PFC says.
  struct coming {
    unsigned priorities = 0;
    std::optional<std::uint8_t> lossless = {};
  };
  stage add_stage(port_queue_config c, std::size_t node, buffer_limit capacity, hop_policy policy,
                  std::uint32_t largest_frame, const coming& what,
                  std::optional<pcie_window::config> credits = {});
  template <class Upper, class... Commanded>
  static void look_into(Upper& upper, const room::config& seen, const division& parts,
                        Commanded... commanded);
  void note_looking(component& sender, const component& owner, std::size_t input,
                    const std::string& name, const division& parts);
  template <class Upper>
  void fill(Upper& upper, const stage& lower, sim_time latency);
  port_queue& add_wire_queue(std::string name, std::size_t node, std::string kind,
                             const class_gates::config& gate, std::size_t link_index,
                             line_config line, unsigned priorities = 1,
                             const scheduler_settings& scheduler = {});
  class_gates::config wire_gates(std::size_t node, std::int64_t capacity,
                                 std::size_t link_index) const;
  const node& node_named(const link::end& end) const {
    return scenario_.nodes[node_of_.at(end.node)];
  }
  const node& peer_of(std::size_t node, std::size_t link_index) const;
  class_gates::config egress_parts(std::int64_t share, unsigned lossless) const;
  sender_bound wire_bound(std::size_t node, std::size_t link_index) const;
  bool injects(std::size_t link_index, bool from_b) const;
  std::vector<pause_sender::injection> injections(std::size_t link_index, bool from_b) const;
  void join_pauses(std::size_t link_index, int way);
  void join_credits(std::size_t link_index, int way, component& transmits);
  static const component* owner_of(const attachment& a);
  bool has_link(std::size_t node) const { return !routes_.ports(node).empty(); }
  const link& link_at(std::size_t node, std::size_t port) const;
  attachment& attached(std::size_t node, std::size_t port);
  line_config wire(std::size_t link_index) const;
  hop_facts wire_hop(std::size_t link_index) const;
  hop_policy wire_policy(std::size_t link_index) const;
  line_config drain(const std::string& target, std::uint64_t normal_bps) const;
  std::uint32_t max_frame(std::size_t node) const;
  std::uint32_t frame_bound(std::size_t node) const;
  std::uint32_t tenant_frame(std::size_t node) const;

  const scenario& scenario_;
  network& net_;
  const bool changeable_;
  routes routes_;
  std::map<std::string, std::size_t> node_of_;
  std::vector<endpoint> endpoints_;
  std::map<std::string, std::uint32_t> endpoint_of_;
  std::vector<std::vector<std::uint32_t>> endpoints_at_;     // node -> endpoints
  std::vector<std::vector<std::uint32_t>> senders_to_;       // endpoint -> endpoints, unique
  std::vector<std::vector<std::uint32_t>> destinations_of_;  // node -> endpoints elsewhere
  unsigned all_priorities_ = 0;
  std::vector<std::array<attachment, 2>> attachments_;  // link -> end a, end b
  std::vector<std::vector<std::vector<bool>>> feeds_;   // switch node -> egress -> ingress
  std::vector<std::array<bool, 2>> used_;               // link -> traffic towards b, towards a
  std::vector<std::unique_ptr<replay>> replays_;        // by traffic entry; null: generator
  bool several_networks_ = false;
  std::vector<replay_config::receiver> receivers_;  // VMs that take packets apart
  struct planned_credits {
    credit_connection connection;
    sim_time latency = 0;
  };
  std::vector<planned_credits> credits_;
  controller_config controlled_;
  std::vector<virtual_switch*> hubs_;  // as in controlled_
  std::uint32_t largest_ = 0;          // no frame of the run is larger, whatever an MTU says
};

template <class T, class... Args>
T& network_builder::add(Args&&... args) {
  auto owned = std::make_unique<T>(std::forward<Args>(args)...);
  T& result = *owned;
  result.index(static_cast<cell_index>(net_.components_.size()));
  net_.components_.push_back(std::move(owned));
  return result;
}

// Who was joined last looks for room there, and may be told to stop besides.
template <class Upper, class... Commanded>
void network_builder::look_into(Upper& upper, const room::config& seen, const division& parts,
                                Commanded... commanded) {
  if (parts.priorities != 0)
    upper.check_rooms({parts.lossless, seen}, commanded...);
  else
    upper.check_room(seen, commanded...);
}

template <class Upper>
void network_builder::fill(Upper& upper, const stage& lower, sim_time latency) {
  connect(upper, *lower.queue, latency, latency);
  look_into(upper, lower.seen, lower.parts);
  if (lower.seen.checked)
    note_looking(upper, *lower.queue, 0, lower.queue->name(), lower.parts);
  if (lower.queue->initial_credits() != 0)
    net_.listed_.push_back({&upper, upper.last_output(), lower.queue});
}

}  // namespace sluice
