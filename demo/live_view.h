// The screen of `play`: a snapshot in, lines out. Pure.
#pragma once

#include <string>
#include <vector>

#include "demo/rate_meter.h"
#include "engine/base/units.h"
#include "player/client/client.h"

namespace tributary::demo {

// What each source gives.
struct SourceMeters {
  RateMeter cdn;
  RateMeter peers;
  RateMeter up;

  void add(TimePoint now, const core::ByteCounts& bytes);
};

struct LiveView {
  player::ClientSnapshot snapshot;
  SourceMeters meters;
  std::string policy;
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

// How many cells of the piece map fit; what ClientSnapshot should be asked for.
std::size_t map_cells(const ViewSize& size);

// One line for where there is no terminal.
std::string render_line(const LiveView& view);

// "playing", "starting", …
std::string_view state_name(player::PlayState state);

// Peers' share of what crossed the network, 0 … 1; 0 when nothing did.
double offload_of(const core::ByteCounts& bytes);

}  // namespace tributary::demo
