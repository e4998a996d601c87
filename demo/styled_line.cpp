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
  const bool cut = width_ > columns;
  int left = cut ? columns - 1 : columns;  // where it is cut the last column is the ellipsis
  for (const Span& span : spans_) {
    const int width = text_width(span.text);
    const bool last = cut && width > left;
    // The blank makes it too wide for fit_text even where the span alone would just fit.
    const std::string text =
        last ? fit_text(span.text + " ", left + 1) : fit_text(span.text, width);
    const std::string_view escape = colour ? escape_of(span.style) : "";
    if (!text.empty()) out += std::string(escape) + text + (escape.empty() ? "" : "\x1b[0m");
    if (last) break;
    left -= width;
  }
  return out;
}

}  // namespace tributary::demo
