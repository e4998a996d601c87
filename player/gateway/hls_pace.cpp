#include "player/gateway/hls_pace.h"

#include <algorithm>

namespace tributary::player {

void HlsPace::note(const std::vector<HlsSegment>& segments) {
  std::string before;
  for (const HlsSegment& segment : segments) {
    segments_[segment.path] = {segment.duration, before};
    before = segment.path;
  }
}

Duration HlsPace::lead(const std::string& player, std::string_view path, TimePoint now) {
  const auto known = segments_.find(path);
  if (known == segments_.end()) return {};
  std::deque<Asked>& asked = asked_by(player);
  const auto find = [&asked](std::string_view name) {
    return std::find_if(asked.begin(), asked.end(), [&](const Asked& a) { return a.path == name; });
  };
  const auto before = find(known->second.before);
  const TimePoint begins = before == asked.end() ? now : std::max(before->ends, now);
  if (const auto again = find(path); again != asked.end()) asked.erase(again);
  asked.push_back({std::string(path), begins + known->second.duration});
  if (asked.size() > kSegments) asked.pop_front();
  return begins - now;
}

std::deque<HlsPace::Asked>& HlsPace::asked_by(const std::string& player) {
  const auto at = std::find_if(players_.begin(), players_.end(),
                               [&](const Player& p) { return p.first == player; });
  if (at == players_.end()) {
    players_.push_back({player, {}});
    if (players_.size() > kPlayers) players_.pop_front();
  } else {
    std::rotate(at, at + 1, players_.end());
  }
  return players_.back().second;
}

}  // namespace tributary::player
