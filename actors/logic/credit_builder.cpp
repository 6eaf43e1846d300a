#include "actors/logic/credit_builder.hpp"

#include <algorithm>

namespace sluice {

void credit_builder::post(std::uint32_t bytes, sim_time at) {
  buffers_.push(bytes);
  most_posted_ = std::max(most_posted_, buffers_.size());
  if (working_) {
    const auto x = at - last_post_;
    if (works_++ == 0)
      work_ = x;
    work_ += (x - work_) / 8;
  }
  last_post_ = at;
  working_ = buffers_.size() < most_posted_;
}

// Of the application: for so long, after its last request, it has something to do. Data for what
// the sender has been told of will come, too.
sim_time credit_builder::busy() const {
  return works_ == 0 ? 0 : static_cast<sim_time>(most_posted_ - buffers_.size() + told_) * work_;
}

std::vector<std::uint32_t> credit_builder::buffers() const {
  std::vector<std::uint32_t> all;
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    all.push_back(buffers_[i]);
  return all;
}

std::int64_t credit_builder::rtrip() const {
  return lists_ != 0 && last_.first >= filled_ ? static_cast<std::int64_t>(last_.first - filled_)
                                               : -1;
}

// -- what comes -----------------------------------------------------------------------------------

credit_builder::arrival credit_builder::arrive(std::uint32_t bytes, sim_time at,
                                               std::uint64_t remaining) {
  if (buffers_.empty())
    return arrival::no_buffer;
  const auto size = buffers_.front();
  if (bytes > size)
    return arrival::too_small;
  buffers_.pop();
  const auto number = filled_++;
  wasted_ += size - bytes;
  // Who sends without credits takes buffers that nobody has told him of.
  if (told_ > 0) {
    --told_;
    told_bytes_ -= size;
    earned_at_ -= cost(size - bytes);
  }
  remaining_ = remaining;
  bool starved = false;
  if (!lists_out_.empty() && lists_out_.front().first == number) {
    starved = lists_out_.front().starved;
    if (starved)
      measured_ = std::min(measured_, std::max<sim_time>(at - lists_out_.front().sent, 1));
    lists_out_.pop();
  }
  count_use(at, starved);
  if (config_.when == trigger::predictive && told_ <= predicted_for_ - predicted_for_ / 8)
    predict();
  // By the rate as it is now, for each buffer again.
  if (number == last_.first || (number > last_.first && config_.when == trigger::adaptive))
    trigger_ = trigger_now();
  if (config_.when == trigger::switching)
    choose_mode();
  return arrival::filled;
}

// A sender that has waited for credits says nothing about the rate at which it would use them.
void credit_builder::count_use(sim_time at, bool waited) {
  if (last_use_ >= 0 && !waited) {
    const auto x = at - last_use_;
    if (intervals_++ == 0)
      interval_ = x;
    deviation_ += ((x > interval_ ? x - interval_ : interval_ - x) - deviation_) / 8;
    interval_ += (x - interval_) / 8;
    if (config_.when == trigger::predictive)
      filter_.add(x);
  }
  last_use_ = at;
}

// Only as long as the rate does not vary too much.
void credit_builder::choose_mode() {
  if (intervals_ < 8 || deviation_ * 100 > interval_ * config_.steady_percent)
    return;
  // Who waits for the last buffer of a list loses a round trip with each.
  const auto lasts = static_cast<sim_time>(last_.size) * interval_;
  const bool eager =
      !told_enough() && (lasts < 16 * round_trip() || (eager_ && lasts < 32 * round_trip()));
  switches_ += eager != eager_;
  eager_ = eager;
}

void credit_builder::predict() {
  predicted_for_ = filter_.ready() ? told_ : ~std::size_t{0};  // as soon as it can
  runs_out_ = filter_.ready() ? later(last_use_, filter_.sum_of(told_)) : last_use_;
}

// -- when -----------------------------------------------------------------------------------------

// The sender has credits for all that it said to have.
bool credit_builder::told_enough() const {
  return remaining_ != unknown && static_cast<std::uint64_t>(told_bytes_) >= remaining_;
}

// Which buffer of the last list lets the next one go, as of now.
std::uint64_t credit_builder::trigger_now() const {
  const auto& l = last_;
  const auto last = l.first + l.size - 1;
  switch (config_.when) {
    case trigger::first:
    case trigger::timed:
    case trigger::predictive:
      return l.first;
    case trigger::middle:
      return l.first + (l.size - 1) / 2;
    case trigger::last:
      return last;
    case trigger::switching:
      return eager_ ? l.first : last;
    case trigger::adaptive:
      break;
  }
  // So many credits last for a round trip, and two more for what is on its way.
  if (intervals_ == 0)
    return l.first;
  if (busy() > round_trip() + interval_ * l.size)
    return last;
  const auto needed =
      static_cast<std::uint64_t>(round_trip() / std::max<sim_time>(interval_, 1)) + 2;
  return needed >= l.size ? l.first : last - needed;
}

bool credit_builder::room_for_list() const {
  return lists_out_.size() < config_.lists;
}

// When the next list would go, but for the limit.
sim_time credit_builder::triggered_at(sim_time now) const {
  const auto ahead = round_trip() + interval_;
  const auto patient = by_rate() && lists_ != 0 && buffers_.size() - told_ < config_.most;
  const auto idle = patient ? std::max(now, last_post_ + busy() - ahead) : now;
  if (told_ == 0)
    return idle;
  if (lists_ == 0)
    return buffers_.size() >= config_.first_list ? now : never;
  // All buffers together do not last for a round trip: it is the round trips that count, and a
  // small list takes as long as a large one.
  if (by_rate() && lists_out_.size() + 1 == config_.lists
      && static_cast<sim_time>(buffers_.size()) * interval_ < round_trip())
    return never;
  switch (config_.when) {
    case trigger::timed:
      if (intervals_ == 0)
        break;
      return std::max(idle, last_use_ + static_cast<sim_time>(told_) * interval_ - ahead);
    case trigger::predictive:
      if (!filter_.ready())
        break;
      return std::max(idle, runs_out_ - ahead);
    case trigger::switching:
      if (told_enough())
        return never;
      return filled_ > (eager_ ? last_.first : trigger_) ? now : never;
    default:
      break;
  }
  return filled_ > trigger_ ? idle : never;
}

sim_time credit_builder::cost(std::uint64_t bytes) const {
  if (config_.limit_bps == 0)
    return 0;
  return static_cast<sim_time>((static_cast<int128>(bytes) * 8 * second + config_.limit_bps - 1)
                               / config_.limit_bps);
}

sim_time credit_builder::allowed_at(std::uint64_t bytes) const {
  if (config_.limit_bps == 0)
    return 0;
  const auto needs = cost(bytes);
  // What is earned while a list is on its way must not be lost.
  const auto burst =
      std::max({needs, cost(static_cast<std::uint64_t>(config_.burst_bytes)), 2 * round_trip()});
  return earned_at_ + needs - burst;
}

sim_time credit_builder::due(sim_time now) const {
  if (told_ == buffers_.size() || !room_for_list())
    return never;
  const auto when = triggered_at(now);
  if (when >= never || config_.limit_bps == 0)
    return when;
  // As long as the sender has credits more of them are worth waiting for.
  std::uint64_t bytes = 0;
  const auto enough = std::min({buffers_.size() - told_, told_ / 2 + 1, std::size_t{config_.most}});
  for (std::size_t k = 0; k < enough; ++k)
    bytes += buffers_[told_ + k];
  return std::max(when, allowed_at(bytes));
}

void credit_builder::take(std::vector<std::uint32_t>& out, sim_time now) {
  out.clear();
  last_ = {filled_ + told_, 0, now, told_ == 0};
  while (told_ < buffers_.size() && out.size() < config_.most
         && allowed_at(buffers_[told_]) <= now) {
    const auto bytes = buffers_[told_++];
    out.push_back(bytes);
    told_bytes_ += bytes;
    earned_at_ = std::max(earned_at_, now) + cost(bytes);
  }
  last_.size = static_cast<std::uint32_t>(out.size());
  // Until its first buffer is filled; then it is known which one counts.
  trigger_ = last_.first + last_.size - 1;
  if (config_.when == trigger::predictive)
    predict();
  lists_out_.push(last_);
  ++lists_;
  credits_ += last_.size;
  most_outstanding_ = std::max(most_outstanding_, told_);
}

}  // namespace sluice
