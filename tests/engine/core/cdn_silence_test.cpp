// A CDN that takes requests and answers none.
#include <doctest/doctest.h>

#include "engine/core/planner.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// A start whose head the CDN was asked for, with a peer that has everything. An answer may take
// half a second, so a second without one is too long.
struct SilentRig : SwarmRig {
  SilentRig() {
    cdn_up();
    seed(1);
    CHECK(start() == Lines{"c1: interested", "may start", "fetch 0-2 startup"});
    CHECK(pass(1s - 1us).empty());
  }
};

TEST_CASE("what a silent CDN owes is asked of peers, the head of a start first of all") {
  SilentRig rig;
  CHECK(rig.pass(1us) ==
        Lines{"c1: request 0", "c1: request 1", "c1: request 2", "c1: request 3", "c1: request 4"});
}

TEST_CASE("a silent CDN is asked for nothing more until it is heard of") {
  SilentRig rig;
  rig.pass(1us);
  rig.play(0s);
  CHECK(with(rig.pass(4s), "fetch").empty());
  const CdnEnded over{SwarmRig::kTorrent, rig.fetches().back().request};
  CHECK_FALSE(with(rig.in(over), "fetch").empty());
}

TEST_CASE("blocks that a silent CDN sends after all are taken, and the peers' requests cancelled") {
  SilentRig rig;
  rig.pass(1us);
  const CdnRequestId head = rig.fetches().back().request;
  const Lines lines = rig.cdn_block(head, 0);
  CHECK(with(lines, "c1: cancel") == Lines{"c1: cancel 0"});
  CHECK(with(lines, "fetch").empty());  // what it owes besides is not asked for again
  CHECK(with(rig.pass(500ms), "fetch").empty());
  CHECK(rig.swarm().ledger().total().duplicate == 0_B);
}

TEST_CASE("while blocks come, however few at a time, the CDN is not silent") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  rig.start(10s);
  const CdnRequestId head = rig.fetches().back().request;
  CHECK(with(rig.pass(900ms), "request").empty());
  rig.cdn_block(head, 10);
  CHECK(with(rig.pass(900ms), "request").empty());
}

TEST_CASE("a client without peers waits for the CDN, however long it takes") {
  SwarmRig rig;
  rig.cdn_up();
  rig.start();
  CHECK(rig.pass(60s).empty());
}

}  // namespace
}  // namespace tributary::core
