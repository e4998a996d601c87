#include "engine/wire/bencode.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "engine/wire/bencode_encoder.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::bytes;
using testing::text;

std::string error_of(std::string_view input) {
  const auto result = decode_bencode(as_octets(input));
  return result ? "" : result.error().message;
}

TEST_CASE("malformed bencoding is refused with the byte and the reason") {
  const std::map<std::string, std::string> table = {
      {"", "byte 0: the text ends within a value"},
      {"i1", "byte 0: the text ends within an integer"},
      {"ie", "byte 0: not an integer"},
      {"i-e", "byte 0: not an integer"},
      {"i-0e", "byte 0: an integer with a leading zero or a negative zero"},
      {"i007e", "byte 0: an integer with a leading zero or a negative zero"},
      {"i-05e", "byte 0: an integer with a leading zero or a negative zero"},
      {"i+5e", "byte 0: not an integer"},
      {"i9223372036854775808e", "byte 0: an integer beyond 64 bits"},
      {"i1ei2e", "byte 3: bytes follow the value"},
      {"5:abc", "byte 0: string runs past the end"},
      {"03:abc", "byte 0: a string's length has leading zeros"},
      {"99999999999999999999999:a", "byte 0: string runs past the end"},
      {"1a", "byte 1: a string's length is not followed by ':'"},
      {"1", "byte 0: the text ends within a string's length"},
      {"-1:a", "byte 0: not the beginning of a value"},
      {"e", "byte 0: an 'e' where a value should begin"},
      {"l", "byte 1: the text ends within a value"},
      {"li1e", "byte 4: the text ends within a value"},
      {"d1:ae", "byte 4: a key has no value"},
      {"di1e1:ae", "byte 1: a dictionary key is not a string"},
      {"d1:ai1e1:ai2ee", "byte 7: a dictionary key comes twice"},
      {"d1:bi1e1:ai2e1:bi3ee", "byte 13: a dictionary key comes twice"},
      {"x", "byte 0: not the beginning of a value"},
  };
  for (const auto& row : table) {
    const std::string input = row.first;
    const std::string message = row.second;
    CAPTURE(input);
    CHECK(error_of(input) == message);
  }
}

TEST_CASE("values are read with their kinds, offsets and raw text") {
  const std::string input = "d1:ai-42e1:bl0:3:xyzd1:ci0eee1:cdee";
  const auto document = decode_bencode(as_octets(input));
  REQUIRE(document.ok());
  const BencodeView root = document->root();
  CHECK(root.sorted());
  CHECK(root.find("a").integer() == -42);
  CHECK_FALSE(root.find("a").string().has_value());
  CHECK(root.find("a").offset() == 4);
  CHECK_FALSE(root.find("zz").exists());
  CHECK_FALSE(root.find("a").find("b").exists());
  std::vector<BencodeView> items;
  for (BencodeView item : root.find("b").children()) items.push_back(item);
  REQUIRE(items.size() == 3);
  CHECK(items[0].string() == "");
  CHECK(items[1].string() == "xyz");
  CHECK(items[2].find("c").integer() == 0);
  CHECK(as_text(items[2].raw()) == "d1:ci0ee");
  CHECK(root.find("c").is_dict());
  CHECK(root.find("c").entries().empty());
}

TEST_CASE("extreme integers are read") {
  CHECK(decode_bencode(as_octets("i9223372036854775807e"))->root().integer() == INT64_MAX);
  CHECK(decode_bencode(as_octets("i-9223372036854775808e"))->root().integer() == INT64_MIN);
}

TEST_CASE("keys out of order are read, reported and put in order by the encoder") {
  const std::string input = "d1:bi1e1:ai2ee";
  const auto document = decode_bencode(as_octets(input));
  REQUIRE(document.ok());
  CHECK_FALSE(document->root().sorted());
  CHECK(document->root().find("a").integer() == 2);
  CHECK(text(encode_bencode(document->root())) == "d1:ai2e1:bi1ee");
}

TEST_CASE("depth, items and size are bounded") {
  BencodeLimits limits;
  const std::string deep(64, 'l');
  CHECK(decode_bencode(as_octets(deep + std::string(64, 'e'))).ok());
  const auto deeper = decode_bencode(as_octets("l" + deep + std::string(65, 'e')));
  REQUIRE_FALSE(deeper.ok());
  CHECK(deeper.error().code == ErrorCode::kLimit);
  limits.max_items = 3;
  CHECK(decode_bencode(as_octets("l0:0:e"), limits).ok());
  CHECK_FALSE(decode_bencode(as_octets("l0:0:0:e"), limits).ok());
  limits.max_size = 5;
  CHECK_FALSE(decode_bencode(as_octets("l0:0:e"), limits).ok());
}

// A random value of bounded depth.
void write_random(Random& random, BencodeEncoder& out, int depth) {
  const std::uint64_t kind = random.below(depth == 0 ? 2 : 4);
  if (kind == 0) {
    out.integer(static_cast<std::int64_t>(random.next() >> random.below(64)));
  } else if (kind == 1) {
    out.string(testing::random_bytes(random, random.below(20)));
  } else if (kind == 2) {
    out.begin_list();
    for (std::uint64_t n = random.below(5); n > 0; --n) write_random(random, out, depth - 1);
    out.end();
  } else {
    out.begin_dict();
    for (std::uint64_t i = 0, n = random.below(5); i < n; ++i) {
      write_random(random, out.key("k" + std::to_string(i)), depth - 1);
    }
    out.end();
  }
}

TEST_CASE("random values survive the round trip, and no proper beginning of one decodes") {
  Random random(7);
  for (int i = 0; i < 300; ++i) {
    BencodeEncoder encoder;
    write_random(random, encoder, 5);
    const OctetBuffer input = encoder.take();
    const auto document = decode_bencode(input);
    REQUIRE(document.ok());
    REQUIRE(encode_bencode(document->root()) == input);
    for (std::size_t n = 0; n < input.size(); ++n) {
      REQUIRE_FALSE(decode_bencode(Octets(input).first(n)).ok());
    }
  }
}

TEST_CASE("flipped bits give an error or another value that survives the round trip") {
  Random random(8);
  BencodeEncoder encoder;
  encoder.begin_dict().key("a").begin_list();
  for (int i = 0; i < 5; ++i) write_random(random, encoder, 4);
  const OctetBuffer input = encoder.end().end().take();
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
    OctetBuffer flipped = input;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    const auto document = decode_bencode(flipped);
    refused += document ? 0 : 1;
    if (document && document->root().sorted()) {
      REQUIRE(decode_bencode(encode_bencode(document->root())).ok());
    }
  }
  CHECK(refused > 0);
}

}  // namespace
}  // namespace tributary::wire
