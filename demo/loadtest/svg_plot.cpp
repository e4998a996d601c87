#include "demo/loadtest/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace tributary::demo {
namespace {

constexpr double kWidth = 640;
constexpr double kPlotHeight = 220;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 14;
constexpr double kLegendRow = 20;
constexpr double kLetter = 7.2;  // about as wide as one is
constexpr double kBottom = 46;
constexpr double kBarHeight = 26;
constexpr int kSeries = 6;  // colours that the page has
constexpr int kTicks = 5;
constexpr std::size_t kMostMarks = 20;  // a line of no more points shows each

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

// At most three significant digits, no exponent for what people read.
std::string number(double value) {
  if (value == 0) return "0";
  if (std::abs(value) >= 1000) return format("%.0f", value);
  return format("%.3g", value);
}

// 1, 2 or 5 times a power of ten, at or above the value.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (value <= factor * power * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

// Where a value lies between 0 and 1, and which values have a mark.
class Scale {
 public:
  explicit Scale(const PlotAxis& axis) : axis_(axis) {
    if (axis.logarithmic) {
      begin_ = std::pow(10, std::floor(std::log10(axis.least)));
      end_ = std::pow(10, std::ceil(std::log10(std::max(axis.most, axis.least * 10))));
    } else {
      const double step = round_up(axis.most / kTicks);
      end_ = step * std::max(1.0, std::ceil(axis.most / step - 1e-9));
      step_ = step;
    }
  }
  double at(double value) const {
    if (!axis_.logarithmic) return std::clamp(value / end_, 0.0, 1.0);
    const double low = std::log10(begin_);
    const double place = (std::log10(std::max(value, begin_)) - low) / (std::log10(end_) - low);
    return std::clamp(place, 0.0, 1.0);
  }
  std::vector<double> ticks() const {
    std::vector<double> all;
    if (axis_.logarithmic) {
      for (double tick = begin_; tick <= end_ * 1.001; tick *= 10) all.push_back(tick);
    } else {
      for (int i = 0; i * step_ <= end_ * 1.001; ++i) all.push_back(i * step_);
    }
    return all;
  }

 private:
  PlotAxis axis_;
  double begin_ = 0;
  double end_ = 1;
  double step_ = 1;
};

std::string colour(std::size_t i) {
  return "var(--series-" + std::to_string(i % static_cast<std::size_t>(kSeries) + 1) + ")";
}

// Columns of characters; of "é" one.
double letters(const std::string& text) {
  return static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// An SVG whose plot has a given height, with what all plots have: the names of the series stand
// above it, in as many rows as they need.
class Canvas {
 public:
  Canvas(const std::string& title, double plot_height, const std::vector<std::string>& names) {
    place(names);
    top_ = kTop + kLegendRow * (rows_ + 1);
    height_ = plot_height + top_ + kBottom;
    out_ = format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", kWidth, height_) +
           escape_html(title) + "\">\n";
    legend(names);
  }
  double top() const { return top_; }
  double x(double part) const { return kLeft + part * (kWidth - kLeft - kRight); }
  double y(double part) const { return height_ - kBottom - part * (height_ - top_ - kBottom); }

  void line(double x1, double y1, double x2, double y2, const char* kind) {
    out_ += format("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind,
                   x1, y1, x2, y2);
  }
  void text(double x, double y, const char* anchor, const std::string& what) {
    out_ += format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) +
            escape_html(what) + "</text>\n";
  }
  void rectangle(double x, double y, double width, double height, std::size_t series,
                 const std::string& what) {
    out_ += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"", x, y,
                   std::max(width, 0.0), std::max(height, 0.0)) +
            colour(series) + "\"><title>" + escape_html(what) + "</title></rect>\n";
  }
  void polyline(const std::string& points, std::size_t series) {
    constexpr const char* kDashes[] = {"none", "7 3", "2 3", "9 3 2 3"};
    out_ += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + colour(series) +
            "\" stroke-dasharray=\"" + kDashes[series % 4] + "\" points=\"" + points + "\"/>\n";
  }
  void mark(double x, double y, std::size_t series, const std::string& what) {
    out_ += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"", x, y) + colour(series) +
            "\"><title>" + escape_html(what) + "</title></circle>\n";
  }
  void x_axis(const Scale& scale, const std::string& label) {
    for (double tick : scale.ticks()) {
      line(x(scale.at(tick)), y(0), x(scale.at(tick)), y(1), "grid");
      text(x(scale.at(tick)), y(0) + 17, "middle", number(tick));
    }
    text(x(0.5), height_ - 8, "middle", label);
  }
  void y_axis(const Scale& scale, const std::string& label) {
    for (double tick : scale.ticks()) {
      line(x(0), y(scale.at(tick)), x(1), y(scale.at(tick)), "grid");
      text(x(0) - 6, y(scale.at(tick)) + 4, "end", number(tick));
    }
    out_ += format("<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">",
                   y(0.5)) +
            escape_html(label) + "</text>\n";
  }
  std::string take() { return out_ + "</svg>\n"; }

 private:
  struct Place {
    double x = 0;
    double y = 0;
  };
  void place(const std::vector<std::string>& names) {
    double at = kLeft;
    for (const std::string& name : names) {
      const double width = 30 + kLetter * letters(name);
      if (at > kLeft && at + width > kWidth) {
        at = kLeft;
        ++rows_;
      }
      places_.push_back({at, kTop - 4 + kLegendRow * rows_});
      at += width;
    }
  }
  void legend(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      rectangle(places_[i].x, places_[i].y, 12, 12, i, names[i]);
      text(places_[i].x + 17, places_[i].y + 10, "start", names[i]);
    }
  }

  std::vector<Place> places_;  // of the names
  double rows_ = 0;            // of names, beyond the first
  double top_ = 0;
  double height_ = 0;
  std::string out_;
};

template <class T>
std::vector<std::string> names_of(const std::vector<T>& items) {
  std::vector<std::string> names;
  for (const T& item : items) names.push_back(item.name);
  return names;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string line_plot(const std::string& title, const PlotAxis& x, const PlotAxis& y,
                      const std::vector<PlotLine>& lines) {
  Canvas canvas(title, kPlotHeight, names_of(lines));
  const Scale across(x);
  const Scale up(y);
  canvas.x_axis(across, x.label);
  canvas.y_axis(up, y.label);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string points;
    for (const auto& [px, py] : lines[i].points) {
      points += format("%.1f,%.1f ", canvas.x(across.at(px)), canvas.y(up.at(py)));
    }
    canvas.polyline(points, i);
    if (lines[i].points.size() > kMostMarks) continue;
    for (const auto& [px, py] : lines[i].points) {
      canvas.mark(canvas.x(across.at(px)), canvas.y(up.at(py)), i,
                  lines[i].name + ", " + number(px) + ": " + number(py));
    }
  }
  return canvas.take();
}

std::string bar_plot(const std::string& title, const PlotAxis& y,
                     const std::vector<std::string>& names, const std::vector<PlotBars>& groups) {
  Canvas canvas(title, kPlotHeight, names);
  const Scale up(y);
  canvas.y_axis(up, y.label);
  const double group = 1.0 / static_cast<double>(std::max<std::size_t>(groups.size(), 1));
  const double bar = group * 0.8 / static_cast<double>(std::max<std::size_t>(names.size(), 1));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double begin = group * (static_cast<double>(g) + 0.1);
    for (std::size_t i = 0; i < groups[g].values.size(); ++i) {
      const double value = groups[g].values[i];
      const double left = canvas.x(begin + bar * static_cast<double>(i));
      const double top = canvas.y(up.at(value));
      canvas.rectangle(left, top, canvas.x(bar) - canvas.x(0) - 1, canvas.y(0) - top, i,
                       groups[g].name + ", " + names[i] + ": " + number(value));
    }
    canvas.text(canvas.x(begin + group * 0.4), canvas.y(0) + 17, "middle", groups[g].name);
  }
  return canvas.take();
}

std::string stacked_plot(const std::string& title, const PlotAxis& x,
                         const std::vector<std::string>& names, const std::vector<PlotBars>& bars) {
  Canvas canvas(title, kBarHeight * 1.5 * static_cast<double>(bars.size()), names);
  const Scale across(x);
  canvas.x_axis(across, x.label);
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const double top = canvas.top() + kBarHeight * (1.5 * static_cast<double>(b) + 0.25);
    double sum = 0;
    for (std::size_t i = 0; i < bars[b].values.size(); ++i) {
      const double left = canvas.x(across.at(sum));
      sum += bars[b].values[i];
      canvas.rectangle(left, top, canvas.x(across.at(sum)) - left, kBarHeight, i,
                       bars[b].name + ", " + names[i] + ": " + number(bars[b].values[i]));
    }
    canvas.text(canvas.x(0) - 6, top + kBarHeight * 0.65, "end", bars[b].name);
  }
  return canvas.take();
}

}  // namespace tributary::demo
