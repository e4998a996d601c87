// What is wanted of a torrent, by playback and by readers, and what no longer is.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/swarm.h"

namespace tributary::core {

void Swarm::on(const SetTimeline& e) {
  const auto f = static_cast<std::size_t>(e.file.value());
  TRIBUTARY_CHECK(f < timelines_.size());
  if (!e.timeline.known()) return;
  timelines_[f] = e.timeline;
  guessed_[f] = false;
  update_media_rate();
  for (Demand& demand : s_.demands) {
    if (demand.file == e.file) apply_timeline(demand);
  }
  s_.reopen();
}

// A reader stands at a byte, whatever its time is thought to be. It may be faster than the media.
void Swarm::apply_timeline(Demand& demand) {
  const auto f = static_cast<std::size_t>(demand.file.value());
  const Bytes at = demand.offset_at(demand.playhead(s_.now)) - demand.file_range.begin;
  demand.timeline = timelines_[f];
  demand.guessed = guessed_[f];
  if (demand.reader == kNoReader) return;
  if (demand.rate > BitRate() && (demand.guessed || demand.timeline.bit_rate() < demand.rate)) {
    const Bytes size = demand.file_range.size();
    demand.timeline = ByteTimeMap::linear(size, transfer_time(size, demand.rate));
    demand.guessed = false;
  }
  demand.position = demand.timeline.time_at(at);
  demand.at = std::max(demand.at, s_.now);
}

void Swarm::on(const SetDemand& e) {
  const auto f = static_cast<std::size_t>(e.file.value());
  TRIBUTARY_CHECK(f < timelines_.size());
  if (s_.demands.empty()) s_.demanded_since = s_.now;
  auto it = std::find_if(s_.demands.begin(), s_.demands.end(),
                         [&](const Demand& d) { return d.is(e.file, kNoReader); });
  if (it == s_.demands.end()) it = s_.demands.insert(s_.demands.end(), Demand{});
  const bool jumped = it->moving && e.moving && !e.starting &&
                      std::chrono::abs(it->playhead(s_.now) - e.position) > 1s;
  *it = {.file = e.file,
         .file_range = s_.meta.info.files[f].range(),
         .timeline = timelines_[f],
         .position = e.position,
         .at = e.at,
         .moving = e.moving,
         .starting = e.starting,
         .prefetch = e.prefetch,
         .cdn_allowed = e.cdn_allowed,
         .budget = e.budget,
         .guessed = guessed_[f]};
  sort_demands();
  if (e.starting || jumped) drop_stale_requests(e.file, kNoReader);
  s_.replan_seeds = true;
  s_.reopen();
  protocol_.refresh_interest();
}

// What plays first, then who reads, then what is prefetched.
void Swarm::sort_demands() {
  std::stable_sort(s_.demands.begin(), s_.demands.end(), [](const Demand& a, const Demand& b) {
    return std::pair(a.prefetch, a.reader) < std::pair(b.prefetch, b.reader);
  });
}

void Swarm::on(const SetReader& e) {
  const auto f = static_cast<std::size_t>(e.file.value());
  TRIBUTARY_CHECK(f < timelines_.size() && e.reader != kNoReader);
  const auto it = std::find_if(s_.demands.begin(), s_.demands.end(),
                               [&](const Demand& d) { return d.is(e.file, e.reader); });
  if (it != s_.demands.end() && !e.starting) return move_reader(e, *it);
  if (s_.demands.empty()) s_.demanded_since = s_.now;
  if (it != s_.demands.end()) s_.demands.erase(it);
  Demand demand{.file = e.file,
                .reader = e.reader,
                .unread = e.unread,
                .rate = e.rate,
                .file_range = s_.meta.info.files[f].range(),
                .timeline = timelines_[f],
                .moving = !e.starting,
                .starting = e.starting,
                .budget = e.unread.size()};
  apply_timeline(demand);
  demand.position = demand.timeline.time_at(e.unread.begin - demand.file_range.begin);
  if (demand.moving) demand.at += e.lead;
  s_.demands.push_back(std::move(demand));
  sort_demands();
  if (e.starting) drop_stale_requests(e.file, e.reader);
  s_.replan_seeds = true;
  s_.reopen();
  protocol_.refresh_interest();
}

// While it is ahead of its playhead, where it stands changes no deadline.
void Swarm::move_reader(const SetReader& e, Demand& demand) {
  const bool waited = !demand.moves(s_.now);
  demand.position = demand.playhead(s_.now);
  demand.at = std::max(demand.at, s_.now);
  demand.moving = true;
  demand.starting = false;
  demand.unread = e.unread;
  if (!waited) return;
  s_.replan_seeds = true;
  s_.reopen();
}

void Swarm::on(const ClearDemand& e) {
  std::erase_if(s_.demands, [&](const Demand& d) { return d.is(e.file, e.reader); });
  if (e.reader == kNoReader) s_.waited.reset();
  drop_stale_cdn_requests();
  if (e.reader != kNoReader) {
    cancel_peer_requests([this](BlockIndex block) { return s_.wanted(block); });
  }
  if (s_.demands.empty()) {
    s_.demanded_since.reset();
    neighbour_dials_ = 0;
    protocol_.drop_useless();
  }
  if (!s_.active()) {
    for (auto& [conn, peer] : s_.peers) receiver_.yield_requests(peer);
  }
  s_.replan_seeds = true;
  s_.reopen();
  protocol_.refresh_interest();
}

// After a seek or skip: requests of which no block is demanded any more only cost.
void Swarm::drop_stale_cdn_requests() {
  std::vector<CdnRequestId> stale;
  for (const auto& entry : s_.cdn.requests) {
    const CdnBook::Request& request = entry.second;
    const bool wanted = std::any_of(s_.demands.begin(), s_.demands.end(), [&](const Demand& d) {
      const BlockRange blocks = s_.needed(d.wanted(s_.now));
      return request.blocks.begin < blocks.end && blocks.begin < request.blocks.end &&
             planner_.deadline(d, std::max(request.blocks.begin, blocks.begin)) - s_.now <
                 s_.params.policy.seed_until;
    });
    if (!wanted) stale.push_back(entry.first);
  }
  for (CdnRequestId id : stale) drop_cdn_request(id);
}

void Swarm::drop_cdn_request(CdnRequestId id) {
  s_.out.emplace_back(CdnCancel{s_.params.id, id});
  receiver_.on_cdn_ended({s_.params.id, id});
}

// What peers still owe of the place that was left would share the access link with the new head.
// Other readers of the torrent keep what they wait for.
void Swarm::drop_stale_requests(FileIndex file, ReaderId reader) {
  drop_stale_cdn_requests();
  cancel_peer_requests([&](BlockIndex block) {
    return std::any_of(s_.demands.begin(), s_.demands.end(), [&](const Demand& d) {
      if (!s_.needed(d.wanted(s_.now)).contains(block)) return false;
      return (d.reader != kNoReader && !d.is(file, reader)) ||
             planner_.deadline(d, block) - s_.now < s_.params.policy.urgent_window;
    });
  });
}

void Swarm::cancel_peer_requests(const std::function<bool(BlockIndex)>& keeps) {
  for (auto& [conn, peer] : s_.peers) {
    std::vector<BlockIndex> stale;
    for (const Download::Outstanding& o : peer.download->outstanding) {
      if (!o.cancelled_at && !keeps(o.block)) stale.push_back(o.block);
    }
    for (BlockIndex block : stale) receiver_.cancel_request(peer, block);
  }
}

void Swarm::on(const ReaderWaits& e) {
  if (e.range.empty()) {
    s_.waited.reset();
  } else {
    s_.waited = s_.needed(e.range);
  }
  s_.reopen();
}

}  // namespace tributary::core
