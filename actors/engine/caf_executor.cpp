/// \file
/// Cells as CAF actors.
///
/// A cell's actor is a `local_actor` with a mailbox of its own in place of CAF's general one. The
/// reason is measured (docs/performance.md): a message plus an activation of an event-based actor
/// costs 0.3 to 0.7 µs, most of it in the pattern match of the behaviour, in the run-time type
/// checks and in the self-message that coalescing needs. Here an activation takes in everything
/// that has come, in one swap of a pointer, and then steps the cell once, so coalescing is free. To
/// the outside it is an actor like any other: it is spawned into an actor system, has an address,
/// receives mailbox elements, runs on CAF's scheduler, and can be monitored. It leaves only when
/// the executor says so: a cell that went away in the middle of a run would keep its neighbours
/// waiting.
#include <atomic>
#include <caf/all.hpp>
#include <mutex>
#include <typeinfo>

#include "actors/engine/executor.hpp"
#include "actors/engine/ring.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(sluice, first_custom_type_id)
CAF_ADD_TYPE_ID(sluice, (sluice::parcel_data<sluice::packet>))
CAF_ADD_TYPE_ID(sluice, (sluice::parcel_data<sluice::signal>))
CAF_ADD_ATOM(sluice, sluice, kick_atom, "kick")
CAF_ADD_ATOM(sluice, sluice, leave_atom, "leave")
CAF_END_TYPE_ID_BLOCK(sluice)

namespace sluice {

namespace {

// What all actors of a run share: who is who, how much is under way, and the first failure.
struct run_state {
  std::vector<caf::actor> actors;
  // Parcels sent and not yet handled. An activation adds what it is about to send and subtracts
  // what it has taken in, in one step and before it sends, so zero means: nothing is under way.
  alignas(64) std::atomic<std::int64_t> under_way{0};
  alignas(64) std::atomic<bool> settled{false};
  std::mutex lock;
  std::string failure;
};

// Takes in what is a parcel. False: it is something else.
bool deliver(cell& to, caf::mailbox_element* e, transport& out) {
  if (typeid(*e) == typeid(packet_parcel))
    to.take(packet_parcel_ptr{static_cast<packet_parcel*>(e)}, out);
  else if (typeid(*e) == typeid(signal_parcel))
    to.take(signal_parcel_ptr{static_cast<signal_parcel*>(e)}, out);
  else
    return false;
  return true;
}

class cell_actor final : public caf::local_actor,
                         public caf::resumable,
                         public caf::dynamically_typed_actor_base,
                         private transport {
public:
  using signatures = caf::none_t;
  using behavior_type = caf::behavior;

  cell_actor(caf::actor_config& cfg, cell* c, run_state* run)
      : caf::local_actor{cfg}, cell_{c}, run_{run} {}

  ~cell_actor() override {
    turn mine{handed_on_};
    auto e = inbox_.exchange(nullptr);
    while (e != nullptr && e != asleep()) {
      auto next = static_cast<caf::mailbox_element*>(e->next);
      caf::mailbox_element_ptr{e};
      e = next;
    }
  }

  const char* name() const override { return "cell"; }

  void launch(caf::execution_unit*, bool, bool hide) override {
    if (!hide)
      register_at_system();
    turn mine{handed_on_};
    inbox_.store(asleep());
  }

  void enqueue(caf::mailbox_element_ptr e, caf::execution_unit* unit) override {
    auto element = e.release();
    auto head = inbox_.load(std::memory_order_relaxed);
    do
      element->next = head == asleep() ? nullptr : head;
    while (!inbox_.compare_exchange_weak(head, element, std::memory_order_acq_rel,
                                         std::memory_order_relaxed));
    if (head != asleep())
      return;
    caf::intrusive_ptr_add_ref(ctrl());
    if (unit != nullptr)
      unit->exec_later(this);
    else
      home_system().scheduler().enqueue(this);
  }

  subtype_t subtype() const override { return scheduled_actor; }

  resume_result resume(caf::execution_unit* unit, std::size_t) override {
    turn mine{handed_on_};
    // Or whoever had it before has gone to sleep, and somebody has woken it since.
    (void)inbox_.load(std::memory_order_acquire);
    // Where many links meet, one round of patience lets those who are about to send do so: few
    // large batches instead of many small ones.
    if (cell_->links() >= many_links && !waited_) {
      waited_ = true;
      return resume_later;
    }
    waited_ = false;
    for (int round = 0; round < 4; ++round) {
      auto newest = inbox_.exchange(nullptr, std::memory_order_acquire);
      if (newest == nullptr) {
        if (inbox_.compare_exchange_strong(newest, asleep(), std::memory_order_acq_rel)) {
          mine.ended();  // the next one may have begun
          return awaiting_message;
        }
        continue;
      }
      if (!handle(newest, unit))
        return done;
    }
    return resume_later;
  }

  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(ctrl()); }

private:
  static constexpr std::size_t many_links = 6;

  // One thread after the other has an actor. CAF's queues see to that already, but ThreadSanitizer
  // does not see what a library does that it has not compiled; here the order is told once more, at
  // the price of two plain moves.
  class turn {
  public:
    explicit turn(std::atomic<bool>& handed_on) : handed_on_{handed_on} {
      (void)handed_on_.load(std::memory_order_acquire);
    }
    ~turn() {
      if (!ended_)
        handed_on_.store(true, std::memory_order_release);
    }
    /// It has been handed on in another way.
    void ended() { ended_ = true; }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

  private:
    std::atomic<bool>& handed_on_;
    bool ended_ = false;
  };

  struct letter {
    cell_index to;
    caf::mailbox_element* element;
  };

  static caf::mailbox_element* asleep() {
    static caf::mailbox_element_ptr tag =
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, caf::unit);
    return tag.get();
  }

  // Takes in all of an inbox, newest first, and steps the cell. False: the actor has left.
  bool handle(caf::mailbox_element* newest, caf::execution_unit* unit) {
    caf::mailbox_element* oldest = nullptr;
    while (newest != nullptr) {
      auto next = static_cast<caf::mailbox_element*>(newest->next);
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    std::int64_t taken = 0;
    bool leave = false;
    try {
      while (oldest != nullptr) {
        auto e = oldest;
        oldest = static_cast<caf::mailbox_element*>(e->next);
        if (deliver(*cell_, e, *this)) {
          ++taken;
        } else {
          caf::mailbox_element_ptr owned{e};
          auto& content = owned->content();
          if (content.match_elements<kick_atom>())
            ++taken;
          else if (content.match_elements<leave_atom>())
            leave = true;
        }
      }
      if (taken != 0)
        cell_->step(*this);
    } catch (const std::exception& x) {
      fail(cell_->name() + ": " + x.what());
    }
    if (taken != 0) {
      const auto change = static_cast<std::int64_t>(outbox_.size()) - taken;
      if (run_->under_way.fetch_add(change, std::memory_order_acq_rel) + change == 0) {
        run_->settled.store(true, std::memory_order_release);
        run_->settled.notify_one();
      }
      for (auto& l : outbox_)
        caf::actor_cast<caf::abstract_actor*>(run_->actors[l.to])
            ->enqueue(caf::mailbox_element_ptr{l.element}, unit);
      outbox_.clear();
    }
    if (leave) {
      cleanup(caf::exit_reason::normal, unit);
      unregister_from_system();
    }
    return !leave;
  }

  void send(cell_index to, packet_parcel_ptr p) override { outbox_.push_back({to, p.release()}); }
  void send(cell_index to, signal_parcel_ptr p) override { outbox_.push_back({to, p.release()}); }
  void fail(std::string what) override {
    std::lock_guard guard{run_->lock};
    if (run_->failure.empty())
      run_->failure = std::move(what);
  }

  std::atomic<bool> handed_on_{true};
  bool waited_ = false;
  cell* const cell_;
  run_state* const run_;
  std::vector<letter> outbox_;
  alignas(64) std::atomic<caf::mailbox_element*> inbox_{nullptr};
};

class caf_executor final : public executor, transport {
public:
  caf_executor(std::vector<cell*> cells, unsigned threads)
      : executor{std::move(cells)},
        mail_(this->cells().size()),
        system_{configure(config_, threads)} {
    run_.actors.reserve(this->cells().size());
    for (auto c : this->cells())
      run_.actors.push_back(system_.spawn<cell_actor>(c, &run_));
  }

  ~caf_executor() override {
    for (auto& a : run_.actors)
      caf::anon_send(a, leave_atom::value);
    system_.await_all_actors_done();
    run_.actors.clear();
  }

protected:
  void settle(const std::vector<cell*>& which) override {
    for (auto c : which)
      wake(c->index());
    hand_over();
  }

  // Mostly that is a few dozen activations, and a thread that is woken for them, and waited for,
  // takes longer. So they are made here while the actors have nothing to do; these go on if it
  // becomes more.
  void settle_little(const std::vector<cell*>& which) override {
    for (auto c : which)
      wake(c->index());
    if (which.size() > few)
      return hand_over();
    for (auto left = few; left > 0 && !ready_.empty() && !failed_; --left) {
      const auto i = ready_.front();
      ready_.pop();
      mail_[i].awake = false;
      act(i, true);
    }
    if (!failed_)
      hand_over();
  }

  std::string failure() const override {
    std::lock_guard guard{run_.lock};
    return run_.failure;
  }

private:
  static constexpr std::size_t few = 500;  // activations
  // Of a cell that waits for its turn here.
  struct inbox {
    std::vector<caf::mailbox_element_ptr> parcels;
    bool awake = false;
  };

  void wake(cell_index i) {
    if (std::exchange(mail_[i].awake, true))
      return;
    ready_.push(i);
  }
  void send(cell_index to, packet_parcel_ptr p) override { post(to, p.release()); }
  void send(cell_index to, signal_parcel_ptr p) override { post(to, p.release()); }
  void post(cell_index to, caf::mailbox_element* e) {
    mail_[to].parcels.emplace_back(e);
    wake(to);
  }
  void fail(std::string what) override {
    failed_ = true;
    std::lock_guard guard{run_.lock};
    if (run_.failure.empty())
      run_.failure = std::move(what);
  }

  // The cell takes in what has come for it, and steps if it is its turn.
  void act(cell_index i, bool steps) {
    taken_.swap(mail_[i].parcels);
    auto& c = *cells()[i];
    try {
      for (auto& e : taken_)
        deliver(c, e.release(), *this);
      if (steps)
        c.step(*this);
    } catch (const std::exception& x) {
      fail(c.name() + ": " + x.what());
    }
    taken_.clear();
  }

  // Lets the actors of all that wait here go on, and waits until nothing is under way. The cells
  // take in their parcels before the first actor begins: what that sends must not come before them.
  void hand_over() {
    if (ready_.empty())
      return;
    for (bool any = true; any && !failed_;) {
      any = false;
      for (std::size_t k = 0; k < ready_.size(); ++k)  // relays may wake more
        if (!mail_[ready_[k]].parcels.empty()) {
          act(ready_[k], false);
          any = true;
        }
    }
    if (failed_)
      return;
    run_.settled.store(false, std::memory_order_relaxed);
    run_.under_way.fetch_add(static_cast<std::int64_t>(ready_.size()), std::memory_order_acq_rel);
    while (!ready_.empty()) {
      const auto i = ready_.front();
      ready_.pop();
      mail_[i].awake = false;
      caf::anon_send(run_.actors[i], kick_atom::value);
    }
    run_.settled.wait(false, std::memory_order_acquire);
    if (run_.under_way.load(std::memory_order_acquire) != 0)
      throw engine_error{"the count of parcels under way is off"};
  }

  static caf::actor_system_config& configure(caf::actor_system_config& c, unsigned threads) {
    c.add_message_types<caf::id_block::sluice>();
    // A woken actor stays with the thread that woke it, whose caches have what it needs. With the
    // patience of `resume` this beat `sharing` on every shape with two threads
    // (docs/performance.md).
    c.set("scheduler.policy", caf::atom("stealing"));
    c.set("scheduler.max-threads", static_cast<std::size_t>(threads));
    // An idle thread looks for work for some tens of microseconds before it sleeps: activations
    // take one, and a sleeper misses fifty.
    c.set("work-stealing.aggressive-poll-attempts", std::size_t{2000});
    return c;
  }

  mutable run_state run_;
  std::vector<inbox> mail_;
  std::vector<caf::mailbox_element_ptr> taken_;
  ring<cell_index> ready_;  // those that are awake
  bool failed_ = false;     // here
  caf::actor_system_config config_;
  caf::actor_system system_;
};

}  // namespace

std::unique_ptr<executor> make_caf_executor(std::vector<cell*> cells, unsigned threads) {
  return std::make_unique<caf_executor>(std::move(cells), threads == 0 ? 1 : threads);
}

}  // namespace sluice
