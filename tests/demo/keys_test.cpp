#include "demo/keys.h"

#include <doctest/doctest.h>

using namespace tributary::demo;  // NOLINT
using Keys = std::vector<Key>;

TEST_CASE("plain keys are known in both cases and others passed over") {
  KeyParser parser;
  CHECK(parser.feed(" nNpPqQ") == Keys{Key::kPause, Key::kNext, Key::kNext, Key::kPrevious,
                                       Key::kPrevious, Key::kQuit, Key::kQuit});
  CHECK(parser.feed("abc\n\t\x7f").empty());
}

TEST_CASE("arrows come as CSI and as SS3 sequences, with modifiers or without") {
  KeyParser parser;
  CHECK(parser.feed("\x1b[C\x1b[D") == Keys{Key::kForward, Key::kBack});
  CHECK(parser.feed("\x1bOC\x1bOD") == Keys{Key::kForward, Key::kBack});
  CHECK(parser.feed("\x1b[1;5C") == Keys{Key::kForward});
  CHECK(parser.feed("\x1b[A\x1b[B\x1b[3~\x1b[15~").empty());
}

TEST_CASE("an arrow that is split over reads at any place counts once") {
  const std::string_view sequence = "\x1b[1;2D";
  for (std::size_t cut = 1; cut < sequence.size(); ++cut) {
    CAPTURE(cut);
    KeyParser parser;
    CHECK(parser.feed(sequence.substr(0, cut)).empty());
    CHECK(parser.feed(sequence.substr(cut)) == Keys{Key::kBack});
    CHECK(parser.feed("q") == Keys{Key::kQuit});
  }
}

TEST_CASE("a lone escape does not swallow the key after it") {
  KeyParser parser;
  CHECK(parser.feed("\x1b").empty());
  CHECK(parser.feed("q") == Keys{Key::kQuit});
  CHECK(parser.feed("\x1b\x1b[C") == Keys{Key::kForward});
}

TEST_CASE("letters within a sequence are no keys, and endless sequences end") {
  KeyParser parser;
  CHECK(parser.feed("\x1b[q").empty());
  CHECK(parser.feed("q") == Keys{Key::kQuit});
  CHECK(parser.feed("\x1b[" + std::string(100, ';')).empty());
  CHECK(parser.feed("q") == Keys{Key::kQuit});
}
