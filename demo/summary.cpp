#include "demo/summary.h"

#include <algorithm>
#include <array>

#include "demo/human.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

constexpr std::array<std::pair<const char*, int>, 8> kColumns = {{{"startup", 9},
                                                                  {"played", 8},
                                                                  {"stalls", 11},
                                                                  {"gap", 7},
                                                                  {"cdn", 9},
                                                                  {"peers", 9},
                                                                  {"cache", 9},
                                                                  {"offload", 8}}};
constexpr int kShortestTitle = 8;

int figures_width() {
  int width = 0;
  for (const auto& column : kColumns) width += column.second;
  return width;
}

std::string stalls_of(const TrackFigures& entry) {
  if (entry.stalls == 0) return "0";
  return std::to_string(entry.stalls) + " (" + human_delay(entry.stalled) + ")";
}

std::string row(const std::string& title, int title_width, const TrackFigures& entry) {
  const std::array<std::string, 8> cells = {
      entry.started ? human_delay(entry.startup) : "-",
      human_clock(entry.played),
      stalls_of(entry),
      entry.gap > Duration::zero() ? human_delay(entry.gap) : "-",
      human_bytes(entry.bytes.cdn),
      human_bytes(entry.bytes.peers),
      human_bytes(entry.bytes.cache),
      entry.bytes.received() > 0_B ? human_percent(entry.bytes.offload()) : "-"};
  std::string line = pad_right(title, title_width);
  for (std::size_t i = 0; i < cells.size(); ++i) line += pad_left(cells[i], kColumns[i].second);
  return line;
}

bool worth_a_line(const TrackFigures& entry) {
  return entry.started || entry.bytes.received() + entry.bytes.cache > 0_B;
}

}  // namespace

std::vector<std::string> render_summary(const PlayFigures& session, int columns) {
  int longest = kShortestTitle;
  for (const TrackFigures& track : session.tracks) {
    longest = std::max(longest, text_width(track.title) + 4);
  }
  const int title_width =
      std::clamp(columns - figures_width(), kShortestTitle, std::max(longest, kShortestTitle));
  std::string heading = pad_right("track", title_width);
  for (const auto& [name, width] : kColumns) heading += pad_left(name, width);
  std::vector<std::string> lines = {fit_text(heading, columns)};
  for (std::size_t i = 0; i < session.tracks.size(); ++i) {
    const TrackFigures& track = session.tracks[i];
    if (!worth_a_line(track)) continue;
    const std::string title = std::to_string(i + 1) + " " + track.title;
    lines.push_back(fit_text(row(title, title_width, track), columns));
  }
  lines.push_back(fit_text(row("total", title_width, session.total), columns));
  return lines;
}

}  // namespace tributary::demo
