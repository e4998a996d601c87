// The peers' side of the planner: the most urgent block to the peer that finishes it first.
#include <algorithm>

#include "engine/core/peer_protocol.h"
#include "engine/core/planner.h"

namespace tributary::core {
namespace {

// Beyond this a pipeline gains nothing and only makes cancelling dear: 8 MiB.
constexpr std::int32_t kMaxDepth = 512;
// What a pipeline covers beyond the measured latency: scheduling and disk on the other side.
constexpr Duration kPipelineSlack = 250ms;
// A block in flight is asked of a second peer only if that one is so much sooner.
constexpr Duration kHedgeGain = 250ms;
// Late blocks looked at for a second source: enough for the seconds around the playhead.
constexpr int kMaxLateLooks = 64;
// Time alone makes blocks late and moves the window of what is urgent: after so long all peers are
// looked at again, at the next input. Often beside the seconds that a hedge is about.
constexpr Duration kLookAgain = 250ms;
// A peer must seem to hold too much for so long before it loses the latest of it: blocks come in
// bursts, and one pause of the host or the network makes the fastest peer look slow for a moment.
constexpr Duration kYieldAfter = 250ms;
// Candidates written to a trace record.
constexpr std::size_t kMaxCandidates = 8;

// The first block of `part` that is open and not owed by the peer. Cancelled requests leave whole
// pieces open and owed, so that asking peer.owes() for each block would be quadratic.
std::optional<BlockIndex> first_not_owed(const Bitfield& open, const Peer& peer, BlockRange part) {
  const int end = part.end.value();
  int b = open.find_next(part.begin.value());
  if (b == Bitfield::kNone || b >= end) return std::nullopt;
  if (!peer.owes(BlockIndex(b))) return BlockIndex(b);
  std::vector<int> owed;
  for (const Download::Outstanding& o : peer.download->outstanding) {
    if (o.block.value() > b && o.block.value() < end) owed.push_back(o.block.value());
  }
  std::sort(owed.begin(), owed.end());
  do {
    b = open.find_next(b + 1);
  } while (b != Bitfield::kNone && b < end && std::binary_search(owed.begin(), owed.end(), b));
  if (b == Bitfield::kNone || b >= end) return std::nullopt;
  return BlockIndex(b);
}

bool holds_too_much(Peer& peer, std::int32_t depth, TimePoint now) {
  if (peer.in_flight() <= 2 * depth) {
    peer.too_deep_since = kNever;
  } else {
    peer.too_deep_since = std::min(peer.too_deep_since, now);
  }
  return peer.too_deep_since != kNever && now - peer.too_deep_since >= kYieldAfter;
}

}  // namespace

void Planner::plan() {
  plan_cdn();
  plan_peers();
}

// While the head of a start is on its way from the CDN, other requests would only slow it down;
// also once the first frame plays, for the rest of the head is due at once.
bool Planner::head_on_its_way() const {
  const Policy& policy = s_.params.policy;
  if (!policy.peers_wait_for_head || !s_.cdn_insures() || several_play()) return false;
  if (start_under_way()) return true;
  if (s_.demands.empty() || !s_.demands.front().starting) return false;
  const BlockRange head = head_of(s_.demands.front());
  const int gap = s_.pieces.have_blocks().find_next_clear(head.begin.value());
  return gap != Bitfield::kNone && gap < head.end.value();
}

// Bandwidth x delay, at least the policy's minimum, at most two seconds of what was measured. It
// grows by a block with each that comes: the first ones of a rate-limited peer arrive in a burst
// that says nothing about its rate.
std::int32_t Planner::depth(const Peer& peer) const {
  const Policy& policy = s_.params.policy;
  if (peer.stalled) return 1;
  if (!peer.download->estimator.measured()) return std::min(policy.min_depth, peer.request_queue);
  const Duration block = std::max(peer.download->estimator.per_block(), Duration(1));
  const auto by_delay = (peer.download->estimator.latency() + kPipelineSlack) / block + 1;
  const auto by_time = policy.max_depth_time / block;
  const auto wanted = std::max<std::int64_t>(std::min(by_delay, by_time), policy.min_depth);
  const std::int64_t proven = std::int64_t{policy.min_depth} + peer.download->proven;
  return static_cast<std::int32_t>(
      std::min<std::int64_t>({wanted, proven, kMaxDepth, peer.request_queue}));
}

TimePoint Planner::expected_finish(const Peer& peer) const {
  return peer.download->estimator.expected_finish(s_.now, peer.in_flight() + 1, peer.in_flight(),
                                                  s_.params.policy.assumed_peer_rate);
}

void Planner::consider(Peer& peer) {
  const std::int32_t most = depth(peer);
  // A peer that turns out slower than it seemed holds blocks that others would bring sooner.
  if (holds_too_much(peer, most, s_.now)) receiver_.yield_latest(peer, most);
  const bool may_ask = peer.usable() || (!peer.allowed_fast.empty() && peer.announced);
  if (!may_ask || (peer.in_flight() >= most && peer.probe_at() > s_.now)) return;
  if (peer.dry_epoch != s_.open_epoch) ready_.push_back({&peer, expected_finish(peer)});
}

// Whoever may be asked for something. While nothing became askable for all, that can have changed
// only with those who were heard of.
void Planner::collect_ready() {
  ready_.clear();
  changed_.clear();
  changed_.swap(s_.changed_peers);
  if (s_.now - planned_all_at_ >= kLookAgain) ++s_.open_epoch;
  if (planned_epoch_ == s_.open_epoch) {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (ConnId conn : changed_) {
      if (Peer* peer = s_.peer(conn)) consider(*peer);
    }
  }
  if (planned_epoch_ != s_.open_epoch) {
    ready_.clear();
    planned_epoch_ = s_.open_epoch;
    planned_all_at_ = s_.now;
    for (auto& [conn, peer] : s_.peers) consider(peer);
  }
  std::make_heap(ready_.begin(), ready_.end());
}

void Planner::plan_peers() {
  if (!s_.uses_peers() || !s_.active() || head_on_its_way()) {
    s_.changed_peers.clear();
    planned_epoch_ = 0;  // all are looked at when that is over
    return;
  }
  collect_ready();
  while (!ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end());
    Ready& first = ready_.back();
    std::string_view why;
    const auto block = choose_for(first, why);
    Peer& peer = *first.peer;
    if (block) {
      ask_peer(peer, *block, why);
      first.finish = expected_finish(peer);
    } else {
      peer.dry_epoch = s_.open_epoch;
    }
    if (block && peer.in_flight() < depth(peer)) {
      std::push_heap(ready_.begin(), ready_.end());
    } else {
      ready_.pop_back();
    }
  }
}

std::optional<BlockIndex> Planner::choose_for(const Ready& ready, std::string_view& why) {
  if (auto block = choose_waited(*ready.peer)) {
    why = "the demuxer waits for it";
    return block;
  }
  const auto next = std::find_if(s_.demands.begin(), s_.demands.end(),
                                 [](const Demand& d) { return d.prefetch; });
  if (auto block = choose_of({s_.demands.begin(), next}, ready, why)) return block;
  for (auto d = next; d != s_.demands.end(); ++d) {
    if (auto block = choose_of({d, d + 1}, ready, why)) return block;
  }
  if (!s_.background) return std::nullopt;
  why = "rarest first";
  return choose_rarest(*ready.peer, PieceIndex(0), PieceIndex(s_.layout.piece_count()));
}

// For all who play what they need soon, the first of that first; then what they need later.
std::optional<BlockIndex> Planner::choose_of(std::span<const Demand> demands, const Ready& ready,
                                             std::string_view& why) {
  std::optional<BlockIndex> first;
  TimePoint due = kNever;
  for (const Demand& demand : demands) {
    const auto block = choose_urgent(ready, demand);
    if (!block || (first && deadline(demand, *block) >= due)) continue;
    first = block;
    due = deadline(demand, *block);
  }
  // While the head of somebody's start is on its way from the CDN, what others hold is enough for
  // the moment: their requests would share the access link with it.
  const bool head_first = s_.params.policy.peers_wait_for_head && s_.cdn_insures();
  const bool waits = head_first && several_play() && start_under_way();
  if (waits && due > s_.now + s_.params.policy.head) return std::nullopt;
  why = "most urgent, finishes first";
  if (first) return first;
  why = "late elsewhere, asked of a second peer";
  for (const Demand& demand : demands) {
    if (auto block = choose_late(ready, demand)) return block;
  }
  why = s_.params.policy.in_order ? "next in order" : "rarest first";
  for (const Demand& demand : demands) {
    if (auto block = choose_later(*ready.peer, demand)) return block;
  }
  return std::nullopt;
}

// The first open block of [from, to) that the peer has and may be asked for.
std::optional<BlockIndex> Planner::open_block(const Peer& peer, BlockIndex from,
                                              BlockIndex to) const {
  if (from >= to) return std::nullopt;
  const BlockSource source = BlockSource::peer(peer.conn, peer.remote);
  const int last = s_.layout.piece_of(to - 1).value();
  for (int p = s_.layout.piece_of(from).value(); p <= last; ++p) {
    p = s_.pieces.open_pieces().find_next_common(peer.has, p, last + 1);
    if (p == Bitfield::kNone) return std::nullopt;
    const PieceIndex piece(p);
    const bool allowed =
        peer.usable() || std::find(peer.allowed_fast.begin(), peer.allowed_fast.end(), piece) !=
                             peer.allowed_fast.end();
    if (!allowed || !receiver_.may_ask(piece, source)) continue;
    const BlockRange blocks = s_.layout.blocks_of(piece);
    const BlockRange part{std::max(from, blocks.begin), std::min(to, blocks.end)};
    if (const auto block = first_not_owed(s_.pieces.open_blocks(), peer, part)) return block;
  }
  return std::nullopt;
}

std::optional<BlockIndex> Planner::choose_waited(const Peer& peer) const {
  if (!s_.waited) return std::nullopt;
  return open_block(peer, s_.waited->begin, s_.waited->end);
}

// The first block within the urgent window that this peer brings in time. What it would bring too
// late is left to faster ones and to the CDN; without a CDN late is better than never.
std::optional<BlockIndex> Planner::choose_urgent(const Ready& ready, const Demand& demand) const {
  const Policy& policy = s_.params.policy;
  const BlockRange wanted = s_.needed(demand.wanted(s_.now));
  if (wanted.empty()) return std::nullopt;
  const Duration window_end =
      demand.time_due_by(std::max(s_.now, demand.at) + policy.urgent_window, s_.now);
  const BlockRange window =
      s_.needed({s_.layout.block_range(wanted.begin).begin, demand.offset_at(window_end)});
  BlockIndex from = wanted.begin;
  const bool insured = s_.cdn_insures() && demand.cdn_allowed;
  if (insured) {
    const Duration in_time = demand.time_due_by(ready.finish, s_.now);
    const Bytes first = demand.offset_at(in_time);
    if (first >= demand.file_range.end) return std::nullopt;
    if (in_time > demand.playhead(s_.now)) from = std::max(from, s_.layout.block_of(first));
  }
  return open_block(*ready.peer, from, std::min(std::max(window.end, wanted.begin), wanted.end));
}

bool Planner::may_duplicate() const {
  const ByteCounts total = s_.ledger.total();
  const Bytes received = total.cdn() + total.peers;
  // The first blocks of a session may always be hedged.
  const Bytes allowed = received / 100 * s_.params.policy.duplicate_percent + 4 * kBlockSize;
  return total.duplicate + kBlockSize * s_.pieces.twice_asked() < allowed;
}

// A block that is asked of one slower peer and due before that one is expected to deliver; at the
// very end of a download, any such block (endgame, BEP 3).
std::optional<BlockIndex> Planner::choose_late(const Ready& ready, const Demand& demand) const {
  const bool insured = s_.cdn_insures() && demand.cdn_allowed;
  if (insured || !ready.peer->usable() || !may_duplicate()) return std::nullopt;
  const BlockRange wanted = s_.needed(demand.wanted(s_.now));
  const bool endgame = s_.pieces.open_blocks().none();
  int looks = 0;
  for (BlockIndex b = wanted.begin; b < wanted.end && looks < kMaxLateLooks; ++b) {
    b = BlockIndex(s_.pieces.uncovered().find_next(b.value()));
    if (b.value() == Bitfield::kNone || b >= wanted.end) break;
    ++looks;
    if (s_.pieces.owner_count(b) != 1) continue;
    if (!ready.peer->has.test(s_.layout.piece_of(b).value()) || ready.peer->owes(b)) continue;
    const Peer* owner = nullptr;
    for (ConnId id : s_.pieces.owners(b)) {
      if (Peer* p = s_.peer(id)) owner = p;
    }
    if (!owner || owner == ready.peer) continue;
    const TimePoint theirs = owner->download->estimator.expected_finish(
        s_.now, owner->in_flight(), owner->in_flight(), s_.params.policy.assumed_peer_rate);
    const bool late = endgame || theirs > deadline(demand, b);
    if (late && ready.finish + kHedgeGain < theirs) return b;
  }
  return std::nullopt;
}

std::optional<BlockIndex> Planner::choose_later(const Peer& peer, const Demand& demand) {
  const Policy& policy = s_.params.policy;
  BlockRange wanted = s_.needed(demand.wanted(s_.now));
  if (wanted.empty()) return std::nullopt;
  if (policy.peer_horizon) {
    const Bytes end = demand.offset_at(demand.playhead(s_.now) + *policy.peer_horizon);
    wanted.end = std::min(wanted.end, s_.layout.block_of(std::max(end, 1_B) - 1_B) + 1);
  }
  const Duration urgent_end =
      demand.time_due_by(std::max(s_.now, demand.at) + policy.urgent_window, s_.now);
  const Bytes at = std::min(demand.offset_at(urgent_end), demand.file_range.end - 1_B);
  const BlockIndex begin = std::max(wanted.begin, s_.layout.block_of(at));
  // A prefetched track is played from its start: order serves it better than rarity.
  if (policy.in_order || demand.prefetch) return open_block(peer, begin, wanted.end);
  if (begin >= wanted.end) return std::nullopt;
  return choose_rarest(peer, s_.layout.piece_of(begin), s_.layout.piece_of(wanted.end - 1) + 1);
}

// Started pieces first, so that they become whole and can be shared (strict priority); then the
// rarest.
std::optional<BlockIndex> Planner::choose_rarest(const Peer& peer, PieceIndex begin,
                                                 PieceIndex end) {
  if (begin >= end || s_.pieces.open_pieces().none()) return std::nullopt;
  if (s_.layout.blocks_per_piece() > 1) {
    PieceIndex tried(-1);  // requests of one piece follow each other
    for (const Download::Outstanding& o : peer.download->outstanding) {
      const PieceIndex piece = s_.layout.piece_of(o.block);
      if (piece == tried || piece < begin || piece >= end) continue;
      tried = piece;
      const BlockRange blocks = s_.layout.blocks_of(piece);
      if (auto block = open_block(peer, blocks.begin, blocks.end)) return block;
    }
  }
  const PieceIndex piece = s_.rarity.pick(s_.pieces.open_pieces(), peer.has, begin, end, s_.random);
  if (piece.value() < 0) return std::nullopt;
  const BlockRange blocks = s_.layout.blocks_of(piece);
  if (auto block = open_block(peer, blocks.begin, blocks.end)) return block;
  return open_block(peer, s_.layout.blocks_of(begin).begin, s_.layout.blocks_of(end - 1).end);
}

void Planner::ask_peer(Peer& peer, BlockIndex block, std::string_view why) {
  if (s_.params.trace) {
    const auto demand = std::find_if(s_.demands.begin(), s_.demands.end(), [&](const Demand& d) {
      return s_.needed(d.wanted(s_.now)).contains(block);
    });
    trace(demand == s_.demands.end() ? nullptr : &*demand, {block, block + 1},
          Decision::Choice::kPeer, peer.conn, CdnReason::kUrgent, why);
  }
  if (peer.in_flight() == 0) peer.last_block = s_.now;
  Download& download = peer.download.edit();
  download.outstanding.push_back({block, s_.now});
  download.estimator.on_request(s_.now, peer.in_flight());
  s_.watch_by(s_.now + kStallTime);
  s_.pieces.add_owner(block, peer.conn);
  receiver_.note_asked(s_.layout.piece_of(block), BlockSource::peer(peer.conn, peer.remote));
  s_.send(peer, Request{s_.layout.span_of(block)});
}

void Planner::trace(const Demand* demand, BlockRange blocks, Decision::Choice choice, ConnId peer,
                    CdnReason reason, std::string_view why) {
  if (!s_.params.trace) return;
  Decision d;
  d.at = s_.now;
  d.torrent = s_.params.id;
  d.blocks = blocks;
  if (demand && demand->file_range.contains(s_.layout.block_range(blocks.begin).begin)) {
    d.deadline = deadline(*demand, blocks.begin);
    d.cdn_last_safe = last_safe(d.deadline);
  }
  const int piece = s_.layout.piece_of(blocks.begin).value();
  for (const auto& [conn, p] : s_.peers) {
    if (p.usable() && p.has.test(piece)) d.candidates.push_back({conn, expected_finish(p)});
  }
  std::sort(d.candidates.begin(), d.candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.expected_finish < b.expected_finish;
  });
  if (d.candidates.size() > kMaxCandidates) d.candidates.resize(kMaxCandidates);
  d.choice = choice;
  d.peer = peer;
  d.reason = reason;
  d.why = why;
  s_.out.emplace_back(Trace{std::move(d)});
}

}  // namespace tributary::core
