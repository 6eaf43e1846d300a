// Input that nobody writes by accident: it must end in a diagnostic, quickly, and in little memory.
#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "scenarios/loader.hpp"

namespace {

std::string load(const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  const auto r = sluice::load_scenario_text(text, "x.yaml", {.check_files = false});
  const auto took = std::chrono::steady_clock::now() - begin;
  // Sanitizers and busy machines are slow; a quadratic reader would take minutes.
  CHECK(took < std::chrono::seconds{20});
  CHECK_FALSE(r.value);
  CHECK(r.diagnostics.size() <= sluice::max_reported_errors + 1);
  return sluice::render(r, false);
}

bool says(const std::string& text, const std::string& part) {
  const auto out = load(text);
  if (out.find(part) != std::string::npos)
    return true;
  MESSAGE(out.substr(0, 500));
  return false;
}

std::string repeated(const std::string& what, std::size_t n) {
  std::string out;
  out.reserve(what.size() * n);
  for (std::size_t i = 0; i < n; ++i)
    out += what;
  return out;
}

constexpr std::size_t mega = 1024 * 1024;

/// A folder of files, gone at the end.
class folder {
public:
  folder()
      : path_{std::filesystem::temp_directory_path()
              / ("sluice-test-" + std::to_string(::getpid()))} {
    std::filesystem::create_directories(path_ / "sub");
  }
  ~folder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream{path_ / name} << text;
    return (path_ / name).string();
  }
  std::string at(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("ten megabytes of nesting are refused") {
  CHECK(says(repeated("[", 10 * mega), "larger than"));
  CHECK(says(repeated("[", 3 * mega), "nested deeper than 64"));
  CHECK(says(repeated("{a: ", mega), "nested deeper than 64"));
  CHECK(says(repeated("- ", 2 * mega), "nested deeper than 64"));
  CHECK(says(repeated("? ", 2 * mega), "nested deeper than 64"));
  CHECK(says(repeated("&a [", mega), "nested deeper than 64"));
  CHECK(says(repeated("\"]\",[", 500'000), "error"));
  std::string block;
  for (int i = 0; i < 1000; ++i)
    block += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  CHECK(says(block, "nested deeper than 64"));
}

TEST_CASE("megabytes of values are refused") {
  CHECK(says("nodes: [" + repeated("a,", 2 * mega - 10) + "]", "more than 500000 values"));
  CHECK(says(repeated("- a\n", mega - 10), "more than 500000 values"));
  CHECK(says(repeated("\"\"", mega), "error"));
  CHECK(says("name: " + repeated("x", 3 * mega) + "\nnodes: 3", "error"));
}

TEST_CASE("an alias bomb is refused before it grows") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 9; ++k)
      bomb += ", " + last;
    bomb += "]\n";
  }
  CHECK(says(bomb, "more than 500000 values, counting every alias"));
}

TEST_CASE("a merge bomb is refused too") {
  std::string bomb = "a: &a {";
  for (int i = 0; i < 1000; ++i)
    bomb += "k" + std::to_string(i) + ": 1, ";
  bomb += "z: 1}\n";
  for (int i = 0; i < 2000; ++i)
    bomb += "b" + std::to_string(i) + ": {<<: *a}\n";
  CHECK(says(bomb, "more than 500000 values"));
}

TEST_CASE("cycles of anchors are refused") {
  CHECK(says("nodes: &a {x: *a}", "refers to a value that contains it"));
  CHECK(says("nodes: &a [*a]", "refers to a value that contains it"));
  CHECK(says("nodes: &a {<<: *a}", "refers to a value that contains it"));
  CHECK(says("nodes: *nowhere", "anchor"));
}

TEST_CASE("anchors, aliases and merge keys work") {
  const auto r = sluice::load_scenario_text(
      "nodes:\n  a: &h {kind: host, vms: [v], nic: &n {rx-buffer: 1MiB}}\n  b: *h\n  c: {<<: *h, "
      "vms: "
      "[w]}\n  d: {<<: [{kind: host}, *h], nic: {<<: *n, tx-buffer: 2MiB}}\n",
      "x.yaml", {});
  REQUIRE_MESSAGE(r.value, sluice::render(r, false));
  const auto host = [&](std::size_t i) {
    return std::get<sluice::host_settings>(r.value->nodes[i].as);
  };
  CHECK(host(1).vms[0].name == "v");
  CHECK(host(2).vms[0].name == "w");
  CHECK(host(2).nic.rx_buffer_bytes == mega);
  CHECK(host(3).nic.rx_buffer_bytes == mega);
  CHECK(host(3).nic.tx_buffer_bytes == 2 * mega);
}

TEST_CASE("a wrong value under an anchor is reported once") {
  const auto r = sluice::load_scenario_text("nodes: {a: &s {kind: sink, drain: 3}, b: *s, c: *s}",
                                            "x.yaml", {});
  CHECK(r.diagnostics.size() == 1);
}

TEST_CASE("files that are no scenario say so") {
  CHECK(says("", "the file is empty"));
  CHECK(says("# only a comment\n", "the file is empty"));
  CHECK(says("hello", "a scenario is a map, not a single value"));
  CHECK(says("- a\n- b\n", "a scenario is a map, not a list"));
  CHECK(says("a: 1\n---\nb: 2\n", "a second document begins here"));
  CHECK(says("nodes: !!binary aGVsbG8=", "error"));
  CHECK(says("nodes: !foo {a: 1}", "the tag `!foo` means nothing"));
  CHECK(says("? [a]\n: b\n", "a key must be a word"));
  CHECK(says(": b\n", "a key is missing"));
  CHECK(says("%YAML 9.9\n---\nnodes: {}", "error"));
  CHECK(says("nodes:\n\ta: 3\n", "a tab in the indentation"));
  CHECK(says("nodes: {a: [", "this `[` is not closed"));
  CHECK(says("<<: 3\nnodes: {a: {kind: sink}}", "`<<` wants a map"));
}

TEST_CASE("bytes that are no text are refused at their place") {
  CHECK(says("nodes:\n  a: \xff\xfe\n", "x.yaml:2:6: error: not UTF-8"));
  CHECK(says("\xff\xfen\0o\0", "not UTF-8"));
  CHECK(says("a: \xed\xa0\x80", "not UTF-8"));
  CHECK(says("a: \xc0\xaf", "not UTF-8"));
  CHECK(says("a: \xf4\x90\x80\x80", "not UTF-8"));
  CHECK(says(std::string("a: b\0c", 6), "control character (0x00)"));
  CHECK(says("a: \x1b[31m", "control character (0x1b)"));
}

TEST_CASE("nothing in a file reaches the terminal as a control sequence") {
  const auto out = load("\"\\e[31mred\\0\\a\": 1\nnodes: {\"\\u009bX\": 3}\n\xff");
  const auto quoted = load("\"\\e[31mred\\0\\a\": 1\nnodes: {\"\\u009bX\": 3}\n");
  for (const auto* text : {&out, &quoted})
    for (const char c : *text)
      CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  CHECK(quoted.find("\xc2\x9b") == std::string::npos);
}

TEST_CASE("a byte order mark and Windows line ends are no obstacle") {
  const auto r = sluice::load_scenario_text(
      "\xef\xbb\xbfnodes:\r\n  a: {kind: sink}\r\n  b: {kind: sink, drain: 3}\r\n", "x.yaml", {});
  REQUIRE(r.diagnostics.size() == 1);
  CHECK(r.diagnostics[0].where.line == 3);
  CHECK(r.diagnostics[0].where.column == 26);
  CHECK(sluice::render(r, false).find('\r') == std::string::npos);
}

TEST_CASE("a thousand errors are counted, a hundred shown") {
  std::string text = "nodes: {a: {kind: sink}}\n";
  for (int i = 0; i < 1000; ++i)
    text += "k" + std::to_string(i) + ": 1\n";
  CHECK(says(text, "900 more errors are not shown"));
}

TEST_CASE("included maps lie under the file's own") {
  const folder f;
  f.write(
      "base.yaml",
      "seed: 5\nduration: 1s\nnodes:\n  a: {kind: host, vms: [v], nic: {rx-buffer: 1MiB}}\n  b: "
      "{kind: host, vms: [w]}\nlinks: [a -- b]\n");
  f.write("sub/more.yaml", "include: ../base.yaml\nseed: 6\n");
  const auto main =
      f.write("main.yaml",
              "include: [sub/more.yaml]\nnodes: {a: {nic: {tx-buffer: 2MiB}}}\nduration: "
              "2s\n");
  const auto r = sluice::load_scenario(main);
  REQUIRE_MESSAGE(r.value, sluice::render(r, false));
  CHECK(r.value->seed == 6);
  CHECK(r.value->duration == 2 * sluice::second);
  CHECK(r.value->nodes.size() == 2);
  const auto& h = std::get<sluice::host_settings>(r.value->nodes[0].as);
  CHECK(h.nic.rx_buffer_bytes == mega);
  CHECK(h.nic.tx_buffer_bytes == 2 * mega);
  CHECK(r.value->nodes[1].where.file.find("base.yaml") != std::string::npos);
}

TEST_CASE("errors of an included file name that file, and captures are relative to it") {
  const folder f;
  f.write(
      "sub/base.yaml",
      "nodes: {a: {kind: host, vms: [v, w], nic: {rx-buffer: 3}}}\ntraffic: {t: {replay: c.pcap, "
      "from: a/v, to: a/w}}\n");
  const auto out = sluice::render(
      sluice::load_scenario(f.write("main.yaml", "include: sub/base.yaml\n")), false);
  CHECK(out.find("sub/base.yaml:1:55: error: `3` has no unit") != std::string::npos);
  CHECK(out.find("there is no file `" + f.at("sub/c.pcap")) != std::string::npos);
}

TEST_CASE("include cycles name the chain") {
  const folder f;
  f.write("b.yaml", "include: c.yaml\n");
  f.write("c.yaml", "include: a.yaml\n");
  const auto out =
      sluice::render(sluice::load_scenario(f.write("a.yaml", "include: b.yaml\n")), false);
  CHECK(out.find("files include each other: " + f.at("a.yaml") + " -> " + f.at("b.yaml") + " -> "
                 + f.at("c.yaml") + " -> " + f.at("a.yaml"))
        != std::string::npos);
  const auto self =
      sluice::render(sluice::load_scenario(f.write("s.yaml", "include: s.yaml\n")), false);
  CHECK(self.find("files include each other") != std::string::npos);
}

TEST_CASE("an include bomb is refused") {
  const folder f;
  for (int i = 0; i < 20; ++i) {
    const auto next = "l" + std::to_string(i + 1) + ".yaml";
    f.write("l" + std::to_string(i) + ".yaml", "include: [" + next + ", " + next + "]\n");
  }
  f.write("l20.yaml", "seed: 1\n");
  const auto out = sluice::render(sluice::load_scenario(f.at("l0.yaml")), false);
  CHECK(out.find("more than 64 files are included") != std::string::npos);
}

TEST_CASE("files that cannot be read are reported, also devices without an end") {
  CHECK(sluice::render(sluice::load_scenario("/nowhere/x.yaml"), false)
        == "/nowhere/x.yaml: error: cannot read the scenario: No such file or directory\n");
  CHECK(sluice::render(sluice::load_scenario("/tmp"), false).find("it is a folder")
        != std::string::npos);
  CHECK(sluice::render(sluice::load_scenario("/dev/zero"), false).find("larger than")
        != std::string::npos);
  const auto r = sluice::load_scenario_text(
      "include: [nope.yaml, 3, [a]]\nnodes: {a: {kind: sink}}", "x.yaml", {});
  CHECK(sluice::render(r, false).find("cannot read `nope.yaml`") != std::string::npos);
}
