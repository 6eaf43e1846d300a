/// \file
/// The trivial executor of tests: no threads, no CAF scheduler, and the worst order that chance
/// can find. Links keep their order; everything else is drawn.
#include <deque>
#include <random>
#include <variant>

#include "actors/engine/executor.hpp"

namespace sluice {

namespace {

class random_executor final : public executor, transport {
public:
  random_executor(std::vector<cell*> cells, std::uint64_t seed)
      : executor{std::move(cells)},
        random_{seed},
        mail_(this->cells().size()),
        ready_place_(this->cells().size(), nowhere) {}

protected:
  void settle(const std::vector<cell*>& which) override {
    for (auto c : which)
      wake(c->index());
    while (!ready_.empty() && failure_.empty()) {
      const auto k = random_() % ready_.size();
      const auto i = ready_[k];
      auto& mail = mail_[i];
      auto& c = *cells()[i];
      for (auto n = mail.empty() ? 0 : 1 + random_() % mail.size(); n > 0; --n) {
        std::visit([&](auto& p) { c.take(std::move(p), *this); }, mail.front());
        mail.pop_front();
      }
      if (mail.empty()) {
        ready_[k] = ready_.back();
        ready_place_[ready_[k]] = k;
        ready_.pop_back();
        ready_place_[i] = nowhere;
      }
      c.step(*this);
    }
  }

  std::string failure() const override { return failure_; }

private:
  using message = std::variant<packet_parcel_ptr, signal_parcel_ptr>;
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  void wake(cell_index i) {
    if (ready_place_[i] == nowhere) {
      ready_place_[i] = ready_.size();
      ready_.push_back(i);
    }
  }
  void send(cell_index to, packet_parcel_ptr p) override {
    mail_[to].emplace_back(std::move(p));
    wake(to);
  }
  void send(cell_index to, signal_parcel_ptr p) override {
    mail_[to].emplace_back(std::move(p));
    wake(to);
  }
  void fail(std::string what) override {
    if (failure_.empty())
      failure_ = std::move(what);
  }

  std::mt19937_64 random_;
  std::vector<std::deque<message>> mail_;
  std::vector<cell_index> ready_;
  std::vector<std::size_t> ready_place_;
  std::string failure_;
};

}  // namespace

std::unique_ptr<executor> make_random_executor(std::vector<cell*> cells, std::uint64_t seed) {
  return std::make_unique<random_executor>(std::move(cells), seed);
}

}  // namespace sluice
