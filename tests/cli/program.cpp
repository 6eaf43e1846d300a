#include "tests/cli/program.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice {

namespace {

using steady = std::chrono::steady_clock;
constexpr auto patience = std::chrono::minutes{2};

/// Runs, reads both pipes until they close, and signals when `when(err, elapsed)` says so.
template <typename When>
finished drive(const std::vector<std::string>& arguments, int signal, When when) {
  int out[2], err[2];
  REQUIRE(pipe2(out, O_CLOEXEC) == 0);
  REQUIRE(pipe2(err, O_CLOEXEC) == 0);
  std::vector<char*> argv{const_cast<char*>(SLUICE_PROGRAM)};
  for (const auto& a : arguments)
    argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    if (chdir(SLUICE_SOURCE_DIR) == 0)
      execv(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);

  finished result;
  const auto begin = steady::now();
  bool signalled = false, killed = false;
  std::array<pollfd, 2> pipes{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    poll(pipes.data(), pipes.size(), 20);
    for (auto& p : pipes) {
      if (p.fd < 0 || (p.revents & (POLLIN | POLLHUP)) == 0)
        continue;
      char block[4096];
      const auto n = read(p.fd, block, sizeof block);
      if (n > 0) {
        (&p == pipes.data() ? result.out : result.err).append(block, static_cast<std::size_t>(n));
      } else {
        close(p.fd);
        p.fd = -1;
      }
    }
    const auto elapsed = steady::now() - begin;
    if (!signalled && when(result.err, elapsed)) {
      kill(child, signal);
      signalled = true;
    }
    if (!killed && elapsed > patience) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace

finished run_program(const std::vector<std::string>& arguments) {
  return drive(arguments, 0, [](const std::string&, steady::duration) { return false; });
}

finished interrupt_program(const std::vector<std::string>& arguments, const std::string& cue,
                           int after_ms, int signal) {
  return drive(arguments, signal, [&](const std::string& err, steady::duration elapsed) {
    return cue.empty() ? elapsed >= std::chrono::milliseconds{after_ms}
                       : err.find(cue) != std::string::npos;
  });
}

finished watch_program(const std::vector<std::string>& arguments,
                       const std::function<bool(const std::string& err)>& look) {
  return drive(arguments, SIGINT,
               [&](const std::string& err, steady::duration) { return look(err); });
}

temporary_folder::temporary_folder() : path_{"/tmp/sluice-cli-XXXXXX"} {
  REQUIRE(mkdtemp(path_.data()) != nullptr);
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream{path, std::ios::binary} << text;
}

std::string read_text_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string small_scenario(const std::string& more) {
  return "name: small\n"
         "duration: 1ms\n"
         "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}}\n"
         "links: [a -- b]\n"
         "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\n"
         + more;
}

}  // namespace sluice
