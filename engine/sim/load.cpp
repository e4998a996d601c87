#include "engine/sim/load.h"

#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/sim/report.h"
#include "engine/sim/world.h"

namespace tributary::sim {
namespace {

std::vector<core::TorrentId> add_tracks(World& world, std::int32_t count) {
  std::vector<core::TorrentId> tracks;
  for (std::int32_t i = 0; i < count; ++i) {
    TrackParams track;
    track.name = "track" + std::to_string(i);
    tracks.push_back(world.add_track(track));
  }
  return tracks;
}

}  // namespace

LoadResult run_load(const LoadParams& params) {
  WorldParams world_params;
  world_params.seed = params.seed;
  world_params.check = false;
  World world(world_params);
  EdgeParams edge;
  edge.half_rtt = 40ms;
  world.add_edge(edge);
  const std::vector<core::TorrentId> tracks = add_tracks(world, params.tracks);
  Random random(params.seed);
  LoadResult result;
  for (std::int32_t i = 0; i < params.listeners; ++i) {
    HostParams host;
    host.policy = params.policy;
    const HostId id = world.add_node(host);
    const TimePoint start{params.arrivals * i / params.listeners};
    world.listen_at(start, id, {tracks[random.below(tracks.size())]});
    result.node_time += TimePoint(params.run) - start;
  }
  world.run_until(TimePoint(params.run));
  const ScenarioReport report = make_report("load", world);
  result.events = report.events;
  result.stalls = report.stalls;
  result.offload_permille = report.offload_permille();
  result.from_cdn = report.from_cdn;
  result.digest = report.digest;
  return result;
}

}  // namespace tributary::sim
