#include "engine/net/tcp_transport.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/net/address.h"
#include "engine/net/hasher.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/engine/net/sample_torrent.h"

namespace tributary::net {
namespace {

constexpr Duration kDeadline = 30s;
constexpr core::TorrentId kTorrent(1);
const Endpoint kAnyPort = Endpoint::v4(127, 0, 0, 1, 0);

core::Handshake handshake(std::uint8_t peer, std::uint8_t hash = 7) {
  core::Handshake h;
  h.info_hash.bytes.fill(hash);
  h.peer_id.bytes.fill(peer);
  h.fast = h.extended = true;
  return h;
}

// A node's worth of transport that remembers what it is told.
struct Node final : TransportHost {
  Node(Loop& l, std::uint8_t id, TransportLimits limits = {}, BufferLimits buffers = {})
      : loop(l), ours(handshake(id)), pool(buffers) {
    const auto sink = [this](LogLevel, std::string_view line) { log += std::string(line) + "\n"; };
    transport = std::make_unique<TcpTransport>(loop, pool, *this, sink, limits);
  }

  std::optional<LocalSide> find_torrent(const core::Handshake& remote) override {
    const InfoHash& hash = remote.info_hash;
    const bool known = hash == ours.info_hash || hash == other_hash;
    return known ? std::optional(LocalSide{kTorrent, ours}) : std::nullopt;
  }
  void handle(core::Input input) override {
    if (auto* up = std::get_if<core::PeerConnected>(&input)) connected.push_back(*up);
    if (auto* closed_conn = std::get_if<core::PeerClosed>(&input))
      closed.push_back(closed_conn->conn);
    if (auto* sent = std::get_if<core::BlockSent>(&input)) blocks_sent.push_back(*sent);
    if (auto* message = std::get_if<core::PeerMessage>(&input)) {
      if (on_message) return on_message(*message);
      messages.push_back(message->message);
    }
  }
  bool keeps_up() override { return !behind; }

  Endpoint listen() {
    auto at = transport->listen(kAnyPort);
    REQUIRE(at.ok());
    return *at;
  }
  void dial(const Endpoint& to, std::uint64_t conn = 1) {
    transport->connect({kTorrent, core::ConnId(conn), to, ours});
  }
  core::ConnId conn(std::size_t i = 0) const { return connected.at(i).conn; }

  Loop& loop;
  core::Handshake ours;
  InfoHash other_hash{};
  BufferPool pool;
  bool behind = false;
  std::string log;
  std::vector<core::PeerConnected> connected;
  std::vector<core::ConnId> closed;
  std::vector<core::BlockSent> blocks_sent;
  std::vector<core::Message> messages;
  std::function<void(core::PeerMessage&)> on_message;
  std::unique_ptr<TcpTransport> transport;
};

struct Pair {
  explicit Pair(TransportLimits limits = {}, BufferLimits b_buffers = {})
      : a(loop, 1, limits), b(loop, 2, limits, b_buffers) {
    b.dial(a.listen());
    REQUIRE(wait([&] { return a.connected.size() == 1 && b.connected.size() == 1; }));
  }
  bool wait(const std::function<bool()>& done) { return loop.run_until(done, kDeadline); }

  Loop loop;
  Node a;
  Node b;
};

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

struct OpenRaw {
  explicit OpenRaw(Loop& loop, Node& node) : raw(loop, node.listen()) {
    raw.send(wire::encode_handshake(handshake(2)));
    REQUIRE(loop.run_until([&] { return node.connected.size() == 1; }, kDeadline));
  }
  RawPeer raw;
};

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

// Serves a sample torrent's blocks on request, and fetches it block by block.
struct Transfer {
  explicit Transfer(TransportLimits limits = {}, BufferLimits buffers = {})
      : torrent(sample_torrent(Versions::kHybrid)), pair(limits, buffers) {
    pair.a.on_message = [this](core::PeerMessage& m) {
      const core::BlockSpan span = std::get<core::Request>(m.message).span;
      const core::BlockIndex block = layout.block_at(span.piece, span.begin);
      const wire::Octets bytes = torrent.block(block);
      if (block.value() % 2 == 0) {
        return pair.a.transport->send_block(m.conn, span, std::vector(bytes.begin(), bytes.end()));
      }
      const core::BufferId id = pair.a.pool.copy(bytes);
      pair.a.transport->send_block(m.conn, span, pair.a.pool.share(id));
      pair.a.pool.release(id);  // the transport has its share
    };
    pair.b.on_message = [this](core::PeerMessage& m) { arrived(std::get<core::Piece>(m.message)); };
  }
  void request_all() {
    for (core::BlockIndex b(0); b.value() < layout.block_count(); ++b) {
      const core::BlockSpan span = layout.span_of(b);
      if (span.length > 0_B) {
        pair.b.transport->send(core::ConnId(1), core::Request{span});
        ++requested;
      }
    }
  }
  void arrived(const core::Piece& piece) {
    const core::BlockIndex block = layout.block_at(piece.span.piece, piece.span.begin);
    core::Verify action{kTorrent, {block, block + 1}, {piece.buffer}, sha256(torrent.block(block))};
    hasher.verify(hashes, action);
    pair.b.pool.release(piece.buffer);
  }

  SampleTorrent torrent;
  core::Layout layout{*torrent.info};
  std::shared_ptr<TorrentHashes> hashes = std::make_shared<TorrentHashes>(torrent.info);
  Pair pair;
  int requested = 0;
  int good = 0;
  int bad = 0;
  Hasher hasher{pair.loop,
                pair.b.pool,
                {[this](const core::Verified& v, Verdict) { ++(v.good ? good : bad); }, {}}};
};

TEST_CASE("many blocks travel unharmed, are reported sent, and are counted") {
  Transfer transfer;
  constexpr int kRounds = 50;
  for (int i = 0; i < kRounds; ++i) {
    transfer.request_all();
    REQUIRE(transfer.pair.wait([&] { return transfer.good + transfer.bad == transfer.requested; }));
  }
  CHECK(transfer.bad == 0);
  Pair& pair = transfer.pair;
  REQUIRE(pair.wait([&] { return std::ssize(pair.a.blocks_sent) == transfer.requested; }));
  CHECK(std::ranges::all_of(pair.a.blocks_sent, [](const core::BlockSent& s) { return s.sent; }));
  const Bytes payload = (64_KiB * 2 + 20_KiB + 17_KiB) * kRounds;
  CHECK(pair.b.transport->stats(core::ConnId(1))->payload_in == payload);
  CHECK(pair.a.transport->totals().payload_out == payload);
  CHECK(pair.b.transport->totals().overhead_in == 68_B + 13_B * transfer.requested);
  CHECK(pair.wait([&] { return pair.a.pool.in_use() == 0 && pair.b.pool.in_use() == 0; }));
}

TEST_CASE("limited upload and download still move every byte, control messages first") {
  Transfer transfer;
  transfer.pair.a.transport->set_upload_rate(40_Mbps);
  transfer.pair.b.transport->set_download_rate(30_Mbps);
  for (int i = 0; i < 5; ++i) transfer.request_all();
  REQUIRE(transfer.pair.wait([&] { return transfer.good == transfer.requested; }));
  CHECK(transfer.bad == 0);
}

TEST_CASE("messages overtake blocks that wait for the limit, choke does not") {
  Pair pair;
  pair.a.transport->set_upload_rate(BitRate());  // the burst of 64 KiB, then nothing
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  for (int i = 0; i < 6; ++i) {
    pair.a.transport->send_block(pair.a.conn(), span, std::vector<std::uint8_t>(16384));
  }
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 4; }));
  pair.a.transport->send(pair.a.conn(), core::Choke{});
  pair.a.transport->send(pair.a.conn(), core::Have{core::PieceIndex(5)});
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 5; }));
  CHECK(std::holds_alternative<core::Have>(pair.b.messages[4]));
  CHECK(pair.a.blocks_sent.size() == 4);
  pair.a.transport->set_upload_rate(kUnlimited);
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 8; }));
  CHECK(std::holds_alternative<core::Choke>(pair.b.messages[7]));
}

TEST_CASE("a peer that does not read gets no more blocks, then loses the connection") {
  Loop loop;
  Node a(loop, 1, {.max_waiting_messages = 64_KiB, .max_waiting_payload = 64_KiB});
  OpenRaw open(loop, a);
  open.raw.stop_reading();
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  const auto refused = [&] {
    return std::ranges::any_of(a.blocks_sent, [](const core::BlockSent& s) { return !s.sent; });
  };
  const auto push = [&] {
    for (int i = 0; i < 8; ++i) {  // more than may wait, so that each turn writes or refuses
      a.transport->send_block(a.conn(), span, std::vector<std::uint8_t>(16384));
    }
    return refused();
  };
  REQUIRE(loop.run_until(push, kDeadline));
  CHECK(a.closed.empty());
  for (int i = 0; i < 10'000; ++i) {
    a.transport->send(a.conn(), core::Have{core::PieceIndex(1)});
  }
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.log.find("does not read") != std::string::npos);
}

TEST_CASE("a short pool holds reading back until buffers are free, and loses nothing") {
  Pair pair({}, {.max_buffers = 330, .max_idle = 10});
  std::vector<core::BufferId> held;
  pair.b.on_message = [&](core::PeerMessage& m) {
    held.push_back(std::get<core::Piece>(m.message).buffer);
  };
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  for (int i = 0; i < 100; ++i) {
    pair.a.transport->send_block(pair.a.conn(), span, std::vector<std::uint8_t>(16384));
  }
  std::size_t seen = 0;
  while (seen < 100) {
    REQUIRE(pair.wait([&] { return held.size() > 10 || seen + held.size() == 100; }));
    CHECK(pair.b.pool.in_use() <= 12);
    seen += held.size();
    for (const core::BufferId id : std::exchange(held, {})) pair.b.pool.release(id);
  }
  CHECK(seen == 100);
}

TEST_CASE("a transport may go while connections are open, opening and sending") {
  Transfer transfer;
  transfer.request_all();
  Node& b = transfer.pair.b;
  REQUIRE(transfer.pair.wait([&] { return transfer.good > 0; }));
  b.dial(Endpoint::v4(127, 0, 0, 1, 1), 77);
  b.transport.reset();
  REQUIRE(transfer.pair.wait([&] { return transfer.pair.a.closed.size() == 1; }));
  CHECK(b.closed.empty());
}

}  // namespace
}  // namespace tributary::net
