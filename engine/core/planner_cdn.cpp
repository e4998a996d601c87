// The CDN's side of the planner: heads, insurance, anti-stampede.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/planner.h"

namespace tributary::core {
namespace {

// How long after the first demand other clients may still be turning up: a tracker's answer, a dial
// and two handshakes.
constexpr Duration kSearchTime = 2s;
// The anti-stampede rule deals pieces out in groups of about so much media, so that one client's
// share makes requests of a useful size.
constexpr Duration kSeedGroup = 1s;
// After the head of a start: a round trip to a peer, in which it is asked.
constexpr Duration kPeersFirst = 100ms;
// A head ends with a whole page or packet: nothing of it can be decoded before its end is there.
// Ogg's pages last a second.
constexpr Duration kLongestPage = 1s;

std::uint64_t rendezvous(const PeerId& peer, PieceIndex group) {
  std::uint64_t h = static_cast<std::uint64_t>(group.value());
  for (std::uint8_t byte : peer.bytes) h = Random::mix(h * 257 + byte);
  return h;
}

}  // namespace

TimePoint Planner::deadline(const Demand& demand, BlockIndex block) const {
  Bytes at = s_.layout.block_range(block).begin;
  if (s_.layout.blocks_per_piece() > 1 && !s_.leaf_of(block)) {
    at = s_.layout.piece_range(s_.layout.piece_of(block)).begin;
  }
  const ByteRange wanted = demand.wanted(s_.now);
  return demand.deadline(std::max(at, wanted.begin), s_.now);
}

TimePoint Planner::last_safe(TimePoint deadline) const { return deadline - s_.cdn.answer_time(); }

bool Planner::searching() const {
  return s_.uses_peers() && s_.peers.empty() && !s_.discovery_over && s_.demanded_since &&
         s_.now - *s_.demanded_since < kSearchTime;
}

bool Planner::alone() const { return !s_.uses_peers() || (s_.peers.empty() && !searching()); }

// Peers of which nobody has the block may still get it from each other in time; a block that some
// peer has is left to it longest.
Planner::Ask Planner::when_to_ask(const Demand& demand, BlockIndex block) {
  const Policy& policy = s_.params.policy;
  Ask ask{.at = {}, .reason = CdnReason::kUrgent, .deadline = deadline(demand, block)};
  const TimePoint safe = last_safe(ask.deadline);
  for (ConnId owner : s_.pieces.owners(block)) {
    const auto it = s_.peers.find(owner);
    if (it == s_.peers.end()) continue;
    ask.reason = CdnReason::kRescue;
    const TimePoint finish = it->second.download->estimator.expected_finish(
        s_.now, it->second.in_flight(), it->second.in_flight(), policy.assumed_peer_rate);
    const bool in_time = finish + policy.hedge_margin <= ask.deadline;
    ask.at = std::max(ask.at, safe - (in_time ? policy.hedge_margin : policy.margin));
  }
  if (ask.reason == CdnReason::kRescue) return ask;
  if (alone()) {
    ask.reason = CdnReason::kNoPeer;
    ask.at = safe - policy.alone_low;
  } else if (!some_peer_may_bring(block, ask.deadline)) {
    ask.reason = CdnReason::kNoPeer;
    ask.at = safe - (searching() ? policy.margin : policy.no_peer_low);
  } else {
    ask.at = safe - policy.margin;
  }
  return ask;
}

// Whether a peer has the block and is not known to be too slow for it. One that chokes us may yet
// unchoke us.
bool Planner::some_peer_may_bring(BlockIndex block, TimePoint deadline) {
  const PieceIndex piece = s_.layout.piece_of(block);
  if (s_.rarity.availability(piece) == 0) return false;
  if (!earliest_) {
    earliest_.emplace(s_.layout.piece_count());
    for (const auto& [conn, peer] : s_.peers) {
      if (peer.snubbed) continue;
      earliest_->add(peer.has, peer.peer_choking ? TimePoint::min() : expected_finish(peer));
    }
  }
  return earliest_->of(piece) <= deadline;
}

// The largest margin that a block can have now.
Duration Planner::low_mark() const {
  const Policy& policy = s_.params.policy;
  return alone() ? policy.alone_low : std::max(policy.no_peer_low, policy.margin);
}

// No block that is due later than this can be due for the CDN.
Duration Planner::horizon() const { return low_mark() + s_.cdn.answer_time() + 1s; }

// It has the access link to itself, unless somebody else plays from the same torrent.
bool Planner::start_goes_first() const { return start_under_way() && !several_play(); }

bool Planner::several_play() const { return s_.demands.size() > 1 && !s_.demands[1].prefetch; }

bool Planner::start_under_way() const {
  return std::any_of(s_.cdn.requests.begin(), s_.cdn.requests.end(), [](const auto& entry) {
    return entry.second.reason == CdnReason::kStartup && entry.second.missing > 0;
  });
}

void Planner::plan_cdn() {
  s_.note_silence();
  if (!s_.cdn_insures() || s_.demands.empty() || s_.cdn.doubted) {
    cdn_at_ = seed_at_ = kNever;
    return;
  }
  const bool starting = start_under_way();
  const bool started = std::exchange(start_was_under_way_, starting) && !starting;
  // Peers choose first then: they have waited, and the CDN fills in what they leave.
  if (started) cdn_at_ = std::min(cdn_at_, s_.now + (alone() ? Duration::zero() : kPeersFirst));
  if (s_.replan_cdn || s_.now >= cdn_at_) {
    s_.replan_cdn = false;
    earliest_.reset();
    cdn_at_ = searching() ? *s_.demanded_since + kSearchTime : kNever;
    ask_waited();
    for (const Demand& demand : s_.demands) {
      if (!demand.cdn_allowed) continue;
      if (demand.starting || demand.prefetch) ask_head(demand);
      if (!demand.prefetch && !start_goes_first()) ask_in_time(demand);
    }
  }
  if (s_.seeds_swarm() && (s_.replan_seeds || s_.now >= seed_at_)) plan_seeds();
}

// What lies behind the byte the demuxer stands at is asked for along with it; once that byte is on
// its way, it is no more urgent than its deadline says.
void Planner::ask_waited() {
  if (!s_.waited || s_.demands.empty()) return;
  const Bytes at = s_.layout.block_range(s_.waited->begin).begin;
  const BlockRange first = s_.needed({at, at + 1_B});
  const int open = s_.pieces.uncovered().find_next(first.begin.value());
  if (open == Bitfield::kNone || open >= first.end.value()) return;
  ask_cdn_for_missing(s_.demands.front(), *s_.waited, "the demuxer waits for it");
}

BlockRange Planner::head_of(const Demand& demand) const {
  const Policy& policy = s_.params.policy;
  const ByteRange wanted = demand.wanted(s_.now);
  if (wanted.empty()) return {};
  const Duration head = demand.prefetch ? policy.prefetch_head : policy.head;
  Bytes end = demand.file_range.begin +
              demand.timeline.page_at(demand.playhead(s_.now) + head, kLongestPage);
  if (demand.guessed) end = wanted.begin + policy.head_bytes_unknown;
  end = std::clamp(end, wanted.begin + 1_B, wanted.end);
  return s_.needed({wanted.begin, end});
}

void Planner::ask_head(const Demand& demand) {
  ask_cdn_for_missing(demand, head_of(demand),
                      demand.prefetch ? "the next track's head is still missing"
                                      : "the head of a start comes from the CDN");
}

// Whether a peer that was asked for the block brings it before the CDN could: one that was measured
// and keeps to its measure. Should it fall behind, the CDN is thought of again.
bool Planner::sooner_from_peer(BlockIndex block) {
  for (ConnId owner : s_.pieces.owners(block)) {
    const Peer* peer = owner == ConnId() ? nullptr : s_.peer(owner);
    if (!peer || !peer->download->estimator.measured() ||
        peer->download->estimator.next_due() <= s_.now)
      continue;
    const TimePoint finish = peer->download->estimator.expected_finish(
        s_.now, peer->in_flight(), peer->in_flight(), s_.params.policy.assumed_peer_rate);
    if (last_safe(finish) > s_.now) continue;
    cdn_at_ = std::min(cdn_at_, peer->download->estimator.next_due());
    return true;
  }
  return false;
}

void Planner::ask_cdn_for_missing(const Demand& demand, BlockRange blocks, std::string_view why) {
  const CdnReason reason = demand.prefetch   ? CdnReason::kPrefetch
                           : demand.starting ? CdnReason::kStartup
                                             : CdnReason::kUrgent;
  BlockIndex first = blocks.begin;
  while (first < blocks.end) {
    first = BlockIndex(s_.pieces.uncovered().find_next(first.value()));
    if (first.value() == Bitfield::kNone || first >= blocks.end) return;
    BlockIndex end = first;
    Bytes size;
    while (end < blocks.end && is_uncovered(end) && size < s_.params.policy.max_request &&
           !sooner_from_peer(end)) {
      size += s_.length_of(end);
      ++end;
    }
    if (first < end) ask_cdn(demand, {first, end}, reason, why);
    first = first < end ? end : end + 1;
  }
}

void Planner::ask_in_time(const Demand& demand) {
  const BlockRange blocks = s_.needed(demand.wanted(s_.now));
  const TimePoint limit = s_.now + horizon();
  BlockIndex b = blocks.begin;
  while (b < blocks.end) {
    b = BlockIndex(s_.pieces.uncovered().find_next(b.value()));
    if (b.value() == Bitfield::kNone || b >= blocks.end) return;
    const Ask ask = when_to_ask(demand, b);
    if (ask.at <= s_.now) {
      const BlockIndex end = extend(demand, b, blocks.end, ask);
      ask_cdn(demand, {b, end}, ask.reason,
              ask.reason == CdnReason::kNoPeer ? "no peer has it" : "its last safe moment is here");
      b = end;
      continue;
    }
    // While nothing moves, deadlines slide along with time: then only inputs change anything.
    if (demand.moves(s_.now)) cdn_at_ = std::min(cdn_at_, ask.at);
    if (ask.deadline > limit) {
      // What follows is due no earlier, but may be due for the CDN before this block is.
      if (demand.moves(s_.now)) {
        cdn_at_ = std::min(cdn_at_, last_safe(ask.deadline) - low_mark());
      }
      return;
    }
    ++b;
  }
}

// How far one request reaches: over blocks that nobody has up to the high mark, else over
// neighbours that become urgent soon as well.
BlockIndex Planner::extend(const Demand& demand, BlockIndex first, BlockIndex end, const Ask& ask) {
  const Policy& policy = s_.params.policy;
  const Duration high = alone() ? policy.alone_high : policy.no_peer_high;
  Bytes size;
  BlockIndex b = first;
  for (; b < end && is_uncovered(b) && size < policy.max_request; ++b) {
    const Ask next = when_to_ask(demand, b);
    const bool far = ask.reason == CdnReason::kNoPeer && !searching()
                         ? next.reason != CdnReason::kNoPeer || next.deadline - s_.now > high
                         : next.at > s_.now + policy.coalesce;
    const bool throttled =
        policy.server_throttle && next.deadline - s_.now > *policy.server_throttle;
    if (b != first && (far || throttled)) break;
    size += s_.length_of(b);
  }
  return b;
}

void Planner::ask_cdn(const Demand& demand, BlockRange blocks, CdnReason reason,
                      std::string_view why) {
  TRIBUTARY_CHECK(!blocks.empty());
  const CdnRequestId id(std::uint64_t{s_.params.id.value()} << 40 | ++next_request_);
  trace(&demand, blocks, Decision::Choice::kCdn, ConnId(), reason, why);
  if (s_.cdn.requests.empty()) s_.cdn.heard_at = s_.now;
  s_.cdn.requests[id] = {blocks, blocks.size(), reason};
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    s_.pieces.set_cdn(b, true);
    if (s_.length_of(b) == 0_B) --s_.cdn.requests[id].missing;
  }
  ++s_.counts(blocks.begin).cdn_requests;
  s_.out.emplace_back(CdnFetch{s_.params.id, id, blocks, reason, deadline(demand, blocks.begin),
                               s_.buffered(demand), demand.starting});
}

// Anti-stampede: of the clients that miss a group of pieces which nobody has, one fetches it ahead
// of need. Rendezvous hashing picks the one, so that all agree without a word: each client is
// chosen with probability 1 / (clients that miss it). `others`: fellow_seeders().
bool Planner::chosen_to_seed(PieceIndex group, const std::vector<const Peer*>& others) const {
  const std::uint64_t mine = rendezvous(s_.params.peer_id, group);
  return std::none_of(others.begin(), others.end(),
                      [&](const Peer* peer) { return rendezvous(peer->peer_id, group) < mine; });
}

// Whom the lot may fall on as well. Each of them misses what nobody has.
std::vector<const Peer*> Planner::fellow_seeders() const {
  std::vector<const Peer*> others;
  for (const auto& [conn, peer] : s_.peers) {
    if (peer.tributary && !peer.upload_only) others.push_back(&peer);
  }
  return others;
}

// Who has just come does not know yet what the others have: it would fetch what is there already.
bool Planner::knows_neighbours() const {
  return std::all_of(s_.peers.begin(), s_.peers.end(),
                     [](const auto& entry) { return entry.second.announced; });
}

void Planner::plan_seeds() {
  s_.replan_seeds = false;
  seed_at_ = kNever;
  if (s_.demanded_since && s_.now - *s_.demanded_since < kSearchTime) {
    seed_at_ = *s_.demanded_since + kSearchTime;
    return;
  }
  if (!knows_neighbours()) {
    seed_at_ = s_.now + kSeedGroup;
    return;
  }
  const std::vector<const Peer*> others = fellow_seeders();
  for (const Demand& demand : s_.demands) {
    if (demand.prefetch || !demand.cdn_allowed) continue;
    if (!others.empty()) plan_seeds(demand, others);
    if (more_to_seed(demand)) seed_at_ = s_.now + kSeedGroup;
  }
}

// Time alone brings more of it within reach.
bool Planner::more_to_seed(const Demand& demand) const {
  if (!demand.moves(s_.now) || s_.pieces.complete()) return false;
  const Duration until = demand.playhead(s_.now) + s_.params.policy.seed_until;
  return demand.offset_at(until) < demand.wanted(s_.now).end;
}

void Planner::plan_seeds(const Demand& demand, const std::vector<const Peer*>& others) {
  const Policy& policy = s_.params.policy;
  const Duration playhead = demand.playhead(s_.now);
  const ByteRange wanted = demand.wanted(s_.now);
  const Bytes near = demand.offset_at(playhead + policy.seed_from);
  const Bytes far = demand.offset_at(playhead + policy.seed_until);
  const BlockRange blocks = s_.needed(intersect({near, far}, wanted));
  const auto per_group = std::max<std::int64_t>(
      1, bytes_in(kSeedGroup, demand.timeline.bit_rate()) / s_.layout.piece_length());
  for (BlockIndex b = blocks.begin; b < blocks.end;) {
    const PieceIndex piece = s_.layout.piece_of(b);
    const BlockIndex next = std::min(s_.layout.blocks_of(piece).end, blocks.end);
    const PieceIndex group(static_cast<std::int32_t>(piece.value() / per_group));
    if (s_.rarity.availability(piece) == 0 && s_.pieces.open_blocks().test(b.value()) &&
        chosen_to_seed(group, others)) {
      BlockIndex end = b;
      const BlockIndex group_end(static_cast<std::int32_t>((group.value() + 1) * per_group) *
                                 s_.layout.blocks_per_piece());
      while (end < std::min(group_end, blocks.end) && s_.pieces.open_blocks().test(end.value()) &&
             s_.rarity.availability(s_.layout.piece_of(end)) == 0) {
        ++end;
      }
      ask_cdn(demand, {b, end}, CdnReason::kSeedSwarm, "nobody has it and the lot fell on us");
      b = std::max(end, next);
      continue;
    }
    b = next;
  }
}

bool Planner::in_emergency() {
  if (s_.now < safe_until_ && safe_epoch_ == s_.open_epoch) return false;
  safe_until_ = kNever;
  safe_epoch_ = s_.open_epoch;
  return std::any_of(s_.demands.begin(), s_.demands.end(),
                     [this](const Demand& d) { return !d.prefetch && in_emergency(d); });
}

bool Planner::in_emergency(const Demand& demand) {
  const Policy& policy = s_.params.policy;
  const ByteRange wanted = demand.wanted(s_.now);
  if (wanted.empty()) return false;
  const Duration buffered = s_.buffered(demand);
  if (buffered >= policy.emergency_buffer) {
    if (demand.moves(s_.now)) {
      safe_until_ = std::min(safe_until_, s_.now + (buffered - policy.emergency_buffer));
    }
    return false;
  }
  safe_until_ = s_.now;
  const BlockRange blocks = s_.needed(wanted);
  const int gap = s_.pieces.have_blocks().find_next_clear(blocks.begin.value());
  if (gap == Bitfield::kNone || gap >= blocks.end.value()) return false;
  if (!policy.emergency_only_when_late) return demand.moving || !demand.starting;
  const TimePoint due = deadline(demand, BlockIndex(gap));
  return s_.cdn_insures() ? due < s_.now + 100ms && !demand.starting : !demand.starting;
}

}  // namespace tributary::core
