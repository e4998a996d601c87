// What strategies gain under which unchoker. Figures are means over ten seeds, for one client's
// luck is worth a third of its rate; each test prints its own.
#include "tests/scenario/cast/incentives.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {
namespace {

using Run = SwarmReport (*)(const SwarmPlan&);

constexpr auto kTitForTat = core::Unchoker::kTitForTat;
constexpr auto kPropShare = core::Unchoker::kPropShare;
constexpr auto kNeedFirst = core::Unchoker::kNeedFirst;

struct Means {
  BitRate all;
  BitRate seat;
  BitRate honest;
  BitRate sent;  // by each honest one
};

// Several tests look at the same runs.
const Means& means(Run run, core::Unchoker unchoker) {
  static std::map<std::pair<Run, core::Unchoker>, Means> known;
  const auto [entry, is_new] = known.try_emplace({run, unchoker});
  if (!is_new) return entry->second;
  constexpr int kRuns = 10;
  Means& sum = entry->second;
  for (std::uint64_t seed = 2; seed < 2 + kRuns; ++seed) {
    const SwarmReport report = run({.unchoker = unchoker, .seed = seed});
    MESSAGE(report.line());
    sum.all = sum.all + report.rate() / kRuns;
    sum.seat = sum.seat + report.rate("seat") / kRuns;
    sum.honest = sum.honest + report.rate("honest") / kRuns;
    sum.sent = sum.sent + report.upload("honest") / kRuns;
  }
  return sum;
}

std::int64_t percent(BitRate part, BitRate of) {
  return part.bits_per_second() * 100 / std::max<std::int64_t>(of.bits_per_second(), 1);
}

// It sees everybody, so most have an optimistic slot for it; only who is served for what he gives
// is served less for giving nothing.
TEST_CASE("a free-rider lives off optimistic slots and turns, and badly off proportions") {
  const BitRate fair = means(honest_seat, kTitForTat).seat;
  CHECK(percent(means(free_rider_seat, kTitForTat).seat, fair) <= 80);
  CHECK(percent(means(free_rider_seat, kNeedFirst).seat, fair) <= 110);  // it serves need alone
  const Means& rider = means(free_rider_seat, kPropShare);
  CHECK(percent(rider.seat, means(honest_seat, kPropShare).seat) <= 33);
  CHECK(percent(rider.seat, rider.honest) <= 40);
}

// Beside an honest client that sees as many peers, for that alone is worth a third.
TEST_CASE("a BitTyrant gains among those that play tit for tat, and nothing among proportions") {
  CHECK(percent(means(tyrant_seat, kTitForTat).seat, means(wide_seat, kTitForTat).seat) >= 104);
  CHECK(percent(means(tyrant_seat, kTitForTat).seat, means(honest_seat, kTitForTat).seat) >= 120);
  CHECK(percent(means(tyrant_seat, kPropShare).seat, means(wide_seat, kPropShare).seat) <= 108);
}

TEST_CASE("a swarm of BitTyrants loses, and one of proportions does not") {
  const BitRate fair = means(honest_seat, kTitForTat).all;
  CHECK(percent(means(all_tyrants, kTitForTat).all, fair) <= 96);
  CHECK(percent(means(honest_seat, kPropShare).all, fair) >= 102);
  // Who serves in proportion sends all that his line carries: 770 kbit/s in the mean.
  CHECK(means(honest_seat, kPropShare).sent >= 760_kbps);
  // One tyrant among them takes nothing from the swarm.
  CHECK(percent(means(tyrant_seat, kPropShare).all, means(wide_seat, kPropShare).all) >= 98);
}

TEST_CASE("who hides his pieces to stay interesting gains next to nothing") {
  for (const auto unchoker : {kTitForTat, kPropShare}) {
    CAPTURE(core::to_string(unchoker));
    CHECK(percent(means(hider_seat, unchoker).seat, means(honest_seat, unchoker).seat) <= 118);
  }
}

// Ten names on one line, that send nothing, in a swarm of twenty.
TEST_CASE(
    "a Sybil group takes half of a tit-for-tat swarm, and of proportions a part that is kept") {
  constexpr int kNames = 10;
  const Means& proportional = means(sybil_seat, kPropShare);
  const Means& equal = means(sybil_seat, kTitForTat);
  CHECK(percent(proportional.seat * kNames, proportional.sent * 20) <= 25);
  CHECK(percent(equal.seat * kNames, equal.sent * 20) <= 50);
  CHECK(proportional.seat < equal.seat);
}

TEST_CASE("who claims to play when he stores gains no more than what a listener could use") {
  const SwarmReport lies = need_liar_seat({});
  const SwarmReport honest = need_honest_seat({});
  MESSAGE(lies.line());
  MESSAGE(honest.line());
  const BitRate media = 155_kbps;
  CHECK(lies.rate("seat") <= honest.rate("seat") + media / 4 * core::NeedBudget::kQuarters);
  // Believed for ever it would have a slot for ever, and four fifths of 2 Mbit/s.
  CHECK(lies.rate("honest") >= honest.rate("honest") * 9 / 10);
}

TEST_CASE("a super-seed sends little more than one copy until the swarm has one") {
  constexpr int kRuns = 10;
  Bytes size;
  Bytes plain;
  Bytes super;
  for (std::uint64_t seed = 1; seed <= kRuns; ++seed) {
    const FirstCopy copy = first_copy(false, seed);
    size += copy.size;
    plain += copy.sent;
    super += first_copy(true, seed).sent;
  }
  MESSAGE("sent until the first copy: ", super.count() * 100 / size.count(), " % as a super-seed, ",
          plain.count() * 100 / size.count(), " % else");
  CHECK(super * 100 <= size * 130);
  CHECK(super + size / 5 <= plain);
}

// The referees abort when a wrong byte is stored, and only stored bytes are played.
TEST_CASE("two polluters of twenty get nothing played, and are gone within 30 s of the first lie") {
  for (const Bytes piece : {16_KiB, 256_KiB}) {
    for (const bool v1 : {false, true}) {
      Variation v;
      v.video = true;
      v.duration = 60s;
      v.piece_length = piece;
      v.v1 = v1;
      const ScenarioReport report = polluted_swarm(v);
      MESSAGE(report.line());
      CHECK(report.ledger.corrupt > 0_B);
      CHECK(report.unfinished == 0);
      CHECK_FALSE(report.lies.empty());
      for (const Lie& lie : report.lies) {
        CAPTURE(lie.victim.value());
        CAPTURE(lie.bytes.count());
        REQUIRE(lie.cut.has_value());
        CHECK(*lie.cut - lie.first <= 30s);
        CHECK(lie.last <= *lie.cut);
      }
    }
  }
}

TEST_CASE("a swarm's digest is the same each time, another seed's another") {
  const SwarmPlan plan{.unchoker = kPropShare, .warm_up = 20s, .measured = 10s};
  SwarmPlan other = plan;
  other.seed = 2;
  CHECK(tyrant_seat(plan).digest == tyrant_seat(plan).digest);
  CHECK(tyrant_seat(plan).digest != tyrant_seat(other).digest);
}

}  // namespace
}  // namespace tributary::sim
