// The peers of one tracker's answer as they are gathered.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/wire/address.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Peers used of one answer; more would only be dialled much later.
inline constexpr std::size_t kMaxPeersPerAnswer = 1000;

// Drops port 0, doubles, and what is beyond kMaxPeersPerAnswer.
class PeerList {
 public:
  void add(const Endpoint& peer) {
    if (peer.port == 0 || out_.size() >= kMaxPeersPerAnswer) return;
    if (seen_.insert(peer).second) out_.push_back(peer);
  }
  // Adds compact peers of `size` bytes each; false, and nothing added, when one is cut short.
  // REQUIRES: size is kCompactV4Size or kCompactV6Size.
  [[nodiscard]] bool add_compact(Octets bytes, std::size_t size) {
    if (bytes.size() % size != 0) return false;
    for (; !bytes.empty(); bytes = bytes.subspan(size)) add(read_compact(bytes.first(size)));
    return true;
  }
  std::vector<Endpoint> take() { return std::move(out_); }

 private:
  std::vector<Endpoint> out_;
  std::set<Endpoint> seen_;
};

}  // namespace tributary::wire
