// How a swarm and its peers come together: who is dialled, and how those who come in are answered.
#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

const TrackShape kHybrid{.v1 = true, .v2 = true};

InfoHash v1_name() { return InfoHash::from(Sha1{}.bytes); }

InfoHash v2_name() {
  const Sha256 hash = hash_of(2);
  return InfoHash::from(std::span(hash.bytes).first(20));
}

Handshake greeting(const InfoHash& to, bool v2) { return {to, peer_id_of(1), true, true, v2}; }

TEST_CASE("a hybrid's peer that speaks v2 is answered by the v2 hash, another by its own") {
  const SwarmRig rig(Policy::adaptive(), kHybrid);
  const InfoHash v1 = v1_name();
  const InfoHash v2 = v2_name();
  REQUIRE(rig.swarm().answers_to(v1));
  REQUIRE(rig.swarm().answers_to(v2));
  CHECK(rig.swarm().answer(greeting(v1, true)).info_hash == v2);
  CHECK(rig.swarm().answer(greeting(v1, false)).info_hash == v1);
  CHECK(rig.swarm().answer(greeting(v2, false)).info_hash == v2);
  CHECK(rig.swarm().answer(greeting(v1, false)).v2);
}

TEST_CASE("a v1 torrent's peer that speaks v2 is answered by the v1 hash") {
  const SwarmRig rig(Policy::adaptive(), {.v1 = true, .v2 = false});
  const InfoHash v1 = v1_name();
  CHECK_FALSE(rig.swarm().answers_to(v2_name()));
  CHECK(rig.swarm().answer(greeting(v1, true)) ==
        Handshake{v1, peer_id_of(1000), true, true, false});
}

TEST_CASE("a hybrid is dialled by its v1 hash, for clients that know no other") {
  SwarmRig rig(Policy::adaptive(), kHybrid);
  rig.play(0s);
  rig.swarm().add_peer(Endpoint::v4(10, 0, 0, 9, 7000), rig.now());
  CHECK(with(rig.drain(), "connect") == Lines{"connect 7000"});
  const auto* connect = std::get_if<Connect>(&rig.actions().front());
  REQUIRE(connect);
  CHECK(connect->handshake.info_hash == v1_name());
  CHECK(connect->handshake.v2);
}

TEST_CASE(
    "a hybrid's peer is asked for hashes if it answers a dial by the v2 hash, not by the v1") {
  for (const InfoHash& answer : {v1_name(), v2_name()}) {
    SwarmRig rig(Policy::peers_only(),
                 {.blocks = 12, .blocks_per_piece = 4, .v1 = true, .v2 = true});
    rig.play(0s, 10s);
    const Endpoint peer = Endpoint::v4(10, 0, 0, 9, 7000);
    rig.swarm().add_peer(peer, rig.now());
    REQUIRE(with(rig.drain(), "connect") == Lines{"connect 7000"});
    const ConnId conn = std::get<Connect>(rig.actions().front()).conn;
    rig.in(PeerConnected{SwarmRig::kTorrent, conn, peer, false, greeting(answer, true)});
    rig.in(PeerMessage{SwarmRig::kTorrent, conn, HaveAll{}});
    const Lines asked = rig.in(PeerMessage{SwarmRig::kTorrent, conn, Unchoke{}});
    CHECK(with(asked, "hash request").empty() == (answer == v1_name()));
    CHECK_FALSE(with(asked, "request").empty());
  }
}

TEST_CASE("two that have all do not dial each other again, unless one comes to lack something") {
  for (const bool lost : {false, true}) {
    SwarmRig rig;
    rig.in(Restored{SwarmRig::kTorrent, Bitfield(rig.swarm().layout().block_count(), true)});
    rig.swarm().share(true, rig.now());
    const Endpoint peer = Endpoint::v4(10, 0, 0, 9, 7000);
    rig.swarm().add_peer(peer, rig.now());
    REQUIRE(with(rig.drain(), "connect") == Lines{"connect 7000"});
    const ConnId conn = std::get<Connect>(rig.actions().front()).conn;
    rig.in(PeerConnected{SwarmRig::kTorrent, conn, peer, false, greeting(v2_name(), true)});
    CHECK_FALSE(
        with(rig.in(PeerMessage{SwarmRig::kTorrent, conn, HaveAll{}}), "disconnect").empty());
    rig.in(PeerClosed{SwarmRig::kTorrent, conn});
    if (lost) rig.in(BlocksLost{SwarmRig::kTorrent, {BlockIndex(3), BlockIndex(4)}});
    CHECK(with(rig.pass(20min), "connect 7000").empty() == !lost);
  }
}

TEST_CASE("a dial gives way to other traffic unless somebody waits for its blocks") {
  for (const bool waited_for : {false, true}) {
    SwarmRig rig(Policy::peers_only(), kHybrid);
    rig.in(SetBackground{SwarmRig::kTorrent, true});
    if (waited_for) rig.play(0s);
    rig.swarm().add_peer(Endpoint::v4(10, 0, 0, 9, 7000), rig.now());
    REQUIRE(with(rig.drain(), "connect") == Lines{"connect 7000"});
    const auto* connect = std::get_if<Connect>(&rig.actions().front());
    REQUIRE(connect);
    CHECK(connect->gives_way == !waited_for);
  }
}

TEST_CASE("a peer over uTP is shown as such") {
  SwarmRig rig(Policy::adaptive(), kHybrid);
  const Handshake hello = greeting(v1_name(), false);
  rig.in(PeerConnected{SwarmRig::kTorrent, ConnId(1), Endpoint::v4(10, 0, 0, 1, 1), true, hello,
                       Encryption::kNone, true});
  REQUIRE(rig.swarm().peers().size() == 1);
  CHECK(rig.swarm().peers().front().flags == "IP");
}

TEST_CASE("without hashes nobody is dialled, and the CDN is asked as by one who is alone") {
  SwarmRig rig(Policy::adaptive(), {.v1 = false, .v2 = false});
  rig.cdn_up();
  rig.play(0s, 20s);
  rig.swarm().add_peer(Endpoint::v4(10, 0, 0, 9, 7000), rig.now());
  CHECK(rig.drain().empty());
  CHECK(rig.pass(9500ms - 1us).empty());
  CHECK(rig.pass(1us) == Lines{"fetch 0-10 no_peer"});
}

void append(Lines& to, const Lines& lines) { to.insert(to.end(), lines.begin(), lines.end()); }

TEST_CASE("nobody is looked for before a start's head is there, or the CDN is slow") {
  for (const bool slow : {false, true}) {
    CAPTURE(slow);
    SwarmRig rig(Policy::adaptive(), {.trackers = {{"http://t/"}}});
    rig.cdn_up();
    Lines lines = rig.start();
    rig.swarm().add_peer(Endpoint::v4(10, 0, 0, 9, 7000), rig.now());
    append(lines, rig.drain());
    append(lines, rig.pass(250ms - 1us));
    CHECK(lines == Lines{"may start", "fetch 0-2 startup"});
    lines.clear();
    if (slow) append(lines, rig.pass(1us));
    for (int block = 0; block < 2 && !slow; ++block) {
      append(lines, with(rig.cdn_block(rig.fetches().back().request, block), "nn"));
      CHECK(lines.empty());
      append(lines, with(rig.verified(block), "nn"));
    }
    CHECK(with(lines, "announce") == Lines{"announce http://t/ started"});
    CHECK(with(lines, "connect") == Lines{"connect 7000"});
  }
}

TEST_CASE("dials are 20 ms apart beside a start's head, until it is there") {
  SwarmRig rig;
  rig.cdn_up();
  rig.start();
  for (std::uint8_t n = 1; n <= 5; ++n) {
    rig.swarm().add_peer(Endpoint::v4(10, 0, 0, n, 7000 + n), rig.now());
  }
  rig.drain();
  CHECK(with(rig.pass(250ms), "connect").size() == 1);
  CHECK(with(rig.pass(20ms - 1us), "connect").empty());
  CHECK(with(rig.pass(1us), "connect").size() == 1);
  Lines lines;
  for (int block = 0; block < 2; ++block) {
    append(lines, rig.cdn_block(rig.fetches().back().request, block));
    append(lines, rig.verified(block));
  }
  CHECK(with(lines, "connect").size() == 3);
}

TEST_CASE("without a CDN that insures the start everybody is looked for at once") {
  SwarmRig rig(Policy::adaptive(), {.trackers = {{"http://t/"}}});
  CHECK(with(rig.start(), "announce http://t/ started").size() == 1);
}

TEST_CASE(
    "who came in is dialled where it listens once it is gone, unless the torrent is private") {
  for (const bool is_private : {false, true}) {
    CAPTURE(is_private);
    SwarmRig rig(Policy::peers_only(), {.is_private = is_private});
    rig.play(0s);
    rig.connect(1);
    ExtendedHandshake hello;
    hello.listen_port = 7001;
    CHECK(with(rig.say(1, hello), "connect").empty());
    CHECK(with(rig.pass(10s), "connect").empty());
    Lines lines = rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(1)});
    for (const std::string& line : rig.pass(5s)) lines.push_back(line);
    CHECK(with(lines, "connect") == (is_private ? Lines{} : Lines{"connect 7001"}));
  }
}

}  // namespace
}  // namespace tributary::core
