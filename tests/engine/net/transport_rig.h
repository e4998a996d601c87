// Two transports on one loop, each with what it was told.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/net/peer_transport.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/support/any_port.h"

namespace tributary::net {

inline constexpr Duration kDeadline = 30s;
inline constexpr core::TorrentId kTorrent(1);

inline core::Handshake handshake(std::uint8_t peer, std::uint8_t hash = 7) {
  core::Handshake h;
  h.info_hash.bytes.fill(hash);
  h.peer_id.bytes.fill(peer);
  h.fast = h.extended = true;
  return h;
}

// A node's worth of transport that remembers what it is told.
struct TransportNode final : TransportHost {
  TransportNode(Loop& l, std::uint8_t id, TransportLimits limits = {}, BufferLimits buffers = {},
                Carriers carriers = Carriers::kTcp)
      : loop(l), ours(handshake(id)), pool(buffers) {
    const auto sink = [this](LogLevel, std::string_view line) { log += std::string(line) + "\n"; };
    transport = std::make_unique<PeerTransport>(loop, pool, *this, sink, limits, carriers);
  }

  std::optional<LocalSide> find_torrent(const core::Handshake& remote) override {
    const InfoHash& hash = remote.info_hash;
    const bool known = hash == ours.info_hash || hash == other_hash;
    return known ? std::optional(LocalSide{kTorrent, ours}) : std::nullopt;
  }
  std::vector<InfoHash> info_hashes() override { return {ours.info_hash, other_hash}; }
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
  std::unique_ptr<PeerTransport> transport;
};

struct TransportPair {
  explicit TransportPair(TransportLimits limits = {}, BufferLimits b_buffers = {},
                         Carriers carriers = Carriers::kTcp)
      : a(loop, 1, limits, {}, carriers), b(loop, 2, limits, b_buffers, carriers) {
    b.dial(a.listen());
    REQUIRE(wait([&] { return a.connected.size() == 1 && b.connected.size() == 1; }));
  }
  bool wait(const std::function<bool()>& done) { return loop.run_until(done, kDeadline); }

  Loop loop;
  TransportNode a;
  TransportNode b;
};

// A peer that speaks bytes, past its handshake.
struct OpenRaw {
  explicit OpenRaw(Loop& loop, TransportNode& node) : raw(loop, node.listen()) {
    raw.send(wire::encode_handshake(handshake(2)));
    REQUIRE(loop.run_until([&] { return node.connected.size() == 1; }, kDeadline));
  }
  RawPeer raw;
};

}  // namespace tributary::net
