// By when some peer could bring a piece: one answer for all blocks of a plan.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"

namespace tributary::core {

// Tracks the peers that may bring anything, and for groups of 64 neighbouring pieces, found when
// first asked for, the earliest finish of a peer that has the piece. Cost: O(peers) for a group,
// and less where a few peers have all of it; O(log groups) for a piece after that.
class EarliestFinish {
 public:
  explicit EarliestFinish(std::int32_t pieces) : unknown_(pieces, true) {}

  // REQUIRES: of() was not asked yet; `has` outlives this. `finish` is when the peer would bring
  // one block more.
  void add(const Bitfield& has, TimePoint finish);
  // kNever: no peer has it.
  TimePoint of(PieceIndex piece);

 private:
  struct Candidate {
    TimePoint finish;
    const Bitfield* has;
  };
  static constexpr int kGroup = 64;  // a word of a bitfield
  using Group = std::array<TimePoint, kGroup>;

  Group find(int group);

  std::vector<Candidate> peers_;
  bool sorted_ = false;
  Bitfield unknown_;  // pieces of which no finish was found
  std::map<int, Group> groups_;
};

}  // namespace tributary::core
