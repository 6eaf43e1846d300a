#include "scenarios/expectation.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "scenarios/check.hpp"
#include "scenarios/quantity.hpp"

namespace sluice {

namespace {

constexpr std::string_view shape = "as in `latency{flow=web} p99 < 400us`";

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct failure {
  expectation_error error;
};

class parser {
public:
  explicit parser(std::string_view text) : text_{text} {}

  expectation parse() {
    expectation e;
    e.text = std::string{text_};
    spaces();
    const auto begin = i_;
    const auto name = take([](char c) { return word_char(c); });
    if (name.empty() || (name[0] >= '0' && name[0] <= '9'))
      fail(begin, std::max<std::size_t>(1, name.size()), "a metric's name is missing", shape);
    e.metric = std::string{name};
    spaces();
    if (peek() == '{')
      labels(e);
    spaces();
    aggregate(e);
    spaces();
    comparison(e);
    spaces();
    number(e);
    return e;
  }

private:
  [[noreturn]] void fail(std::size_t at, std::size_t length, std::string message,
                         std::string_view hint = {}) {
    throw failure{{at, length, std::move(message), std::string{hint}}};
  }

  char peek() const { return i_ < text_.size() ? text_[i_] : '\0'; }

  void spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n')
      ++i_;
  }

  template <typename predicate>
  std::string_view take(predicate p) {
    const auto begin = i_;
    while (i_ < text_.size() && p(text_[i_]))
      ++i_;
    return text_.substr(begin, i_ - begin);
  }

  void labels(expectation& e) {
    const auto brace = i_++;
    for (;;) {
      spaces();
      if (peek() == '}') {
        ++i_;
        return;
      }
      const auto begin = i_;
      const auto name = take(word_char);
      if (name.empty())
        fail(i_ < text_.size() ? begin : brace, 1,
             i_ < text_.size() ? "a label's name is missing" : "`{` is not closed with `}`", shape);
      spaces();
      if (peek() != '=')
        fail(i_, 1, fmt::format("label `{}` wants `=` and a value", name), shape);
      ++i_;
      spaces();
      std::string value;
      if (peek() == '"' || peek() == '\'') {
        const auto quote = text_[i_++];
        value = take([&](char c) { return c != quote; });
        if (peek() != quote)
          fail(begin, 1, "a quote is not closed");
        ++i_;
      } else {
        value = take([](char c) { return c != ',' && c != '}' && c != ' '; });
      }
      if (value.empty())
        fail(begin, name.size(), fmt::format("label `{}` has no value", name), shape);
      for (const auto& l : e.labels)
        if (l.name == name)
          fail(begin, name.size(), fmt::format("label `{}` is given twice", name));
      e.labels.push_back({std::string{name}, value});
      spaces();
      if (peek() == ',')
        ++i_;
      else if (peek() != '}')
        fail(i_ < text_.size() ? i_ : brace, 1,
             i_ < text_.size() ? "labels are separated by `,`" : "`{` is not closed with `}`",
             shape);
    }
  }

  void aggregate(expectation& e) {
    struct name {
      std::string_view text;
      expectation::aggregate value;
    };
    static constexpr std::array names{
        name{"p50", expectation::aggregate::p50},    name{"p99", expectation::aggregate::p99},
        name{"p99.9", expectation::aggregate::p999}, name{"max", expectation::aggregate::max},
        name{"mean", expectation::aggregate::mean},  name{"min", expectation::aggregate::min},
    };
    const auto begin = i_;
    const auto word = take([](char c) { return word_char(c) || c == '.'; });
    if (word.empty())
      return;
    for (const auto& n : names)
      if (n.text == word) {
        e.of = n.value;
        return;
      }
    fail(begin, word.size(), fmt::format("`{}` is none of p50, p99, p99.9, max, mean, min", word),
         did_you_mean(word, {"p50", "p99", "p99.9", "max", "mean", "min"}));
  }

  void comparison(expectation& e) {
    struct name {
      std::string_view text;
      expectation::op value;
    };
    static constexpr std::array names{
        name{"==", expectation::op::eq}, name{"!=", expectation::op::ne},
        name{"<=", expectation::op::le}, name{">=", expectation::op::ge},
        name{"<", expectation::op::lt},  name{">", expectation::op::gt},
    };
    const auto begin = i_;
    const auto word = take([](char c) { return c == '=' || c == '!' || c == '<' || c == '>'; });
    for (const auto& n : names)
      if (n.text == word) {
        e.compare = n.value;
        return;
      }
    if (word.empty())
      fail(begin, 1, "a comparison is missing: ==, !=, <, <=, > or >=", shape);
    fail(begin, word.size(), fmt::format("`{}` is none of ==, !=, <, <=, >, >=", word),
         word == "="    ? "did you mean `==`?"
         : word == "=<" ? "did you mean `<=`?"
         : word == "=>" ? "did you mean `>=`?"
                        : "");
  }

  void number(expectation& e) {
    auto word = text_.substr(i_);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t' || word.back() == '\n'))
      word.remove_suffix(1);
    if (word.empty())
      fail(text_.empty() ? 0 : text_.size() - 1, 1, "a number is missing after the comparison",
           shape);
    // Counts and ratios may be any decimal number; those with a unit are exact.
    double plain = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), plain);
    if (error == std::errc{} && end == word.data() + word.size() && plain - plain == 0) {
      e.number = plain;
      return;
    }
    const auto parsed = parse_quantity(word);
    if (!parsed.value)
      fail(i_, word.size(),
           parsed.numeric ? parsed.message : fmt::format("`{}` is not a number", word),
           parsed.suggestion.empty() ? std::string{}
                                     : fmt::format("did you mean `{}`?", parsed.suggestion));
    const auto amount = static_cast<double>(parsed.value->amount);
    using unit = expectation::number_unit;
    switch (parsed.value->what) {
      case quantity::kind::count:
      case quantity::kind::packets:
        e.number = amount;
        break;
      case quantity::kind::factor:
        e.number = amount / static_cast<double>(parsed.value->divisor);
        break;
      case quantity::kind::duration:
        e.number = amount / static_cast<double>(second);
        e.unit = unit::seconds;
        break;
      case quantity::kind::rate:
        e.number = amount;
        e.unit = unit::bits_per_second;
        break;
      case quantity::kind::size:
        e.number = amount;
        e.unit = unit::bytes;
        break;
      case quantity::kind::percent:
        e.number = amount / 1e6;
        e.unit = unit::ratio;
        break;
    }
  }

  std::string_view text_;
  std::size_t i_ = 0;
};

}  // namespace

std::variant<expectation, expectation_error> parse_expectation(std::string_view text) {
  try {
    return parser{text}.parse();
  } catch (failure& f) {
    return std::move(f.error);
  }
}

}  // namespace sluice
