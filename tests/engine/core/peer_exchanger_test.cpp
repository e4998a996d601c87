#include "engine/core/peer_exchanger.h"

#include <doctest/doctest.h>

#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

Endpoint at(int n, std::uint16_t port) {
  return Endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(n), port);
}

PeerExchange names(std::initializer_list<Endpoint> added) {
  PeerExchange message;
  for (const Endpoint& endpoint : added) message.added.push_back({endpoint, false});
  return message;
}

ExtendedHandshake hello(std::optional<std::uint16_t> port, bool exchanges = true) {
  ExtendedHandshake out;
  out.listen_port = port;
  out.peer_exchange = exchanges;
  return out;
}

// A swarm that wants something, so that it looks for peers.
struct Rig : SwarmRig {
  explicit Rig(const TrackShape& shape = {}) : SwarmRig(Policy::peers_only(), shape) { start(); }
  // Peer n comes in and tells where it listens: at port 7000 + n.
  void come(int n, bool exchanges = true) {
    connect(n);
    say(n, hello(static_cast<std::uint16_t>(7000 + n), exchanges));
  }
  void leave(int n) { in(PeerClosed{kTorrent, conn_of(n)}); }
};

TEST_CASE("peers are told of each other by where they listen, shortly after they came") {
  Rig rig;
  rig.come(1);
  CHECK(with(rig.pass(5s), "exchange").empty());
  rig.come(2);
  rig.come(3);
  CHECK(with(rig.pass(kExchangeDelay - 1us), "exchange").empty());
  CHECK(with(rig.pass(1us), "exchange") ==
        Lines{"c1: exchange +7002 +7003", "c2: exchange +7001 +7003", "c3: exchange +7001 +7002"});
}

TEST_CASE(
    "who has all dials those alone whom a peer does not call seeds; who lacks something, all") {
  const auto dials = [](bool complete) {
    Rig rig;
    rig.come(1);
    const int blocks = rig.swarm().layout().block_count();
    if (complete) rig.in(Restored{SwarmRig::kTorrent, Bitfield(blocks, true)});
    PeerExchange message =
        names({Endpoint::v4(10, 0, 0, 8, 7008), Endpoint::v4(10, 0, 0, 9, 7009)});
    message.added.front().seed = true;
    return with(rig.say(1, message), "connect");
  };
  CHECK(dials(true) == Lines{"connect 7009"});
  CHECK(dials(false) == Lines{"connect 7008", "connect 7009"});
}

TEST_CASE("each is told once a minute at most, and of what changed alone") {
  Rig rig;
  rig.come(1);
  rig.come(2);
  REQUIRE(with(rig.pass(3s), "exchange").size() == 2);
  rig.come(3);
  rig.leave(2);
  CHECK(with(rig.pass(10s), "exchange") == Lines{"c3: exchange +7001"});
  CHECK(with(rig.pass(60s), "exchange") == Lines{"c1: exchange +7003 -7002"});
  CHECK(with(rig.pass(200s), "exchange").empty());
}

TEST_CASE("nothing is told to who does not understand it, nor of who cannot be dialled") {
  Rig rig;
  rig.come(1, false);
  rig.connect(2);
  rig.say(2, hello(std::nullopt));
  rig.come(3);
  CHECK(with(rig.pass(60s), "exchange") == Lines{"c2: exchange +7001 +7003", "c3: exchange +7001"});
}

TEST_CASE("who is named is dialled, and shown as such") {
  Rig rig;
  rig.come(1);
  CHECK(rig.say(1, names({at(9, 7009)})) == Lines{"connect 7009"});
  const auto connect = std::get<Connect>(rig.actions().back());
  rig.in(PeerConnected{SwarmRig::kTorrent, connect.conn, connect.remote, false,
                       Handshake{InfoHash{}, peer_id_of(9), true, true, false}});
  CHECK(rig.swarm().peers().front().flags == "X");
}

TEST_CASE("what is known of a peer is told with its address") {
  Rig rig({.hole_punching = true});
  const auto come = [&](int n, Encryption encryption, bool utp, bool hole_punch) {
    Handshake shake{InfoHash{}, peer_id_of(n), true, true};
    rig.in(PeerConnected{SwarmRig::kTorrent, conn_of(n), at(n, 1), true, shake, encryption, utp});
    ExtendedHandshake message = hello(static_cast<std::uint16_t>(7000 + n));
    message.hole_punch = hole_punch;
    rig.say(n, message);
  };
  come(1, Encryption::kNone, false, false);
  come(2, Encryption::kStream, false, false);
  come(3, Encryption::kHandshake, true, false);
  come(4, Encryption::kNone, false, true);
  rig.say(4, HaveAll{});
  rig.come(5);
  std::vector<PeerExchange::Added> told;
  REQUIRE(!with(rig.pass(kExchangeDelay), "c5: exchange").empty());
  for (const Action& action : rig.actions()) {
    const auto* send = std::get_if<Send>(&action);
    if (send == nullptr || send->conn != conn_of(5)) continue;
    if (const auto* m = std::get_if<PeerExchange>(&send->message)) told = m->added;
  }
  CHECK(told == std::vector<PeerExchange::Added>{
                    {at(1, 7001)},
                    {.endpoint = at(2, 7002), .prefers_encryption = true},
                    {.endpoint = at(3, 7003), .utp = true},
                    {.endpoint = at(4, 7004), .seed = true, .utp = true, .hole_punch = true}});
}

TEST_CASE("what peers say of an address decides how it is dialled, until that has failed") {
  Rig rig;
  rig.come(1);
  PeerExchange message;
  message.added = {{.endpoint = at(8, 7008), .prefers_encryption = true},
                   {.endpoint = at(9, 7009), .utp = true}};
  REQUIRE(rig.say(1, message) == Lines{"connect 7008", "connect 7009"});
  std::vector<Connect> dials;
  for (const Action& action : rig.actions()) dials.push_back(std::get<Connect>(action));
  CHECK(dials[0].hints == DialHints{.prefers_encryption = true});
  CHECK(dials[1].hints == DialHints{.utp = true});
  rig.in(PeerClosed{SwarmRig::kTorrent, dials[0].conn});
  REQUIRE(with(rig.pass(10s), "connect") == Lines{"connect 7008"});
  rig.pass(50s);
  rig.say(1, message);
  rig.in(PeerClosed{SwarmRig::kTorrent, dials[1].conn});
  Connect again;
  for (int second = 0; second < 30; ++second) {
    rig.pass(1s);
    for (const Action& action : rig.actions()) {
      if (const auto* connect = std::get_if<Connect>(&action)) again = *connect;
    }
  }
  CHECK(again.remote == at(9, 7009));
  CHECK(again.hints == DialHints{});
}

TEST_CASE("messages that come too often are passed over, and end the connection in time") {
  Rig rig;
  rig.come(1);
  rig.say(1, names({at(8, 7008)}));
  CHECK(with(rig.say(1, names({at(9, 7009)})), "connect").empty());
  rig.pass(kExchangeInterval - kExchangeSlack);
  CHECK(with(rig.say(1, names({at(9, 7009)})), "connect") == Lines{"connect 7009"});
  Lines lines;
  for (int i = 0; i < kMaxOffences; ++i) lines = rig.say(1, names({}));
  CHECK(lines == Lines{"c1: disconnect"});
}

TEST_CASE("no more is taken of one message than BEP 11 allows") {
  Rig rig;
  rig.come(1);
  PeerExchange message;
  for (int n = 1; n <= 200; ++n) {
    message.added.push_back({at(200, static_cast<std::uint16_t>(n)), false});
  }
  Lines dialled = with(rig.say(1, message), "connect");
  for (int second = 0; second < 60; ++second) {
    for (const Action& action : rig.actions()) {
      const auto* connect = std::get_if<Connect>(&action);
      if (connect) rig.in(PeerClosed{SwarmRig::kTorrent, connect->conn});
    }
    for (const std::string& line : with(rig.pass(1s), "connect")) dialled.push_back(line);
  }
  CHECK(dialled.size() >= 8);  // half-open at once
  for (const std::string& line : dialled) CHECK(std::stoi(line.substr(8)) <= 50);
}

TEST_CASE("a private torrent exchanges no peers") {
  Rig rig({.is_private = true});
  rig.come(1);
  rig.come(2);
  CHECK(with(rig.say(1, names({at(9, 7009)})), "connect").empty());
  CHECK(with(rig.pass(100s), "exchange").empty());
}

TEST_CASE("strangers neither name nor hear of addresses in our house") {
  const Endpoint world = Endpoint::v4(198, 51, 100, 7, 6881);
  const Endpoint house = Endpoint::v4(192, 168, 0, 7, 6881);
  const Endpoint machine = Endpoint::v4(127, 0, 0, 1, 6881);
  CHECK(may_share(world, world));
  CHECK(may_share(house, world));
  CHECK(may_share(machine, world));
  CHECK_FALSE(may_share(world, house));
  CHECK(may_share(house, house));
  CHECK(may_share(machine, house));
  CHECK_FALSE(may_share(world, machine));
  CHECK_FALSE(may_share(house, machine));
  CHECK(may_share(machine, machine));
}

}  // namespace
}  // namespace tributary::core
