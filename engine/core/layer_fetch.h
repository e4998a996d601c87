// The piece layers of a v2 torrent on their way from peers: the info dictionary, which is all that
// BEP 9 brings, leaves them out (BEP 52).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/base/fifo.h"
#include "engine/core/events.h"

namespace tributary::core {

// Hashes in one request (BEP 52 advises 512); with its uncles 17 KiB.
inline constexpr std::uint32_t kLayerHashes = 512;
// Requests to one peer at once.
inline constexpr std::size_t kLayerPipeline = 4;
// A peer silent for so long is asked for no more.
inline constexpr Duration kLayerTimeout = 5s;

// Tracks every part of every layer: open, asked of one peer, being verified, or there. A peer that
// rejects or is silent is asked no more, for it has none of the layers or speaks no v2.
class LayerFetch {
 public:
  // REQUIRES: base < height <= 28 and 2 <= count <= 2^(height - base) for each.
  explicit LayerFetch(std::vector<LayerSpan> layers);

  // What to ask of the peer next, if anything; it counts as asked from then on.
  std::optional<HashSpan> next_request(ConnId peer, TimePoint now);
  // To be verified against the tree of this height; nothing when the peer was not asked for it.
  std::optional<std::uint32_t> on_hashes(ConnId peer, const Hashes& hashes);
  void on_verdict(ConnId peer, const HashSpan& span, bool good);
  void on_reject(ConnId peer, const HashSpan& span);
  void forget(ConnId peer);
  void on_time(TimePoint now);
  TimePoint next_deadline() const;

  bool complete() const { return there_ == parts_.size(); }
  // Whether somebody is at work on it.
  bool under_way() const { return !asked_.empty(); }
  // In the order of the constructor's. REQUIRES: complete().
  std::vector<std::vector<Sha256>> take() const;

 private:
  struct Part {
    std::uint32_t height = 0;
    std::vector<Sha256> hashes;  // empty: missing
    bool there = false;          // and verified
  };
  struct Asked {
    HashSpan span;
    TimePoint at;
    bool answered = false;
  };

  static std::vector<HashSpan> spans_of(const LayerSpan& layer);
  std::vector<Asked>::iterator find(ConnId peer, const HashSpan& span);
  void release(ConnId peer);

  std::vector<LayerSpan> layers_;
  std::map<HashSpan, Part> parts_;  // files of the same content share them
  Fifo<HashSpan> open_;
  std::map<ConnId, std::vector<Asked>> asked_;  // no entry is empty
  std::set<ConnId> useless_;
  std::size_t there_ = 0;
};

}  // namespace tributary::core
