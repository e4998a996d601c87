// Transports that talk by uTP, or choose.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/net/address.h"
#include "engine/net/datagram_socket.h"
#include "engine/net/peer_listener.h"
#include "engine/net/peer_transport.h"
#include "engine/net/tcp_stream.h"
#include "engine/wire/utp_packet.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/engine/net/transport_rig.h"

namespace tributary::net {
namespace {

using Node = TransportNode;

struct UtpPair : TransportPair {
  explicit UtpPair(TransportLimits limits = {}) : TransportPair(limits, {}, Carriers::kUtp) {}
};

void dial(Node& node, const Endpoint& to, bool gives_way, std::uint64_t conn = 1) {
  node.transport->connect({kTorrent, core::ConnId(conn), to, node.ours, gives_way});
}

bool connected(Node& a, Node& b) {
  return a.loop.run_until([&] { return a.connected.size() == 1 && b.connected.size() == 1; },
                          kDeadline);
}

// A UDP socket that talks badly.
struct RawUdp {
  explicit RawUdp(Loop& loop) {
    auto bound = DatagramSocket::bind(loop, kAnyPort, [this](wire::Octets d, const Endpoint&) {
      const auto packet = wire::decode_utp(d);
      REQUIRE(packet.ok());
      received.push_back(packet->header);
    });
    REQUIRE(bound.ok());
    socket = std::move(*bound);
  }
  void send(wire::UtpType type, std::uint16_t id, const Endpoint& to, std::uint16_t ack = 0) {
    wire::UtpHeader header;
    header.type = type;
    header.connection = wire::UtpConnectionId(id);
    header.timestamp = 1;
    header.seq = wire::UtpSeq(9);
    header.ack = wire::UtpSeq(ack);
    socket->send_to(wire::encode_utp(header), to);
  }
  std::unique_ptr<DatagramSocket> socket;
  std::vector<wire::UtpHeader> received;
};

TEST_CASE("messages go over uTP in order, and both sides know that they do") {
  UtpPair pair;
  CHECK(pair.a.connected[0].utp);
  CHECK(pair.b.connected[0].utp);
  CHECK(pair.a.connected[0].inbound);
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) {
    pair.a.transport->send(pair.a.conn(), core::Have{core::PieceIndex(i)});
  }
  pair.b.transport->send(pair.b.conn(), core::Interested{});
  REQUIRE(pair.wait(
      [&] { return std::ssize(pair.b.messages) == kCount && pair.a.messages.size() == 1; }));
  for (int i = 0; i < kCount; ++i) {
    CHECK(pair.b.messages[static_cast<std::size_t>(i)] ==
          core::Message(core::Have{core::PieceIndex(i)}));
  }
}

TEST_CASE("blocks go over uTP whole, and each is reported as sent") {
  UtpPair pair;
  constexpr std::int32_t kCount = 200;
  std::int32_t sent = 0;
  std::int32_t came = 0;
  pair.b.on_message = [&](core::PeerMessage& message) {
    const auto* piece = std::get_if<core::Piece>(&message.message);
    REQUIRE(piece != nullptr);
    const auto bytes = pair.b.pool.data(piece->buffer);
    CHECK(bytes.front() == static_cast<std::uint8_t>(came));
    CHECK(bytes.back() == static_cast<std::uint8_t>(came));
    pair.b.pool.release(piece->buffer);
    ++came;
  };
  const auto send_next = [&] {
    const std::vector<std::uint8_t> payload(16384, static_cast<std::uint8_t>(sent));
    pair.a.transport->send_block(pair.a.conn(), {core::PieceIndex(sent), 0_B, 16_KiB}, payload);
    ++sent;
  };
  for (int i = 0; i < 20; ++i) send_next();
  REQUIRE(pair.wait([&] {
    while (sent < kCount && sent < std::ssize(pair.a.blocks_sent) + 20) send_next();
    return came == kCount;
  }));
  CHECK(std::ssize(pair.a.blocks_sent) == kCount);
  CHECK(pair.b.transport->totals().payload_in == 16_KiB * kCount);
}

TEST_CASE("a download limit holds uTP back as well") {
  UtpPair pair;
  pair.b.transport->pacer().set_download_rate(8_Mbps);
  pair.b.on_message = [&](core::PeerMessage& message) {
    pair.b.pool.release(std::get<core::Piece>(message.message).buffer);
  };
  const TimePoint start = pair.loop.now();
  constexpr int kCount = 60;  // 0.98 s' worth, less a burst of 64 KiB
  for (int i = 0; i < kCount; ++i) {
    pair.a.transport->send_block(pair.a.conn(), {core::PieceIndex(i), 0_B, 16_KiB},
                                 std::vector<std::uint8_t>(16384));
  }
  REQUIRE(pair.wait([&] { return pair.b.transport->totals().payload_in == 16_KiB * kCount; }));
  CHECK(pair.loop.now() - start > 850ms);
}

TEST_CASE("a hole is punched from where uTP is listened for, though nobody answers at first") {
  Loop loop;
  Node node(loop, 1, {}, {}, Carriers::kBoth);
  const Endpoint listening = node.listen();
  std::vector<std::pair<wire::UtpType, Endpoint>> came;
  auto bound = DatagramSocket::bind(loop, kAnyPort, [&](wire::Octets d, const Endpoint& from) {
    came.emplace_back(wire::decode_utp(d)->header.type, from);
  });
  REQUIRE(bound.ok());
  node.transport->connect({.torrent = kTorrent,
                           .conn = core::ConnId(1),
                           .remote = (*bound)->address(),
                           .handshake = node.ours,
                           .punches = true});
  // Twice: the first may come before the other router lets it in.
  REQUIRE(loop.run_until([&] { return came.size() == 2; }, kDeadline));
  for (const auto& [type, from] : came) {
    CHECK(type == wire::UtpType::kSyn);
    CHECK(from == listening);
  }
  REQUIRE(loop.run_until([&] { return node.closed.size() == 1; }, kDeadline));
}

TEST_CASE("a hole is punched on though the network says at first that nobody is there") {
  Loop loop;
  Node node(loop, 1, {}, {}, Carriers::kBoth);
  node.listen();
  Node other(loop, 2, {}, {}, Carriers::kUtp);
  const Endpoint silent = other.listen();
  other.transport.reset();
  node.transport->connect({.torrent = kTorrent,
                           .conn = core::ConnId(1),
                           .remote = silent,
                           .handshake = node.ours,
                           .punches = true});
  const TimePoint start = loop.now();
  REQUIRE(loop.run_until([&] { return node.closed.size() == 1; }, kDeadline));
  CHECK(loop.now() - start > 2s);  // a second SYN, a second later, was waited for
}

TEST_CASE("a hole is punched where both dial at once, and both connections come about") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kBoth);
  Node b(loop, 2, {}, {}, Carriers::kBoth);
  const Endpoint at_a = a.listen();
  const Endpoint at_b = b.listen();
  const auto punch = [](Node& node, const Endpoint& to) {
    node.transport->connect({.torrent = kTorrent,
                             .conn = core::ConnId(1),
                             .remote = to,
                             .handshake = node.ours,
                             .punches = true});
  };
  punch(a, at_b);
  punch(b, at_a);
  REQUIRE(loop.run_until([&] { return a.connected.size() == 2 && b.connected.size() == 2; },
                         kDeadline));
  for (const Node* node : {&a, &b}) {
    for (const core::PeerConnected& each : node->connected) CHECK(each.utp);
  }
}

TEST_CASE("who is said to speak uTP gets longer to answer by it before TCP is tried") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kTcp);
  Node b(loop, 2, {}, {}, Carriers::kBoth);
  const Endpoint at = a.listen();
  int syns = 0;
  auto deaf = DatagramSocket::bind(loop, at, [&](wire::Octets, const Endpoint&) { ++syns; });
  REQUIRE(deaf.ok());
  b.transport->connect({.torrent = kTorrent,
                        .conn = core::ConnId(1),
                        .remote = at,
                        .handshake = b.ours,
                        .gives_way = true,
                        .hints = {.utp = true}});
  REQUIRE(connected(a, b));
  CHECK_FALSE(b.connected[0].utp);
  CHECK(syns == 2);  // a repeated one was waited for
}

TEST_CASE("who is said to prefer encryption is dialled with it, if that is allowed") {
  for (const auto mode : {core::EncryptionMode::kAllowed, core::EncryptionMode::kOff}) {
    Loop loop;
    Node a(loop, 1);
    Node b(loop, 2);
    a.transport->set_encryption(mode);
    b.transport->set_encryption(mode);
    b.transport->connect({.torrent = kTorrent,
                          .conn = core::ConnId(1),
                          .remote = a.listen(),
                          .handshake = b.ours,
                          .hints = {.prefers_encryption = true}});
    REQUIRE(connected(a, b));
    const bool plain = a.connected[0].encryption == core::Encryption::kNone;
    CHECK(plain == (mode == core::EncryptionMode::kOff));
  }
}

TEST_CASE("a disconnect is told over uTP") {
  UtpPair pair;
  pair.a.transport->send(pair.a.conn(), core::Interested{});
  pair.a.transport->disconnect(pair.a.conn(), "test is over");
  CHECK(pair.a.closed.empty());
  REQUIRE(pair.wait([&] { return !pair.a.closed.empty() && !pair.b.closed.empty(); }));
  CHECK(pair.b.log.find("closed by the peer") != std::string::npos);
}

TEST_CASE("a transport that goes tells its uTP peers") {
  UtpPair pair;
  pair.a.transport.reset();
  REQUIRE(pair.wait([&] { return !pair.b.closed.empty(); }));
  CHECK(pair.b.log.find("reset by the peer") != std::string::npos);
}

TEST_CASE("who waits for blocks dials by TCP, who does not by uTP") {
  for (const bool gives_way : {false, true}) {
    Loop loop;
    Node a(loop, 1, {}, {}, Carriers::kBoth);
    Node b(loop, 2, {}, {}, Carriers::kBoth);
    dial(b, a.listen(), gives_way);
    REQUIRE(connected(a, b));
    CHECK(a.connected[0].utp == gives_way);
    CHECK(b.connected[0].utp == gives_way);
  }
}

TEST_CASE("where the first way is closed the other is taken, whichever it is") {
  for (const bool gives_way : {false, true}) {
    Loop loop;
    Node a(loop, 1, {}, {}, gives_way ? Carriers::kTcp : Carriers::kUtp);
    Node b(loop, 2, {}, {}, Carriers::kBoth);
    dial(b, a.listen(), gives_way);
    REQUIRE(connected(a, b));
    CHECK(b.connected[0].utp == !gives_way);
    CHECK(b.transport->connection_count() == 1);
  }
}

TEST_CASE("a way that does not answer costs the head start, and the next time nothing") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kTcp);
  Node b(loop, 2, {}, {}, Carriers::kBoth);
  const Endpoint at = a.listen();
  auto deaf = DatagramSocket::bind(loop, at, [](wire::Octets, const Endpoint&) {});
  REQUIRE(deaf.ok());
  const TimePoint start = loop.now();
  dial(b, at, true, 1);
  REQUIRE(connected(a, b));
  CHECK(loop.now() - start >= StreamMaker::kHeadStart);
  dial(b, at, true, 2);
  REQUIRE(loop.run_until([&] { return b.connected.size() == 2; }, kDeadline));
  // By TCP at once: nothing was dialled by uTP beside it.
  CHECK_FALSE(b.connected[1].utp);
  CHECK(b.transport->connection_count() == 2);
}

TEST_CASE("where TCP connects and says nothing uTP is dialled the next time") {
  Loop loop;
  const TransportLimits hasty{.handshake_timeout = 50ms};
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  Node b(loop, 2, hasty, {}, Carriers::kBoth);
  const Endpoint at = a.listen();
  PeerListener mute(loop);
  std::vector<std::unique_ptr<TcpStream>> held;
  REQUIRE(
      mute.listen(at,
                  [&](uv_stream_t* uv) { held.push_back(std::make_unique<TcpStream>(loop, uv)); })
          .ok());
  dial(b, at, false, 1);
  REQUIRE(loop.run_until([&] { return b.closed.size() == 1; }, kDeadline));
  CHECK(a.connected.empty());
  dial(b, at, false, 2);
  REQUIRE(connected(a, b));
  CHECK(b.connected[0].utp);
  struct Ignored final : StreamOwner {
    void on_stream_connected() override {}
    std::span<std::uint8_t> stream_space() override { return {}; }
    void on_stream_bytes(std::span<std::uint8_t>) override {}
    void on_stream_written() override {}
    void on_stream_failed(const std::string&) override {}
    void on_stream_closed() override { ++closed; }
    std::size_t closed = 0;
  } owner;
  for (const auto& stream : held) {
    stream->set_owner(owner);
    stream->close();
  }
  REQUIRE(loop.run_until([&] { return owner.closed == held.size(); }, kDeadline));
}

TEST_CASE("a dial that succeeds neither way is answered by PeerClosed alone, once") {
  Loop loop;
  Node a(loop, 1);
  Node b(loop, 2, {}, {}, Carriers::kBoth);
  const Endpoint nobody = a.listen();
  a.transport.reset();
  const TimePoint start = loop.now();
  dial(b, nobody, false);
  REQUIRE(loop.run_until([&] { return b.closed.size() == 1; }, kDeadline));
  CHECK(b.connected.empty());
  CHECK(b.transport->connection_count() == 0);
  // The network says by ICMP that nobody is there; two SYNs would take 3 s.
  CHECK(loop.now() - start < 2s);
}

TEST_CASE("a connection to oneself over uTP is refused") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  a.dial(a.listen());
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.connected.empty());
  CHECK(a.log.find("ourselves") != std::string::npos);
}

TEST_CASE("SYNs alone make no connection, and each is answered once") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  const Endpoint at = a.listen();
  RawUdp raw(loop);
  for (std::uint16_t id = 100; id < 130; ++id) raw.send(wire::UtpType::kSyn, id, at);
  REQUIRE(loop.run_until([&] { return raw.received.size() >= 30; }, kDeadline));
  CHECK(a.transport->connection_count() == 0);
  for (const wire::UtpHeader& header : raw.received) {
    CHECK(header.type == wire::UtpType::kState);
    CHECK(header.ack == wire::UtpSeq(9));
  }
  // One that proves itself is a connection.
  const wire::UtpHeader answer = raw.received.front();
  raw.send(wire::UtpType::kState, static_cast<std::uint16_t>(answer.connection.value() + 1), at,
           static_cast<std::uint16_t>(answer.seq.value() - 1));
  REQUIRE(loop.run_until([&] { return a.transport->connection_count() == 1; }, kDeadline));
}

TEST_CASE("packets of no connection are answered by a reset, resets by nothing") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  const Endpoint at = a.listen();
  RawUdp raw(loop);
  raw.send(wire::UtpType::kReset, 77, at);
  raw.socket->send_to(wire::OctetBuffer{1, 2, 3}, at);
  raw.send(wire::UtpType::kData, 78, at);
  REQUIRE(loop.run_until([&] { return !raw.received.empty(); }, kDeadline));
  CHECK(raw.received.size() == 1);
  CHECK(raw.received[0].type == wire::UtpType::kReset);
  CHECK(raw.received[0].connection == wire::UtpConnectionId(78));
  CHECK(raw.received[0].ack == wire::UtpSeq(9));
}

TEST_CASE("a UDP port that is taken leaves TCP, with a warning, and is an error for uTP alone") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  const Endpoint taken = a.listen();
  Node b(loop, 2, {}, {}, Carriers::kBoth);
  const auto bound = b.transport->listen(taken);
  REQUIRE(bound.ok());
  CHECK(*bound == taken);
  CHECK(b.transport->udp_port() == nullptr);
  CHECK(b.log.find("no uTP connections come in") != std::string::npos);
  Node c(loop, 3, {}, {}, Carriers::kUtp);
  CHECK_FALSE(c.transport->listen(taken).ok());
}

TEST_CASE("many connections over one port keep apart") {
  Loop loop;
  Node a(loop, 1, {}, {}, Carriers::kUtp);
  Node b(loop, 2, {}, {}, Carriers::kUtp);
  const Endpoint at = a.listen();
  for (std::uint64_t i = 1; i <= 10; ++i) b.dial(at, i);
  REQUIRE(loop.run_until([&] { return a.connected.size() == 10 && b.connected.size() == 10; },
                         kDeadline));
  for (int i = 1; i <= 10; ++i) {
    b.transport->send(core::ConnId(static_cast<std::uint64_t>(i)), core::Have{core::PieceIndex(i)});
  }
  REQUIRE(loop.run_until([&] { return a.messages.size() == 10; }, kDeadline));
  b.transport->disconnect(core::ConnId(3), "enough");
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.transport->connection_count() == 9);
}

}  // namespace
}  // namespace tributary::net
