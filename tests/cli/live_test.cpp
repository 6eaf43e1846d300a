// `run --serve` from outside: the two addresses, who may change what, and that a run that was
// changed can be repeated. Nothing here depends on how fast the machine is.
#include <doctest/doctest.h>
#include <httplib.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program.hpp"

using namespace sluice;
using nlohmann::json;

namespace {

/// What comes after `words` on stderr, up to the end of the line.
std::string after(const std::string& err, const std::string& words) {
  const auto at = err.find(words);
  const auto end = at == std::string::npos ? at : err.find('\n', at);
  return end == std::string::npos ? std::string{}
                                  : err.substr(at + words.size(), end - at - words.size());
}

/// Whoever has read the live page's address.
struct visitor {
  std::string token;
  int port = 0;

  explicit visitor(const std::string& url)
      : token{url.substr(url.find("#token=") + 7)},
        port{std::stoi(url.substr(url.rfind(':') + 1))} {}

  json state() const {
    httplib::Client client{"127.0.0.1", port};
    const auto reply = client.Get("/api/state");
    return reply ? json::parse(reply->body) : json{};
  }
  std::pair<int, json> post(const std::string& path, const json& body = json::object()) const {
    httplib::Client client{"127.0.0.1", port};
    client.set_read_timeout(20);
    const auto reply =
        client.Post(path, {{"Authorization", "Bearer " + token}}, body.dump(), "application/json");
    return reply ? std::pair{reply->status, json::parse(reply->body)} : std::pair{0, json{}};
  }
};

/// The line that repeats the run, as the arguments that a shell makes of it; without the program.
std::vector<std::string> arguments_of(const std::string& line) {
  std::vector<std::string> out;
  std::string word;
  bool quoted = false, any = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any)
        out.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any)
    out.push_back(word);
  out.erase(out.begin());
  return out;
}

const char* const scenario_text =
    "name: watched\n"
    "duration: 20ms\n"
    "seed: 9\n"
    "defaults: {flow-control: on_off}\n"
    "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: {w: {drain: 2Gbit}}}}\n"
    "links: [a -- b]\n"
    "traffic: {t: {generate: {rate: 1Gbit, arrivals: poisson}, from: a/v, to: b/w}}\n";

}  // namespace

TEST_CASE("--serve tells of the metrics and of the live page, whose token nobody else knows") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", scenario_text);
  bool looked = false;
  const auto done = watch_program(
      {"run", folder / "s.yaml", "--serve=127.0.0.1:0", "--hold"}, [&](const std::string& err) {
        const auto url = after(err, "live page at ");
        if (looked || url.empty() || err.find("the run is over") == std::string::npos)
          return looked;
        looked = true;
        const visitor who{url};
        CHECK(who.token.size() == 32);
        CHECK(after(err, "serving metrics at ")
              == "http://127.0.0.1:" + std::to_string(who.port) + "/metrics");
        const auto state = who.state();
        CHECK(state["over"] == true);
        CHECK(state["clock"] == "virtual");
        CHECK(state["figures"]["fingerprint"].get<std::string>().size() == 16);
        CHECK(who.post("/api/hold").first == 409);
        httplib::Client client{"127.0.0.1", who.port};
        CHECK(client.Get("/metrics")->body.find("sluice_run_over 1") != std::string::npos);
        return true;
      });
  CHECK(looked);
  CHECK(done.code == 0);
  CHECK(done.err.find("repeats it") == std::string::npos);
}

TEST_CASE("a run that was changed is repeated by the command that it prints, to the same end") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", scenario_text);
  bool changed = false, faster = false;
  const auto done = watch_program(
      {"run", folder / "s.yaml", "--speed", "0.002x", "--seed", "12", "--set", "b/w.drain=1500Mbit",
       "--serve=127.0.0.1:0", "--json", "--out", folder / "out"},
      [&](const std::string& err) {
        const auto url = after(err, "live page at ");
        if (url.empty())
          return false;
        const visitor who{url};
        if (!changed) {
          if (const auto state = who.state(); !state.is_object() || state["figures"].is_null())
            return false;
          changed = true;
          CHECK(who.post("/api/change", {{"set", "b/nobody.drain"}, {"to", "1Gbit"}}).first == 422);
          const auto slow = who.post("/api/change", {{"set", "b/w.drain"}, {"to", "200Mbit"}});
          CHECK_MESSAGE(slow.first == 200, slow.second.dump());
          const auto more =
              who.post("/api/change", {{"set", "t.rate"}, {"to", "3Gbit"}, {"for", "1ms"}});
          CHECK_MESSAGE(more.first == 200, more.second.dump());
          CHECK(who.post("/api/end", {{"event", 0}}).first == 200);
          CHECK(who.post("/api/change", {{"link", "a -- b"}, {"state", "down"}, {"for", "100us"}})
                    .first
                == 200);
          CHECK(who.state()["changes"].size() == 3);
        } else if (!faster) {
          faster = true;
          CHECK(who.post("/api/speed", {{"times", 10}}).first == 200);
        }
        return false;
      });
  REQUIRE(changed);
  REQUIRE(done.code == 0);
  const auto summary = json::parse(done.out);
  REQUIRE(summary["changes"].size() == 3);
  CHECK(summary["changes"][0].contains("for_ps"));
  const auto line = after(done.err, "this repeats it:\n");
  auto again = arguments_of(line);
  CHECK(again.size() == 2 + 2 + 2 + 3 * 2);
  again.push_back("--json");
  const auto repeated = run_program(again);
  REQUIRE_MESSAGE(repeated.code == 0, repeated.err);
  const auto same = json::parse(repeated.out);
  CHECK(same["clock"] == "virtual");
  for (const auto* key : {"fingerprint", "packets", "bytes", "drops", "flows"})
    CHECK_MESSAGE(same[key] == summary[key], key);

  // In the output directory as a script, which is found from anywhere.
  const auto script = read_text_of(folder / "out/repeat.sh");
  CHECK(script.starts_with("#!/bin/sh\n"));
  CHECK(script.find("exec \"${SLUICE:-sluice}\" run " + folder.path() + "/s.yaml --seed 12")
        != std::string::npos);
  CHECK((std::filesystem::status(folder / "out/repeat.sh").permissions()
         & std::filesystem::perms::owner_exec)
        != std::filesystem::perms::none);
  CHECK(read_text_of(folder / "out/report.html").find("events") != std::string::npos);
  CHECK(json::parse(read_text_of(folder / "out/summary.json"))["changes"] == summary["changes"]);
}

TEST_CASE("a run that was changed and interrupted is repeated up to where it was") {
  const temporary_folder folder;
  write_text(folder / "s.yaml", scenario_text);
  bool changed = false;
  const auto done = watch_program(
      {"run", folder / "s.yaml", "--speed", "0.002x", "--serve=127.0.0.1:0", "--json"},
      [&](const std::string& err) {
        const auto url = after(err, "live page at ");
        if (url.empty() || changed)
          return changed;
        const visitor who{url};
        if (const auto state = who.state(); !state.is_object() || state["figures"].is_null())
          return false;
        const auto slow = who.post("/api/change", {{"set", "b/w.drain"}, {"to", "200Mbit"}});
        CHECK_MESSAGE(slow.first == 200, slow.second.dump());
        const auto at = slow.second.value("at_seconds", 0.0);
        changed = true;
        // Until it is in force.
        for (int i = 0; i < 2000; ++i)
          if (who.state()["figures"]["virtual_seconds"].get<double>() > at)
            break;
        return true;
      });
  REQUIRE(changed);
  CHECK(done.code == 130);
  auto again = arguments_of(after(done.err, "this repeats it:\n"));
  again.push_back("--json");
  const auto repeated = run_program(again);
  REQUIRE_MESSAGE(repeated.code == 0, repeated.err);
  CHECK(json::parse(repeated.out)["fingerprint"] == json::parse(done.out)["fingerprint"]);
}

TEST_CASE("an address that is taken or is none ends the program before the run") {
  CHECK(run_program({"run", "scenarios/smallest.yaml", "--serve=127.0.0.1:99999"}).code == 2);
  const auto elsewhere = run_program({"run", "scenarios/smallest.yaml", "--serve=192.0.2.1:0"});
  CHECK(elsewhere.code == 2);
  CHECK(elsewhere.err.find("choose another with --serve") != std::string::npos);
  CHECK(elsewhere.out.empty());
}
