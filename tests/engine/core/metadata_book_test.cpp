#include "engine/core/metadata_book.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::core {
namespace {

constexpr Bytes kSize = 40'000_B;  // three pieces
const TimePoint kStart{};

ConnId conn(int n) { return ConnId(static_cast<std::uint64_t>(n)); }

MetadataData part(std::int32_t piece, char fill = 'g', Bytes size = kSize) {
  const Bytes length = std::min(kMetadataPieceSize, size - kMetadataPieceSize * piece);
  return {piece, size,
          std::vector<std::uint8_t>(static_cast<std::size_t>(length.count()),
                                    static_cast<std::uint8_t>(fill))};
}

struct Rig {
  MetadataBook book;
  TimePoint now = kStart;

  void claim(int n, Bytes size = kSize) {
    book.claim(conn(n), Endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(n), 6881), size);
  }
  // The pieces that are asked of the peer now, as "0 1 2".
  std::string ask(int n) {
    std::string out;
    while (const auto piece = book.next_request(conn(n), now)) {
      out += (out.empty() ? "" : " ") + std::to_string(*piece);
    }
    return out;
  }
  // The peer gives all that it is asked for.
  void give_all(int n, char fill = 'g') {
    while (const auto piece = book.next_request(conn(n), now)) {
      CHECK(book.on_data(conn(n), part(*piece, fill)));
    }
  }
  std::vector<BlockSource> verdict(bool good) {
    REQUIRE(book.take_whole().has_value());
    return book.on_verdict(good);
  }
};

TEST_CASE("the pieces are shared out among the peers that claim the same size") {
  Rig rig;
  CHECK(rig.ask(1).empty());
  rig.claim(1);
  CHECK(rig.ask(1) == "0 1 2");
  rig.claim(2);
  CHECK(rig.ask(2).empty());
  rig.book.forget(conn(1));
  CHECK(rig.ask(2) == "0 1 2");
}

TEST_CASE("a large dictionary is asked for three pieces at a time") {
  Rig rig;
  for (int n : {1, 2}) rig.claim(n, 160'000_B);
  CHECK(rig.ask(1) == "0 1 2");
  CHECK(rig.ask(2) == "3 4 5");
  CHECK(rig.book.on_data(conn(1), part(1, 'g', 160'000_B)));
  CHECK(rig.ask(1) == "6");
}

TEST_CASE("the whole is handed out once, in the order of its pieces") {
  Rig rig;
  rig.claim(1);
  rig.ask(1);
  CHECK(rig.book.on_data(conn(1), part(2, 'c')));
  CHECK(rig.book.on_data(conn(1), part(0, 'a')));
  CHECK_FALSE(rig.book.take_whole().has_value());
  CHECK(rig.book.received() == 16'384_B + 7'232_B);
  CHECK(rig.book.on_data(conn(1), part(1, 'b')));
  const auto whole = rig.book.take_whole();
  REQUIRE(whole.has_value());
  CHECK(std::ssize(*whole) == kSize.count());
  CHECK(whole->front() == 'a');
  CHECK((*whole)[16'384] == 'b');
  CHECK(whole->back() == 'c');
  CHECK_FALSE(rig.book.take_whole().has_value());
  CHECK(rig.ask(1).empty());
  CHECK(rig.book.on_verdict(true).empty());
  REQUIRE(rig.book.senders().size() == 1);
  CHECK(rig.book.senders()[0].conn == conn(1));
}

TEST_CASE("data of another size than was claimed is an offence, what was not asked for none") {
  Rig rig;
  CHECK(rig.book.on_data(conn(1), part(0)));
  rig.claim(1);
  CHECK(rig.book.on_data(conn(1), part(0)));
  CHECK(rig.book.received() == 0_B);
  rig.ask(1);
  CHECK_FALSE(rig.book.on_data(conn(1), part(0, 'g', 50'000_B)));
  MetadataData cut = part(1);
  cut.bytes.pop_back();
  CHECK_FALSE(rig.book.on_data(conn(1), cut));
}

TEST_CASE("a lying size spoils nobody else's dictionary") {
  Rig rig;
  rig.claim(1, 16'000_B);
  rig.claim(2);
  rig.claim(3);
  CHECK(rig.book.size() == kSize);
  CHECK(rig.ask(1) == "0");
  CHECK(rig.ask(2) == "0 1 2");
  CHECK(rig.book.on_data(conn(1), part(0, 'x', 16'000_B)));
  const auto guilty = rig.verdict(false);
  REQUIRE(guilty.size() == 1);
  CHECK(guilty[0].conn == conn(1));
  rig.book.forget(conn(1));
  for (int piece : {0, 1, 2}) CHECK(rig.book.on_data(conn(2), part(piece)));
  CHECK(rig.verdict(true).empty());
}

TEST_CASE("no more than eight sizes and 128 MiB are worked on at once") {
  Rig rig;
  for (int n = 1; n <= 10; ++n) rig.claim(n, 16'000_B + Bytes(n));
  for (int n = 1; n <= 8; ++n) CHECK(rig.ask(n) == "0");
  for (int n : {9, 10}) CHECK(rig.ask(n).empty());
  rig.book.forget(conn(1));
  CHECK(rig.ask(9) == "0");
  Rig large;
  for (int n = 1; n <= 3; ++n) large.claim(n, kMaxMetadataSize - Bytes(n));
  CHECK(large.ask(3) == "0 1 2");
  CHECK(large.ask(2) == "0 1 2");
  CHECK(large.ask(1).empty());
}

TEST_CASE("what several sent and is wrong comes from one at a time, until the liar shows") {
  Rig rig;
  for (int n : {1, 2, 3}) rig.claim(n);
  CHECK(rig.book.next_request(conn(1), rig.now) == 0);
  CHECK(rig.ask(2) == "1 2");
  CHECK(rig.book.on_data(conn(1), part(0, 'x')));
  for (int piece : {1, 2}) CHECK(rig.book.on_data(conn(2), part(piece)));
  CHECK(rig.verdict(false).empty());

  SUBCASE("an honest one shows who had sent other bytes") {
    CHECK(rig.ask(2) == "0 1 2");
    CHECK(rig.ask(1).empty());
    CHECK(rig.ask(3).empty());
    for (int piece : {0, 1, 2}) CHECK(rig.book.on_data(conn(2), part(piece)));
    const auto guilty = rig.verdict(true);
    REQUIRE(guilty.size() == 1);
    CHECK(guilty[0].conn == conn(1));
  }
  SUBCASE("the liar is named by its own copy") {
    rig.give_all(1, 'x');
    const auto guilty = rig.verdict(false);
    REQUIRE(guilty.size() == 1);
    CHECK(guilty[0].conn == conn(1));
    rig.book.forget(conn(1));
    rig.give_all(3);
    CHECK(rig.verdict(true) == guilty);
  }
  SUBCASE("one that does not deliver makes room for the next") {
    CHECK(rig.ask(1) == "0 1 2");
    rig.now += kMetadataTimeout;
    rig.book.on_time(rig.now);
    CHECK(rig.ask(1).empty());
    rig.give_all(3);
    CHECK(rig.verdict(true).size() == 1);
  }
}

TEST_CASE("a piece that is late is asked of a second peer, and the first answer counts") {
  Rig rig;
  rig.claim(1);
  rig.claim(2);
  CHECK(rig.ask(1) == "0 1 2");
  rig.now += kMetadataHedge - 1us;
  CHECK(rig.ask(2).empty());
  rig.now += 1us;
  CHECK(rig.ask(2) == "0 1 2");
  for (int piece : {0, 1, 2}) CHECK(rig.book.on_data(conn(2), part(piece)));
  CHECK(rig.book.on_data(conn(1), part(0, 'x')));
  CHECK(rig.verdict(true).empty());
  REQUIRE(rig.book.senders().size() == 1);
  CHECK(rig.book.senders()[0].conn == conn(2));
}

TEST_CASE("who rejects or is silent rests, and is asked again after that") {
  Rig rig;
  rig.claim(1);
  rig.ask(1);
  rig.book.on_reject(conn(1), 7, rig.now);
  CHECK(rig.book.next_deadline() == rig.now + kMetadataTimeout);
  rig.book.on_reject(conn(1), 0, rig.now);
  rig.now += kMetadataTimeout;
  rig.book.on_time(rig.now);
  CHECK(rig.book.next_deadline() == kNever);
  CHECK(rig.ask(1).empty());
  rig.now += kMetadataRest - 1us;
  CHECK(rig.ask(1).empty());
  rig.now += 1us;
  CHECK(rig.ask(1) == "0 1 2");
}

TEST_CASE("a peer that changes its claim begins anew, and a verdict outlives its peers") {
  Rig rig;
  rig.claim(1);
  rig.ask(1);
  rig.claim(1, 16'000_B);
  CHECK(rig.book.size() == 16'000_B);
  CHECK(rig.ask(1) == "0");
  CHECK(rig.book.on_data(conn(1), part(0, 'x', 16'000_B)));
  REQUIRE(rig.book.take_whole().has_value());
  rig.book.forget(conn(1));
  CHECK(rig.book.on_verdict(false).size() == 1);
  CHECK(rig.book.size() == 0_B);
}

}  // namespace
}  // namespace tributary::core
