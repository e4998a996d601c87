// Whom we upload to, and in what shares: several unchokers over one snapshot. Each is a pure
// function of the snapshot and of what it remembers of its own decisions.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/core/need.h"
#include "engine/core/unchoker.h"

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
  bool unchokes_us = false;                     // and so gives what it can
  Need need = Need::kStoring;                   // as far as its claim is believed
  bool overdrawn = false;                       // it claims to need more than it is believed
  bool only_takes = false;                      // has what we want, and keeps it
};

struct ChokerSnapshot {
  TimePoint now;
  bool seeding = false;          // we have all we want: nobody can pay us back
  bool stop_uploads = false;     // our own playback is about to stall
  std::vector<ChokePeer> peers;  // in any order; ids are unique
};

struct ChokerParams {
  int regular_slots = 4;     // BEP 3
  int optimistic_slots = 1;  // BEP 3
  // While few earn a regular slot, so many are given away in all; none: all of them.
  std::optional<int> unearned_slots;
  Duration rerank_every = 10s;  // BEP 3: long enough for TCP to ramp up
  Duration rotate_every = 30s;  // BEP 3: an optimistic peer needs time to pay back
  int newcomer_weight = 3;      // BEP 3: a peer never unchoked is three times as likely to be drawn
  Duration seed_turn = 60s;     // as a seed: how long a slot is held while others wait
  bool seed_to_fastest = false;  // as a seed: to who takes fastest, rather than in turns
};

// What one torrent's choker remembers between calls.
struct ChokerState {
  explicit ChokerState(Random seeded) : random(seeded) {}

  Random random;
  TimePoint next_rerank = TimePoint::min();
  TimePoint next_rotation = TimePoint::min();
  std::vector<ConnId> optimistic;  // of the last decision, longest held first
};

// One peer's part of the uplink.
struct UploadShare {
  std::int32_t weight = 1;    // beside the others'; at least 1
  BitRate most = kUnlimited;  // and never more than this
};

struct ChokeDecision {
  std::vector<ConnId> unchoked;  // regular ones best first, then the optimistic; all others choke
  TimePoint next_deadline = kNever;  // decide again then, if nothing happens before
  // For each of `unchoked`; empty: nothing is weighed, all are served as the network takes it.
  std::vector<UploadShare> shares{};
  // No slot is free: who becomes interested waits for the next ranking or rotation, and nothing
  // changes with one who is choked and is interested no more.
  bool full = false;
};

// Decides who is unchoked from now on. Call it when next_deadline comes, and when a peer comes,
// goes, or changes its interest, or stop_uploads changes: then only free slots are given away, at
// once, and nobody is displaced before the next ranking or rotation.
using ChokeRule = std::function<ChokeDecision(const ChokerSnapshot&, ChokerState&)>;

// BEP 3. A regular slot is earned: as a leecher by giving us most, so a peer that gives nothing or
// snubs us holds none. Slots that nobody earns are optimistic ones too (BEP 3's anti-snubbing: more
// than one optimistic unchoke at a time). As a seed the slots go round in turns of seed_turn, the
// longest waiting first, and among those that have had their turn the fastest takers stay; or, with
// seed_to_fastest, they go to the fastest takers at once. Ties fall to the older connection, then
// the smaller id.
ChokeDecision tit_for_tat(const ChokerSnapshot& snapshot, const ChokerParams& params,
                          ChokerState& state);

// Levin, LaCurts, Spring and Bhattacharjee, "BitTorrent is an Auction", SIGCOMM 2008: everybody who
// gives is unchoked and gets of the uplink what he gave of all that we received in the last round;
// a fifth is kept for newcomers, drawn as optimistic unchokes are, for they cannot have given yet.
// Who only takes is no newcomer; without that rule a few free-riders would have that fifth of every
// uplink to themselves, since everybody else is served for what he gives.
// Coming in just ahead of others gains nothing, for there is no threshold to come in at. As a seed
// it is tit_for_tat.
ChokeDecision prop_share(const ChokerSnapshot& snapshot, ChokerState& state);

// Kreitz and Niemelä, "Spotify", IEEE P2P 2010: who plays before who prefetches before who stores,
// in slots and in shares; in turns among equals, whatever they give, and who is overdrawn has none
// of these: else a claim would jump the queue and keep the turn. For swarms of one service's
// own clients, where a CDN pays for who is not served.
ChokeDecision need_first(const ChokerSnapshot& snapshot, ChokerState& state);

// With its customary parameters.
ChokeRule unchoke_by(Unchoker unchoker);

}  // namespace tributary::core
