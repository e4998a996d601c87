#include <doctest/doctest.h>

#include "engine/net/peer_transport.h"
#include "engine/net/stream_crypto.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/engine/net/transport_rig.h"

namespace tributary::net {
namespace {

using core::Encryption;
using core::EncryptionMode;
using Node = TransportNode;

// A dials B, each in its mode.
struct Modes {
  Modes(EncryptionMode dialler, EncryptionMode listener) : a(loop, 1), b(loop, 2) {
    a.transport->set_encryption(dialler);
    b.transport->set_encryption(listener);
    a.dial(b.listen());
    REQUIRE(loop.run_until([&] { return settled(); }, kDeadline));
  }
  bool settled() const {
    return !a.closed.empty() || (a.connected.size() == 1 && b.connected.size() == 1);
  }
  // What both sides say of the connection; nothing where there is none.
  std::optional<Encryption> outcome() const {
    if (a.connected.empty()) return std::nullopt;
    CHECK(a.connected[0].encryption == b.connected[0].encryption);
    return b.connected[0].encryption;
  }

  Loop loop;
  Node a;
  Node b;
};

TEST_CASE("who meets whom, and how much of it is encrypted") {
  struct Row {
    EncryptionMode dialler;
    EncryptionMode listener;
    std::optional<Encryption> outcome;
  };
  using enum EncryptionMode;
  for (const Row& row :
       {Row{kOff, kOff, Encryption::kNone}, Row{kOff, kAllowed, Encryption::kNone},
        Row{kOff, kRequired, {}}, Row{kAllowed, kOff, Encryption::kNone},
        Row{kAllowed, kAllowed, Encryption::kNone}, Row{kAllowed, kRequired, Encryption::kStream},
        Row{kRequired, kOff, {}}, Row{kRequired, kAllowed, Encryption::kStream},
        Row{kRequired, kRequired, Encryption::kStream}}) {
    INFO(to_string(row.dialler) << " dials " << to_string(row.listener));
    const Modes modes(row.dialler, row.listener);
    CHECK(modes.outcome() == row.outcome);
  }
}

TEST_CASE("messages and blocks cross an encrypted connection in both directions") {
  Modes modes(EncryptionMode::kRequired, EncryptionMode::kAllowed);
  REQUIRE(modes.outcome() == Encryption::kStream);
  constexpr std::int32_t kBlocks = 40;
  for (Node* from : {&modes.a, &modes.b}) {
    from->transport->send(from->conn(), core::Interested{});
    for (std::int32_t i = 0; i < kBlocks; ++i) {
      const core::BlockSpan span{core::PieceIndex(i), 0_B, 16_KiB};
      from->transport->send_block(from->conn(), span,
                                  std::vector<std::uint8_t>(16384, static_cast<std::uint8_t>(i)));
    }
  }
  const auto complete = [&](const Node& node) { return node.messages.size() == kBlocks + 1; };
  REQUIRE(modes.loop.run_until([&] { return complete(modes.a) && complete(modes.b); }, kDeadline));
  for (Node* to : {&modes.a, &modes.b}) {
    CHECK(std::holds_alternative<core::Interested>(to->messages[0]));
    for (std::int32_t i = 0; i < kBlocks; ++i) {
      const auto& piece = std::get<core::Piece>(to->messages[static_cast<std::size_t>(i) + 1]);
      const auto bytes = to->pool.data(piece.buffer);
      CHECK(std::ranges::all_of(bytes, [&](std::uint8_t byte) { return byte == i; }));
      to->pool.release(piece.buffer);
    }
    CHECK(to->transport->totals().payload_in == 16_KiB * kBlocks);
    CHECK(to->transport->totals().payload_out == 16_KiB * kBlocks);
  }
}

// The dialling side of an exchange in RC4, spoken over a raw connection.
struct EncryptedStranger {
  EncryptedStranger(Loop& l, const Endpoint& to, const InfoHash& torrent, wire::MseMethods offered,
                    wire::Octets initial)
      : loop(l), raw(l, to), exchange(kMseCrypto, mse_secrets(), offered, torrent, initial) {
    wire::OctetBuffer first;
    exchange.begin(first);
    raw.send(first);
  }
  // Until the exchange is done; false when the other side hung up.
  bool finish() {
    const auto moved = [this] {
      wire::OctetBuffer reply;
      const auto fresh = wire::Octets(raw.received()).subspan(read);
      read = raw.received().size();
      REQUIRE(exchange.feed(fresh, reply).ok());
      if (!reply.empty()) raw.send(reply);
      return exchange.done() || raw.closed();
    };
    REQUIRE(loop.run_until(moved, kDeadline));
    return exchange.done();
  }

  Loop& loop;
  RawPeer raw;
  wire::MseInitiator exchange;
  std::size_t read = 0;
};

TEST_CASE("the handshake may come behind the exchange instead of within it") {
  Loop loop;
  Node a(loop, 1);
  EncryptedStranger b(loop, a.listen(), a.ours.info_hash, {.plain = false, .rc4 = true}, {});
  REQUIRE(b.finish());
  const wire::MseOutcome outcome = b.exchange.take();
  CHECK(a.connected.empty());
  auto bytes = wire::encode_handshake(handshake(2));
  outcome.out->apply(bytes, bytes);
  b.raw.send(bytes);
  REQUIRE(loop.run_until([&] { return a.connected.size() == 1; }, kDeadline));
  CHECK(a.connected[0].encryption == Encryption::kStream);
}

TEST_CASE("a stream that goes on in the clear has a handshake that was encrypted") {
  Loop loop;
  Node a(loop, 1);
  const auto ours = wire::encode_handshake(handshake(2));
  EncryptedStranger b(loop, a.listen(), a.ours.info_hash, {.plain = true, .rc4 = true}, ours);
  REQUIRE(b.finish());
  CHECK_FALSE(b.exchange.take().encrypted());
  REQUIRE(a.connected.size() == 1);
  CHECK(a.connected[0].encryption == Encryption::kHandshake);
  b.raw.send({0, 0, 0, 1, 2});  // interested
  REQUIRE(loop.run_until([&] { return a.messages.size() == 1; }, kDeadline));
}

TEST_CASE("a stranger who knows no torrent of ours is dropped in the exchange") {
  Loop loop;
  Node a(loop, 1);
  EncryptedStranger b(loop, a.listen(), handshake(2, 99).info_hash, {.plain = true, .rc4 = true},
                      {});
  CHECK_FALSE(b.finish());
  CHECK(a.log.find("torrent that is not here") != std::string::npos);
}

TEST_CASE("an offer of plain streams alone is refused where encryption is required") {
  Loop loop;
  Node a(loop, 1);
  a.transport->set_encryption(EncryptionMode::kRequired);
  EncryptedStranger b(loop, a.listen(), a.ours.info_hash, {.plain = true, .rc4 = false}, {});
  CHECK_FALSE(b.finish());
  CHECK(a.log.find("no encryption that is allowed") != std::string::npos);
}

TEST_CASE("a key that begins as a plain handshake does is waited for") {
  // The first byte of one key in 256.
  for (const EncryptionMode mode : {EncryptionMode::kAllowed, EncryptionMode::kRequired}) {
    Loop loop;
    Node a(loop, 1);
    a.transport->set_encryption(mode);
    RawPeer raw(loop, a.listen());
    raw.send({0x13, 'B'});
    REQUIRE(loop.run_until([&] { return a.transport->totals().overhead_in == 2_B; }, kDeadline));
    raw.send(wire::OctetBuffer(94, 0x55));
    REQUIRE(loop.run_until([&] { return raw.received().size() >= 96; }, kDeadline));
    CHECK_FALSE(raw.closed());
  }
}

TEST_CASE("a stranger's noise ends after a bounded number of octets") {
  Loop loop;
  Node a(loop, 1);
  RawPeer raw(loop, a.listen());
  raw.send(wire::OctetBuffer(2000, 0x55));
  REQUIRE(loop.run_until([&] { return raw.closed(); }, kDeadline));
  CHECK(a.log.find("padding has no end") != std::string::npos);
}

TEST_CASE("an exchange that does not go on is ended by the limit for handshakes") {
  Loop loop;
  Node a(loop, 1, {.handshake_timeout = 20ms});
  RawPeer raw(loop, a.listen());
  raw.send(wire::OctetBuffer(96, 0x55));
  REQUIRE(loop.run_until([&] { return raw.closed(); }, kDeadline));
  CHECK(a.log.find("no handshake in time") != std::string::npos);
}

TEST_CASE("a dial that was called off is not made again encrypted") {
  Loop loop;
  Node a(loop, 1);
  RawListener silent(loop);
  a.dial(silent.endpoint());
  REQUIRE(loop.run_until([&] { return silent.peers() == 1; }, kDeadline));
  a.transport->disconnect(core::ConnId(1), "changed my mind");
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(silent.peers() == 1);
  CHECK(a.transport->connection_count() == 0);
}

}  // namespace
}  // namespace tributary::net
