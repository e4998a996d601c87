#include "engine/sim/tracker_model.h"

#include <algorithm>
#include <utility>

namespace tributary::sim {
namespace {

// A tracker that does not answer costs the announcer this long (BEP 15's first time-out).
constexpr Duration kTimeout = 15s;

}  // namespace

std::vector<TrackerModel::Member>& TrackerModel::swarm(core::TorrentId torrent) {
  if (swarms_.size() <= torrent.value()) swarms_.resize(torrent.value() + 1);
  return swarms_[torrent.value()];
}

std::size_t TrackerModel::members(core::TorrentId torrent) const {
  return torrent.value() < swarms_.size() ? swarms_[torrent.value()].size() : 0;
}

void TrackerModel::set_delay(core::TorrentId torrent, Duration delay) {
  if (delays_.size() <= torrent.value()) delays_.resize(torrent.value() + 1);
  delays_[torrent.value()] = delay;
}

Duration TrackerModel::answer_time(core::TorrentId torrent) const {
  if (down_) return kTimeout;
  const bool late = torrent.value() < delays_.size();
  return params_.round_trips + (late ? delays_[torrent.value()] : Duration::zero());
}

void TrackerModel::announce(HostId host, const Endpoint& endpoint, const core::Announce& action) {
  ++announces_;
  const bool stopped = action.event == core::AnnounceEvent::kStopped;
  const bool seed = action.left == 0_B;
  const bool leeches = !seed || action.event == core::AnnounceEvent::kStarted;
  if (!down_) {
    std::vector<Member>& members = swarm(action.torrent);
    const auto known = std::find_if(members.begin(), members.end(),
                                    [&](const Member& m) { return m.host == host; });
    if (known == members.end()) {
      if (!stopped) members.push_back({host, endpoint, seed});
    } else if (stopped) {
      members.erase(known);
    } else {
      known->seed = seed;
    }
  }
  const auto id = pending_.emplace(
      Pending{host, action.torrent, action.tracker, action.want, down_, stopped, leeches});
  queue_.schedule(answer_time(action.torrent), {Owner::kTracker, 0, host, id.value()});
}

void TrackerModel::forget(HostId host) {
  for (std::vector<Member>& members : swarms_) {
    std::erase_if(members, [&](const Member& m) { return m.host == host; });
  }
}

bool TrackerModel::only_seeds(core::TorrentId torrent) {
  const std::vector<Member>& members = swarm(torrent);
  const auto is_seed = [](const Member& m) { return m.seed; };
  return !members.empty() && std::all_of(members.begin(), members.end(), is_seed);
}

// A partial Fisher-Yates shuffle over the others.
std::vector<Endpoint> TrackerModel::sample(const Pending& pending) {
  std::vector<Endpoint> others;
  for (const Member& m : swarm(pending.torrent)) {
    const bool useless = m.seed && !pending.leeches;
    if (m.host != pending.host && !useless) others.push_back(m.endpoint);
  }
  const auto wanted = static_cast<std::size_t>(std::clamp(pending.want, 0, params_.most_peers));
  const std::size_t count = std::min(wanted, others.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(others[i], others[i + random_.below(others.size() - i)]);
  }
  others.resize(count);
  return others;
}

void TrackerModel::on_event(const Event& event) {
  const Id<PendingTag, std::uint64_t> id(event.id);
  const Pending pending = std::move(*pending_.find(id));
  pending_.erase(id);
  if (pending.failed) {
    handler_.tracker_input(pending.host, core::AnnounceFailed{pending.torrent, pending.tracker});
    return;
  }
  core::AnnounceReply reply{
      pending.torrent, pending.tracker, {}, params_.interval, params_.min_interval};
  if (!pending.stopped) reply.peers = sample(pending);
  reply.only_seeds = only_seeds(pending.torrent);
  handler_.tracker_input(pending.host, reply);
}

}  // namespace tributary::sim
