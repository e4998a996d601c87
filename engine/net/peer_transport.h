// Peer connections over TCP and uTP: listening, dialling, handshakes (BEP 3), messages and blocks,
// limits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/core/encryption.h"
#include "engine/core/events.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/link_pacer.h"
#include "engine/net/loop.h"
#include "engine/net/payload.h"
#include "engine/net/peer_link.h"
#include "engine/net/stream_maker.h"

namespace tributary::net {

struct TransportLimits {
  // In all directions and states. A node plays a few tracks; libtorrent's default is 200 too.
  std::int32_t max_connections = 200;
  // Dials under way; more wait for their turn. Home routers suffer beyond this.
  std::int32_t max_half_open = 50;
  // Dials waiting for their turn; more are answered with PeerClosed.
  std::int32_t max_waiting_dials = 1000;
  // Incoming connections that have not named a torrent yet: what a stranger can hold open.
  std::int32_t max_unhandshaked = 50;
  Duration connect_timeout = 10s;
  Duration handshake_timeout = 10s;
  // Without a message from the peer (BEP 3: keep-alives come every two minutes). The core sends
  // ours.
  Duration idle_timeout = 120s;
  // Encoded messages waiting for one peer that does not read: several bitfields of the largest
  // size.
  Bytes max_waiting_messages = 1_MiB;
  // Payload waiting for one peer; the core hands out at most four requests of 128 KiB at a time.
  Bytes max_waiting_payload = 2_MiB;
  // Read from one connection at a time while the download is limited, before it is another's turn.
  Bytes limited_read = 16_KiB;
};

// Our side of a torrent's connections.
struct LocalSide {
  core::TorrentId torrent;
  core::Handshake handshake;
};

// Called on the loop thread, never from within a call of the transport's; may call it in turn, but
// not destroy it.
class TransportHost {
 public:
  virtual ~TransportHost() = default;
  // The torrent that an incoming handshake names, by v1 hash or cut v2 hash; nothing to refuse it.
  virtual std::optional<LocalSide> find_torrent(const core::Handshake& remote) = 0;
  // All info-hashes for which find_torrent() answers: who comes in encrypted knows one of them.
  virtual std::vector<InfoHash> info_hashes() { return {}; }
  // PeerConnected, PeerMessage, BlockSent or PeerClosed. The payload of a core::Piece is in the
  // pool under its id, and the host's from now on.
  virtual void handle(core::Input input) = 0;
  // False while what was received waits for hash or disk in such amounts that no more should come:
  // then connections are not read from, which slows their peers down. Asked before each block, and
  // again every few milliseconds until it holds.
  virtual bool keeps_up() { return true; }
};

// Loop thread only. Must be destroyed before the loop, the pool and the host; no calls follow.
//
// What it tracks: links by ConnId; those with something to send, which it flushes once per turn of
// the loop; those with blocks to upload and those waiting to read, which take turns under the
// limits. Each Connect is answered by PeerConnected and later PeerClosed, or by PeerClosed alone.
class PeerTransport {
 public:
  // `log` may be empty; gets a line for each connection that fails or ends.
  PeerTransport(Loop& loop, BufferPool& pool, TransportHost& host, LogSink log = {},
                TransportLimits limits = {}, Carriers carriers = Carriers::kBoth);
  ~PeerTransport();
  PeerTransport(const PeerTransport&) = delete;
  PeerTransport& operator=(const PeerTransport&) = delete;

  // Accepts connections on this address; returns it with the port that the system chose for 0. Call
  // it once for IPv4 and once for IPv6. uTP has the UDP port of the same number; where that is
  // taken and TCP is allowed, TCP alone is listened for, and the log says so.
  Result<Endpoint> listen(const Endpoint& at);
  // Of the first listen(), for the DHT to share; null where there is none.
  std::shared_ptr<UdpPort> udp_port() const;

  // For connections from now on; kAllowed at first.
  void set_encryption(core::EncryptionMode mode);
  void connect(const core::Connect& action);
  // These four ignore connections that are unknown, not open yet, or about to close.
  void send(core::ConnId conn, const core::Message& message);
  // BlockSent follows once the bytes are handed to the system; with sent = false, and nothing sent,
  // when too much waits for this peer. REQUIRES: payload.bytes().size() == span.length.
  void send_block(core::ConnId conn, const core::BlockSpan& span, Payload payload);
  void disconnect(core::ConnId conn, const std::string& reason);
  // Closes all connections of a torrent that is no longer served.
  void disconnect_all(core::TorrentId torrent, const std::string& reason);

  // The limits on payload out and on all bytes in; lives as long as the transport.
  LinkPacer& pacer();

  // Nothing when the connection is gone.
  std::optional<LinkStats> stats(core::ConnId conn) const;
  // Over all connections, past ones included.
  LinkStats totals() const;
  // Connections in all states, waiting dials not counted.
  std::int32_t connection_count() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::net
