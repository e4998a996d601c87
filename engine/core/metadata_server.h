// Telling peers what the torrent is, who know no more of it than a magnet link says (BEP 9).
#pragma once

#include "engine/base/fifo.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

// Pieces of 16 KiB that all peers of a torrent get together: in a row, and in a second after that.
// 1 MiB/s is more than a newcomer can tell from less, and no drain on a home's upload.
inline constexpr int kMetadataBurst = 64;
inline constexpr int kMetadataPerSecond = 64;
// Requests of one peer that wait; libtorrent and aria2 make at most a few at once.
inline constexpr std::int32_t kMaxMetadataWaiting = 32;

// Serves the info dictionary in the order of the requests. A private torrent is described to
// nobody: its .torrent is its tracker's to give, and libtorrent and Transmission hold it so. Nor is
// one described by a client that uploads nothing, or that itself has no dictionary (a plain URL).
class MetadataServer {
 public:
  explicit MetadataServer(SwarmState& state) : s_(state) {}

  // Of the dictionary that we offer in our extended handshake; nothing where we offer none.
  std::optional<Bytes> offered() const;
  // What cannot be served is rejected; so is, as an offence, what exceeds kMaxMetadataWaiting.
  void on_request(Peer& peer, const MetadataRequest& request);
  // Sends what waits, as far as the pace allows.
  void on_time();
  TimePoint next_deadline() const;

 private:
  struct Waiting {
    ConnId conn;
    std::int32_t piece;
  };

  SwarmState& s_;
  Fifo<Waiting> queue_;
  TimePoint paid_until_{};  // when all that was sent would have gone out at an even pace
};

}  // namespace tributary::core
