/// \file
/// Everything that `--serve` offers: metrics for Prometheus, the live page, and what the page is
/// made of and asks for. docs/live.md is its manual.
///
///     GET  /                    the page; /live.css, /live.js... are its parts
///     GET  /metrics             the last snapshot as Prometheus reads it
///     GET  /api/topology        what there is
///     GET  /api/names           what there are figures of; 503 before the first snapshot
///     GET  /api/state           how it stands; with ?since=N no figures if they are still those
///     POST /api/hold, go-on     stand still, go on
///     POST /api/speed           {"times": 0.5}
///     POST /api/change, end     an item of `events` without `at`; {"event": n}
///
/// Whoever can reach the server may read. Each POST needs `Authorization: Bearer TOKEN` (401).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "live/changes.hpp"
#include "live/http_server.hpp"
#include "live/latest_results.hpp"
#include "topology/scenario.hpp"
#include "topology/steering.hpp"

namespace sluice {

/// 128 random bits of the system, in hexadecimal digits.
std::string make_token();

/// Takes as long for any other token of the same length.
bool same_token(std::string_view a, std::string_view b);

struct live_options {
  serve_address where;
  std::string token;
  double speed = 0;         ///< of the real clock at the begin; 0: the run is on the virtual clock
  double published = 0.25;  ///< wall seconds from snapshot to snapshot
};

class live_server {
public:
  /// \throws std::runtime_error when it cannot listen there
  live_server(const live_options& options, const scenario& s, live_changes& changes,
              steering& steers);
  ~live_server();

  /// "http://127.0.0.1:9464", with the port that was really taken.
  const std::string& url() const { return server_->url(); }

  /// A snapshot for everybody who looks from now on.
  void publish(const run_results& so_far) { latest_.publish(so_far); }
  /// The last one, and what it came to: from here on nothing can be changed.
  void close(const run_results& results, nlohmann::json verdict);

private:
  std::vector<http_server::route> routes();
  http_server::handler steering_route(std::function<http_reply(const http_request&)> act);
  http_reply state(const http_request& q);
  http_reply speed(const http_request& q);

  live_options options_;
  live_changes& changes_;
  steering& steers_;
  std::string topology_;
  latest_results latest_;
  std::atomic<bool> over_{false};
  std::mutex mutex_;  // guards what follows: the figures are made once for all who look
  std::string figures_;
  std::uint64_t figures_of_ = 0;
  nlohmann::json verdict_;
  std::unique_ptr<http_server> server_;  // last: its threads use all of this
};

}  // namespace sluice
