#include "demo/keys.h"

namespace tributary::demo {
namespace {

constexpr char kEscape = '\x1b';
// No sequence of a keyboard is longer; more is line noise.
constexpr std::size_t kLongestSequence = 16;

void add_plain(char c, std::vector<Key>& keys) {
  switch (c) {
    case ' ':
      return keys.push_back(Key::kPause);
    case 'n':
    case 'N':
      return keys.push_back(Key::kNext);
    case 'p':
    case 'P':
      return keys.push_back(Key::kPrevious);
    case 'q':
    case 'Q':
      return keys.push_back(Key::kQuit);
    default:
      return;
  }
}

// The final bytes of CSI and SS3 sequences lie here (ECMA-48).
bool is_final(char c) { return c >= '@' && c <= '~'; }

}  // namespace

std::vector<Key> KeyParser::feed(std::string_view bytes) {
  std::vector<Key> keys;
  for (char c : bytes) feed(c, keys);
  return keys;
}

void KeyParser::feed(char c, std::vector<Key>& keys) {
  if (c == kEscape) {
    pending_ = c;  // also after a sequence that was broken off
  } else if (pending_.empty()) {
    add_plain(c, keys);
  } else if (pending_.size() == 1) {
    // A lone Escape, then another key.
    if (c == '[' || c == 'O') {
      pending_ += c;
    } else {
      pending_.clear();
      add_plain(c, keys);
    }
  } else if (is_final(c)) {
    if (c == 'C') keys.push_back(Key::kForward);
    if (c == 'D') keys.push_back(Key::kBack);
    pending_.clear();
  } else if (pending_.size() < kLongestSequence) {
    pending_ += c;
  } else {
    pending_.clear();
  }
}

}  // namespace tributary::demo
