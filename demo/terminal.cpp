#include "demo/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace tributary::demo {
namespace {

// Alternate screen, no cursor, no wrapping at the right edge; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

// Written before `owned` is set and left alone while it is, so that a signal handler may read it.
termios saved_keyboard;            // NOLINT
std::atomic<bool> has_keyboard{};  // NOLINT: stdin is a terminal and saved_keyboard is set
std::atomic<bool> owned{};         // NOLINT

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDOUT_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void on_fatal_signal(int signal) {
  restore_terminal();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void guard_fatal_signals() {
  constexpr std::array kFatal = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT};
  for (int signal : kFatal) std::signal(signal, on_fatal_signal);
}

void take() {
  if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &saved_keyboard) == 0) {
    termios raw = saved_keyboard;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    has_keyboard = true;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  owned = true;
  write_all(kEnter);
}

}  // namespace

bool is_terminal(int fd) {
  const char* term = std::getenv("TERM");
  return isatty(fd) && term != nullptr && std::string_view(term) != "dumb";
}

bool wants_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  return is_terminal(fd) && (no_colour == nullptr || *no_colour == '\0');
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

void restore_terminal() {
  if (!owned.exchange(false)) return;
  write_all(kLeave);
  if (has_keyboard) tcsetattr(STDIN_FILENO, TCSANOW, &saved_keyboard);
}

Screen::Screen() {
  static const bool registered = std::atexit(restore_terminal) == 0;
  static_cast<void>(registered);
  guard_fatal_signals();
  take();
}

Screen::~Screen() { restore_terminal(); }

void Screen::draw(const std::vector<std::string>& lines) {
  std::string frame = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) frame += "\r\n";
    frame += lines[i] + "\x1b[0m\x1b[K";
  }
  frame += "\x1b[J";
  write_all(frame);
}

void Screen::resume() {
  restore_terminal();
  take();
}

}  // namespace tributary::demo
