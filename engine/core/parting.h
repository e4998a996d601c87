// With which neighbours to part when there are too many.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/core/locality.h"

namespace tributary::core {

// A newcomer has not had the time to be of use: an optimistic unchoke comes every 30 s (BEP 3).
inline constexpr Duration kProbation = 60s;

// What a neighbour was and is good for.
struct Neighbour {
  ConnId conn;
  Bytes lately;               // both ways, in the last 10 minutes
  Bytes last_hour;            // the same
  bool of_interest = false;   // one of us has what the other wants
  bool transferring = false;  // blocks are under way, or asked for
  TimePoint connected_at{};
  AddressRank rank{};     // the same for all where addresses are not ranked
  Duration round_trip{};  // zero: not known
};

// The least useful beyond `keep`, in that order: fewest bytes lately, then in the last hour (Kreitz
// & Niemelä 2010), then of no interest, then the farthest, the slowest to answer and that of the
// lowest priority (BEP 40), then the newest. Newcomers and those with transfers under
// way are spared, so that there may be fewer than asked for.
std::vector<ConnId> choose_partings(std::vector<Neighbour> neighbours, std::size_t keep,
                                    TimePoint now);

}  // namespace tributary::core
