// The live page's interface against a run that goes on beside it.
#include "live/live_server.hpp"

#include <doctest/doctest.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "live/run_view.hpp"
#include "topology/run.hpp"

using namespace sluice;
using nlohmann::json;

namespace {

constexpr const char* text =
    "name: watched\n"
    "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: {w: {drain: 2Gbit}}}}\n"
    "links: [a -- b]\n"
    "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\n"
    "duration: 100s\n";

/// A scenario with who watches it; the run itself only when a test begins it.
struct watched {
  load_result loaded = load_scenario_text(text, "watched.yaml");
  steering steers;
  live_changes changes{loaded, "watched.yaml", {}, steers};
  live_options options;
  live_server server;

  explicit watched(double speed = 0.001)
      : options{with(speed)}, server{options, *loaded.value, changes, steers} {}

  static live_options with(double speed) {
    return {{"127.0.0.1", 0}, "0123456789abcdef0123456789abcdef", speed};
  }
  httplib::Client client() const {
    return httplib::Client{"127.0.0.1",
                           std::stoi(server.url().substr(server.url().rfind(':') + 1))};
  }
  httplib::Result post(const std::string& path, const std::string& body = {}) const {
    return client().Post(path, {{"Authorization", "Bearer " + options.token}}, body,
                         "application/json");
  }
  json state(const std::string& more = {}) const {
    return json::parse(client().Get("/api/state" + more)->body);
  }
};

/// The engine's side of it: takes every change at 5 ms, and ends each at 7 ms.
class willing {
public:
  explicit willing(steering& s)
      : thread_{[&s, this] {
          while (!stop_) {
            s.serve([](steering::request& r) {
              if (r.ends)
                r.event.duration = 2 * millisecond;
              else
                r.event.at = 5 * millisecond;
              return steering::answer{{}, 0, r.ends ? 7 * millisecond : 5 * millisecond};
            });
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
          }
        }} {}
  ~willing() {
    stop_ = true;
    thread_.join();
  }

private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("the page and its parts are served, and name nothing outside of the program") {
  const watched w;
  const auto page = w.client().Get("/");
  REQUIRE(page);
  CHECK(page->status == 200);
  CHECK(page->body.find("//") == page->body.find("//www"));  // no address at all
  for (const auto* part : {"/live.js", "/live.css", "/common.js", "/report.css", "/uplot.js",
                           "/uplot.css", "/uplot-license.txt"})
    CHECK_MESSAGE(w.client().Get(part)->status == 200, part);
  const auto about = json::parse(w.client().Get("/api/topology")->body);
  CHECK(about["scenario"] == "watched");
  CHECK(about["picture"].get<std::string>().starts_with("<svg"));
  CHECK(about["targets"]["drains"] == json::parse(R"(["a/v.drain", "b/w.drain"])"));
  CHECK(about["targets"]["rates"] == json::parse(R"(["t.rate"])"));
  CHECK(about["targets"]["links"] == json::parse(R"(["a:nic0 -- b:nic0"])"));
}

TEST_CASE("a scrape sees the last published results, and nothing before the first") {
  watched w;
  CHECK(w.client().Get("/metrics")->body == "");
  CHECK(w.client().Get("/api/names")->status == 503);
  CHECK(w.state()["figures"].is_null());

  run_results r;
  r.packet_hops = 1'000'000;
  r.flows.push_back({"t", {10, 1000}, {7, 700}, {1, 100}, {}, 0, 0, 0, {}});
  r.made = {10, 1000};
  w.server.publish(r);
  const auto metrics = w.client().Get("/metrics");
  CHECK(metrics->body.find("sluice_packet_hops_total 1000000") != std::string::npos);
  CHECK(metrics->get_header_value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(json::parse(w.client().Get("/api/names")->body)["flows"] == json::parse(R"(["t"])"));
  const auto first = w.state();
  CHECK(first["snapshot"] == 1);
  CHECK(first["figures"]["packets"]["made"] == 10);
  CHECK(first["figures"]["flows"]["delivered"] == json::parse("[7]"));
  CHECK_FALSE(first["figures"].contains("fingerprint"));
  // Who has these figures gets them once.
  CHECK(w.state("?since=1")["figures"].is_null());
  CHECK(w.client().Get("/api/state?since=x")->status == 400);

  r.packet_hops = 2'000'000;
  r.over = true;
  w.server.close(r, verdict_json(r, {}));
  CHECK(w.client().Get("/metrics")->body.find("_hops_total 2000000") != std::string::npos);
  CHECK(w.state()["over"] == true);
  CHECK(w.state()["verdict"]["code"] == 0);
  CHECK(w.state()["figures"].contains("fingerprint"));
  CHECK(w.post("/api/hold")->status == 409);
}

TEST_CASE("nothing is changed without the token") {
  const watched w;
  for (const auto* path : {"/api/hold", "/api/go-on", "/api/speed", "/api/change", "/api/end"}) {
    CHECK(w.client().Post(path, "{}", "application/json")->status == 401);
    for (const std::string wrong : {"Bearer ", "Bearer 0123456789abcdef0123456789abcdee",
                                    "Basic eDp4", "0123456789abcdef0123456789abcdef"})
      CHECK(w.client().Post(path, {{"Authorization", wrong}}, "{}", "application/json")->status
            == 401);
    // Nor with it in the address, where it would be logged.
    CHECK(w.client()
              .Post(std::string{path} + "?token=" + w.options.token, "{}", "application/json")
              ->status
          == 401);
  }
  CHECK_FALSE(w.steers.held());
  CHECK(make_token().size() == 32);
  CHECK(make_token() != make_token());
}

TEST_CASE("hold, go on and speed reach the run") {
  const watched w;
  CHECK(w.post("/api/hold")->status == 200);
  CHECK(w.steers.held());
  CHECK(w.state()["held"] == true);
  CHECK(w.post("/api/go-on")->status == 200);
  CHECK_FALSE(w.steers.held());
  CHECK(w.state()["speed"] == 0.001);
  CHECK(w.post("/api/speed", R"({"times": 0.5})")->status == 200);
  CHECK(w.steers.speed() == 0.5);
  CHECK(w.state()["speed"] == 0.5);
  for (const auto* wrong : {R"({"times": 0})", R"({"times": -1})", R"({"times": 1e7})"})
    CHECK(w.post("/api/speed", wrong)->status == 422);
  for (const auto* wrong : {"", "x", "[]", "{}", R"({"times": "2"})", R"({"times": 1, "more": 1})",
                            R"({"times": 1e999})"})
    CHECK(w.post("/api/speed", wrong)->status == 400);
  CHECK(w.steers.speed() == 0.5);
}

TEST_CASE("a run on the virtual clock is looked at only") {
  const watched w{0};
  const auto reply = w.post("/api/hold");
  CHECK(reply->status == 409);
  CHECK(reply->body.find("give it --speed") != std::string::npos);
  CHECK(w.state()["clock"] == "virtual");
}

TEST_CASE("a change is checked as the scenario's events are, and the answer says what is wrong") {
  const watched w;
  const auto refused = [&](const std::string& body, int status, const std::string& why) {
    const auto reply = w.post("/api/change", body);
    CHECK_MESSAGE(reply->status == status, body);
    const auto said = json::parse(reply->body);
    CHECK_MESSAGE((said["error"].get<std::string>() + '|' + said.value("hint", "")).find(why)
                      != std::string::npos,
                  reply->body);
  };
  refused("", 400, "as JSON");
  refused("[1]", 400, "as JSON");
  refused("{", 400, "as JSON");
  refused(std::string(2000, '['), 400, "as JSON");
  refused(R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}})", 400, "as JSON");
  refused("{}", 422, "an event says what to do");
  refused(R"({"at": "1ms", "set": "b/w.drain", "to": "1Gbit"})", 422, "chosen by the run");
  refused(R"({"set": "b/x.drain", "to": "1Gbit"})", 422, "b/w.drain");
  refused(R"({"set": "b/w.drain", "to": "10ms"})", 422, "wants a rate");
  refused(R"({"set": "b/w.drain", "to": "1Gbit", "fro": "1ms"})", 422, "did you mean `for`?");
  refused(R"({"set": "b/w.drain", "to": null})", 422, "");
  refused(R"({"set": "b/w.drain}, {at: 0ps, set: b/w.drain", "to": "1Gbit"})", 422, "");
  refused(R"({"link": "a -- c", "state": "down"})", 422, "c");
  CHECK(w.state()["changes"].empty());
}

TEST_CASE("changes are listed with their times, can be ended, and become arguments of a run") {
  watched w;
  const willing engine{w.steers};
  const auto changed = w.post("/api/change", R"({"set": "b/w.drain", "to": "1Gbit"})");
  CHECK(changed->status == 200);
  CHECK(json::parse(changed->body)
        == json::parse(R"({"event": 0, "at_ps": 5000000000, "at_seconds": 0.005})"));
  CHECK(w.post("/api/change", R"({"link": "a -- b", "state": "down", "for": "1ms"})")->status
        == 200);
  CHECK(w.post("/api/end", R"({"event": 0})")->status == 200);
  CHECK(w.post("/api/end", R"({"event": 9})")->status == 409);
  for (const auto* wrong : {"", "{}", R"({"event": -1})", R"({"event": "0"})", R"({"event": 0.5})"})
    CHECK(w.post("/api/end", wrong)->status == 400);

  const auto list = w.state()["changes"];
  REQUIRE(list.size() == 2);
  CHECK(list[0]["text"] == "{set: b/w.drain, to: 1Gbit}");
  CHECK(list[0]["at_seconds"] == 0.005);
  CHECK(list[0]["for_ps"] == 2'000'000'000);
  CHECK(list[1]["for_ps"] == 1'000'000'000);
  const auto overrides = w.changes.overrides();
  REQUIRE(overrides.size() == 2);
  CHECK(overrides[0]
        == "events.+={at: 5000000000ps, set: b/w.drain, to: 1Gbit, for: 2000000000ps}");
  CHECK(overrides[1]
        == "events.+={at: 5000000000ps, link: a -- b, state: down, for: 1000000000ps}");
  // They load, to the same events.
  load_options options;
  options.set = overrides;
  const auto again = load_scenario_text(text, "watched.yaml", options);
  REQUIRE_MESSAGE(again.value, render(again, false));
  REQUIRE(again.value->events.size() == 2);
  CHECK(again.value->events[0].at == 5 * millisecond);
  CHECK(again.value->events[0].duration == 2 * millisecond);
  CHECK(again.value->events[0].bps == 1'000'000'000);
  CHECK(again.value->events[1].what == timed_event::kind::link_down);
}

TEST_CASE("what the run refuses is told with its words") {
  watched w;
  w.steers.close();
  const auto reply = w.post("/api/change", R"({"set": "b/w.drain", "to": "1Gbit"})");
  CHECK(reply->status == 409);
  CHECK(reply->body.find("the run is over") != std::string::npos);
  CHECK(w.state()["changes"].empty());
  CHECK(w.changes.overrides().empty());
}

TEST_CASE("what is written for YAML and for a shell comes back as it was") {
  using ordered = nlohmann::ordered_json;
  CHECK(flow_text(ordered::parse(R"({"on": "leaf2:p1", "priority": [3, 4], "x": "no", "y": ""})"))
        == R"({"on": "leaf2:p1", priority: [3, 4], x: "no", "y": ""})");
  CHECK(flow_text(ordered::parse(R"({"a b": "it's", "c": "a -- b", "d": " e", "f": "g "})"))
        == R"({a b: "it's", c: a -- b, d: " e", f: "g "})");
  CHECK(shell_quoted("h3/vm4.drain=1Gbit") == "h3/vm4.drain=1Gbit");
  CHECK(shell_quoted("it's $HOME") == R"('it'\''s $HOME')");
  CHECK(shell_quoted("") == "''");
}

TEST_CASE("a run is watched and held while it goes on, from several threads") {
  watched w;
  std::atomic<bool> stop{false};
  run_options o;
  o.threads = 2;
  o.real_speed = 0.001;
  o.stop = &stop;
  o.steered = &w.steers;
  o.snapshot_seconds = 0.01;
  o.depths = true;
  o.on_snapshot = [&](const run_results& so_far) { w.server.publish(so_far); };
  run_results results;
  std::thread running{[&] { results = run(*w.loaded.value, o); }};

  const auto until = [&](auto holds) {
    for (int i = 0; i < 3000; ++i) {
      if (holds())
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return false;
  };
  const auto seconds = [&] {
    const auto s = w.state();
    return s["figures"].is_null() ? 0.0 : s["figures"]["virtual_seconds"].get<double>();
  };
  std::atomic<bool> enough{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!enough)
        w.client().Get("/metrics"), w.state();
    });
  CHECK(until([&] { return seconds() > 0; }));
  CHECK(w.post("/api/hold")->status == 200);
  // Held within two ticks of it; then snapshot after snapshot is of the same time.
  double stands = -1;
  std::uint64_t since = 0;
  CHECK(until([&] {
    const auto state = w.state();
    const auto number = state["snapshot"].get<std::uint64_t>();
    const auto now = state["figures"]["virtual_seconds"].get<double>();
    if (now != std::exchange(stands, now))
      since = number;
    return number >= since + 10;
  }));
  CHECK(w.post("/api/go-on")->status == 200);
  CHECK(until([&] { return seconds() > stands; }));
  const auto names = json::parse(w.client().Get("/api/names")->body);
  const auto figures = w.state()["figures"];
  CHECK(figures["components"]["waiting_bytes"].size() == names["components"].size());
  CHECK(std::ranges::any_of(names["components"],
                            [](const auto& c) { return c.contains("capacity_bytes"); }));

  stop = true;
  running.join();
  w.server.close(results, verdict_json(results, {}));
  enough = true;
  for (auto& r : readers)
    r.join();
  const auto last = w.state();
  CHECK(last["figures"]["packets"]["delivered"] == results.delivered.packets);
  CHECK(last["figures"]["interrupted"] == true);
}
