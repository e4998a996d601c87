#include "tests/scenario/cast/distributions.h"

#include <algorithm>
#include <cstdio>

namespace tributary::sim {
namespace {

// Small beside what is to be transferred, so that the formulas, which know no delay, apply.
constexpr Duration kHalfRtt = 5ms;
constexpr BitRate kRate = 2500_kbps;  // of the media, which nobody plays

}  // namespace

Duration Distribution::bound() const {
  const BitRate all = among_peers ? server_up + peer_up * peers : server_up;
  return std::max({transfer_time(size, server_up), transfer_time(size, peer_down),
                   transfer_time(size * peers, all)});
}

std::string DistributionReport::line() const {
  char text[200];
  std::snprintf(text, sizeof text, "%d peers, %s: %.1f s, the bound is %.1f s: %.3f x", what.peers,
                what.among_peers ? "among themselves" : "from the server",
                static_cast<double>(took.count()) / 1e6,
                static_cast<double>(what.bound().count()) / 1e6,
                static_cast<double>(permille()) / 1000);
  return text;
}

DistributionReport distribute(const Distribution& what) {
  WorldParams params;
  params.seed = what.seed;
  params.check = what.peers <= 100;
  World world(params);
  TrackParams file;
  file.duration = transfer_time(what.size, kRate);
  file.rate = kRate;
  file.piece_length = what.piece_length;
  const core::TorrentId track = world.add_track(file);
  HostParams server;
  server.policy = core::Policy::peers_only();
  server.link = {what.server_up, kUnlimited, kHalfRtt, 0};
  world.seed(world.add_node(server), track);
  HostParams peer = server;
  peer.link = {what.peer_up, what.peer_down, kHalfRtt, 0};
  peer.upload = what.among_peers;
  std::vector<HostId> peers;
  for (int i = 0; i < what.peers; ++i) {
    peers.push_back(world.add_node(peer));
    world.at(TimePoint(1s), [host = peers.back(), track](World& w) { w.download(host, track); });
  }
  world.run_until_done(TimePoint(4h));
  DistributionReport report{what, {}, world.digest().value()};
  for (HostId host : peers) {
    const TimePoint done = world.completed(host).value_or(TimePoint(4h));
    report.took = std::max(report.took, done - TimePoint(1s));
  }
  return report;
}

}  // namespace tributary::sim
