// Plots as inline SVG. Colours are CSS variables (--series-1 and on, --ink, --faint), so that the
// page decides what light and dark look like. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tributary::demo {

struct PlotAxis {
  std::string label;         // with the unit
  double most = 0;           // the axis ends at a round number at or above it
  bool logarithmic = false;  // then it begins at `least`, which is above zero
  double least = 0;
};

struct PlotLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  // by ascending x
};

// One group of bars, or one bar of stacked parts.
struct PlotBars {
  std::string name;
  std::vector<double> values;
};

// `title` is what a reader who cannot see it hears. Lines that are alike are told apart by dashes.
std::string line_plot(const std::string& title, const PlotAxis& x, const PlotAxis& y,
                      const std::vector<PlotLine>& lines);
// For each group a bar of each name in `names`, side by side.
std::string bar_plot(const std::string& title, const PlotAxis& y,
                     const std::vector<std::string>& names, const std::vector<PlotBars>& groups);
// A horizontal bar for each of `bars`, made of the parts in `names`.
std::string stacked_plot(const std::string& title, const PlotAxis& x,
                         const std::vector<std::string>& names, const std::vector<PlotBars>& bars);

// What stands for <, >, & and quotation marks in text and attributes.
std::string escape_html(std::string_view text);

}  // namespace tributary::demo
