#include "live/live_server.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "live/assets.hpp"
#include "live/run_view.hpp"
#include "metrics/exposition.hpp"
#include "metrics/version.hpp"
#include "report/assets.hpp"

namespace sluice {

namespace {

using nlohmann::json;

http_server::route part(const char* path, std::string_view text, const char* type) {
  return {"GET", path, [text, type](const http_request&) {
            return http_reply{200, std::string{text}, type};
          }};
}

constexpr double fastest = 1e6;

}  // namespace

std::string make_token() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
    throw std::runtime_error{"the system gives no random numbers"};
  std::string out;
  for (const auto b : bytes)
    out += fmt::format("{:02x}", b);
  return out;
}

bool same_token(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  unsigned char differs = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    differs |= static_cast<unsigned char>(a[i] ^ b[i]);
  return differs == 0;
}

live_server::live_server(const live_options& options, const scenario& s, live_changes& changes,
                         steering& steers)
    : options_{options}, changes_{changes}, steers_{steers}, topology_{topology_text(s)} {
  server_ = std::make_unique<http_server>(options_.where, routes());
}

live_server::~live_server() = default;

void live_server::close(const run_results& results, json verdict) {
  {
    const std::scoped_lock lock{mutex_};
    verdict_ = std::move(verdict);
  }
  latest_.publish(results);
  over_ = true;
}

std::vector<http_server::route> live_server::routes() {
  constexpr auto html = "text/html; charset=utf-8", css = "text/css; charset=utf-8",
                 js = "text/javascript; charset=utf-8";
  std::vector<http_server::route> out{
      part("/", live_assets::live_html, html),
      part("/report.css", report_assets::report_css, css),
      part("/live.css", live_assets::live_css, css),
      part("/uplot.css", report_assets::uPlot_min_css, css),
      part("/uplot.js", report_assets::uPlot_iife_min_js, js),
      part("/uplot-license.txt", report_assets::LICENSE, "text/plain; charset=utf-8"),
      part("/common.js", report_assets::common_js, js),
      part("/live.js", live_assets::live_js, js),
  };
  out.push_back({"GET", "/metrics", [this](const http_request&) {
                   const auto last = latest_.get().results;
                   return http_reply{200, last ? metrics_text(*last) : std::string{},
                                     "text/plain; version=0.0.4; charset=utf-8"};
                 }});
  out.push_back({"GET", "/api/topology", [this](const http_request&) {
                   return http_reply{200, topology_};
                 }});
  out.push_back({"GET", "/api/names", [this](const http_request&) {
                   const auto last = latest_.get().results;
                   return last ? http_reply{200, names_text(*last)}
                               : refusal(503, "there is no snapshot yet", "try again soon");
                 }});
  out.push_back({"GET", "/api/state", [this](const http_request& q) { return state(q); }});
  const auto post = [&](const char* path, std::function<http_reply(const http_request&)> act) {
    out.push_back({"POST", path, steering_route(std::move(act))});
  };
  post("/api/hold", [this](const http_request&) {
    steers_.hold();
    return http_reply{200, "{\"held\":true}\n"};
  });
  post("/api/go-on", [this](const http_request&) {
    steers_.go_on();
    return http_reply{200, "{\"held\":false}\n"};
  });
  post("/api/speed", [this](const http_request& q) { return speed(q); });
  post("/api/change", [this](const http_request& q) { return changes_.change(q.body); });
  post("/api/end", [this](const http_request& q) { return changes_.end(q.body); });
  return out;
}

http_server::handler live_server::steering_route(
    std::function<http_reply(const http_request&)> act) {
  return [this, act = std::move(act)](const http_request& q) {
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = q.authorization;
    if (!given.starts_with(scheme) || !same_token(given.substr(scheme.size()), options_.token))
      return refusal(401, "changing anything needs the token that the program has printed",
                     "Authorization: Bearer TOKEN");
    if (options_.speed <= 0)
      return refusal(409, "this run is on the virtual clock: give it --speed",
                     "or `clock: real` in the scenario");
    if (over_)
      return refusal(409, "the run is over");
    return act(q);
  };
}

http_reply live_server::speed(const http_request& q) {
  const auto body = json::parse(q.body, nullptr, false);
  if (!body.is_object() || body.size() != 1 || !body.contains("times")
      || !body["times"].is_number())
    return refusal(400, "the body says how many times as fast as the wall clock",
                   R"(for example {"times": 0.5})");
  const auto times = body["times"].get<double>();
  if (!std::isfinite(times) || !(times > 0) || times > fastest)
    return refusal(422, fmt::format("a speed is more than 0 and at most {}", fastest));
  steers_.speed(times);
  return {200, json{{"speed", times}}.dump() + '\n'};
}

http_reply live_server::state(const http_request& q) {
  std::uint64_t since = 0;
  if (const auto asked = q.query.find("since"); asked != q.query.end()) {
    const auto& text = asked->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (error != std::errc{} || end != text.data() + text.size())
      return refusal(400, "`since` is the number of a snapshot");
  }
  const auto last = latest_.get();
  json head{{"sluice", sluice_version},
            {"snapshot", last.number},
            {"snapshot_seconds", options_.published},
            {"clock", options_.speed > 0 ? "real" : "virtual"},
            {"over", over_.load()},
            {"held", steers_.held()},
            {"speed", steers_.speed() > 0 ? steers_.speed() : options_.speed},
            {"changes", changes_.list()}};
  std::string figures = "null";
  {
    const std::scoped_lock lock{mutex_};
    if (over_)
      head["verdict"] = verdict_;
    if (last.results && last.number != since) {
      if (last.number != figures_of_) {
        figures_ = figures_text(*last.results);
        figures_of_ = last.number;
      }
      figures = figures_;
    }
  }
  auto text = head.dump(-1, ' ', false, json::error_handler_t::replace);
  text.pop_back();
  return {200, text + ",\"figures\":" + figures + "}\n"};
}

}  // namespace sluice
