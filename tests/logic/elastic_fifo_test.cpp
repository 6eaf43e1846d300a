// The router of US 7,751,400 as logic: buffers and queues, and who gets a connection's resources.
#include "actors/logic/elastic_fifo.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>

#include "actors/logic/connection_allocator.hpp"
#include "traffic/random.hpp"

using namespace sluice;

namespace {

elastic_fifo::config small(unsigned connections, std::uint32_t least, std::uint32_t most) {
  elastic_fifo::config c;
  c.normal = {{256, least, most, 2}, {1536, least, most, 2}};
  c.indirect = {16, least, most, 2};
  c.special_types = 2;
  c.connections = connections;
  c.header_bytes = 32;
  c.queue_bytes = 24;
  return c;
}

packet frame(std::uint64_t id, std::uint32_t bytes = 100) {
  packet p;
  p.id = id;
  p.bytes = bytes;
  return p;
}

}  // namespace

TEST_CASE("a packet takes the smallest buffer that it fits, a larger one if there is no other") {
  elastic_fifo f{small(1, 1, 1)};
  CHECK(f.footprint() == 256 + 32 + 1536 + 32 + 16 + 24);
  const auto first = f.obtain(256);
  REQUIRE(first);
  CHECK(f.normal_pool(0).free == 0);
  const auto second = f.obtain(100);
  REQUIRE(second);
  CHECK(f.normal_pool(1).free == 0);
  CHECK_FALSE(f.obtain(60));
  f.submit(*first, frame(1), 0);
  f.submit(*second, frame(2), 0);
  CHECK(f.check().empty());
  CHECK(f.take(0).id == 1);
  CHECK_FALSE(f.obtain(257));
  CHECK(f.take(0).id == 2);
  CHECK(f.front(0) == nullptr);
  CHECK(f.check().empty());
}

TEST_CASE("indirect buffers point at one normal buffer, which goes with the last of them") {
  elastic_fifo f{small(3, 4, 4)};
  f.submit_special(*f.obtain(1000), frame(7, 1000), 1);
  CHECK(f.waiting_special(1) == 1);
  const std::uint32_t all[] = {0, 1, 2};
  REQUIRE(f.fan_out(1, all));
  CHECK(f.special(1) == nullptr);
  CHECK(f.normal_pool(1).free == 3);
  CHECK(f.indirect_pool().free == 1);
  CHECK(f.check().empty());
  // Another one does not find enough of them, and stays where it is.
  f.submit_special(*f.obtain(60), frame(8), 1);
  CHECK_FALSE(f.fan_out(1, all));
  CHECK(f.special(1)->id == 8);
  for (const auto c : {1u, 0u}) {
    CHECK(f.take(c).id == 7);
    CHECK(f.normal_pool(1).free == 3);  // still in use
    CHECK(f.check().empty());
  }
  CHECK(f.take(2).id == 7);
  CHECK(f.normal_pool(1).free == 4);
  CHECK(f.indirect_pool().free == 4);
  CHECK(f.fan_out(1, all));
  CHECK(f.check().empty());
}

TEST_CASE("a packet that is assigned is not copied, and keeps its buffer") {
  elastic_fifo f{small(2, 1, 1)};
  f.submit_special(*f.obtain(100), frame(3), 0);
  f.assign(0, 1);
  CHECK(f.front(1)->id == 3);
  CHECK(f.indirect_pool().free == 1);
  CHECK(f.check().empty());
  CHECK(f.take(1).id == 3);
  f.submit_special(*f.obtain(100), frame(4), 0);
  CHECK(f.discard(0).id == 4);
  CHECK(f.normal_pool(0).free == 1);
  CHECK(f.check().empty());
}

TEST_CASE("the footprint follows a burst up and down again, within its limits") {
  elastic_fifo f{small(1, 4, 64)};
  const auto before = f.footprint();
  for (std::uint64_t i = 0; i < 64; ++i)
    f.submit(f.obtain(1500).value(), frame(i, 1500), 0);
  CHECK_FALSE(f.obtain(1500));
  CHECK(f.normal_pool(1).total == 64);
  CHECK(f.footprint() == before + 60 * (1536 + 32));
  for (std::uint64_t i = 0; i < 64; ++i)
    CHECK(f.take(0).id == i);
  CHECK(f.normal_pool(1).total >= 4);
  CHECK(f.normal_pool(1).total <= 6);  // a step to spare
  CHECK(f.most_footprint() == before + 60 * (1536 + 32));
  CHECK(f.footprint() <= before + 2 * (1536 + 32));
  CHECK(f.check().empty());
}

TEST_CASE("connections come and go, and their queues with them") {
  elastic_fifo f{small(2, 1, 1)};
  const auto before = f.footprint();
  CHECK(f.add_connection() == 2);
  CHECK(f.footprint() == before + 24);
  f.remove_connection(1);
  CHECK(f.connections() == 2);
  CHECK(f.footprint() == before);
  CHECK(f.add_connection() == 1);
  CHECK(f.check().empty());
}

TEST_CASE("broadcast to 2,000 hosts: one normal buffer, 2,000 indirect ones, memory as predicted") {
  auto c = small(2000, 0, 4000);
  elastic_fifo f{c};
  const auto before = f.footprint();
  CHECK(before == 2000 * 24);
  f.submit_special(f.obtain(1500).value(), frame(1, 1500), 0);
  std::vector<std::uint32_t> all(2000);
  std::iota(all.begin(), all.end(), 0u);
  REQUIRE(f.fan_out(0, all));
  CHECK(f.indirect_pool().total == 2000);
  CHECK(f.normal_pool(1).total - f.normal_pool(1).free == 1);
  CHECK(f.footprint() == before + 2 * (1536 + 32) + 2000 * 16);
  CHECK(f.check().empty());
  for (unsigned i = 0; i < 2000; ++i)
    CHECK(f.take(i).id == 1);
  CHECK(f.check().empty());
  CHECK(f.footprint() <= before + 2 * (1536 + 32) + 2 * 16 + (256 + 32) * 2);
}

TEST_CASE("a refused packet holds back its connection until all that were refused have been sent") {
  connection_allocator a{{{1000, 2}, {1000, 2}}};
  CHECK(a.direct(0, 400));
  CHECK(a.direct(0, 400));
  CHECK_FALSE(a.direct(0, 100));  // no descriptor
  CHECK(a.held_back(0));
  CHECK(a.direct(1, 400));  // another's shortage
  a.post(0, 400);
  CHECK(a.available(0, 100));
  CHECK_FALSE(a.direct(0, 100));  // the local engine's now
  a.stored(0, 100);
  CHECK_FALSE(a.available(0, 100));
  CHECK_FALSE(a.give_back(0, 1));  // one is still on its way to the queue
  a.post(0, 400);
  a.stored(0, 100);
  CHECK(a.give_back(0, 2));
  CHECK_FALSE(a.held_back(0));
  a.post(0, 100);
  CHECK(a.direct(0, 100));
  a.hold_back(1);  // the assist engine has assigned a packet to it
  CHECK_FALSE(a.direct(1, 100));
}

TEST_CASE("a packet that is larger than all the memory goes alone") {
  connection_allocator a{{{1000, 4}}};
  CHECK(a.direct(0, 1500));
  CHECK_FALSE(a.direct(0, 60));
}

namespace {

// The whole router, one step at a time in any order: what each engine may do next is drawn. Its
// packets have the number of their arrival, so order can be seen.
class router {
public:
  explicit router(random_stream& r) : r_{r} {
    connections_ = static_cast<unsigned>(1 + r.below(12));
    std::vector<buffer_limit> posted;
    for (unsigned c = 0; c < connections_; ++c)
      posted.push_back({static_cast<std::int64_t>(60 + r.below(6000)),
                        static_cast<std::int64_t>(1 + r.below(4))});
    allocator_.emplace(posted);
    elastic_fifo::config f;
    const auto least = static_cast<std::uint32_t>(r.below(6));
    const auto most = least + static_cast<std::uint32_t>(1 + r.below(40));
    const auto step = static_cast<std::uint32_t>(1 + r.below(5));
    f.normal = {{256, least, most, step}, {1536, least, most, step}};
    f.indirect = {16, least, std::max(most, connections_), step};
    f.special_types = 3;  // one destination; several; all
    f.connections = connections_;
    fifo_.emplace(f);
    memory_.resize(connections_);
    last_.resize(connections_);
    came_.resize(connections_);
  }

  void step() {
    switch (r_.below(6)) {
      case 0:
        return arrive();
      case 1:
        return store();
      case 2:
        return assist();
      case 3:
      case 4:
        return local();
      default:
        return consume();
    }
  }
  void check() {
    REQUIRE(fifo_->check() == "");
    std::uint64_t inside = 0;
    for (const auto& m : memory_)
      inside += m.size();
    for (unsigned c = 0; c < connections_; ++c)
      inside += fifo_->waiting(c);
    for (unsigned t = 0; t < 3; ++t)
      inside += fifo_->waiting_special(t);
    REQUIRE(made_ + copied_ == inside + under_way_.size() + dropped_ + consumed_);
  }
  void empty() {
    for (int i = 0; i < 100'000 && made_ + copied_ != dropped_ + consumed_; ++i) {
      store();
      assist();
      local();
      consume();
    }
    CHECK(made_ + copied_ == dropped_ + consumed_);
    CHECK(fifo_->check() == "");
    for (unsigned c = 0; c < connections_; ++c) {
      local_gives_back(c);
      CHECK_FALSE(allocator_->held_back(c));
    }
  }
  std::uint64_t stored = 0, specials = 0;
  std::uint64_t dropped() const { return dropped_; }

private:
  static constexpr std::uint8_t refused = 1;

  void arrive() {
    auto p = frame(++made_, static_cast<std::uint32_t>(60 + r_.below(1455)));
    p.to = static_cast<std::uint32_t>(r_.below(connections_));
    if (r_.below(4) == 0) {
      p.socket = static_cast<std::uint8_t>(1 + r_.below(3));  // special
      ++specials;
      under_way_.push_back(p);
    } else if (allocator_->direct(p.to, p.bytes)) {
      send(p.to, p);
    } else {
      p.ecn = refused;
      under_way_.push_back(p);
    }
  }
  void store() {
    if (under_way_.empty())
      return;
    const auto p = under_way_.front();
    under_way_.pop_front();
    ++stored;
    const auto buffer = fifo_->obtain(p.bytes);
    if (!buffer) {
      ++dropped_;
      if (p.ecn == refused)
        ++came_[p.to];  // it will not come, so nobody has to wait for it
      return local_gives_back(p.to);
    }
    if (p.socket != 0)
      fifo_->submit_special(*buffer, p, p.socket - 1u);
    else
      fifo_->submit(*buffer, p, p.to);
  }
  void assist() {
    const auto type = static_cast<unsigned>(r_.below(3));
    const auto* p = fifo_->special(type);
    if (p == nullptr)
      return;
    if (type == 0) {
      allocator_->hold_back(p->to);
      fifo_->assign(type, p->to);
      return;
    }
    std::vector<std::uint32_t> to;
    for (std::uint32_t c = 0; c < connections_; ++c)
      if (type == 2 || c == p->to || r_.below(2) == 0)
        to.push_back(c);
    if (!fifo_->fan_out(type, to))
      return;
    copied_ += to.size() - 1;
    for (const auto c : to)
      allocator_->hold_back(c);
  }
  void local() {
    const auto c = static_cast<unsigned>(r_.below(connections_));
    const auto* p = fifo_->front(c);
    if (p == nullptr)
      return local_gives_back(c);
    REQUIRE(allocator_->held_back(c));
    if (!allocator_->available(c, p->bytes))
      return;
    const auto taken = fifo_->take(c);
    allocator_->stored(c, taken.bytes);
    if (taken.ecn == refused)
      ++came_[c];
    send(c, taken);
  }
  void local_gives_back(unsigned c) {
    if (allocator_->held_back(c) && fifo_->waiting(c) == 0)
      allocator_->give_back(c, came_[c]);
  }
  void send(unsigned c, const packet& p) {
    // In the order of arrival, of those whose connection the parser has found.
    if (p.socket == 0) {
      REQUIRE(p.id > last_[c]);
      last_[c] = p.id;
    }
    memory_[c].push_back(p);
  }
  void consume() {
    const auto c = static_cast<unsigned>(r_.below(connections_));
    if (memory_[c].empty())
      return;
    allocator_->post(c, memory_[c].front().bytes);
    memory_[c].pop_front();
    ++consumed_;
  }

  random_stream& r_;
  unsigned connections_ = 0;
  std::optional<connection_allocator> allocator_;
  std::optional<elastic_fifo> fifo_;
  std::deque<packet> under_way_;  // to the store engine
  std::vector<std::deque<packet>> memory_;
  std::vector<std::uint64_t> last_, came_;
  std::uint64_t made_ = 0, copied_ = 0, dropped_ = 0, consumed_ = 0;
};

}  // namespace

TEST_CASE("whatever the engines do in whatever order, each connection's packets stay in theirs") {
  std::uint64_t stored = 0, specials = 0, dropped = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    random_stream r{seed, "router"};
    router x{r};
    for (int i = 0; i < 300; ++i) {
      x.step();
      x.check();
    }
    x.empty();
    stored += x.stored;
    specials += x.specials;
    dropped += x.dropped();
  }
  CHECK(stored > 50'000);
  CHECK(specials > 20'000);
  CHECK(dropped > 1'000);
}
