#include "engine/sim/cdn_model.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace tributary::sim {
namespace {

struct Browser : CdnHandler {
  EventQueue queue;
  Links links{queue};
  CdnModel cdn{queue, links, *this, 1};
  std::vector<std::string> lines;
  std::vector<cdn::HttpDone> dones;
  int corrupt = 0;
  HostId edge;
  HostId client;

  explicit Browser(std::optional<Bytes> first_window = std::nullopt) {
    EdgeParams params;
    params.first_window = first_window;
    params.half_rtt = 40ms;
    params.first_byte = 5ms;
    params.first_byte_spread = 0ms;
    edge = cdn.add_edge(params);
    client = links.add_host({5_Mbps, 8_Mbps, 10ms, 0});
  }
  void note(const std::string& what) {
    lines.push_back(std::to_string(queue.now().time_since_epoch().count() / 1000) + " " + what);
  }
  void http_input(HostId, const cdn::HttpInput& input) override {
    if (const auto* done = std::get_if<cdn::HttpDone>(&input)) {
      dones.push_back(*done);
      note("done " + std::to_string(static_cast<int>(done->outcome)));
    } else {
      note("first byte");
    }
  }
  void http_block(HostId, cdn::HttpId, core::TorrentId, core::BlockIndex block, Bytes,
                  bool bad) override {
    if (bad) ++corrupt;
    note("block " + std::to_string(block.value()));
  }
  void get(std::uint64_t id, int blocks, const std::string& url = "http://cdn.test/t") {
    cdn::HttpGet get;
    get.id = cdn::HttpId(id);
    get.parts = {{url, {0_B, Bytes(blocks * 10'000)}}};
    for (int i = 0; i < blocks; ++i) get.cuts.push_back({core::BlockIndex(i), Bytes(10'000)});
    cdn.get(client, get);
  }
  void run(TimePoint until = TimePoint(60s)) {
    while (queue.next_time() <= until) {
      const Event event = *queue.pop();
      if (event.owner == Owner::kLinks) {
        CHECK(cdn.on_finished(links.finish(event)));
      } else if (event.owner == Owner::kCdn) {
        cdn.on_event(event);
      }
    }
  }
  std::string outcome(cdn::HttpOutcome o) { return "done " + std::to_string(static_cast<int>(o)); }
};

TEST_CASE("a new connection costs a round trip, then the request, the first byte and the blocks") {
  Browser b;
  b.get(1, 2);
  b.run();
  // 50 + 25 + 5 + 25 ms; a block of 10,000 B at 8 Mbit/s takes 10 ms.
  CHECK(b.lines ==
        std::vector<std::string>{"105 first byte", "115 block 0", "125 block 1", "125 done 0"});
  CHECK(b.dones[0].received == Bytes(20'000));
}

TEST_CASE("an idle connection is used again, without its round trip, until it is too old") {
  Browser b;
  b.get(1, 1);
  b.run();
  b.lines.clear();
  b.get(2, 1);
  b.run();
  CHECK(b.lines == std::vector<std::string>{"170 first byte", "180 block 0", "180 done 0"});
  CHECK(b.cdn.meter(b.edge).connections == 1);
  b.queue.schedule(TimePoint(120s), {Owner::kScript, 0, HostId(0), 0});
  b.run(TimePoint(120s));
  b.get(3, 1);
  b.run(TimePoint(200s));
  CHECK(b.cdn.meter(b.edge).connections == 2);
}

TEST_CASE("a cancel is answered at once, and what the server sent until it heard is cut off") {
  Browser b;
  b.get(1, 100);
  b.run(TimePoint(155ms));
  b.cdn.cancel(b.client, {cdn::HttpId(1)});
  b.run();
  CHECK(b.dones.size() == 1);
  CHECK(b.dones[0].outcome == cdn::HttpOutcome::kCancelled);
  const EgressMeter meter = b.cdn.meter(b.edge);
  CHECK(meter.delivered == Bytes(50'000));
  CHECK(meter.bytes == meter.delivered + meter.cut_off);
  CHECK(meter.cut_off == Bytes(50'000));  // 25 ms there and 25 ms that were on their way
}

TEST_CASE("each fault ends a request with its own outcome") {
  struct Case {
    CdnFault fault;
    cdn::HttpOutcome outcome;
  };
  for (const Case c : {Case{CdnFault::kRefuse, cdn::HttpOutcome::kConnectFailed},
                       Case{CdnFault::kUnavailable, cdn::HttpOutcome::kServerError},
                       Case{CdnFault::kBlackHole, cdn::HttpOutcome::kTimeout},
                       Case{CdnFault::kTruncate, cdn::HttpOutcome::kTruncated}}) {
    Browser b;
    b.cdn.set_fault(b.edge, c.fault);
    b.get(1, 4);
    b.run();
    REQUIRE(b.dones.size() == 1);
    CHECK(b.dones[0].outcome == c.outcome);
    CHECK(b.cdn.meter(b.edge).failures == 1);
  }
}

TEST_CASE("an outage ends transfers under way: at once by reset, after the time-out in silence") {
  for (const bool silent : {false, true}) {
    Browser b;
    b.get(1, 1000);
    b.run(TimePoint(200ms));
    b.cdn.set_fault(b.edge, silent ? CdnFault::kBlackHole : CdnFault::kRefuse);
    b.run();
    REQUIRE(b.dones.size() == 1);
    CHECK(b.dones[0].outcome ==
          (silent ? cdn::HttpOutcome::kTimeout : cdn::HttpOutcome::kTruncated));
    const EgressMeter meter = b.cdn.meter(b.edge);
    CHECK(meter.bytes == meter.delivered + meter.cut_off);
  }
}

TEST_CASE("a cap holds for each connection and corruption marks about its share of blocks") {
  Browser b;
  b.cdn.set_per_connection(b.edge, 1_Mbps);
  b.cdn.set_corruption(b.edge, 500);
  b.get(1, 100);
  b.run();
  CHECK(b.lines.back() == "8105 done 0");
  CHECK(b.corrupt > 30);
  CHECK(b.corrupt < 70);
}

TEST_CASE("a URL of no edge cannot be connected to") {
  Browser b;
  b.get(1, 1, "http://elsewhere.test/t");
  b.run();
  REQUIRE(b.dones.size() == 1);
  CHECK(b.dones[0].outcome == cdn::HttpOutcome::kConnectFailed);
}

TEST_CASE("a client that leaves hears nothing more, and its bytes are cut off") {
  Browser b;
  b.get(1, 100);
  b.run(TimePoint(155ms));
  const std::size_t heard = b.lines.size();
  b.cdn.leave(b.client);
  b.run();
  CHECK(b.lines.size() == heard);
  const EgressMeter meter = b.cdn.meter(b.edge);
  CHECK(meter.bytes == meter.delivered + meter.cut_off);
}

TEST_CASE("a new connection sends twice as much in each round trip, until its link is full") {
  Browser b(20'000_B);
  b.get(1, 9);
  b.run();
  // In 50 ms each: 20 kB, 40 kB, and then the 50 kB of 8 Mbit/s.
  CHECK(b.lines == std::vector<std::string>{"105 first byte", "130 block 0", "155 block 1",
                                            "167 block 2", "180 block 3", "192 block 4",
                                            "205 block 5", "215 block 6", "225 block 7",
                                            "235 block 8", "235 done 0"});
}

TEST_CASE("a connection keeps its pace while it is used, and starts slowly after a rest") {
  Browser b(20'000_B);
  b.get(1, 5);
  b.run();
  b.lines.clear();
  b.get(2, 2);
  b.run();
  CHECK(b.lines ==
        std::vector<std::string>{"247 first byte", "260 block 0", "272 block 1", "272 done 0"});
  b.lines.clear();
  b.queue.schedule(TimePoint(1500ms), {Owner::kScript, 0, HostId(0), 0});
  b.run(TimePoint(1500ms));
  b.get(3, 2);
  b.run();
  CHECK(b.lines ==
        std::vector<std::string>{"1555 first byte", "1580 block 0", "1605 block 1", "1605 done 0"});
  CHECK(b.cdn.meter(b.edge).connections == 1);
}

}  // namespace
}  // namespace tributary::sim
