// The MAC that sends PFC frames, apart from any queue: what goes into a frame, and what is lost.
#include "actors/queue/pause_sender.hpp"

#include <doctest/doctest.h>

using namespace sluice;

TEST_CASE("what was asked for while the line was busy goes into one frame, as things are then") {
  pause_requests wants{{.quanta = 100, .refresh = never}};
  pause_sender s{{.cable = 500, .response = 30}};
  s.ask(wants.hold(3, 10));
  s.ask(wants.hold(4, 20));
  s.ask(wants.let_go(3, 30));
  s.ask(wants.hold(5, 90));
  CHECK(s.first() == 10);
  const auto sent = s.send(60, 127);
  CHECK(sent.frame.hold == 1 << 4);
  CHECK(sent.frame.go == 1 << 3);
  CHECK(sent.frame.number == 3);
  CHECK(sent.at == 127 + 500 + 30);
  CHECK_FALSE(sent.lost);
  CHECK(s.first() == 90);
  CHECK(s.counts().frames == 1);
  CHECK(s.counts().priorities[3].frames == 1);
  CHECK(s.counts().priorities[3].quanta == 0);
  CHECK(s.counts().priorities[4].quanta == 100);
}

TEST_CASE("a frame that is on the cable when it goes down is lost") {
  pause_requests wants{{.quanta = 100, .refresh = never}};
  pause_sender s{{.outages = {{1000, 2000}}, .cable = 500}};
  s.ask(wants.hold(3, 10));
  s.ask(wants.let_go(3, 600));
  s.ask(wants.hold(3, 2000));
  CHECK_FALSE(s.send(10, 77).lost);
  CHECK(s.send(600, 667).lost);
  CHECK_FALSE(s.send(2000, 2067).lost);
  CHECK(s.counts().lost == 1);
}

TEST_CASE("injected frames come at their times, and answer nothing that was asked") {
  pause_requests wants{{.quanta = 100, .refresh = never}};
  pause_request what;
  what.at = 100;
  what.hold = 1 << 6;
  what.quanta = 7;
  pause_sender s{{.injected = {{what, 50, 210}}}};
  s.ask(wants.hold(3, 120));
  CHECK(s.send(100, 101).frame.hold == 1 << 6);
  const auto asked = s.send(120, 121).frame;
  CHECK(asked.hold == 1 << 3);
  CHECK(asked.number == 1);
  // Other quanta make another frame.
  s.ask(wants.hold(4, 140));
  CHECK(s.send(150, 151).frame.hold == (1 << 3 | 1 << 4));
  const auto injected = s.send(151, 152).frame;
  CHECK(injected.hold == 1 << 6);
  CHECK(injected.number == 2);
  CHECK(s.first() == 200);
  s.send(200, 201);
  CHECK(s.first() == never);
}

TEST_CASE("a tap sees of each class why the last that was asked for is in the frame") {
  pause_requests wants{{.quanta = 100, .refresh = 1000}};
  pause_request injected;
  injected.at = 25;
  injected.hold = 1 << 6;
  injected.quanta = 100;
  tap_stream here, there;
  pause_sender s{{.injected = {{injected, never, never}},
                  .outages = {{1100, 2000}},
                  .cable = 500,
                  .tapped = {&here},
                  .peer_tapped = {&there}}};
  const auto ask = [&](pause_request r, unsigned c, std::int64_t bytes, std::int64_t limit) {
    r.why = {pause_reason::kind::buffer, static_cast<std::uint8_t>(c), bytes, limit};
    s.ask(r);
  };
  ask(wants.hold(3, 10), 3, 900, 800);
  ask(wants.hold(4, 20), 4, 850, 800);
  ask(wants.let_go(3, 30), 3, 400, 450);
  s.send(60, 127);
  s.ask(wants.refresh());
  s.send(1030, 1097);  // lost on the cable
  tap_stream::seen a, b;
  std::vector<tap_stream::block> pool;
  here.take(never, a, pool);
  there.take(never, b, pool);
  REQUIRE(a.frames.size() == 2);
  REQUIRE(b.frames.size() == 1);
  CHECK(a.frames[0].at == 127);
  CHECK(b.frames[0].at == 627);
  for (const auto* x : {&a, &b}) {
    const auto& why = x->frames[0].why;
    CHECK(why[3].bytes == 400);
    CHECK(why[3].limit == 450);
    CHECK(why[4].bytes == 850);
    CHECK(why[6].what == pause_reason::kind::scenario);
    CHECK(why[5].what == pause_reason::kind::nothing);
  }
  for (const auto& why : a.frames[1].why)
    CHECK(why.what == pause_reason::kind::nothing);
}

TEST_CASE("a request survives the ways it travels") {
  constexpr std::int64_t much = 5'000'000'000;
  const pause_request r{123,
                        0x18,
                        0x40,
                        65'535,
                        40'000,
                        pause_request::kind::pause,
                        {pause_reason::kind::pool, 6, much + 1, much}};
  const auto p = from_packet(to_packet(r));
  const auto s = from_signal(to_signal(r, 456));
  for (const auto* x : {&p, &s}) {
    CHECK(x->hold == r.hold);
    CHECK(x->go == r.go);
    CHECK(x->quanta == r.quanta);
    CHECK(x->number == r.number);
    CHECK(x->what == pause_request::kind::pause);
  }
  CHECK(p.at == 123);
  CHECK(s.at == 456);
  CHECK(p.why.what == r.why.what);
  CHECK(p.why.priority == 6);
  CHECK(p.why.bytes == much + 1);
  CHECK(p.why.limit == much);
}
