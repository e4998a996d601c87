// The deadline-aware scheduler: which block is asked of whom, and when. It runs after every input,
// does nothing where nothing changed, and names the moment when the next block becomes urgent.
//
// A block belongs to the peers until the CDN's last safe moment for it,
//   deadline - time to first byte (high quantile) - transfer (low quantile) - margin,
// and is then asked of the CDN, alone or with neighbours that are as urgent.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/earliest_finish.h"
#include "engine/core/receiver.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

class Planner {
 public:
  Planner(SwarmState& state, Receiver& receiver) : s_(state), receiver_(receiver) {}

  void plan();
  // When time alone changes the plan; kNever: only an input does.
  TimePoint next_deadline() const { return std::min(cdn_at_, seed_at_); }

  // When the block is due, in the view of whoever needs it first: a piece that can only be verified
  // whole is due with its first needed byte.
  TimePoint deadline(const Demand& demand, BlockIndex block) const;
  // The CDN's last safe moment for one block that is due at `deadline`, with no margin.
  TimePoint last_safe(TimePoint deadline) const;
  // The CDN insures a start whose head is not verified yet, and peers wait for it: requests beside
  // it would only share the access link with it.
  bool head_on_its_way() const;
  // The media ahead of the playhead is thin, and what should fill it is late.
  bool in_emergency();

 private:
  friend class PlannerProbe;  // tests

  struct Ask {
    TimePoint at;  // when to ask the CDN for the block
    CdnReason reason;
    TimePoint deadline;
  };

  // The CDN: planner_cdn.cpp.
  void plan_cdn();
  bool start_under_way() const;
  bool start_goes_first() const;
  bool several_play() const;
  void ask_waited();
  void ask_head(const Demand& demand);
  void ask_in_time(const Demand& demand);
  void plan_seeds();
  void plan_seeds(const Demand& demand, const std::vector<const Peer*>& others);
  bool in_emergency(const Demand& demand);
  Ask when_to_ask(const Demand& demand, BlockIndex block);
  BlockIndex extend(const Demand& demand, BlockIndex first, BlockIndex end, const Ask& ask);
  void ask_cdn(const Demand& demand, BlockRange blocks, CdnReason reason, std::string_view why);
  void ask_cdn_for_missing(const Demand& demand, BlockRange blocks, std::string_view why);
  BlockRange head_of(const Demand& demand) const;
  bool alone() const;
  bool searching() const;
  bool some_peer_may_bring(BlockIndex block, TimePoint deadline);
  bool knows_neighbours() const;
  bool chosen_to_seed(PieceIndex group, const std::vector<const Peer*>& others) const;
  std::vector<const Peer*> fellow_seeders() const;
  bool more_to_seed(const Demand& demand) const;
  bool is_uncovered(BlockIndex block) const { return s_.pieces.uncovered().test(block.value()); }
  bool sooner_from_peer(BlockIndex block);
  Duration low_mark() const;
  Duration horizon() const;

  // The peers: planner_peers.cpp.
  struct Ready {
    Peer* peer;
    TimePoint finish;  // of one more block
    // For a heap with the first to finish on top.
    friend bool operator<(const Ready& a, const Ready& b) {
      return std::pair(b.finish, b.peer->conn) < std::pair(a.finish, a.peer->conn);
    }
  };
  void plan_peers();
  void collect_ready();
  void consider(Peer& peer);
  std::int32_t depth(const Peer& peer) const;
  TimePoint expected_finish(const Peer& peer) const;
  std::optional<BlockIndex> choose_for(const Ready& ready, std::string_view& why);
  std::optional<BlockIndex> choose_of(std::span<const Demand> demands, const Ready& ready,
                                      std::string_view& why);
  std::optional<BlockIndex> choose_waited(const Peer& peer) const;
  std::optional<BlockIndex> choose_urgent(const Ready& ready, const Demand& demand) const;
  std::optional<BlockIndex> choose_late(const Ready& ready, const Demand& demand) const;
  std::optional<BlockIndex> choose_later(const Peer& peer, const Demand& demand);
  std::optional<BlockIndex> choose_rarest(const Peer& peer, PieceIndex begin, PieceIndex end);
  std::optional<BlockIndex> open_block(const Peer& peer, BlockIndex from, BlockIndex to) const;
  void ask_peer(Peer& peer, BlockIndex block, std::string_view why);
  bool may_duplicate() const;

  void trace(const Demand* demand, BlockRange blocks, Decision::Choice choice, ConnId peer,
             CdnReason reason, std::string_view why);

  SwarmState& s_;
  Receiver& receiver_;
  TimePoint cdn_at_ = kNever;
  TimePoint seed_at_ = kNever;
  bool start_was_under_way_ = false;
  // No emergency before that, as the demand and our blocks are: SwarmState::open_epoch then.
  TimePoint safe_until_ = TimePoint::min();
  std::int64_t safe_epoch_ = 0;
  std::optional<EarliestFinish> earliest_;  // of the present plan_cdn(), where it was needed
  std::vector<Ready> ready_;                // of the present plan_peers(), a heap
  std::vector<ConnId> changed_;             // likewise, out of SwarmState::changed_peers
  // When all peers were looked at last, and SwarmState::open_epoch then.
  TimePoint planned_all_at_{};
  std::int64_t planned_epoch_ = 0;
  std::uint64_t next_request_ = 0;
};

}  // namespace tributary::core
