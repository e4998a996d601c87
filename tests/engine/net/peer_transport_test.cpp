#include "engine/net/peer_transport.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/net/address.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/engine/net/transport_rig.h"

namespace tributary::net {
namespace {

using Node = TransportNode;
using Pair = TransportPair;

TEST_CASE("both sides learn of a connection, with the other's handshake") {
  Pair pair;
  CHECK(pair.a.connected[0].handshake == pair.b.ours);
  CHECK(pair.b.connected[0].handshake == pair.a.ours);
  CHECK(pair.a.connected[0].inbound);
  CHECK((pair.a.conn().value() & core::kInboundBit.value()) != 0);
  CHECK(pair.b.conn() == core::ConnId(1));
  CHECK(pair.b.connected[0].torrent == kTorrent);
  CHECK(pair.b.transport->stats(core::ConnId(1))->overhead_in == 68_B);
}

TEST_CASE("IPv6 connections work beside IPv4 on the same port") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2);
  const Endpoint v4 = a.listen();
  Endpoint v6;
  v6.address[15] = 1;
  v6.port = v4.port;
  const auto bound = a.transport->listen(v6);
  if (!bound.ok()) {
    MESSAGE("skipped: no IPv6 loopback here: " << bound.error().message);
    return;
  }
  b.dial(v4, 1);
  b.dial(v6, 2);
  CHECK(loop.run_until([&] { return a.connected.size() == 2; }, kDeadline));
}

TEST_CASE("listening on a taken port is an error that names it") {
  Loop loop;
  Node a(loop, 1);
  const Endpoint taken = a.listen();
  const auto again = a.transport->listen(taken);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().message.find(format_endpoint(taken)) != std::string::npos);
}

TEST_CASE("messages arrive whole, typed and in order") {
  Pair pair;
  const std::vector<core::Message> sent{core::BitfieldMessage{{0xff, 0x80}},
                                        core::Interested{},
                                        core::Unchoke{},
                                        core::Have{core::PieceIndex(3)},
                                        core::Request{{core::PieceIndex(1), 16_KiB, 16_KiB}},
                                        core::KeepAlive{}};
  for (const core::Message& message : sent) pair.a.transport->send(pair.a.conn(), message);
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == sent.size(); }));
  CHECK(pair.b.messages == sent);
}

TEST_CASE("a host that is behind with its work is sent no more until it has caught up") {
  Pair pair;
  pair.b.behind = true;
  const Bytes before = pair.b.transport->totals().overhead_in;
  constexpr std::size_t kCount = 20'000;  // more than one read
  for (std::size_t i = 0; i < kCount; ++i) {
    pair.a.transport->send(pair.a.conn(), core::Have{core::PieceIndex(0)});
  }
  REQUIRE(pair.wait([&] { return pair.b.transport->totals().overhead_in > before; }));
  const Bytes after_one_read = pair.b.transport->totals().overhead_in;
  bool turned = false;
  pair.loop.post([&] { turned = true; });
  REQUIRE(pair.wait([&] { return turned; }));
  CHECK(pair.b.messages.empty());
  CHECK(pair.b.transport->totals().overhead_in == after_one_read);
  pair.b.behind = false;
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == kCount; }));
}

TEST_CASE("a disconnect is answered on a later turn on both sides") {
  Pair pair;
  pair.a.transport->disconnect(pair.a.conn(), "test is over");
  CHECK(pair.a.closed.empty());
  REQUIRE(pair.wait([&] { return !pair.a.closed.empty() && !pair.b.closed.empty(); }));
  CHECK(pair.a.closed == std::vector{pair.a.conn()});
  CHECK(pair.b.closed == std::vector{core::ConnId(1)});
  CHECK(pair.a.log.find("test is over") != std::string::npos);
  CHECK(pair.a.transport->connection_count() == 0);
  pair.a.transport->send(pair.a.conn(), core::Choke{});  // too late, and harmless
}

TEST_CASE("a dial that fails is answered by PeerClosed alone") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2);
  Endpoint nobody = a.listen();
  a.transport.reset();
  b.dial(nobody);
  REQUIRE(loop.run_until([&] { return b.closed.size() == 1; }, kDeadline));
  CHECK(b.connected.empty());
  CHECK(b.log.find("cannot connect") != std::string::npos);
}

TEST_CASE("a torrent that the listener does not have ends the connection") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2);
  b.ours = handshake(2, 9);
  b.dial(a.listen());
  REQUIRE(loop.run_until([&] { return b.closed.size() == 1; }, kDeadline));
  CHECK(a.connected.empty());
  CHECK(a.closed.empty());
  CHECK(a.log.find("torrent that is not here") != std::string::npos);
}

TEST_CASE("an answer with the torrent's other hash is accepted, one with a strange hash is not") {
  Loop loop;
  Node b(loop, 2);
  b.other_hash.bytes.fill(9);
  RawListener raw(loop);
  b.dial(raw.endpoint(), 1);
  b.dial(raw.endpoint(), 2);
  REQUIRE(loop.run_until([&] { return raw.peers() == 2; }, kDeadline));
  raw.send(0, wire::encode_handshake(handshake(1, 9)));
  raw.send(1, wire::encode_handshake(handshake(1, 10)));
  REQUIRE(
      loop.run_until([&] { return b.connected.size() == 1 && b.closed.size() == 1; }, kDeadline));
}

TEST_CASE("a connection to oneself is refused") {
  Loop loop;
  Node a(loop, 1);
  a.dial(a.listen());
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.connected.empty());
  CHECK(a.log.find("ourselves") != std::string::npos);
}

TEST_CASE("a stranger that speaks another protocol is dropped at its first bytes") {
  Loop loop;
  Node a(loop, 1);
  a.transport->set_encryption(core::EncryptionMode::kOff);  // else it may be noise of an exchange
  RawPeer raw(loop, a.listen());
  raw.send_text("GET / HTTP/1.1\r\n");
  REQUIRE(loop.run_until([&] { return raw.closed(); }, kDeadline));
  CHECK(a.log.find("does not speak BitTorrent") != std::string::npos);
  CHECK(a.connected.empty());
}

TEST_CASE("a handshake in single bytes is accepted, together with messages behind it") {
  Loop loop;
  Node a(loop, 1);
  RawPeer raw(loop, a.listen());
  const auto bytes = wire::encode_handshake(handshake(2));
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) raw.send({bytes[i]});
  wire::OctetBuffer rest{bytes.back()};
  wire::encode_message(core::Interested{}, {}, rest);
  raw.send(rest);
  const auto answered = [&] { return raw.received().size() >= wire::kHandshakeSize; };
  REQUIRE(loop.run_until([&] { return a.messages.size() == 1 && answered(); }, kDeadline));
  CHECK(std::equal(raw.received().begin(), raw.received().begin() + 20, bytes.begin()));
}

TEST_CASE("a peer that does not finish its handshake in time is closed") {
  Loop loop;
  Node a(loop, 1, {.handshake_timeout = 20ms});
  RawPeer raw(loop, a.listen());
  raw.send_text(
      "\x13"
      "BitTorrent");
  REQUIRE(loop.run_until([&] { return raw.closed(); }, kDeadline));
  CHECK(a.log.find("no handshake in time") != std::string::npos);
}

TEST_CASE("a listener that never answers ends a dial by its handshake limit") {
  Loop loop;
  Node b(loop, 2, {.handshake_timeout = 20ms});
  RawListener raw(loop);
  b.dial(raw.endpoint());
  REQUIRE(loop.run_until([&] { return b.closed.size() == 1; }, kDeadline));
  CHECK(b.connected.empty());
}

TEST_CASE("a connection without messages is closed after the idle limit") {
  Pair pair({.idle_timeout = 20ms});
  REQUIRE(pair.wait([&] { return pair.a.closed.size() == 1 && pair.b.closed.size() == 1; }));
}

TEST_CASE("an oversized message closes the connection with a reason") {
  Loop loop;
  Node a(loop, 1);
  OpenRaw open(loop, a);
  open.raw.send({0x7f, 0xff, 0xff, 0xff, 20});
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.log.find("over the limit") != std::string::npos);
}

TEST_CASE("a disconnect in mid-message frees the half-filled buffer") {
  Loop loop;
  Node a(loop, 1);
  OpenRaw open(loop, a);
  wire::OctetBuffer bytes;
  wire::append(bytes, wire::encode_piece_header({core::PieceIndex(0), 0_B, 16_KiB}));
  bytes.resize(5000, 1);
  open.raw.send(bytes);
  REQUIRE(loop.run_until([&] { return a.pool.in_use() == 1; }, kDeadline));
  open.raw.close();
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.messages.empty());
  CHECK(a.pool.in_use() == 0);
}

TEST_CASE("messages behind one that made the host disconnect are not delivered, nor leaked") {
  Loop loop;
  Node a(loop, 1);
  OpenRaw open(loop, a);
  int delivered = 0;
  a.on_message = [&](core::PeerMessage& message) {
    ++delivered;
    a.transport->disconnect(message.conn, "enough");
  };
  wire::OctetBuffer bytes;
  wire::encode_message(core::Have{core::PieceIndex(1)}, {}, bytes);
  wire::append(bytes, wire::encode_piece_header({core::PieceIndex(0), 0_B, 10_B}));
  bytes.resize(bytes.size() + 10);
  wire::encode_message(core::Have{core::PieceIndex(2)}, {}, bytes);
  open.raw.send(bytes);
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(delivered == 1);
  CHECK(a.pool.in_use() == 0);
}

TEST_CASE("incoming connections over the limits are closed, and room is found again") {
  Loop loop;
  Node a(loop, 1, {.max_unhandshaked = 2});
  const Endpoint at = a.listen();
  RawPeer one(loop, at);
  RawPeer two(loop, at);
  REQUIRE(loop.run_until([&] { return a.transport->connection_count() == 2; }, kDeadline));
  RawPeer three(loop, at);
  REQUIRE(loop.run_until([&] { return three.closed(); }, kDeadline));
  CHECK_FALSE(one.closed());
  one.send(wire::encode_handshake(handshake(2)));
  REQUIRE(loop.run_until([&] { return a.connected.size() == 1; }, kDeadline));
  RawPeer four(loop, at);
  four.send(wire::encode_handshake(handshake(3)));
  CHECK(loop.run_until([&] { return a.connected.size() == 2; }, kDeadline));
}

TEST_CASE("dials beyond the half-open limit wait, and all of them are answered") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2, {.max_connections = 20, .max_half_open = 2, .max_waiting_dials = 25});
  const Endpoint at = a.listen();
  for (std::uint64_t i = 1; i <= 40; ++i) b.dial(at, i);
  b.transport->disconnect(core::ConnId(20), "changed my mind while it waited");
  REQUIRE(loop.run_until([&] { return b.connected.size() + b.closed.size() == 40; }, kDeadline));
  CHECK(b.connected.size() == 20);
  CHECK(std::ranges::count(b.closed, core::ConnId(20)) == 1);
  CHECK(b.transport->connection_count() == 20);
}

TEST_CASE("closing a torrent's connections reaches open and waiting ones") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2, {.max_half_open = 1});
  const Endpoint at = a.listen();
  b.dial(at, 1);
  REQUIRE(loop.run_until([&] { return b.connected.size() == 1; }, kDeadline));
  b.dial(at, 2);
  b.dial(at, 3);
  b.transport->disconnect_all(kTorrent, "track is over");
  REQUIRE(loop.run_until([&] { return b.closed.size() == 3; }, kDeadline));
  CHECK(b.transport->connection_count() == 0);
}

}  // namespace
}  // namespace tributary::net
