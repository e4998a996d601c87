// The table that ends `play`. Pure.
#pragma once

#include <string>
#include <vector>

#include "demo/play_figures.h"

namespace tributary::demo {

// A heading, one line for each track that was begun or fetched, and the total; at most `columns`
// wide; 78 hold all figures.
std::vector<std::string> render_summary(const PlayFigures& session, int columns);

}  // namespace tributary::demo
