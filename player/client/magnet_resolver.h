// From a magnet link to a torrent, over the host's node: checks what peers tell, and puts together
// what they and the link say.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/events.h"
#include "engine/core/metadata_fetch.h"
#include "engine/core/policy.h"
#include "engine/core/torrent_info.h"
#include "engine/net/loop.h"
#include "engine/wire/magnet.h"

namespace tributary::player {

struct ResolvedMagnet {
  // With the link's trackers, one a tier, and its edges.
  std::shared_ptr<const core::Metainfo> metainfo;
  std::vector<Endpoint> peers;  // that the link names, and who were asked
};

// Loop thread only. Tracks the links that are being resolved, by the id of the node's fetch.
class MagnetResolver {
 public:
  MagnetResolver() = default;
  ~MagnetResolver() { *alive_ = false; }
  MagnetResolver(const MagnetResolver&) = delete;
  MagnetResolver& operator=(const MagnetResolver&) = delete;

  using Done = std::function<void(Result<ResolvedMagnet>)>;

  // Why it is of no use to begin: the policy asks no peers, or nobody can find any.
  static std::optional<Error> hopeless(const core::Policy& policy, bool can_find_peers);
  // What the node is to fetch; `done` is called once, when it is over, unless forget() comes first.
  core::FetchTarget begin(core::TorrentId fetch, wire::Magnet magnet, Done done);
  // None when the id is of no link.
  const wire::Magnet* magnet(core::TorrentId fetch) const;
  // Looks up the peers that the link names. `found` is called for each that has an address, on a
  // later turn of the loop, as long as this lives and the link is being resolved.
  void find_peers(net::Loop& loop, core::TorrentId fetch,
                  const std::function<void(const Endpoint&)>& found);
  void forget(core::TorrentId fetch) { pending_.erase(fetch); }

  // Each hashes at once: an info dictionary is small, and nothing plays while a link is resolved.
  // A dictionary that is right but of a torrent that cannot be used ends the link with an error;
  // then there is no answer, and the fetch is to be closed.
  std::optional<core::MetadataVerified> verify(const core::VerifyMetadata& action);
  core::LayerVerified verify(const core::VerifyLayer& action) const;
  void finish(const core::MetadataFetched& action);

 private:
  struct Pending {
    wire::Magnet magnet;
    Done done;
    core::Metainfo metainfo{};  // of a right dictionary
    std::vector<Endpoint> peers{};
  };
  static Result<ResolvedMagnet> result_of(Pending& pending, const core::MetadataFetched& action);
  void end(core::TorrentId fetch, Result<ResolvedMagnet> result);

  std::map<core::TorrentId, Pending> pending_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tributary::player
