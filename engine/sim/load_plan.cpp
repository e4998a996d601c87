#include "engine/sim/load_plan.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "engine/base/check.h"
#include "engine/base/contains.h"

namespace tributary::sim {
namespace {

std::int64_t draw_whole(Random& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(kWhole)));
}

bool happens(Random& random, std::int64_t odds) { return draw_whole(random) < odds; }

// One listener's sessions, one after another.
class Diary {
 public:
  Diary(const Workload& workload, LoadPlan& plan, std::int32_t listener, Random random)
      : workload_(workload),
        plan_(plan),
        listener_(listener),
        known_(plan.listeners[static_cast<std::size_t>(listener)].cached),
        random_(random) {}

  void write() {
    TimePoint at{workload_.arrivals * draw_whole(random_) / kWhole};
    while (at < TimePoint(plan_.length)) {
      const TimePoint until = at + workload_.session.draw(random_);
      note(at, LoadEvent::Action::kJoin);
      write_session(at, std::min(until, TimePoint(plan_.length)));
      note(until, LoadEvent::Action::kLeave);
      at = until + workload_.pause.draw(random_);
    }
  }

 private:
  using Action = LoadEvent::Action;

  void note(TimePoint at, Action action, std::int32_t track = -1) {
    if (at < TimePoint(plan_.length)) plan_.events.push_back({at, listener_, action, track});
  }

  // What is heard follows from the plan alone, as if nobody ever waited: all policies get the same.
  void write_session(TimePoint at, TimePoint until) {
    std::int32_t track = draw_track();
    note(at, Action::kPlay, track);
    while (at < until) {
      const bool chosen = happens(random_, workload_.chosen);
      const std::int32_t following = draw_track();
      if (!chosen) note(at, Action::kNext, following);
      Duration heard = plan_.tracks[static_cast<std::size_t>(track)].length;
      const bool skips = happens(random_, workload_.skipped);
      if (skips) heard = std::min(heard, workload_.skipped_after.draw(random_));
      at += heard;
      if (at >= until) return;
      if (chosen) {
        note(at, Action::kPlay, following);
      } else if (skips) {
        note(at, Action::kSkip);
      }
      track = following;
    }
  }

  std::int32_t draw_track() {
    if (!known_.empty() && happens(random_, workload_.again)) {
      return known_[random_.below(known_.size())];
    }
    known_.push_back(workload_.popularity.draw(random_, workload_.tracks));
    return known_.back();
  }

  const Workload& workload_;
  LoadPlan& plan_;
  std::int32_t listener_;
  std::vector<std::int32_t> known_;
  Random random_;
};

std::int32_t draw_link(const std::vector<LinkClass>& links, Random& random) {
  std::int64_t all = 0;
  for (const LinkClass& link : links) all += link.weight;
  auto left = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(all)));
  std::int32_t chosen = 0;
  while ((left -= links[static_cast<std::size_t>(chosen)].weight) >= 0) ++chosen;
  return chosen;
}

LoadListener make_listener(const Workload& workload, Random& random, std::int32_t number) {
  LoadListener made;
  made.link = draw_link(workload.links, random);
  made.of_operator = number % workload.operators;
  for (std::int32_t i = 0; i < workload.cached; ++i) {
    const std::int32_t track = workload.popularity.draw(random, workload.tracks);
    if (!contains(made.cached, track)) made.cached.push_back(track);
  }
  return made;
}

LoadPlan empty_plan(const Workload& workload, Random& random) {
  LoadPlan plan{.length = workload.length,
                .rate = workload.rate,
                .tracks = {},
                .listeners = {},
                .links = workload.links,
                .operators = workload.operators,
                .events = {}};
  for (std::int32_t rank = 0; rank < workload.tracks; ++rank) {
    plan.tracks.push_back({workload.track_length.draw(random), rank});
  }
  return plan;
}

void rank_by_plays(LoadPlan& plan) {
  std::vector<std::int64_t> plays(plan.tracks.size());
  for (const LoadEvent& event : plan.events) {
    if (event.track >= 0) ++plays[static_cast<std::size_t>(event.track)];
  }
  std::vector<std::size_t> order(plan.tracks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return plays[a] > plays[b]; });
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    plan.tracks[order[rank]].rank = static_cast<std::int32_t>(rank);
  }
}

// Changes of rate and drop-outs are independent of each other; while one is out, it stays so.
class WeatherDiary {
 public:
  WeatherDiary(const LinkWeather& weather, std::int32_t listener, Random random)
      : weather_(weather), listener_(listener), random_(random) {
    if (!weather.every.points.empty()) change_ = TimePoint();
    if (weather.between.points.empty()) return;
    turn_ = TimePoint(weather.between.draw(random_) * draw_whole(random_) / kWhole);
  }

  void write(LoadPlan& plan) {
    while (std::min(change_, turn_) < TimePoint(plan.length)) {
      const TimePoint at = std::min(change_, turn_);
      const bool turns = at == turn_;
      if (at == change_) change();
      if (turns) turn();
      if (turns || !out_) {
        plan.events.push_back({at, listener_, LoadEvent::Action::kLink, -1, out_ ? 0 : part_});
      }
    }
  }

 private:
  static constexpr Duration kShortest = 100ms;  // so that no scenario has changes without end

  void change() {
    const std::int64_t room = kWhole - weather_.least + 1;
    part_ =
        weather_.least + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(room)));
    change_ += std::max(kShortest, weather_.every.draw(random_));
  }
  void turn() {
    out_ = !out_;
    turn_ += std::max(kShortest, (out_ ? weather_.outage : weather_.between).draw(random_));
  }

  const LinkWeather& weather_;
  std::int32_t listener_;
  Random random_;
  TimePoint change_ = kNever;
  TimePoint turn_ = kNever;
  std::int64_t part_ = kWhole;
  bool out_ = false;
};

// From numbers of its own, so that what is heard does not depend on the weather.
void add_weather(LoadPlan& plan, std::uint64_t seed) {
  Random random(Random::mix(seed));
  for (std::size_t i = 0; i < plan.listeners.size(); ++i) {
    const LinkClass& link = plan.links[static_cast<std::size_t>(plan.listeners[i].link)];
    WeatherDiary(link.weather, static_cast<std::int32_t>(i), random.split()).write(plan);
  }
  std::stable_sort(plan.events.begin(), plan.events.end(),
                   [](const LoadEvent& a, const LoadEvent& b) { return a.at < b.at; });
}

BitRate part_of(BitRate rate, std::int64_t part) {
  if (rate == kUnlimited && part > 0) return rate;
  return BitRate(mul_div(rate.bits_per_second(), part, kWhole));
}

}  // namespace

Duration Quantiles::draw(Random& random) const {
  TRIBUTARY_CHECK(!points.empty() && points.back().first == kWhole);
  const std::int64_t at = draw_whole(random);
  auto upper = points.begin();
  while (upper->first <= at) ++upper;
  if (upper == points.begin()) return upper->second;
  const auto lower = std::prev(upper);
  const Duration width = upper->second - lower->second;
  return lower->second + width * (at - lower->first) / (upper->first - lower->first);
}

std::int32_t Popularity::draw(Random& random, std::int32_t tracks) const {
  TRIBUTARY_CHECK(tracks > 0 && !parts.empty() && parts.back().second == kWhole);
  const std::int64_t at = draw_whole(random);
  auto part = parts.begin();
  std::int64_t begin = 0;
  while (part->second <= at) begin = (part++)->first;
  const auto first = static_cast<std::int32_t>(begin * tracks / kWhole);
  const auto end = static_cast<std::int32_t>(part->first * tracks / kWhole);
  const auto width = static_cast<std::uint64_t>(std::max(end - first, 1));
  return std::min(first + static_cast<std::int32_t>(random.below(width)), tracks - 1);
}

AccessLink part_of(const AccessLink& link, std::int64_t part) {
  AccessLink now = link;
  now.up = part_of(link.up, part);
  now.down = part_of(link.down, part);
  return now;
}

LoadPlan make_plan(const Workload& workload, std::uint64_t seed) {
  TRIBUTARY_CHECK(workload.listeners > 0 && workload.tracks > 0 && !workload.links.empty());
  Random random(seed);
  LoadPlan plan = empty_plan(workload, random);
  for (std::int32_t i = 0; i < workload.listeners; ++i) {
    plan.listeners.push_back(make_listener(workload, random, i));
    Diary(workload, plan, i, random.split()).write();
  }
  add_weather(plan, seed);
  return plan;
}

LoadPlan make_plan(const Workload& workload, const LoadTrace& trace, std::uint64_t seed) {
  TRIBUTARY_CHECK(!workload.links.empty());
  Workload drawn = workload;
  drawn.listeners = trace.listeners;
  drawn.tracks = trace.tracks;
  drawn.cached = 0;  // no track is more popular than another before it is played
  Random random(seed);
  LoadPlan plan = empty_plan(drawn, random);
  for (std::int32_t i = 0; i < trace.listeners; ++i) {
    plan.listeners.push_back(make_listener(drawn, random, i));
  }
  std::copy_if(trace.events.begin(), trace.events.end(), std::back_inserter(plan.events),
               [&](const LoadEvent& event) { return event.at < TimePoint(plan.length); });
  rank_by_plays(plan);
  add_weather(plan, seed);
  return plan;
}

}  // namespace tributary::sim
