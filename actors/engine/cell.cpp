#include "actors/engine/cell.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {

namespace {

/// Whether a question for `need` has to be asked: not if the answer is known, nor if one that is
/// at most as far-reaching is still open (asking for more than unblocks something can deadlock).
bool must_ask(sim_time need, sim_time promise, sim_time asked) {
  if (need == never || promise > need)
    return false;
  const bool open = asked >= promise;
  return !open || need < asked;
}

}  // namespace

void join(cell& upper, cell& lower, sim_time down, sim_time up, passage* through) {
  cell::output o;
  o.peer = lower.index_;
  o.neighbour = &lower;
  o.peer_port = static_cast<port_index>(lower.inputs_.size());
  o.packet_latency = down;
  o.signal_latency = up;
  cell::input i;
  i.peer = upper.index_;
  i.neighbour = &upper;
  i.peer_port = static_cast<port_index>(upper.outputs_.size());
  i.packet_latency = down;
  i.signal_latency = up;
  i.through = through;
  upper.outputs_.push_back(std::move(o));
  lower.inputs_.push_back(std::move(i));
}

void cell::window(std::uint64_t packets) {
  // Who holds packets back needs room for that.
  window_ = patient_ ? std::max<std::uint64_t>(packets, 512) : packets;
  full_parcel_ = std::clamp<std::uint64_t>(window_ / 4, 8, 128);
}

void cell::see_windows() {
  for (auto& i : inputs_)
    i.many = i.neighbour->window() / 2;
}

void cell::take(packet_parcel_ptr p, transport& out) {
  auto& d = **p;
  auto& in = inputs_[d.port];
  if (d.want >= 0)
    in.wanted = d.want;
  if (d.heard > in.heard)
    in.heard = d.heard;
  const bool broken = !d.items.empty() && d.items.front().at < in.promise;
  if (broken && !failed_) {
    failed_ = true;
    out.fail(fmt::format("{}: input {}: {} sent a packet for {} ps after promising {} ps", name_,
                         d.port, in.neighbour->name(), d.items.front().at, in.promise));
  }
  list_input(d.port);
  if (d.promise > in.promise)
    in.promise = d.promise;
  if (in.through != nullptr && !d.items.empty()) {
    const auto [kept, lost_bytes] = in.through->pass(d.items);
    in.lost_packets += d.items.size() - kept;
    in.lost_bytes += lost_bytes;
    in.consumed += d.items.size() - kept;
    d.items.resize(kept);
  }
  if (!d.items.empty()) {
    counts_.items += d.items.size();
    const auto port = d.port;
    in.items.push(std::move(p));
    arrived(port);
  }
}

void cell::take(signal_parcel_ptr p, transport& out) {
  auto& d = **p;
  auto& o = outputs_[d.port];
  if (d.want >= 0)
    o.wanted = d.want;
  if (d.heard > o.taken)
    o.taken = d.heard;
  if (!d.items.empty() && d.items.front().at < o.promise && !failed_) {
    failed_ = true;
    out.fail(fmt::format("{}: output {}: {} sent a signal for {} ps after promising {} ps", name_,
                         d.port, o.neighbour->name(), d.items.front().at, o.promise));
  }
  if (d.allowed.stated()) {
    if ((d.allowed.bytes < o.allowed.bytes || d.allowed.packets < o.allowed.packets) && !failed_) {
      failed_ = true;
      out.fail(fmt::format("{}: output {}: {} made an allowance smaller", name_, d.port,
                           o.neighbour->name()));
    }
    if (d.allowed.bytes > o.allowed.bytes || d.allowed.packets > o.allowed.packets)
      o.asked = -1;  // a larger allowance answers, too
    o.allowed = d.allowed;
  }
  // `o.allowed` is what was granted when the last of these signals was sent, or less.
  if (!d.items.empty() && d.items.back().what == signal::kind::stop && o.allowed.stated()
      && o.bytes <= o.allowed.bytes && o.packets <= static_cast<std::uint64_t>(o.allowed.packets)
      && d.items.back().at < o.allowed.until && !failed_) {
    failed_ = true;
    out.fail(fmt::format("{}: output {}: {} sent a stop for {} ps inside an allowance of {} bytes",
                         name_, d.port, o.neighbour->name(), d.items.back().at, o.allowed.bytes));
  }
  list_output(d.port);
  if (d.promise > o.promise)
    o.promise = d.promise;
  if (!d.items.empty())
    o.items.push(std::move(p));
}

void cell::step(transport& out) {
  ++counts_.activations;
  if (failed_)
    return;
  out_ = &out;
  advance();

  // First decide what is sent, which can add needs; then send, so that wants ride along.
  for (std::size_t k = 0; k < listed_inputs_.size(); ++k)
    finish_input(listed_inputs_[k]);
  for (std::size_t k = 0; k < listed_outputs_.size(); ++k)
    finish_output(listed_outputs_[k]);
  // `finish` may have listed more ports, but only for their needs.
  for (auto i : listed_inputs_)
    send_input(i, out);
  for (auto o : listed_outputs_)
    send_output(o, out);

  // Ports that somebody still waits for stay listed.
  std::size_t kept = 0;
  for (auto i : listed_inputs_) {
    inputs_[i].listed = inputs_[i].wanted >= 0;
    if (inputs_[i].listed)
      listed_inputs_[kept++] = i;
  }
  listed_inputs_.resize(kept);
  kept = 0;
  for (auto o : listed_outputs_) {
    outputs_[o].listed = outputs_[o].wanted >= 0;
    if (outputs_[o].listed)
      listed_outputs_[kept++] = o;
  }
  listed_outputs_.resize(kept);
  letting_go_ = false;
  out_ = nullptr;
}

bool cell::let_go() {
  for (port_index o = 0; o < outputs_.size(); ++o)
    if (outputs_[o].open) {
      list_output(o);
      letting_go_ = true;
    }
  return letting_go_;
}

bool cell::worth_sending(const input& in) const {
  return in.urgent || in.open_bytes >= worth_bytes_
         || static_cast<std::int64_t>((*in.open)->items.size()) >= worth_signals_;
}

void cell::finish_input(port_index i) {
  auto& in = inputs_[i];
  // Whoever waits for us gets whatever there is if we need it to go on, or if no more will come.
  const bool waited_for = in.wanted >= 0;
  const bool eager = waited_for && (in.need != never || !expects_more(i));
  const bool granted = grant(i, eager) || in.lost_packets != in.lost_said;
  in.sending = granted || (in.open && (waited_for || worth_sending(in)))
               || in.consumed - in.acknowledged >= in.many;
  if (waited_for) {
    if (in.promised > in.wanted) {
      in.wanted = -1;  // the answer crossed the question
    } else if (granted || (eager && earliest_signal(i) > in.wanted)) {
      in.sending = true;
      in.wanted = -1;
    } else {
      explain_signal(i, in.wanted);
    }
  }
  if (in.sending)
    in.promised = std::max(in.promised, earliest_signal(i));
}

void cell::finish_output(port_index o) {
  auto& out = outputs_[o];
  out.sending = out.open && (!out.patient || out.wanted >= 0 || letting_go_);
  if (out.wanted >= 0) {
    if (out.promised > out.wanted && out.heard == out.heard_sent) {
      out.wanted = -1;
    } else {
      const auto p = earliest_packet(o);
      if (p > out.wanted || out.heard > out.heard_sent) {
        out.sending = true;
        if (p > out.wanted)
          out.wanted = -1;
      }
      if (p <= out.wanted)
        explain_packet(o, out.wanted);
    }
  }
  if (out.sending)
    out.promised = std::max(out.promised, earliest_packet(o));
}

void cell::send_input(port_index i, transport& out) {
  auto& in = inputs_[i];
  const bool ask = must_ask(in.need, in.promise, in.asked);
  if (in.sending || ask) {
    if (!in.open)
      in.open = signal_parcel::make();
    auto& d = **in.open;
    d.port = in.peer_port;
    d.promise = in.promised;
    d.allowed = with_lost(in, in.allowed);
    in.lost_said = in.lost_packets;
    d.heard = in.acknowledged = in.consumed;
    if (ask) {
      d.want = in.asked = in.need;
      ++counts_.wants;
    }
    ++counts_.parcels;
    out.send(in.peer, std::move(in.open));
  }
  in.need = never;
  in.sending = false;
}

void cell::send_output(port_index o, transport& out) {
  auto& x = outputs_[o];
  const bool ask = must_ask(x.need, x.promise, x.asked);
  if (x.sending || ask) {
    if (!x.open)
      x.open = packet_parcel::make();
    auto& d = **x.open;
    d.port = x.peer_port;
    d.promise = x.promised;
    d.heard = x.heard_sent = x.heard;
    if (ask) {
      d.want = x.asked = x.need;
      ++counts_.wants;
    }
    ++counts_.parcels;
    out.send(x.peer, std::move(x.open));
  }
  x.need = never;
  x.sending = false;
}

void cell::assume(sim_time t) {
  for (port_index i = 0; i < inputs_.size(); ++i) {
    inputs_[i].promise = std::max(inputs_[i].promise, later(t, inputs_[i].packet_latency));
    list_input(i);
  }
  for (port_index o = 0; o < outputs_.size(); ++o) {
    auto& out = outputs_[o];
    auto bound = later(t, out.signal_latency);
    // All is quiet, so the neighbour may be looked at. What it holds back is still to come.
    const auto& open = out.neighbour->inputs_[out.peer_port].open;
    if (open && !(*open)->items.empty())
      bound = std::min(bound, (*open)->items.front().at);
    out.promise = std::max(out.promise, bound);
    list_output(o);
  }
}

void cell::retract(sim_time t) {
  // A question that such a promise has answered is open again.
  const auto forget = [&](auto& port) {
    if (port.promise > t) {
      port.promise = t;
      port.asked = -1;
    }
    port.promised = std::min(port.promised, t);
  };
  for (auto& in : inputs_)
    forget(in);
  for (auto& out : outputs_)
    forget(out);
}

std::string cell::describe() const {
  std::string text = fmt::format("{}: next event {} ps, limit {} ps", name_, next_event(), limit_);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto& in = inputs_[i];
    text += fmt::format("\n  input {}: {} packets", i, in.items.size());
    if (!in.items.empty())
      text += fmt::format(" from {} ps", in.items.front().at);
    text += fmt::format(", promise {} ps, asked {} ps, is wanted {} ps", in.promise, in.asked,
                        in.wanted);
  }
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const auto& x = outputs_[o];
    text += fmt::format("\n  output {}: {} signals", o, x.items.size());
    if (!x.items.empty())
      text += fmt::format(" from {} ps", x.items.front().at);
    text += fmt::format(
        ", promise {} ps, allowance {} B of {} B used, {} of {} packets taken, asked {} ps, is "
        "wanted {} ps",
        x.promise, x.bytes, x.allowed.bytes, x.taken, x.packets, x.asked, x.wanted);
  }
  return text;
}

void cell::fail(std::string what) {
  if (!failed_) {
    failed_ = true;
    out_->fail(name_ + ": " + std::move(what));
  }
}

// In the middle of an activation all that can be promised is the order of the items.
void cell::send_full_output(port_index o) {
  auto& x = outputs_[o];
  auto& d = **x.open;
  d.port = x.peer_port;
  d.promise = x.promised = std::max(x.promised, d.items.back().at);
  d.heard = x.heard_sent;
  ++counts_.parcels;
  out_->send(x.peer, std::move(x.open));
}

void cell::send_full_input(port_index i) {
  auto& in = inputs_[i];
  auto& d = **in.open;
  d.port = in.peer_port;
  d.promise = in.promised = std::max(in.promised, d.items.back().at);
  d.heard = in.acknowledged;
  d.allowed = with_lost(in, in.allowed);
  ++counts_.parcels;
  out_->send(in.peer, std::move(in.open));
}

void cell::open_output(port_index o) {
  outputs_[o].open = packet_parcel::make();
  list_output(o);
}

void cell::open_input(port_index i) {
  inputs_[i].open = signal_parcel::make();
  inputs_[i].open_bytes = 0;
  list_input(i);
}

}  // namespace sluice
