#include "demo/encryption_option.h"

#include <doctest/doctest.h>

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

TEST_CASE("modes of encryption are known by name, and an unknown one is answered with all names") {
  for (const core::EncryptionMode mode : core::kEncryptionModes) {
    CHECK(*parse_encryption(core::to_string(mode)) == mode);
  }
  CHECK(parse_encryption("on").error().message ==
        "unknown encryption 'on'; choose off, allowed, required");
}
