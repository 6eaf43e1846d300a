#include "scenarios/sweep_values.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <cmath>

using namespace sluice;

namespace {

swept_key key_of(std::string_view argument) {
  const auto parsed = parse_swept(argument);
  const auto* wrong = std::get_if<std::string>(&parsed);
  INFO((wrong != nullptr ? *wrong : std::string{}));
  REQUIRE(wrong == nullptr);
  return std::get<swept_key>(parsed);
}

std::string texts_of(std::string_view argument) {
  std::string out;
  for (const auto& v : key_of(argument).values)
    out += (out.empty() ? "" : " ") + v.text;
  return out;
}

std::string problem_of(std::string_view argument) {
  const auto parsed = parse_swept(argument);
  const auto* wrong = std::get_if<std::string>(&parsed);
  return wrong != nullptr ? *wrong : std::string{};
}

}  // namespace

TEST_CASE("a range has ten values, evenly, in units that can be read") {
  CHECK(texts_of("a.rate=1Gbit..10Gbit")
        == "1Gbit 2Gbit 3Gbit 4Gbit 5Gbit 6Gbit 7Gbit 8Gbit 9Gbit 10Gbit");
  CHECK(texts_of("x=200Mbit..2Gbit:4") == "200Mbit 800Mbit 1.4Gbit 2Gbit");
  CHECK(texts_of("x=0..3ms:4") == "0ps 1ms 2ms 3ms");
  CHECK(texts_of("x=64KiB..1MiB:4") == "64KiB 384KiB 704KiB 1MiB");
  CHECK(texts_of("x=0%..100%:5") == "0% 25% 50% 75% 100%");
  CHECK(texts_of("x=1x..2x:3") == "1x 1.5x 2x");
  CHECK(texts_of("x=10p..30p:3") == "10p 20p 30p");
}

TEST_CASE("a range of whole numbers has no more values than there are") {
  CHECK(texts_of("seed=1..4") == "1 2 3 4");
  CHECK(key_of("seed=1..1000").values.size() == 10);
  CHECK(texts_of("seed=1..10") == "1 2 3 4 5 6 7 8 9 10");
}

TEST_CASE("what does not come out even is rounded so that it can be read") {
  CHECK(texts_of("x=0s..1s:4") == "0ps 333ms 667ms 1s");
  CHECK(texts_of("x=1Gbit..100Gbit:log5") == "1Gbit 3.16Gbit 10Gbit 31.6Gbit 100Gbit");
  CHECK(texts_of("x=64KiB..1MiB:log5") == "64KiB 128KiB 256KiB 512KiB 1MiB");
}

TEST_CASE("steps and factors begin at the first end and stay below the last") {
  CHECK(texts_of("x=1Gbit..10Gbit:+4Gbit") == "1Gbit 5Gbit 9Gbit");
  CHECK(texts_of("x=8KiB..100KiB:x2") == "8KiB 16KiB 32KiB 64KiB");
  CHECK(texts_of("x=1us..10us:x2.5") == "1us 2.5us 6.25us");
}

TEST_CASE("a list takes anything, and commas in brackets or quotes separate nothing") {
  CHECK(texts_of("defaults.flow-control=none, on_off,pfc") == "none on_off pfc");
  CHECK(texts_of("x={a: 1, b: 2},[1,2],\"a,b\"") == "{a: 1, b: 2} [1,2] \"a,b\"");
  CHECK(texts_of("x=1Gbit..3Gbit:3,10Gbit") == "1Gbit 2Gbit 3Gbit 10Gbit");
  CHECK(texts_of("x=../a.pcap,../b.pcap") == "../a.pcap ../b.pcap");
  CHECK(texts_of("x=\"1..2\"") == "\"1..2\"");
  CHECK_FALSE(key_of("x=expect == 1").swept());
}

TEST_CASE("values of one kind have numbers in its base unit, others are words") {
  const auto rate = key_of("x=1Gbit,100Mbit");
  CHECK(rate.unit() == "bit/s");
  CHECK(rate.values[1].number == 1e8);
  CHECK(key_of("x=1ms..2ms").values.back().number == 2e-3);
  CHECK(key_of("x=10%,20%").values[1].number == 20);
  CHECK(key_of("x=0,1ms").kind == quantity::kind::duration);
  CHECK_FALSE(key_of("x=none,1ms").kind);
  CHECK_FALSE(key_of("x=10p,64KiB").kind);
}

TEST_CASE("factors make an axis geometric, and so do lists that grow by them") {
  CHECK(key_of("x=1Gbit..8Gbit:x2").geometric);
  CHECK(key_of("x=1Gbit..8Gbit:log3").geometric);
  CHECK(key_of("x=1Gbit,10Gbit,100Gbit").geometric);
  CHECK_FALSE(key_of("x=1Gbit..100Gbit").geometric);
  CHECK_FALSE(key_of("x=1Gbit,2Gbit,3Gbit").geometric);
  CHECK_FALSE(key_of("x=a,b,c").geometric);
}

TEST_CASE("what is wrong with values is told") {
  const auto tells = [](std::string_view argument, std::string_view what) {
    CAPTURE(argument);
    const auto text = problem_of(argument);
    CAPTURE(text);
    CHECK(text.find(what) != std::string::npos);
  };
  tells("seed", "is not PATH=VALUES");
  tells("=1,2", "is not PATH=VALUES");
  tells("x=5..1", "begins with its smaller end");
  tells("x=1Gbit..1Gbit", "begins with its smaller end");
  tells("x=1Gbit..3s", "a rate and a duration");
  tells("x=1Gbps..3Gbit", "did you mean `1Gbit`?");
  tells("x=1..", "an end is missing");
  tells("x=1..9:", "how many values");
  tells("x=1..9:1", "from 2 to 1000");
  tells("x=1..9:1001", "from 2 to 1000");
  tells("x=1..9:log", "from 2 to 1000");
  tells("x=1Gbit..9Gbit:+1ms", "is not a step");
  tells("x=1..9:+0", "is not a step");
  tells("x=1..9:x1", "above 1");
  tells("x=0..9:x2", "from 0");
  tells("x=1..100000:+1", "more than 1000");
  tells("x=1..1000000:x1.0000001", "too near to 1");
  tells("x=1,,2", "missing beside a comma");
  tells("x=1,2,1", "twice");
}

TEST_CASE("property: an even range keeps its ends, rises, and is never far from even") {
  CHECK(rc::check([] {
    const auto from = *rc::gen::inRange<std::uint64_t>(0, 1'000'000'000'000);
    const auto apart = *rc::gen::inRange<std::uint64_t>(1000, 1'000'000'000'000);
    const auto n = *rc::gen::inRange<std::size_t>(2, 101);
    const auto parsed = parse_swept(fmt::format("x={}ps..{}ps:{}", from, from + apart, n));
    const auto* key = std::get_if<swept_key>(&parsed);
    RC_ASSERT(key != nullptr);
    RC_ASSERT(key->values.size() == n);
    const double begin = static_cast<double>(from) * 1e-12;
    const double step = static_cast<double>(apart) * 1e-12 / static_cast<double>(n - 1);
    for (std::size_t i = 0; i < n; ++i) {
      const auto amount = parse_quantity(key->values[i].text).value->amount;
      RC_ASSERT(i != 0 || amount == from);
      RC_ASSERT(i + 1 != n || amount == from + apart);
      RC_ASSERT(i == 0 || key->values[i].number > key->values[i - 1].number);
      RC_ASSERT(std::fabs(key->values[i].number - begin - static_cast<double>(i) * step)
                <= step * 0.011 + 1e-12);
    }
  }));
}
