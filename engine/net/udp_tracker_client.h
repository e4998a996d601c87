// Announces and scrapes at UDP trackers (BEP 15): names looked up, sockets and time for
// UdpTrackerSession.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/address.h"
#include "engine/net/datagram_socket.h"
#include "engine/net/loop.h"
#include "engine/net/timer.h"
#include "engine/wire/tracker.h"
#include "engine/wire/udp_tracker.h"
#include "engine/wire/udp_tracker_session.h"

namespace tributary::net {

// Once a tracker has answered over one family, the other gets this much longer: a host whose IPv6
// leads nowhere would else wait for its time-out with every announce. It listed us all the same if
// the request came through.
inline constexpr Duration kOtherFamilyGrace = 1s;
// Addresses spoken to at a time, each with a socket. One torrent announces at one tracker at a
// time.
inline constexpr std::size_t kMaxUdpTrackers = 64;

// Loop thread only; must not outlive its loop.
// Tracks: what is asked for, and a session with its socket for each address of a tracker, kept as
// long as its connection id is good, or until another needs the room.
class UdpTrackerClient {
 public:
  using Callback = std::function<void(const Result<wire::AnnounceAnswer>&)>;
  using ScrapeCallback = std::function<void(const Result<wire::SwarmCounts>&)>;

  // As resolve() of address.h.
  using Resolver = std::function<void(Loop&, const HostPort&, ResolveCallback)>;

  explicit UdpTrackerClient(Loop& loop, Resolver resolver = resolve);
  // Drops what runs without further calls.
  ~UdpTrackerClient();
  UdpTrackerClient(const UdpTrackerClient&) = delete;
  UdpTrackerClient& operator=(const UdpTrackerClient&) = delete;

  // Announces to the tracker's first address of each family and calls back once, within `timeout`
  // but never from within this call, with the peers of all answers or with an error. The callback
  // must not destroy the client.
  void announce(const wire::AnnounceRequest& request, Duration timeout, Callback callback);
  // Asks in the same way how many are in the swarm. Where both families answer, which may count the
  // same peers, each number is the larger one.
  void scrape(const std::string& tracker, const InfoHash& hash, Duration timeout,
              ScrapeCallback callback);

  // Sockets open now.
  std::size_t open_sockets() const { return trackers_.size(); }

 private:
  using JobId = wire::UdpTrackerSession::RequestId;
  using Question = wire::UdpTrackerSession::Question;
  using Answer = wire::UdpTrackerSession::Answer;
  using AnswerCallback = std::function<void(const Result<Answer>&)>;
  struct Job {
    Question question;
    TimePoint settle_at;   // at the latest
    std::size_t open = 0;  // addresses that have not answered
    std::optional<Answer> answer;
    std::optional<Error> error;  // the first
    AnswerCallback callback;
  };
  struct Tracker {
    wire::UdpTrackerSession session;
    std::unique_ptr<DatagramSocket> socket;
  };

  void start(const std::string& tracker, Question question, Duration timeout,
             AnswerCallback callback);
  void on_resolved(JobId id, const Result<std::vector<Endpoint>>& addresses);
  void ask(JobId id, const Endpoint& at);
  Result<Tracker*> tracker_at(const Endpoint& at);
  void on_finished(JobId id, const Result<Answer>& answer);
  void settle(JobId id);
  void settle_in_error(JobId id, Error error);
  void pump();
  void settle_late();
  void drop_useless();
  void make_room();
  void arm();

  Loop& loop_;
  Resolver resolver_;
  std::map<JobId, Job> jobs_;
  std::map<Endpoint, Tracker> trackers_;
  Timer timer_;
  std::uint64_t next_id_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tributary::net
