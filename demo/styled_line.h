// A line of text with colours, cut to the terminal's width. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tributary::demo {

enum class Style { kPlain, kBold, kDim, kGood, kCdn, kPeers, kCache, kBad, kPlayhead };

class StyledLine {
 public:
  StyledLine() = default;
  explicit StyledLine(std::string_view text, Style style = Style::kPlain) { add(text, style); }

  StyledLine& add(std::string_view text, Style style = Style::kPlain);
  // Fills up with blanks to the column, or adds one blank where that is passed already.
  StyledLine& go_to(int column);
  int width() const { return width_; }

  // At most `columns` wide, with an ellipsis where it was cut; without colours no escape sequence.
  std::string render(int columns, bool colour) const;

 private:
  struct Span {
    std::string text;
    Style style;
  };
  std::vector<Span> spans_;
  int width_ = 0;
};

}  // namespace tributary::demo
