// The tables of the live view: edges and peers. Pure.
#pragma once

#include <vector>

#include "demo/play_figures.h"
#include "demo/styled_line.h"

namespace tributary::demo {

// One line for each edge, at most `rows`.
std::vector<StyledLine> edge_lines(const std::vector<EdgeFigures>& edges, std::size_t rows);

// A heading and one line for each peer, those that give most first; at most `rows` in all, the last
// of which counts those that did not fit.
std::vector<StyledLine> peer_lines(std::vector<PeerFigures> peers, std::size_t rows);

}  // namespace tributary::demo
