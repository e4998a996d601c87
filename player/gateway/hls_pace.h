// When an HLS player has to have a segment: it asks for one after the other, and plays each after
// the one before, so of the next nothing is due before that has ended. Pure.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/units.h"

namespace tributary::player {

// A media segment of a playlist; `path` is its file in the torrent.
struct HlsSegment {
  std::string path;
  Duration duration{};
  friend bool operator==(const HlsSegment&, const HlsSegment&) = default;
};

// Of one torrent. Tracks which segment follows which, and of each player when what it has asked for
// will have been played, at the earliest: it may have begun later, never sooner.
class HlsPace {
 public:
  // Players that asked last are remembered, and of each the segments that it asked for last: a
  // sound and a picture take turns.
  static constexpr std::size_t kPlayers = 64;
  static constexpr std::size_t kSegments = 8;

  // A playlist was handed out.
  void note(const std::vector<HlsSegment>& segments);
  // `player`, any name that tells it from others, asks for the file: for how long it has something
  // else to play. Zero: it begins here, ran dry, or nothing is known.
  Duration lead(const std::string& player, std::string_view path, TimePoint now);

 private:
  struct Known {
    Duration duration{};
    std::string before;  // the segment that it follows; empty: none
  };
  struct Asked {
    std::string path;
    TimePoint ends;
  };
  using Player = std::pair<std::string, std::deque<Asked>>;

  std::deque<Asked>& asked_by(const std::string& player);

  std::map<std::string, Known, std::less<>> segments_;
  std::deque<Player> players_;  // who asked last is at the end
};

}  // namespace tributary::player
