// Performs the core's announces at trackers, over HTTP (BEP 3, 7, 23) and UDP (BEP 15), and asks
// them how large a swarm is (BEP 48).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/log.h"
#include "engine/core/events.h"
#include "engine/net/http_client.h"
#include "engine/net/loop.h"
#include "engine/net/udp_tracker_client.h"
#include "engine/wire/tracker.h"

namespace tributary::net {

// A tracker that has not answered by then will not: the core asks the next of the tier.
inline constexpr Duration kAnnounceTimeout = 15s;
// Quitting must not wait for a tracker.
inline constexpr Duration kStoppedTimeout = 2s;

// How we present ourselves to trackers.
struct TrackerIdentity {
  PeerId peer_id;
  std::uint16_t port = 0;      // where we accept peers
  std::uint32_t key = 0;       // random for each session
  bool loopback_only = false;  // on this machine alone: other machines' trackers are told no port
};

// Loop thread only; must not outlive its client and loop.
class TrackerClient {
 public:
  using Outcome = std::variant<core::AnnounceReply, core::AnnounceFailed>;
  // Never called from within announce(). It must not destroy the tracker client.
  using Sink = std::function<void(const Outcome&)>;

  TrackerClient(Loop& loop, HttpClient& client, TrackerIdentity identity, Sink sink, LogSink log);
  // Drops what runs without further calls.
  ~TrackerClient();
  TrackerClient(const TrackerClient&) = delete;
  TrackerClient& operator=(const TrackerClient&) = delete;

  // Announces each hash (a hybrid torrent has two, BEP 52) and answers once: with all peers and the
  // longer intervals when any announce succeeded, else with AnnounceFailed. Schemes other than
  // http, https and udp fail with a line in the log. REQUIRES: 1 or 2 hashes.
  void announce(const core::Announce& announce, const std::vector<InfoHash>& hashes);

  // Asks the tracker how many are in the swarm, and calls back once, within `timeout` but never
  // from within this call. The callback must not destroy the tracker client. Errors: kUnsupported
  // where the URL tells that no scrape is offered (see wire::scrape_url()) or is of another scheme;
  // kIo where the tracker cannot be reached or refuses; kLimit for an answer over
  // kMaxTrackerAnswer; kInvalid for one that makes no sense.
  using ScrapeCallback = UdpTrackerClient::ScrapeCallback;
  void scrape(const std::string& tracker, const InfoHash& hash, Duration timeout,
              ScrapeCallback callback);

  // Announces.
  std::size_t running() const { return pending_.size(); }

  // The port that announces name from now on.
  void set_port(std::uint16_t port) { identity_.port = port; }

 private:
  struct Pending {
    core::Announce ask;
    std::size_t open = 0;
    bool answered = false;
    core::AnnounceReply reply;
    std::vector<HttpRequestId> requests;
  };

  void send(std::uint64_t id, const InfoHash& hash);
  void send_by_http(std::uint64_t id, const wire::AnnounceRequest& announce, Duration timeout);
  void on_answer(std::uint64_t id, const InfoHash& hash,
                 const Result<wire::AnnounceAnswer>& answer);
  void on_error(const Pending& pending, const std::string& message) const;
  void merge(Pending& pending, const wire::AnnounceAnswer& answer) const;
  void settle(std::uint64_t id);
  void scrape_by_http(std::string url, const InfoHash& hash, Duration timeout,
                      ScrapeCallback callback);

  Loop& loop_;
  HttpClient& client_;
  TrackerIdentity identity_;
  Sink sink_;
  LogSink log_;
  std::map<std::uint64_t, Pending> pending_;
  std::map<std::uint64_t, HttpRequestId> scrapes_;  // by HTTP, under way
  std::map<std::pair<std::string, InfoHash>, std::string> tracker_ids_;
  std::uint64_t next_id_ = 1;
  UdpTrackerClient udp_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tributary::net
