// Counts what a real node receives and sends, from what passes between it and its host: the
// counterpart of sim::HostMeter. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "engine/sim/store.h"
#include "player/client/host.h"

namespace tributary::demo {

// Tracks: the buffers that the node has in hand, who brought each, and which of them turned out
// wrong; the CDN's requests under way.
class NodeMeter {
 public:
  // What the store holds from now on, or (no origin) holds no longer.
  struct Change {
    core::TorrentId torrent;
    core::BlockRange blocks;
    std::optional<sim::Origin> origin;
  };
  std::optional<Change> count(const player::Happening& happening);

  // What became of what was received; what is in hand is in none of them.
  const sim::OriginBytes& kept() const { return kept_; }
  const sim::OriginBytes& duplicate() const { return duplicate_; }
  const sim::OriginBytes& corrupt() const { return corrupt_; }
  std::int64_t messages() const { return messages_; }   // sent, less those with payload
  Bytes search_bytes() const { return search_bytes_; }  // of them, about other peers

 private:
  struct InHand {
    core::TorrentId torrent;
    core::BlockIndex block;
    Bytes size;
    sim::Origin origin{};
    bool wrong = false;
  };

  std::optional<Change> on(const player::Opened& opened);
  std::optional<Change> on(const core::Input* input);
  std::optional<Change> on(const player::PlayerInput*) { return std::nullopt; }
  std::optional<Change> on(const cdn::HttpInput* input);
  std::optional<Change> on(const core::Action* action);
  std::optional<Change> on(const cdn::HttpAction* action);
  void received(core::BufferId buffer, core::TorrentId torrent, core::BlockIndex block,
                sim::Origin origin);
  void judge(const core::Verified& verified);
  Change store(const core::Store& store);
  void free(core::BufferId buffer);

  std::map<core::TorrentId, std::shared_ptr<const core::Layout>> layouts_;
  std::map<cdn::HttpId, core::TorrentId> requests_;
  std::map<core::BufferId, InHand> in_hand_;
  sim::OriginBytes kept_;
  sim::OriginBytes duplicate_;
  sim::OriginBytes corrupt_;
  std::int64_t messages_ = 0;
  Bytes search_bytes_;
};

}  // namespace tributary::demo
