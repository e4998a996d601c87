#include "engine/net/udp_tracker_client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "engine/net/tracker_server.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kPatience = 20s;
constexpr Duration kTimeout = 15s;
const Endpoint kRight = Endpoint::v4(10, 0, 0, 1, 6881);
const Endpoint kWrong = Endpoint::v4(6, 6, 6, 6, 666);

Endpoint loopback_v6(std::uint16_t port) {
  Endpoint out;
  out.address[15] = 1;
  out.port = port;
  return out;
}

bool is_connect(const wire::UdpTrackerRequest& request) {
  return std::holds_alternative<wire::UdpConnect>(request);
}

// A tracker that does with each request what a test wants, which is to answer unless told else.
class ScriptedTracker {
 public:
  using Script = std::function<bool(const wire::UdpTrackerRequest&)>;  // true: answer

  explicit ScriptedTracker(Loop& loop, const Endpoint& at = kAnyPort) {
    auto bound = DatagramSocket::bind(
        loop, at, [this](wire::Octets bytes, const Endpoint& from) { on_datagram(bytes, from); });
    REQUIRE(bound.ok());
    socket = std::move(*bound);
  }
  std::string url() const { return "udp://" + format_endpoint(socket->address()) + "/announce"; }
  void answer(const wire::UdpTrackerAnswer& what) { answer_from(*socket, what); }
  void answer_from(DatagramSocket& from, const wire::UdpTrackerAnswer& what) {
    from.send_to(wire::encode_udp_answer(what, wire::AddressFamily::kV4), client);
  }
  void answer_rightly(const wire::UdpTrackerRequest& request) {
    if (const auto* connect = std::get_if<wire::UdpConnect>(&request)) {
      return answer(wire::UdpConnected{connect->transaction, wire::UdpConnectionId(connects)});
    }
    if (const auto* scrape = std::get_if<wire::UdpScrape>(&request)) {
      return answer(wire::UdpScraped{scrape->transaction, {counts}});
    }
    answer(announced(std::get<wire::UdpAnnounce>(request).transaction, kRight));
  }
  static wire::UdpAnnounced announced(wire::UdpTransactionId transaction, const Endpoint& peer) {
    return {transaction, 1800s, 0, 1, {peer}};
  }

  std::unique_ptr<DatagramSocket> socket;
  Script script = [](const wire::UdpTrackerRequest&) { return true; };
  Endpoint client;
  std::uint64_t connects = 0;
  std::vector<wire::UdpAnnounce> announces;
  wire::SwarmCounts counts{3, 2, 7};  // of every swarm

 private:
  void on_datagram(wire::Octets bytes, const Endpoint& from) {
    client = from;
    const auto request = wire::decode_udp_request(bytes);
    REQUIRE(request.ok());
    if (const auto* announce = std::get_if<wire::UdpAnnounce>(&*request)) {
      announces.push_back(*announce);
    } else if (is_connect(*request)) {
      ++connects;
    }
    if (script(*request)) answer_rightly(*request);
  }
};

struct Bench {
  void start(const std::string& tracker, Duration timeout = kTimeout, std::uint16_t port = 7001) {
    wire::AnnounceRequest request;
    request.tracker = tracker;
    request.peer_id.bytes.fill(static_cast<std::uint8_t>(port));
    request.port = port;
    request.left = 5_B;
    request.event = core::AnnounceEvent::kStarted;
    request.key = 77;
    client->announce(request, timeout, [this](const Result<wire::AnnounceAnswer>& answer) {
      answers.push_back(answer);
    });
  }
  Result<wire::AnnounceAnswer> finish() {
    REQUIRE(loop.run_until([&] { return !answers.empty(); }, kPatience));
    const auto answer = answers.front();
    answers.clear();
    return answer;
  }
  Result<wire::AnnounceAnswer> announce(const std::string& tracker, Duration timeout = kTimeout,
                                        std::uint16_t port = 7001) {
    start(tracker, timeout, port);
    CHECK(answers.empty());
    return finish();
  }
  Result<wire::SwarmCounts> scrape(const std::string& tracker, Duration timeout = kTimeout) {
    std::optional<Result<wire::SwarmCounts>> counts;
    client->scrape(tracker, InfoHash(), timeout,
                   [&](const Result<wire::SwarmCounts>& result) { counts = result; });
    CHECK_FALSE(counts);
    REQUIRE(loop.run_until([&] { return counts.has_value(); }, kPatience));
    return *counts;
  }
  std::vector<Endpoint> peers(const std::string& tracker, std::uint16_t port = 7001) {
    const auto answer = announce(tracker, kTimeout, port);
    REQUIRE(answer.ok());
    return answer->peers;
  }

  Loop loop;
  std::unique_ptr<UdpTrackerClient> client = std::make_unique<UdpTrackerClient>(loop);
  std::vector<Result<wire::AnnounceAnswer>> answers;
};

TEST_CASE("two clients find each other through our tracker, over either family") {
  for (const Endpoint& address : {kAnyPort, loopback_v6(0)}) {
    Bench b;
    const auto server = TrackerServer::serve(b.loop, address, {}, 1);
    REQUIRE(server.ok());
    const std::string url = (*server)->udp_announce_url();
    CHECK(b.peers(url, 7001).empty());
    Endpoint first = address;
    first.port = 7001;
    CHECK(b.peers(url, 7002) == std::vector<Endpoint>{first});
    CHECK((*server)->announces() == 2);
    CHECK(b.client->open_sockets() == 1);
  }
}

TEST_CASE("an announce says what the request says, and one connection serves the next too") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  CHECK(b.peers(tracker.url()) == std::vector<Endpoint>{kRight});
  CHECK(b.peers(tracker.url()) == std::vector<Endpoint>{kRight});
  CHECK(tracker.connects == 1);
  REQUIRE(tracker.announces.size() == 2);
  const wire::UdpAnnounce& sent = tracker.announces.front();
  CHECK(sent.connection == wire::UdpConnectionId(1));
  CHECK(sent.key == 77);
  CHECK(sent.url_data == "/announce");
  CHECK(sent.query.port == 7001);
  CHECK(sent.query.left == 5_B);
  CHECK(sent.query.want == 50);
  CHECK(sent.query.event == core::AnnounceEvent::kStarted);
  CHECK(sent.transaction != tracker.announces.back().transaction);
}

TEST_CASE("a scrape uses the connection of an announce and may be lost as it may") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  CHECK(b.peers(tracker.url()) == std::vector<Endpoint>{kRight});
  CHECK(*b.scrape(tracker.url()) == wire::SwarmCounts{3, 2, 7});
  CHECK(tracker.connects == 1);
  int scrapes = 0;
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    return is_connect(request) || scrapes++ != 0;
  };
  CHECK(*b.scrape(tracker.url(), 6s) == wire::SwarmCounts{3, 2, 7});
  CHECK(scrapes >= 2);
}

TEST_CASE("a scrape that is refused, answered by too many counts or not at all tells why") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    if (is_connect(request)) return true;
    tracker.answer(wire::UdpRefused{std::get<wire::UdpScrape>(request).transaction, "not here"});
    return false;
  };
  CHECK(b.scrape(tracker.url()).error().message == "tracker refuses: not here");
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    if (is_connect(request)) return true;
    tracker.answer(wire::UdpScraped{std::get<wire::UdpScrape>(request).transaction, {{}, {}}});
    return false;
  };
  CHECK(b.scrape(tracker.url()).error().message ==
        "tracker's answer: counts of 2 hashes, where 1 were asked for");
  tracker.script = [](const wire::UdpTrackerRequest&) { return false; };
  CHECK(b.scrape(tracker.url(), 1s).error().message.starts_with("no answer by UDP within 1 s; "));
  CHECK(b.scrape("udp://127.0.0.1/announce").error().message.starts_with("the port is missing"));
}

TEST_CASE("connections that nobody waits for make room for more trackers") {
  Bench b;
  std::vector<std::unique_ptr<ScriptedTracker>> trackers;
  for (std::size_t n = 0; n < kMaxUdpTrackers + 2; ++n) {
    trackers.push_back(std::make_unique<ScriptedTracker>(b.loop));
    CHECK(b.scrape(trackers.back()->url()).ok());
  }
  CHECK(b.client->open_sockets() == kMaxUdpTrackers);
}

TEST_CASE("lost datagrams are sent again") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  int connects = 0;
  int announces = 0;
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    return (is_connect(request) ? connects : announces)++ != 0;
  };
  const auto answer = b.announce(tracker.url(), 6s);
  REQUIRE(answer.ok());
  CHECK(answer->peers == std::vector<Endpoint>{kRight});
  CHECK(connects >= 2);
  CHECK(announces >= 2);
}

TEST_CASE("answers with another transaction id or from another address are ignored") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  const auto stranger =
      DatagramSocket::bind(b.loop, kAnyPort, [](wire::Octets, const Endpoint&) {});
  REQUIRE(stranger.ok());
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    if (const auto* connect = std::get_if<wire::UdpConnect>(&request)) {
      const wire::UdpTransactionId other(connect->transaction.value() ^ 1);
      tracker.answer(wire::UdpConnected{other, wire::UdpConnectionId(666)});
      tracker.answer_from(**stranger,
                          wire::UdpConnected{connect->transaction, wire::UdpConnectionId(666)});
      return true;
    }
    const auto& announce = std::get<wire::UdpAnnounce>(request);
    const wire::UdpTransactionId other(announce.transaction.value() ^ 1);
    tracker.answer(ScriptedTracker::announced(other, kWrong));
    tracker.answer_from(**stranger, ScriptedTracker::announced(announce.transaction, kWrong));
    return true;
  };
  CHECK(b.peers(tracker.url()) == std::vector<Endpoint>{kRight});
  REQUIRE(tracker.announces.size() == 1);
  CHECK(tracker.announces.front().connection == wire::UdpConnectionId(1));
}

TEST_CASE("a tracker that never answers has failed in time, and its late answer is ignored") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  tracker.script = [](const wire::UdpTrackerRequest& request) { return is_connect(request); };
  const auto answer = b.announce(tracker.url(), 1s);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().message.starts_with("no answer by UDP within 1 s; "));
  REQUIRE_FALSE(tracker.announces.empty());
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    if (!is_connect(request)) {
      const auto& late = tracker.announces.front();
      tracker.answer(ScriptedTracker::announced(late.transaction, kWrong));
    }
    return true;
  };
  CHECK(b.peers(tracker.url()) == std::vector<Endpoint>{kRight});
}

TEST_CASE("a tracker that refuses, or a port where nobody listens, fails at once") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  tracker.script = [&](const wire::UdpTrackerRequest& request) {
    if (const auto* announce = std::get_if<wire::UdpAnnounce>(&request)) {
      tracker.answer(wire::UdpRefused{announce->transaction, "not here"});
    }
    return is_connect(request);
  };
  CHECK(b.announce(tracker.url()).error().message == "tracker refuses: not here");
  // Nobody else gets the port while it is held by TCP and free by UDP.
  TrackerServerOptions options;
  options.udp = false;
  const auto by_http = TrackerServer::serve(b.loop, kAnyPort, {}, 1, options);
  REQUIRE(by_http.ok());
  const std::string at = format_endpoint((*by_http)->address());
  CHECK(b.announce((*by_http)->udp_announce_url()).error().message ==
        "cannot reach " + at + " by UDP: connection refused");
}

TEST_CASE("a URL that names no tracker is told") {
  Bench b;
  CHECK(b.announce("udp://127.0.0.1/announce").error().message ==
        "the port is missing; a UDP tracker is udp://HOST:PORT/announce");
}

// A bench whose resolver knows the two loopback addresses of "both", and says nothing of others.
struct NamedBench : Bench {
  NamedBench() {
    client = std::make_unique<UdpTrackerClient>(
        loop, [](Loop& on, const HostPort& target, const ResolveCallback& callback) {
          if (target.host != "both") return;
          Endpoint v4 = kAnyPort;
          v4.port = target.port;
          Endpoint second = v4;
          second.address[15] = 2;
          on.post([=] { callback(std::vector<Endpoint>{loopback_v6(target.port), v4, second}); });
        });
  }
};

TEST_CASE("a host of both families is asked over both, at one address of each") {
  NamedBench b;
  const auto v4 = TrackerServer::serve(b.loop, kAnyPort, {}, 1);
  REQUIRE(v4.ok());
  const std::uint16_t port = (*v4)->address().port;
  const auto v6 = TrackerServer::serve(b.loop, loopback_v6(port), {}, 1);
  REQUIRE(v6.ok());
  const std::string url = "udp://both:" + std::to_string(port) + "/announce";
  CHECK(b.peers(url, 7001).empty());
  Endpoint first = kAnyPort;
  first.port = 7001;
  std::vector<Endpoint> found = b.peers(url, 7002);
  std::sort(found.begin(), found.end());
  CHECK(found == std::vector<Endpoint>{loopback_v6(7001), first});
  CHECK(b.client->open_sockets() == 2);
  CHECK((*v4)->announces() == 2);
  CHECK((*v6)->announces() == 2);
}

TEST_CASE("of the counts that both families give the larger ones are taken") {
  NamedBench b;
  ScriptedTracker v4(b.loop);
  const std::uint16_t port = v4.socket->address().port;
  ScriptedTracker v6(b.loop, loopback_v6(port));
  v6.counts = {1, 5, 9};
  CHECK(*b.scrape("udp://both:" + std::to_string(port)) == wire::SwarmCounts{3, 5, 9});
}

TEST_CASE("a family that is silent, or that nobody listens on, does not keep the other's answer") {
  NamedBench b;
  ScriptedTracker v4(b.loop);
  const std::uint16_t port = v4.socket->address().port;
  const std::string url = "udp://both:" + std::to_string(port) + "/announce";
  CHECK(b.peers(url) == std::vector<Endpoint>{kRight});
  ScriptedTracker v6(b.loop, loopback_v6(port));
  v6.script = [](const wire::UdpTrackerRequest&) { return false; };
  // Longer than the test may take: only the grace can end it.
  const auto answer = b.announce(url, 10 * kPatience);
  REQUIRE(answer.ok());
  CHECK(answer->peers == std::vector<Endpoint>{kRight});
  CHECK(v6.connects >= 1);
}

TEST_CASE("a name that is not looked up in time has failed") {
  NamedBench b;
  CHECK(b.announce("udp://slow:80", 50ms).error().message ==
        "the host's name was not looked up in time; check the name");
}

TEST_CASE("a client that goes away drops what is under way") {
  Bench b;
  ScriptedTracker tracker(b.loop);
  tracker.script = [](const wire::UdpTrackerRequest&) { return false; };
  b.start(tracker.url());
  b.start("udp://localhost:9/announce");
  b.start("udp://nowhere/");
  b.client->scrape(tracker.url(), InfoHash(), kTimeout,
                   [](const Result<wire::SwarmCounts>&) { FAIL("nobody answered"); });
  REQUIRE(b.loop.run_until([&] { return tracker.connects > 0; }, kPatience));
  b.start(tracker.url());
  b.client = nullptr;
  bool turned = false;
  b.loop.post([&] { turned = true; });
  REQUIRE(b.loop.run_until([&] { return turned; }, kPatience));
  for (const auto& answer : b.answers) CHECK_FALSE(answer.ok());  // from before
}

}  // namespace
}  // namespace tributary::net
