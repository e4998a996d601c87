#include "demo/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

#include "demo/command.h"
#include "demo/terminal.h"

namespace tributary::demo {
namespace {

constexpr int kEndWatching = SIGUSR1;  // from the destructor

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, kEndWatching}) sigaddset(&set, signal);
  return set;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> on_stop, std::function<void()> on_resume)
    : on_stop_(std::move(on_stop)), on_resume_(std::move(on_resume)) {
  const sigset_t set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { watch(); });
}

StopSignals::~StopSignals() {
  pthread_kill(thread_.native_handle(), kEndWatching);
  thread_.join();
}

void StopSignals::watch() {
  const sigset_t set = watched();
  bool stopping = false;
  for (int signal = 0; sigwait(&set, &signal) == 0;) {
    if (signal == kEndWatching) return;
    if (signal == SIGTSTP) {
      restore_terminal();
      raise(SIGSTOP);  // until SIGCONT
      if (on_resume_) on_resume_();
      continue;
    }
    if (stopping) {
      restore_terminal();
      _exit(kExitInterrupted);
    }
    stopping = true;
    on_stop_();
  }
}

}  // namespace tributary::demo
