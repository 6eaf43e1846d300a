#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <queue>

#include "actors/logic/buffer_credits.hpp"
#include "actors/logic/credit_builder.hpp"
#include "actors/logic/credit_reader.hpp"
#include "traffic/random.hpp"

using namespace sluice;

namespace {

using sizes = std::vector<std::uint32_t>;
using trigger = credit_builder::trigger;
using arrival = credit_builder::arrival;

sizes take(credit_builder& b, sim_time now) {
  sizes list;
  b.take(list, now);
  return list;
}

// A sender and a receiver with their delays, event by event.
class connection {
public:
  struct settings {
    credit_builder::config builder;
    sim_time data_delay = microsecond, list_delay = microsecond, post_delay = 0;
    line_rate line{10'000'000'000};
    unsigned buffers = 16;
    std::uint32_t least = 100, most = 2000;  // sizes of buffers
    sim_time work = 0;                       // of the application, for each
    std::uint64_t seed = 1;
    bool in_band = true;
  };
  struct result {
    std::uint64_t made = 0, delivered = 0, packets = 0, lists = 0;
    sim_time end = 0, stalled = 0;
    std::string wrong;
    std::uint64_t told = 0, used = 0, waste = 0;
    std::size_t held = 0, most_outstanding = 0;
  };

  explicit connection(const settings& s)
      : set_{s}, builder_{s.builder}, reader_{s.builder.lists}, lot_{s.seed, "sizes"} {
    for (unsigned i = 0; i < s.buffers; ++i)
      builder_.post(size(), 0);
  }
  void send(sim_time at, std::uint64_t bytes) {
    events_[at].push_back({kind::request, bytes, {}});
    result_.made += bytes;
  }

  result run() {
    look(0);
    while (!events_.empty() && result_.wrong.empty()) {
      const auto [at, all] = *events_.begin();
      events_.erase(events_.begin());
      for (const auto& e : all)
        handle(at, e);
      look(at);
    }
    result_.lists = builder_.lists();
    result_.told = builder_.credits();
    result_.used = reader_.used();
    result_.held = reader_.size();
    result_.waste = reader_.wasted_bytes();
    result_.most_outstanding = builder_.most_outstanding();
    if (builder_.wasted_bytes() != reader_.wasted_bytes())
      result_.wrong = "sender and receiver count waste differently";
    return result_;
  }

private:
  enum class kind { request, packet, list, posted, wake, reposted, check };
  struct event {
    kind what;
    std::uint64_t bytes = 0, remaining = 0;
    sizes list = {};
  };

  std::uint32_t size() {
    return set_.least + static_cast<std::uint32_t>(lot_.below(set_.most - set_.least + 1));
  }

  void handle(sim_time at, const event& e) {
    switch (e.what) {
      case kind::request:
        to_send_ += e.bytes;
        break;
      case kind::packet: {
        const auto a = builder_.arrive(static_cast<std::uint32_t>(e.bytes), at,
                                       set_.in_band ? e.remaining : credit_builder::unknown);
        if (a != arrival::filled) {
          result_.wrong = a == arrival::no_buffer ? "no buffer" : "buffer too small";
          return;
        }
        result_.delivered += e.bytes;
        result_.end = at;
        if (const auto& c = set_.builder; c.limit_bps != 0) {
          trip_ = std::max({trip_, c.round_trip, builder_.round_trip()});
          const auto seconds = static_cast<double>(at + 2 * trip_) / 1e12;
          const auto ahead = std::max<std::int64_t>(c.burst_bytes, set_.most);
          if (static_cast<double>(result_.delivered)
              > static_cast<double>(c.limit_bps) / 8 * seconds + static_cast<double>(ahead) + 1)
            result_.wrong = "faster than its limit";
        }
        worked_ = std::max(worked_, at) + set_.work;
        events_[worked_].push_back({kind::reposted});
        break;
      }
      case kind::list:
        if (!reader_.receive(e.list))
          result_.wrong = "no buffer for a credit list";
        events_[at + set_.post_delay].push_back({kind::posted});
        break;
      case kind::posted:
        reader_.post();
        break;
      case kind::reposted:
        builder_.post(size(), at);
        break;
      default:
        break;
    }
    transmit(at);
  }

  void transmit(sim_time at) {
    if (to_send_ != 0 && at >= free_ && reader_.empty() && stalled_ < 0)
      stalled_ = at;
    while (to_send_ != 0 && !reader_.empty() && at >= free_) {
      if (stalled_ >= 0)
        result_.stalled += at - stalled_;
      stalled_ = -1;
      const auto bytes = reader_.use(to_send_);
      to_send_ -= bytes;
      ++result_.packets;
      free_ = at + set_.line.time_of(bytes);
      events_[free_ + set_.data_delay].push_back({kind::packet, bytes, to_send_});
      events_[free_].push_back({kind::wake});
    }
  }

  void look(sim_time at) {
    const auto due = builder_.due(at);
    if (due <= at) {
      sizes list;
      builder_.take(list, at);
      if (list.empty() || list.size() > set_.builder.most)
        result_.wrong = "a list of a wrong length";
      events_[at + set_.list_delay].push_back({kind::list, 0, 0, list});
    } else if (due < never && to_send_ + (result_.made - result_.delivered) != 0) {
      events_[due].push_back({kind::check});
    }
  }

  settings set_;
  credit_builder builder_;
  credit_reader reader_;
  random_stream lot_;
  std::map<sim_time, std::vector<event>> events_;
  std::uint64_t to_send_ = 0;
  sim_time free_ = 0, worked_ = 0, stalled_ = -1, trip_ = 0;
  result result_;
};

connection::settings random_settings() {
  connection::settings s;
  auto& c = s.builder;
  c.when = *rc::gen::element(trigger::first, trigger::middle, trigger::last, trigger::adaptive,
                             trigger::timed, trigger::predictive, trigger::switching);
  c.most = *rc::gen::inRange(1u, 40u);
  c.first_list = *rc::gen::inRange(1u, 40u);
  c.lists = *rc::gen::inRange(1u, 4u);
  c.round_trip = *rc::gen::inRange<sim_time>(0, 100 * microsecond);
  s.data_delay = *rc::gen::inRange<sim_time>(1, 200 * microsecond);
  s.list_delay = *rc::gen::inRange<sim_time>(1, 200 * microsecond);
  s.post_delay = *rc::gen::inRange<sim_time>(0, 5 * microsecond);
  s.line =
      line_rate{*rc::gen::element<std::uint64_t>(1'000'000'000, 10'000'000'000, 100'000'000'000)};
  s.buffers = *rc::gen::inRange(1u, 60u);
  s.least = *rc::gen::inRange(1u, 1000u);
  s.most = s.least + *rc::gen::inRange(0u, 5000u);
  s.work = *rc::gen::inRange<sim_time>(0, 10 * microsecond);
  s.seed = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  s.in_band = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 4) == 0) {
    c.limit_bps = *rc::gen::inRange<std::uint64_t>(100'000'000, 20'000'000'000);
    c.burst_bytes = *rc::gen::inRange<std::int64_t>(0, 20'000);
  }
  return s;
}

}  // namespace

// Each row as the document tells it: what the receiver has and knows, what goes over the link, what
// the sender has and does. 72 bytes are to be sent.
TEST_CASE("the example of FIG. 8, row by row") {
  credit_builder receiver{{.when = trigger::first}};
  credit_reader sender;
  std::uint64_t data = 72;
  sim_time t = 0;

  // R1: buffers of 3 and 7 bytes; the sender has no credits. A list of both goes.
  receiver.post(3, t);
  receiver.post(7, t);
  CHECK(sender.empty());
  REQUIRE(receiver.due(++t) <= t);
  const auto a = take(receiver, t);
  CHECK(a == sizes{3, 7});
  CHECK(receiver.rtrip() == 0);  // the buffer of 3
  CHECK(receiver.next() == -1);

  // R2: the sender has the list, and posts a descriptor for the first three bytes.
  REQUIRE(sender.receive(a));
  CHECK(sender.empty());  // not before there is another buffer for a list
  sender.post();
  CHECK(sender.size() == 2);
  CHECK(sender.use(data) == 3);
  data -= 3;
  CHECK(data == 69);

  // R3: three bytes are on the link; the sender goes on with seven. A buffer of 22 is posted.
  CHECK(sender.size() == 1);
  CHECK(sender.use(data) == 7);
  data -= 7;
  receiver.post(22, t);
  CHECK(receiver.next() == 2);  // the buffer of 22
  CHECK(receiver.due(++t) == never);

  // R4: the sender has no credits. The first packet fills the buffer of 3; one of 44 is posted.
  CHECK(sender.empty());
  receiver.post(44, t);
  CHECK(receiver.arrive(3, ++t, 69) == arrival::filled);
  CHECK(receiver.buffers() == sizes{7, 22, 44});
  CHECK(receiver.rtrip() == -1);

  // R5: a list of 22 and 44 goes. The second packet fills the buffer of 7.
  REQUIRE(receiver.due(t) <= t);
  const auto b = take(receiver, t);
  CHECK(b == sizes{22, 44});
  CHECK(receiver.rtrip() == 1);
  CHECK(receiver.next() == -1);
  CHECK(receiver.arrive(7, ++t, 62) == arrival::filled);

  // R6: 22 and 44 are left; the sender has them, and sends 22.
  CHECK(receiver.buffers() == sizes{22, 44});
  CHECK(receiver.rtrip() == 0);
  REQUIRE(sender.receive(b));
  sender.post();
  CHECK(sender.size() == 2);
  CHECK(sender.use(data) == 22);
  data -= 22;

  // R7: the sender goes on with the 40 that remain. A buffer of 11 is posted.
  CHECK(sender.size() == 1);
  CHECK(data == 40);
  CHECK(sender.use(data) == 40);
  CHECK(sender.wasted_bytes() == 4);  // of 44: allowed, and not efficient
  data -= 40;
  receiver.post(11, t);
  CHECK(receiver.next() == 2);

  // R8: the third packet fills the buffer of 22. Everything has been sent.
  CHECK(receiver.arrive(22, ++t, 40) == arrival::filled);
  CHECK(sender.empty());
  CHECK(data == 0);

  // R9: the last packet fills the buffer of 44. No list is on its way: Rtrip is NULL.
  CHECK(receiver.arrive(40, ++t, 0) == arrival::filled);
  CHECK(receiver.buffers() == sizes{11});
  CHECK(receiver.rtrip() == -1);
  CHECK(receiver.next() == 0);
  CHECK(receiver.filled() == 4);
  CHECK(receiver.wasted_bytes() == sender.wasted_bytes());
  CHECK(sender.posted() == 1);
}

TEST_CASE("which buffer lets the next list go") {
  const auto fills = [](trigger when) {
    credit_builder b{{.when = when, .most = 5}};
    for (int i = 0; i < 10; ++i)
      b.post(100, 0);
    CHECK(take(b, 0).size() == 5);
    int n = 0;
    while (b.due(n) > n) {
      CHECK(b.arrive(100, ++n) == arrival::filled);
      REQUIRE(n <= 5);
    }
    return n;
  };
  CHECK(fills(trigger::first) == 1);
  CHECK(fills(trigger::middle) == 3);
  CHECK(fills(trigger::last) == 5);
}

TEST_CASE("the adaptive trigger leaves credits for a round trip") {
  // 32 buffers a list, one used each 2 us. The first one is used after 12 us, which counts as a
  // round trip: six on their way, and two.
  credit_builder b{{.when = trigger::adaptive, .most = 32, .round_trip = 10 * microsecond}};
  for (int i = 0; i < 200; ++i)
    b.post(100, 0);
  (void)take(b, 0);
  sim_time t = 10 * microsecond;
  for (int list = 0; list < 3; ++list) {
    int filled = 0;
    while (b.due(t) > t) {
      t += 2 * microsecond;
      CHECK(b.arrive(100, t) == arrival::filled);
      ++filled;
      REQUIRE(filled < 200);
    }
    if (list > 0)
      CHECK(b.outstanding() == 8);
    (void)take(b, t);
  }
}

TEST_CASE("a predictive filter learns a pattern that the mean does not know") {
  use_filter f;
  // Long, short, short, short: of the last four the fourth tells.
  sim_time worst = 0;
  for (int i = 0; i < 4000; ++i) {
    const sim_time x = i % 4 == 0 ? 40 * microsecond : microsecond;
    if (i > 3900)
      worst = std::max(worst, f.next() > x ? f.next() - x : x - f.next());
    f.add(x);
  }
  CHECK(worst < microsecond);
  CHECK(f.sum_of(4) > 42 * microsecond);
  CHECK(f.sum_of(4) < 44 * microsecond);
}

TEST_CASE("the mode is switched on what remains, unless the rate varies too much") {
  const auto switched = [](bool steady) {
    credit_builder b{{.when = trigger::switching, .most = 8, .round_trip = microsecond}};
    sim_time t = 0;
    for (int i = 0; i < 400; ++i)
      b.post(100, 0);
    for (int i = 0; i < 200; ++i) {
      if (b.due(t) <= t)
        (void)take(b, t);
      // Much slower than the round trip: an eager receiver tells more often than it has to.
      t += i == 0 ? microsecond : steady || i % 4 == 0 ? 100 * microsecond : microsecond / 10;
      REQUIRE(b.arrive(100, t, 1'000'000) == arrival::filled);
    }
    return b.switches();
  };
  CHECK(switched(true) == 1);
  CHECK(switched(false) == 0);
}

TEST_CASE("a sender without buffers for it breaks the connection, as with VIA") {
  credit_builder b{{}};
  CHECK(b.arrive(10, 1) == arrival::no_buffer);
  b.post(100, 0);
  CHECK(b.arrive(101, 2) == arrival::too_small);
  CHECK(b.arrive(100, 3) == arrival::filled);
  credit_reader r{1};
  CHECK(r.receive(sizes{1}));
  CHECK_FALSE(r.receive(sizes{1}));
}

TEST_CASE("never more data than credits, never a list without buffer, everything arrives") {
  const auto ok = rc::check([] {
    const auto s = random_settings();
    connection c{s};
    sim_time t = 0;
    const auto requests = *rc::gen::inRange(1, 40);
    for (int i = 0; i < requests; ++i) {
      c.send(t, *rc::gen::inRange<std::uint64_t>(1, 20'000));
      t += *rc::gen::inRange<sim_time>(0, 300 * microsecond);
    }
    const auto r = c.run();
    RC_ASSERT(r.wrong == "");
    RC_ASSERT(r.delivered == r.made);
    RC_ASSERT(r.used == r.packets);
    RC_ASSERT(r.told == r.used + r.held);
  });
  CHECK(ok);
}

TEST_CASE(
    "a queue's lists do not depend on which side is known first, and never promise a full buffer") {
  const auto ok = rc::check([] {
    buffer_credits::config c;
    c.buffers = *rc::gen::inRange(1u, 20u);
    c.lists.when = static_cast<trigger>(*rc::gen::inRange(0, 7));
    c.lists.most = *rc::gen::inRange(1u, c.buffers + 1);
    c.lists.first_list = c.lists.most;
    c.lists.lists = *rc::gen::inRange(1u, 4u);
    // A sender that uses its credits at once or after a while, and a queue that is emptied in
    // order.
    random_stream lot{*rc::gen::inRange<std::uint64_t>(0, 1'000'000), "times"};
    const auto some = [&](std::uint64_t most) {
      return static_cast<sim_time>(1 + lot.below(most));
    };
    const auto pace = lot.below(40) + 1, drain = lot.below(40) + 1;
    using told = std::vector<std::pair<sim_time, std::uint32_t>>;
    struct event {
      sim_time at;
      bool arrival;
      std::uint32_t bytes;
    };
    std::vector<event> all;
    // All is known as soon as it has happened.
    told lists;
    buffer_credits whole{c};
    std::uint64_t credits = whole.initial();
    std::uint64_t arrived = 0;
    std::queue<event> held;
    sim_time sends = 0, leaves = 0;
    while (all.size() < 200) {
      const auto sent = arrived < credits ? sends : never;
      const auto departs = held.empty() ? never : std::max(leaves, held.front().at + 1);
      const auto next = std::min(sent, departs);
      const auto before = lists.size();
      whole.look(next, next, [&](sim_time at, std::uint32_t bytes) {
        lists.push_back({at, bytes});
        ++credits;
        sends = std::max(sends, at + 1);
      });
      if (lists.size() != before)
        continue;
      RC_ASSERT(next < never);
      if (sent <= departs) {
        all.push_back({sent, true, static_cast<std::uint32_t>(100 + all.size())});
        held.push(all.back());
        RC_ASSERT(held.size() <= c.buffers);
        whole.arrive(all.back().bytes, sent);
        ++arrived;
        sends = sent + some(pace);
      } else {
        all.push_back({departs, false, held.front().bytes});
        held.pop();
        whole.leave(all.back().bytes, departs);
        leaves = departs + some(drain);
      }
    }
    // The same, each side known up to another time.
    told apart;
    buffer_credits parts{c};
    std::size_t a = 0, d = 0;
    const auto end = all.back().at + 1;
    for (sim_time known_a = 0, known_d = 0; known_a < end || known_d < end;) {
      (lot.below(2) == 0 ? known_a : known_d) += some(200);
      known_a = std::min(known_a, end);
      known_d = std::min(known_d, end);
      for (; a < all.size() && all[a].at < known_a; ++a)
        if (all[a].arrival)
          parts.arrive(all[a].bytes, all[a].at);
      for (; d < all.size() && all[d].at < known_d; ++d)
        if (!all[d].arrival)
          parts.leave(all[d].bytes, all[d].at);
      parts.look(known_a, known_d, [&](sim_time at, std::uint32_t bytes) {
        apart.push_back({at, bytes});
      });
    }
    whole.look(end, end, [&](sim_time at, std::uint32_t bytes) { lists.push_back({at, bytes}); });
    RC_ASSERT(apart == lists);
    RC_ASSERT(parts.builder().outstanding() <= c.buffers);
  });
  CHECK(ok);
}

TEST_CASE("by a rate fewer lists are sent, for nearly the same throughput") {
  // What limits it is the line, which takes 1.2 us for a packet, or the application.
  for (const bool by_line : {true, false})
    for (const unsigned most : {64u, 32u}) {
      CAPTURE(by_line);
      CAPTURE(most);
      const auto with = [&](trigger when) {
        connection::settings s;
        s.builder.when = when;
        s.builder.most = most;
        s.buffers = 64;
        s.least = s.most = 1500;
        s.data_delay = s.list_delay = 5 * microsecond;
        s.work = by_line ? microsecond : 1300 * nanosecond;
        connection c{s};
        c.send(0, 15'000'000);
        auto r = c.run();
        CHECK(r.wrong == "");
        CHECK(r.delivered == 15'000'000);
        return r;
      };
      const auto first = with(trigger::first), last = with(trigger::last);
      CHECK(last.lists < first.lists);
      CHECK(static_cast<double>(last.end) > 1.04 * 13e9 * (by_line ? 0.92 : 1));
      for (const auto when : {trigger::adaptive, trigger::timed, trigger::predictive}) {
        CAPTURE(static_cast<int>(when));
        const auto r = with(when);
        CHECK(static_cast<double>(r.end) < 1.005 * static_cast<double>(first.end));
        // A list has so many credits at most, so there are at least 157 or 313 of them.
        if (by_line)
          CHECK(r.lists <= (most == 64 ? 200 : first.lists));
        else
          CHECK(r.lists * 3 < first.lists);
      }
    }
}

TEST_CASE("a limit is held to two percent, with one client, ten and a hundred") {
  for (const unsigned clients : {1u, 10u, 100u}) {
    // Each by itself: the server gives each a connection.
    for (unsigned k = 0; k < clients; ++k) {
      connection::settings s;
      s.builder.when = trigger::adaptive;
      s.builder.limit_bps = 1'000'000'000 / clients + 7'000'000 * k;
      s.builder.burst_bytes = 8'000;
      s.seed = k + 1;
      connection c{s};
      c.send(0, 4'000'000);
      const auto r = c.run();
      CHECK(r.wrong == "");
      const auto bps = 8.0 * 4'000'000 / (static_cast<double>(r.end) / 1e12);
      CHECK(bps == doctest::Approx(static_cast<double>(s.builder.limit_bps)).epsilon(0.02));
    }
  }
}
