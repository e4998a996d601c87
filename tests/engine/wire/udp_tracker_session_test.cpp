#include "engine/wire/udp_tracker_session.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using RequestId = UdpTrackerSession::RequestId;

TimePoint at(Duration d) { return TimePoint(d); }

constexpr RequestId kFirst{1};
constexpr RequestId kSecond{2};
constexpr UdpConnectionId kConnection{0xc0ffee};
const Endpoint kPeer = Endpoint::v4(10, 0, 0, 1, 6881);

// A session whose transaction ids are 1, 2, 3, …, and what it wants done as texts.
struct Bench {
  explicit Bench(AddressFamily family = AddressFamily::kV4)
      : session(family, [n = std::make_shared<std::uint32_t>()] { return ++*n; }) {}

  void announce(RequestId id, Duration now, Duration timeout = 15s) {
    UdpAnnounce ask;
    ask.query.port = 6881;
    session.ask(id, ask, timeout, at(now));
  }
  void scrape(RequestId id, std::size_t hashes, Duration now) {
    session.ask(id, UdpScrape{{}, {}, std::vector<InfoHash>(hashes)}, 15s, at(now));
  }
  void answer(const UdpTrackerAnswer& answer, Duration now) {
    session.handle(encode_udp_answer(answer, AddressFamily::kV4), at(now));
  }
  void connected(std::uint32_t transaction, Duration now, UdpConnectionId id = kConnection) {
    answer(UdpConnected{UdpTransactionId(transaction), id}, now);
  }
  void announced(std::uint32_t transaction, Duration now) {
    answer(UdpAnnounced{UdpTransactionId(transaction), 1800s, 0, 1, {kPeer}}, now);
  }
  void refused(std::uint32_t transaction, Duration now) {
    answer(UdpRefused{UdpTransactionId(transaction), "no"}, now);
  }
  // All that poll gives, separated by spaces: "connect:1", "announce:2", "done:1", "failed:1".
  std::string poll(Duration now) {
    std::string out;
    while (auto action = session.poll(at(now))) {
      if (!out.empty()) out += ' ';
      if (const auto* send = std::get_if<UdpTrackerSession::Send>(&*action)) {
        out += describe(*decode_udp_request(send->datagram));
      } else {
        const auto& finished = std::get<UdpTrackerSession::Finished>(*action);
        out += finished.answer ? "done:" : "failed:";
        out += std::to_string(finished.request.value());
        if (finished.answer) note(*finished.answer);
        if (!finished.answer) error = finished.answer.error().message;
      }
    }
    return out;
  }
  std::string describe(const UdpTrackerRequest& request) {
    if (const auto* connect = std::get_if<UdpConnect>(&request)) {
      return "connect:" + std::to_string(connect->transaction.value());
    }
    if (const auto* scrape = std::get_if<UdpScrape>(&request)) {
      used = scrape->connection;
      return "scrape:" + std::to_string(scrape->transaction.value());
    }
    const auto& announce = std::get<UdpAnnounce>(request);
    used = announce.connection;
    return "announce:" + std::to_string(announce.transaction.value());
  }
  void note(const UdpTrackerSession::Answer& answer) {
    if (const auto* announced = std::get_if<AnnounceAnswer>(&answer)) peers = announced->peers;
    if (const auto* n = std::get_if<std::vector<SwarmCounts>>(&answer)) counts = *n;
  }

  UdpTrackerSession session;
  std::vector<Endpoint> peers;
  std::vector<SwarmCounts> counts;
  std::string error;
  UdpConnectionId used;
};

TEST_CASE("an announce connects first and is then answered") {
  Bench b;
  CHECK(b.poll(0s) == "");
  CHECK(b.session.next_deadline() == kNever);
  b.announce(kFirst, 0s);
  CHECK(b.session.next_deadline() <= at(0s));
  CHECK(b.poll(0s) == "connect:2");
  CHECK(b.session.next_deadline() == at(5s));
  b.connected(2, 1s);
  CHECK(b.poll(1s) == "announce:1");
  CHECK(b.used == kConnection);
  CHECK(b.session.next_deadline() == at(6s));
  b.announced(1, 2s);
  CHECK(b.poll(2s) == "done:1");
  CHECK(b.peers == std::vector<Endpoint>{kPeer});
  CHECK(b.session.next_deadline() == kNever);
}

TEST_CASE("a connection id serves for 60 s, and all announces meanwhile") {
  Bench b;
  b.announce(kFirst, 0s);
  b.announce(kSecond, 0s);  // a hybrid's other hash
  CHECK(b.poll(0s) == "connect:3");
  b.connected(3, 1s);
  CHECK(b.poll(1s) == "announce:1 announce:2");
  b.announced(2, 1s);
  b.announced(1, 1s);
  CHECK(b.poll(1s) == "done:2 done:1");
  CHECK(b.session.useful_until() == at(61s));
  b.announce(RequestId(3), 61s - 1us);
  CHECK(b.poll(61s - 1us) == "announce:4");
  CHECK(b.session.useful_until() == kNever);
  b.announced(4, 61s);
  CHECK(b.poll(61s) == "done:3");
  b.announce(RequestId(4), 61s);
  CHECK(b.poll(61s) == "connect:6");
}

TEST_CASE("a lost connect is sent again after a third of the time-out, then the time is up") {
  Bench b;
  b.announce(kFirst, 0s);
  CHECK(b.poll(0s) == "connect:2");
  CHECK(b.poll(5s - 1us) == "");
  CHECK(b.poll(5s) == "connect:2");
  CHECK(b.session.next_deadline() == at(15s));
  CHECK(b.poll(15s) == "failed:1");
  CHECK(b.error ==
        "no answer by UDP within 15 s; check host and port, and that no firewall drops UDP");
  CHECK(b.session.useful_until() <= at(15s));
  b.connected(2, 16s);  // too late
  CHECK(b.poll(16s) == "");
}

TEST_CASE("a lost announce is sent again under a new connection, as trackers forget theirs") {
  Bench b;
  b.announce(kFirst, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.connected(2, 0s);
  CHECK(b.poll(0s) == "announce:1");
  CHECK(b.poll(5s) == "connect:3");
  b.connected(3, 5s, UdpConnectionId(9));
  CHECK(b.poll(5s) == "announce:1");
  CHECK(b.used == UdpConnectionId(9));
  b.announced(1, 6s);
  CHECK(b.poll(6s) == "done:1");
}

TEST_CASE("a late answer to the first announce counts while the second is under way") {
  Bench b;
  b.announce(kFirst, 0s);
  b.poll(0s);
  b.connected(2, 0s);
  b.poll(0s);
  CHECK(b.poll(5s) == "connect:3");
  b.announced(1, 5500ms);
  CHECK(b.poll(5500ms) == "done:1");
  b.connected(3, 6s);
  b.announced(1, 6s);
  CHECK(b.poll(6s) == "");
}

TEST_CASE("answers of other transactions, or to what was not asked, are ignored") {
  Bench b;
  b.announce(kFirst, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.connected(7, 0s);
  b.announced(2, 0s);  // to a connect
  b.announced(1, 0s);  // to an announce that has not left
  b.session.handle({}, at(0s));
  CHECK(b.poll(0s) == "");
  b.connected(2, 0s);
  CHECK(b.poll(0s) == "announce:1");
  b.connected(1, 0s);
  b.announced(2, 0s);
  b.answer(UdpScraped{UdpTransactionId(1), {}}, 0s);
  CHECK(b.poll(0s) == "");
  b.announced(1, 0s);
  CHECK(b.poll(0s) == "done:1");
}

TEST_CASE("a tracker that refuses has failed, at either step") {
  Bench b;
  b.announce(kFirst, 0s);
  b.announce(kSecond, 0s);
  CHECK(b.poll(0s) == "connect:3");
  b.refused(3, 1s);
  CHECK(b.poll(1s) == "failed:1 failed:2");
  CHECK(b.error == "tracker refuses: no");
  b.announce(kFirst, 2s);
  CHECK(b.poll(2s) == "connect:5");
  b.connected(5, 2s);
  CHECK(b.poll(2s) == "announce:4");
  b.refused(4, 2s);
  CHECK(b.poll(2s) == "failed:1");
}

TEST_CASE("an old connection id that is refused is replaced once") {
  Bench b;
  b.announce(kFirst, 0s);
  b.poll(0s);
  b.connected(2, 0s);
  b.poll(0s);
  b.announced(1, 0s);
  CHECK(b.poll(0s) == "done:1");
  b.announce(kSecond, 30s);
  CHECK(b.poll(30s) == "announce:3");
  b.refused(3, 30s);  // it was started anew
  CHECK(b.poll(30s) == "connect:4");
  b.connected(4, 31s, UdpConnectionId(9));
  CHECK(b.poll(31s) == "announce:3");
  b.refused(3, 31s);
  CHECK(b.poll(31s) == "failed:2");
}

TEST_CASE("an answer that makes no sense has failed at once") {
  Bench b;
  b.announce(kFirst, 0s);
  b.poll(0s);
  b.connected(2, 0s);
  b.poll(0s);
  OctetBuffer broken = encode_udp_answer(UdpAnnounced{UdpTransactionId(1), 1800s, 0, 1, {kPeer}},
                                         AddressFamily::kV4);
  broken.pop_back();
  b.session.handle(broken, at(0s));
  CHECK(b.poll(0s) == "failed:1");
  CHECK(b.error == "tracker's answer: peers of a broken length");
}

TEST_CASE("a farewell hurries the connect that it finds under way, and has its own time-out") {
  Bench b;
  b.announce(kFirst, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.announce(kSecond, 1s, 3s);
  CHECK(b.poll(1s) == "");
  CHECK(b.session.next_deadline() == at(2s));
  CHECK(b.poll(2s) == "connect:2");
  CHECK(b.poll(4s) == "failed:2");
  b.connected(2, 4s);
  CHECK(b.poll(4s) == "announce:1");
}

TEST_CASE("what is cancelled is neither sent nor answered, and what cannot be reached has failed") {
  Bench b;
  b.announce(kFirst, 0s);
  b.session.cancel(kFirst);
  CHECK(b.poll(0s) == "");
  b.announce(kFirst, 0s);
  b.announce(kSecond, 0s);
  CHECK(b.poll(0s) == "connect:4");
  b.session.cancel(kFirst);
  b.session.fail(io_error("gone"));
  CHECK(b.poll(0s) == "failed:2");
  CHECK(b.error == "gone");
  CHECK(b.session.next_deadline() == kNever);
  CHECK(b.session.useful_until() <= at(0s));
}

TEST_CASE("a scrape connects as an announce does, and both share the connection") {
  Bench b;
  b.scrape(kFirst, 2, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.connected(2, 1s);
  b.announce(kSecond, 1s);
  CHECK(b.poll(1s) == "scrape:1 announce:3");
  CHECK(b.used == kConnection);
  b.answer(UdpScraped{UdpTransactionId(1), {{1, 2, 3}, {4, 5, 6}}}, 2s);
  CHECK(b.poll(2s) == "done:1");
  CHECK(b.counts == std::vector<SwarmCounts>{{1, 2, 3}, {4, 5, 6}});
  b.announced(3, 2s);
  CHECK(b.poll(2s) == "done:2");
}

TEST_CASE("a lost scrape is sent again under a new connection, then the time is up") {
  Bench b;
  b.scrape(kFirst, 1, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.connected(2, 0s);
  CHECK(b.poll(0s) == "scrape:1");
  CHECK(b.poll(5s) == "connect:3");
  b.connected(3, 5s, UdpConnectionId(9));
  CHECK(b.poll(5s) == "scrape:1");
  CHECK(b.used == UdpConnectionId(9));
  CHECK(b.poll(15s) == "failed:1");
  CHECK(b.error.starts_with("no answer by UDP within 15 s"));
}

TEST_CASE("a scrape is answered by as many counts as hashes were asked for, or has failed") {
  for (const std::size_t counts : {0, 1, 3}) {
    Bench b;
    b.scrape(kFirst, 2, 0s);
    b.poll(0s);
    b.connected(2, 0s);
    CHECK(b.poll(0s) == "scrape:1");
    b.announced(1, 0s);  // of the other kind
    CHECK(b.poll(0s) == "");
    b.answer(UdpScraped{UdpTransactionId(1), std::vector<SwarmCounts>(counts)}, 0s);
    CHECK(b.poll(0s) == "failed:1");
    CHECK(b.error == "tracker's answer: counts of " + std::to_string(counts) +
                         " hashes, where 2 were asked for");
  }
}

TEST_CASE("a connection id of zero is as good as any") {
  Bench b;
  b.announce(kFirst, 0s);
  CHECK(b.poll(0s) == "connect:2");
  b.connected(2, 0s, UdpConnectionId(0));
  CHECK(b.poll(0s) == "announce:1");
  b.announced(1, 0s);
  CHECK(b.poll(0s) == "done:1");
}

TEST_CASE("transaction ids that are taken are drawn again") {
  std::vector<std::uint32_t> drawn = {5, 5, 5, 6, 6, 7};
  UdpTrackerSession session(AddressFamily::kV4, [&] {
    const std::uint32_t next = drawn.front();
    drawn.erase(drawn.begin());
    return next;
  });
  session.ask(kFirst, UdpAnnounce(), 15s, at(0s));
  session.ask(kSecond, UdpAnnounce(), 15s, at(0s));
  REQUIRE(session.poll(at(0s)));
  CHECK(drawn.empty());
}

}  // namespace
}  // namespace tributary::wire
