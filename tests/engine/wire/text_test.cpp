#include "engine/wire/text.h"

#include <doctest/doctest.h>

namespace tributary::wire {
namespace {

TEST_CASE("hexadecimal digits of either case are read, in the number that was asked for") {
  CHECK(decode_hex("00fFA9", 3) == OctetBuffer{0x00, 0xff, 0xa9});
  CHECK(decode_hex("", 0) == OctetBuffer());
  for (const char* text : {"00ff", "00ffa", "00ffa9b", "00ffa900", "00fg99", "+0ffa9", "00ff a"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_hex(text, 3));
  }
}

}  // namespace
}  // namespace tributary::wire
