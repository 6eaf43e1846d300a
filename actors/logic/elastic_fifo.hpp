/// \file
/// The elastic FIFO of an Ethernet virtualization router: buffers for packets that cannot go
/// straight to the memory of their virtual host, and the queues on which they wait.
///
///     named queues                                numbered queues, one a connection
///       free buffers of 256 B:  □ □ □ ...           0:
///       free buffers of 1.5 KiB: □ □ ...            1: ■ ─ ■ ─ ◇┐        ■ normal buffer: a packet
///       free indirect buffers:  ◇ ◇ ◇ ...           2: ◇┐       │        ◇ indirect buffer: points
///       multicast: ■ ─ ■                            3:  └──▶ ■ ◀┘          at a normal one, that
///       unknown: ■                                  ...                    is on no queue itself
///
/// * A packet goes into a free normal buffer of the smallest size that it fits and that is to be
/// had,
///   and is submitted to a numbered queue, or to the named queue of its special type.
/// * A packet on a named queue is moved to a numbered queue (`assign`), or to many (`fan_out`): an
///   indirect buffer for each, all pointing at the one normal buffer. The data are never copied.
/// * A normal buffer has a use count: 1 on a queue; as the target of indirect buffers, their
/// number.
///   Each that is taken off its queue takes 1 away, while it is more than 1; the last one returns
///   the normal buffer to its pool at the time at which it is returned itself.
/// * A pool that runs out grows by a step, if it may. One of which two steps lie free gives one
/// back,
///   down to its least. Connections come and go, and their queues with them.
///
/// Everything is linked lists through two arrays; nothing is allocated but when a pool grows.
/// Source: US 7,751,400, FIG. 4 and its description, columns 6 and 7; claims 1, 5 and 8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "traffic/packet.hpp"

namespace sluice {

class elastic_fifo {
public:
  /// How many buffers a pool has: `least` from the start on and at any time, never more than
  /// `most`.
  struct pool_config {
    std::uint32_t bytes = 0;  ///< of the largest packet that fits; indirect buffers: of themselves
    std::uint32_t least = 0, most = 0, step = 1;
  };
  struct config {
    std::vector<pool_config> normal;  ///< by size, the smallest first
    pool_config indirect;
    unsigned special_types = 0;
    unsigned connections = 0;        ///< from the start on
    std::uint32_t header_bytes = 0;  ///< that a normal buffer has besides its packet
    std::uint32_t queue_bytes = 0;   ///< of a numbered queue
  };
  /// Of one pool.
  struct pool_state {
    std::uint32_t total = 0, free = 0;
    std::uint32_t most_total = 0;  ///< ever
    std::uint64_t grown = 0, shrunk = 0;
  };

  explicit elastic_fifo(config c);

  /// Makes room for another connection. Returns its number.
  unsigned add_connection();
  /// Gives the queue of a connection back. \pre it is empty
  void remove_connection(unsigned c);

  /// A free buffer that holds so many bytes; none: no pool that fits has one, nor may grow.
  std::optional<std::uint32_t> obtain(std::uint32_t bytes);
  /// Moves the packet into the buffer that was obtained, which waits for its connection.
  void submit(std::uint32_t buffer, const packet& p, unsigned connection);
  /// Likewise, for the assist engine.
  void submit_special(std::uint32_t buffer, const packet& p, unsigned type);

  /// The packet that has waited longest on a special queue; nullptr: none waits.
  const packet* special(unsigned type) const;
  /// The buffer of that packet goes to the queue of the connection.
  void assign(unsigned type, unsigned connection);
  /// It goes to all of these, at least one, by indirect buffers. False, and nothing was done: there
  /// are not enough.
  bool fan_out(unsigned type, std::span<const std::uint32_t> connections);
  /// Takes the packet off the special queue, which goes nowhere.
  packet discard(unsigned type);

  /// The packet that the connection has waited for longest; nullptr: none waits.
  const packet* front(unsigned connection) const;
  std::uint32_t waiting(unsigned connection) const { return numbered_[connection].size; }
  std::uint32_t waiting_special(unsigned type) const { return special_[type].size; }
  /// On all numbered queues together.
  std::uint64_t waiting() const { return waiting_; }
  /// Takes it off its queue, and gives back what buffers it was the last to need.
  packet take(unsigned connection);

  /// Memory of all buffers and queues that there are.
  std::int64_t footprint() const { return footprint_; }
  std::int64_t most_footprint() const { return most_footprint_; }
  const pool_state& normal_pool(std::size_t size) const { return pools_[size].state; }
  const pool_state& indirect_pool() const { return pools_.back().state; }
  std::size_t sizes() const { return pools_.size() - 1; }
  unsigned connections() const { return active_; }

  /// What is wrong with its buffers and queues, if anything: for tests, and for the end of a run.
  /// It looks at all of them.
  std::string check() const;
  /// What waits, each packet once for each connection that it is still for.
  template <class Visit>
  void each_waiting(Visit visit) const {
    for (const auto& q : special_)
      for (auto r = q.first; r != none; r = next_of(r))
        visit(normal_[index_of(r)].content);
    for (const auto& q : numbered_)
      for (auto r = q.first; r != none; r = next_of(r))
        visit(content_of(r));
  }

private:
  // A buffer on a queue: its index, and whether it is an indirect one.
  using reference = std::uint32_t;
  static constexpr reference none = ~reference{0}, indirect_bit = reference{1} << 31;

  struct normal_buffer {
    packet content;
    reference next = none;
    std::uint32_t use = 0;  // 0: free
    std::uint8_t pool = 0;
    bool exists = false;   // not given back
    bool filling = false;  // obtained, and not submitted yet
  };
  struct indirect_buffer {
    reference next = none;
    std::uint32_t target = 0;
    bool used = false, exists = false;
  };
  struct list {
    reference first = none, last = none;
    std::uint32_t size = 0;
  };
  struct buffers {
    pool_config config;
    pool_state state;
    list free;
    std::vector<std::uint32_t> vacant;  // indices of the array whose buffers were given back
  };

  static std::uint32_t index_of(reference r) { return r & ~indirect_bit; }
  static bool is_indirect(reference r) { return (r & indirect_bit) != 0; }
  reference next_of(reference r) const {
    return is_indirect(r) ? indirect_[index_of(r)].next : normal_[r].next;
  }
  void link(reference r, reference next) {
    (is_indirect(r) ? indirect_[index_of(r)].next : normal_[r].next) = next;
  }
  const packet& content_of(reference r) const {
    return normal_[is_indirect(r) ? indirect_[index_of(r)].target : r].content;
  }
  void push(list& q, reference r);
  reference pop(list& q);
  bool grow(std::size_t pool, std::uint32_t count);
  void give_back(std::size_t pool, reference r);
  void shrink(std::size_t pool);
  std::uint32_t bytes_of(std::size_t pool) const;
  void account(std::int64_t bytes) {
    footprint_ += bytes;
    most_footprint_ = footprint_ > most_footprint_ ? footprint_ : most_footprint_;
  }

  config config_;
  std::vector<buffers> pools_;  // of normal buffers by size; the last one of indirect ones
  std::vector<normal_buffer> normal_;
  std::vector<indirect_buffer> indirect_;
  std::vector<list> special_, numbered_;
  std::vector<bool> gone_;  // by connection
  unsigned active_ = 0;
  std::uint64_t waiting_ = 0;
  std::int64_t footprint_ = 0, most_footprint_ = 0;
};

}  // namespace sluice
