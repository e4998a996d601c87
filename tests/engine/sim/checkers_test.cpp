#include "engine/sim/checkers.h"

#include <doctest/doctest.h>

namespace tributary::sim {
namespace {

constexpr HostId kHost{1};
constexpr core::TorrentId kTorrent{7};
constexpr core::BlockSpan kSpan{core::PieceIndex(3), 0_B, 16_KiB};
constexpr TimePoint kNow{1s};

struct Court {
  Checkers checkers{params()};

  static CheckerParams params() {
    CheckerParams p;
    p.seed = 42;
    p.abort_on_violation = false;
    return p;
  }
  void connect(std::uint64_t conn, bool fast = true) {
    core::Handshake theirs;
    theirs.fast = fast;
    checkers.input(kNow, kHost,
                   core::PeerConnected{kTorrent, core::ConnId(conn), {}, false, theirs});
  }
  void send(std::uint64_t conn, core::Message message, TimePoint now = kNow) {
    checkers.action(now, kHost, core::Send{kTorrent, core::ConnId(conn), std::move(message)});
    checkers.settled(now, kHost);
  }
  void hear(std::uint64_t conn, core::Message message) {
    checkers.input(kNow, kHost,
                   core::PeerMessage{kTorrent, core::ConnId(conn), std::move(message)});
  }
  std::size_t violations() const { return checkers.violations().size(); }
};

TEST_CASE("one request with one piece, and one with one reject, are in order") {
  Court court;
  court.connect(1);
  court.send(1, core::Request{kSpan});
  court.hear(1, core::Piece{kSpan, {}});
  court.send(1, core::Request{kSpan});
  court.hear(1, core::RejectRequest{kSpan});
  CHECK(court.violations() == 0);
  CHECK(court.checkers.checks() == 4);
}

TEST_CASE("an answer without a request is a violation, reported with seed and time") {
  Court court;
  court.connect(1);
  court.hear(1, core::Piece{kSpan, {}});
  REQUIRE(court.violations() == 1);
  CHECK(court.checkers.violations()[0].rfind("seed 42, t = 1000000 us, host 1", 0) == 0);
}

TEST_CASE("a cancelled request still gets its answer, and only one") {
  Court court;
  court.connect(1);
  court.send(1, core::Request{kSpan});
  court.send(1, core::Cancel{kSpan});
  court.hear(1, core::Piece{kSpan, {}});
  CHECK(court.violations() == 0);
  court.hear(1, core::RejectRequest{kSpan});
  CHECK(court.violations() == 1);
}

TEST_CASE("without the fast extension a choke drops all requests") {
  Court court;
  court.connect(1, false);
  court.send(1, core::Request{kSpan});
  court.hear(1, core::Choke{});
  court.send(1, core::Request{kSpan});
  CHECK(court.violations() == 0);
}

TEST_CASE("asking one peer twice for one block is a violation") {
  Court court;
  court.connect(1);
  court.send(1, core::Request{kSpan});
  court.send(1, core::Request{kSpan});
  CHECK(court.violations() == 1);
}

TEST_CASE("more requests in flight than the peer takes are a violation") {
  Court court;
  court.connect(1);
  core::ExtendedHandshake hello;
  hello.request_queue = 2;
  court.hear(1, hello);
  for (int i = 0; i < 3; ++i) court.send(1, core::Request{{core::PieceIndex(i), 0_B, 16_KiB}});
  CHECK(court.violations() == 1);
}

TEST_CASE("a sixth unchoked peer is a violation, in whatever order its room was made") {
  Court court;
  for (std::uint64_t c = 1; c <= 6; ++c) court.connect(c);
  for (std::uint64_t c = 1; c <= 5; ++c) court.send(c, core::Unchoke{});
  CHECK(court.violations() == 0);
  court.checkers.action(kNow, kHost, core::Send{kTorrent, core::ConnId(6), core::Unchoke{}});
  court.checkers.action(kNow, kHost, core::Send{kTorrent, core::ConnId(1), core::Choke{}});
  court.checkers.settled(kNow, kHost);
  CHECK(court.violations() == 0);
  court.send(1, core::Unchoke{});
  CHECK(court.violations() == 1);
}

TEST_CASE("a request that was never answered shows at the end, unless its connection closed") {
  Court court;
  court.connect(1);
  court.connect(2);
  court.send(1, core::Request{kSpan});
  court.send(2, core::Request{kSpan});
  court.checkers.input(kNow, kHost, core::PeerClosed{kTorrent, core::ConnId(2)});
  court.checkers.finish(kNow + 1s);
  CHECK(court.violations() == 0);
  court.checkers.finish(kNow + 1h);
  CHECK(court.violations() == 1);
}

TEST_CASE("wrong bytes stored, foreign bytes stored and absent blocks uploaded are violations") {
  Court court;
  court.checkers.stored(kNow, kHost, core::BlockIndex(1), false, true);
  court.checkers.uploaded(kNow, kHost, kSpan, true);
  court.checkers.buffer_ended(kNow, kHost, true);
  CHECK(court.violations() == 0);
  court.checkers.stored(kNow, kHost, core::BlockIndex(1), true, true);
  court.checkers.stored(kNow, kHost, core::BlockIndex(1), false, false);
  court.checkers.uploaded(kNow, kHost, kSpan, false);
  court.checkers.buffer_ended(kNow, kHost, false);
  CHECK(court.violations() == 4);
}

TEST_CASE("sums that differ by one byte are a violation") {
  Court court;
  court.checkers.balance(kNow, kHost, "sums", 5_B, 5_B);
  CHECK(court.violations() == 0);
  court.checkers.balance(kNow, kHost, "sums", 5_B, 6_B);
  CHECK(court.violations() == 1);
}

}  // namespace
}  // namespace tributary::sim
