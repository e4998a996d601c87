// The node's whole contact with the world: inputs that a host feeds in and actions that it carries
// out. The real client and the simulator speak exactly this.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/core/byte_time_map.h"
#include "engine/core/cdn_reason.h"
#include "engine/core/dial_hints.h"
#include "engine/core/encryption.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/core/peer_source.h"
#include "engine/core/trace.h"

namespace tributary::core {

// The piece layer of one file: `count` hashes of the layer `base`, of a tree whose root is at layer
// `height` (0 = leaves). base < height.
struct LayerSpan {
  Sha256 pieces_root;
  std::uint32_t base = 0;
  std::uint32_t height = 0;
  std::uint32_t count = 0;
  friend bool operator==(const LayerSpan&, const LayerSpan&) = default;
};
// How a fetch of metadata ended. kNobody: no peer was found or could be reached. kNoMetadata: peers
// were there, but none had the dictionary or gave all of it. kNoLayers: a v2 torrent whose piece
// layers nobody gave.
enum class FetchEnd : std::uint8_t { kDone, kNobody, kNoMetadata, kNoLayers };

// ---------------------------------------------------------------------------------------------
// Inputs: what happened.

// A connection is up and both handshakes are exchanged and match. For an outgoing one `conn` is the
// id of the Connect action; the host gives incoming ones ids with the top bit set.
struct PeerConnected {
  TorrentId torrent;
  ConnId conn;
  Endpoint remote;
  bool inbound = false;
  Handshake handshake;  // the remote's
  Encryption encryption = Encryption::kNone;
  bool utp = false;  // over uTP, else TCP
};
inline constexpr ConnId kInboundBit{std::uint64_t{1} << 63};

// A connection ended, or could not be made.
struct PeerClosed {
  TorrentId torrent;
  ConnId conn;
};
// One message arrived. The host closes a connection by itself when bytes do not decode.
struct PeerMessage {
  TorrentId torrent;
  ConnId conn;
  Message message;
};
// A SendBlock is done: its bytes are handed to the network, or (sent = false) could not be read.
struct BlockSent {
  TorrentId torrent;
  ConnId conn;
  BlockSpan span;
  bool sent = true;
};

// The outcome of Verify for one block or one whole piece, with the blocks it speaks of.
struct Verified {
  TorrentId torrent;
  BlockRange blocks;
  bool good = false;
  // SHA-256 of each block when a whole piece was checked, so that a later good copy shows whose
  // block was wrong; empty when one block was checked, or the host could not tell.
  std::vector<Sha256> digests;
  VerifyId id{};  // of the Verify
};
// The outcome of VerifyHashes: when good, `leaves` are the piece's leaf hashes, one per block.
struct HashesVerified {
  TorrentId torrent;
  ConnId conn;  // who sent them
  PieceIndex piece;
  std::vector<Sha256> leaves;  // empty: they do not add up
};
// Blocks found verified on disk when the torrent was opened.
struct Restored {
  TorrentId torrent;
  Bitfield blocks;
};
// The host could not keep or no longer has these blocks (disk failure, cache eviction). Not a hash
// failure: nobody is to blame.
struct BlocksLost {
  TorrentId torrent;
  BlockRange blocks;
};

struct AnnounceReply {
  TorrentId torrent;
  std::string tracker;
  std::vector<Endpoint> peers;
  Duration interval{};
  Duration min_interval{};
  std::optional<Endpoint> own_address{};  // ours, as the tracker sees it; its port is 0 (BEP 24)
  bool only_seeds = false;                // the tracker counts seeds, and nobody else
};
struct AnnounceFailed {
  TorrentId torrent;
  std::string tracker;
};
// Others than a tracker named peers, as SearchDht asks for.
struct PeersFound {
  TorrentId torrent;
  PeerSource source{};
  std::vector<Endpoint> peers;
};

// The outcome of VerifyMetadata. When good, `layers` are the piece layers that the info dictionary
// leaves out (BEP 52), and `is_private` is what it says (BEP 27).
struct MetadataVerified {
  TorrentId torrent;
  bool good = false;
  bool is_private = false;
  bool has_v1 = false;  // it plays without its layers
  std::vector<LayerSpan> layers;
};
// The outcome of VerifyLayer.
struct LayerVerified {
  TorrentId torrent;
  ConnId conn;  // who sent it
  HashSpan span;
  bool good = false;
};

// One block of a CDN request arrived whole.
struct CdnBlock {
  TorrentId torrent;
  CdnRequestId request;
  BlockIndex block;
  BufferId buffer;
};
// A CDN request is over; blocks that did not arrive are to be asked for anew.
struct CdnEnded {
  TorrentId torrent;
  CdnRequestId request;
};
// How the CDN does, from measured requests; sent when it changed.
struct CdnHealth {
  TorrentId torrent;
  bool available = false;      // some edge is usable now
  Duration first_byte_high{};  // a high quantile of the time to the first byte
  BitRate throughput_low;      // a low quantile of the rate of one request
};

// The media's byte<->time relation of one file, whenever it is known better.
struct SetTimeline {
  TorrentId torrent;
  FileIndex file;
  ByteTimeMap timeline;
};

// What playback needs of one file: the byte at media time `position` is needed at `at`, what
// follows later in step. Replaces the file's former demand. While nothing moves (paused, stalled,
// before the start) `moving` is false: then the media from `position` on is wanted from `at` on at
// the media's own pace, and `at` slides along with time.
struct SetDemand {
  TorrentId torrent;
  FileIndex file;
  Duration position{};
  TimePoint at{};
  bool moving = false;
  bool starting = false;            // nothing of this playback was heard yet (first start or seek)
  bool prefetch = false;            // the track is next, not playing
  bool cdn_allowed = true;          // a prefetch may use the server only late
  Bytes budget = Bytes(INT64_MAX);  // at most so many bytes from `position` on
};
struct ClearDemand {
  TorrentId torrent;
  FileIndex file;
  ReaderId reader = kNoReader;  // none: of playback
};
// Somebody reads a file in order, as fast as it can, and plays what it reads at the media's pace: a
// browser, a player behind a gateway. `unread` (torrent space) is what it has yet to take. It has a
// playhead of its own, which begins to move when the first bytes were read, and which never
// overtakes it: who has not taken a byte has not heard it.
struct SetReader {
  TorrentId torrent;
  FileIndex file;
  ReaderId reader;  // not none
  ByteRange unread;
  bool starting = false;  // it begins here or came here by a seek, and has read nothing yet
  BitRate rate;           // it reads at least so fast; zero: as the timeline says
  // When it begins and is not starting: it plays something else for so long, and then this.
  Duration lead{};
};
// The demuxer waits for these bytes (torrent space): needed now, whatever the timeline says.
struct ReaderWaits {
  TorrentId torrent;
  ByteRange range;  // empty: it no longer waits
};
// Keep downloading and sharing the whole torrent beyond what is demanded, or not.
struct SetBackground {
  TorrentId torrent;
  bool enabled = false;
};

using Input =
    std::variant<PeerConnected, PeerClosed, PeerMessage, BlockSent, Verified, HashesVerified,
                 Restored, BlocksLost, AnnounceReply, AnnounceFailed, PeersFound, CdnBlock,
                 CdnEnded, CdnHealth, SetTimeline, SetDemand, ClearDemand, SetReader, ReaderWaits,
                 SetBackground, MetadataVerified, LayerVerified>;

// ---------------------------------------------------------------------------------------------
// Actions: what the host must do.

// Open a connection and exchange handshakes; answered by PeerConnected or PeerClosed.
struct Connect {
  TorrentId torrent;
  ConnId conn;
  Endpoint remote;
  Handshake handshake;  // ours
  // Nobody waits for what it brings: it should give way to other traffic, where the peer can.
  bool gives_way = false;
  DialHints hints{};
  // The other end dials us at the same time, so that the routers of both let the answers in (BEP
  // 55): by uTP alone, from the port where we take uTP connections.
  bool punches = false;
};
// Answered by PeerClosed.
struct Disconnect {
  TorrentId torrent;
  ConnId conn;
  std::string reason;  // for the log
};
struct Send {
  TorrentId torrent;
  ConnId conn;
  Message message;
};
// Read the bytes from the store and send them as a piece message; answered by BlockSent. Padding
// within the span is sent as zeros.
struct SendBlock {
  TorrentId torrent;
  ConnId conn;
  BlockSpan span;
};
// Answer a hash request from the torrent's layers and stored leaves, or reject it.
struct ServeHashes {
  TorrentId torrent;
  ConnId conn;
  HashSpan span;
};

// Hash the buffers, one per block of `blocks`; answered by Verified. With `leaf` the range is one
// block and must hash to it (v2); without, the range is a whole piece, checked against the
// metainfo. The buffers stay valid until Store or Free. A Verify that another of the same blocks
// follows is superseded: its outcome, should it still come, judges nothing.
struct Verify {
  TorrentId torrent;
  BlockRange blocks;
  std::vector<BufferId> buffers;
  std::optional<Sha256> leaf;
  VerifyId id{};  // never reused within a torrent
};
// Check a peer's leaf hashes of one piece against the piece layer; answered by HashesVerified.
struct VerifyHashes {
  TorrentId torrent;
  ConnId conn;
  PieceIndex piece;
  Hashes hashes;
};
// The block is verified: keep it and let readers have it. Takes the buffer over.
struct Store {
  TorrentId torrent;
  BlockIndex block;
  BufferId buffer;
};
struct Free {
  BufferId buffer;
};

enum class AnnounceEvent { kNone, kStarted, kStopped, kCompleted };
struct Announce {
  TorrentId torrent;
  std::string tracker;
  AnnounceEvent event = AnnounceEvent::kNone;
  Bytes uploaded;
  Bytes downloaded;
  Bytes left;
  std::int32_t want = 50;  // peers asked for
};

// Search the DHT for peers, and tell it of us if we accept connections. Answered by PeersFound, any
// number of times; not at all where there is no DHT.
struct SearchDht {
  TorrentId torrent;
};
// Tell the local network that we have the torrent and accept connections (BEP 14). What others tell
// is PeersFound.
struct AnnounceLocally {
  TorrentId torrent;
};
// A peer's node of the DHT: a way to join it.
struct AddDhtNode {
  Endpoint node;
};

// Whether these bytes are the info dictionary that the fetch's hashes name; answered by
// MetadataVerified.
struct VerifyMetadata {
  TorrentId torrent;
  std::vector<std::uint8_t> info;
};
// Whether a part of a piece layer adds up to the file's root; answered by LayerVerified. `height`
// is the root's layer.
struct VerifyLayer {
  TorrentId torrent;
  ConnId conn;
  Hashes hashes;
  std::uint32_t height = 0;
};
// A fetch of metadata is over. Its peers are disconnected.
struct MetadataFetched {
  TorrentId torrent;
  FetchEnd end{};
  std::vector<std::uint8_t> info;  // verified; empty unless kDone
  // Verified, in the order of MetadataVerified::layers. Empty while the dictionary asks for some:
  // nobody gave them, and the v1 hashes must do.
  std::vector<std::vector<Sha256>> layers;
  std::vector<Endpoint> peers;  // who were there and may be dialled, the useful ones first
};

// Fetch consecutive blocks from the CDN; answered by CdnBlock for each, in any order, and CdnEnded.
struct CdnFetch {
  TorrentId torrent;
  CdnRequestId request;
  BlockRange blocks;
  CdnReason reason;
  TimePoint deadline;     // of the first block
  Duration buffered{};    // media ahead of the playhead, for CMCD bl
  bool starting = false;  // CMCD su
};
struct CdnCancel {
  TorrentId torrent;
  CdnRequestId request;
};
// These blocks came from the CDN and did not verify: the edge is not to be trusted.
struct CdnCorrupt {
  TorrentId torrent;
  BlockRange blocks;
};
// Nothing stands in the way of playback: the modelled chance of a stall is small, or the CDN
// insures it. At most once for each SetDemand with `starting`, of the last one: a seek while
// starting replaces what was not yet answered.
struct MayStart {
  TorrentId torrent;
  FileIndex file;
};
// A decision, for the trace; emitted only while tracing is on.
struct Trace {
  Decision decision;
};

using Action =
    std::variant<Connect, Disconnect, Send, SendBlock, ServeHashes, Verify, VerifyHashes, Store,
                 Free, Announce, SearchDht, AddDhtNode, CdnFetch, CdnCancel, CdnCorrupt, MayStart,
                 Trace, VerifyMetadata, VerifyLayer, MetadataFetched, AnnounceLocally>;

}  // namespace tributary::core
