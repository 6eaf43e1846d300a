#include "actors/engine/cell.hpp"

#include <doctest/doctest.h>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include "actors/engine/executor.hpp"
#include "actors/engine/ring.hpp"

using namespace sluice;

namespace {

// Sends packets at the given times, and promises whatever it is told to promise.
class talker final : public cell {
public:
  talker(std::vector<sim_time> at, sim_time lie) : cell{"talker"}, at_{std::move(at)}, lie_{lie} {}
  sim_time next_event() const override { return next_ < at_.size() ? at_[next_] : never; }

protected:
  void advance() override {
    // One packet an activation, so that promises in between matter.
    if (next_ < at_.size() && at_[next_] <= limit_) {
      packet p;
      p.bytes = 100;
      p.at = at_[next_++] + outputs_[0].packet_latency;
      emit(0, p);
    }
  }
  sim_time earliest_packet(port_index) override { return later(next_event(), lie_ + 1); }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

private:
  std::vector<sim_time> at_;
  std::size_t next_ = 0;
  sim_time lie_;
};

class listener final : public cell {
public:
  listener() : cell{"listener"} {}
  sim_time next_event() const override {
    return inputs_[0].items.empty() ? never : inputs_[0].items.front().at;
  }
  std::vector<sim_time> seen;

protected:
  void advance() override {
    while (!inputs_[0].items.empty() && inputs_[0].items.front().at <= limit_) {
      seen.push_back(inputs_[0].items.front().at);
      pop_packet(0);
    }
  }
  sim_time earliest_packet(port_index) override { return never; }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}
};

// A cell that always has something at time 5 and can never handle it.
class stuck final : public cell {
public:
  stuck() : cell{"stuck"} {}
  sim_time next_event() const override { return 5; }

protected:
  void advance() override {}
  sim_time earliest_packet(port_index) override { return 0; }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return 0; }
  void explain_signal(port_index, sim_time) override {}
};

// Sends as many packets as it may, one each picosecond.
class source final : public cell {
public:
  explicit source(sim_time count) : cell{"source"}, count_{count} {}
  sim_time next_event() const override { return next_ < count_ ? next_ : never; }

protected:
  void advance() override {
    for (; next_ < count_ && next_ <= limit_ && window_open(outputs_[0]); ++next_) {
      packet p;
      p.at = next_ + outputs_[0].packet_latency;
      emit(0, p);
    }
  }
  sim_time earliest_packet(port_index o) override {
    return later(next_event(), outputs_[o].packet_latency);
  }
  void explain_packet(port_index, sim_time) override {}
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}

private:
  sim_time next_ = 0, count_;
};

// Passes packets on, as many as it may.
class middle final : public cell {
public:
  middle() : cell{"middle"} {}
  sim_time next_event() const override {
    return inputs_[0].items.empty() ? never : inputs_[0].items.front().at;
  }

protected:
  void advance() override {
    auto& in = inputs_[0];
    while (!in.items.empty() && in.items.front().at <= limit_ && window_open(outputs_[0])) {
      auto p = in.items.front();
      pop_packet(0);
      p.at += outputs_[0].packet_latency;
      emit(0, p);
    }
  }
  sim_time earliest_packet(port_index o) override {
    const auto& in = inputs_[0];
    return later(in.items.empty() ? in.promise : in.items.front().at, outputs_[o].packet_latency);
  }
  void explain_packet(port_index o, sim_time beyond) override {
    need_packets(0, beyond - outputs_[o].packet_latency);
  }
  sim_time earliest_signal(port_index) override { return never; }
  void explain_signal(port_index, sim_time) override {}
};

}  // namespace

TEST_CASE("what is taken in an activation in which nothing comes is acknowledged, too") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    source s{1000};
    middle a, b;
    listener l;
    cell* all[] = {&s, &a, &b, &l};
    for (cell_index i = 0; i < 4; ++i) {
      all[i]->index(i);
      // The one in the middle can take more than it can pass on at once.
      all[i]->window(i == 0 ? 128 : 16);
    }
    join(s, a, 1, 1);
    join(a, b, 1, 1);
    join(b, l, 1, 1);
    auto run = make_random_executor({&s, &a, &b, &l}, seed);
    run->run_until(2000);
    CHECK(l.seen.size() == 1000);
    CHECK(run->totals().recoveries == 0);
  }
}

TEST_CASE("packets that nobody waits for go in bunches, and all by the end of a slice") {
  for (const bool patient : {false, true}) {
    source s{1000};
    middle m;
    listener l;
    s.index(0);
    m.index(1);
    l.index(2);
    s.window(8);
    join(s, m, 1, 1);
    join(m, l, 1, 1);
    if (patient)
      m.hold_back_packets(0);
    m.window(512);
    auto run = make_random_executor({&s, &m, &l}, 1);
    run->run_until(499);
    CHECK(l.seen.size() == 498);
    CHECK(l.seen.back() == 499);
    run->run_until(2000);
    CHECK(l.seen.size() == 1000);
    CHECK(run->totals().recoveries == 0);
    if (patient)
      CHECK(l.counts().activations < 20);
    else
      CHECK(l.counts().activations > 50);
  }
}

TEST_CASE("a ring keeps its order while it grows and wraps") {
  ring<int> r;
  int in = 0, out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i <= round; ++i)
      r.push(in++);
    for (int i = 0; i < round && !r.empty(); ++i) {
      CHECK(r.front() == out++);
      r.pop();
    }
    CHECK(r.size() == static_cast<std::size_t>(in - out));
    CHECK(r.back() == in - 1);
    CHECK(r[0] == out);
  }
}

TEST_CASE("a limit is inclusive, and a later one goes on where the run stood") {
  talker t{{10, 20, 30}, 0};
  listener l;
  t.index(0);
  l.index(1);
  join(t, l, 5, 5);
  auto run = make_random_executor({&t, &l}, 1);
  run->run_until(25);
  CHECK(l.seen == std::vector<sim_time>{15, 25});
  run->run_until(34);
  CHECK(l.seen.size() == 2);
  run->run_until(35);
  CHECK(l.seen == std::vector<sim_time>{15, 25, 35});
  CHECK(run->next_event() == never);
}

TEST_CASE("a broken promise fails the run and names the cells") {
  for (const bool caf : {false, true}) {
    talker liar{{10, 20, 30}, 50};  // promises 50 ps more than it can keep
    listener l;
    liar.index(0);
    l.index(1);
    join(liar, l, 1, 1);
    auto run = caf ? make_caf_executor({&liar, &l}, 2) : make_random_executor({&liar, &l}, 1);
    std::string what;
    try {
      run->run_until(1000);
    } catch (const engine_error& e) {
      what = e.what();
    }
    CAPTURE(what);
    CHECK(what.find("listener") != std::string::npos);
    CHECK(what.find("talker") != std::string::npos);
    CHECK(what.find("promising") != std::string::npos);
  }
}

TEST_CASE("a run without progress ends with a table of who waits") {
  stuck s;
  s.index(0);
  auto run = make_random_executor({&s}, 1);
  std::string what;
  try {
    run->run_until(10);
  } catch (const engine_error& e) {
    what = e.what();
  }
  CHECK(what.find("no progress at 5 ps") != std::string::npos);
  CHECK(what.find("stuck") != std::string::npos);
}

TEST_CASE("the value of a parcel survives serialisation") {
  parcel_data<packet> before;
  before.port = 3;
  before.promise = 12345;
  before.want = 77;
  before.heard = 9;
  before.allowed = {1000, 10, never};
  packet p;
  p.at = 42;
  p.due = 41;
  p.id = 7;
  p.frame = frame_ref{2, 1234567};
  p.bytes = 1500;
  p.priority = 5;
  p.egress = 11;
  before.items = {p, p};
  std::vector<char> bytes;
  caf::binary_serializer out{nullptr, bytes};
  REQUIRE_FALSE(out(before));
  parcel_data<packet> after;
  caf::binary_deserializer in{nullptr, bytes};
  REQUIRE_FALSE(in(after));
  CHECK(after.port == 3);
  CHECK(after.promise == 12345);
  CHECK(after.want == 77);
  CHECK(after.heard == 9);
  CHECK(after.allowed.bytes == 1000);
  REQUIRE(after.items.size() == 2);
  CHECK(after.items[1].frame.capture() == 2);
  CHECK(after.items[1].frame.offset() == 1234567);
  CHECK(after.items[1].bytes == 1500);
  CHECK(after.items[1].priority == 5);
  CHECK(after.items[1].egress == 11);
}
