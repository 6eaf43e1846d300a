#include "report/report.hpp"

#include <doctest/doctest.h>

#include "report/diff.hpp"

using namespace sluice;
using nlohmann::json;

namespace {

json a_summary() {
  return json::parse(R"({"sluice":"0.1.0","scenario":"s","seed":1,"fingerprint":"00000000000000ff",
    "virtual_seconds":0.002,"packets":{"made":10,"delivered":8,"dropped":2,"held":0},
    "bytes":{"made":1000,"delivered":800,"dropped":200,"held":0},
    "flows":{"t":{"made":10,"delivered":8,"dropped":2,"held":0,"goodput_bps":3200000.0,
      "latency_ns":{"min":1,"mean":2,"p50":2,"p99":3000,"p999":3,"max":3}}},
    "drops":[{"component":"b/w.socket","reason":"buffer_full","priority":0,"packets":2,"bytes":200}],
    "pauses":[{"on":"b:nic0","holds":"a:nic0-tx","priority":3,"sent":1,"received":1,
      "paused_seconds":0.0005}],
    "components":{},"expect":[]})");
}

json a_series() {
  return json::parse(R"({"series":1,"seconds":[0.001,0.002],"flows":[
    {"flow":"t","delivered":[3,8],"delivered_bytes":[300,800],"dropped":[0,2]}],
    "components":[],"pauses":[],"pause_frames":[],"flow_packets":[],"left_out":{}})");
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// What the page's script will read.
json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const auto from = page.find(begin) + begin.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

}  // namespace

TEST_CASE("a report holds all it needs, and its data unchanged") {
  report_parts parts{a_summary(), a_series(), "nodes: {}\n", json::object(), "<svg></svg>"};
  const auto page = report_html(parts);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  CHECK_FALSE(contains(page, "src=\""));
  CHECK_FALSE(contains(page, "@DATA@"));
  CHECK(contains(page, "uPlot=function"));
  CHECK(contains(page, "Leon Sorokin"));
  const auto data = data_of(page);
  CHECK(data["summary"] == parts.summary);
  CHECK(data["series"] == parts.series);
  CHECK(data["scenario"] == parts.scenario);
}

TEST_CASE("no text of a run gets out of the data") {
  const std::string evil = "</script><script>alert(1)</script><!-- @JS@ & \" ' \xff";
  report_parts parts{a_summary(), nullptr, evil, nullptr, evil};
  parts.summary["scenario"] = evil;
  parts.summary["flows"][evil] = parts.summary["flows"]["t"];
  const auto page = report_html(parts);
  CHECK_FALSE(contains(page, "<script>alert"));
  CHECK(contains(page, "&lt;script&gt;alert(1)"));  // in the title
  const auto data = data_of(page);
  CHECK(data["scenario"].get<std::string>().starts_with("</script><script>alert(1)</script><!--"));
  CHECK(data["summary"]["flows"].size() == 2);
}

TEST_CASE("a file that is no JSON, too deep or not what it should be is refused with the reason") {
  const auto says = [](const std::string& text, std::string_view why) {
    try {
      read_checked(text, problem_of_summary);
      FAIL("it was read: " << text);
    } catch (const std::invalid_argument& e) {
      CHECK(contains(e.what(), why));
    }
  };
  CHECK(read_checked(a_summary().dump(), problem_of_summary) == a_summary());
  says("", "parse error");
  says(a_summary().dump() + "}", "parse error");
  says("{\"scenario\":\"\xff\"}", "UTF-8");
  says("{\"a\":1e999}", "overflow");
  says(std::string(100, '[') + std::string(100, ']'), "it is nested too deeply");
  says(std::string(1'000'000, '['), "");
  says("[]", "it is not an object");
}

TEST_CASE("two reports stand beside each other in one page") {
  const named_report a{"first</script><b>", {a_summary(), a_series(), "", nullptr, ""}};
  const named_report b{"second",
                       {a_summary(), nullptr, "</script><script>alert(1)</script>", nullptr, ""}};
  const auto page = diff_html(a, b, "1 < 2 @DATA@");
  CHECK(contains(page, "1 &lt; 2 @DATA@"));
  CHECK_FALSE(contains(page, "<script>alert"));
  CHECK_FALSE(contains(page, "<b>"));
  const auto data = data_of(page);
  REQUIRE(data.size() == 2);
  CHECK(data[0]["name"] == a.name);
  CHECK(data[0]["page"] == report_html(a.parts));
  CHECK(data[1]["page"] == report_html(b.parts));
}

TEST_CASE("files that cannot be shown are told from those that can") {
  CHECK(problem_of_summary(a_summary()) == "");
  CHECK(problem_of_series(a_series()) == "");
  CHECK(problem_of_summary(json::array()) != "");
  for (const auto* key : {"fingerprint", "scenario", "flows", "packets", "drops", "expect"}) {
    auto s = a_summary();
    s.erase(key);
    CHECK(contains(problem_of_summary(s), key));
    s[key] = 7;
    CHECK(contains(problem_of_summary(s), key));
  }
  auto s = a_summary();
  s["flows"]["t"] = 3;
  CHECK(contains(problem_of_summary(s), "\"t\""));

  s = a_summary();
  s["set"] = {"a=b"};
  s["taps"] = {{{"on", "a:nic0"}, {"file", "a.pcapng"}}};
  CHECK(problem_of_summary(s) == "");
  s["set"] = {7};
  CHECK(contains(problem_of_summary(s), "\"set\""));
  s["set"] = "a=b";
  CHECK(contains(problem_of_summary(s), "\"set\""));
  s = a_summary();
  for (const auto& wrong : {json{7}, json{{{"file", 7}}}, json{json::object()}, json("a")}) {
    s["taps"] = wrong;
    CHECK(contains(problem_of_summary(s), "\"taps\""));
  }

  auto x = a_series();
  x["series"] = 2;
  CHECK(problem_of_series(x) != "");
  x = a_series();
  x["flows"][0]["dropped"] = {1};
  CHECK(contains(problem_of_series(x), "1 values for 2 samples"));
  x = a_series();
  x["pauses"] = {1};
  CHECK(problem_of_series(x) != "");
  CHECK(problem_of_series(nullptr) != "");
}

TEST_CASE("a comparison says what changed") {
  const auto a = a_summary();
  auto b = a;
  CHECK_FALSE(contains(diff_text({"x", &a}, {"y", &b}), "%"));

  b["packets"]["delivered"] = 10;
  b["flows"]["t"]["delivered"] = 10;
  b["flows"]["new"] = b["flows"]["t"];
  b["drops"] = json::array();
  const auto text = diff_text({"x", &a}, {"y", &b});
  INFO(text);
  CHECK(contains(text, "+25.0%"));
  CHECK(contains(text, "flow new"));
  CHECK(contains(text, "b/w.socket"));
  CHECK(contains(text, "-100.0%"));
  CHECK(contains(text, "3 us"));
}

TEST_CASE("the longest names of scenarios are compared") {
  for (const std::size_t size : {90, 110, 130, 1'000}) {
    auto a = a_summary(), b = a_summary();
    b["scenario"] = std::string(size, 'x');
    b["flows"][std::string(size, 'y')] = b["flows"]["t"];
    const auto text = diff_text({"a", &a}, {"b", &b});
    CHECK(contains(text, std::string(size, 'x')));
    CHECK(contains(text, "...yyyyy"));
  }
}

TEST_CASE("figures that no run has are compared without nonsense") {
  auto a = a_summary();
  a["drops"] =
      json::parse(R"([{"component":"x","packets":1.7e308},{"component":"x","packets":1.7e308}])");
  const auto b = a_summary();
  auto c = b;
  c["drops"][0]["component"] = "x";
  const auto text = diff_text({"a", &a}, {"c", &c});
  CHECK(contains(text, "differs"));
  CHECK_FALSE(contains(text, "nan"));
}
