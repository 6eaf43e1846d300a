/// \file
/// A cell: the engine's view of one component, apart from whoever activates it.
///
/// A cell has *inputs*, where packets arrive from an upper cell and signals go back up, and
/// *outputs*, where packets leave for a lower cell and signals come back. It knows about its
/// neighbours only what parcels tell it. In each activation it takes in what has come, handles in
/// time order whatever is safe to handle, and sends what came of it, with promises (DESIGN 3).
///
/// A component derives from `cell` and says five things:
///   * `advance`: handle everything that is safe, up to `limit()`;
///   * `earliest_packet` / `earliest_signal`: the earliest time at which anything could still
///     arrive at the neighbour by that port; the larger it can honestly be, the faster the run;
///   * `explain_packet` / `explain_signal`: what would have to be known to promise beyond a time
///     (by `need_packets` / `need_signals`);
///   * `grant`: a larger allowance, if there is room;
///   * `next_event`: the earliest time at which it has something unhandled.
/// Everything else (batches, promises that travel with items, wants, acknowledgements, limits on
/// run-ahead, checks of promises) is done here, once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "actors/engine/parcel.hpp"
#include "actors/engine/ring.hpp"
#include "traffic/packet.hpp"
#include "traffic/units.hpp"

namespace sluice {

using cell_index = std::uint32_t;
using port_index = std::uint32_t;

/// The way out of a cell during an activation; each executor has its own.
class transport {
public:
  virtual void send(cell_index to, packet_parcel_ptr p) = 0;
  virtual void send(cell_index to, signal_parcel_ptr p) = 0;
  /// A rule of the engine was broken: a bug. The run ends with this message.
  virtual void fail(std::string what) = 0;

protected:
  ~transport() = default;
};

/// What happens to packets on the channel between two cells, apart from taking time: a cable that
/// may be cut. It belongs to the channel's lower cell, which calls it as parcels come in.
class passage {
public:
  struct result {
    std::size_t kept = 0;  ///< packets that go on, moved to the front
    std::int64_t lost_bytes = 0;
  };
  /// \param packets in order; their `at` is the arrival at the lower cell.
  virtual result pass(std::span<packet> packets) = 0;

protected:
  ~passage() = default;
};

/// What a cell did, for those who tune the engine.
struct cell_counts {
  std::uint64_t activations = 0, parcels = 0, wants = 0, items = 0;
};

class cell {
public:
  explicit cell(std::string name) : name_{std::move(name)} {}
  virtual ~cell() = default;
  cell(const cell&) = delete;
  cell& operator=(const cell&) = delete;

  const std::string& name() const { return name_; }

  // -- wiring, before the run ---------------------------------------------------------------------

  /// Joins `upper`'s next output and `lower`'s next input. Packets take `down` picoseconds from
  /// the end of their transmission, signals take `up`; both are positive. What the packets pass
  /// through on the way, if anything, outlives the run.
  friend void join(cell& upper, cell& lower, sim_time down, sim_time up, passage* through);

  std::size_t links() const { return inputs_.size() + outputs_.size(); }
  /// The output that was joined last. \pre there is one
  port_index last_output() const { return static_cast<port_index>(outputs_.size() - 1); }
  /// Likewise of inputs.
  port_index last_input() const { return static_cast<port_index>(inputs_.size() - 1); }

  cell_index index() const { return index_; }
  void index(cell_index i) { index_ = i; }

  /// How many packets may be under way on a link before the lower cell has taken them. A quarter
  /// of them goes into one parcel, which bounds what the parcels' memory can grow to.
  void window(std::uint64_t packets);
  std::uint64_t window() const { return window_; }
  /// After the windows have been set: how far the upper cells may go.
  virtual void see_windows();
  /// By output `o` packets go down only in full parcels, or when the lower cell asks for what it
  /// lacks, or at the end of a slice. For cells that nobody waits for, of which there are many,
  /// each with little to do: it is woken once for a bunch.
  void hold_back_packets(port_index o) {
    outputs_[o].patient = true;
    patient_ = true;
  }
  bool is_patient() const { return patient_; }

  // -- activation, by the executor ---------------------------------------------------------------

  void take(packet_parcel_ptr p, transport& out);
  void take(signal_parcel_ptr p, transport& out);
  virtual void step(transport& out);

  // -- between activations, when nothing is under way --------------------------------------------

  /// Whether a neighbour waits for an answer.
  bool is_wanted() const { return !listed_inputs_.empty() || !listed_outputs_.empty(); }
  /// Whether it holds packets back. If so they go down in its next step.
  bool let_go();

  /// Nothing later than this is handled: the end of the run, or the real clock.
  virtual void limit(sim_time t) { limit_ = t; }
  sim_time limit() const { return limit_; }

  /// Earliest time at which this cell has something it has not handled; `never` if nothing.
  virtual sim_time next_event() const = 0;

  /// Whether it has never had anything to do, and will not before somebody sends it something.
  virtual bool untouched() const { return false; }

  /// Nothing anywhere in the run happens before `t`, and nothing is under way: every neighbour has
  /// thereby promised `t` and the link's latency.
  virtual void assume(sim_time t);

  /// The model changes from `t` on, of which nothing has been decided: what was promised and
  /// allowed for later times is no longer true, here and at every neighbour, who are told too.
  virtual void retract(sim_time t);

  /// What holds the cell up, in words, for the table of a stalled run.
  std::string describe() const;

  const cell_counts& counts() const { return counts_; }

  struct input {
    item_queue<packet> items;
    sim_time promise = 0;     ///< no packet arrives before it but those in `items`
    std::uint64_t heard = 0;  ///< how many of our signals the upper cell has fully obeyed
    sim_time need = never;    ///< this activation: the smallest time that we need promised
    sim_time asked = -1;      ///< what we asked for and have no answer to
    sim_time packet_latency = 1;
    cell_index peer = 0;
    const cell* neighbour = nullptr;  ///< only to name it when a promise is broken
    port_index peer_port = 0;
    passage* through = nullptr;
    /// Packets that were lost in `through`: we never see them, but the upper cell counts them.
    std::uint64_t lost_packets = 0, lost_said = 0;
    std::int64_t lost_bytes = 0;

    signal_parcel_ptr open;       ///< signals of this activation, and those held back
    std::int64_t open_bytes = 0;  ///< that those in `open` are about
    sim_time promised = 0;
    sim_time signal_latency = 1;
    sim_time wanted = -1;  ///< the upper cell wants our signals' promise beyond this
    allowance allowed;     ///< what we have granted
    std::uint64_t consumed = 0, acknowledged = 0;  ///< packets taken, and said so...
    std::uint64_t many = 256;                      ///< ...when they are so many: half a window
    std::uint64_t signals = 0;                     ///< sent in all
    bool listed = false, sending = false;
    bool urgent = false;  ///< its signals are never held back
  };
  struct output;
  /// Between activations: visits the signals that are here and those that the neighbour holds back.
  template <class Visit>
  static void each_coming(const output& o, Visit visit);

  struct output {
    item_queue<signal> items;
    sim_time promise = 0;     ///< no signal arrives before it but those in `items`
    std::uint64_t taken = 0;  ///< how many of our packets the lower cell has taken
    allowance allowed;        ///< what the lower cell has granted us
    sim_time need = never;
    sim_time asked = -1;
    sim_time signal_latency = 1;
    cell_index peer = 0;
    const cell* neighbour = nullptr;  ///< only to name it when a promise is broken
    port_index peer_port = 0;

    packet_parcel_ptr open;
    sim_time promised = 0;
    sim_time packet_latency = 1;
    sim_time wanted = -1;
    std::uint64_t packets = 0;                ///< sent in all
    std::int64_t bytes = 0;                   ///< likewise
    std::uint64_t heard = 0, heard_sent = 0;  ///< signals that have taken full effect, and said so
    bool listed = false, sending = false;
    bool patient = false;  ///< see hold_back_packets
  };

protected:
  virtual void advance() = 0;
  virtual sim_time earliest_packet(port_index o) = 0;
  virtual void explain_packet(port_index o, sim_time beyond) = 0;
  virtual sim_time earliest_signal(port_index i) = 0;
  virtual void explain_signal(port_index i, sim_time beyond) = 0;
  /// Enlarges `inputs[i].allowed` if that helps the upper cell; `asked`: it waits for it.
  virtual bool grant(port_index i, bool asked) {
    (void)i, (void)asked;
    return false;
  }
  /// Whether a better answer to input `i`'s upper cell is on its way, because lower cells owe us
  /// news. Then a small one is held back: few large batches beat many small ones.
  virtual bool expects_more(port_index i) const {
    (void)i;
    return false;
  }
  /// Called once when a parcel with items came by input `i`, for cells that sort on arrival.
  virtual void arrived(port_index i) { (void)i; }

  // -- for components ----------------------------------------------------------------------------

  void emit(port_index o, const packet& p) {
    auto& out = outputs_[o];
    if (!out.open)
      open_output(o);
    (*out.open)->items.push_back(p);
    ++out.packets;
    out.bytes += p.bytes;
    if ((*out.open)->items.size() >= full_parcel_)
      send_full_output(o);
  }
  void emit_signal(port_index i, const signal& s) {
    auto& in = inputs_[i];
    if (!in.open)
      open_input(i);
    (*in.open)->items.push_back(s);
    in.open_bytes += s.bytes;
    ++in.signals;
    // At the end of a run nothing is sent any more, but it counts (each_coming).
    if ((*in.open)->items.size() >= 4 * full_parcel_ && out_ != nullptr)
      send_full_input(i);
  }
  /// Takes the front packet of input `i`.
  void pop_packet(port_index i) {
    auto& in = inputs_[i];
    in.items.pop();
    if (++in.consumed - in.acknowledged >= in.many)
      list_input(i);  // else it would not be said before something else comes
  }

  /// "I could go on if input `i` promised beyond `t`."
  void need_packets(port_index i, sim_time t) {
    auto& in = inputs_[i];
    if (t < in.need && t >= in.promise && t <= limit_)
      in.need = t;
    list_input(i);
  }
  void need_signals(port_index o, sim_time t) {
    auto& out = outputs_[o];
    if (t < out.need && t >= out.promise && t <= limit_)
      out.need = t;
    list_output(o);
  }
  /// Input `i` shall be looked at when the activation ends (grants, acknowledgements).
  void list_input(port_index i) {
    if (!inputs_[i].listed) {
      inputs_[i].listed = true;
      listed_inputs_.push_back(i);
    }
  }
  void list_output(port_index o) {
    if (!outputs_[o].listed) {
      outputs_[o].listed = true;
      listed_outputs_.push_back(o);
    }
  }

  /// From now on signals go up only when they are about so many bytes, or are so many, or when the
  /// upper cell waits for news. For signals that matter only to who asks; not on urgent inputs.
  void hold_back_signals(std::int64_t bytes, std::int64_t signals) {
    worth_bytes_ = bytes;
    worth_signals_ = signals;
  }

  /// What the upper cell of `in` may be told: packets that were lost on the way do not use up what
  /// `allowed` allows.
  static allowance with_lost(const input& in, allowance allowed) {
    if (allowed.bytes > 0) {
      allowed.bytes += in.lost_bytes;
      allowed.packets += static_cast<std::int64_t>(in.lost_packets);
    }
    return allowed;
  }

  bool window_open(const output& out) const { return out.packets - out.taken < window_; }

  /// A rule is broken; see transport::fail.
  void fail(std::string what);

  std::vector<input> inputs_;
  std::vector<output> outputs_;
  sim_time limit_ = never;
  std::uint64_t window_ = 512;
  std::size_t full_parcel_ = 128;
  std::int64_t worth_bytes_ = 0, worth_signals_ = 0;
  cell_counts counts_;
  bool failed_ = false;
  bool patient_ = false, letting_go_ = false;  // of packets that are held back
  /// Ports with something new, or somebody waiting, in this activation.
  std::vector<port_index> listed_inputs_, listed_outputs_;

private:
  void open_output(port_index o);
  void open_input(port_index i);
  void send_full_output(port_index o);
  void send_full_input(port_index i);
  bool worth_sending(const input& in) const;
  void finish_input(port_index i);
  void finish_output(port_index o);
  void send_input(port_index i, transport& out);
  void send_output(port_index o, transport& out);

  std::string name_;
  cell_index index_ = 0;
  transport* out_ = nullptr;
};

void join(cell& upper, cell& lower, sim_time down, sim_time up, passage* through = nullptr);

template <class Visit>
void cell::each_coming(const output& o, Visit visit) {
  o.items.each(visit);
  if (o.neighbour == nullptr)
    return;
  const auto& open = o.neighbour->inputs_[o.peer_port].open;
  if (open)
    for (const auto& s : (*open)->items)
      visit(s);
}

}  // namespace sluice
