#include "demo/live_view.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "demo/human.h"
#include "demo/styled_line.h"
#include "demo/text_width.h"
#include "demo/view_tables.h"

namespace tributary::demo {
namespace {

constexpr int kLabel = 9;  // columns of the labels at the left
constexpr int kMargin = 1;
// As many seconds of media fill the buffer's bar.
constexpr Duration kFullBuffer = 30s;
// Rows of the piece map, and from which height of the screen on.
constexpr int kTallScreen = 32;

// Sections of the screen; the least of these ranks goes first where rows are few.
struct Section {
  int rank;
  std::vector<StyledLine> lines;
};
enum Rank { kBlank, kEdges, kPeers, kNext, kKeys, kSources, kMap, kBuffer, kMessage, kHead };

StyledLine labelled(std::string_view label) {
  StyledLine line(" ");
  line.add(pad_right(label, kLabel - kMargin), Style::kDim);
  return line;
}

int map_rows(const ViewSize& size) { return size.rows >= kTallScreen ? 3 : 1; }
int map_columns(const ViewSize& size) { return std::max(1, size.columns - kLabel - kMargin); }

double share_of(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0.0
                    : std::clamp(static_cast<double>(part) / static_cast<double>(whole), 0.0, 1.0);
}

void add_bar(StyledLine& line, double share, int width, Style style) {
  const int full = std::clamp(static_cast<int>(std::lround(share * width)), 0, std::max(width, 0));
  line.add(repeat("█", full), style).add(repeat("░", width - full), Style::kDim);
}

std::string_view state_sign(tributary_state state) {
  switch (state) {
    case TRIBUTARY_STATE_PLAYING:
      return "▶";
    case TRIBUTARY_STATE_PAUSED:
      return "‖";
    case TRIBUTARY_STATE_FAILED:
      return "✗";
    case TRIBUTARY_STATE_ENDED:
      return "■";
    case TRIBUTARY_STATE_LOADING:
    case TRIBUTARY_STATE_STARTING:
    case TRIBUTARY_STATE_STALLED:
      break;
  }
  return "…";
}

Style state_style(tributary_state state) {
  if (state == TRIBUTARY_STATE_STALLED || state == TRIBUTARY_STATE_FAILED) return Style::kBad;
  return state == TRIBUTARY_STATE_PLAYING ? Style::kGood : Style::kBold;
}

Section head(const LiveView& view) {
  const PlaySnapshot& s = view.snapshot;
  StyledLine line(" ");
  line.add(std::string(state_sign(s.state)) + " " + std::string(state_name(s.state)),
           state_style(s.state));
  if (s.tracks > 0) {
    line.add("  track " + std::to_string(s.track + 1) + " of " + std::to_string(s.tracks) + "  ",
             Style::kDim);
  }
  line.add(s.title, Style::kBold);
  return {kHead, {line}};
}

Section playhead(const LiveView& view, const ViewSize& size) {
  const PlaySnapshot& s = view.snapshot;
  const std::string at = human_clock(s.position);
  const std::string end = s.duration > Duration::zero() ? human_clock(s.duration) : "-:--";
  StyledLine line(" ");
  line.add(pad_right(at, kLabel - kMargin), Style::kBold);
  const int width = size.columns - kLabel - kMargin - text_width(end) - 1;
  if (width > 4) {
    const double share = share_of(s.position.count(), s.duration.count());
    const int full = std::clamp(static_cast<int>(share * (width - 1)), 0, width - 1);
    line.add(repeat("━", full), Style::kGood).add("●", Style::kPlayhead);
    line.add(repeat("─", width - 1 - full), Style::kDim).add(" ");
  }
  line.add(end);
  return {kHead, {line}};
}

Section buffer(const LiveView& view, const ViewSize& size) {
  const PlaySnapshot& s = view.snapshot;
  StyledLine line = labelled("buffer");
  const bool thin = s.buffered < 3s;
  const int width = std::clamp(size.columns - 52, 8, 40);
  add_bar(line, share_of(s.buffered.count(), kFullBuffer.count()), width,
          thin ? Style::kBad : Style::kGood);
  line.add(" " + pad_right(human_seconds(s.buffered), 8));
  line.add(" startup ", Style::kDim)
      .add(s.startup > Duration::zero() ? human_delay(s.startup) : "-");
  line.add("  stalls ", Style::kDim)
      .add(std::to_string(s.stalls), s.stalls > 0 ? Style::kBad : Style::kPlain);
  if (s.emergency) line.add("  upload stopped", Style::kBad);
  return {kBuffer, {line}};
}

StyledLine source_row(std::string_view name, Style style, const RateMeter* meter, BitRate top,
                      int spark, Bytes bytes, const std::string& share) {
  StyledLine line(" ");
  line.add(pad_right(name, kLabel - kMargin), style);
  line.add(pad_left(meter ? human_rate(meter->now()) : "", 12) + "  ");
  line.add(pad_right(meter ? sparkline(meter->history(), top, spark) : "", spark), style);
  line.add(pad_left(human_bytes(bytes), 10) + pad_left(share, 7));
  return line;
}

BitRate highest(const SourceMeters& meters) {
  BitRate top(1);
  for (const RateMeter* meter : {&meters.cdn, &meters.peers, &meters.up}) {
    for (BitRate rate : meter->history()) top = std::max(top, rate);
  }
  return top;
}

Section sources(const LiveView& view, const ViewSize& size) {
  const SourceBytes& bytes = view.snapshot.bytes;
  const BitRate top = highest(view.meters);
  const int spark =
      std::clamp(size.columns - kLabel - 33, 0, static_cast<int>(RateMeter::kHistory));
  const bool any = bytes.received() > 0_B;
  const double offload = bytes.offload();
  StyledLine title(" ");
  title.add(pad_right("source", kLabel - kMargin) + pad_left("now", 12) + "  " +
                pad_right("last minute", spark) + pad_left("bytes", 10) + pad_left("share", 7),
            Style::kDim);
  std::vector<StyledLine> lines = {title};
  lines.push_back(source_row("cdn", Style::kCdn, &view.meters.cdn, top, spark, bytes.cdn,
                             any ? human_percent(1 - offload) : "-"));
  lines.push_back(source_row("peers", Style::kPeers, &view.meters.peers, top, spark, bytes.peers,
                             any ? human_percent(offload) : "-"));
  if (bytes.cache > 0_B) {
    lines.push_back(source_row("cache", Style::kCache, nullptr, top, spark, bytes.cache, ""));
  }
  lines.push_back(
      source_row("upload", Style::kPlain, &view.meters.up, top, spark, bytes.uploaded, ""));
  return {kSources, std::move(lines)};
}

Section offload(const LiveView& view, const ViewSize& size) {
  const SourceBytes& bytes = view.snapshot.bytes;
  StyledLine line = labelled("offload");
  const int width = std::clamp(size.columns - kLabel - 8, 0, 60);
  const bool any = bytes.received() > 0_B;
  const int full = static_cast<int>(std::lround(bytes.offload() * width));
  if (any) {
    line.add(repeat("█", full), Style::kPeers).add(repeat("▒", width - full), Style::kCdn);
  } else {
    line.add(repeat("░", width), Style::kDim);
  }
  line.add(" " + (any ? human_percent(bytes.offload()) : "-"), Style::kBold);
  return {kSources, {line}};
}

struct CellLook {
  std::string_view sign;
  Style style;
};

CellLook look_of(tributary_piece_state state) {
  switch (state) {
    case TRIBUTARY_PIECE_HAVE:
      return {"█", Style::kGood};
    case TRIBUTARY_PIECE_PARTIAL:
      return {"▄", Style::kGood};
    case TRIBUTARY_PIECE_ASKED_CDN:
      return {"▓", Style::kCdn};
    case TRIBUTARY_PIECE_ASKED_PEER:
      return {"▒", Style::kPeers};
    case TRIBUTARY_PIECE_MISSING:
      break;
  }
  return {"·", Style::kDim};
}

StyledLine legend() {
  StyledLine line = labelled("");
  constexpr std::array<std::pair<tributary_piece_state, std::string_view>, 5> kEntries = {
      {{TRIBUTARY_PIECE_HAVE, "have"},
       {TRIBUTARY_PIECE_PARTIAL, "in part"},
       {TRIBUTARY_PIECE_ASKED_CDN, "from cdn"},
       {TRIBUTARY_PIECE_ASKED_PEER, "from peers"},
       {TRIBUTARY_PIECE_MISSING, "missing"}}};
  for (const auto& [state, text] : kEntries) {
    line.add(look_of(state).sign, look_of(state).style)
        .add(" " + std::string(text) + "  ", Style::kDim);
  }
  return line.add("▼", Style::kPlayhead).add(" playhead", Style::kDim);
}

// A short track has fewer blocks than the map has columns: cells are widened to fill a row.
int cell_width(std::size_t cells, int columns) {
  return cells == 0 ? 1 : std::max(1, columns / static_cast<int>(cells));
}

Section piece_map(const LiveView& view, const ViewSize& size) {
  const PlaySnapshot& s = view.snapshot;
  const auto columns = static_cast<std::size_t>(map_columns(size));
  std::vector<StyledLine> lines;
  const int wide = cell_width(s.pieces.size(), map_columns(size));
  const std::size_t cells = std::min(s.pieces.size(), map_cells(size));
  for (std::size_t begin = 0; begin < cells; begin += columns) {
    StyledLine line = labelled(begin == 0 ? "pieces" : "");
    for (std::size_t i = begin; i < std::min(begin + columns, cells); ++i) {
      const CellLook look = look_of(s.pieces[i]);
      const bool here = i == s.playhead_piece;
      if (here) line.add("▼", Style::kPlayhead);
      line.add(repeat(look.sign, here ? wide - 1 : wide), look.style);
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.push_back(labelled("pieces").add("not known yet", Style::kDim));
  lines.push_back(legend());
  return {kMap, std::move(lines)};
}

Section next_track(const LiveView& view) {
  const PlaySnapshot& s = view.snapshot;
  if (s.next_title.empty()) return {kNext, {}};
  StyledLine line = labelled("next");
  const bool whole = s.next_size > 0_B && s.next_have >= s.next_size;
  const bool waits = s.prefetch == TRIBUTARY_PREFETCH_IDLE;
  const std::string stage = whole                                    ? "complete"
                            : waits                                  ? "waits"
                            : s.prefetch == TRIBUTARY_PREFETCH_PEERS ? "from peers"
                                                                     : "from peers and cdn";
  line.add(pad_right(stage, whole || waits ? 9 : 19),
           waits && !whole ? Style::kDim : Style::kPeers);
  add_bar(line, share_of(s.next_have.count(), s.next_size.count()), 10, Style::kGood);
  line.add(" " + human_bytes(s.next_have) + " of " + human_bytes(s.next_size) + "  ");
  line.add(s.next_title, Style::kBold);
  return {kNext, {line}};
}

Section message(const LiveView& view) {
  const std::string& text = view.notice.empty() ? view.snapshot.message : view.notice;
  StyledLine line(" ");
  line.add(text, view.snapshot.state == TRIBUTARY_STATE_FAILED ? Style::kBad : Style::kBold);
  return {kMessage, {line}};
}

Section keys(const LiveView& view) {
  StyledLine line(" ");
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kHelp = {
      {{"space", "pause"}, {"←/→", "10 s"}, {"n/p", "next, previous"}, {"q", "quit"}}};
  for (const auto& [key, what] : kHelp) {
    line.add(key, Style::kBold).add(" " + std::string(what) + "   ", Style::kDim);
  }
  line.add(view.snapshot.policy + ", audio " + view.audio, Style::kDim);
  if (!view.address.empty()) line.add(", shared at " + view.address, Style::kDim);
  return {kKeys, {line}};
}

std::size_t rows_of(const std::vector<Section>& sections) {
  std::size_t rows = 0;
  for (const Section& section : sections) rows += section.lines.size();
  return rows;
}

// Drops whole sections, least first, until the rest fits.
void drop_until_fits(std::vector<Section>& sections, std::size_t rows) {
  for (int rank = kBlank; rank < kHead; ++rank) {
    for (auto it = sections.end(); rows_of(sections) > rows && it != sections.begin();) {
      --it;
      if (it->rank == rank) it->lines.clear();
    }
  }
}

Section blank() { return {kBlank, {StyledLine()}}; }

}  // namespace

void SourceMeters::add(TimePoint now, const SourceBytes& bytes) {
  cdn.add(now, bytes.cdn);
  peers.add(now, bytes.peers);
  up.add(now, bytes.uploaded);
}

std::string_view state_name(tributary_state state) {
  constexpr std::array<std::string_view, 7> kNames = {"loading", "starting", "playing", "paused",
                                                      "stalled", "ended",    "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::size_t map_cells(const ViewSize& size) {
  return static_cast<std::size_t>(map_columns(size) * map_rows(size));
}

std::vector<std::string> render_view(const LiveView& view, const ViewSize& size) {
  const std::size_t rows = static_cast<std::size_t>(std::max(size.rows, 0));
  std::vector<Section> sections = {head(view),          blank(), playhead(view, size),
                                   buffer(view, size),  blank(), sources(view, size),
                                   offload(view, size), blank(), piece_map(view, size)};
  sections.push_back(blank());
  sections.push_back({kEdges, edge_lines(view.snapshot.edges, 3)});
  sections.push_back(next_track(view));
  sections.push_back(blank());
  const Section last[] = {message(view), keys(view)};
  const std::size_t used = rows_of(sections) + 2;
  // Peers take what is left, a few rows at least.
  const std::size_t room = std::max<std::size_t>(3, rows > used ? rows - used : 0);
  sections.push_back({kPeers, peer_lines(view.snapshot.peers, room)});
  sections.insert(sections.end(), std::begin(last), std::end(last));
  drop_until_fits(sections, rows);
  std::vector<std::string> lines;
  for (const Section& section : sections) {
    for (const StyledLine& line : section.lines) {
      if (lines.size() < rows) lines.push_back(line.render(size.columns, size.colour));
    }
  }
  return lines;
}

std::string render_line(const LiveView& view) {
  const PlaySnapshot& s = view.snapshot;
  const std::string end = s.duration > Duration::zero() ? " / " + human_clock(s.duration) : "";
  std::string line = pad_right(state_name(s.state), 8) + "  " + std::to_string(s.track + 1) + "/" +
                     std::to_string(s.tracks) + "  " + human_clock(s.position) + end + "  buffer " +
                     human_seconds(s.buffered) + "  cdn " + human_rate(view.meters.cdn.now()) +
                     "  peers " + human_rate(view.meters.peers.now()) + " from " +
                     std::to_string(s.peers.size()) + "  offload " +
                     human_percent(s.bytes.offload()) + "  stalls " + std::to_string(s.stalls);
  const std::string& text = view.notice.empty() ? s.message : view.notice;
  if (!text.empty()) line += "  " + text;
  return fit_text(line, 2000);
}

}  // namespace tributary::demo
