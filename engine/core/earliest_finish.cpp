#include "engine/core/earliest_finish.h"

#include <algorithm>
#include <utility>

namespace tributary::core {

void EarliestFinish::add(const Bitfield& has, TimePoint finish) {
  peers_.push_back({finish, &has});
}

TimePoint EarliestFinish::of(PieceIndex piece) {
  const int group = piece.value() / kGroup;
  auto known = groups_.find(group);
  if (known == groups_.end()) known = groups_.emplace(group, find(group)).first;
  return known->second[static_cast<std::size_t>(piece.value() % kGroup)];
}

EarliestFinish::Group EarliestFinish::find(int group) {
  if (!std::exchange(sorted_, true)) {
    std::stable_sort(peers_.begin(), peers_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.finish < b.finish; });
  }
  Group earliest;
  earliest.fill(kNever);
  const int begin = group * kGroup;
  const int end = std::min(begin + kGroup, unknown_.size());
  for (const Candidate& peer : peers_) {
    if (unknown_.find_next_common(unknown_, begin, end) == Bitfield::kNone) break;
    for (int piece = begin;; ++piece) {
      piece = unknown_.find_next_common(*peer.has, piece, end);
      if (piece == Bitfield::kNone) break;
      unknown_.reset(piece);
      earliest[static_cast<std::size_t>(piece - begin)] = peer.finish;
    }
  }
  return earliest;
}

}  // namespace tributary::core
