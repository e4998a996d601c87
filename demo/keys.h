// What the listener presses, from the bytes of a terminal. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tributary::demo {

enum class Key { kPause, kBack, kForward, kNext, kPrevious, kQuit };

// Tracks: an escape sequence of which only the beginning was read.
class KeyParser {
 public:
  // The keys that these bytes complete. Keys and sequences without a meaning here are passed over,
  // modified arrows (Shift, Alt, Ctrl) count as arrows.
  std::vector<Key> feed(std::string_view bytes);

 private:
  void feed(char c, std::vector<Key>& keys);

  // Empty, "\x1b", or "\x1b[" or "\x1bO" with the parameters so far.
  std::string pending_;
};

}  // namespace tributary::demo
