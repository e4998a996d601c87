#include "engine/core/smart_ban.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

using Sources = std::vector<BlockSource>;
using Digests = std::vector<Sha256>;

BlockSource source(std::uint8_t n) {
  return BlockSource::peer(ConnId(n), Endpoint::v4(10, 0, 0, n, 6881));
}
Sha256 digest(std::uint8_t n) {
  Sha256 d;
  d.bytes[0] = n;
  return d;
}
constexpr PieceIndex kPiece{3};

TEST_CASE("a single sender of a failed piece is guilty at once") {
  SmartBan ban;
  CHECK(ban.on_piece_failed(kPiece, Sources{source(1), source(1)}, {}) == Sources{source(1)});
  CHECK_FALSE(ban.is_exclusive(kPiece));
}

TEST_CASE("several senders are suspects, and only the one whose block differed is guilty") {
  SmartBan ban;
  const Sources senders{source(1), source(2), source(1), source(3)};
  CHECK(ban.on_piece_failed(kPiece, senders, Digests{digest(1), digest(99), digest(3), digest(4)})
            .empty());
  CHECK(ban.is_exclusive(kPiece));
  CHECK(ban.is_suspect(kPiece, source(2)));
  CHECK_FALSE(ban.is_suspect(kPiece, source(4)));
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1), digest(2), digest(3), digest(4)}) ==
        Sources{source(2)});
  CHECK_FALSE(ban.is_exclusive(kPiece));
  CHECK(ban.piece_count() == 0);
}

TEST_CASE("the CDN can be found guilty like a peer, and cannot be banned") {
  SmartBan ban;
  ban.on_piece_failed(kPiece, Sources{BlockSource::cdn(), source(1)},
                      Digests{digest(9), digest(2)});
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1), digest(2)}) == Sources{BlockSource::cdn()});
  BanList bans;
  bans.ban(BlockSource::cdn(), TimePoint{});
  CHECK(bans.size() == 0);
}

TEST_CASE("an exclusive piece that fails names its sender and stays open for the first suspects") {
  SmartBan ban;
  ban.on_piece_failed(kPiece, Sources{source(1), source(2)}, Digests{digest(1), digest(99)});
  ban.assign(kPiece, source(3));
  CHECK(ban.assigned(kPiece) == source(3));
  CHECK(ban.on_piece_failed(kPiece, Sources{source(3), source(3)}, Digests{digest(7), digest(2)}) ==
        Sources{source(3)});
  CHECK(ban.is_exclusive(kPiece));
  CHECK_FALSE(ban.assigned(kPiece));
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1), digest(2)}) == Sources{source(2)});
}

TEST_CASE("a guilty source is named once, however many blocks and copies it spoilt") {
  SmartBan ban;
  const Digests bad{digest(8), digest(9), digest(3)};
  ban.on_piece_failed(kPiece, Sources{source(1), source(1), source(2)}, bad);
  ban.on_piece_failed(kPiece, Sources{source(1), source(4), source(2)}, bad);
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1), digest(2), digest(3)}) ==
        Sources{source(1), source(4)});
}

TEST_CASE("without digests nobody is blamed, but the piece is exclusive all the same") {
  SmartBan ban;
  ban.on_piece_failed(kPiece, Sources{source(1), source(2)}, {});
  CHECK(ban.is_exclusive(kPiece));
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1), digest(2)}).empty());
  ban.on_piece_failed(kPiece, Sources{source(1), source(2)}, Digests{digest(1), digest(2)});
  CHECK(ban.on_piece_passed(kPiece, {}).empty());
  CHECK_FALSE(ban.is_exclusive(kPiece));
}

TEST_CASE("a piece that never failed passes without a verdict") {
  SmartBan ban;
  CHECK(ban.on_piece_passed(kPiece, Digests{digest(1)}).empty());
}

TEST_CASE("an assignment ends with its connection") {
  SmartBan ban;
  for (int p : {1, 2, 3}) ban.on_piece_failed(PieceIndex(p), Sources{source(1), source(2)}, {});
  ban.assign(PieceIndex(1), source(5));
  ban.assign(PieceIndex(2), source(6));
  ban.assign(PieceIndex(3), BlockSource::cdn());
  ban.unassign_all(ConnId(5));
  ban.unassign_all(ConnId());
  CHECK_FALSE(ban.assigned(PieceIndex(1)));
  CHECK(ban.assigned(PieceIndex(2)) == source(6));
  CHECK(ban.assigned(PieceIndex(3)) == BlockSource::cdn());
  ban.unassign(PieceIndex(2));
  CHECK_FALSE(ban.assigned(PieceIndex(2)));
  CHECK(ban.is_exclusive(PieceIndex(2)));
  ban.forget(PieceIndex(2));
  CHECK_FALSE(ban.is_exclusive(PieceIndex(2)));
}

TEST_CASE("memory is bounded: the piece whose failure is longest ago is forgotten first") {
  SmartBan ban;
  const Sources two{source(1), source(2)};
  const int limit = static_cast<int>(SmartBan::kMaxPieces);
  for (int p = 0; p < limit; ++p) ban.on_piece_failed(PieceIndex(p), two, {});
  ban.on_piece_failed(PieceIndex(0), two, {});
  ban.on_piece_failed(PieceIndex(limit), two, {});
  CHECK(ban.piece_count() == SmartBan::kMaxPieces);
  CHECK(ban.is_exclusive(PieceIndex(0)));
  CHECK_FALSE(ban.is_exclusive(PieceIndex(1)));
  for (int n = 0; n < 10; ++n) ban.on_piece_failed(PieceIndex(0), two, {});
  CHECK(ban.block_count() == 2 * (limit - 1 + SmartBan::kMaxCopiesPerPiece));
}

TEST_CASE("memory is bounded in blocks, and the newest failure is always kept") {
  SmartBan ban;
  Sources many(SmartBan::kMaxBlocks / 2 + 1, source(1));
  many.back() = source(2);
  ban.on_piece_failed(PieceIndex(1), many, {});
  ban.on_piece_failed(PieceIndex(2), many, {});
  CHECK_FALSE(ban.is_exclusive(PieceIndex(1)));
  CHECK(ban.is_exclusive(PieceIndex(2)));
  CHECK(ban.block_count() == many.size());
}

TEST_CASE("property: poisoners are found, and no honest sender is ever blamed") {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    const std::size_t blocks = 2 + random.below(14);
    const auto poisons = [](const BlockSource& s) { return s.conn.value() % 4 == 0; };
    Digests good;
    for (std::size_t i = 0; i < blocks; ++i) good.push_back(digest(static_cast<std::uint8_t>(i)));
    SmartBan ban;
    Sources guilty;
    bool failed = false;
    for (int copy = 0; copy < 3; ++copy) {
      Sources senders;
      Digests got = good;
      for (std::size_t i = 0; i < blocks; ++i) {
        senders.push_back(source(static_cast<std::uint8_t>(1 + random.below(8))));
        if (poisons(senders[i])) got[i] = digest(200);
      }
      if (got == good) break;
      failed = true;
      for (const BlockSource& s : ban.on_piece_failed(kPiece, senders, got)) guilty.push_back(s);
    }
    for (const BlockSource& s : ban.on_piece_passed(kPiece, good)) guilty.push_back(s);
    CHECK(guilty.empty() != failed);
    CHECK(std::all_of(guilty.begin(), guilty.end(), poisons));
  }
}

TEST_CASE("a ban covers every port of an address and ends") {
  BanList bans(10s);
  const TimePoint now{5s};
  bans.ban(source(1), now);
  CHECK(bans.is_banned(Endpoint::v4(10, 0, 0, 1, 1), now));
  CHECK_FALSE(bans.is_banned(Endpoint::v4(10, 0, 0, 2, 1), now));
  CHECK(bans.banned_until(source(1).address, now) == TimePoint(15s));
  CHECK(bans.is_banned(source(1).address, TimePoint(15s - 1us)));
  CHECK_FALSE(bans.is_banned(source(1).address, TimePoint(15s)));
}

TEST_CASE("a full ban list drops ended bans first, then the one that ends next") {
  BanList bans(1h);
  IpAddress address{};
  const auto nth = [&](std::size_t n) {
    address[0] = static_cast<std::uint8_t>(n >> 8);
    address[1] = static_cast<std::uint8_t>(n);
    return address;
  };
  for (std::size_t n = 0; n <= BanList::kMaxBans; ++n) {
    bans.ban(nth(n), TimePoint(Duration(static_cast<std::int64_t>(n))));
  }
  const TimePoint now{1min};
  CHECK(bans.size() == BanList::kMaxBans);
  CHECK_FALSE(bans.is_banned(nth(0), now));
  CHECK(bans.is_banned(nth(1), now));
  bans.ban(nth(1), TimePoint(2h));
  CHECK(bans.size() == 1);
}

}  // namespace
}  // namespace tributary::core
