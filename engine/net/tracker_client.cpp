#include "engine/net/tracker_client.h"

#include <algorithm>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/wire/url.h"

namespace tributary::net {
namespace {

// Tracker ids remembered; a client follows far fewer swarms.
constexpr std::size_t kMaxTrackerIds = 1024;

wire::Octets octets_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr const char* kForeignScheme = "only http, https and udp trackers are supported";

// `read` gives the Result of a body.
template <class Read>
auto decode(const Result<HttpReply>& reply, Read read) -> decltype(read(wire::Octets())) {
  if (!reply) return reply.error();
  const int status = reply->head.status;
  auto answer = read(octets_of(reply->body));
  // Some trackers explain a refusal in the body of an error status.
  if (status != 200 && answer) return io_error("HTTP status " + std::to_string(status));
  if (!answer && status != 200) {
    return io_error("HTTP status " + std::to_string(status) + ": " + answer.error().message);
  }
  return answer;
}

HttpClientRequest request_of(std::string url, Duration timeout) {
  HttpClientRequest request;
  request.url = std::move(url);
  request.max_body = Bytes(std::int64_t{wire::kMaxTrackerAnswer});
  request.total_timeout = timeout;
  request.connect_timeout = std::min(request.connect_timeout, timeout);
  request.stall_timeout = timeout;
  return request;
}

Result<std::string> http_scrape_url(const std::string& tracker, const InfoHash& hash) {
  if (!wire::is_http_url(tracker)) return Error{ErrorCode::kUnsupported, kForeignScheme};
  return wire::scrape_url(tracker, std::span(&hash, 1));
}

Result<wire::SwarmCounts> scraped(const Result<HttpReply>& reply, const InfoHash& hash) {
  if (!reply && reply.error().code == ErrorCode::kLimit) {
    return Error{ErrorCode::kLimit, "its answer is longer than " +
                                        std::to_string(wire::kMaxTrackerAnswer >> 10) + " KiB"};
  }
  if (!reply) return Error{reply.error().code, "cannot be reached: " + reply.error().message};
  const auto counts = decode(reply, [&hash](wire::Octets body) {
    return wire::decode_scrape_answer(body, std::span(&hash, 1));
  });
  if (!counts) return counts.error();
  return counts->front();
}

}  // namespace

TrackerClient::TrackerClient(Loop& loop, HttpClient& client, TrackerIdentity identity, Sink sink,
                             LogSink log)
    : loop_(loop),
      client_(client),
      identity_(identity),
      sink_(std::move(sink)),
      log_(std::move(log)),
      udp_(loop) {}

TrackerClient::~TrackerClient() {
  for (const auto& [id, pending] : pending_) {
    for (const HttpRequestId request : pending.requests) client_.cancel(request);
  }
  for (const auto& [id, request] : scrapes_) client_.cancel(request);
}

void TrackerClient::announce(const core::Announce& announce, const std::vector<InfoHash>& hashes) {
  TRIBUTARY_CHECK(hashes.size() == 1 || hashes.size() == 2);
  const std::uint64_t id = next_id_++;
  Pending& pending = pending_[id];
  pending.ask = announce;
  pending.reply.torrent = announce.torrent;
  pending.reply.tracker = announce.tracker;
  if (!wire::is_http_url(announce.tracker) && !wire::is_udp_url(announce.tracker)) {
    on_error(pending, std::string(kForeignScheme) + "; it is passed over");
    loop_.post([this, id, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) settle(id);
    });
    return;
  }
  pending.open = hashes.size();
  for (const InfoHash& hash : hashes) send(id, hash);
}

void TrackerClient::send(std::uint64_t id, const InfoHash& hash) {
  const core::Announce& ask = pending_.at(id).ask;
  wire::AnnounceRequest announce;
  announce.tracker = ask.tracker;
  announce.info_hash = hash;
  announce.peer_id = identity_.peer_id;
  const bool reached = !identity_.loopback_only || wire::is_loopback_url(ask.tracker);
  announce.port = reached ? identity_.port : std::uint16_t{0};
  announce.uploaded = ask.uploaded;
  announce.downloaded = ask.downloaded;
  announce.left = ask.left;
  announce.event = ask.event;
  announce.want = ask.want;
  announce.key = identity_.key;
  const auto known = tracker_ids_.find({ask.tracker, hash});
  if (known != tracker_ids_.end()) announce.tracker_id = known->second;

  const Duration timeout =
      ask.event == core::AnnounceEvent::kStopped ? kStoppedTimeout : kAnnounceTimeout;
  if (!wire::is_udp_url(ask.tracker)) return send_by_http(id, announce, timeout);
  udp_.announce(announce, timeout, [this, id, hash](const Result<wire::AnnounceAnswer>& answer) {
    on_answer(id, hash, answer);
  });
}

void TrackerClient::send_by_http(std::uint64_t id, const wire::AnnounceRequest& announce,
                                 Duration timeout) {
  pending_.at(id).requests.push_back(
      client_.fetch(request_of(wire::announce_url(announce), timeout),
                    [this, id, hash = announce.info_hash](const Result<HttpReply>& reply) {
                      on_answer(id, hash, decode(reply, wire::decode_announce_answer));
                    }));
}

void TrackerClient::on_answer(std::uint64_t id, const InfoHash& hash,
                              const Result<wire::AnnounceAnswer>& answer) {
  Pending& pending = pending_.at(id);
  if (!answer) {
    on_error(pending, answer.error().message);
  } else {
    if (!answer->warning.empty()) on_error(pending, answer->warning);
    if (!answer->tracker_id.empty() && tracker_ids_.size() < kMaxTrackerIds) {
      tracker_ids_[{pending.ask.tracker, hash}] = answer->tracker_id;
    }
    merge(pending, *answer);
  }
  if (--pending.open == 0) settle(id);
}

void TrackerClient::merge(Pending& pending, const wire::AnnounceAnswer& answer) const {
  const bool first = !std::exchange(pending.answered, true);
  core::AnnounceReply& reply = pending.reply;
  for (const Endpoint& peer : answer.peers) {
    if (std::find(reply.peers.begin(), reply.peers.end(), peer) == reply.peers.end()) {
      reply.peers.push_back(peer);
    }
  }
  if (answer.own_address) reply.own_address = answer.own_address;
  // Some name zero where they do not count.
  const bool only_seeds = answer.leechers == 0 && answer.seeds.value_or(0) > 0;
  reply.only_seeds = only_seeds && (first || reply.only_seeds);
  reply.interval = std::max(reply.interval, answer.interval);
  reply.min_interval = std::max(reply.min_interval, answer.min_interval);
}

void TrackerClient::on_error(const Pending& pending, const std::string& message) const {
  if (log_) log_(LogLevel::kWarning, "tracker " + pending.ask.tracker + ": " + message);
}

void TrackerClient::settle(std::uint64_t id) {
  const auto node = pending_.extract(id);
  if (node.empty()) return;
  const Pending& pending = node.mapped();
  if (pending.answered) {
    sink_(pending.reply);
  } else {
    sink_(core::AnnounceFailed{pending.ask.torrent, pending.ask.tracker});
  }
}

void TrackerClient::scrape(const std::string& tracker, const InfoHash& hash, Duration timeout,
                           ScrapeCallback callback) {
  if (wire::is_udp_url(tracker)) return udp_.scrape(tracker, hash, timeout, std::move(callback));
  auto url = http_scrape_url(tracker, hash);
  if (url) return scrape_by_http(*std::move(url), hash, timeout, std::move(callback));
  loop_.post(
      [callback = std::move(callback), error = url.error(), alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) callback(error);
      });
}

void TrackerClient::scrape_by_http(std::string url, const InfoHash& hash, Duration timeout,
                                   ScrapeCallback callback) {
  const std::uint64_t id = next_id_++;
  scrapes_[id] = client_.fetch(
      request_of(std::move(url), timeout),
      [this, id, hash, callback = std::move(callback)](const Result<HttpReply>& reply) {
        scrapes_.erase(id);
        callback(scraped(reply, hash));
      });
}

}  // namespace tributary::net
