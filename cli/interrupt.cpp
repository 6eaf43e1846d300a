#include "cli/interrupt.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "cli/exit_code.hpp"

namespace sluice {

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the signal handler writes it");

void on_signal(int) {
  if (interrupted.exchange(true))
    _exit(exit_interrupted);
}

}  // namespace

interrupt_guard::interrupt_guard() {
  interrupted = false;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_int_);
  sigaction(SIGTERM, &action, &before_term_);
}

interrupt_guard::~interrupt_guard() {
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
}

std::atomic<bool>& interrupt_guard::flag() {
  return interrupted;
}

void interrupt_guard::wait() {
  while (!interrupted)
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
}

}  // namespace sluice
