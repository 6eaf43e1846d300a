#include "topology/taps.hpp"

#include <fmt/format.h>
#include <pcap/dlt.h>

#include <algorithm>
#include <iterator>

#include "metrics/version.hpp"
#include "traffic/bpf_filter.hpp"
#include "traffic/mac_control.hpp"
#include "traffic/pcapng_writer.hpp"

namespace sluice {

namespace {

constexpr sim_time ps_of_ns = nanosecond;

}  // namespace

struct tap_set::tap {
  tap(const tap_settings& s, const std::string& comment)
      : settings{s},
        filter{s.filter},
        out{s.file, fmt::format("sluice {}", sluice_version), comment} {}
  tap_settings settings;
  bpf_filter filter;
  pcapng_writer out;
  std::vector<watched*> streams;
  std::uint64_t seen = 0, written = 0, number = 0;
};

tap_set::tap_set() = default;

tap_set::~tap_set() {
  {
    const std::lock_guard lock{mutex_};
    over_ = true;
    waiting_.clear();
    changed_.notify_all();
  }
  if (writer_.joinable())
    writer_.join();
}

tap_stream& tap_set::add(const place& p) {
  streams_.push_back(std::make_unique<watched>());
  streams_.back()->where = p;
  return streams_.back()->stream;
}

void tap_set::open(const scenario& s, frame_bytes::config frames,
                   const std::vector<std::uint64_t>& bps) {
  frames_ = std::make_unique<frame_bytes>(std::move(frames));
  for (std::size_t i = 0; i < s.taps.size(); ++i) {
    const auto& settings = s.taps[i];
    auto& t = *taps_.emplace_back(std::make_unique<tap>(
        settings, fmt::format("scenario {}, seed {}; virtual time 0 is {} s after 1970", s.name,
                              s.seed, settings.epoch)));
    t.filter.prepare(DLT_EN10MB);
    (void)t.out.add({settings.on, fmt::format("tap {}", settings.name), settings.filter, bps[i],
                     settings.snap_bytes});
    for (const auto& w : streams_)
      if (w->where.tap == i)
        t.streams.push_back(w.get());
    // Who comes first at one time.
    std::ranges::stable_sort(t.streams, {}, [](const auto* w) {
      return std::pair{!w->where.holder.empty(), w->where.sends};
    });
  }
  writer_ = std::thread{[this] { work(); }};
}

// Takes what was seen by then out of the cells' way, and leaves the rest to the writer.
void tap_set::write(sim_time until) {
  batch all;
  {
    const std::lock_guard lock{mutex_};
    std::ranges::move(used_, std::back_inserter(pool_));
    used_.clear();
  }
  for (const auto& t : taps_)
    for (auto* w : t->streams) {
      if (w->stream.empty())
        continue;
      tap_stream::seen seen;
      w->stream.take(until, seen, pool_);
      all.push_back({w, std::move(seen)});
    }
  if (!all.empty())
    hand_over(std::move(all));
}

void tap_set::hand_over(batch b) {
  constexpr std::size_t most = 2;
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return waiting_.size() < most || failed_; });
  if (failed_)
    std::rethrow_exception(failed_);
  waiting_.push_back(std::move(b));
  changed_.notify_all();
}

void tap_set::work() {
  for (;;) {
    batch b;
    {
      std::unique_lock lock{mutex_};
      busy_ = false;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !waiting_.empty() || over_; });
      if (waiting_.empty())
        return;
      b = std::move(waiting_.front());
      waiting_.pop_front();
      busy_ = true;
      changed_.notify_all();
    }
    std::exception_ptr failed;
    try {
      write(b);
      for (const auto& t : taps_)
        if (t->settings.file == "-")
          t->out.flush();
    } catch (...) {
      failed = std::current_exception();
    }
    const std::lock_guard lock{mutex_};
    for (auto& part : b)
      std::ranges::move(part.what.blocks, std::back_inserter(used_));
    if (failed) {
      failed_ = failed;
      changed_.notify_all();
      return;
    }
  }
}

void tap_set::finish_writing() {
  {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return (waiting_.empty() && !busy_) || failed_; });
    over_ = true;
    changed_.notify_all();
  }
  if (writer_.joinable())
    writer_.join();
}

// Of a stream of packets or of frames.
sim_time tap_set::seen_part::next() const {
  const auto p = packets < what.packets ? what[packets].at : never;
  const auto f = frames < what.frames.size() ? what.frames[frames].at : never;
  return std::min(p, f);
}

// In order of time, each tap for itself; at one time in the order of its streams.
void tap_set::write(batch& b) {
  for (std::size_t begin = 0, end = 0; begin < b.size(); begin = end) {
    const auto number = b[begin].from->where.tap;
    while (end < b.size() && b[end].from->where.tap == number)
      ++end;
    auto& to = *taps_[number];
    for (;;) {
      // Who is first, and how long he stays it.
      seen_part* first = nullptr;
      auto at = never, until = never;
      for (auto k = begin; k < end; ++k)
        if (const auto t = b[k].next(); t < at) {
          until = at;  // those before come first at this time
          first = &b[k];
          at = t;
        } else {
          until = std::min(until, later(t, 1));
        }
      if (first == nullptr)
        break;
      auto& x = *first;
      while (x.next() < until)
        if (x.packets < x.what.packets) {
          if (constexpr std::size_t ahead = 8; x.packets + ahead < x.what.packets)
            frames_->soon(x.what[x.packets + ahead]);
          write(to, *x.from, x.what[x.packets++]);
        } else {
          write(to, *x.from, x.what.frames[x.frames++]);
        }
    }
  }
}

void tap_set::write(tap& to, watched& from, const packet& p) {
  write(to, from, p.at, frames_->of(p, from.seen), {});
}

void tap_set::write(tap& to, watched& from, const tap_stream::control_frame& f) {
  std::uint8_t control[mac_control_bytes];
  auto frame = f.what.frame();
  // A port's own address; whose it is says the interface, or its peer's.
  const std::uint8_t mac[6] = {0x02, 0x02, 0, 0, 0, from.where.sends};
  frame.source = net_address::mac(mac);
  write_mac_control(frame, control);
  write(to, from, f.at, {control, mac_control_bytes}, comment(from, f));
}

void tap_set::write(tap& to, const watched& from, sim_time at, frame_bytes::made m,
                    std::string_view comment) {
  ++to.seen;
  if (!to.filter.everything()) {
    capture_record c;
    c.link_type = DLT_EN10MB;
    c.wire_bytes = m.wire_bytes;
    c.data = m.bytes;
    if (!to.filter.matches(c))
      return;
  }
  ++to.written;
  if (const auto snap = to.settings.snap_bytes; snap != 0 && m.bytes.size() > snap)
    m.bytes = m.bytes.first(snap);
  to.out.write(
      0, to.settings.epoch * 1'000'000'000 + at / ps_of_ns, m.bytes, m.wire_bytes,
      from.where.sends ? pcapng_writer::direction::outbound : pcapng_writer::direction::inbound,
      comment);
}

// "XOFF priority 3: ingress s1:p2 81920 B ≥ 80000 B".
std::string tap_set::comment(watched& from, const tap_stream::control_frame& f) {
  const auto& [at, what, why] = f;
  if (what.what == pause_request::kind::pause)
    return what.quanta != 0 ? fmt::format("PAUSE for {} quanta", what.quanta) : "PAUSE ends";
  std::string text;
  const auto reason = [&](unsigned p, bool stops) -> std::string {
    const auto& r = why[p];
    const auto* than = stops ? "≥" : "≤";
    switch (r.what) {
      case pause_reason::kind::nothing:
        return {};
      case pause_reason::kind::scenario:
        return ": by the scenario";
      case pause_reason::kind::buffer:
        return fmt::format(": ingress {} {} B {} {} B", from.where.holder, r.bytes, than, r.limit);
      case pause_reason::kind::pool:
        return fmt::format(": ingress {} {} B of the shared pool {} {} B", from.where.holder,
                           r.bytes, than, r.limit);
      case pause_reason::kind::head_room:
        return fmt::format(": ingress {} takes {} B of its head-room", from.where.holder, r.bytes);
    }
    return {};
  };
  for (unsigned p = 0; p < max_priorities; ++p) {
    const unsigned bit = 1u << p;
    const auto* join = text.empty() ? "" : "; ";
    if ((what.hold & bit) != 0 && (from.held & bit) != 0)
      text += fmt::format("{}priority {} is held on", join, p);
    else if ((what.hold & bit) != 0)
      text += fmt::format("{}XOFF priority {}{}", join, p, reason(p, true));
    else if ((what.go & bit) != 0)
      text += fmt::format("{}XON priority {}{}", join, p, reason(p, false));
  }
  from.held = (from.held | what.hold) & ~unsigned{what.go};
  return text;
}

void tap_set::close(sim_time end, run_results& r) {
  write(end);
  finish_writing();
  if (failed_)
    std::rethrow_exception(failed_);
  for (const auto& t : taps_) {
    std::uint64_t dropped = 0;
    for (const auto& c : r.components)
      if (c.name == t->settings.on || c.name == t->settings.on + ".in")
        dropped += c.counters.dropped.total().packets;
    t->out.write(0, {t->settings.epoch * 1'000'000'000,
                     t->settings.epoch * 1'000'000'000 + end / ps_of_ns, t->seen, dropped});
    t->out.close();
    r.taps.push_back({t->settings.name, t->settings.on, t->settings.file, t->seen, t->written,
                      t->out.bytes(), dropped});
  }
}

}  // namespace sluice
