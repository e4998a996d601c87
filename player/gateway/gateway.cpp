#include "player/gateway/gateway.h"

#include <algorithm>
#include <utility>

#include "cdn/http/file_response.h"
#include "engine/net/address.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"
#include "player/gateway/body.h"
#include "player/gateway/dashboard.h"
#include "player/gateway/metrics.h"

namespace tributary::player {
namespace {

using net::HttpHeaders;
using net::HttpResponse;
using net::HttpServerRequest;

constexpr std::string_view kPlaylistType = "application/vnd.apple.mpegurl";
// A player may take a segment that follows another only when all of it is there: once it is due,
// all of it is.
constexpr BitRate kAtOnce = 10'000_Mbps;

HttpResponse text_response(int status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text) + "\n"};
}

HttpResponse playlist_response(std::string text) {
  return {200,
          {{"Content-Type", std::string(kPlaylistType)}, {"Cache-Control", "no-cache"}},
          std::move(text)};
}

// A page or script within a torrent is shown as text: it must not run as if it were the gateway's.
std::string type_of(const std::string& path) {
  std::string type(cdn::content_type_of(path));
  const bool page = type.starts_with("text/") || type == "application/octet-stream";
  const bool plain = type.starts_with("text/vtt") || type == "application/octet-stream";
  return page && !plain ? "text/plain; charset=utf-8" : type;
}

// Of any content: nothing is guessed from it, other sites do not embed it, and no script runs in it
// but the page that says so itself.
void add_guards(HttpHeaders& headers) {
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  const auto is_policy = [](const auto& field) { return field.first == "Content-Security-Policy"; };
  if (std::none_of(headers.begin(), headers.end(), is_policy)) {
    headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  }
  headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  headers.emplace_back("Referrer-Policy", "no-referrer");
}

}  // namespace

class Gateway::State : public std::enable_shared_from_this<State> {
 public:
  State(net::Loop& l, Client& c, const std::vector<PlaylistItem>& items, GatewayOptions o)
      : loop(l),
        client(c),
        shelf(items),
        options(std::move(o)),
        dashboard(l, c, shelf, counters, options) {}

  net::Loop& loop;
  Client& client;
  const Shelf shelf;
  const GatewayOptions options;
  GatewayCounters counters;
  std::map<std::string, HlsPace> paces;  // by the torrent's id
  Dashboard dashboard;
  std::unique_ptr<net::HttpServer> server;

  HttpResponse handle(const HttpServerRequest& request);
  std::string token_query() const;

 private:
  HttpResponse answer(const HttpServerRequest& request);
  HttpResponse serve_path(const HttpServerRequest& request, const ShelfPath& path);
  HttpResponse serve_file(const HttpServerRequest& request, const ShelfTorrent& torrent,
                          const std::string& path, core::FileIndex file);
  HttpResponse serve_hls(const HttpServerRequest& request, const ShelfTorrent& torrent,
                         const std::string& path, core::FileIndex file);
  std::unique_ptr<Reader> open(const HttpServerRequest& request, const ShelfTorrent& torrent,
                               core::FileIndex file, ReaderOptions reading);
  ReaderOptions pace_of(const HttpServerRequest& request, const ShelfTorrent& torrent,
                        const std::string& path, bool from_start);
  std::function<void(Bytes)> count_stream();
  GatewayBase base_for(const HttpServerRequest& request) const;
};

HttpResponse Gateway::State::handle(const HttpServerRequest& request) {
  HttpResponse response = answer(request);
  add_guards(response.headers);
  ++counters.requests[response.status];
  return response;
}

HttpResponse Gateway::State::answer(const HttpServerRequest& request) {
  if (const auto refusal = refuse(request.headers, request.query, options.access)) {
    HttpResponse response = text_response(refusal->status, refusal->message);
    if (refusal->status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  const bool settings = request.path == kSettingsPath;
  if (settings && request.method == "POST") return dashboard.change(request);
  if (settings || (request.method != "GET" && request.method != "HEAD")) {
    const std::string_view allowed = settings ? "POST" : "GET, HEAD";
    HttpResponse response = text_response(405, "allowed here: " + std::string(allowed));
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  if (auto page = dashboard.answer(request)) {
    if (query_value(request.query, "token")) {
      page->headers.emplace_back("Set-Cookie", token_cookie(options.access.token));
    }
    return *std::move(page);
  }
  if (request.path == "/metrics") {
    return {200,
            {{"Content-Type", std::string(kMetricsType)}, {"Cache-Control", "no-store"}},
            metrics_text(client.engine_view(0), counters)};
  }
  if (request.path == "/playlist.m3u8") {
    std::vector<const ShelfTorrent*> all;
    for (const ShelfTorrent& torrent : shelf.torrents()) all.push_back(&torrent);
    return playlist_response(album_playlist(all, base_for(request)));
  }
  const auto path = parse_shelf_path(request.path);
  if (!path) return text_response(404, "there is nothing here; begin at /");
  return serve_path(request, *path);
}

HttpResponse Gateway::State::serve_path(const HttpServerRequest& request, const ShelfPath& path) {
  const ShelfTorrent* torrent = shelf.find(path.id);
  if (!torrent) {
    return text_response(404, "no torrent '" + wire::printable(path.id) + "' is open here");
  }
  if (path.file.empty()) return playlist_response(album_playlist({torrent}, base_for(request)));
  const auto file = torrent->files.find(path.file);
  if (file == torrent->files.end()) {
    return text_response(404, "the torrent has no file '" + wire::printable(path.file) + "'");
  }
  const auto index = static_cast<std::size_t>(file->second.value());
  const Bytes size = torrent->metainfo->info.files[index].length;
  if (is_playlist_path(path.file) && size <= kMaxHlsPlaylist) {
    return serve_hls(request, *torrent, path.file, file->second);
  }
  return serve_file(request, *torrent, path.file, file->second);
}

// The content behind an info-hash never changes, so its name is a strong tag, and no date is told.
HttpResponse Gateway::State::serve_file(const HttpServerRequest& request,
                                        const ShelfTorrent& torrent, const std::string& path,
                                        core::FileIndex file) {
  const auto index = static_cast<std::size_t>(file.value());
  const cdn::FileFacts facts{torrent.metainfo->info.files[index].length,
                             {},
                             '"' + torrent.id + '-' + std::to_string(index) + '"'};
  cdn::FilePlan plan = cdn::plan_file_response(request.method, request.headers, facts);
  std::erase_if(plan.headers, [](const auto& field) { return field.first == "Last-Modified"; });
  if (plan.status == 416) {
    HttpResponse response = text_response(
        416, "the range begins beyond the file's " + std::to_string(facts.size.count()) + " bytes");
    for (auto& field : plan.headers) response.headers.push_back(std::move(field));
    return response;
  }
  HttpResponse response{plan.status, std::move(plan.headers), {}};
  response.headers.emplace_back("Content-Type", type_of(path));
  response.headers.emplace_back("Cache-Control", "private, max-age=86400, immutable");
  if (plan.body.empty()) return response;
  if (request.method == "HEAD") {
    response.body = net::BodyStream{plan.body.size(), [](auto) { return net::BodyStream::kEnd; }};
  } else {
    ReaderOptions reading = pace_of(request, torrent, path, plan.body.begin == 0_B);
    reading.end = plan.body.end;
    response.body =
        file_body(open(request, torrent, file, std::move(reading)), plan.body, count_stream());
  }
  return response;
}

// A segment of a stream is due when those that the player has asked for before are played.
ReaderOptions Gateway::State::pace_of(const HttpServerRequest& request, const ShelfTorrent& torrent,
                                      const std::string& path, bool from_start) {
  ReaderOptions reading;
  reading.rate = options.reading_rate;
  const auto pace = paces.find(torrent.id);
  if (!from_start || pace == paces.end()) return reading;
  Endpoint from = request.remote;
  from.port = 0;  // of a player that connects anew for each segment
  const std::string agent(net::header_value(request.headers, "user-agent").value_or(""));
  reading.lead = pace->second.lead(net::format_endpoint(from) + agent, path, loop.now());
  if (reading.lead > Duration::zero()) reading.rate = kAtOnce;
  return reading;
}

HttpResponse Gateway::State::serve_hls(const HttpServerRequest& request,
                                       const ShelfTorrent& torrent, const std::string& path,
                                       core::FileIndex file) {
  HttpResponse response = playlist_response({});
  if (request.method == "HEAD") return response;
  ReaderOptions reading;
  reading.end = kMaxHlsPlaylist;
  reading.rate = kAtOnce;  // nothing plays before it is read
  const auto note = [weak = weak_from_this(), id = torrent.id](const auto& segments) {
    if (const auto self = weak.lock()) self->paces[id].note(segments);
  };
  response.body = hls_body(open(request, torrent, file, std::move(reading)), torrent, path,
                           base_for(request), note);
  return response;
}

std::unique_ptr<Reader> Gateway::State::open(const HttpServerRequest& request,
                                             const ShelfTorrent& torrent, core::FileIndex file,
                                             ReaderOptions reading) {
  reading.peers = torrent.peers;
  reading.wake = [weak = weak_from_this(), loop = &loop, id = request.id] {
    loop->post([weak, id] {
      if (const auto self = weak.lock(); self && self->server) self->server->resume(id);
    });
  };
  return client.open_reader(torrent.metainfo, file, std::move(reading));
}

// Counted as long as the function lives, which is as long as its stream.
std::function<void(Bytes)> Gateway::State::count_stream() {
  ++counters.streams;
  const std::shared_ptr<void> until_end(nullptr, [weak = weak_from_this()](void*) {
    if (const auto self = weak.lock()) --self->counters.streams;
  });
  return [this, until_end](Bytes bytes) { counters.sent += bytes; };
}

std::string Gateway::State::token_query() const {
  const std::string& token = options.access.token;
  return token.empty() ? token : "?token=" + wire::percent_encode(token);
}

// By the name that the player knows us by.
GatewayBase Gateway::State::base_for(const HttpServerRequest& request) const {
  return {"http://" + net::header_value(request.headers, "host").value_or(""), token_query()};
}

Gateway::Gateway(std::shared_ptr<State> state) : state_(std::move(state)) {}

// Streams that are open end first: they count themselves.
Gateway::~Gateway() { state_->server.reset(); }

Result<std::unique_ptr<Gateway>> Gateway::serve(net::Loop& loop, Client& client,
                                                const std::vector<PlaylistItem>& items,
                                                GatewayOptions options) {
  if (options.access.token.empty() && !options.listen.is_loopback()) {
    return invalid("others than this machine could use the gateway at " +
                   net::format_endpoint(options.listen) +
                   "; give a --token, or listen at 127.0.0.1");
  }
  const Endpoint address = options.listen;
  auto state = std::make_shared<State>(loop, client, items, std::move(options));
  auto server = net::HttpServer::listen(
      loop, address, [raw = state.get()](const HttpServerRequest& r) { return raw->handle(r); });
  if (!server) return server.error();
  state->server = *std::move(server);
  state->dashboard.on_resume(
      [raw = state.get()](net::HttpExchangeId id) { raw->server->resume(id); });
  return std::unique_ptr<Gateway>(new Gateway(std::move(state)));
}

Endpoint Gateway::address() const { return state_->server->address(); }
std::string Gateway::url() const { return state_->server->url(); }
std::string Gateway::playlist_url() const {
  return url() + "/playlist.m3u8" + state_->token_query();
}
const GatewayCounters& Gateway::counters() const { return state_->counters; }

}  // namespace tributary::player
