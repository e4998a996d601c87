#include "player/client/magnet_resolver.h"

#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/digests.h"
#include "engine/wire/info_dictionary.h"

namespace tributary::player {
namespace {

constexpr const char* kMend = "; name a tracker (tr=), --peer or --dht-node";

// What nobody can tell but peers, web seeds least of all.
Error failure(core::FetchEnd end) {
  const std::string limit = std::to_string(core::kFetchLimit / 1s) + " s";
  switch (end) {
    case core::FetchEnd::kNobody:
      return io_error("no peer was found in " + limit +
                      " that could tell what the link stands for" + kMend);
    case core::FetchEnd::kNoMetadata:
      return io_error("no peer has told in " + limit +
                      " what the link stands for (of private torrents none does)" + kMend);
    default:
      return io_error("no peer gave the torrent's piece layers (v2) in " + limit + kMend);
  }
}

}  // namespace

std::optional<Error> MagnetResolver::hopeless(const core::Policy& policy, bool can_find_peers) {
  if (!policy.use_peers) {
    return Error{ErrorCode::kUnsupported,
                 "only peers can tell what the link stands for, and policy " +
                     std::string(policy.name) + " asks none; choose another"};
  }
  if (can_find_peers) return std::nullopt;
  return Error{ErrorCode::kNotFound,
               std::string("nobody is named who could tell what the link stands for") + kMend};
}

core::FetchTarget MagnetResolver::begin(core::TorrentId fetch, wire::Magnet magnet, Done done) {
  core::FetchTarget target{magnet.info_hashes(), magnet.v2_hash.has_value(), {}};
  for (const std::string& url : magnet.trackers) target.trackers.push_back({url});
  const bool is_new =
      pending_.try_emplace(fetch, Pending{std::move(magnet), std::move(done)}).second;
  TRIBUTARY_CHECK(is_new);
  return target;
}

const wire::Magnet* MagnetResolver::magnet(core::TorrentId fetch) const {
  const auto it = pending_.find(fetch);
  return it == pending_.end() ? nullptr : &it->second.magnet;
}

void MagnetResolver::find_peers(net::Loop& loop, core::TorrentId fetch,
                                const std::function<void(const Endpoint&)>& found) {
  const auto it = pending_.find(fetch);
  if (it == pending_.end()) return;
  for (const HostPort& peer : it->second.magnet.peers) {
    net::resolve(loop, peer,
                 [this, fetch, found, alive = alive_](const Result<std::vector<Endpoint>>& all) {
                   if (!*alive || !all) return;
                   const auto pending = pending_.find(fetch);
                   if (pending == pending_.end()) return;
                   pending->second.peers.push_back(all->front());
                   found(all->front());
                 });
  }
}

void MagnetResolver::end(core::TorrentId fetch, Result<ResolvedMagnet> result) {
  const Done done = std::move(pending_.at(fetch).done);
  pending_.erase(fetch);
  done(std::move(result));
}

std::optional<core::MetadataVerified> MagnetResolver::verify(const core::VerifyMetadata& action) {
  core::MetadataVerified verdict{.torrent = action.torrent, .good = false, .layers = {}};
  const auto it = pending_.find(action.torrent);
  if (it == pending_.end()) return std::nullopt;
  Pending& pending = it->second;
  if (!wire::is_info_of(pending.magnet, action.info, net::kDigester)) return verdict;
  auto parsed = wire::parse_info_dictionary(action.info, net::kDigester);
  if (!parsed) {
    end(action.torrent,
        Error{parsed.error().code, "it stands for no usable torrent: " + parsed.error().message});
    return std::nullopt;
  }
  pending.metainfo = *std::move(parsed);
  verdict.good = true;
  verdict.is_private = pending.metainfo.info.is_private;
  verdict.has_v1 = pending.metainfo.info.has_v1();
  verdict.layers = wire::missing_layers(pending.metainfo.info);
  return verdict;
}

core::LayerVerified MagnetResolver::verify(const core::VerifyLayer& action) const {
  return {action.torrent, action.conn, action.hashes.span,
          wire::is_part_of_layer(action.hashes, action.height, net::kDigester)};
}

Result<ResolvedMagnet> MagnetResolver::result_of(Pending& pending,
                                                 const core::MetadataFetched& action) {
  if (action.end != core::FetchEnd::kDone) return failure(action.end);
  auto metainfo = std::make_shared<core::Metainfo>(std::move(pending.metainfo));
  if (action.layers.empty() && !wire::missing_layers(metainfo->info).empty()) {
    wire::keep_v1_only(metainfo->info);
  } else {
    auto added = wire::add_layers(metainfo->info, action.layers, net::kDigester);
    if (!added) return added.error();
  }
  for (const std::string& url : pending.magnet.trackers) metainfo->trackers.push_back({url});
  metainfo->edges = pending.magnet.edges;
  std::vector<Endpoint> peers = action.peers;
  peers.insert(peers.end(), pending.peers.begin(), pending.peers.end());
  return ResolvedMagnet{std::move(metainfo), std::move(peers)};
}

void MagnetResolver::finish(const core::MetadataFetched& action) {
  const auto it = pending_.find(action.torrent);
  if (it != pending_.end()) end(action.torrent, result_of(it->second, action));
}

}  // namespace tributary::player
