#include "tests/scenario/cast/incentives.h"

#include <cstdio>

namespace tributary::sim {
namespace {

constexpr const char* kSeat = "seat";
constexpr BitRate kSeatUp = 1_Mbps;
constexpr int kSeats = 3;
constexpr BitRate kDown = 20_Mbps;
// Of honest clients: fewer than the swarm has, so that a large view shows more.
constexpr int kConnections = 8;

// Longer than anybody can download within the measured time.
TrackParams file() {
  TrackParams p;
  p.name = "file";
  p.duration = 480s;
  p.rate = 1_Mbps;
  p.piece_length = 64_KiB;
  p.v2 = false;
  return p;
}

// Media of little rate, long enough to be taken for the whole time.
TrackParams music() {
  TrackParams p = file();
  p.rate = 155_kbps;
  p.duration = 1800s;
  return p;
}

class Arena {
 public:
  Arena(std::string name, const SwarmPlan& plan, const TrackParams& track = file())
      : plan_(plan), world_(params(plan)) {
    report_.name = std::move(name) + " among " + std::string(core::to_string(plan.unchoker));
    report_.seed = plan.seed;
    track_ = world_.add_track(track);
    const HostId seed = add("seed", honest(2_Mbps));
    world_.seed(seed, track_);
  }

  HostParams honest(BitRate up) const {
    HostParams p;
    p.policy = core::Policy::peers_only();
    p.policy.unchoker = plan_.unchoker;
    p.link = {up, kDown, 25ms, 0};
    p.book.soft_limit = kConnections;
    p.book.hard_limit = kConnections * 2;
    return p;
  }
  HostId add(const std::string& role, const HostParams& params) {
    const HostId host = world_.add_node(params);
    report_.members.push_back({role, host, params.link.up, {}, {}});
    return host;
  }
  // Joins within the first five seconds.
  void join(const std::string& role, const HostParams& params) {
    const HostId host = add(role, params);
    const TimePoint when(50ms * static_cast<std::int64_t>(random_.below(100)));
    world_.at(when, [host, track = track_](World& w) { w.download(host, track); });
  }

  SwarmReport run() {
    world_.run_until(TimePoint(plan_.warm_up));
    read(-1);
    world_.run_until(TimePoint(plan_.warm_up + plan_.measured));
    read(1);
    report_.measured = plan_.measured;
    report_.digest = world_.digest().value();
    world_.check_books();
    return report_;
  }

 private:
  // Adds what the meters show, or takes it away.
  void read(std::int64_t sign) {
    for (Member& m : report_.members) {
      m.sent += world_.meter(m.host).to_peers * sign;
      m.useful += world_.meter(m.host).stored * sign;
    }
  }
  static WorldParams params(const SwarmPlan& plan) {
    WorldParams p;
    p.seed = plan.seed;
    return p;
  }

  SwarmPlan plan_;
  SwarmReport report_;
  World world_;
  Random random_{plan_.seed};
  core::TorrentId track_;
};

// As skewed as measured swarms are: a few have most of the uplink.
std::vector<BitRate> uplinks() {
  std::vector<BitRate> ups;
  ups.insert(ups.end(), 7, 256_kbps);
  ups.insert(ups.end(), 7, 512_kbps);
  ups.insert(ups.end(), 4, 1_Mbps);
  ups.insert(ups.end(), 2, 3_Mbps);
  return ups;
}

void fill(Arena& arena) {
  for (BitRate up : uplinks()) arena.join("honest", arena.honest(up));
}

void make_tyrant(HostParams& params) {
  params.unchoke = bit_tyrant(params.link.up);
  params.book = large_view();
}

BitRate mean(const SwarmReport& report, Bytes Member::*what, const std::string& role) {
  Bytes sum;
  std::int64_t count = 0;
  for (const Member& m : report.members) {
    if (role.empty() ? m.role == "seed" : m.role != role) continue;
    sum += m.*what;
    ++count;
  }
  return count == 0 ? BitRate() : rate_of(sum, report.measured) / count;
}

double kbps(BitRate rate) { return static_cast<double>(rate.bits_per_second()) / 1000; }

}  // namespace

BitRate SwarmReport::rate(const std::string& role) const {
  return mean(*this, &Member::useful, role);
}
BitRate SwarmReport::upload(const std::string& role) const {
  return mean(*this, &Member::sent, role);
}
BitRate SwarmReport::rate() const { return mean(*this, &Member::useful, {}); }

std::string SwarmReport::line() const {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "%s: all %.0f kbit/s; honest %.0f down, %.0f up; seat %.0f down, %.0f up; seed %llu",
      name.c_str(), kbps(rate()), kbps(rate("honest")), kbps(upload("honest")), kbps(rate(kSeat)),
      kbps(upload(kSeat)), static_cast<unsigned long long>(seed));
  return text;
}

SwarmReport honest_seat(const SwarmPlan& plan) {
  Arena arena("honest", plan);
  fill(arena);
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, arena.honest(kSeatUp));
  return arena.run();
}

SwarmReport wide_seat(const SwarmPlan& plan) {
  Arena arena("wide", plan);
  fill(arena);
  HostParams wide = arena.honest(kSeatUp);
  wide.book = large_view();
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, wide);
  return arena.run();
}

SwarmReport free_rider_seat(const SwarmPlan& plan) {
  Arena arena("free-rider", plan);
  fill(arena);
  HostParams rider = arena.honest(kSeatUp);
  rider.upload = false;
  rider.book = large_view();
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, rider);
  return arena.run();
}

SwarmReport tyrant_seat(const SwarmPlan& plan) {
  Arena arena("tyrant", plan);
  fill(arena);
  HostParams tyrant = arena.honest(kSeatUp);
  make_tyrant(tyrant);
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, tyrant);
  return arena.run();
}

SwarmReport hider_seat(const SwarmPlan& plan) {
  Arena arena("hider", plan);
  fill(arena);
  HostParams hider = arena.honest(kSeatUp);
  hider.hides_pieces = true;
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, hider);
  return arena.run();
}

SwarmReport all_tyrants(const SwarmPlan& plan) {
  Arena arena("all tyrants", plan);
  for (BitRate up : uplinks()) {
    HostParams tyrant = arena.honest(up);
    make_tyrant(tyrant);
    arena.join("tyrant", tyrant);
  }
  HostParams tyrant = arena.honest(kSeatUp);
  make_tyrant(tyrant);
  for (int i = 0; i < kSeats; ++i) arena.join(kSeat, tyrant);
  return arena.run();
}

// Nobody plays, and the seed alone serves: five take all that they get from its line.
SwarmReport need_seat(const SwarmPlan& plan, bool lies) {
  constexpr int kHonest = 9;
  SwarmPlan by_need = plan;
  by_need.unchoker = core::Unchoker::kNeedFirst;
  Arena arena(lies ? "need liar" : "honest need", by_need, music());
  for (int i = 0; i <= kHonest; ++i) {
    HostParams taker = arena.honest(kSeatUp);
    taker.upload = false;
    if (lies && i == kHonest) taker.claims = core::Need::kPlaying;
    arena.join(i == kHonest ? kSeat : "honest", taker);
  }
  return arena.run();
}

SwarmReport need_liar_seat(const SwarmPlan& plan) { return need_seat(plan, true); }
SwarmReport need_honest_seat(const SwarmPlan& plan) { return need_seat(plan, false); }

SwarmReport sybil_seat(const SwarmPlan& plan) {
  constexpr int kIdentities = 10;
  Arena arena("sybils", plan);
  fill(arena);
  for (int i = 0; i < kIdentities; ++i) {
    HostParams sybil = arena.honest(kSeatUp / kIdentities);
    sybil.link.down = kDown / kIdentities;
    sybil.upload = false;
    sybil.book = large_view();
    arena.join(kSeat, sybil);
  }
  return arena.run();
}

FirstCopy first_copy(bool super, std::uint64_t seed) {
  constexpr int kLeechers = 12;
  WorldParams params;
  params.seed = seed;
  World world(params);
  TrackParams track = file();
  track.duration = 96s;
  track.piece_length = 256_KiB;
  track.v2 = true;
  const core::TorrentId torrent = world.add_track(track);
  HostParams host;
  host.policy = core::Policy::peers_only();
  host.link = {kSeatUp, kDown, 25ms, 0};
  std::vector<HostId> leechers;
  for (int i = 0; i < kLeechers; ++i) {
    leechers.push_back(world.add_node(host));
    world.download(leechers.back(), torrent);
  }
  host.super_seed = super;
  const HostId first = world.add_node(host);
  world.seed(first, torrent);
  Bitfield there(world.track(torrent).layout().block_count());
  while (!there.all() && world.now() < TimePoint(1000s)) {
    world.run_until(world.now() + 1s);
    for (HostId leecher : leechers) {
      const Bitfield& has = world.store(leecher).blocks(torrent);
      for (int b = has.find_next(0); b != Bitfield::kNone; b = has.find_next(b + 1)) there.set(b);
    }
  }
  return {world.meter(first).to_peers, world.track(torrent).layout().total_size(),
          world.now() - TimePoint()};
}

const std::vector<NamedSwarm>& all_swarms() {
  static const std::vector<NamedSwarm> kAll = {{"honest_seat", honest_seat},
                                               {"wide_seat", wide_seat},
                                               {"free_rider_seat", free_rider_seat},
                                               {"tyrant_seat", tyrant_seat},
                                               {"hider_seat", hider_seat},
                                               {"all_tyrants", all_tyrants},
                                               {"sybil_seat", sybil_seat},
                                               {"need_liar_seat", need_liar_seat},
                                               {"need_honest_seat", need_honest_seat}};
  return kAll;
}

}  // namespace tributary::sim
