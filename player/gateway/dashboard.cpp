#include "player/gateway/dashboard.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cdn/http/file_response.h"
#include "engine/net/address.h"
#include "player/gateway/assets.h"
#include "player/gateway/request_guard.h"
#include "player/gateway/settings.h"

namespace tributary::player {
namespace {

using Json = nlohmann::ordered_json;
using net::HttpResponse;

// As often as numbers can be read.
constexpr Duration kInterval = 500ms;
constexpr std::size_t kCells = 240;
// A page that takes none of its events for minutes is sent no more.
constexpr std::size_t kMostUnsent = 4 << 20;
// Scripts, styles and media of this gateway alone; nothing embeds the page.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

double milliseconds(Duration time) { return static_cast<double>(time.count()) / 1e3; }

Json milliseconds_from(TimePoint at, TimePoint from) {
  return at == kNever ? Json() : Json(milliseconds(at - from));
}

std::string name_of(core::ConnId conn) {
  const bool inbound = (conn.value() & core::kInboundBit.value()) != 0;
  return (inbound ? "in:" : "out:") + std::to_string(conn.value() & ~core::kInboundBit.value());
}

std::string_view name_of(cdn::EdgeState state) {
  switch (state) {
    case cdn::EdgeState::kUp:
      return "up";
    case cdn::EdgeState::kProbing:
      return "probing";
    case cdn::EdgeState::kBackOff:
      return "resting";
    case cdn::EdgeState::kDropped:
      break;
  }
  return "dropped";
}

Json bytes_json(const core::ByteCounts& bytes) {
  Json cdn = Json::object();
  for (const core::CdnReason reason : core::kCdnReasons) {
    cdn[std::string(core::to_string(reason))] = bytes.cdn_by_reason[reason].count();
  }
  return {{"cdn", std::move(cdn)},
          {"peers", bytes.peers.count()},
          {"cache", bytes.cache.count()},
          {"uploaded", bytes.uploaded.count()},
          {"duplicate", bytes.duplicate.count()},
          {"corrupt", bytes.corrupt.count()}};
}

Json peers_json(const std::vector<core::PeerView>& peers) {
  Json list = Json::array();
  for (const core::PeerView& p : peers) {
    list.push_back({{"conn", name_of(p.conn)},
                    {"address", net::format_endpoint(p.remote)},
                    {"client", p.client},
                    {"flags", p.flags},
                    {"down_bps", p.down.bits_per_second()},
                    {"up_bps", p.up.bits_per_second()},
                    {"received", p.received.count()},
                    {"sent", p.sent.count()},
                    {"pieces", p.pieces},
                    {"in_flight", p.in_flight}});
  }
  return list;
}

Json edges_json(const std::vector<cdn::EdgeStats>& edges) {
  Json list = Json::array();
  for (const cdn::EdgeStats& e : edges) {
    list.push_back({{"origin", e.origin},
                    {"state", name_of(e.state)},
                    {"requests", e.requests},
                    {"failures", e.failures},
                    {"received", e.received.count()},
                    {"in_flight", e.in_flight},
                    {"first_byte_ms", milliseconds(e.first_byte)},
                    {"rate_bps", e.rate.bits_per_second()},
                    {"trouble", e.trouble}});
  }
  return list;
}

Json readers_json(const TorrentView& torrent, const ShelfTorrent* known) {
  Json list = Json::array();
  for (const core::ReaderView& r : torrent.readers) {
    const auto file = static_cast<std::size_t>(r.file.value());
    list.push_back({{"file", known ? known->metainfo->info.files[file].path : std::string()},
                    {"at", r.at.count()},
                    {"playhead_ms", milliseconds(r.playhead)},
                    {"buffered_ms", milliseconds(r.buffered)},
                    {"waits", r.waits}});
  }
  return list;
}

const ShelfTorrent* known_as(const TorrentView& torrent, const Shelf& shelf) {
  for (const InfoHash& hash : torrent.hashes) {
    if (const ShelfTorrent* known = shelf.find(hash.hex())) return known;
  }
  return nullptr;
}

std::string digits(const std::vector<CellState>& cells) {
  std::string text;
  for (const CellState cell : cells) text += static_cast<char>('0' + static_cast<int>(cell));
  return text;
}

bool is_video(const std::string& path) { return cdn::content_type_of(path).starts_with("video/"); }

HttpResponse page(const Asset& asset) {
  return {200,
          {{"Content-Type", std::string(cdn::content_type_of(asset.path))},
           {"Cache-Control", "no-cache"},
           {"Content-Security-Policy", std::string(kPolicy)}},
          std::string(asset.content)};
}

}  // namespace

std::string tracks_json(const Shelf& shelf) {
  Json list = Json::array();
  for (const ShelfTorrent& torrent : shelf.torrents()) {
    for (const PlaylistItem& track : torrent.tracks) {
      const auto file = static_cast<std::size_t>(track.file.value());
      const std::string& path = torrent.metainfo->info.files[file].path;
      const auto& hints = torrent.metainfo->hints;
      const Duration duration = file < hints.size() ? hints[file].duration : Duration::zero();
      list.push_back({{"torrent", torrent.id},
                      {"album", torrent.name},
                      {"title", track.title},
                      {"path", path},
                      {"url", format_shelf_path(torrent.id, path)},
                      {"type", cdn::content_type_of(path)},
                      {"video", is_video(path)},
                      {"duration_ms", milliseconds(duration)}});
    }
  }
  return dump(list);
}

std::string state_json(const EngineView& engine, const GatewayCounters& gateway,
                       const Shelf& shelf) {
  Json torrents = Json::array();
  for (const TorrentView& t : engine.torrents) {
    const ShelfTorrent* known = known_as(t, shelf);
    torrents.push_back({{"torrent", known ? known->id : std::string()},
                        {"number", t.id.value()},
                        {"name", t.name},
                        {"size", t.size.count()},
                        {"bytes", bytes_json(t.bytes)},
                        {"peers", peers_json(t.peers)},
                        {"edges", edges_json(t.edges)},
                        {"readers", readers_json(t, known)},
                        {"pieces", digits(t.pieces)},
                        {"emergency", t.emergency}});
  }
  return dump({{"settings", Json::parse(settings_json(engine))},
               {"streams", gateway.streams},
               {"sent", gateway.sent.count()},
               {"torrents", std::move(torrents)}});
}

std::string decision_json(const core::Decision& d) {
  Json candidates = Json::array();
  for (const core::Candidate& c : d.candidates) {
    candidates.push_back(
        {{"peer", name_of(c.peer)}, {"finish_ms", milliseconds_from(c.expected_finish, d.at)}});
  }
  const bool cdn = d.choice == core::Decision::Choice::kCdn;
  return dump({{"number", d.torrent.value()},
               {"block", d.blocks.begin.value()},
               {"blocks", d.blocks.size()},
               {"deadline_ms", milliseconds_from(d.deadline, d.at)},
               {"cdn_last_safe_ms", milliseconds_from(d.cdn_last_safe, d.at)},
               {"candidates", std::move(candidates)},
               {"from", cdn ? "cdn" : "peer"},
               {"peer", cdn ? Json() : Json(name_of(d.peer))},
               {"reason", cdn ? Json(core::to_string(d.reason)) : Json()},
               {"why", d.why}});
}

Dashboard::Dashboard(net::Loop& loop, Client& client, const Shelf& shelf,
                     const GatewayCounters& counters, const GatewayOptions& options)
    : loop_(loop),
      client_(client),
      shelf_(shelf),
      counters_(counters),
      options_(options),
      timer_(loop) {}

std::optional<HttpResponse> Dashboard::answer(const net::HttpServerRequest& request) {
  const std::string_view path =
      request.path == "/" ? std::string_view("/index.html") : std::string_view(request.path);
  for (const Asset& asset : assets()) {
    if (asset.path == path) return page(asset);
  }
  if (path == "/api/tracks") {
    return HttpResponse{200,
                        {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                        tracks_json(shelf_)};
  }
  if (path == "/api/events" && request.method == "GET") return watch(request.id);
  return std::nullopt;
}

HttpResponse Dashboard::change(const net::HttpServerRequest& request) {
  const auto refused = [](int status, const std::string& why) {
    return HttpResponse{status, {{"Content-Type", "text/plain; charset=utf-8"}}, why + "\n"};
  };
  const auto type = net::header_value(request.headers, "content-type");
  if (!comes_from_own_page(request.headers)) {
    return refused(403, "only this gateway's own page may change it");
  }
  if (!type || !type->starts_with("application/json")) {
    return refused(415, "settings are sent as application/json");
  }
  const auto settings = parse_settings(request.body);
  if (!settings) return refused(400, settings.error().message);
  const EngineView now = client_.engine_view(0);
  RateLimits limits = now.limits;
  limits.up = settings->up.value_or(limits.up);
  limits.down = settings->down.value_or(limits.down);
  client_.set_limits(limits);
  core::Policy policy = settings->policy.value_or(now.policy);
  if (settings->policy && options_.metered) policy = policy.metered();
  // Consent is the listener's, what a byte costs is not.
  client_.set_conduct(policy, settings->upload.value_or(now.upload) && !options_.metered);
  return {200,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          settings_json(client_.engine_view(0))};
}

// Server-sent events. The watcher is forgotten with its stream.
HttpResponse Dashboard::watch(net::HttpExchangeId id) {
  const auto watcher = std::make_shared<Watcher>();
  watchers_[id] = watcher;
  const std::shared_ptr<void> until_end(nullptr, [this, id](void*) { watchers_.erase(id); });
  net::BodyStream stream;
  stream.read = [watcher, until_end](std::span<std::uint8_t> out) -> std::int64_t {
    const std::size_t size = std::min(out.size(), watcher->unsent.size());
    if (size == 0) return net::BodyStream::kWait;
    std::memcpy(out.data(), watcher->unsent.data(), size);
    watcher->unsent.erase(0, size);
    return static_cast<std::int64_t>(size);
  };
  if (!timer_.active()) timer_.start(loop_.now(), [this] { tick(); });
  return {200,
          {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}},
          std::move(stream)};
}

void Dashboard::tick() {
  if (watchers_.empty()) return;
  const std::string state =
      "event: state\ndata: " + state_json(client_.engine_view(kCells), counters_, shelf_) + "\n\n";
  for (const auto& [id, watcher] : watchers_) {
    if (watcher->unsent.size() > kMostUnsent) continue;
    watcher->unsent += state;
    if (!options_.decisions) continue;
    const auto [decisions, last] = options_.decisions->since(watcher->seen);
    watcher->seen = last;
    for (const core::Decision& decision : decisions) {
      watcher->unsent += "event: decision\ndata: " + decision_json(decision) + "\n\n";
    }
  }
  for (const auto& [id, watcher] : std::map(watchers_)) resume_(id);
  timer_.start(loop_.now() + kInterval, [this] { tick(); });
}

}  // namespace tributary::player
