#include "scenarios/expectation.hpp"

#include <doctest/doctest.h>

namespace {

using sluice::expectation;

expectation good(const char* text) {
  auto r = sluice::parse_expectation(text);
  const auto* wrong = std::get_if<sluice::expectation_error>(&r);
  REQUIRE_MESSAGE(wrong == nullptr, text << ": " << (wrong ? wrong->message : ""));
  return std::get<expectation>(r);
}

sluice::expectation_error bad(const char* text) {
  auto r = sluice::parse_expectation(text);
  REQUIRE_MESSAGE(std::holds_alternative<sluice::expectation_error>(r), text);
  return std::get<sluice::expectation_error>(r);
}

}  // namespace

TEST_CASE("a line has a metric, labels, an aggregate, a comparison and a number") {
  const auto e = good("latency{flow=storage, priority=3} p99.9 <= 400us");
  CHECK(e.metric == "latency");
  REQUIRE(e.labels.size() == 2);
  CHECK(e.labels[0].name == "flow");
  CHECK(e.labels[0].value == "storage");
  CHECK(e.labels[1].value == "3");
  CHECK(e.of == expectation::aggregate::p999);
  CHECK(e.compare == expectation::op::le);
  CHECK(e.number == doctest::Approx(400e-6));
  CHECK(e.unit == expectation::number_unit::seconds);
}

TEST_CASE("numbers come in base units") {
  CHECK(good("delivered == 100%").number == 1.0);
  CHECK(good("delivered == 100%").unit == expectation::number_unit::ratio);
  CHECK(good("goodput > 2.5Gbit").number == 2.5e9);
  CHECK(good("queue max < 256KiB").number == 256 * 1024);
  CHECK(good("drops == 0").number == 0);
  CHECK(good("share < 0.95").number == 0.95);
  CHECK(good("pps > 1.98e7").number == 1.98e7);
  CHECK(good("made >= 1M").number == 1e6);
}

TEST_CASE("labels may be quoted, and spaces do not matter") {
  CHECK(good("x{port=\"leaf2:p1\"}>0").labels[0].value == "leaf2:p1");
  CHECK(good("x{ port = leaf2:p1 } > 0").labels[0].value == "leaf2:p1");
  CHECK(good("x{}!=0").labels.empty());
}

TEST_CASE("what is wrong is pointed at") {
  CHECK(bad("drops = 0").at == 6);
  CHECK(bad("drops = 0").hint == "did you mean `==`?");
  CHECK(bad("latency p98 < 1ms").at == 8);
  CHECK(bad("latency < 1mss").hint == "did you mean `1ms`?");
  CHECK(bad("drops{flow=a == 0").at == 13);
  for (const auto* text :
       {"", "== 0", "drops", "drops ==", "drops{", "drops{a", "drops{a=", "drops{a=}", "drops{a=b",
        "drops{a=\"b}", "drops{a=1,a=2} == 0", "drops == -1ms", "drops == nan", "drops == inf",
        "5 == 5", "drops == 0 0", "drops =< 1"})
    bad(text);
}
