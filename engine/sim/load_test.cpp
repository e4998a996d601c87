#include "engine/sim/load_test.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {
namespace {

WorldParams world_params(const LoadSetup& setup, std::uint64_t seed) {
  WorldParams params;
  params.seed = seed;
  params.tracker = setup.tracker;
  params.check = false;
  return params;
}

OriginBytes operator-(OriginBytes a, const OriginBytes& b) {
  for (std::size_t i = 0; i < a.by_origin.size(); ++i) a.by_origin[i] -= b.by_origin[i];
  return a;
}

core::ByteCounts operator-(core::ByteCounts a, const core::ByteCounts& b) {
  for (std::size_t i = 0; i < a.cdn_by_reason.size(); ++i) {
    a.cdn_by_reason[i] -= b.cdn_by_reason[i];
  }
  a.peers -= b.peers;
  a.cache -= b.cache;
  a.uploaded -= b.uploaded;
  a.good -= b.good;
  a.duplicate -= b.duplicate;
  a.corrupt -= b.corrupt;
  a.cdn_requests -= b.cdn_requests;
  return a;
}

EgressMeter operator-(EgressMeter a, const EgressMeter& b) {
  a.bytes -= b.bytes;
  a.delivered -= b.delivered;
  a.cut_off -= b.cut_off;
  a.requests -= b.requests;
  a.connections -= b.connections;
  a.failures -= b.failures;
  return a;
}

// What was counted up to the end of the warm-up goes; plays are counted after it only.
void subtract(LoadReport& report, const LoadReport& warm_up) {
  report.received = report.received - warm_up.received;
  report.ledger = report.ledger - warm_up.ledger;
  report.cdn = report.cdn - warm_up.cdn;
  for (std::size_t i = 0; i < report.by_popularity.size(); ++i) {
    report.by_popularity[i] = report.by_popularity[i] - warm_up.by_popularity[i];
  }
  for (std::size_t i = 0; i < report.uploads.size(); ++i) report.uploads[i] -= warm_up.uploads[i];
  report.messages -= warm_up.messages;
  report.message_bytes -= warm_up.message_bytes;
  report.announces -= warm_up.announces;
}

std::int64_t part_in_millionths(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : mul_div(part, kWhole, whole);
}

}  // namespace

std::int64_t LoadReport::offload() const {
  return part_in_millionths(received[Origin::kPeers].count(), received.total().count());
}

std::int64_t LoadReport::fairness() const {
  __extension__ using Wide = unsigned __int128;  // NOLINT
  Wide sum = 0;
  Wide squares = 0;
  for (Bytes upload : uploads) {
    const auto kib = static_cast<Wide>(upload.count() / 1024);
    sum += kib;
    squares += kib * kib;
  }
  if (squares == 0) return 0;
  return static_cast<std::int64_t>(sum * sum * kWhole / (squares * uploads.size()));
}

LoadTest::LoadTest(const LoadPlan& plan, const LoadSetup& setup, const core::Policy& policy,
                   std::uint64_t seed)
    : plan_(plan),
      setup_(setup),
      policy_(policy),
      seed_(seed),
      world_(world_params(setup, seed)),
      edge_(world_.add_edge(setup.edge)),
      people_(plan.listeners.size()),
      torrents_(plan.tracks.size()),
      bin_end_(setup.bin) {
  plan_faults();
}

void LoadTest::plan_faults() {
  for (const LoadFault& fault : setup_.faults) {
    for (const bool begins : {true, false}) {
      world_.at(begins ? fault.from : fault.until, [this, kind = fault.kind, begins](World& world) {
        if (kind == LoadFault::Kind::kTrackerDown) return world.tracker().set_down(begins);
        world.cdn().set_fault(edge_, begins ? CdnFault::kRefuse : CdnFault::kNone);
      });
    }
  }
}

void LoadTest::run_until(TimePoint end) {
  while (world_.now() < end) {
    TimePoint next = std::min(end, bin_end_);
    const bool event = next_event_ < plan_.events.size() && plan_.events[next_event_].at <= next;
    if (event) next = plan_.events[next_event_].at;
    world_.run_until(next);
    if (event) {
      apply(plan_.events[next_event_++]);
    } else if (next == bin_end_) {
      end_bin();
    }
  }
}

void LoadTest::end_bin() {
  bins_.push_back({world_.received() - binned_, online_});
  binned_ = world_.received();
  const bool warm = setup_.warm_up > Duration::zero() && bin_end_ >= TimePoint(setup_.warm_up);
  if (warm && !warm_up_) warm_up_ = totals();
  bin_end_ += setup_.bin;
}

void LoadTest::apply(const LoadEvent& event) {
  const Person& person = people_[static_cast<std::size_t>(event.listener)];
  using Action = LoadEvent::Action;
  if (event.action == Action::kJoin) return join(event.listener);
  if (!person.online) return;
  const HostId host = person.sessions.back();
  switch (event.action) {
    case Action::kJoin:
      break;
    case Action::kPlay:
      world_.play(host, torrent(event.track));
      break;
    case Action::kNext:
      world_.play_next(host, torrent(event.track));
      break;
    case Action::kSkip:
      world_.listener(host).skip(world_.now());
      world_.changed(host);
      break;
    case Action::kLeave:
      world_.leave(host, true);
      people_[static_cast<std::size_t>(event.listener)].online = false;
      --online_;
      break;
  }
}

void LoadTest::join(std::int32_t listener) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  if (std::exchange(person.online, true)) return;
  ++online_;
  const LoadListener& who = plan_.listeners[static_cast<std::size_t>(listener)];
  const LinkClass& link = plan_.links[static_cast<std::size_t>(who.link)];
  HostParams params;
  params.link = link.link;
  params.policy = policy_;
  params.accepts_inbound = link.reachable;
  params.upload = link.conduct != Conduct::kFreeRider;
  params.corrupt = link.conduct == Conduct::kPolluter;
  if (link.conduct == Conduct::kTyrant) params.unchoke = bit_tyrant(link.link.up);
  if (link.conduct == Conduct::kTyrant || !params.upload) params.book = large_view();
  params.cache = setup_.cache;
  params.shares = setup_.shares;
  params.overlay = setup_.overlay;
  params.forgotten = true;
  const HostId host = world_.add_node(params);
  if (person.sessions.empty()) {
    for (std::int32_t track : who.cached) world_.give(host, torrent(track));
  } else {
    world_.inherit(host, person.sessions.back());
  }
  person.sessions.push_back(host);
  world_.share_cache(host);
}

core::TorrentId LoadTest::torrent(std::int32_t track) {
  auto& known = torrents_[static_cast<std::size_t>(track)];
  if (known) return *known;
  TrackParams params;
  params.name = "track" + std::to_string(track);
  params.duration = plan_.tracks[static_cast<std::size_t>(track)].length;
  params.rate = plan_.rate;
  params.point_every = 10s;  // each open torrent of each listener has them
  known = world_.add_track(params);
  track_of_.push_back(track);
  TRIBUTARY_CHECK(track_of_.size() == world_.track_count());
  return *known;
}

void LoadTest::count(LoadReport& report, const Play& play) const {
  if (play.requested < TimePoint(setup_.warm_up)) return;
  ++report.plays;
  report.played += play.played;
  report.stalls += play.stalls;
  report.stalled += play.stalled;
  report.heard += play.heard;
  if (play.stalls > 0) ++report.stalled_plays;
  if (!play.startup) {
    ++report.unheard;
  } else if (!play.gap) {
    (play.from_cache ? report.cached_startups : report.startups).push_back(*play.startup);
  }
}

void LoadTest::add_host(LoadReport& report, HostId host) const {
  report.ledger += world_.ledger(host);
  report.messages += world_.meter(host).messages;
  report.message_bytes += world_.meter(host).message_bytes;
}

LoadReport LoadTest::totals() const {
  LoadReport sum;
  sum.received = world_.received();
  sum.cdn = world_.cdn().total();
  sum.announces = world_.tracker().announces();
  for (const Person& person : people_) {
    Bytes uploaded;
    for (HostId host : person.sessions) {
      add_host(sum, host);
      uploaded += world_.meter(host).to_peers;
    }
    sum.uploads.push_back(uploaded);
  }
  const auto tracks = static_cast<std::int64_t>(plan_.tracks.size());
  for (std::size_t t = 0; t < track_of_.size(); ++t) {
    const std::int32_t rank = plan_.tracks[static_cast<std::size_t>(track_of_[t])].rank;
    const std::int64_t tenth = std::int64_t{rank} * 10 / tracks;
    sum.by_popularity[static_cast<std::size_t>(tenth)] +=
        world_.received(core::TorrentId(static_cast<std::uint32_t>(t)));
  }
  return sum;
}

LoadReport LoadTest::report() {
  for (const Person& person : people_) {
    if (person.online) world_.leave(person.sessions.back(), true);
  }
  LoadReport report = totals();
  if (warm_up_) subtract(report, *warm_up_);
  for (const Person& person : people_) {
    for (HostId host : person.sessions) {
      const Listener* listener = world_.find_listener(host);
      if (listener == nullptr) continue;
      for (const Play& play : listener->plays()) count(report, play);
    }
  }
  std::sort(report.startups.begin(), report.startups.end());
  std::sort(report.cached_startups.begin(), report.cached_startups.end());
  report.policy = policy_.name;
  report.seed = seed_;
  report.digest = world_.digest().value();
  report.events = world_.events();
  report.listeners = static_cast<std::int32_t>(people_.size());
  report.measured = std::max(now() - TimePoint(setup_.warm_up), Duration::zero());
  report.bin = setup_.bin;
  report.bins = bins_;
  return report;
}

}  // namespace tributary::sim
