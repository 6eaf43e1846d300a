#include "actors/engine/executor.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {

executor::executor(std::vector<cell*> cells) : cells_{std::move(cells)} {
  for (cell_index i = 0; i < cells_.size(); ++i)
    if (cells_[i]->index() != i)
      throw engine_error{fmt::format("cell {} has index {}", i, cells_[i]->index())};
  for (auto c : cells_)
    if (c->is_patient())
      patient_.push_back(c);
}

void executor::run_until(sim_time limit) {
  for (auto c : cells_)
    c->limit(limit);
  // All of them: some lack only what they had no reason to ask for up to the last limit. But who
  // has never had anything to do is woken by those who have, once he knows that.
  std::vector<cell*> pending;
  for (auto c : cells_)
    if (!begun_ || !c->untouched() || c->is_wanted())
      pending.push_back(c);
  if (!begun_)
    show_windows();
  begun_ = true;
  sim_time assumed = -1;
  for (;;) {
    settle(pending);
    if (auto what = failure(); !what.empty())
      throw engine_error{what};
    pending.clear();
    for (auto c : patient_)
      if (c->let_go())
        pending.push_back(c);
    if (!pending.empty())
      continue;

    // Nothing is under way and nobody could go on by what it has been told. Whoever has the
    // earliest event is held up only by promises that it lacks. As nothing anywhere happens before
    // that time, everybody may be taken to have promised it (deadlock recovery by a global
    // minimum: Chandy and Misra, 1981). Rare: it is what remains where an idle network has cycles.
    const auto t = next_event();
    if (t > limit)
      return;
    if (t == assumed && widened_ < 12) {
      // What is left to blame is the bound on run-ahead: let everybody run further ahead (Parks,
      // 1995: bounded channels may need to grow).
      ++widened_;
      for (auto c : cells_)
        c->window(c->window() * 2);
      show_windows();
    } else if (t == assumed) {
      std::string table;
      int lines = 0;
      for (auto c : cells_)
        if (c->next_event() <= limit && ++lines <= 20)
          table += "\n" + c->describe();
      throw engine_error{fmt::format("no progress at {} ps; who waits for whom:{}", t, table)};
    }
    assumed = t;
    ++recoveries_;
    for (auto c : cells_) {
      c->assume(t);
      if (c->next_event() <= limit)
        pending.push_back(c);
    }
  }
}

void executor::retract(sim_time t) {
  for (auto c : cells_)
    c->retract(t);
}

// Twice, as what lower cells see of a relay is what that one has seen.
void executor::show_windows() {
  for (int pass = 0; pass < 2; ++pass)
    for (auto c : cells_)
      c->see_windows();
}

sim_time executor::next_event() const {
  sim_time t = never;
  for (auto c : cells_)
    t = std::min(t, c->next_event());
  return t;
}

engine_totals executor::totals() const {
  engine_totals sum;
  for (auto c : cells_) {
    sum.activations += c->counts().activations;
    sum.parcels += c->counts().parcels;
    sum.wants += c->counts().wants;
    sum.items += c->counts().items;
  }
  sum.recoveries = recoveries_;
  return sum;
}

}  // namespace sluice
