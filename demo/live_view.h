// The screen of `play`: a snapshot in, lines out. Pure.
#pragma once

#include <string>
#include <vector>

#include "demo/play_figures.h"
#include "demo/rate_meter.h"
#include "engine/base/units.h"

namespace tributary::demo {

// What each source gives.
struct SourceMeters {
  RateMeter cdn;
  RateMeter peers;
  RateMeter up;

  void add(TimePoint now, const SourceBytes& bytes);
};

struct LiveView {
  PlaySnapshot snapshot;
  SourceMeters meters;
  std::string audio;
  std::string address;  // where peers reach us; empty: nowhere
  std::string notice;   // of the command itself; goes before the snapshot's message
};

struct ViewSize {
  int columns = 80;
  int rows = 24;
  bool colour = true;
};

// At most `rows` lines of at most `columns` columns. What matters least goes first where the screen
// is small.
std::vector<std::string> render_view(const LiveView& view, const ViewSize& size);

// How many cells of the piece map fit; what a snapshot should be asked for.
std::size_t map_cells(const ViewSize& size);

// One line for where there is no terminal.
std::string render_line(const LiveView& view);

// "playing", "starting", …
std::string_view state_name(tributary_state state);

}  // namespace tributary::demo
