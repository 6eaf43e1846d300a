#include "metrics/counters.hpp"

#include <algorithm>
#include <cmath>

namespace sluice {

void latency_histogram::grow(std::size_t bucket) {
  // To the end of the octave, so that a slowly rising latency does not allocate for each bucket.
  constexpr std::size_t octave = std::size_t{1} << sub_bits;
  buckets_.resize((bucket / octave + 1) * octave);
}

void latency_histogram::merge(const latency_histogram& other) {
  if (other.buckets_.size() > buckets_.size())
    buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double latency_histogram::mean() const {
  return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

double latency_histogram::sum_seconds() const {
  return static_cast<double>(sum_) / static_cast<double>(second);
}

sim_time latency_histogram::middle_of(std::size_t bucket) {
  constexpr std::size_t exact = std::size_t{2} << sub_bits;
  if (bucket < exact)
    return static_cast<sim_time>(bucket) * nanosecond + nanosecond / 2;
  const auto octave = (bucket >> sub_bits) - 1;
  const auto lower = static_cast<sim_time>(bucket - (octave << sub_bits)) << octave;
  const auto width = sim_time{1} << octave;
  return lower * nanosecond + width * nanosecond / 2;
}

sim_time latency_histogram::quantile(double q) const {
  if (count_ == 0)
    return 0;
  // Nearest rank. The factor keeps 0.07 * 100 = 7.000000000000001 at rank 7.
  const double exact_rank = std::ceil(q * static_cast<double>(count_) * (1 - 1e-12));
  if (exact_rank <= 1)
    return min_;
  if (exact_rank >= static_cast<double>(count_))
    return max_;
  const auto rank = static_cast<std::uint64_t>(exact_rank);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank)
      return std::clamp(middle_of(bucket), min_, max_);
  }
  return max_;
}

std::uint64_t latency_histogram::count_at_most(sim_time bound) const {
  if (count_ == 0 || bound < min_)
    return 0;
  if (bound >= max_)
    return count_;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size() && middle_of(bucket) <= bound; ++bucket)
    seen += buckets_[bucket];
  return seen;
}

}  // namespace sluice
