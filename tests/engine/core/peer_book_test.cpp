#include "engine/core/peer_book.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }
const BanList kNoBans;
using Outcome = PeerBook::Outcome;

Endpoint ep(int n) {
  return Endpoint::v4(10, 1, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 6881);
}
std::vector<Endpoint> eps(int from, int to) {
  std::vector<Endpoint> out;
  for (int n = from; n < to; ++n) out.push_back(ep(n));
  return out;
}
Endpoint v6(std::initializer_list<std::uint8_t> head, std::uint8_t last, std::uint16_t port = 1) {
  Endpoint e;
  std::copy(head.begin(), head.end(), e.address.begin());
  e.address[15] = last;
  e.port = port;
  return e;
}

TEST_CASE("addresses where no peer can be are told apart") {
  const std::pair<Endpoint, bool> rows[] = {
      {Endpoint::v4(1, 2, 3, 4, 1), true},
      {Endpoint::v4(1, 2, 3, 4, 0), false},
      {Endpoint::v4(127, 0, 0, 1, 1), true},
      {Endpoint::v4(192, 168, 0, 1, 1), true},
      {Endpoint::v4(0, 0, 0, 0, 1), false},
      {Endpoint::v4(0, 1, 2, 3, 1), false},
      {Endpoint::v4(169, 254, 1, 1, 1), false},
      {Endpoint::v4(169, 253, 1, 1, 1), true},
      {Endpoint::v4(223, 255, 255, 255, 1), true},
      {Endpoint::v4(224, 0, 0, 1, 1), false},
      {Endpoint::v4(240, 0, 0, 1, 1), false},
      {Endpoint::v4(255, 255, 255, 255, 1), false},
      {v6({}, 0), false},
      {v6({}, 1), true},
      {v6({}, 2), false},
      {v6({0x20, 0x01, 0x0d, 0xb8}, 1), true},
      {v6({0x20, 0x01, 0x0d, 0xb8}, 1, 0), false},
      {v6({0xff, 0x02}, 1), false},
      {v6({0xfe, 0x80}, 1), false},
      {v6({0xfe, 0xbf}, 1), false},
      {v6({0xfe, 0xc0}, 1), true},
      {v6({0xfd, 0x00}, 1), true},
  };
  for (const auto& [endpoint, dialable] : rows) CHECK(is_dialable(endpoint) == dialable);
}

TEST_CASE("an address that is to be dialled now is, once, within the limits") {
  PeerBookParams params;
  params.half_open = 3;
  PeerBook book(params);
  const TimePoint now = at(1s);
  BanList bans;
  bans.ban(ep(9).address, now);
  book.add_own(ep(8));
  CHECK(book.is_own(ep(8)));
  CHECK_FALSE(book.dial_now(ep(8), PeerSource::kExchange, now, bans));
  CHECK_FALSE(book.dial_now(ep(9), PeerSource::kExchange, now, bans));
  CHECK_FALSE(book.dial_now(Endpoint::v4(0, 0, 0, 0, 1), PeerSource::kExchange, now, bans));
  CHECK(book.dial_now(ep(1), PeerSource::kExchange, now, bans));
  CHECK_FALSE(book.dial_now(ep(1), PeerSource::kExchange, now, bans));
  CHECK(book.half_open() == 1);
  book.on_connected(ep(1));
  CHECK(book.connected() == 1);
  CHECK_FALSE(book.dial_now(ep(1), PeerSource::kExchange, now, bans));
  // One that failed a moment ago does not wait for its next turn.
  CHECK(book.dial_now(ep(2), PeerSource::kExchange, now, bans));
  book.on_failed(ep(2), now);
  CHECK_FALSE(book.next_dial(now, bans));
  for (const int n : {2, 3, 4}) CHECK(book.dial_now(ep(n), PeerSource::kExchange, now, bans));
  CHECK_FALSE(book.dial_now(ep(5), PeerSource::kExchange, now, bans));
  CHECK(book.half_open() == 3);
}

TEST_CASE("own, repeated and undialable addresses are not taken up") {
  PeerBook book;
  book.add_own(ep(1));
  CHECK(book.add(std::vector{ep(1), ep(2), ep(2), Endpoint::v4(0, 0, 0, 0, 5)},
                 PeerSource::kTracker) == 1);
  CHECK(book.add(std::vector{ep(2)}, PeerSource::kUser) == 0);
  CHECK(book.size() == 1);
  book.add_own(ep(2));
  CHECK(book.size() == 0);
  CHECK(book.next_deadline() == kNever);
}

TEST_CASE("an IPv4 address inside IPv6 is the same peer") {
  PeerBook book;
  const Endpoint mapped = [] {
    Endpoint e = v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 0}, 7, 6881);
    return e;
  }();
  CHECK(book.add(std::vector{ep(7), mapped}, PeerSource::kTracker) == 1);
}

TEST_CASE("the newest answer is dialled first, in its order; tried ones come last") {
  PeerBook book({.first_backoff = 1s});
  book.add(eps(1, 3), PeerSource::kTracker);
  book.add(eps(3, 5), PeerSource::kTracker);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(3));
  book.on_failed(ep(3), at(0s));
  book.add(std::vector{ep(3), ep(2)}, PeerSource::kTracker);
  const TimePoint later = at(5s);
  CHECK(book.next_dial(later, kNoBans) == ep(2));
  CHECK(book.next_dial(later, kNoBans) == ep(4));
  CHECK(book.next_dial(later, kNoBans) == ep(1));
  CHECK(book.next_dial(later, kNoBans) == ep(3));
  CHECK_FALSE(book.next_dial(later, kNoBans));
}

TEST_CASE("no more than eight dials are under way") {
  PeerBook book;
  book.add(eps(0, 20), PeerSource::kTracker);
  for (int n = 0; n < 8; ++n) CHECK(book.next_dial(at(0s), kNoBans) == ep(n));
  CHECK_FALSE(book.next_dial(at(0s), kNoBans));
  CHECK(book.half_open() == 8);
  CHECK(book.next_deadline() == kNever);
  book.on_connected(ep(3));
  CHECK(book.half_open() == 7);
  CHECK(book.connected() == 1);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(8));
}

TEST_CASE("no more than ten dials are made in any second") {
  PeerBook book({.half_open = 100});
  book.add(eps(0, 40), PeerSource::kTracker);
  for (int n = 0; n < 10; ++n) CHECK(book.next_dial(at(n * 50ms), kNoBans) == ep(n));
  CHECK_FALSE(book.next_dial(at(500ms), kNoBans));
  CHECK(book.next_deadline() == at(1s));
  CHECK_FALSE(book.next_dial(at(1s - 1us), kNoBans));
  CHECK(book.next_dial(at(1s), kNoBans) == ep(10));
  CHECK(book.next_deadline() == at(1050ms));
}

TEST_CASE("dials keep the distance that is wanted, and none where that has ended") {
  PeerBook book;
  book.add(eps(0, 4), PeerSource::kTracker);
  book.space_dials(20ms);
  CHECK(book.next_dial(at(1s), kNoBans));
  CHECK_FALSE(book.next_dial(at(1s), kNoBans));
  CHECK(book.next_deadline() == at(1020ms));
  CHECK(book.next_dial(at(1020ms), kNoBans));
  CHECK_FALSE(book.next_dial(at(1020ms), kNoBans));
  book.space_dials({});
  CHECK(book.next_dial(at(1020ms), kNoBans));
  CHECK(book.next_dial(at(1020ms), kNoBans));
}

TEST_CASE("dialling stops at the soft limit, accepting at the hard one") {
  PeerBook book({.soft_limit = 2, .hard_limit = 3});
  book.add(eps(0, 9), PeerSource::kTracker);
  REQUIRE(book.next_dial(at(0s), kNoBans));
  REQUIRE(book.next_dial(at(0s), kNoBans));
  CHECK_FALSE(book.next_dial(at(0s), kNoBans));
  book.on_connected(ep(0));
  book.on_connected(ep(1));
  CHECK(book.next_deadline() == kNever);
  CHECK(book.on_incoming(ep(100), at(0s), kNoBans));
  CHECK_FALSE(book.on_incoming(ep(101), at(0s), kNoBans));
  CHECK(book.connected() == 3);
  book.on_closed(ep(100), Outcome::kUseful, at(1s));
  CHECK(book.on_incoming(ep(101), at(1s), kNoBans));
  book.on_closed(ep(101), Outcome::kUseful, at(1s));
  book.on_closed(ep(0), Outcome::kUseful, at(1s));
  CHECK(book.next_dial(at(1s), kNoBans) == ep(2));
}

TEST_CASE("an incoming connection takes no dial slot and its ephemeral port is never dialled") {
  PeerBook book;
  CHECK(book.on_incoming(ep(1), at(0s), kNoBans));
  CHECK(book.half_open() == 0);
  CHECK(book.size() == 0);
  book.on_closed(ep(1), Outcome::kUseful, at(1s));
  CHECK(book.next_deadline() == kNever);
  CHECK(book.connected() == 0);
}

TEST_CASE("an incoming peer's listening port is dialled after it left, not while it is here") {
  PeerBook book;
  book.on_incoming(ep(1), at(0s), kNoBans);
  book.on_listen_port(ep(1), 7000);
  Endpoint listening = ep(1);
  listening.port = 7000;
  book.add(std::vector{listening}, PeerSource::kTracker);
  CHECK(book.size() == 1);
  CHECK_FALSE(book.next_dial(at(0s), kNoBans));
  book.on_listen_port(ep(1), 7001);  // once only
  book.on_listen_port(ep(9), 7001);  // unknown
  CHECK(book.size() == 1);
  book.on_closed(ep(1), Outcome::kUseful, at(10s));
  CHECK(book.next_deadline() == at(25s));
  CHECK(book.next_dial(at(25s), kNoBans) == listening);
}

TEST_CASE("a listening port of zero is not taken up") {
  PeerBook book;
  book.on_incoming(ep(1), at(0s), kNoBans);
  book.on_listen_port(ep(1), 0);
  CHECK(book.size() == 0);
}

TEST_CASE("failures back off twofold up to an hour, then the address is dropped") {
  PeerBook book({.first_backoff = 20min, .max_failures = 5});
  book.add(eps(1, 2), PeerSource::kTracker);
  TimePoint now{};
  for (Duration wait : {20min, 40min, 60min, 60min}) {
    REQUIRE(book.next_dial(now, kNoBans) == ep(1));
    book.on_failed(ep(1), now);
    CHECK(book.next_deadline() == now + wait);
    CHECK_FALSE(book.next_dial(now + wait - 1us, kNoBans));
    now += wait;
  }
  REQUIRE(book.next_dial(now, kNoBans) == ep(1));
  book.on_failed(ep(1), now);
  CHECK(book.size() == 0);
  CHECK(book.next_deadline() == kNever);
}

TEST_CASE("a useful connection is tried again soon, a useless one backs off") {
  PeerBook book;
  book.add(eps(1, 3), PeerSource::kTracker);
  for (int n : {1, 2}) {
    REQUIRE(book.next_dial(at(0s), kNoBans) == ep(n));
    book.on_connected(ep(n));
  }
  book.on_closed(ep(1), Outcome::kUseful, at(10s));
  CHECK(book.next_deadline() == at(25s));
  REQUIRE(book.next_dial(at(25s), kNoBans) == ep(1));
  book.on_closed(ep(2), Outcome::kUseless, at(30s));
  CHECK(book.next_deadline() == at(35s));
}

TEST_CASE("who had all as we did is not dialled for half an hour, unless such are sought") {
  for (const bool sought : {false, true}) {
    PeerBook book;
    book.seek(PeerBook::Seek::kLeechers);
    book.add(eps(1, 2), PeerSource::kTracker);
    REQUIRE(book.next_dial(at(0s), kNoBans) == ep(1));
    book.on_connected(ep(1));
    book.on_closed(ep(1), Outcome::kBothComplete, at(10s));
    book.add(eps(1, 2), PeerSource::kTracker);
    CHECK(book.next_deadline() == at(10s + 30min));
    CHECK_FALSE(book.next_dial(at(10s + 30min - 1us), kNoBans));
    if (sought) book.seek(PeerBook::Seek::kNeighbours);
    CHECK(book.next_deadline() == at(sought ? 25s : 10s + 30min));
    CHECK(book.next_dial(book.next_deadline(), kNoBans) == ep(1));
  }
}

TEST_CASE("who had all and left is no neighbour for half an hour, but is asked for what we lack") {
  PeerBook book;
  book.add(eps(1, 2), PeerSource::kTracker);
  REQUIRE(book.next_dial(at(0s), kNoBans) == ep(1));
  book.on_connected(ep(1));
  book.on_closed(ep(1), Outcome::kLeftComplete, at(10s));
  CHECK(book.next_deadline() == at(25s));
  for (const auto sought : {PeerBook::Seek::kNeighbours, PeerBook::Seek::kLeechers}) {
    book.seek(sought);
    CHECK(book.next_deadline() == at(10s + 30min));
  }
  book.seek(PeerBook::Seek::kAnybody);
  CHECK(book.next_dial(at(25s), kNoBans) == ep(1));
}

TEST_CASE(
    "who is said to have all is not dialled for leechers, until a peer or a tracker differs") {
  PeerBook book;
  book.seek(PeerBook::Seek::kLeechers);
  book.add(eps(1, 3), PeerSource::kTracker);
  book.hear_complete(ep(1), true);
  book.hear_complete(ep(2), true);
  book.hear_complete(ep(9), true);  // nobody has named it
  CHECK(book.next_deadline() == kNever);
  book.seek(PeerBook::Seek::kNeighbours);
  CHECK(book.next_deadline() == at(0s));
  book.seek(PeerBook::Seek::kLeechers);
  book.add(eps(2, 3), PeerSource::kExchange);
  CHECK(book.next_deadline() == kNever);
  book.add(eps(2, 3), PeerSource::kTracker);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(2));
  book.hear_complete(ep(1), false);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(1));
}

TEST_CASE("who has all tries an address that does not answer twice") {
  PeerBook book;
  book.seek(PeerBook::Seek::kLeechers);
  book.add(eps(1, 2), PeerSource::kTracker);
  for (const Duration when : {0s, 15s}) {
    REQUIRE(book.next_dial(at(when), kNoBans) == ep(1));
    book.on_failed(ep(1), at(when + 10s));
  }
  CHECK(book.size() == 0);
}

TEST_CASE("a banned address is neither dialled nor let in until its ban ends") {
  BanList bans(60s);
  bans.ban(ep(1).address, at(0s));
  PeerBook book;
  book.add(eps(1, 2), PeerSource::kTracker);
  CHECK_FALSE(book.next_dial(at(0s), bans));
  CHECK(book.next_deadline() == at(60s));
  CHECK_FALSE(book.on_incoming(ep(1), at(59s), bans));
  CHECK(book.next_dial(at(60s), bans) == ep(1));
}

TEST_CASE("at the cap the one that would be dialled last gives way, a user's own the very last") {
  PeerBook book({.max_peers = 3});
  book.add(eps(1, 2), PeerSource::kUser);
  book.add(eps(2, 4), PeerSource::kTracker);
  CHECK(book.add(eps(10, 11), PeerSource::kTracker) == 1);  // in place of 3
  CHECK(book.next_dial(at(0s), kNoBans) == ep(10));
  CHECK(book.next_dial(at(0s), kNoBans) == ep(2));
  CHECK(book.add(eps(11, 14), PeerSource::kTracker) == 1);  // in place of 1; the others are dialled
  CHECK(book.next_dial(at(0s), kNoBans) == ep(11));
  CHECK(book.add(eps(20, 25), PeerSource::kTracker) == 0);
  CHECK(book.size() == 3);
}

TEST_CASE("outcomes of what was never dialled are ignored") {
  PeerBook book;
  book.add(eps(1, 2), PeerSource::kTracker);
  book.on_connected(ep(1));
  book.on_failed(ep(1), at(0s));
  book.on_closed(ep(1), Outcome::kUseful, at(0s));
  book.on_closed(ep(7), Outcome::kUseful, at(0s));
  CHECK(book.connected() == 0);
  CHECK(book.half_open() == 0);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(1));
}

TEST_CASE("an address that proves to be our own is forgotten when its dial ends") {
  PeerBook book;
  book.add(eps(1, 2), PeerSource::kTracker);
  REQUIRE(book.next_dial(at(0s), kNoBans));
  book.add_own(ep(1));
  book.on_failed(ep(1), at(0s));
  CHECK(book.size() == 0);
  CHECK(book.add(eps(1, 2), PeerSource::kTracker) == 0);
}

TEST_CASE("property: limits hold, counts agree with a model, and the deadline is exact") {
  Random random(21);
  for (int round = 0; round < 40; ++round) {
    const PeerBookParams params{.max_peers = 30, .half_open = 4, .soft_limit = 8, .hard_limit = 10};
    PeerBook book(params);
    std::vector<Endpoint> dialing, connected;
    TimePoint now{};
    constexpr PeerBook::Seek kSeeks[] = {PeerBook::Seek::kAnybody, PeerBook::Seek::kNeighbours,
                                         PeerBook::Seek::kLeechers};
    for (int step = 0; step < 300; ++step) {
      now += Duration(static_cast<std::int64_t>(random.below(300'000)));
      const int n = static_cast<int>(random.below(60));
      if (random.chance(1, 10)) book.add(eps(n, n + 10), PeerSource::kTracker);
      if (random.chance(1, 10)) book.seek(kSeeks[random.below(3)]);
      if (random.chance(1, 10)) book.hear_complete(ep(n), random.chance(1, 2));
      const bool due = book.next_deadline() <= now;
      if (const auto dial = book.next_dial(now, kNoBans)) {
        CHECK(due);
        CHECK(std::find(connected.begin(), connected.end(), *dial) == connected.end());
        dialing.push_back(*dial);
      } else {
        CHECK_FALSE(due);
      }
      if (!dialing.empty() && random.chance(1, 3)) {
        const bool ok = random.chance(1, 2);
        if (ok) connected.push_back(dialing.front());
        ok ? book.on_connected(dialing.front()) : book.on_failed(dialing.front(), now);
        dialing.erase(dialing.begin());
      }
      if (!connected.empty() && random.chance(1, 4)) {
        constexpr Outcome kOutcomes[] = {Outcome::kUseless, Outcome::kUseful,
                                         Outcome::kBothComplete, Outcome::kLeftComplete};
        book.on_closed(connected.front(), kOutcomes[random.below(4)], now);
        connected.erase(connected.begin());
      }
      CHECK(book.half_open() == static_cast<int>(dialing.size()));
      CHECK(book.connected() == static_cast<int>(connected.size()));
      CHECK(dialing.size() <= 4);
      CHECK(dialing.size() + connected.size() <= 8);
      CHECK(book.size() <= 30);
    }
  }
}

TEST_CASE("who is forgotten is dialled no more, and named anew is as any other") {
  PeerBook book;
  const Endpoint user = ep(1), idle = ep(2), dialled = ep(3), here = ep(4), kept = ep(5);
  book.add(std::vector{user}, PeerSource::kUser);
  book.add(std::vector{here, dialled, kept, idle}, PeerSource::kTracker);
  REQUIRE(book.next_dial(at(0s), kNoBans) == here);
  book.on_connected(here);
  REQUIRE(book.next_dial(at(0s), kNoBans) == dialled);
  book.forget_all_but(std::vector{kept});
  for (const Endpoint& one : {user, kept}) CHECK(book.keeps(one));
  for (const Endpoint& one : {idle, dialled, here}) CHECK_FALSE(book.keeps(one));
  CHECK(book.size() == 4);
  book.on_failed(dialled, at(1s));
  book.on_closed(here, Outcome::kUseful, at(1s));
  CHECK(book.size() == 2);
  CHECK(book.connected() == 0);
  CHECK(book.half_open() == 0);

  REQUIRE(book.next_dial(at(2s), kNoBans) == kept);
  book.forget_all_but({});
  book.add(std::vector{kept}, PeerSource::kTracker);
  CHECK(book.keeps(kept));
}

TEST_CASE("peers' word never replaces what others named, and is dialled after it") {
  PeerBookParams params;
  params.max_peers = 3;
  PeerBook book(params);
  CHECK(book.add(eps(1, 4), PeerSource::kExchange) == 3);
  CHECK(book.add(eps(10, 12), PeerSource::kTracker) == 2);
  CHECK(book.add(eps(20, 30), PeerSource::kExchange) == 1);
  CHECK(book.source_of(ep(20)) == PeerSource::kExchange);
  CHECK(book.next_dial(at(0s), kNoBans) == ep(10));
  CHECK(book.next_dial(at(0s), kNoBans) == ep(11));
  CHECK(book.next_dial(at(0s), kNoBans) == ep(20));
  CHECK(book.add(eps(30, 31), PeerSource::kExchange) == 0);
  CHECK(book.add(eps(40, 41), PeerSource::kDht) == 0);
}

}  // namespace
}  // namespace tributary::core
