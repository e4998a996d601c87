#include "tests/scenario/cast/localities.h"

#include <algorithm>

namespace tributary::sim {
namespace {

// Whom a viewer dials: few beside the swarm, so that it matters who they are. He takes as many as
// come, or the full would turn near ones away as well.
constexpr int kNeighbours = 10;

Endpoint address_of(int of_operator, int viewer) {
  return Endpoint::v4(static_cast<std::uint8_t>(20 + of_operator),
                      static_cast<std::uint8_t>(viewer), 1, 1, 6881);
}

core::OperatorTable operators(int count) {
  core::OperatorTable table;
  for (int i = 0; i < count; ++i) {
    table.add(address_of(i, 0), 96 + 8, "operator " + std::to_string(i));
  }
  return table;
}

}  // namespace

std::int64_t LocalityReport::inside() const {
  return from_operator.count() * 100 / std::max<std::int64_t>(all.from_peers.count(), 1);
}

std::string LocalityReport::line() const {
  return all.line() + ", " + std::to_string(inside()) + " % of peers' bytes from the own operator";
}

LocalityReport viewers_of_operators(const LocalityPlan& plan) {
  const core::OperatorTable table = operators(plan.operators);
  Variation variation;
  variation.seed = plan.seed;
  variation.video = true;
  variation.duration = 90s;
  Stage stage(variation);
  const core::TorrentId track = stage.add_track();
  Random random(plan.seed);
  for (int i = 0; i < plan.viewers; ++i) {
    HostParams viewer = stage.client();
    const auto own = static_cast<int>(random.below(static_cast<std::uint64_t>(plan.operators)));
    viewer.address = address_of(own, i);
    viewer.operators = &table;
    viewer.rank_addresses = plan.ranked;
    viewer.book.soft_limit = kNeighbours;
    viewer.book.hard_limit = 3 * kNeighbours;
    const HostId host = stage.world.add_node(viewer);
    stage.world.listen_at(TimePoint(1s * (i + 1)), host, {track});
  }
  stage.world.run_until_done(TimePoint(600s));
  LocalityReport report;
  report.all = make_report(plan.ranked ? "near first" : "all alike", stage.world);
  for (const ListenerReport& each : report.all.listeners) {
    report.from_operator += each.meter.from_operator;
  }
  return report;
}

}  // namespace tributary::sim
