// The table that ends `play`. Pure.
#pragma once

#include <string>
#include <vector>

#include "player/client/report.h"

namespace tributary::demo {

// A heading, one line for each track that was begun or fetched, and the total; at most `columns`
// wide where the figures alone fit.
std::vector<std::string> render_summary(const player::Report& report, int columns);

}  // namespace tributary::demo
