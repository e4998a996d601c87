#include "demo/live_view.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "demo/progress_bar.h"
#include "demo/summary.h"
#include "demo/text_width.h"

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

namespace {

LiveView busy_view() {
  LiveView view;
  PlaySnapshot& s = view.snapshot;
  s.state = TRIBUTARY_STATE_PLAYING;
  s.track = 1;
  s.tracks = 12;
  s.title =
      "Schöne 日本語 title \x1b[31m with everything in it, and far too long for a small screen";
  s.position = 83s;
  s.duration = 245s;
  s.buffered = 21400ms;
  s.bytes.cdn = 1_MiB;
  s.bytes.peers = 3_MiB;
  s.bytes.cache = 10_KiB;
  s.bytes.uploaded = 2_MiB;
  for (int i = 0; i < 30; ++i) {
    PeerFigures peer;
    peer.address = "10.200.100." + std::to_string(i) + ":65535";
    peer.client = "Ein Client mit langem Namen 1.2.3";
    peer.flags = "DUeXO";
    peer.down = BitRate(i * 100'000);
    s.peers.push_back(peer);
  }
  EdgeFigures edge;
  edge.origin = "https://a-very-long-name-of-an-edge.cdn.example.org:8443";
  edge.failures = 3;
  s.edges = {edge, edge, edge, edge};
  for (int i = 0; i < 2000; ++i) s.pieces.push_back(static_cast<tributary_piece_state>(i % 5));
  s.playhead_piece = 7;
  s.next_title = "The next one";
  s.next_have = 1_MiB;
  s.next_size = 4_MiB;
  s.stalls = 2;
  s.startup = 312ms;
  s.emergency = true;
  s.message = "something\nhappened";
  s.policy = "adaptive";
  view.audio = "null";
  view.address = "127.0.0.1:6881";
  for (int i = 0; i < 100; ++i) {
    SourceBytes bytes;
    bytes.peers = Bytes(i * 10'000);
    view.meters.add(TimePoint(i * 200ms), bytes);
  }
  return view;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

bool shows(const std::vector<std::string>& lines, std::string_view text) {
  return joined(lines).find(text) != std::string::npos;
}

// Takes colours away and fails on every other escape sequence.
std::string without_colours(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      text += line[i];
      continue;
    }
    const std::size_t end = line.find_first_not_of("0123456789;", i + 2);
    REQUIRE(line[i + 1] == '[');
    REQUIRE(end != std::string_view::npos);
    REQUIRE(line[end] == 'm');
    i = end;
  }
  return text;
}

}  // namespace

TEST_CASE("no line is wider and no screen taller than the terminal, whatever its size") {
  const LiveView busy = busy_view();
  const LiveView empty;
  for (const LiveView* view : {&busy, &empty}) {
    for (int columns = 20; columns <= 200; ++columns) {
      for (int rows : {1, 5, 12, 24, 40, 80}) {
        for (bool colour : {false, true}) {
          const auto lines = render_view(*view, {columns, rows, colour});
          CAPTURE(columns);
          CAPTURE(rows);
          REQUIRE(lines.size() <= static_cast<std::size_t>(rows));
          for (const std::string& line : lines) {
            const std::string text = without_colours(line);
            REQUIRE(text_width(text) <= columns);
            REQUIRE((colour || text == line));
          }
        }
      }
    }
  }
}

TEST_CASE("the screen tells everything a listener asks for") {
  LiveView view = busy_view();
  view.snapshot.title = "Song";
  const auto lines = render_view(view, {120, 50, false});
  for (const char* text : {"▶ playing",
                           "track 2 of 12",
                           "Song",
                           "1:23",
                           "4:05",
                           "21.4 s",
                           "startup 312 ms",
                           "stalls 2",
                           "cdn",
                           "peers",
                           "cache",
                           "upload",
                           "offload",
                           "75 %",
                           "25 %",
                           "playhead",
                           "edges",
                           "3 failures",
                           "30 peers",
                           "10.200.100.29:65535",
                           "next",
                           "1.05 MB of 4.19 MB",
                           "The next one",
                           "something?happened",
                           "space pause",
                           "adaptive"}) {
    CAPTURE(text);
    CHECK(shows(lines, text));
  }
}

TEST_CASE("a small screen keeps what matters most") {
  const auto lines = render_view(busy_view(), {80, 6, false});
  CHECK(shows(lines, "playing"));
  CHECK(shows(lines, "1:23"));
  CHECK(!shows(lines, "10.200.100"));
}

TEST_CASE("peers that give most come first and the rest is counted") {
  const auto lines = render_view(busy_view(), {100, 30, false});
  CHECK(shows(lines, "10.200.100.29"));
  CHECK(!shows(lines, "10.200.100.0:"));
  CHECK(shows(lines, "more"));
}

TEST_CASE("the map marks the playhead's cell and fills the row") {
  LiveView view;
  view.snapshot.pieces = {TRIBUTARY_PIECE_HAVE, TRIBUTARY_PIECE_PARTIAL, TRIBUTARY_PIECE_ASKED_CDN,
                          TRIBUTARY_PIECE_ASKED_PEER, TRIBUTARY_PIECE_MISSING};
  view.snapshot.playhead_piece = 1;
  const ViewSize size{20, 24, false};
  CHECK(map_cells(size) == 10);
  CHECK(shows(render_view(view, size), "██▼▄▓▓▒▒··"));
}

TEST_CASE("the line for pipes tells state, buffer, sources and stalls") {
  LiveView view = busy_view();
  view.snapshot.message = "";
  const std::string line = render_line(view);
  for (const char* text :
       {"playing", "2/12", "1:23 / 4:05", "buffer 21.4 s", "from 30", "offload 75 %", "stalls 2"}) {
    CAPTURE(text);
    CHECK(line.find(text) != std::string::npos);
  }
  CHECK(line.find('\x1b') == std::string::npos);
}

TEST_CASE("progress is told in percent, speed and time left, within any width") {
  const Progress half{"hashing album", 50 << 20, 100 << 20, 2s, ProgressUnit::kBytes};
  const std::string line = render_progress(half, 79);
  CHECK(line.find("50 %") != std::string::npos);
  CHECK(line.find("26.2 MB/s") != std::string::npos);
  CHECK(line.find("0:02 left") != std::string::npos);
  const Progress virtual_time{"flash crowd", 50, 100, 2s, ProgressUnit::kTime};
  CHECK(render_progress(virtual_time, 79).find("B/s") == std::string::npos);
  for (int width = 0; width <= 120; ++width) {
    CAPTURE(width);
    CHECK(text_width(render_progress(half, width)) <= width);
    CHECK(text_width(render_progress({"x", 0, 0, Duration(), ProgressUnit::kTime}, width)) <=
          width);
  }
}

TEST_CASE("the summary has a line a track that was begun and one for all") {
  PlayFigures session;
  TrackFigures track;
  track.title = "A title 日本語 that is longer than the column";
  track.started = true;
  track.startup = 312ms;
  track.played = 45s;
  track.stalls = 1;
  track.stalled = 1250ms;
  track.bytes.peers = Bytes(4'700'000);
  track.bytes.cdn = Bytes(1'300'000);
  session.tracks = {track, TrackFigures{}};
  session.total = track;
  const auto lines = render_summary(session, 80);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].starts_with("1 A"));
  CHECK(lines[2].starts_with("total"));
  for (const char* text : {"312 ms", "0:45", "1 (1.25 s)", "1.3 MB", "4.7 MB", "78 %"}) {
    CAPTURE(text);
    CHECK(lines[1].find(text) != std::string::npos);
  }
  for (int columns = 1; columns <= 200; ++columns) {
    for (const std::string& line : render_summary(session, columns)) {
      REQUIRE(text_width(line) <= columns);
    }
  }
}
