#include "topology/steering.hpp"

#include <utility>

namespace sluice {

void steering::hold() {
  const std::scoped_lock lock{mutex_};
  held_ = true;
}

void steering::go_on() {
  const std::scoped_lock lock{mutex_};
  held_ = false;
}

bool steering::held() const {
  const std::scoped_lock lock{mutex_};
  return held_;
}

void steering::speed(double times) {
  const std::scoped_lock lock{mutex_};
  speed_ = times;
}

double steering::speed() const {
  const std::scoped_lock lock{mutex_};
  return speed_;
}

std::future<steering::answer> steering::change(timed_event e) {
  request r;
  r.event = std::move(e);
  return ask(std::move(r));
}

std::future<steering::answer> steering::end(std::size_t event) {
  request r;
  r.ends = true;
  r.number = event;
  return ask(std::move(r));
}

std::future<steering::answer> steering::ask(request r) {
  auto result = r.done.get_future();
  const std::scoped_lock lock{mutex_};
  if (closed_)
    r.done.set_value({"the run is over", 0, 0});
  else
    requests_.push_back(std::move(r));
  return result;
}

std::vector<timed_event> steering::events() const {
  const std::scoped_lock lock{mutex_};
  return events_;
}

void steering::serve(const std::function<answer(request&)>& act) {
  std::deque<request> requests;
  {
    const std::scoped_lock lock{mutex_};
    requests.swap(requests_);
  }
  for (auto& r : requests) {
    if (r.ends) {
      const std::scoped_lock lock{mutex_};
      if (r.number >= events_.size()) {
        r.done.set_value({"there is no such change", r.number, 0});
        continue;
      }
      r.event = events_[r.number];
    }
    auto a = act(r);
    if (a.refused.empty()) {
      const std::scoped_lock lock{mutex_};
      if (!r.ends) {
        r.number = events_.size();
        events_.emplace_back();
      }
      events_[r.number] = r.event;
    }
    a.event = r.number;
    r.done.set_value(std::move(a));
  }
}

void steering::close() {
  std::deque<request> requests;
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    requests.swap(requests_);
  }
  for (auto& r : requests)
    r.done.set_value({"the run is over", r.number, 0});
}

}  // namespace sluice
