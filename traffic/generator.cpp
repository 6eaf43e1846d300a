#include "traffic/generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "traffic/error.hpp"
#include "traffic/pace.hpp"
#include "traffic/random.hpp"

namespace sluice {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw traffic_error{traffic_ec::bad_config, why};
}

const generator_config& checked(const generator_config& config) {
  const auto& settings = config.settings;
  if (config.destinations.empty())
    refuse("a generator needs a destination");
  if (settings.size_bytes != 0 && settings.size_bytes < 14)
    refuse(
        fmt::format("frames of {} bytes are smaller than an Ethernet header", settings.size_bytes));
  if (settings.size_bytes > max_frame_bytes)
    refuse(
        fmt::format("frames of {} bytes are larger than {}", settings.size_bytes, max_frame_bytes));
  if (settings.arrivals == arrival_process::burst
      && (settings.burst_packets == 0 || config.line_bps == 0))
    refuse("bursts need a number of packets and the line's rate");
  return config;
}

// Chooses sizes and destinations. Each choice has a stream of its own: one more destination does
// not change the sizes.
class chooser {
public:
  explicit chooser(const generator_config& config)
      : mix_{size_mix::of(config.settings.size_bytes)},
        imix_{config.settings.size_bytes == 0},
        random_pick_{config.pick == destination_rule::random && config.destinations.size() > 1},
        sizes_{config.seed, "sizes"},
        picks_{config.seed, "destinations"},
        destinations_{config.destinations} {}

  std::size_t size_class() {
    if (!imix_)
      return 0;
    const auto drawn = sizes_.below(12);
    return drawn < 7 ? 0 : drawn < 11 ? 1 : 2;
  }

  std::uint32_t destination() {
    if (random_pick_)
      return destinations_[picks_.below(destinations_.size())];
    const auto chosen = destinations_[turn_];
    if (++turn_ == destinations_.size())
      turn_ = 0;
    return chosen;
  }

  const size_mix& mix() const { return mix_; }

private:
  size_mix mix_;
  bool imix_;
  bool random_pick_;
  random_stream sizes_;
  random_stream picks_;
  std::vector<std::uint32_t> destinations_;
  std::size_t turn_ = 0;
};

template <arrival_process Process>
class generator final : public traffic_source {
public:
  explicit generator(const generator_config& config)
      : choose_{config},
        pace_{config, choose_.mix()},
        end_{std::min(config.stop, never)},
        left_{config.settings.packets == 0 ? std::numeric_limits<std::uint64_t>::max()
                                           : config.settings.packets},
        line_{config.line_bps},
        burst_packets_{config.settings.burst_packets} {}

  std::size_t next(std::span<emission> out) override {
    // Copies that the compiler can keep in registers: `out` might alias members.
    pace at = std::move(pace_);
    std::size_t n = 0;
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
    for (; n != most; ++n) {
      const auto due = due_of(at);
      if (due >= end_) {
        left_ = n;  // nothing after it either
        break;
      }
      const auto size = choose_.size_class();
      const auto bytes = choose_.mix().bytes[size];
      out[n] = {due, frame_ref{}, bytes, choose_.destination()};
      if constexpr (Process == arrival_process::poisson)
        at.advance_poisson();
      else
        at.advance(size);
      if constexpr (Process == arrival_process::burst)
        line_free_ = later(due, line_.time_of(bytes + ethernet_overhead_bytes));
    }
    left_ -= n;
    pace_ = std::move(at);
    return n;
  }

private:
  // Within a burst as soon as the line is free; its first also no sooner than the schedule has it.
  sim_time due_of(const pace& at) {
    if constexpr (Process != arrival_process::burst)
      return at.due();
    const bool first = in_burst_ == 0;
    if (first && at.due() >= end_)
      return never;
    if (++in_burst_ == burst_packets_)
      in_burst_ = 0;
    return first ? std::max(at.due(), line_free_) : line_free_;
  }

  chooser choose_;
  pace pace_;
  sim_time end_;
  std::uint64_t left_;
  line_rate line_;
  std::uint32_t burst_packets_;
  std::uint32_t in_burst_ = 0;
  sim_time line_free_ = 0;  // bursts: when the previous packet has left
};

}  // namespace

std::unique_ptr<traffic_source> make_generator(const generator_config& config) {
  switch (checked(config).settings.arrivals) {
    case arrival_process::constant:
      return std::make_unique<generator<arrival_process::constant>>(config);
    case arrival_process::poisson:
      return std::make_unique<generator<arrival_process::poisson>>(config);
    case arrival_process::burst:
      return std::make_unique<generator<arrival_process::burst>>(config);
  }
  refuse("unknown arrival process");
}

}  // namespace sluice
