/// \file
/// What cells send each other: parcels of timed items with a promise, and nothing else.
///
/// A *link* of the engine joins an upper cell to a lower one. Packets travel down it, flow-control
/// signals travel up. A parcel carries items one way and, for the way it travels, what the sender
/// knows: the promise, how far it has heard the other side, what it wants to know (DESIGN 3).
///
/// A parcel is at once the CAF mailbox element that carries it, and it is recycled, so sending one
/// allocates nothing once a run has warmed up. Its value part serialises like any CAF message.
#pragma once

#include <caf/all.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/engine/ring.hpp"
#include "traffic/packet.hpp"
#include "traffic/units.hpp"

namespace sluice {

/// What a lower cell tells the upper one. `at` is the time at which it arrives there.
struct signal {
  enum class kind : std::uint8_t {
    stop,     ///< start no transmission at or after `at`
    start,    ///< transmissions may start again, no earlier than `at`
    release,  ///< `bytes` of a packet that came by ingress `port` have left their buffer
    pull,     ///< the receiver came back for more and found nothing
    pfc,      ///< a PFC frame has had its effect: see pause_request, which is packed into the rest
    pause,    ///< likewise a PAUSE frame
    credit,   ///< likewise a flow packet of InfiniBand's
    list,     ///< a credit of `bytes` for connection `port`; `priority` 1: the last of its list
    slow_down,  ///< packets of this source have been marked as congested
  };
  sim_time at = 0;
  std::uint32_t bytes = 0;
  std::uint16_t port = 0;
  kind what = kind::stop;
  std::uint8_t priority = 0;  ///< of the packet that was released, or of a stop or start
};
static_assert(sizeof(signal) == 16);

/// Before `until`, the lower cell sends nothing that changes what the upper one may do, as long as
/// the upper has sent no more than this many bytes and packets on the link in total. Never shrinks.
struct allowance {
  std::int64_t bytes = 0;
  std::int64_t packets = 0;
  sim_time until = never;

  /// Whether it says anything; one that allows nothing leaves an earlier one in force.
  bool stated() const { return bytes != 0 || packets != 0; }
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, allowance& x) {
  return f(caf::meta::type_name("allowance"), x.bytes, x.packets, x.until);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, signal& x) {
  return f(caf::meta::type_name("signal"), x.at, x.bytes, x.port, x.what, x.priority);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, frame_ref& x) {
  // A handle is one word on the wire as well: captures are numbered alike in all parts of a run.
  static_assert(sizeof(frame_ref) == sizeof(std::uint64_t));
  return f(caf::meta::type_name("frame_ref"), reinterpret_cast<std::uint64_t&>(x));
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, packet& x) {
  return f(caf::meta::type_name("packet"), x.at, x.due, x.id, x.frame, x.bytes, x.flow, x.from,
           x.to, x.ingress, x.egress, x.priority, x.pulled, x.overlay, x.tunnelled, x.remaining,
           x.socket, x.ecn, x.special, x.refused);
}

/// The value of a parcel.
template <class Item>
struct parcel_data {
  parcel_data() = default;

  std::uint32_t port = 0;   ///< the receiver's end of the link
  sim_time promise = 0;     ///< no later item on this way of the link arrives before it
  sim_time want = -1;       ///< "tell me when you can promise beyond this"; -1: nothing wanted
  std::uint64_t heard = 0;  ///< how many items of the other way have taken full effect
  allowance allowed;        ///< of packets; meaningful on parcels of signals
  std::vector<Item> items;  ///< in non-decreasing order of `at`
};

template <class Inspector, class Item>
typename Inspector::result_type inspect(Inspector& f, parcel_data<Item>& x) {
  return f(caf::meta::type_name("parcel"), x.port, x.promise, x.want, x.heard, x.allowed, x.items);
}

/// A parcel on its way. Made by `make`, recycled when its owner lets go of it.
template <class Item>
class parcel final
    : public caf::mailbox_element,
      public caf::detail::tuple_vals_impl<caf::type_erased_tuple, parcel_data<Item>> {
public:
  using values = caf::detail::tuple_vals_impl<caf::type_erased_tuple, parcel_data<Item>>;

  struct recycler {
    void operator()(parcel* p) const noexcept { p->recycle(); }
  };
  using ptr = std::unique_ptr<parcel, recycler>;

  static ptr make() {
    auto& mine = local();
    if (mine.empty() && !pool().take(mine))
      return ptr{new parcel};
    parcel* p = mine.back();
    mine.pop_back();
    return ptr{p};
  }

  parcel_data<Item>& operator*() { return std::get<0>(this->data()); }
  parcel_data<Item>* operator->() { return &std::get<0>(this->data()); }
  const parcel_data<Item>* operator->() const { return &std::get<0>(values::data()); }

  // What CAF asks of a mailbox element.
  caf::type_erased_tuple& content() override { return *this; }
  const caf::type_erased_tuple& content() const override { return *this; }
  caf::message move_content_to_message() override {
    return caf::make_message(std::move(std::get<0>(this->data())));
  }
  caf::message copy_content_to_message() const override {
    return caf::make_message(std::get<0>(values::data()));
  }
  void request_deletion(bool) const noexcept override { const_cast<parcel*>(this)->recycle(); }

private:
  // Free parcels wait in a list of the thread that let go of them. Threads that consume more than
  // they produce pass their surplus on in bunches, so the lock is taken once for many parcels.
  static constexpr std::size_t bunch = 64;

  struct surplus {
    std::mutex lock;
    std::vector<parcel*> free;
    ~surplus() {
      for (auto p : free)
        delete p;
    }
    bool take(std::vector<parcel*>& to) {
      std::lock_guard guard{lock};
      const auto n = std::min(bunch, free.size());
      to.insert(to.end(), free.end() - static_cast<std::ptrdiff_t>(n), free.end());
      free.resize(free.size() - n);
      return n != 0;
    }
    void give(std::vector<parcel*>& from) {
      std::lock_guard guard{lock};
      free.insert(free.end(), from.end() - static_cast<std::ptrdiff_t>(bunch), from.end());
      from.resize(from.size() - bunch);
    }
  };
  struct local_list : std::vector<parcel*> {
    ~local_list() {
      std::lock_guard guard{pool().lock};
      pool().free.insert(pool().free.end(), this->begin(), this->end());
    }
  };

  static surplus& pool() {
    static surplus instance;
    return instance;
  }
  static std::vector<parcel*>& local() {
    static surplus& outlives_us = pool();
    (void)outlives_us;
    static thread_local local_list list;
    return list;
  }

  parcel() : values(parcel_data<Item>{}) {}

  void recycle() noexcept {
    auto& d = **this;
    d.promise = 0;
    d.want = -1;
    d.heard = 0;
    d.allowed = {};
    d.items.clear();  // but keeps its memory, which cells bound (cell::window)
    next = nullptr;
    auto& mine = local();
    mine.push_back(this);
    if (mine.size() >= 4 * bunch)
      pool().give(mine);
  }
};

using packet_parcel = parcel<packet>;
using signal_parcel = parcel<signal>;
using packet_parcel_ptr = packet_parcel::ptr;
using signal_parcel_ptr = signal_parcel::ptr;

/// The received items of one way of a link, in order, read where they lie in their parcels.
template <class Item>
class item_queue {
public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  Item& front() { return *head_; }
  const Item& front() const { return *head_; }
  /// The latest item received. \pre not empty
  const Item& back() { return (*parcels_.back())->items.back(); }

  void pop() {
    --count_;
    if (++head_ == end_) {
      parcels_.front().reset();
      parcels_.pop();
      open();
    }
  }

  void push(typename parcel<Item>::ptr p) {
    count_ += (*p)->items.size();
    parcels_.push(std::move(p));
    if (parcels_.size() == 1)
      open();
  }

  /// The first parcel, whole: for relays. \pre not empty, and nothing was popped from it
  typename parcel<Item>::ptr take_parcel() {
    auto p = std::move(parcels_.front());
    count_ -= (*p)->items.size();
    parcels_.pop();
    open();
    return p;
  }

  /// Calls `visit` for every item, in order.
  template <class Visit>
  void each(Visit visit) const {
    for (std::size_t i = 0; i < parcels_.size(); ++i) {
      const auto& items = (*const_cast<parcel<Item>&>(*parcels_[i])).items;
      for (const Item* x = i == 0 ? head_ : items.data(); x != items.data() + items.size(); ++x)
        visit(*x);
    }
  }

private:
  void open() {
    if (parcels_.empty()) {
      head_ = end_ = nullptr;
      return;
    }
    auto& items = (*parcels_.front())->items;
    head_ = items.data();
    end_ = head_ + items.size();
  }

  ring<typename parcel<Item>::ptr> parcels_;
  Item* head_ = nullptr;
  Item* end_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace sluice
