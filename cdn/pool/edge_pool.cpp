#include "cdn/pool/edge_pool.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/url.h"

namespace tributary::cdn {
namespace {

// Deliveries remembered for CdnCorrupt. Adjacent blocks join into one entry, so that this reaches
// back hundreds of requests; a block is verified long before.
constexpr std::size_t kMaxDeliveries = 256;

// A failure of these is worth another edge at once. The others are fetched ahead of need: the core
// asks again when it still wants them.
bool is_urgent(core::CdnReason reason) {
  return reason != core::CdnReason::kSeedSwarm && reason != core::CdnReason::kPrefetch;
}

std::vector<core::FileEntry> without_hashes(const std::vector<core::FileEntry>& files) {
  std::vector<core::FileEntry> result;
  for (const core::FileEntry& file : files) {
    core::FileEntry& copy = result.emplace_back();
    copy.offset = file.offset;
    copy.length = file.length;
    copy.pad = file.pad;
  }
  return result;
}

bool same_health(const core::CdnHealth& a, const core::CdnHealth& b) {
  return a.available == b.available && a.first_byte_high == b.first_byte_high &&
         a.throughput_low == b.throughput_low;
}

core::BlockRange clamp(core::BlockRange blocks, const core::Layout& layout) {
  return {std::max(blocks.begin, core::BlockIndex(0)),
          std::min(blocks.end, core::BlockIndex(layout.block_count()))};
}

}  // namespace

EdgePool::EdgePool(PoolParams params, std::uint64_t seed)
    : params_(std::move(params)), random_(seed) {
  TRIBUTARY_CHECK(params_.max_per_edge > 0 && params_.max_total > 0 && params_.max_attempts > 0);
}

// ---------------------------------------------------------------------------------------------
// Torrents.

std::vector<EdgePool::Edge> EdgePool::make_edges(EdgeSet set) {
  std::vector<Edge> edges;
  for (std::vector<std::string>& urls : set.edges) {
    const auto first =
        std::find_if(urls.begin(), urls.end(), [](const auto& u) { return !u.empty(); });
    if (first == urls.end()) continue;
    Edge& edge = edges.emplace_back();
    edge.server = servers_.try_emplace(origin_of(*first), params_.health).first;
    edge.urls = std::move(urls);
  }
  return edges;
}

void EdgePool::add_torrent(core::TorrentId torrent, const core::TorrentInfo& info, EdgeSet edges,
                           TimePoint now) {
  TRIBUTARY_CHECK(!torrents_.contains(torrent));
  Torrent added{.layout = core::Layout(info),
                .files = without_hashes(info.files),
                .edges = make_edges(std::move(edges)),
                .generation = 0,
                .deliveries = {},
                .media_rate = {},
                .stalled = false,
                .hopeless_until = TimePoint::min(),
                .told = {}};
  torrents_.emplace(torrent, std::move(added));
  handle_timeout(now);
}

void EdgePool::set_edges(core::TorrentId torrent, EdgeSet edges, TimePoint now) {
  const auto at = torrents_.find(torrent);
  TRIBUTARY_CHECK(at != torrents_.end());
  at->second.edges = make_edges(std::move(edges));
  at->second.deliveries.clear();
  ++at->second.generation;
  handle_timeout(now);
}

void EdgePool::remove_torrent(core::TorrentId torrent, TimePoint now) {
  std::vector<FetchKey> keys;
  for (const auto& [key, fetch] : fetches_) {
    if (key.first == torrent) keys.push_back(key);
  }
  for (const FetchKey& key : keys) {
    const Fetch& fetch = fetches_.at(key);
    if (fetch.attempt && !fetch.attempt->cancelled) {
      actions_.push_back(HttpCancel{fetch.attempt->id});
    }
    if (fetch.attempt) release(*fetch.attempt);
    end(key);
  }
  torrents_.erase(torrent);
  handle_timeout(now);
}

void EdgePool::set_media_rate(core::TorrentId torrent, BitRate rate) {
  if (const auto at = torrents_.find(torrent); at != torrents_.end()) at->second.media_rate = rate;
}

void EdgePool::note_stall(core::TorrentId torrent) {
  if (const auto at = torrents_.find(torrent); at != torrents_.end()) at->second.stalled = true;
}

// ---------------------------------------------------------------------------------------------
// Inputs.

void EdgePool::handle(const core::CdnFetch& fetch, TimePoint now) {
  const FetchKey key{fetch.torrent, fetch.request};
  TRIBUTARY_CHECK(!fetches_.contains(key));
  Fetch& added = fetches_[key];
  added.key = key;
  added.order = next_order_++;
  added.urgent = is_urgent(fetch.reason);
  added.deadline = fetch.deadline;
  added.buffered = fetch.buffered;
  added.starting = fetch.starting;
  if (const auto torrent = torrents_.find(fetch.torrent); torrent != torrents_.end()) {
    const core::Layout& layout = torrent->second.layout;
    const core::BlockRange blocks = clamp(fetch.blocks, layout);
    for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) {
      if (!layout.block_range(b).empty()) added.missing.push_back(b);
    }
  }
  handle_timeout(now);
}

void EdgePool::handle(const core::CdnCancel& cancel, TimePoint now) {
  const FetchKey key{cancel.torrent, cancel.request};
  const auto at = fetches_.find(key);
  if (at == fetches_.end()) return;
  if (!at->second.attempt) {
    end(key);
  } else if (!at->second.attempt->cancelled) {
    at->second.attempt->cancelled = true;
    actions_.push_back(HttpCancel{at->second.attempt->id});
  }
  handle_timeout(now);
}

// A block frees no place and measures nothing, and so calls for no look at queue and health.
void EdgePool::handle(const HttpInput& input, TimePoint now) {
  if (const auto* block = std::get_if<HttpBlock>(&input)) return on_block(*block);
  if (const auto* first = std::get_if<HttpFirstByte>(&input)) {
    on_first_byte(*first, now);
  } else {
    on_done(std::get<HttpDone>(input), now);
  }
  handle_timeout(now);
}

void EdgePool::handle(const core::CdnCorrupt& corrupt, TimePoint now) {
  const auto at = torrents_.find(corrupt.torrent);
  if (at == torrents_.end()) return;
  std::set<int> edges;
  for (const Delivery& d : at->second.deliveries) {
    if (d.blocks.begin < corrupt.blocks.end && corrupt.blocks.begin < d.blocks.end) {
      edges.insert(d.edge);
    }
  }
  for (const int index : edges) {
    Edge& edge = at->second.edges[static_cast<std::size_t>(index)];
    ++(edges.size() == 1 ? edge.lies : edge.suspicions);
    edge.dropped |= edge.lies >= params_.max_lies || edge.suspicions >= params_.max_suspicions;
  }
  handle_timeout(now);
}

void EdgePool::handle_timeout(TimePoint now) {
  TRIBUTARY_DCHECK(now >= now_);
  now_ = now;
  dispatch(now);
  publish_health(now);
  for (const core::CdnEnded& ended : std::exchange(ended_, {})) actions_.push_back(ended);
}

std::optional<PoolAction> EdgePool::poll() {
  if (actions_.empty()) return std::nullopt;
  return actions_.take_front();
}

TimePoint EdgePool::next_deadline() const {
  TimePoint next = kNever;
  const auto consider = [&](TimePoint at) {
    if (at > now_) next = std::min(next, at);
  };
  for (const auto& [id, torrent] : torrents_) {
    consider(torrent.hopeless_until);
    for (const Edge& edge : torrent.edges) {
      if (edge.dropped) continue;
      consider(edge.server->second.health.retry_at());
      for (const auto& [file, until] : edge.refused_until) consider(until);
    }
  }
  for (const auto& [key, fetch] : fetches_) {
    if (fetch.give_up_at) consider(*fetch.give_up_at);
  }
  return next;
}

// ---------------------------------------------------------------------------------------------
// Choosing an edge.

bool EdgePool::serves(const Edge& edge, const std::vector<FilePart>& parts, TimePoint now) const {
  if (edge.dropped) return false;
  return std::all_of(parts.begin(), parts.end(), [&](const FilePart& part) {
    const auto index = static_cast<std::size_t>(part.file.value());
    if (index >= edge.urls.size() || edge.urls[index].empty()) return false;
    const auto refused = edge.refused_until.find(part.file);
    return refused == edge.refused_until.end() || refused->second <= now;
  });
}

bool EdgePool::has_room(const Server& server, bool urgent) const {
  // One place is kept for what is urgent, so that it never waits behind a prefetch.
  const int spare = urgent ? 0 : 1;
  const int per_edge = server.health.probing() ? 1 : std::max(params_.max_per_edge - spare, 1);
  return server.in_flight < per_edge && running_ < std::max(params_.max_total - spare, 1);
}

TimePoint EdgePool::soonest_retry(const Torrent& torrent,
                                  const std::vector<FilePart>& parts) const {
  TimePoint soonest = kNever;
  for (const Edge& edge : torrent.edges) {
    if (!serves(edge, parts, now_)) continue;
    soonest = std::min(soonest, edge.server->second.health.retry_at());
  }
  return soonest;
}

Duration EdgePool::expected(const Edge& edge, Bytes size) const {
  const Server& server = edge.server->second;
  return server.health.first_byte_mean() +
         transfer_time(size + server.outstanding, server.health.rate_mean());
}

EdgePool::Choice EdgePool::choose(const Torrent& torrent, const Fetch& fetch,
                                  const std::vector<FilePart>& parts, TimePoint now,
                                  int* chosen) const {
  Bytes size;
  for (const FilePart& part : parts) size += part.range.size();
  using Rank =
      std::tuple<bool, Duration, int>;  // distrusted last, then soonest, then url-list order
  std::optional<Rank> best;
  bool busy = false;
  for (int i = 0; i < static_cast<int>(torrent.edges.size()); ++i) {
    const Edge& edge = torrent.edges[static_cast<std::size_t>(i)];
    const Server& server = edge.server->second;
    if (!serves(edge, parts, now) || !server.health.usable(now)) continue;
    if (!has_room(server, fetch.urgent)) {
      busy = true;
      continue;
    }
    const Rank rank{edge.lies + edge.suspicions > 0, expected(edge, size), i};
    if (!best || rank < *best) best = rank;
  }
  if (best) {
    *chosen = std::get<int>(*best);
    return Choice::kRun;
  }
  if (busy) return Choice::kWait;
  const TimePoint retry = soonest_retry(torrent, parts);
  const bool in_time = retry != kNever && retry <= fetch.deadline;
  return fetch.urgent && in_time ? Choice::kWait : Choice::kGiveUp;
}

bool EdgePool::other_edge(const Torrent& torrent, int edge, const std::vector<FilePart>& parts,
                          TimePoint now) const {
  for (int i = 0; i < static_cast<int>(torrent.edges.size()); ++i) {
    const Edge& other = torrent.edges[static_cast<std::size_t>(i)];
    if (i != edge && serves(other, parts, now) && other.server->second.health.usable(now)) {
      return true;
    }
  }
  return false;
}

std::vector<EdgePool::FetchKey> EdgePool::queued_in_order() const {
  std::vector<const Fetch*> queued;
  for (const auto& [key, fetch] : fetches_) {
    if (!fetch.attempt) queued.push_back(&fetch);
  }
  std::sort(queued.begin(), queued.end(), [](const Fetch* a, const Fetch* b) {
    return std::tuple(!a->urgent, a->deadline, a->order) <
           std::tuple(!b->urgent, b->deadline, b->order);
  });
  std::vector<FetchKey> keys;
  for (const Fetch* fetch : queued) keys.push_back(fetch->key);
  return keys;
}

void EdgePool::dispatch(TimePoint now) {
  for (const FetchKey& key : queued_in_order()) {
    if (!try_start(fetches_.at(key), now)) end(key);
  }
}

// False when the fetch is to be handed back.
bool EdgePool::try_start(Fetch& fetch, TimePoint now) {
  const auto torrent = torrents_.find(fetch.key.first);
  if (torrent == torrents_.end() || fetch.missing.empty()) return false;
  if (fetch.attempts >= params_.max_attempts) return false;
  BlockParts parts = parts_of(fetch.missing, torrent->second.layout, torrent->second.files);
  int edge = 0;
  const Choice choice = choose(torrent->second, fetch, parts.parts, now, &edge);
  if (choice == Choice::kGiveUp) return hold_hopeless(torrent->second, fetch, now);
  fetch.give_up_at.reset();
  if (choice == Choice::kRun) start(torrent->second, fetch, edge, std::move(parts), now);
  return true;
}

// True while the fetch is to be kept, so that the core does not ask for the same again and again.
bool EdgePool::hold_hopeless(Torrent& torrent, Fetch& fetch, TimePoint now) const {
  if (!health_of(fetch.key.first, torrent, now).available) return false;
  if (fetch.urgent) {
    torrent.hopeless_until = now + params_.hopeless_pause;
    return false;
  }
  if (!fetch.give_up_at) fetch.give_up_at = now + params_.hopeless_pause;
  return *fetch.give_up_at > now;
}

bool EdgePool::refuses_all(const Edge& edge, TimePoint now) const {
  const auto offered = std::count_if(edge.urls.begin(), edge.urls.end(),
                                     [](const std::string& url) { return !url.empty(); });
  const auto refused = std::count_if(edge.refused_until.begin(), edge.refused_until.end(),
                                     [&](const auto& r) { return r.second > now; });
  return refused >= offered;
}

// ---------------------------------------------------------------------------------------------
// What the core and displays are told.

core::CdnHealth EdgePool::health_of(core::TorrentId id, const Torrent& torrent,
                                    TimePoint now) const {
  core::CdnHealth health{.torrent = id,
                         .available = false,
                         .first_byte_high = params_.health.first_byte_prior,
                         .throughput_low = params_.health.rate_prior};
  if (torrent.hopeless_until > now) return health;
  std::optional<std::pair<bool, Duration>> best;
  for (const Edge& edge : torrent.edges) {
    const EdgeHealth& measured = edge.server->second.health;
    if (edge.dropped || !measured.usable(now) || refuses_all(edge, now)) continue;
    const std::pair rank{
        edge.lies + edge.suspicions > 0,
        measured.first_byte_mean() + transfer_time(core::kBlockSize, measured.rate_mean())};
    if (best && *best <= rank) continue;
    best = rank;
    health.available = true;
    health.first_byte_high = measured.first_byte_high();
    health.throughput_low = measured.throughput_low();
  }
  return health;
}

void EdgePool::publish_health(TimePoint now) {
  for (auto& [id, torrent] : torrents_) {
    const core::CdnHealth health = health_of(id, torrent, now);
    if (torrent.told && same_health(*torrent.told, health)) continue;
    torrent.told = health;
    actions_.push_back(health);
  }
}

std::vector<EdgeStats> EdgePool::stats(core::TorrentId torrent, TimePoint now) const {
  std::vector<EdgeStats> result;
  const auto at = torrents_.find(torrent);
  if (at == torrents_.end()) return result;
  for (const Edge& edge : at->second.edges) {
    const Server& server = edge.server->second;
    EdgeStats& stats = result.emplace_back();
    stats.origin = edge.server->first;
    stats.state = edge.dropped                 ? EdgeState::kDropped
                  : !server.health.usable(now) ? EdgeState::kBackOff
                  : server.health.probing()    ? EdgeState::kProbing
                                               : EdgeState::kUp;
    stats.requests = server.requests;
    stats.failures = server.failures;
    stats.received = server.received;
    stats.in_flight = server.in_flight;
    stats.first_byte = server.health.first_byte_mean();
    stats.rate = server.health.rate_mean();
    stats.lies = edge.lies;
    stats.trouble = server.trouble;
  }
  return result;
}

void EdgePool::remember(Torrent& torrent, core::BlockIndex block, int edge) {
  if (!torrent.deliveries.empty()) {
    Delivery& last = torrent.deliveries.back();
    if (last.edge == edge && last.blocks.end == block) {
      last.blocks.end = block + 1;
      return;
    }
  }
  if (torrent.deliveries.size() == kMaxDeliveries) torrent.deliveries.pop_front();
  torrent.deliveries.push_back({{block, block + 1}, edge});
}

}  // namespace tributary::cdn
