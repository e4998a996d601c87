// How many are in a torrent's swarm, by the word of its trackers (scrapes: BEP 48, BEP 15).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "demo/server_session.h"
#include "engine/base/digest.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/wire/swarm_counts.h"

namespace tributary::demo {

// Trackers asked beside each other; a torrent may name 256 of them.
inline constexpr std::size_t kScrapesAtOnce = 32;

struct Scrape {
  std::string tracker;  // its announce URL
  Result<wire::SwarmCounts> counts;
};

// Asks each tracker once, each for at most `timeout`, until all have answered or the user stops the
// session; what he did not wait for has kCancelled. `on_each` hears of each as it comes. Gives all
// of them in the order of `trackers`. REQUIRES: timeout >= 1 s.
std::vector<Scrape> scrape(ServerSession& session, const std::vector<std::string>& trackers,
                           const InfoHash& hash, Duration timeout,
                           const std::function<void(const Scrape&)>& on_each);

}  // namespace tributary::demo
