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

// As addresses are given out below: one block of 2^24 for each operator.
Endpoint address_of(std::int32_t of_operator, std::int32_t host) {
  const auto octet = [host](int shift) { return static_cast<std::uint8_t>(host >> shift & 0xff); };
  return Endpoint::v4(static_cast<std::uint8_t>(20 + of_operator), octet(16), octet(8), octet(0),
                      6881);
}

core::OperatorTable operator_table(std::int32_t count) {
  core::OperatorTable table;
  for (std::int32_t i = 0; i < count && count > 1; ++i) {
    table.add(address_of(i, 0), 96 + 8, "operator " + std::to_string(i));
  }
  return table;
}

}  // namespace

LoadTest::LoadTest(const LoadPlan& plan, const LoadSetup& setup, const core::Policy& policy,
                   std::uint64_t seed)
    : plan_(plan),
      setup_(setup),
      policy_(policy),
      seed_(seed),
      world_(world_params(setup, seed)),
      edge_(world_.add_edge(setup.edge)),
      operators_(operator_table(plan.operators)),
      people_(plan.listeners.size()),
      torrents_(plan.tracks.size()),
      books_(setup.warm_up, setup.bin) {
  plan_faults();
}

void LoadTest::plan_faults() {
  for (const LoadFault& fault : setup_.faults) {
    for (const bool begins : {true, false}) {
      world_.at(begins ? fault.from : fault.until, [this, kind = fault.kind, begins](World& world) {
        if (kind == LoadFault::Kind::kTrackerDown) return world.tracker().set_down(begins);
        if (kind == LoadFault::Kind::kPartition) return world.part(begins);
        world.cdn().set_fault(edge_, begins ? CdnFault::kRefuse : CdnFault::kNone);
      });
    }
  }
}

void LoadTest::run_until(TimePoint end) {
  while (world_.now() < end) {
    TimePoint next = std::min(end, books_.bin_end());
    const bool event = next_event_ < plan_.events.size() && plan_.events[next_event_].at <= next;
    if (event) next = plan_.events[next_event_].at;
    world_.run_until(next);
    if (event) {
      apply(plan_.events[next_event_++]);
    } else if (next == books_.bin_end()) {
      books_.end_bin(world_.received(), online_, [this] { return totals(); });
    }
  }
}

void LoadTest::apply(const LoadEvent& event) {
  const Person& person = people_[static_cast<std::size_t>(event.listener)];
  using Action = LoadEvent::Action;
  if (event.action == Action::kJoin) return join(event.listener);
  if (event.action == Action::kLink) return set_link(event.listener, event.part);
  if (!person.online) return;
  const HostId host = person.sessions.back();
  switch (event.action) {
    case Action::kJoin:
    case Action::kLink:
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
      leave(event.listener);
      break;
  }
}

HostParams LoadTest::host_params(const LoadListener& who) {
  const LinkClass& link = plan_.links[static_cast<std::size_t>(who.link)];
  HostParams params;
  params.link = link.link;
  params.policy = policy_;
  params.accepts_inbound = link.reachable;
  params.upload = link.upload && link.conduct != Conduct::kFreeRider;
  params.corrupt = link.conduct == Conduct::kPolluter;
  if (link.conduct == Conduct::kTyrant) params.unchoke = bit_tyrant(link.link.up);
  if (link.conduct == Conduct::kTyrant || link.conduct == Conduct::kFreeRider) {
    params.book = large_view();
  }
  params.cache = setup_.cache;
  params.shares = setup_.shares;
  params.overlay = setup_.overlay;
  params.dht = setup_.dht;
  params.hole_punching = setup_.hole_punching;
  params.forgotten = true;
  if (plan_.operators > 1) {
    params.realm = who.of_operator;
    params.address = address_of(who.of_operator, next_address_++);
    params.operators = &operators_;
    params.rank_addresses = setup_.near_first;
  }
  return params;
}

void LoadTest::join(std::int32_t listener) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  if (std::exchange(person.online, true)) return;
  ++online_;
  person.joined = now();
  const LoadListener& who = plan_.listeners[static_cast<std::size_t>(listener)];
  const HostId host = world_.add_node(host_params(who));
  if (person.sessions.empty()) {
    for (std::int32_t track : who.cached) world_.give(host, torrent(track));
  } else {
    world_.inherit(host, person.sessions.back());
  }
  person.sessions.push_back(host);
  if (person.link_part != kWhole) apply_link(person, who);
  world_.share_cache(host);
}

void LoadTest::leave(std::int32_t listener) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  world_.leave(person.sessions.back(), true);
  person.online = false;
  person.was_online += now() - std::clamp(TimePoint(setup_.warm_up), person.joined, now());
  --online_;
}

void LoadTest::set_link(std::int32_t listener, std::int64_t part) {
  Person& person = people_[static_cast<std::size_t>(listener)];
  person.link_part = part;
  if (person.online) apply_link(person, plan_.listeners[static_cast<std::size_t>(listener)]);
}

void LoadTest::apply_link(const Person& person, const LoadListener& who) {
  const AccessLink link =
      part_of(plan_.links[static_cast<std::size_t>(who.link)].link, person.link_part);
  world_.links().set_rates(person.sessions.back(), link.up, link.down);
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

void LoadTest::add_plays(LoadReport& report, std::size_t listener) const {
  LoadClass& of_class = report.by_class[static_cast<std::size_t>(plan_.listeners[listener].link)];
  ++of_class.listeners;
  of_class.online += people_[listener].was_online;
  for (HostId host : people_[listener].sessions) {
    const Listener* heard = world_.find_listener(host);
    if (heard == nullptr) continue;
    for (const Play& play : heard->plays()) books_.count(report, of_class, play);
  }
}

void LoadTest::add_host(LoadReport& report, LoadClass& of_class, HostId host) const {
  const HostMeter& meter = world_.meter(host);
  report.ledger += world_.ledger(host);
  report.kept += meter.kept;
  report.duplicate += meter.duplicate;
  report.corrupt += meter.corrupt;
  report.from_operator += meter.from_operator;
  report.messages += meter.messages;
  report.message_bytes += meter.message_bytes;
  report.search_bytes += meter.search_bytes;
  of_class.received[Origin::kPeers] += meter.from_peers;
  of_class.received[Origin::kCdn] += meter.from_cdn;
  of_class.uploaded += meter.to_peers;
}

LoadReport LoadTest::totals() const {
  LoadReport sum;
  sum.received = world_.received();
  sum.cdn = world_.cdn().total();
  sum.announces = world_.tracker().announces();
  for (const LinkClass& link : plan_.links) sum.by_class.emplace_back().name = link.name;
  for (std::size_t i = 0; i < people_.size(); ++i) {
    LoadClass& of_class = sum.by_class[static_cast<std::size_t>(plan_.listeners[i].link)];
    Bytes uploaded;
    for (HostId host : people_[i].sessions) {
      add_host(sum, of_class, host);
      uploaded += world_.meter(host).to_peers;
    }
    sum.uploads.push_back(uploaded);
    sum.uploaded += uploaded;
  }
  for (std::size_t t = 0; t < track_of_.size(); ++t) {
    add_by_popularity(sum, plan_, track_of_[t],
                      world_.received(core::TorrentId(static_cast<std::uint32_t>(t))));
  }
  return sum;
}

LoadReport LoadTest::report() {
  for (std::size_t i = 0; i < people_.size(); ++i) {
    if (people_[i].online) leave(static_cast<std::int32_t>(i));
  }
  LoadReport sum = totals();
  for (std::size_t i = 0; i < people_.size(); ++i) add_plays(sum, i);
  sum.policy = policy_.name;
  sum.seed = seed_;
  sum.digest = world_.digest().value();
  sum.events = world_.events();
  sum.listeners = static_cast<std::int32_t>(people_.size());
  return books_.close(std::move(sum), now());
}

}  // namespace tributary::sim
