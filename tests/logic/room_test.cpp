#include "actors/logic/room.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "traffic/random.hpp"

using namespace sluice;

TEST_CASE("a sender sleeps from its stop threshold on, and wakes at its start threshold") {
  room::config c;
  c.checked = true;
  c.stop.bytes = 1000;
  c.start.bytes = 400;
  room r{c};
  CHECK_FALSE(r.full(1514));
  r.send(999);
  CHECK_FALSE(r.full(1514));
  r.send(1);
  CHECK(r.full(1514));
  CHECK_FALSE(r.wakes(1514));
  r.taken_out(599);
  CHECK_FALSE(r.full(1514));   // for who did not sleep there is room...
  CHECK_FALSE(r.wakes(1514));  // ...who sleeps, sleeps on
  r.taken_out(1);
  CHECK(r.wakes(1514));
}

TEST_CASE("either measure is enough to sleep, both are needed to wake") {
  room::config c;
  c.checked = true;
  c.stop = {1000, 2};
  c.start = {500, 0};
  room r{c};
  r.send(10);
  r.send(10);
  CHECK(r.full(1514));
  r.taken_out(10);
  CHECK_FALSE(r.wakes(1514));
  r.taken_out(10);
  CHECK(r.wakes(1514));
}

TEST_CASE("without a look there is always room") {
  room r;
  for (int i = 0; i < 1000; ++i)
    r.send(100'000);
  CHECK_FALSE(r.checked());
  CHECK_FALSE(r.full(1514));
}

TEST_CASE("with stop one frame below the capacity a queue never holds more than its capacity") {
  random_stream random{7, "room"};
  for (int round = 0; round < 200; ++round) {
    const auto frame = static_cast<std::int64_t>(60 + random.below(1455));
    const auto capacity = frame + static_cast<std::int64_t>(random.below(20'000));
    room::config c;
    c.checked = true;
    c.stop.bytes = capacity - frame + 1;
    c.start.bytes =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(c.stop.bytes)));
    room r{c};
    std::deque<std::int64_t> queue;
    std::int64_t held = 0, most = 0;
    bool asleep = false;
    for (int step = 0; step < 500; ++step) {
      if (random.below(2) == 0 && !queue.empty()) {
        r.taken_out(queue.front());
        held -= queue.front();
        queue.pop_front();
        if (asleep && r.wakes(1514))
          asleep = false;
      }
      if (!asleep && r.full(1514))
        asleep = true;
      if (!asleep) {
        const auto size =
            static_cast<std::int64_t>(1 + random.below(static_cast<std::uint64_t>(frame)));
        r.send(size);
        queue.push_back(size);
        held += size;
        most = std::max(most, held);
      }
      CHECK(r.bytes() == held);
    }
    CHECK(most <= capacity);
  }
}
