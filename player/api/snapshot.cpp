// tributary_snapshot_*: all that a screen shows, of one moment.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/net/address.h"
#include "player/api/calls.h"
#include "player/api/ledger.h"

using namespace tributary;        // NOLINT: the exported functions belong to no namespace
using namespace tributary::capi;  // NOLINT

namespace {

using player::CellState;
using prefetch::PrefetchStage;
static_assert(static_cast<int>(CellState::kMissing) == TRIBUTARY_PIECE_MISSING &&
              static_cast<int>(CellState::kAskedCdn) == TRIBUTARY_PIECE_ASKED_CDN &&
              static_cast<int>(CellState::kHave) == TRIBUTARY_PIECE_HAVE);
static_assert(static_cast<int>(PrefetchStage::kIdle) == TRIBUTARY_PREFETCH_IDLE &&
              static_cast<int>(PrefetchStage::kPeers) == TRIBUTARY_PREFETCH_PEERS &&
              static_cast<int>(PrefetchStage::kServer) == TRIBUTARY_PREFETCH_SERVER);
static_assert(static_cast<int>(cdn::EdgeState::kUp) == TRIBUTARY_EDGE_UP &&
              static_cast<int>(cdn::EdgeState::kDropped) == TRIBUTARY_EDGE_DROPPED);

constexpr std::size_t kMostPieces = 65'536;

struct SnapshotObject final : Object {
  explicit SnapshotObject(player::ClientSnapshot s) : snapshot(std::move(s)) {
    for (const core::PeerView& peer : snapshot.peer_list) {
      addresses.push_back(net::format_endpoint(peer.remote));
    }
  }
  const player::ClientSnapshot snapshot;
  std::vector<std::string> addresses;  // of the peers
};

// Fills `out` from the snapshot.
template <class T, class F>
int fill(const tributary_snapshot* handle, T* out, const char* type, F fill_in) {
  return with<SnapshotObject>(handle, "snapshot", [&](SnapshotObject& object) -> int {
    const int checked = check_size(out, type);
    if (checked < 0) return checked;
    T filled{};
    filled.size = sizeof filled;
    const int done = fill_in(object, filled);
    if (done == TRIBUTARY_OK) write_struct(filled, out);
    return done;
  });
}

void fill_status(const player::ClientSnapshot& s, tributary_status& out) {
  out.state = state_of(s.state);
  out.emergency = s.emergency ? 1 : 0;
  out.track = s.track;
  out.track_count = s.tracks;
  out.title = s.title.c_str();
  out.message = s.message.c_str();
  out.position_ms = ms_of(s.position);
  out.duration_ms = ms_of(s.duration);
  out.buffered_ms = ms_of(s.buffered);
  out.startup_ms = ms_of(s.startup);
  out.stalls = s.stalls;
  out.peer_count = s.peer_list.size();
  out.edge_count = s.edges.size();
  out.piece_count = s.pieces.size();
  out.playhead_piece = s.playhead_cell;
  out.next_title = s.next_title.c_str();
  out.next_have_bytes = s.next_have.count();
  out.next_length_bytes = s.next_size.count();
  out.prefetch = static_cast<tributary_prefetch_stage>(s.prefetch);
  out.policy = s.policy.c_str();
}

void fill_peer(const core::PeerView& peer, const std::string& address, tributary_peer& out) {
  out.address = address.c_str();
  out.client = peer.client.c_str();
  out.flags = peer.flags.c_str();
  out.down_bps = peer.down.bits_per_second();
  out.up_bps = peer.up.bits_per_second();
  out.received_bytes = peer.received.count();
  out.sent_bytes = peer.sent.count();
  out.pieces = peer.pieces;
  out.in_flight = peer.in_flight;
}

void fill_edge(const cdn::EdgeStats& edge, tributary_edge& out) {
  out.origin = edge.origin.c_str();
  out.trouble = edge.trouble.c_str();
  out.state = static_cast<tributary_edge_state>(edge.state);
  out.in_flight = edge.in_flight;
  out.requests = edge.requests;
  out.failures = edge.failures;
  out.received_bytes = edge.received.count();
  out.first_byte_ms = ms_of(edge.first_byte);
  out.rate_bps = edge.rate.bits_per_second();
  out.lies = edge.lies;
}

}  // namespace

extern "C" {

int tributary_client_snapshot(tributary_client* client, size_t pieces,
                              tributary_snapshot** snapshot) {
  return with_client(client, [&](ClientObject& object) -> int {
    const int cleared = clear<tributary_snapshot*>(snapshot, nullptr, "snapshot");
    if (cleared < 0) return cleared;
    if (pieces > kMostPieces) {
      return fail(TRIBUTARY_E_INVALID, "pieces is " + std::to_string(pieces) + "; give 0 to " +
                                           std::to_string(kMostPieces));
    }
    *snapshot = give_out<tributary_snapshot>(
        std::make_shared<SnapshotObject>(object.player().snapshot(pieces)));
    return TRIBUTARY_OK;
  });
}

int tributary_snapshot_free(tributary_snapshot* snapshot) {
  return free_handle<SnapshotObject>(snapshot, "snapshot");
}

int tributary_snapshot_status(tributary_snapshot* snapshot, tributary_status* out) {
  return fill(snapshot, out, "tributary_status", [](SnapshotObject& object, tributary_status& to) {
    fill_status(object.snapshot, to);
    return TRIBUTARY_OK;
  });
}

int tributary_snapshot_ledger(tributary_snapshot* snapshot, tributary_ledger* out) {
  return fill(snapshot, out, "tributary_ledger", [](SnapshotObject& object, tributary_ledger& to) {
    to = ledger_of(object.snapshot.bytes);
    return TRIBUTARY_OK;
  });
}

int tributary_snapshot_peer(tributary_snapshot* snapshot, size_t index, tributary_peer* out) {
  return fill(snapshot, out, "tributary_peer",
              [index](SnapshotObject& object, tributary_peer& to) -> int {
                const auto& peers = object.snapshot.peer_list;
                if (index >= peers.size()) return no_such("peer", index, peers.size());
                fill_peer(peers[index], object.addresses[index], to);
                return TRIBUTARY_OK;
              });
}

int tributary_snapshot_edge(tributary_snapshot* snapshot, size_t index, tributary_edge* out) {
  return fill(snapshot, out, "tributary_edge",
              [index](SnapshotObject& object, tributary_edge& to) -> int {
                const auto& edges = object.snapshot.edges;
                if (index >= edges.size()) return no_such("edge", index, edges.size());
                fill_edge(edges[index], to);
                return TRIBUTARY_OK;
              });
}

int tributary_snapshot_piece(tributary_snapshot* snapshot, size_t index) {
  return with<SnapshotObject>(snapshot, "snapshot", [index](SnapshotObject& object) -> int {
    const auto& pieces = object.snapshot.pieces;
    if (index >= pieces.size()) return no_such("piece", index, pieces.size());
    return static_cast<int>(pieces[index]);
  });
}

const char* tributary_peer_flag(char flag) {
  const auto& flags = core::kPeerFlags;
  const auto* const found =
      std::find_if(std::begin(flags), std::end(flags),
                   [flag](const auto& known) { return known.letter == flag; });
  return found == std::end(flags) ? nullptr : found->meaning.data();
}
}
