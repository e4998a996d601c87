// The life of one HTTP request of the edge pool: start, first byte, blocks, end.
#include <algorithm>
#include <utility>

#include "cdn/pool/cmcd.h"
#include "cdn/pool/edge_pool.h"
#include "engine/base/check.h"
#include "engine/base/url.h"

namespace tributary::cdn {
namespace {

// The server itself is in trouble, as opposed to one URL or one range on it.
bool blames_server(HttpOutcome outcome) {
  switch (outcome) {
    case HttpOutcome::kConnectFailed:
    case HttpOutcome::kTimeout:
    case HttpOutcome::kServerError:
    case HttpOutcome::kTruncated:
      return true;
    default:
      return false;
  }
}

// To be read after the server's name.
std::string trouble_of(const HttpDone& done) {
  switch (done.outcome) {
    case HttpOutcome::kOk:
    case HttpOutcome::kCancelled:
      return {};
    case HttpOutcome::kConnectFailed:
      return "cannot be reached";
    case HttpOutcome::kTimeout:
      return "does not answer in time";
    case HttpOutcome::kServerError:
    case HttpOutcome::kRefused:
      return done.status == 0 ? "refuses" : "answers " + std::to_string(done.status);
    case HttpOutcome::kRangeIgnored:
      return "does not serve ranges";
    case HttpOutcome::kBadRange:
      return "has a file of another size";
    case HttpOutcome::kEncoded:
      return "encodes its answers";
    case HttpOutcome::kTruncated:
      return "breaks off its answers";
    case HttpOutcome::kTooManyRedirects:
      break;
  }
  return "redirects without end";
}

std::string_view path_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t path = url.find('/', host);
  return path == std::string_view::npos ? "/" : url.substr(path, url.find('?', path) - path);
}

// The shortest relative form of `to` seen from `from`, both absolute paths.
std::string relative_path(std::string_view from, std::string_view to) {
  std::size_t common = 0;
  for (std::size_t i = 0; i < from.size() && i < to.size() && from[i] == to[i]; ++i) {
    if (from[i] == '/') common = i + 1;
  }
  std::string out;
  for (const char c : from.substr(common)) {
    if (c == '/') out += "../";
  }
  return out += to.substr(common);
}

}  // namespace

void EdgePool::start(Torrent& torrent, Fetch& fetch, int edge, BlockParts parts, TimePoint now) {
  Edge& chosen = torrent.edges[static_cast<std::size_t>(edge)];
  Attempt& attempt = fetch.attempt.emplace(Attempt{});
  attempt.id = HttpId(next_http_id_++);
  attempt.server = chosen.server;
  attempt.edge = edge;
  attempt.generation = torrent.generation;
  attempt.parts = std::move(parts.parts);
  attempt.started = now;

  HttpGet get;
  get.id = attempt.id;
  get.torrent = fetch.key.first;
  for (const FilePart& part : attempt.parts) {
    get.parts.push_back({chosen.urls[static_cast<std::size_t>(part.file.value())], part.range});
    attempt.size += part.range.size();
  }
  get.cuts = std::move(parts.cuts);
  const bool alternative = other_edge(torrent, edge, attempt.parts, now);
  get.connect_timeout = time_out(params_.connect_timeout, fetch, alternative, now);
  get.stall_timeout = time_out(params_.stall_timeout, fetch, alternative, now);
  if (params_.cmcd) get.headers = headers_for(torrent, fetch, attempt, now);
  torrent.stalled = false;

  ++fetch.attempts;
  ++running_;
  ++cdn_requests_;
  Server& server = chosen.server->second;
  ++server.in_flight;
  ++server.requests;
  server.outstanding += attempt.size;
  requests_.emplace(attempt.id, fetch.key);
  actions_.push_back(std::move(get));
}

// With another edge at hand and a deadline ahead, half of the remaining time is left for it.
Duration EdgePool::time_out(Duration limit, const Fetch& fetch, bool alternative,
                            TimePoint now) const {
  if (!alternative || !fetch.urgent || fetch.deadline == kNever) return limit;
  const Duration half = fetch.deadline <= now ? Duration::zero() : (fetch.deadline - now) / 2;
  return std::clamp(half, std::min(params_.shortest_timeout, limit), limit);
}

std::vector<std::pair<std::string, std::string>> EdgePool::headers_for(Torrent& torrent,
                                                                       const Fetch& fetch,
                                                                       const Attempt& attempt,
                                                                       TimePoint now) const {
  Cmcd data;
  data.buffered = fetch.buffered;
  if (fetch.deadline != kNever) {
    data.deadline = std::max(fetch.deadline - now, TimePoint::duration::zero());
  }
  if (torrent.media_rate > BitRate()) data.media_rate = torrent.media_rate;
  const EdgeHealth& health = attempt.server->second.health;
  if (health.rate_measured()) data.throughput = health.rate_mean();
  data.starting = fetch.starting || torrent.stalled;
  data.stalled = torrent.stalled;
  data.session = params_.session;
  next_object(torrent, fetch, attempt, &data.next_object, &data.next_range);
  return cmcd_headers(data);
}

// The fetch of the same torrent that is next in the queue, when its first part is known to be on
// this edge. CMCD names it relative to the request it is sent with: nothing can be named from
// another origin, nor in the headers that requests for several files share.
void EdgePool::next_object(const Torrent& torrent, const Fetch& fetch, const Attempt& attempt,
                           std::string* path, std::optional<ByteRange>* range) const {
  const core::FileIndex here = attempt.parts.front().file;
  if (attempt.parts.back().file != here) return;
  for (const FetchKey& key : queued_in_order()) {
    if (key.first != fetch.key.first || key == fetch.key) continue;
    const BlockParts next = parts_of(fetches_.at(key).missing, torrent.layout, torrent.files);
    if (next.parts.empty()) continue;
    const FilePart& part = next.parts.front();
    const Edge& edge = torrent.edges[static_cast<std::size_t>(attempt.edge)];
    const auto index = static_cast<std::size_t>(part.file.value());
    if (index >= edge.urls.size() || edge.urls[index].empty()) return;
    if (part.file != here) {
      const std::string& from = edge.urls[static_cast<std::size_t>(here.value())];
      if (origin_of(from) != origin_of(edge.urls[index])) return;
      *path = relative_path(path_of(from), path_of(edge.urls[index]));
    }
    *range = part.range;
    return;
  }
}

EdgePool::Fetch* EdgePool::fetch_of(HttpId id) {
  const auto at = requests_.find(id);
  return at == requests_.end() ? nullptr : &fetches_.at(at->second);
}

void EdgePool::on_first_byte(const HttpFirstByte& input, TimePoint now) {
  Fetch* fetch = fetch_of(input.id);
  if (!fetch || fetch->attempt->first_byte) return;
  fetch->attempt->first_byte = now;
  fetch->attempt->server->second.health.on_first_byte(now - fetch->attempt->started);
}

void EdgePool::on_block(const HttpBlock& input) {
  Fetch* fetch = fetch_of(input.id);
  if (!fetch) {
    actions_.push_back(core::Free{input.buffer});
    return;
  }
  const auto at = std::lower_bound(fetch->missing.begin(), fetch->missing.end(), input.block);
  if (at == fetch->missing.end() || *at != input.block) {
    actions_.push_back(core::Free{input.buffer});
    return;
  }
  fetch->missing.erase(at);
  Attempt& attempt = *fetch->attempt;
  attempt.delivered = true;
  Torrent& torrent = torrents_.at(fetch->key.first);
  if (attempt.generation == torrent.generation) remember(torrent, input.block, attempt.edge);
  actions_.push_back(
      core::CdnBlock{fetch->key.first, fetch->key.second, input.block, input.buffer});
}

void EdgePool::on_done(const HttpDone& input, TimePoint now) {
  Fetch* fetch = fetch_of(input.id);
  if (!fetch) return;  // of a torrent that was removed
  HttpDone done = input;
  if (done.outcome == HttpOutcome::kOk && !fetch->missing.empty()) {
    done.outcome = HttpOutcome::kTruncated;
  }
  const Attempt attempt = *fetch->attempt;
  release(attempt);
  fetch->attempt.reset();
  measure(attempt, done, now);
  judge(torrents_.at(fetch->key.first), *fetch, attempt, done, now);
  const bool again = !attempt.cancelled && fetch->urgent && !fetch->missing.empty() &&
                     done.outcome != HttpOutcome::kCancelled;
  if (!again) end(fetch->key);
}

void EdgePool::measure(const Attempt& attempt, const HttpDone& done, TimePoint now) {
  Server& server = attempt.server->second;
  server.received += done.received;
  if (attempt.first_byte) {
    server.health.on_body(done.received, now - *attempt.first_byte);
  } else if (done.outcome == HttpOutcome::kTimeout) {
    server.health.on_first_byte(now - attempt.started);  // it would have taken at least so long
  }
}

void EdgePool::judge(Torrent& torrent, const Fetch& fetch, const Attempt& attempt,
                     const HttpDone& done, TimePoint now) {
  Server& server = attempt.server->second;
  if (done.outcome == HttpOutcome::kCancelled) return;
  server.trouble = trouble_of(done);
  if (done.outcome == HttpOutcome::kOk) {
    server.health.on_success();
    if (attempt.generation != torrent.generation) return;
    Edge& edge = torrent.edges[static_cast<std::size_t>(attempt.edge)];
    for (const FilePart& part : attempt.parts) edge.refused_until.erase(part.file);
    return;
  }
  ++server.failures;
  if (!blames_server(done.outcome)) {
    server.health.on_success();  // it answers, and promptly
    refuse(torrent, attempt, done.received, now);
    return;
  }
  // A connection that broke after it had delivered may be mended by a new one at once; twice in a
  // row is trouble.
  const bool broke_once = done.outcome == HttpOutcome::kTruncated && attempt.delivered &&
                          server.health.failures_in_row() == 0 && !fetch.missing.empty();
  if (broke_once) {
    server.health.on_interruption();
  } else {
    server.health.on_failure(attempt.started, now, done.retry_after.value_or(Duration::zero()),
                             random_);
  }
}

// The part whose bytes were next when the request failed is the one that the edge refused.
void EdgePool::refuse(Torrent& torrent, const Attempt& attempt, Bytes received, TimePoint now) {
  if (attempt.generation != torrent.generation) return;
  Edge& edge = torrent.edges[static_cast<std::size_t>(attempt.edge)];
  for (const FilePart& part : attempt.parts) {
    if (received < part.range.size() || &part == &attempt.parts.back()) {
      edge.refused_until[part.file] = now + params_.refused_retry;
      return;
    }
    received -= part.range.size();
  }
}

void EdgePool::release(const Attempt& attempt) {
  Server& server = attempt.server->second;
  TRIBUTARY_CHECK(server.in_flight > 0 && running_ > 0);
  --server.in_flight;
  --running_;
  server.outstanding -= attempt.size;
  requests_.erase(attempt.id);
}

void EdgePool::end(FetchKey key) {
  fetches_.erase(key);
  ended_.push_back({key.first, key.second});
}

}  // namespace tributary::cdn
