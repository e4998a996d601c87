#include "engine/core/parting.h"

#include <algorithm>
#include <tuple>

namespace tributary::core {

std::vector<ConnId> choose_partings(std::vector<Neighbour> neighbours, std::size_t keep,
                                    TimePoint now) {
  if (neighbours.size() <= keep) return {};
  const std::size_t most = neighbours.size() - keep;
  std::erase_if(neighbours, [now](const Neighbour& n) {
    return n.transferring || now - n.connected_at < kProbation;
  });
  const auto use = [](const Neighbour& n) {
    return std::tuple(n.lately, n.last_hour, n.of_interest, -static_cast<int>(n.rank.nearness),
                      -n.round_trip, ~n.rank.distance, -n.connected_at.time_since_epoch(), n.conn);
  };
  std::sort(neighbours.begin(), neighbours.end(),
            [&](const Neighbour& a, const Neighbour& b) { return use(a) < use(b); });
  std::vector<ConnId> out;
  for (const Neighbour& n : neighbours) {
    if (out.size() == most) break;
    out.push_back(n.conn);
  }
  return out;
}

}  // namespace tributary::core
