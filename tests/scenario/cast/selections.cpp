#include "tests/scenario/cast/selections.h"

namespace tributary::sim {

const std::vector<Selection>& all_selections() {
  static const std::vector<Selection> kAll = {{"in order", 12s, true},
                                              {"rarest first", 0s, false},
                                              {"mixed", 4s, false},
                                              {"ours", 12s, false}};
  return kAll;
}

ScenarioReport play_by(const Selection& selection) {
  Variation v;
  v.policy = core::Policy::peers_only();
  v.policy.urgent_window = selection.urgent_window;
  v.policy.in_order = selection.in_order;
  v.duration = 120s;
  v.video = true;
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  stage.add_seed(track, 6_Mbps);
  for (int i = 0; i < 20; ++i) {
    HostParams viewer = stage.client();
    viewer.link.up = 3_Mbps;
    viewer.link.down = 20_Mbps;
    const HostId host = stage.world.add_node(viewer);
    stage.world.listen_at(TimePoint(1s + i * 1s), host, {track});
  }
  stage.world.run_until_done(TimePoint(1200s));
  return make_report(selection.name, stage.world);
}

ScenarioReport viewers_of_one(int viewers) {
  Stage stage({});
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < viewers; ++i) stage.add_listener(TimePoint(1s + i * 5s), {track});
  stage.world.run_until_done(TimePoint(800s));
  return make_report(std::to_string(viewers) + " viewers", stage.world);
}

}  // namespace tributary::sim
