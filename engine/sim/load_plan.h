// A load test's workload: who listens to what and when, over which links. Either drawn from
// statistics or read from a trace; the same plan is then run under each policy.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/sim/links.h"

namespace tributary::sim {

// A fraction in millionths.
inline constexpr std::int64_t kWhole = 1'000'000;

// A distribution by some of its quantiles: (fraction in millionths, value), ascending, the last at
// kWhole; even between two of them, and from the first's value below it.
struct Quantiles {
  std::vector<std::pair<std::int64_t, Duration>> points;

  Duration draw(Random& random) const;
};

// How accesses concentrate: the first of each pair is a part of the catalogue, its most popular
// tracks, the second what goes to them; both in millionths, ascending, the last (kWhole, kWhole).
// Even within each part.
struct Popularity {
  std::vector<std::pair<std::int64_t, std::int64_t>> parts = {{kWhole, kWhole}};

  // REQUIRES: tracks > 0.
  std::int32_t draw(Random& random, std::int32_t tracks) const;
};

// As in adversaries.h: a free-rider connects to everybody and sends nothing, a polluter sends wrong
// bytes, a tyrant is a BitTyrant.
enum class Conduct { kHonest, kFreeRider, kPolluter, kTyrant };

// How the rates of a link come and go, both ways alike. Distributions without points: never.
struct LinkWeather {
  Quantiles every;  // how long a rate lasts
  std::int64_t least =
      kWhole;         // a rate is drawn evenly from this part of the link's up to all of it
  Quantiles between;  // two drop-outs, in which no payload passes
  Quantiles outage;   // how long such a one lasts
};

// Listeners of a kind.
struct LinkClass {
  std::string name;
  std::int32_t weight = 1;  // of all listeners, so many parts
  AccessLink link;
  LinkWeather weather;
  bool reachable = true;  // else behind a router that passes no connection on
  bool upload = true;     // else it sends peers nothing, as `play --no-upload`
  Conduct conduct = Conduct::kHonest;
};

// Odds are in millionths.
struct Workload {
  std::int32_t listeners = 100;
  Duration length = std::chrono::hours(1);

  std::int32_t tracks = 1000;
  BitRate rate = 160_kbps;
  Quantiles track_length;
  Popularity popularity;

  Duration arrivals{};      // listeners first come within this; zero: at once
  Quantiles session;        // how long one stays
  Quantiles pause;          // and is away
  std::int64_t chosen = 0;  // starts that nobody could foresee, of all
  std::int64_t again = 0;   // of what is chosen or follows, what the listener has in his cache
  std::int64_t skipped = 0;
  Quantiles skipped_after;

  std::int32_t cached = 0;  // tracks in each listener's cache at the beginning
  std::vector<LinkClass> links;
  std::int32_t operators = 1;  // of networks; each has as many of the listeners
};

struct LoadEvent {
  // kLink: from now on the listener's link carries `part` of its rates, online or not.
  enum class Action { kJoin, kPlay, kNext, kSkip, kLeave, kLink };
  TimePoint at{};
  std::int32_t listener = 0;
  Action action = Action::kJoin;
  std::int32_t track = -1;     // of kPlay and kNext
  std::int64_t part = kWhole;  // of kLink, in millionths
};

struct LoadListener {
  std::int32_t link = 0;         // its class
  std::int32_t of_operator = 0;  // from 0
  std::vector<std::int32_t> cached;
};

struct LoadTrack {
  Duration length{};
  std::int32_t rank = 0;  // by popularity, from 0
};

struct LoadPlan {
  Duration length{};
  BitRate rate;
  std::vector<LoadTrack> tracks;
  std::vector<LoadListener> listeners;
  std::vector<LinkClass> links;
  std::int32_t operators = 1;
  std::vector<LoadEvent> events;  // by time
};

// The link while it carries so much of its rates, in millionths.
AccessLink part_of(const AccessLink& link, std::int64_t part);

// Deterministic.
LoadPlan make_plan(const Workload& workload, std::uint64_t seed);

// What was recorded, or is to happen, in place of what would be drawn. Listeners and tracks are
// numbered from zero; the events are by time, and each listener's begin with kJoin.
struct LoadTrace {
  std::int32_t listeners = 0;
  std::int32_t tracks = 0;
  std::vector<LoadEvent> events;
};
// The catalogue's lengths and the listeners' links and caches are drawn as ever; the ranks of the
// tracks follow from how often each is played.
LoadPlan make_plan(const Workload& workload, const LoadTrace& trace, std::uint64_t seed);

}  // namespace tributary::sim
