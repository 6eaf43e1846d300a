/// \file
/// A relay: a cell with one input and one output that holds nothing. It looks at each packet as it
/// passes, adds a fixed latency, may drop it, and passes whole parcels on without copying them.
/// Signals, promises, allowances and wants go through it both ways. Ingress ports are relays.
#pragma once

#include <algorithm>
#include <span>

#include "actors/engine/cell.hpp"

namespace sluice {

/// `Base` is `cell` or a class derived from it.
template <class Base>
class relay : public Base {
public:
  using Base::Base;

  void step(transport& out) final;
  /// It takes nothing itself: its window is a part of the upper cell's.
  void see_windows() final {
    const auto& in = this->inputs_[0];
    this->window(std::min(this->window(), in.neighbour->window()));
    Base::see_windows();
  }
  sim_time next_event() const final { return never; }

protected:
  /// Handles packets that have just arrived, in place (their `at` is still the arrival here), and
  /// returns how many remain, moved to the front. Dropped ones are counted by the component.
  virtual std::size_t pass(std::span<packet> packets) = 0;

  void advance() final {}
  sim_time earliest_packet(port_index) final { return 0; }
  void explain_packet(port_index, sim_time) final {}
  sim_time earliest_signal(port_index) final { return 0; }
  void explain_signal(port_index, sim_time) final {}

private:
  void down(transport& out);
  void up(transport& out);

  std::int64_t dropped_bytes_ = 0;
  std::uint64_t dropped_packets_ = 0;
  std::uint64_t taken_sent_ = 0;
  allowance allowed_sent_;
};

template <class Base>
void relay<Base>::step(transport& out) {
  ++this->counts_.activations;
  down(out);
  up(out);
}

template <class Base>
void relay<Base>::down(transport& out) {
  auto& in = this->inputs_[0];
  auto& o = this->outputs_[0];
  const auto latency = o.packet_latency;

  packet_parcel_ptr last;
  while (!in.items.empty()) {
    auto p = in.items.take_parcel();
    auto& d = **p;
    const auto before = d.items.size();
    std::uint64_t bytes = 0;
    for (const auto& x : d.items)
      bytes += x.bytes;
    d.items.resize(pass(d.items));
    dropped_packets_ += before - d.items.size();
    for (auto& x : d.items) {
      x.at += latency;
      bytes -= x.bytes;
    }
    dropped_bytes_ += static_cast<std::int64_t>(bytes);
    o.packets += d.items.size();
    for (const auto& x : d.items)
      o.bytes += x.bytes;
    if (d.items.empty())
      continue;
    d.port = o.peer_port;
    d.promise = later(d.promise, latency);
    d.want = -1;
    if (last) {
      ++this->counts_.parcels;
      out.send(o.peer, std::move(last));
    }
    last = std::move(p);
  }

  const auto promise = later(in.promise, latency);
  const bool answers = o.wanted >= 0 && promise > o.wanted;
  const bool heard = in.heard > o.heard_sent;
  // The upper cell wants to know about signals: what we know, or what the lower cell knows.
  sim_time ask = -1;
  if (in.wanted >= 0 && later(o.promise, in.signal_latency) <= in.wanted) {
    const auto t = std::max(in.wanted - in.signal_latency, o.promise);
    if (o.asked < o.promise || t < o.asked)
      ask = o.asked = t;
  }
  if (answers)
    o.wanted = -1;
  if (!last && !answers && !heard && ask < 0)
    return;
  if (!last)
    last = packet_parcel::make();
  auto& d = **last;
  d.port = o.peer_port;
  d.promise = o.promised = promise;
  d.heard = o.heard_sent = in.heard;
  d.want = ask;
  this->counts_.wants += ask >= 0;
  ++this->counts_.parcels;
  out.send(o.peer, std::move(last));
}

template <class Base>
void relay<Base>::up(transport& out) {
  auto& in = this->inputs_[0];
  auto& o = this->outputs_[0];
  const auto latency = in.signal_latency;

  signal_parcel_ptr last;
  while (!o.items.empty()) {
    auto p = o.items.take_parcel();
    auto& d = **p;
    for (auto& s : d.items)
      s.at += latency;
    d.port = in.peer_port;
    d.promise = later(d.promise, latency);
    d.want = -1;
    if (last) {
      // Allowances and counts of what was taken travel with the last one.
      (*last)->allowed = allowed_sent_;
      (*last)->heard = 0;
      ++this->counts_.parcels;
      out.send(in.peer, std::move(last));
    }
    last = std::move(p);
  }

  const auto promise = later(o.promise, latency);
  const bool answers = in.wanted >= 0 && promise > in.wanted;
  // What was dropped here never reaches the lower cell, so it does not use up the allowance.
  allowance allowed = this->with_lost(in, o.allowed);
  if (allowed.bytes > 0) {
    allowed.bytes += dropped_bytes_;
    allowed.packets += static_cast<std::int64_t>(dropped_packets_);
  }
  const bool granted =
      allowed.bytes > allowed_sent_.bytes || allowed.packets > allowed_sent_.packets;
  const auto taken = o.taken + dropped_packets_ + in.lost_packets;
  const bool acknowledges = taken >= taken_sent_ + this->window_ / 4;
  sim_time ask = -1;
  if (o.wanted >= 0 && later(in.promise, o.packet_latency) <= o.wanted) {
    const auto t = std::max(o.wanted - o.packet_latency, in.promise);
    if (in.asked < in.promise || t < in.asked)
      ask = in.asked = t;
  }
  if (answers || granted)
    in.wanted = -1;
  if (!last && !answers && !granted && !acknowledges && ask < 0)
    return;
  if (!last)
    last = signal_parcel::make();
  auto& d = **last;
  d.port = in.peer_port;
  d.promise = in.promised = promise;
  d.allowed = allowed_sent_ = allowed;
  d.heard = taken_sent_ = taken;
  d.want = ask;
  this->counts_.wants += ask >= 0;
  ++this->counts_.parcels;
  out.send(in.peer, std::move(last));
}

}  // namespace sluice
