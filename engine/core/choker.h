// Whom we upload to: tit for tat with optimistic unchokes (BEP 3), round robin as a seed.
#pragma once

#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::core {

inline constexpr TimePoint kNeverUnchoked = TimePoint::min();

// One connected peer as the choker sees it.
struct ChokePeer {
  ConnId conn;
  bool interested = false;   // in what we have
  bool unchoked = false;     // by us, at present
  BitRate received;          // what it gave us over the last 10 s
  BitRate sent;              // what we gave it over the last 10 s
  bool snubbed = false;      // it owes us blocks and has sent none for a minute
  bool upload_only = false;  // a seed, or says so (BEP 21): it takes nothing
  TimePoint connected_at;
  TimePoint last_unchoked_at = kNeverUnchoked;  // when its present or last unchoke began
};

struct ChokerSnapshot {
  TimePoint now;
  bool seeding = false;          // we have all we want: nobody can pay us back
  bool stop_uploads = false;     // our own playback is about to stall
  std::vector<ChokePeer> peers;  // in any order; ids are unique
};

struct ChokerParams {
  int regular_slots = 4;        // BEP 3
  int optimistic_slots = 1;     // BEP 3
  Duration rerank_every = 10s;  // BEP 3: long enough for TCP to ramp up
  Duration rotate_every = 30s;  // BEP 3: an optimistic peer needs time to pay back
  int newcomer_weight = 3;      // BEP 3: a peer never unchoked is three times as likely to be drawn
  Duration seed_turn = 60s;     // as a seed: how long a slot is held while others wait
};

// What one torrent's choker remembers between calls.
struct ChokerState {
  explicit ChokerState(Random seeded) : random(seeded) {}

  Random random;
  TimePoint next_rerank = TimePoint::min();
  TimePoint next_rotation = TimePoint::min();
  std::vector<ConnId> optimistic;  // of the last decision, longest held first
};

struct ChokeDecision {
  std::vector<ConnId> unchoked;  // regular ones best first, then the optimistic; all others choke
  TimePoint next_deadline = kNever;  // decide again then, if nothing happens before
};

// Decides who is unchoked from now on. Call it when next_deadline comes, and when a peer comes,
// goes, or changes its interest, or stop_uploads changes: then only free slots are given away, at
// once, and nobody is displaced before the next ranking or rotation.
//
// A regular slot is earned: as a leecher by giving us most, so a peer that gives nothing or snubs
// us holds none. Slots that nobody earns are optimistic ones too (BEP 3's anti-snubbing: more than
// one optimistic unchoke at a time). As a seed the slots go round in turns of seed_turn, the
// longest waiting first, and among those that have had their turn the fastest takers stay. Ties
// fall to the older connection, then the smaller id.
ChokeDecision choose_unchokes(const ChokerSnapshot& snapshot, const ChokerParams& params,
                              ChokerState& state);

}  // namespace tributary::core
