#include "report/sweep.hpp"

#include <doctest/doctest.h>

using namespace sluice;
using nlohmann::json;

namespace {

json a_sweep() {
  return json::parse(R"({"sweep":1,"sluice":"0.1.0","scenario":"s","file":"s.yaml","grid":3,
    "interrupted":true,"set":[],"metrics":["latency{flow=t} p50"],"left_out":{"flows":0},
    "keys":[{"path":"a.rate","unit":"bit/s","scale":"linear","values":["1Gbit","2Gbit","3Gbit"]}],
    "expect":[{"text":"drops == 0","points":2,"failed":1,"first_failed":2}],
    "points":[
     {"point":1,"values":["1Gbit"],"numbers":[1000000000.0],"verdict":"ok","made":10,"delivered":10,
      "dropped":0,"held":0,"goodput_bps":8.0,"stops":1,"paused_seconds":0.5,"pause_frames":0,
      "virtual_seconds":1.0,"seed":1,"fingerprint":"00000000000000ff","completed_seconds":0.5,
      "latency_ns":{"min":1,"mean":2,"p50":2,"p99":3000,"p999":3,"max":3},
      "flows":{"t":{"made":10,"delivered":10,"dropped":0,"held":0,"goodput_bps":8.0,
        "latency_ns":{"min":1,"mean":2,"p50":2,"p99":3000,"p999":3,"max":3},"completed_seconds":0.5}},
      "expect":[{"text":"drops == 0","measured":0,"ok":true}],
      "metrics":[{"text":"latency{flow=t} p50","unit":"s","measured":0.002}]},
     {"point":2,"values":["2Gbit"],"numbers":[2000000000.0],"verdict":"failed","made":10,"delivered":0,
      "dropped":10,"held":0,"goodput_bps":0.0,"stops":0,"paused_seconds":0.0,"pause_frames":0,
      "virtual_seconds":1.0,"seed":1,"fingerprint":"00000000000000fe","completed_seconds":null,
      "latency_ns":null,"flows":{},
      "expect":[{"text":"drops == 0","measured":10,"ok":false}],
      "metrics":[{"text":"latency{flow=t} p50","unit":"s","measured":null}]},
     {"point":3,"values":["3Gbit"],"numbers":[3000000000.0],"verdict":"error","error":"no disk"}]})");
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a sweep's table has a row for each point, and where expectations fail first") {
  auto sweep = a_sweep();
  const auto chosen = sweep_text(sweep);
  CAPTURE(chosen);
  CHECK(contains(chosen, "latency{flow=t} p50"));
  CHECK(contains(chosen, "2 ms"));
  CHECK(contains(chosen, "1 of 1 not met"));
  CHECK(contains(chosen, "error"));
  CHECK(contains(chosen,
                 "drops == 0: did not hold at 1 of 2 points, first at point 2 "
                 "(a.rate=2Gbit)"));
  sweep["metrics"] = json::array();
  const auto main = sweep_text(sweep);
  CHECK(contains(main, "delivered"));
  CHECK(contains(main, "500 ms"));
  CHECK(contains(main, "3 us"));
}

TEST_CASE("a sweep's CSV is in base units, and empty where there is nothing") {
  const auto csv = sweep_csv(a_sweep());
  CAPTURE(csv);
  CHECK(csv.starts_with("point,a.rate (bit/s),verdict,made,"));
  CHECK(contains(csv,
                 "\n1,1000000000.0,ok,10,10,0,0,8.0,1,2,2,3000,3,3,0.5,1,0.5,0,1.0,1,"
                 "00000000000000ff,0.002,0\n"));
  CHECK(contains(
      csv, "\n2,2000000000.0,failed,10,0,10,0,0.0,,,,,,,,0,0.0,0,1.0,1,00000000000000fe,,1\n"));
  CHECK(contains(csv, "\n3,3000000000.0,error,,,,,,,,,,,,,,,,,,,,\n"));
  const auto flows = sweep_flows_csv(a_sweep());
  CHECK(flows == "point,a.rate (bit/s),flow,made,delivered,dropped,held,goodput_bps,latency_min_ns,"
                 "latency_mean_ns,latency_p50_ns,latency_p99_ns,latency_p999_ns,latency_max_ns,"
                 "completed_seconds\n"
                 "1,1000000000.0,t,10,10,0,0,8.0,1,2,2,3000,3,3,0.5\n");
}

TEST_CASE("a field of CSV is neither a formula nor two fields") {
  auto sweep = a_sweep();
  sweep["points"] = json::array(
      {{{"point", 1}, {"values", {"=1+1,\"x\""}}, {"numbers", {nullptr}}, {"verdict", "error"}}});
  CHECK(contains(sweep_csv(sweep), "\n1,\"'=1+1,\"\"x\"\"\",error,"));
}

TEST_CASE("a sweep's page holds all it needs, and no text of it gets out of the data") {
  auto sweep = a_sweep();
  const std::string evil = "</script><script>alert(1)</script>";
  sweep["scenario"] = evil;
  sweep["points"][0]["values"][0] = evil;
  const auto page = sweep_html(sweep);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK_FALSE(contains(page, "<script>alert"));
  CHECK_FALSE(contains(page, "src=\""));
  CHECK_FALSE(contains(page, "_JS@"));
  CHECK(contains(page, "uPlot=function"));
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const auto from = page.find(begin) + begin.size();
  CHECK(json::parse(page.substr(from, page.find("</script>", from) - from)) == sweep);
}
