// The terminal: its size, and the screen that the live view owns while it plays.
#pragma once

#include <string>
#include <vector>

namespace tributary::demo {

// A terminal that understands cursor movement (TERM=dumb does not).
bool is_terminal(int fd);
// Whether colours are welcome there: a terminal, and NO_COLOR is unset or empty (no-color.org).
bool wants_colour(int fd);

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
// The present size; 80 × 24 where it cannot be found out.
TerminalSize terminal_size(int fd);

// Any thread, also a signal handler: gives the screen, the cursor and the keyboard back if a
// Screen has them. Harmless otherwise.
void restore_terminal();

// Owns the terminal on stdin and stdout: the alternate screen, no cursor, keys as they are pressed
// and unseen. At most one at a time. However the process ends (exit(), a fatal signal), the
// terminal is given back; only SIGKILL leaves it as it is.
class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Replaces what is shown. REQUIRES: no line is wider than the terminal.
  void draw(const std::vector<std::string>& lines);
  // Takes the terminal anew, after the process was stopped and continued.
  void resume();
};

}  // namespace tributary::demo
