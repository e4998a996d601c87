// How listeners of each link class fared: beside one another, so that it can be seen who suffers.
// Pure.
#pragma once

#include <vector>

#include "demo/loadtest/text_table.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// The rate that peers gave one of them while he was there, and what he sent them.
BitRate rate_from_peers(const sim::LoadClass& of_class);
BitRate rate_sent(const sim::LoadClass& of_class);

// The heads of class_cells().
std::vector<std::string> class_heads();
std::vector<std::string> class_cells(const sim::LoadClass& of_class);

// A line for each policy and class.
TextTable class_table(const std::vector<sim::LoadReport>& reports);

}  // namespace tributary::demo
