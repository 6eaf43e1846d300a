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

}  // namespace

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
