#include "engine/sim/peer_net.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tributary::sim {
namespace {

constexpr core::TorrentId kTorrent{7};
constexpr core::ConnId kConn{1};
constexpr core::BlockSpan kSpan{core::PieceIndex(0), 0_B, 16_KiB};

// Writes down what each host hears, with the millisecond.
struct Diary : PeerNetHandler {
  EventQueue queue;
  Links links{queue};
  PeerNet net{queue, links, *this};
  std::vector<std::string> lines;
  core::ConnId inbound{};
  bool serves = true;
  bool refuses = false;    // who came in is shut out at once
  int dials_on_close = 0;  // a dials so often when it hears of an end
  HostId a = links.add_host({8_Mbps, 8_Mbps, 10ms, 0});
  HostId b = links.add_host({8_Mbps, 8_Mbps, 10ms, 0});

  explicit Diary(bool accept_inbound = true) {
    net.add_host(a, PeerNet::endpoint_of(a), accept_inbound);
    net.add_host(b, PeerNet::endpoint_of(b), accept_inbound);
  }
  void note(HostId host, const std::string& what) {
    lines.push_back(std::to_string(queue.now().time_since_epoch().count() / 1000) + " " +
                    (host == a ? "a " : "b ") + what);
  }
  std::optional<Welcome> welcome(HostId, const core::Handshake&) override {
    if (!serves) return std::nullopt;
    return Welcome{kTorrent, {}};
  }
  void peer_input(HostId host, core::Input input) override {
    if (const auto* up = std::get_if<core::PeerConnected>(&input)) {
      if (up->inbound) inbound = up->conn;
      if (up->inbound && refuses) net.disconnect(host, {kTorrent, up->conn, "no"});
      note(host, up->inbound ? "connected inbound" : "connected");
    } else if (std::holds_alternative<core::PeerClosed>(input)) {
      note(host, "closed");
      for (; dials_on_close > 0; --dials_on_close) {
        net.dial(a, {kTorrent,
                     core::ConnId(1000 + static_cast<std::uint64_t>(dials_on_close)),
                     Endpoint::v4(9, 9, 9, 9, 1),
                     {}});
      }
    } else if (std::holds_alternative<core::BlockSent>(input)) {
      note(host, "sent");
    } else if (const auto* m = std::get_if<core::PeerMessage>(&input)) {
      note(host, "message " + std::to_string(m->message.index()));
    }
  }
  void payload_arrived(HostId host, core::ConnId, const Payload& payload) override {
    note(host, payload.corrupt ? "corrupt block" : "block");
  }
  void run(TimePoint until = TimePoint(60s)) {
    while (queue.next_time() <= until) {
      const Event event = *queue.pop();
      if (event.owner == Owner::kLinks) {
        net.on_finished(links.finish(event));
      } else {
        net.on_event(event);
      }
    }
  }
  void connect() {
    net.dial(a, {kTorrent, kConn, PeerNet::endpoint_of(b), {}});
    run();
    lines.clear();
  }
};

TEST_CASE(
    "a dial reaches the listener after one and a half round trips and is answered after two") {
  Diary d;
  d.net.dial(d.a, {kTorrent, kConn, PeerNet::endpoint_of(d.b), {}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"30 b connected inbound", "40 a connected"});
}

// The connections move while the host that is told of one's end dials others.
TEST_CASE("a host that is shut out at once may dial a hundred others on hearing so") {
  Diary d;
  d.refuses = true;
  d.dials_on_close = 100;
  d.net.dial(d.a, {kTorrent, kConn, PeerNet::endpoint_of(d.b), {}});
  d.run();
  CHECK(d.net.connection_count() == 0);
  CHECK(std::count_if(d.lines.begin(), d.lines.end(), [](const std::string& line) {
          return line.find("a closed") != std::string::npos;
        }) == 101);
}

TEST_CASE("two behind NAT meet when both dial as they are bid, and only then") {
  Diary d(false);
  core::Connect dial{kTorrent, kConn, PeerNet::endpoint_of(d.b), {}};
  d.net.dial(d.a, dial);
  dial.punches = true;
  dial.conn = core::ConnId(2);
  dial.remote = PeerNet::endpoint_of(d.a);
  d.net.dial(d.b, dial);
  d.run(TimePoint(5s));
  CHECK(d.lines.empty());
  dial.conn = core::ConnId(3);
  dial.remote = PeerNet::endpoint_of(d.b);
  d.net.dial(d.a, dial);
  d.run(TimePoint(5s));
  CHECK(d.lines == std::vector<std::string>{"30 b connected inbound", "40 a connected"});
}

TEST_CASE("nobody at the address, a NAT and an absent host let the dial time out") {
  Diary d;
  d.net.dial(d.a, {kTorrent, kConn, Endpoint::v4(9, 9, 9, 9, 1), {}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"10000 a closed"});
  d.lines.clear();
  d.net.leave(d.b, true);
  d.net.dial(d.a, {kTorrent, core::ConnId(2), PeerNet::endpoint_of(d.b), {}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"20000 a closed"});
  CHECK(d.net.connection_count() == 0);
}

TEST_CASE("a listener that does not serve the torrent refuses") {
  Diary d;
  d.serves = false;
  d.net.dial(d.a, {kTorrent, kConn, PeerNet::endpoint_of(d.b), {}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"40 a closed"});
}

TEST_CASE("messages wait behind a block, in order, and the block takes its time on the link") {
  Diary d;
  d.connect();
  d.net.send_block(d.a, {kTorrent, kConn, kSpan}, false);
  d.net.send(d.a, {kTorrent, kConn, core::Choke{}});
  d.net.send_block(d.a, {kTorrent, kConn, kSpan}, true);
  d.run();
  // 16 KiB at 8 Mbit/s: 16.4 ms.
  CHECK(d.lines == std::vector<std::string>{"56 a sent", "66 b block", "66 b message 1",
                                            "72 a sent", "82 b corrupt block"});
  CHECK(d.net.in_flight() == 0_B);
}

TEST_CASE("what is connected across a partition is lost to both sides 5 s later") {
  Diary d;
  d.net.set_realm(d.b, 1);
  d.connect();
  d.net.send_block(d.a, {kTorrent, kConn, kSpan}, false);
  d.net.set_apart(true);
  d.net.send(d.a, {kTorrent, kConn, core::Choke{}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"5040 a closed", "5040 b closed"});
  CHECK(d.net.connection_count() == 0);
  CHECK(d.net.lost() == 16_KiB);
}

TEST_CASE("across a partition a dial times out, and once it is healed it does not") {
  Diary d;
  d.net.set_realm(d.b, 1);
  d.net.set_apart(true);
  d.net.dial(d.a, {kTorrent, kConn, PeerNet::endpoint_of(d.b), {}});
  d.run(TimePoint(20s));
  CHECK(d.lines == std::vector<std::string>{"10000 a closed"});
  d.lines.clear();
  d.net.set_apart(false);
  d.net.dial(d.a, {kTorrent, core::ConnId(2), PeerNet::endpoint_of(d.b), {}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"10030 b connected inbound", "10040 a connected"});
}

TEST_CASE("a dial that is under way when the partition comes fails") {
  for (const auto after : {5ms, 15ms, 35ms}) {
    Diary d;
    d.net.set_realm(d.b, 1);
    d.net.dial(d.a, {kTorrent, kConn, PeerNet::endpoint_of(d.b), {}});
    d.run(TimePoint(after));
    d.net.set_apart(true);
    d.run();
    REQUIRE_FALSE(d.lines.empty());
    CHECK(std::count_if(d.lines.begin(), d.lines.end(), [](const std::string& line) {
            return line.find("a connected") != std::string::npos;
          }) == 0);
    CHECK(std::count_if(d.lines.begin(), d.lines.end(), [](const std::string& line) {
            return line.find("a closed") != std::string::npos;
          }) == 1);
    CHECK(d.net.connection_count() == 0);
  }
}

TEST_CASE("hosts of one realm hear nothing of a partition") {
  Diary d;
  d.connect();
  d.net.set_apart(true);
  d.net.send(d.a, {kTorrent, kConn, core::Choke{}});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"50 b message 1"});
}

TEST_CASE("a disconnect is answered at once and the other side hears half a round trip later") {
  Diary d;
  d.connect();
  d.net.send_block(d.b, {kTorrent, d.inbound, kSpan}, false);
  d.net.disconnect(d.a, {kTorrent, kConn, "test"});
  d.run();
  CHECK(d.lines == std::vector<std::string>{"40 a closed", "50 b closed"});
  CHECK(d.net.lost() == 16_KiB);
  CHECK(d.net.connection_count() == 0);
}

TEST_CASE("a crash is noticed late, a clean exit after half a round trip") {
  for (const bool clean : {true, false}) {
    Diary d;
    d.connect();
    d.net.leave(d.b, clean);
    d.run();
    CHECK(d.lines == std::vector<std::string>{clean ? "50 a closed" : "5040 a closed"});
  }
}

TEST_CASE("what is sent on a connection that is gone is lost, and counted") {
  Diary d;
  d.connect();
  d.net.disconnect(d.a, {kTorrent, kConn, "test"});
  d.run();
  d.net.send(d.a, {kTorrent, kConn, core::Choke{}});
  d.net.send_block(d.a, {kTorrent, kConn, kSpan}, false);
  CHECK(d.net.lost() == 16_KiB);
}

}  // namespace
}  // namespace tributary::sim
