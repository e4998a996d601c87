// How wide UTF-8 text is on a terminal, and how to cut it to a width. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tributary::demo {

// One step through a text: the bytes of one character and its columns on a terminal.
struct Glyph {
  std::string_view bytes;  // what may be written; "?" for a malformed or control byte
  std::size_t length = 0;  // bytes of the text that it stands for, at least 1
  int width = 0;           // 0 (combining), 1 or 2 (East Asian wide, emoji)
};

// The glyph at the front. Nothing of a text can move a cursor or change a colour: control
// characters, C1 ones included, become "?". REQUIRES: !text.empty().
Glyph first_glyph(std::string_view text);

// Columns that the text takes once it is made printable.
int text_width(std::string_view text);

// The text made printable and, when it is wider than `width`, cut and ended with '…'. Never wider
// than `width`; a width of zero or less gives nothing.
std::string fit_text(std::string_view text, int width);

// fit_text, then filled up with blanks to exactly `width` columns; on the left or on the right.
std::string pad_right(std::string_view text, int width);
std::string pad_left(std::string_view text, int width);

// `unit` n times; nothing for n <= 0.
std::string repeat(std::string_view unit, int n);

}  // namespace tributary::demo
