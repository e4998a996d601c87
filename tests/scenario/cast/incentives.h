// Swarms that download one file with no CDN and no deadline, as the papers on incentives measure
// them: who gets how much while nobody is done, by strategy.
#pragma once

#include <string>
#include <vector>

#include "engine/sim/world.h"

namespace tributary::sim {

// One member of such a swarm.
struct Member {
  std::string role;
  HostId host;
  BitRate up;
  Bytes sent;    // payload, within the measured time
  Bytes useful;  // verified
};

struct SwarmReport {
  std::string name;
  std::uint64_t seed = 0;
  Duration measured{};
  std::vector<Member> members;
  std::uint64_t digest = 0;

  // Means over the members of a role, of verified bytes.
  BitRate rate(const std::string& role) const;
  BitRate upload(const std::string& role) const;
  // Over all that are no seeds.
  BitRate rate() const;
  std::string line() const;
};

// What a swarm may be varied by.
struct SwarmPlan {
  core::Unchoker unchoker = core::Unchoker::kTitForTat;  // of the honest ones
  std::uint64_t seed = 1;
  Duration warm_up = 120s;  // until all have something to trade
  Duration measured = 60s;
};

// Twenty leechers of four classes of uplink, from 256 kbit/s to 3 Mbit/s, one seed of 2 Mbit/s, and
// three more of 1 Mbit/s in the "seat" whose strategy is compared.
SwarmReport honest_seat(const SwarmPlan& plan);
SwarmReport wide_seat(const SwarmPlan& plan);        // honest, but sees everybody
SwarmReport free_rider_seat(const SwarmPlan& plan);  // sends nothing, sees everybody
SwarmReport tyrant_seat(const SwarmPlan& plan);      // BitTyrant
SwarmReport hider_seat(const SwarmPlan& plan);       // under-reports its pieces
SwarmReport all_tyrants(const SwarmPlan& plan);
// One seat's downlink shared by ten that send nothing. Figures of role "seat" are of one of them.
SwarmReport sybil_seat(const SwarmPlan& plan);

// Five that store take music from one seed that serves by need; the seat claims to play, or not.
SwarmReport need_liar_seat(const SwarmPlan& plan);
SwarmReport need_honest_seat(const SwarmPlan& plan);

// What the only seed of a swarm sent until the twelve leechers had one copy among them.
struct FirstCopy {
  Bytes sent;
  Bytes size;  // of the file
  Duration time{};
};
FirstCopy first_copy(bool super, std::uint64_t seed);

struct NamedSwarm {
  std::string name;
  SwarmReport (*run)(const SwarmPlan&);
};
const std::vector<NamedSwarm>& all_swarms();

}  // namespace tributary::sim
