#include "traffic/replay.hpp"

#include <pcap/dlt.h>

#include <algorithm>
#include <map>

#include "traffic/replay_plan.hpp"

namespace sluice {

namespace {

// What a source needs of one emission; the rest is the same for all.
struct stored {
  sim_time due = 0;  // from the round's begin
  std::uint64_t offset : 45 = 0, special : 3 = 0, socket : 8 = 0, priority : 6 = 0, ecn : 2 = 0;
  std::uint32_t bytes = 0;
  std::uint32_t to = 0;
};
static_assert(sizeof(stored) == 24);

using schedules = std::map<std::uint32_t, std::vector<stored>>;  // by producer

}  // namespace

struct replay::state {
  explicit state(replay_config settings) : config{std::move(settings)}, selector{config} {}

  replay_config config;
  packet_selector selector;
  replay_report report;
  replay_clock::round round;
  std::uint64_t file_version = 0;
  schedules kept;  // empty when streamed

  void read();
};

namespace {

// Round k begins at `start` plus what the clock says; `end` ends it all.
class memory_source final : public traffic_source {
public:
  memory_source(std::shared_ptr<const replay::state> state, const std::vector<stored>& schedule)
      : state_{std::move(state)}, schedule_{schedule}, base_{state_->config.start} {}

  std::size_t next(std::span<emission> out) override {
    const auto stop = state_->config.stop;
    const auto capture = state_->config.capture_index;
    std::size_t n = 0;
    while (n != out.size()) {
      if (at_ == schedule_.size() && !begin_round())
        break;
      const auto batch = std::min(out.size() - n, schedule_.size() - at_);
      for (const auto& entry : schedule_.subspan(at_, batch)) {
        const auto due = base_ + entry.due;
        if (due >= stop) {
          over_ = true;
          return n;
        }
        out[n++] = {due,
                    frame_ref{capture, entry.offset},
                    entry.bytes,
                    entry.to,
                    static_cast<std::uint8_t>(entry.socket),
                    entry.priority < max_priorities ? static_cast<std::uint8_t>(entry.priority)
                                                    : emission::unclassified,
                    static_cast<std::uint8_t>(entry.ecn),
                    static_cast<std::uint8_t>(entry.special)};
        ++at_;
      }
    }
    return n;
  }

private:
  bool begin_round() {
    if (over_ || ++round_ >= state_->config.timing.repeat) {
      over_ = true;
      return false;
    }
    base_ = later(state_->config.start, state_->round.begin(round_));
    at_ = 0;
    return true;
  }

  std::shared_ptr<const replay::state> state_;
  std::span<const stored> schedule_;
  sim_time base_;
  std::size_t at_ = 0;
  std::uint64_t round_ = 0;
  bool over_ = false;
};

class streaming_source final : public traffic_source {
public:
  streaming_source(std::shared_ptr<const replay::state> state, std::uint32_t producer)
      : state_{std::move(state)}, producer_{producer} {
    begin_round();
  }

  std::size_t next(std::span<emission> out) override {
    std::size_t n = 0;
    planned piece;
    while (n != out.size() && walk_) {
      if (!walk_->next(state_->selector, piece, nullptr)) {
        ++round_;
        begin_round();
      } else if (piece.from == producer_) {
        const auto due = base_ + piece.due;
        if (due >= state_->config.stop)
          walk_.reset();
        else
          out[n++] = {due,          frame_ref{state_->config.capture_index, piece.offset},
                      piece.bytes,  piece.to,
                      piece.socket, piece.priority,
                      piece.ecn,    piece.special};
      }
    }
    return n;
  }

private:
  void begin_round() {
    walk_.reset();
    if (round_ >= state_->config.timing.repeat)
      return;
    walk_.emplace(state_->config.file, state_->config.timing);
    if (walk_->reader().file_version() != state_->file_version)
      throw capture_error{traffic_ec::cannot_read, state_->config.file, 0, 0,
                          "changed since the replay was opened"};
    base_ = later(state_->config.start, state_->round.begin(round_));
  }

  std::shared_ptr<const replay::state> state_;
  std::uint32_t producer_;
  std::optional<replay_walk> walk_;
  sim_time base_ = 0;
  std::uint64_t round_ = 0;
};

class no_source final : public traffic_source {
public:
  std::size_t next(std::span<emission>) override { return 0; }
};

}  // namespace

// Reads the capture once: counts, checks, and keeps the schedule as long as it is small.
void replay::state::read() {
  for (const auto& mapping : config.map)
    report.map.push_back({mapping.address, mapping.endpoint, 0, 0, 0});
  std::map<std::uint32_t, replay_report::producer_count> producers;
  replay_walk walk{config.file, config.timing};
  file_version = walk.reader().file_version();
  selector.prepare(DLT_EN10MB);  // so that a bad filter is found in a capture without packets too
  report.in_memory = true;
  planned piece;
  while (walk.next_preparing(selector, piece, report)) {
    auto& producer = producers[piece.from];
    ++producer.packets;
    producer.bytes += piece.bytes;
    if (piece.priority != emission::unclassified)
      producer.priorities = static_cast<std::uint8_t>(producer.priorities | 1u << piece.priority);
    ++report.packets;
    report.bytes += piece.bytes;
    if (report.packets > config.max_records_in_memory || piece.offset >> 45 != 0) {
      report.in_memory = false;
      kept.clear();
    }
    if (report.in_memory)
      kept[piece.from].push_back({piece.due, piece.offset, piece.special, piece.socket,
                                  static_cast<std::uint8_t>(piece.priority & 0x3f), piece.ecn,
                                  piece.bytes, piece.to});
  }
  for (auto& [endpoint, schedule] : kept)
    schedule.shrink_to_fit();
  for (auto& [endpoint, count] : producers)
    report.producers.push_back({endpoint, count.packets, count.bytes, count.priorities});
  round = walk.clock().finish();
  report.period = round.begin(1);
}

replay replay::open(replay_config config) {
  config.stop = std::min(config.stop, never);
  auto opened = std::make_shared<state>(std::move(config));
  opened->read();
  return replay{std::move(opened)};
}

const replay_report& replay::report() const {
  return state_->report;
}

std::vector<std::uint32_t> replay::producers() const {
  std::vector<std::uint32_t> endpoints;
  for (const auto& producer : state_->report.producers)
    endpoints.push_back(producer.endpoint);
  return endpoints;
}

std::unique_ptr<traffic_source> replay::source_for(std::uint32_t endpoint) const {
  const auto emits = producers();
  if (!std::binary_search(emits.begin(), emits.end(), endpoint))
    return std::make_unique<no_source>();
  if (state_->report.in_memory)
    return std::make_unique<memory_source>(state_, state_->kept.at(endpoint));
  return std::make_unique<streaming_source>(state_, endpoint);
}

}  // namespace sluice
