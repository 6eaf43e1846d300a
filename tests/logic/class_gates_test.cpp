#include "actors/logic/class_gates.hpp"

#include <doctest/doctest.h>

#include <rapidcheck.h>

#include "actors/logic/pause_requests.hpp"
#include "actors/logic/pcie_window.hpp"
#include "actors/logic/sender_bound.hpp"

using namespace sluice;

TEST_CASE("classes with a gate of their own stop by themselves, the rest share what is left") {
  class_gates::config c;
  c.shared.capacity = {3000};
  c.add(3, {.capacity = {5000}, .stops = true, .stop = {2000}, .start = {1000}});
  c.add(5, {.capacity = {4000}, .stops = true, .stop = {3000}, .start = {500}});
  CHECK(c.stops());
  CHECK(c.stopping_classes() == (1 << 3 | 1 << 5));
  CHECK(c.least_stop().bytes == 2000);

  class_gates gates{c};
  CHECK_FALSE(gates.arrive(3, 1500));
  CHECK_FALSE(gates.arrive(5, 1500));
  CHECK_FALSE(gates.arrive(0, 1500));
  CHECK(gates.bytes() == 4500);
  CHECK(gates.slack_bytes() == 499);
  CHECK(gates.arrive(3, 1500));
  CHECK(gates.of(3).stopping());
  CHECK_FALSE(gates.of(5).stopping());
  CHECK(gates.stopping());
  CHECK(gates.fits(3, 2000));
  CHECK_FALSE(gates.fits(3, 2001));
  CHECK(gates.fits(7, 1500));  // with class 0
  CHECK_FALSE(gates.fits(7, 1501));
  CHECK_FALSE(gates.release(5, 1500));
  CHECK_FALSE(gates.release(3, 1500));
  CHECK(gates.release(3, 1500));
  CHECK(gates.bytes() == 1500);
  CHECK(gates.max_bytes() == 6000);
  CHECK(gates.max_packets() == 4);
}

TEST_CASE("without classes of its own it is the one gate") {
  class_gates gates{{.shared = {.capacity = {9000}, .stops = true, .stop = {3000}, .start = {1000}},
                     .parts = {}}};
  CHECK_FALSE(gates.arrive(1, 1500));
  CHECK(gates.arrive(6, 1500));
  CHECK(gates.max_bytes() == 3000);
  CHECK(gates.release(2, 3000));
}

TEST_CASE("a request says what is held, a refresh says it again, and numbers count on") {
  pause_requests r{{.quanta = 100, .refresh = 50}};
  CHECK(r.refresh_at() == never);
  const auto first = r.hold(3, 1000);
  CHECK(first.hold == 1 << 3);
  CHECK(first.go == 0);
  CHECK(first.at == 1000);
  const auto second = r.hold(4, 1010);
  CHECK(second.hold == (1 << 3 | 1 << 4));
  CHECK(r.refresh_at() == 1060);  // any frame refreshes all
  const auto again = r.refresh();
  CHECK(again.at == 1060);
  CHECK(again.hold == second.hold);
  const auto go = r.let_go(3, 1070);
  CHECK(go.hold == 1 << 4);
  CHECK(go.go == 1 << 3);
  CHECK(go.number == 4);
  const auto frame = go.frame();
  CHECK(frame.classes == (1 << 3 | 1 << 4));
  CHECK(frame.quanta[3] == 0);
  CHECK(frame.quanta[4] == 100);
  CHECK(r.let_go(4, 1080).hold == 0);
  CHECK(r.refresh_at() == never);
}

TEST_CASE("a frame over PCI Express takes a header a transaction and whole units of data") {
  const pcie_window w{{.pool = pcie_pool::posted, .granted = {64, 1024}, .max_payload = 256}};
  CHECK(w.need(1) == pcie_credits{1, 1});
  CHECK(w.need(256) == pcie_credits{1, 16});
  CHECK(w.need(257) == pcie_credits{2, 17});
  CHECK(w.need(1500) == pcie_credits{6, 94});
  const pcie_window few{{.pool = pcie_pool::posted, .granted = {2, 0}, .max_payload = 256}};
  CHECK(few.need(1500) == pcie_credits{2, 94});  // all the headers there are; data are infinite
}

TEST_CASE("over any sequence of frames a window holds no more than was granted") {
  rc::check([] {
    pcie_window::config c;
    c.granted = {*rc::gen::inRange(1u, 129u), *rc::gen::inRange(1u, 2049u)};
    c.max_payload = *rc::gen::element(128u, 256u, 512u);
    pcie_window w{c};
    std::vector<std::uint32_t> there;
    std::uint32_t headers = 0, data = 0;
    for (int i = 0; i < 3000; ++i) {
      const auto bytes = *rc::gen::inRange(60u, 9000u);
      if (w.fits(bytes)) {
        w.send(bytes);
        there.push_back(bytes);
        headers += w.need(bytes).headers;
        data += w.need(bytes).data;
      } else {
        RC_ASSERT(!there.empty());  // alone everything fits
        headers -= w.need(there.front()).headers;
        data -= w.need(there.front()).data;
        w.returned(there.front());
        there.erase(there.begin());
      }
      RC_ASSERT(headers <= c.granted.headers);
      RC_ASSERT(data <= c.granted.data);
    }
  });
}

TEST_CASE("no line drains faster than the bound says") {
  const line_rate rate{10'000'000'000};
  rc::check([&] {
    const auto largest = *rc::gen::inRange(100u, 9000u);
    sim_time t = 0;  // of the first departure
    std::int64_t gone = 0;
    for (int i = 0; i < 200; ++i) {
      const auto bytes = *rc::gen::inRange(60u, largest + 1);
      gone += bytes;  // as its transmission starts
      RC_ASSERT(least_drain(rate, gone, largest) <= t);
      t += rate.time_of(bytes);
    }
  });
}
