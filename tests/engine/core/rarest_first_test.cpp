#include "engine/core/rarest_first.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tributary::core {
namespace {

// '#' is in the set.
Bitfield set_of(const std::string& drawing) {
  Bitfield bits(static_cast<int>(drawing.size()));
  for (std::size_t i = 0; i < drawing.size(); ++i) {
    if (drawing[i] == '#') bits.set(static_cast<int>(i));
  }
  return bits;
}

// So many partial peers have each piece.
RarestFirst availability(const std::string& digits) {
  RarestFirst rarest(static_cast<std::int32_t>(digits.size()));
  for (std::size_t i = 0; i < digits.size(); ++i) {
    for (char n = '0'; n < digits[i]; ++n) rarest.add_have(PieceIndex(static_cast<int>(i)));
  }
  return rarest;
}

std::string drawn(const RarestFirst& rarest, int pieces) {
  std::string digits;
  for (int i = 0; i < pieces; ++i) {
    digits += static_cast<char>('0' + rarest.availability(PieceIndex(i)));
  }
  return digits;
}

// '^' marks each piece of [begin, end) that some draw picks. Enough draws that none is left out by
// chance.
std::string picks(const RarestFirst& rarest, const std::string& open, const std::string& has,
                  int begin, int end) {
  std::string marks(open.size(), ' ');
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const PieceIndex piece =
        rarest.pick(set_of(open), set_of(has), PieceIndex(begin), PieceIndex(end), random);
    if (piece.value() >= 0) marks[static_cast<std::size_t>(piece.value())] = '^';
  }
  return marks;
}
std::string picks(const RarestFirst& rarest, const std::string& open, const std::string& has) {
  return picks(rarest, open, has, 0, static_cast<int>(open.size()));
}

TEST_CASE("the rarest pieces go first, by chance among equals") {
  CHECK(picks(availability("31224115"), "########", "########") == " ^   ^^ ");
  CHECK(picks(availability("3122"), "####", "####") == " ^  ");
  CHECK(picks(availability("2222"), "####", "####") == "^^^^");
}

TEST_CASE("pieces that are not open, or that the peer lacks, leave the turn to the next rarest") {
  const RarestFirst rarest = availability("12345");
  CHECK(picks(rarest, ".####", "#####") == " ^   ");
  CHECK(picks(rarest, "#####", "..###") == "  ^  ");
  CHECK(picks(rarest, ".#.##", "#.###") == "   ^ ");
}

TEST_CASE("only pieces of the range are picked") {
  const RarestFirst rarest = availability("13231");
  CHECK(picks(rarest, "#####", "#####", 1, 4) == "  ^  ");
  CHECK(picks(rarest, "#####", "#####", 1, 2) == " ^   ");
  CHECK(picks(rarest, "#####", "#####", 2, 2) == "     ");
  CHECK(picks(rarest, "#####", "#####", 4, 1) == "     ");
}

TEST_CASE("where nothing is open that the peer has, nothing is picked") {
  const RarestFirst rarest = availability("111");
  CHECK(picks(rarest, "...", "###") == "   ");
  CHECK(picks(rarest, "##.", "..#") == "   ");
}

TEST_CASE("pieces that only complete peers have are a complete peer's first work") {
  RarestFirst rarest = availability("10201");
  rarest.add_peer(set_of("#####"), true);
  CHECK(drawn(rarest, 5) == "21312");
  CHECK(picks(rarest, "#####", "#####") == " ^ ^ ");
  CHECK(picks(rarest, "#####", "#.#.#") == "^   ^");
}

TEST_CASE("a complete peer changes no order, and takes its count with it") {
  RarestFirst rarest = availability("213");
  const Bitfield all = set_of("###");
  rarest.add_peer(all, true);
  rarest.add_peer(all, true);
  CHECK(drawn(rarest, 3) == "435");
  CHECK(picks(rarest, "###", "##.") == " ^ ");
  rarest.remove_peer(all, true);
  CHECK(drawn(rarest, 3) == "324");
  rarest.remove_peer(all, true);
  CHECK(drawn(rarest, 3) == "213");
}

TEST_CASE("a peer that completed piece by piece is uncounted piece by piece") {
  RarestFirst rarest(3);
  rarest.add_peer(set_of("#.."), false);
  rarest.add_have(PieceIndex(1));
  rarest.add_have(PieceIndex(2));
  CHECK(drawn(rarest, 3) == "111");
  rarest.remove_peer(set_of("###"), false);
  CHECK(drawn(rarest, 3) == "000");
}

TEST_CASE("the order follows each have and each loss") {
  RarestFirst rarest = availability("1222");
  CHECK(picks(rarest, "####", "####") == "^   ");
  rarest.add_have(PieceIndex(0));
  CHECK(picks(rarest, "####", "####") == "^^^^");
  rarest.remove_have(PieceIndex(2));
  CHECK(picks(rarest, "####", "####") == "  ^ ");
  rarest.remove_have(PieceIndex(2));
  rarest.add_have(PieceIndex(3));
  CHECK(drawn(rarest, 4) == "2203");
  CHECK(picks(rarest, "####", "####") == "  ^ ");
}

TEST_CASE("after so many looks in vain the next piece by position is taken, and none is missed") {
  const int crowd = 2 * RarestFirst::kMaxLooks;
  // Many rare pieces that are not open, then two common ones that are.
  const std::string rare(static_cast<std::size_t>(crowd), '1');
  const std::string closed(static_cast<std::size_t>(crowd), '.');
  const RarestFirst rarest = availability(rare + "32");
  CHECK(picks(rarest, closed + "##", closed + "##").substr(rare.size()) == "^^");
  CHECK(picks(rarest, closed + "#.", closed + "##").substr(rare.size()) == "^ ");
  // Wherever the search by position begins, it comes round to what is before.
  const RarestFirst front = availability("3" + rare);
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    const PieceIndex piece = front.pick(set_of("#" + closed), set_of("#" + closed), PieceIndex(0),
                                        PieceIndex(crowd + 1), random);
    CHECK(piece == PieceIndex(0));
  }
}

TEST_CASE("pieces that no partial peer has cost a partial peer's search no looks") {
  const std::string many(2 * RarestFirst::kMaxLooks, '0');
  const std::string lacks(many.size(), '.');
  const std::string open(many.size(), '#');
  const RarestFirst rarest = availability(many + "32");
  CHECK(picks(rarest, open + "##", lacks + "##").substr(many.size()) == " ^");
}

// How many peers have each piece, by each peer's set.
struct Crowd {
  std::vector<Bitfield> sets;
  std::int32_t count(int piece) const {
    return static_cast<std::int32_t>(
        std::count_if(sets.begin(), sets.end(), [&](const Bitfield& b) { return b.test(piece); }));
  }
};

TEST_CASE("property: counts are true, and what is picked has no rarer rival") {
  constexpr int kPieces = 40;  // fewer than the looks
  RarestFirst rarest(kPieces);
  Crowd crowd;
  for (int n = 0; n < 8; ++n) crowd.sets.emplace_back(kPieces);
  Random random(3);
  int picked = 0;
  for (int i = 0; i < 4000; ++i) {
    Bitfield& set = crowd.sets[random.below(crowd.sets.size())];
    const int piece = static_cast<int>(random.below(kPieces));
    if (set.set(piece)) {
      rarest.add_have(PieceIndex(piece));
    } else if (set.reset(piece)) {
      rarest.remove_have(PieceIndex(piece));
    }
    REQUIRE(rarest.availability(PieceIndex(piece)) == crowd.count(piece));
    Bitfield open(kPieces);
    for (int p = 0; p < kPieces; ++p) {
      if (random.chance(1, 3)) open.set(p);
    }
    const int found = rarest.pick(open, set, PieceIndex(0), PieceIndex(kPieces), random).value();
    REQUIRE((found >= 0) == open.intersects(set));
    if (found < 0) continue;
    ++picked;
    REQUIRE((open.test(found) && set.test(found)));
    for (int p = 0; p < kPieces; ++p) {
      if (open.test(p) && set.test(p)) REQUIRE(crowd.count(p) >= crowd.count(found));
    }
  }
  CHECK(picked > 1000);
}

}  // namespace
}  // namespace tributary::core
