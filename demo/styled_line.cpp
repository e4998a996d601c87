#include "demo/styled_line.h"

#include <algorithm>

#include "demo/text_width.h"

namespace tributary::demo {
namespace {

// The sixteen colours that every theme sets to something legible.
std::string_view escape_of(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kCdn:
      return "\x1b[33m";
    case Style::kPeers:
      return "\x1b[36m";
    case Style::kCache:
      return "\x1b[35m";
    case Style::kBad:
      return "\x1b[1;31m";
    case Style::kPlayhead:
      return "\x1b[1;37m";
  }
  return "";
}

}  // namespace

StyledLine& StyledLine::add(std::string_view text, Style style) {
  width_ += text_width(text);
  spans_.push_back({std::string(text), style});
  return *this;
}

StyledLine& StyledLine::go_to(int column) {
  return add(std::string(static_cast<std::size_t>(std::max(1, column - width_)), ' '));
}

std::string StyledLine::render(int columns, bool colour) const {
  std::string out;
  // Where the line is too long its last column is the ellipsis.
  int left = width_ > columns ? columns - 1 : columns;
  for (const Span& span : spans_) {
    if (left < 0) break;
    const int width = text_width(span.text);
    const std::string text =
        width <= left ? fit_text(span.text, width) : fit_text(span.text, left + 1);
    const std::string_view escape = colour ? escape_of(span.style) : "";
    if (!text.empty()) out += std::string(escape) + text + (escape.empty() ? "" : "\x1b[0m");
    if (width > left) break;
    left -= width;
  }
  return out;
}

}  // namespace tributary::demo
