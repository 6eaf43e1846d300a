#include "scenarios/quantity.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <regex>

#include "scenarios/suggest.hpp"

namespace {

using sluice::parse_quantity;
using kind = sluice::quantity::kind;

std::uint64_t amount(const char* text, kind what) {
  const auto r = parse_quantity(text);
  REQUIRE_MESSAGE(r.value, text << ": " << r.message);
  CHECK(r.value->what == what);
  return r.value->amount;
}

}  // namespace

TEST_CASE("every unit has its exact size") {
  CHECK(amount("1ps", kind::duration) == 1);
  CHECK(amount("500ns", kind::duration) == 500'000);
  CHECK(amount("1.5us", kind::duration) == 1'500'000);
  CHECK(amount("2min", kind::duration) == 120'000'000'000'000);
  CHECK(amount("25Gbit", kind::rate) == 25'000'000'000);
  CHECK(amount("0.1kbit", kind::rate) == 100);
  CHECK(amount("1kB", kind::size) == 1'000);
  CHECK(amount("1KiB", kind::size) == 1'024);
  CHECK(amount("0.5MiB", kind::size) == 524'288);
  CHECK(amount("256 packets", kind::packets) == 256);
  CHECK(amount("1packet", kind::packets) == 1);
  CHECK(amount("64p", kind::packets) == 64);
  CHECK(amount("30%", kind::percent) == 300'000);
  CHECK(amount("0.0001%", kind::percent) == 1);
  CHECK(amount("1M", kind::count) == 1'000'000);
  CHECK(amount("100", kind::count) == 100);
}

TEST_CASE("a decimal fraction is exact where a double is not") {
  CHECK(amount("0.3ns", kind::duration) == 300);
  CHECK(amount("4.35Gbit", kind::rate) == 4'350'000'000);
  CHECK(amount("0.000000000001s", kind::duration) == 1);
}

TEST_CASE("a factor is a ratio in lowest terms") {
  const auto half = parse_quantity("0.5x").value;
  REQUIRE(half);
  CHECK(half->amount == 1);
  CHECK(half->divisor == 2);
  const auto odd = parse_quantity("1.25x").value;
  REQUIRE(odd);
  CHECK(odd->amount == 5);
  CHECK(odd->divisor == 4);
}

TEST_CASE("what is finer than the base unit is refused, not rounded") {
  CHECK(parse_quantity("0.5ps").message == "`0.5ps` is not a whole number of picoseconds");
  CHECK_FALSE(parse_quantity("1.5B").value);
  CHECK_FALSE(parse_quantity("0.5packets").value);
}

TEST_CASE("what does not fit into 64 bits is refused, however long") {
  CHECK(amount("18446744073709551615B", kind::size) == UINT64_MAX);
  CHECK_FALSE(parse_quantity("18446744073709551616B").value);
  CHECK_FALSE(parse_quantity("99999999999999999999999Tbit").value);
  CHECK_FALSE(parse_quantity(std::string(5000, '9') + "GiB").value);
  CHECK_FALSE(parse_quantity("0." + std::string(5000, '0') + "1s").value);
  CHECK_FALSE(parse_quantity("1." + std::string(60, '9') + "x").value);
}

TEST_CASE("malformed numbers are refused") {
  for (const auto* text : {"", " ", ".", "1.", ".5s", "-1ms", "+1ms", "1e3s", "0x10", "1_000B",
                           "1,5s", "1 0s", "ten", "1ms ", "NaN", "inf"})
    CHECK_MESSAGE(!parse_quantity(text).value, text);
}

TEST_CASE("usual misspellings of units are recognised") {
  CHECK(parse_quantity("10Gbps").suggestion == "10Gbit");
  CHECK(parse_quantity("10Gbit/s").suggestion == "10Gbit");
  CHECK(parse_quantity("5KB").suggestion == "5kB");
  CHECK(parse_quantity("5µs").suggestion == "5us");
  CHECK(parse_quantity("5mss").suggestion == "5ms");
}

TEST_CASE("what is shown reads back as the same amount") {
  rc::check([](std::uint64_t n) {
    for (const auto k :
         {kind::duration, kind::rate, kind::size, kind::packets, kind::percent, kind::count}) {
      const auto back = parse_quantity(sluice::show_quantity(k, n)).value;
      RC_ASSERT(back);
      RC_ASSERT(back->what == k);
      RC_ASSERT(back->amount == n);
    }
  });
}

TEST_CASE("the schema's patterns take what the parser takes") {
  for (const auto k :
       {kind::duration, kind::rate, kind::size, kind::packets, kind::percent, kind::factor})
    CHECK(std::regex_match(std::string{sluice::kind_example(k)},
                           std::regex{sluice::kind_pattern(k)}));
  CHECK_FALSE(std::regex_match("100", std::regex{sluice::kind_pattern(kind::rate)}));
}

TEST_CASE("the nearest word is found within a third of its letters") {
  const std::vector<std::string> words{"drain", "rate", "delay", "rx-buffer"};
  CHECK(sluice::nearest("drian", words) == "drain");
  CHECK(sluice::nearest("RATE", words) == "rate");
  CHECK(sluice::nearest("rx-bufer", words) == "rx-buffer");
  CHECK_FALSE(sluice::nearest("colour", words));
  CHECK_FALSE(sluice::nearest("", words));
  CHECK(sluice::edit_distance("kitten", "sitting") == 3);
  CHECK(sluice::edit_distance("ab", "ba") == 1);
}
