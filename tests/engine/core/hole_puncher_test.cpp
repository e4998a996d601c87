#include "engine/core/hole_puncher.h"

#include <doctest/doctest.h>

#include "engine/core/peer_exchanger.h"
#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

using Kind = HolePunch::Kind;
using Reason = HolePunch::Reason;

// Of the world, listening at port 7000 + n.
Endpoint world(int n) {
  return Endpoint::v4(80, static_cast<std::uint8_t>(n), 0, 1, static_cast<std::uint16_t>(7000 + n));
}

struct Rig : SwarmRig {
  explicit Rig(const TrackShape& shape = {.hole_punching = true})
      : SwarmRig(Policy::peers_only(), shape) {
    start();
  }
  // By TCP from a port where it does not listen, or by uTP from `utp`.
  Lines come(int n, std::optional<std::uint16_t> utp = {}, bool understands = true) {
    Endpoint remote = world(n);
    remote.port = utp.value_or(std::uint16_t{1});
    return come_from(n, remote, utp.has_value(), understands);
  }
  Lines come_from(int n, const Endpoint& remote, bool utp, bool understands = true) {
    in(PeerConnected{kTorrent, conn_of(n), remote, true, Handshake{{}, peer_id_of(n), true, true},
                     Encryption::kNone, utp});
    ExtendedHandshake hello;
    hello.listen_port = static_cast<std::uint16_t>(7000 + n);
    hello.peer_exchange = true;
    hello.hole_punch = understands;
    return say(n, hello);
  }
  Lines tell(int n, const Endpoint& of) {
    PeerExchange message;
    message.added.push_back({.endpoint = of, .hole_punch = true});
    return say(n, message);
  }
  Connect last_dial() const {
    Connect found;
    for (const Action& action : actions()) {
      if (const auto* connect = std::get_if<Connect>(&action)) found = *connect;
    }
    return found;
  }
  Lines fails(const Connect& dial) { return in(PeerClosed{kTorrent, dial.conn}); }
  Lines asks(int n, const Endpoint& for_whom) {
    return say(n, HolePunch{Kind::kRendezvous, for_whom});
  }
  Lines bids(int n, const Endpoint& remote) { return say(n, HolePunch{Kind::kConnect, remote}); }
};

// --- Kept away

TEST_CASE("who cannot be dialled is asked for at the peer that told of it, once") {
  Rig rig;
  rig.come(1);
  CHECK(rig.tell(1, world(9)) == Lines{"connect 7009"});
  const Connect dial = rig.last_dial();
  CHECK_FALSE(dial.punches);
  CHECK(dial.hints.utp);
  CHECK(rig.fails(dial) == Lines{"c1: introduce 7009"});
  REQUIRE(with(rig.pass(10s), "connect") == Lines{"connect 7009"});
}

TEST_CASE("a dial that is not answered is not waited for to its end") {
  Rig rig;
  rig.come(1);
  rig.tell(1, world(9));
  CHECK(with(rig.pass(kPunchAfter - 1us), "introduce").empty());
  CHECK(rig.pass(1us) == Lines{"c1: introduce 7009"});
  CHECK(with(rig.pass(5s), "introduce").empty());
}

TEST_CASE("who can introduce us may turn up while a dial is not answered") {
  Rig rig;
  rig.come(1);
  rig.come(2, {}, false);
  rig.tell(2, world(9));
  CHECK(with(rig.pass(kPunchAfter + 1s), "introduce").empty());
  CHECK(rig.tell(1, world(9)) == Lines{"c1: introduce 7009"});
}

TEST_CASE("the introduction ends the dial that waits, and begins one by uTP from both ends") {
  Rig rig;
  rig.come(1);
  rig.tell(1, world(9));
  const Connect direct = rig.last_dial();
  rig.pass(kPunchAfter);
  const Lines lines = rig.bids(1, world(9));
  REQUIRE(lines.size() == 2);
  CHECK(with({lines[0]}, "disconnect").size() == 1);
  CHECK(lines[1] == "punch 7009");
  const Connect punch = rig.last_dial();
  CHECK(punch.punches);
  CHECK(punch.conn != direct.conn);
  CHECK(rig.fails(direct).empty());
  rig.in(PeerConnected{SwarmRig::kTorrent, punch.conn, punch.remote, false,
                       Handshake{{}, peer_id_of(9), true, true}, Encryption::kNone, true});
  REQUIRE(rig.swarm().peers().size() == 2);
  CHECK(rig.swarm().peers().front().flags == "XPh");
}

TEST_CASE("who fails by one relay is asked for at the next, each once") {
  Rig rig;
  for (const int n : {1, 2, 3}) {
    rig.come(n);
    rig.tell(n, world(9));
  }
  rig.come(4, {}, false);
  rig.tell(4, world(9));  // it could introduce nobody
  CHECK(with(rig.pass(kPunchAfter), "introduce") == Lines{"c1: introduce 7009"});
  const auto refuses = [&](int n) {
    return rig.say(n, HolePunch{Kind::kError, world(9), Reason::kNotConnected});
  };
  CHECK(refuses(1) == Lines{"c2: introduce 7009"});
  rig.bids(2, world(9));
  CHECK(rig.fails(rig.last_dial()) == Lines{"c3: introduce 7009"});
  CHECK(refuses(3).empty());
  CHECK(refuses(1).empty());
  rig.pass(kExchangeInterval);
  rig.tell(1, world(9));
  CHECK(with(rig.pass(1min), "introduce").empty());
}

TEST_CASE("nobody is asked for at who never told of it, or told that it left") {
  Rig rig;
  rig.come(1);
  rig.come(2);
  rig.tell(1, world(9));
  rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(1)});
  CHECK(with(rig.pass(kPunchAfter), "introduce").empty());
  rig.tell(2, world(8));
  PeerExchange left;
  left.dropped.push_back(world(8));
  const Connect dial = rig.last_dial();
  rig.pass(1s);
  rig.pass(kExchangeInterval);
  rig.say(2, left);
  CHECK(with(rig.fails(dial), "introduce").empty());
}

TEST_CASE("who asks for many asks no faster than its pace") {
  Rig rig;
  rig.come(1);
  PeerExchange message;
  for (int n = 20; n < 70; ++n) message.added.push_back({.endpoint = world(n), .hole_punch = true});
  Lines lines = rig.say(1, message);
  int asked = 0;
  for (int second = 0; second < 20; ++second) {
    std::vector<Connect> dials;
    for (const Action& action : rig.actions()) {
      if (const auto* connect = std::get_if<Connect>(&action)) dials.push_back(*connect);
    }
    for (const Connect& dial : dials) {
      asked += static_cast<int>(with(rig.fails(dial), "introduce").size());
    }
    rig.pass(1s);
  }
  CHECK(asked >= kOurAskPace.burst);
  CHECK(asked <= kOurAskPace.burst + 20);
}

TEST_CASE("without uTP, and in a private torrent, nobody punches or says that it could") {
  for (const TrackShape& shape :
       {TrackShape{}, TrackShape{.is_private = true, .hole_punching = true}}) {
    Rig rig(shape);
    rig.come(1);
    rig.come(2);
    for (const Action& action : rig.actions()) {
      const auto* send = std::get_if<Send>(&action);
      const auto* hello = send ? std::get_if<ExtendedHandshake>(&send->message) : nullptr;
      if (hello) CHECK_FALSE(hello->hole_punch);
    }
    rig.tell(1, world(9));
    CHECK(with(rig.pass(5s), "introduce").empty());
    CHECK(rig.asks(1, world(2)).empty());
    CHECK(rig.bids(1, world(9)).empty());
  }
}

TEST_CASE("who tells no port, but takes uTP where its own comes from, is told of by that") {
  Rig rig;
  rig.come(1);
  const auto come = [&](int n, bool utp, bool understands) {
    const Endpoint remote =
        Endpoint::v4(80, static_cast<std::uint8_t>(n), 0, 1, static_cast<std::uint16_t>(5000 + n));
    rig.in(PeerConnected{SwarmRig::kTorrent, conn_of(n), remote, true,
                         Handshake{{}, peer_id_of(n), true, true}, Encryption::kNone, utp});
    ExtendedHandshake hello;
    hello.hole_punch = understands;
    rig.say(n, hello);
  };
  come(2, true, true);
  come(3, true, false);
  come(4, false, true);
  CHECK(with(rig.pass(kExchangeDelay), "exchange") == Lines{"c1: exchange +5002"});
}

// --- For others

TEST_CASE("two peers are bid to dial each other where their uTP comes from, or where they listen") {
  Rig rig;
  rig.come(1, 5001);
  rig.come(2);
  CHECK(rig.asks(1, world(2)) == Lines{"c2: dial 5001", "c1: dial 7002"});
  CHECK(rig.asks(2, world(1)) == Lines{"c1: dial 7002", "c2: dial 5001"});
  Endpoint seen = world(1);
  seen.port = 5001;
  CHECK(rig.asks(2, seen) == Lines{"c1: dial 7002", "c2: dial 5001"});
}

TEST_CASE("who cannot be introduced is told why, and nobody else hears of it") {
  Rig rig;
  rig.come(1, 5001);
  rig.come(2, {}, false);
  CHECK(rig.asks(1, world(9)) == Lines{"c1: cannot introduce 7009, 2"});
  CHECK(rig.asks(1, world(2)) == Lines{"c1: cannot introduce 7002, 3"});
  CHECK(rig.asks(1, world(1)) == Lines{"c1: cannot introduce 7001, 4"});
  CHECK(rig.asks(1, Endpoint::v4(224, 0, 0, 1, 7000)) == Lines{"c1: cannot introduce 7000, 1"});
  CHECK(rig.asks(1, Endpoint::v4(80, 1, 1, 1, 0)) == Lines{"c1: cannot introduce 0, 1"});
  Endpoint v6{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 7003};
  rig.come_from(3, v6, true);
  CHECK(rig.asks(1, v6) == Lines{"c1: cannot introduce 7003, 1"});
}

TEST_CASE("strangers are not introduced into the relay's own house") {
  Rig rig;
  rig.come(1, 5001);
  const Endpoint house = Endpoint::v4(192, 168, 0, 7, 7002);
  rig.come_from(2, house, true);
  CHECK(rig.asks(1, house) == Lines{"c1: cannot introduce 7002, 2"});
  CHECK(with(rig.asks(2, world(1)), "dial").empty());
}

TEST_CASE("who does not understand hole punching may not ask, and too much asking is an offence") {
  Rig rig;
  rig.come(1, 5001, false);
  rig.come(2);
  CHECK(rig.asks(1, world(2)).empty());
  rig.come(3, 5003);
  Lines lines;
  int answered = 0;
  for (int i = 0; i < kAskPace.burst + kMaxOffences; ++i) {
    lines = rig.asks(3, world(99));
    answered += static_cast<int>(with(lines, "introduce").size());
  }
  CHECK(answered == kAskPace.burst);
  CHECK(lines.empty());
  CHECK(rig.asks(3, world(99)) == Lines{"c3: disconnect"});
}

TEST_CASE("however many ask for one peer, it is bid to dial no faster than its pace") {
  Rig rig;
  rig.come(1);
  int bid = 0;
  for (int n = 2; n < 42; ++n) {
    rig.come(n, static_cast<std::uint16_t>(5000 + n));
    for (int i = 0; i < 5; ++i) {
      bid += static_cast<int>(with(rig.asks(n, world(1)), "c1: dial").size());
    }
  }
  CHECK(bid == kIntroductionPace.burst);
  rig.pass(1s);
  CHECK(with(rig.asks(2, world(1)), "c1: dial").size() == 1);
  CHECK(rig.asks(3, world(1)).empty());
}

// --- Bid by others

TEST_CASE(
    "who is bid dials at once, though it did not ask, and though it dialled it in vain before") {
  Rig rig;
  rig.come(1);
  CHECK(rig.bids(1, world(9)) == Lines{"punch 7009"});
  CHECK(with(rig.fails(rig.last_dial()), "introduce").empty());
  CHECK(rig.bids(1, world(9)) == Lines{"punch 7009"});
  CHECK(with(rig.bids(1, world(9)), "punch") == Lines{"punch 7009"});
}

TEST_CASE(
    "nobody is dialled who is connected, cannot be dialled, is banned, or is none of the relay's "
    "business") {
  Rig rig;
  rig.come(1);
  rig.come(2, 5002);
  CHECK(rig.bids(1, world(2)).empty());
  Endpoint seen = world(2);
  seen.port = 5002;
  CHECK(rig.bids(1, seen).empty());
  CHECK(rig.bids(1, Endpoint::v4(192, 168, 0, 1, 80)).empty());
  CHECK(rig.bids(1, Endpoint::v4(127, 0, 0, 1, 80)).empty());
  CHECK(rig.bids(1, Endpoint::v4(80, 0, 0, 1, 0)).empty());
  rig.bans().ban(world(5).address, rig.now());
  CHECK(rig.bids(1, world(5)).empty());
}

TEST_CASE("a peer cannot make us dial more than its pace allows, nor can a crowd") {
  Rig rig;
  int dialled = 0;
  for (int n = 1; n <= 50; ++n) {
    rig.come(n);
    for (int i = 0; i < 60; ++i) {
      const auto port = static_cast<std::uint16_t>(10'000 + n * 100 + i);
      const auto lines = with(rig.bids(n, Endpoint::v4(90, 1, 1, 1, port)), "punch");
      dialled += static_cast<int>(lines.size());
      if (!lines.empty()) rig.fails(rig.last_dial());
    }
  }
  CHECK(dialled == kAllBidsPace.burst);
}

TEST_CASE("of two connections that both ends opened at once one is left, the same at both") {
  Rig rig;
  rig.come(1);
  rig.bids(1, world(9));
  const Connect ours = rig.last_dial();
  rig.come_from(9, world(9), true);
  const Lines lines =
      rig.in(PeerConnected{SwarmRig::kTorrent, ours.conn, world(9), false,
                           Handshake{{}, peer_id_of(9), true, true}, Encryption::kNone, true});
  // The smaller id's own, which is peer 9's.
  CHECK(with(lines, "disconnect").size() == 1);
  rig.in(PeerClosed{SwarmRig::kTorrent, ours.conn});
  REQUIRE(rig.swarm().peers().size() == 2);
  CHECK(rig.swarm().peers()[1].flags == "IPh");
}

TEST_CASE("a pacer allows a burst, and then one in each interval") {
  Pacer pacer;
  const Pace pace{.interval = 2s, .burst = 3};
  TimePoint now{10s};
  for (int i = 0; i < 3; ++i) CHECK(pacer.allow(pace, now));
  CHECK_FALSE(pacer.allow(pace, now));
  CHECK_FALSE(pacer.allow(pace, now + 2s - 1us));
  CHECK(pacer.allow(pace, now + 2s));
  CHECK_FALSE(pacer.allow(pace, now + 2s));
  int allowed = 0;
  for (now += 2s; now < TimePoint(10s + 200s); now += 100ms) allowed += pacer.allow(pace, now);
  CHECK(allowed == 98);
}

}  // namespace
}  // namespace tributary::core
