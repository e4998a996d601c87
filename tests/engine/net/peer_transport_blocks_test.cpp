// Blocks on their way between two transports: limits, order and back pressure.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/net/hasher.h"
#include "tests/engine/net/raw_peer.h"
#include "tests/engine/net/sample_torrent.h"
#include "tests/engine/net/transport_rig.h"

namespace tributary::net {
namespace {

using Node = TransportNode;
using Pair = TransportPair;

// Serves a sample torrent's blocks on request, and fetches it block by block.
struct Transfer {
  explicit Transfer(TransportLimits limits = {}, BufferLimits buffers = {})
      : torrent(sample_torrent(Versions::kHybrid)), pair(limits, buffers) {
    pair.a.on_message = [this](core::PeerMessage& m) {
      const core::BlockSpan span = std::get<core::Request>(m.message).span;
      const core::BlockIndex block = layout.block_at(span.piece, span.begin);
      const wire::Octets bytes = torrent.block(block);
      if (block.value() % 2 == 0) {
        return pair.a.transport->send_block(m.conn, span, std::vector(bytes.begin(), bytes.end()));
      }
      const core::BufferId id = pair.a.pool.copy(bytes);
      pair.a.transport->send_block(m.conn, span, pair.a.pool.share(id));
      pair.a.pool.release(id);  // the transport has its share
    };
    pair.b.on_message = [this](core::PeerMessage& m) { arrived(std::get<core::Piece>(m.message)); };
  }
  void request_all() {
    for (core::BlockIndex b(0); b.value() < layout.block_count(); ++b) {
      const core::BlockSpan span = layout.span_of(b);
      if (span.length > 0_B) {
        pair.b.transport->send(core::ConnId(1), core::Request{span});
        ++requested;
      }
    }
  }
  void arrived(const core::Piece& piece) {
    const core::BlockIndex block = layout.block_at(piece.span.piece, piece.span.begin);
    core::Verify action{kTorrent, {block, block + 1}, {piece.buffer}, sha256(torrent.block(block))};
    hasher.verify(hashes, action);
    pair.b.pool.release(piece.buffer);
  }

  SampleTorrent torrent;
  core::Layout layout{*torrent.info};
  std::shared_ptr<TorrentHashes> hashes = std::make_shared<TorrentHashes>(torrent.info);
  Pair pair;
  int requested = 0;
  int good = 0;
  int bad = 0;
  Hasher hasher{pair.loop,
                pair.b.pool,
                {[this](const core::Verified& v, Verdict) { ++(v.good ? good : bad); }, {}}};
};

TEST_CASE("many blocks travel unharmed, are reported sent, and are counted") {
  Transfer transfer;
  constexpr int kRounds = 50;
  for (int i = 0; i < kRounds; ++i) {
    transfer.request_all();
    REQUIRE(transfer.pair.wait([&] { return transfer.good + transfer.bad == transfer.requested; }));
  }
  CHECK(transfer.bad == 0);
  Pair& pair = transfer.pair;
  REQUIRE(pair.wait([&] { return std::ssize(pair.a.blocks_sent) == transfer.requested; }));
  CHECK(std::ranges::all_of(pair.a.blocks_sent, [](const core::BlockSent& s) { return s.sent; }));
  const Bytes payload = (64_KiB * 2 + 20_KiB + 17_KiB) * kRounds;
  CHECK(pair.b.transport->stats(core::ConnId(1))->payload_in == payload);
  CHECK(pair.a.transport->totals().payload_out == payload);
  CHECK(pair.b.transport->totals().overhead_in == 68_B + 13_B * transfer.requested);
  CHECK(pair.wait([&] { return pair.a.pool.in_use() == 0 && pair.b.pool.in_use() == 0; }));
}

TEST_CASE("limited upload and download still move every byte, control messages first") {
  Transfer transfer;
  transfer.pair.a.transport->pacer().set_upload_rate(40_Mbps);
  transfer.pair.b.transport->pacer().set_download_rate(30_Mbps);
  for (int i = 0; i < 5; ++i) transfer.request_all();
  REQUIRE(transfer.pair.wait([&] { return transfer.good == transfer.requested; }));
  CHECK(transfer.bad == 0);
}

TEST_CASE("messages overtake blocks that wait for the limit, choke does not") {
  Pair pair;
  pair.a.transport->pacer().set_upload_rate(BitRate());  // the burst of 64 KiB, then nothing
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  for (int i = 0; i < 6; ++i) {
    pair.a.transport->send_block(pair.a.conn(), span, std::vector<std::uint8_t>(16384));
  }
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 4; }));
  pair.a.transport->send(pair.a.conn(), core::Choke{});
  pair.a.transport->send(pair.a.conn(), core::Have{core::PieceIndex(5)});
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 5; }));
  CHECK(std::holds_alternative<core::Have>(pair.b.messages[4]));
  CHECK(pair.a.blocks_sent.size() == 4);
  pair.a.transport->pacer().set_upload_rate(kUnlimited);
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 8; }));
  CHECK(std::holds_alternative<core::Choke>(pair.b.messages[7]));
}

TEST_CASE(
    "a torrent with limits of its own is held back by them, and by no others when they are gone") {
  Pair pair;
  TokenBucket upload{BitRate()};  // the burst of 64 KiB, then nothing
  pair.a.transport->pacer().limit(kTorrent, &upload, nullptr);
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  for (int i = 0; i < 6; ++i) {
    pair.a.transport->send_block(pair.a.conn(), span, std::vector<std::uint8_t>(16384));
  }
  pair.a.transport->send(pair.a.conn(), core::Have{core::PieceIndex(5)});
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 5; }));
  CHECK(std::ranges::count_if(pair.b.messages, [](const core::Message& message) {
          return std::holds_alternative<core::Piece>(message);
        }) == 4);
  pair.a.transport->pacer().limit(kTorrent, nullptr, nullptr);
  REQUIRE(pair.wait([&] { return pair.b.messages.size() == 7; }));
}

TEST_CASE("what one torrent reads is spent from its bucket and from all torrents'") {
  TokenBucket all_up;
  TokenBucket all_down(BitRate(), 4_MiB);  // gets nothing back
  TokenBucket down(20_Mbps, TokenBucket::kDefaultBurst, &all_down);
  Transfer transfer;
  Loop& loop = transfer.pair.loop;
  LinkPacer& pacer = transfer.pair.b.transport->pacer();
  pacer.share(all_up, all_down);
  pacer.limit(kTorrent, nullptr, &down);
  const auto received = [&] {
    const LinkStats totals = transfer.pair.b.transport->totals();
    return totals.payload_in + totals.overhead_in;
  };
  const Bytes already = received();
  const TimePoint before = loop.now();
  for (int i = 0; i < 3; ++i) transfer.request_all();
  REQUIRE(transfer.pair.wait([&] { return transfer.good == transfer.requested; }));
  const Bytes size = received() - already;
  CHECK(4_MiB - all_down.available(loop.now()) == size);
  const Bytes unpaid = TokenBucket::kDefaultBurst + 16_KiB;  // a full bucket, and one overdraft
  CHECK(loop.now() - before >= transfer_time(size - unpaid, 20_Mbps));
}

TEST_CASE("a peer that does not read gets no more blocks, then loses the connection") {
  Loop loop;
  Node a(loop, 1, {.max_waiting_messages = 64_KiB, .max_waiting_payload = 64_KiB});
  OpenRaw open(loop, a);
  open.raw.stop_reading();
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  const auto refused = [&] {
    return std::ranges::any_of(a.blocks_sent, [](const core::BlockSent& s) { return !s.sent; });
  };
  const auto push = [&] {
    for (int i = 0; i < 8; ++i) {  // more than may wait, so that each turn writes or refuses
      a.transport->send_block(a.conn(), span, std::vector<std::uint8_t>(16384));
    }
    return refused();
  };
  REQUIRE(loop.run_until(push, kDeadline));
  CHECK(a.closed.empty());
  for (int i = 0; i < 10'000; ++i) {
    a.transport->send(a.conn(), core::Have{core::PieceIndex(1)});
  }
  REQUIRE(loop.run_until([&] { return a.closed.size() == 1; }, kDeadline));
  CHECK(a.log.find("does not read") != std::string::npos);
}

TEST_CASE("a short pool holds reading back until buffers are free, and loses nothing") {
  Pair pair({}, {.max_buffers = 330, .max_idle = 10});
  std::vector<core::BufferId> held;
  pair.b.on_message = [&](core::PeerMessage& m) {
    held.push_back(std::get<core::Piece>(m.message).buffer);
  };
  const core::BlockSpan span{core::PieceIndex(0), 0_B, 16_KiB};
  for (int i = 0; i < 100; ++i) {
    pair.a.transport->send_block(pair.a.conn(), span, std::vector<std::uint8_t>(16384));
  }
  std::size_t seen = 0;
  while (seen < 100) {
    REQUIRE(pair.wait([&] { return held.size() > 10 || seen + held.size() == 100; }));
    CHECK(pair.b.pool.in_use() <= 12);
    seen += held.size();
    for (const core::BufferId id : std::exchange(held, {})) pair.b.pool.release(id);
  }
  CHECK(seen == 100);
}

TEST_CASE("a transport may go while connections are open, opening and sending") {
  Transfer transfer;
  transfer.request_all();
  Node& b = transfer.pair.b;
  REQUIRE(transfer.pair.wait([&] { return transfer.good > 0; }));
  b.dial(Endpoint::v4(127, 0, 0, 1, 1), 77);
  b.transport.reset();
  REQUIRE(transfer.pair.wait([&] { return transfer.pair.a.closed.size() == 1; }));
  CHECK(b.closed.empty());
}

}  // namespace
}  // namespace tributary::net
