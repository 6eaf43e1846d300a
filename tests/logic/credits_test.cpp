// Credits of PCI Express and InfiniBand: what a sender may send, and that its receiver has room.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>

#include "actors/logic/ib_credits.hpp"
#include "actors/logic/ib_grants.hpp"
#include "actors/logic/ib_window.hpp"
#include "actors/logic/pcie_credits.hpp"
#include "traffic/units.hpp"

using namespace sluice;

TEST_CASE("a PCIe sender stops when it has used what was granted, and an update lets it go on") {
  pcie_credit_sender s;
  pcie_credit_receiver r{{{{2, 10}, {1, 1}, {0, 0}}}};
  for (const auto pool : {pcie_pool::posted, pcie_pool::non_posted, pcie_pool::completion})
    s.init(pool, r.initial(pool));
  const auto need = pcie_need(65);  // five times 16 bytes
  CHECK(need == pcie_credits{1, 5});
  CHECK(pcie_need(0) == pcie_credits{1, 0});
  for (int i = 0; i < 2; ++i) {
    CHECK(s.may_send(pcie_pool::posted, need));
    s.send(pcie_pool::posted, need);
    CHECK(r.arrive(pcie_pool::posted, need));
  }
  CHECK_FALSE(s.may_send(pcie_pool::posted, {1, 0}));  // no header left
  CHECK_FALSE(r.arrive(pcie_pool::posted, {1, 0}));
  CHECK(s.may_send(pcie_pool::non_posted, {1, 1}));  // others do not wait for it
  for (int i = 0; i < 10'000; ++i) {                 // infinite
    REQUIRE(s.may_send(pcie_pool::completion, {1, 256}));
    s.send(pcie_pool::completion, {1, 256});
    REQUIRE(r.arrive(pcie_pool::completion, {1, 256}));
  }
  r.leave(pcie_pool::posted, need);
  CHECK_FALSE(s.may_send(pcie_pool::posted, need));
  s.update(pcie_pool::posted, r.limit(pcie_pool::posted));
  CHECK(s.may_send(pcie_pool::posted, need));
  CHECK_FALSE(s.may_send(pcie_pool::posted, {1, 6}));
}

TEST_CASE(
    "PCIe: no order of packets and updates, lost or late, overflows the receiver or loses "
    "credits") {
  std::uint64_t passed = 0;  // over all draws
  const bool ok = rc::check([&] {
    const pcie_credits room{*rc::gen::inRange(1u, 300u), *rc::gen::inRange(64u, 3'000u)};
    pcie_credit_receiver r{{{room, {1, 1}, {1, 1}}}};
    pcie_credit_sender s;
    constexpr auto pool = pcie_pool::posted;
    s.init(pool, r.initial(pool));
    std::deque<pcie_credits> under_way, held;
    std::deque<pcie_credits> updates;
    for (int step = 0; step < 3'000; ++step) {
      const auto need = pcie_need(static_cast<std::uint32_t>(step % 64) * 16);
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
        case 1:
          if (s.may_send(pool, need)) {
            s.send(pool, need);
            under_way.push_back(need);
          }
          break;
        case 2:
          if (!under_way.empty()) {
            RC_ASSERT(r.arrive(pool, under_way.front()));
            held.push_back(under_way.front());
            under_way.pop_front();
          }
          break;
        case 3:
          if (!held.empty()) {
            r.leave(pool, held.front());
            held.pop_front();
            ++passed;
            updates.push_back(r.limit(pool));
          }
          break;
        default:
          if (!updates.empty()) {
            if (*rc::gen::arbitrary<bool>())  // else it is lost
              s.update(pool, updates.front());
            updates.pop_front();
          }
      }
    }
    // When all has passed and one update has come, everything is there again.
    while (!under_way.empty()) {
      RC_ASSERT(r.arrive(pool, under_way.front()));
      held.push_back(under_way.front());
      under_way.pop_front();
    }
    for (const auto& h : held)
      r.leave(pool, h);
    s.update(pool, r.limit(pool));
    RC_ASSERT(r.held(pool) == pcie_credits{});
    const auto all = r.initial(pool);
    RC_ASSERT(s.may_send(pool, all));
    RC_ASSERT(!s.may_send(pool, {all.headers + 1, 0}));
    RC_ASSERT(!s.may_send(pool, {0, all.data + 1}));
  });
  CHECK(ok);
  CHECK(passed > 1'000);
}

TEST_CASE("an InfiniBand sender stops at the limit, also where the counts wrap") {
  ib_credit_receiver r{100};
  ib_credit_sender s;
  CHECK_FALSE(s.may_send(1));  // nothing was granted yet
  s.hear(r.fccl());
  CHECK(ib_blocks(1) == 1);
  CHECK(ib_blocks(64) == 1);
  CHECK(ib_blocks(65) == 2);
  for (int round = 0; round < 1'000; ++round) {  // many times 4,096
    REQUIRE(s.may_send(60));
    s.send(60);
    REQUIRE(r.arrive(60));
    REQUIRE_FALSE(s.may_send(41));
    REQUIRE(s.may_send(40));
    r.leave(60);
    s.hear(r.fccl());
  }
  // A large buffer is announced in parts: no more than half of the count may be under way.
  ib_credit_receiver large{100'000};
  ib_credit_sender t;
  t.hear(large.fccl());
  CHECK(t.may_send(ib_most_credits));
  CHECK_FALSE(t.may_send(ib_most_credits + 1));
}

TEST_CASE("InfiniBand: what is lost on the way comes back with the sender's flow packet") {
  const bool ok = rc::check([] {
    const auto room = *rc::gen::inRange(40u, 3'000u);
    ib_credit_receiver r{room};
    ib_credit_sender s;
    s.hear(r.fccl());
    std::deque<std::uint32_t> held;
    for (int step = 0; step < 500; ++step) {
      const auto blocks = *rc::gen::inRange(1u, 40u);
      if (s.may_send(blocks)) {
        s.send(blocks);
        if (*rc::gen::inRange(0, 4) != 0) {  // else it is lost on the wire
          RC_ASSERT(r.arrive(blocks));
          held.push_back(blocks);
        }
      }
      if (!held.empty() && *rc::gen::arbitrary<bool>()) {
        r.leave(held.front());
        held.pop_front();
      }
      if (*rc::gen::inRange(0, 4) == 0) {
        r.hear(s.fctbs());
        s.hear(r.fccl());
      }
    }
    for (const auto blocks : held)
      r.leave(blocks);
    r.hear(s.fctbs());
    s.hear(r.fccl());
    const auto all = std::min<std::uint32_t>(room, ib_most_credits);
    RC_ASSERT(s.may_send(all));
    RC_ASSERT(!s.may_send(all + 1));
  });
  CHECK(ok);
}

namespace {

// A sender that always has packets, a receiver that passes them on at once, and a loop of `rtt`:
// how many blocks go through in `time`.
std::uint64_t blocks_through(std::uint32_t room, std::uint32_t packet, sim_time block_time,
                             sim_time rtt, sim_time time) {
  ib_credit_receiver r{room};
  ib_credit_sender s;
  s.hear(r.fccl());
  struct event {
    sim_time at;
    std::uint16_t fccl;
  };
  std::deque<event> updates;
  std::uint64_t sent = 0;
  for (sim_time now = 0; now < time;) {
    while (!updates.empty() && updates.front().at <= now) {
      s.hear(updates.front().fccl);
      updates.pop_front();
    }
    if (!s.may_send(packet)) {
      if (updates.empty())
        break;
      now = updates.front().at;
      continue;
    }
    s.send(packet);
    sent += packet;
    now += packet * block_time;
    r.arrive(packet);
    r.leave(packet);
    updates.push_back({now + rtt, r.fccl()});
  }
  return sent;
}

}  // namespace

TEST_CASE("a credit loop carries the line, or its credits once a round trip") {
  constexpr sim_time block_time = 20'480;  // 64 bytes at 25 Gbit/s
  constexpr std::uint32_t packet = 24;     // 1,536 bytes
  constexpr sim_time rtt = 5 * microsecond, time = 20 * millisecond;
  const double line = static_cast<double>(time) / block_time;
  for (const std::uint32_t room : {24u, 48u, 120u, 240u, 268u, 292u, 480u, 2'000u}) {
    const auto measured = static_cast<double>(blocks_through(room, packet, block_time, rtt, time));
    // Whole packets are granted, and one is on the line while the others go round.
    const auto packets = room / packet;
    const double loop = static_cast<double>(packet * packets) * static_cast<double>(time)
                        / static_cast<double>(rtt + packet * block_time);
    CAPTURE(room);
    CHECK(measured == doctest::Approx(std::min(line, loop)).epsilon(0.01));
  }
}

TEST_CASE("InfiniBand: the credit limit of a port is what the specification's counters say") {
  const bool ok = rc::check([] {
    const auto room = *rc::gen::inRange(24u, 2049u);
    ib_grants::config c;
    c.lanes = 1;
    c.granted[0] = static_cast<std::uint16_t>(room);
    c.update = *rc::gen::inRange<sim_time>(1, 2'000);
    ib_grants grants{c};
    ib_credit_receiver textbook{room};
    ib_credit_sender sender;
    sender.hear(textbook.fccl());
    std::deque<std::uint32_t> held;
    sim_time t = 1;
    for (int step = 0; step < 500; ++step) {
      t += *rc::gen::inRange<sim_time>(0, 700);
      // What is said at a look is what the counters were then: before anything of that time leaves.
      grants.look(t, [&](const pause_request& r) {
        RC_ASSERT(r.at % c.update == 0);
        RC_ASSERT(r.at <= t);
        RC_ASSERT(r.hold == 1);
        RC_ASSERT(r.quanta == textbook.fccl());
        sender.hear(r.quanta);
      });
      const auto bytes = *rc::gen::inRange(1u, 1'515u);
      if (sender.may_send(ib_blocks(bytes))) {
        sender.send(ib_blocks(bytes));
        RC_ASSERT(textbook.arrive(ib_blocks(bytes)));
        held.push_back(bytes);
      }
      if (!held.empty() && *rc::gen::inRange(0, 2) == 0) {
        textbook.leave(ib_blocks(held.front()));
        grants.leave(0, held.front(), t);
        held.pop_front();
      }
    }
  });
  CHECK(ok);
}

TEST_CASE("InfiniBand: what a cable loses comes back after an exchange that gets through") {
  struct outage {
    sim_time from, to;
  };
  ib_window::config c;
  c.lanes = 2;
  c.granted[1] = 48;
  c.cable = 100;
  c.refresh = 1'000;
  c.answer = 50;
  ib_window w{c};
  CHECK_FALSE(w.lacks(0, 9'000));  // lane 0 has no credits, and needs none
  w.send(1, 1'514);
  w.send(1, 1'514);
  CHECK(w.lacks(1, 64));
  w.wait(1, 64, 700);
  // Both are lost; the flow packet at 1000 is in the second outage, that of 2000 gets through.
  const std::vector<outage> down{{500, 600}, {1'010, 1'400}};
  w.lose(1, 1'514, 550, down);
  CHECK(w.recovers() == 2'000 + 2 * 100 + 50);
  w.recover(2'249);
  CHECK(w.lacks(1, 64));
  w.recover(2'250);
  CHECK_FALSE(w.lacks(1, 1'514));
  CHECK(w.lacks(1, 1'600));  // the other one's are not back
  CHECK(w.resumed(1) == 2'250);
  CHECK(w.of(1, 5'000).waits == 1);
  CHECK(w.of(1, 5'000).waited == 2'250 - 700);
  // What the receiver says counts from the start; what was recovered comes on top.
  pause_request r;
  r.at = 3'000;
  r.hold = 2;
  r.quanta = 48 + 24;
  r.what = pause_request::kind::credit;
  w.hear(r);
  CHECK_FALSE(w.lacks(1, 3'000));
  CHECK(w.lacks(1, 48 * 64 + 1));
}
