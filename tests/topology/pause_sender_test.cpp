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

TEST_CASE("a request survives the ways it travels") {
  const pause_request r{123, 0x18, 0x40, 65'535, 40'000, pause_request::kind::pause};
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
}
