#include "demo/server_session.h"

#include <unistd.h>

#include <cstdio>

#include "demo/terminal.h"
#include "demo/text_width.h"
#include "engine/net/address.h"

namespace tributary::demo {

ServerSession::ServerSession(bool verbose)
    : verbose_(verbose), signals_([this] {
        loop_.post([this] {
          stopped_ = true;
          loop_.stop();
        });
      }) {}

void ServerSession::announce_ready(const Endpoint& address) {
  std::printf("listening on %s\n", net::format_endpoint(address).c_str());
  std::fflush(stdout);
}

void ServerSession::run(const std::function<std::string()>& counters,
                        const std::function<bool()>& done) {
  counters_ = counters;
  done_ = done;
  if (verbose_ || is_terminal(STDOUT_FILENO) || done_) {
    timer_.start(loop_.now(), [this] { tick(); });
  }
  if (!stopped_) loop_.run();
  timer_.stop();
  if (!shown_.empty() && is_terminal(STDOUT_FILENO)) std::fputs("\r\x1b[K", stdout);
}

bool ServerSession::run_until(const std::function<bool()>& done) {
  constexpr Duration kNoLimit = std::chrono::hours(24 * 365);
  loop_.run_until([&] { return stopped_ || done(); }, kNoLimit);
  return !stopped_;
}

void ServerSession::tick() {
  if (verbose_ || is_terminal(STDOUT_FILENO)) show(counters_());
  if (done_ && done_()) return loop_.stop();
  timer_.start(loop_.now() + 1s, [this] { tick(); });
}

void ServerSession::show(const std::string& line) {
  if (is_terminal(STDOUT_FILENO)) {
    const int width = terminal_size(STDOUT_FILENO).columns - 1;  // the last column may wrap
    std::printf("\r%s\x1b[K", fit_text(line, width).c_str());
  } else if (line != shown_) {
    std::printf("%s\n", line.c_str());
  }
  shown_ = line;
  std::fflush(stdout);
}

}  // namespace tributary::demo
