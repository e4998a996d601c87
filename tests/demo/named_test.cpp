#include "demo/named.h"

#include <doctest/doctest.h>

#include "demo/host_options.h"

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

namespace {

// Every one of them is known by its name, and an unknown name is answered by `error`.
template <class Parse, class Known>
void check_names(Parse parse, const Known& known, const char* unknown, const char* error) {
  for (const auto value : known) CHECK(*parse(to_string(value)) == value);
  CHECK(parse(unknown).error().message == error);
}

}  // namespace

TEST_CASE("what has a name is known by it, and an unknown name is answered with all names") {
  check_names(parse_encryption, core::kEncryptionModes, "on",
              "unknown encryption 'on'; choose off, allowed, required");
  check_names(parse_transport, net::kCarriers, "quic",
              "unknown transport 'quic'; choose both, tcp, utp");
  check_names(parse_unchoker, core::kUnchokers, "fair",
              "unknown unchoker 'fair'; choose tit-for-tat, tit-for-tat-fastest, prop-share, "
              "need-first");
}

TEST_CASE("an unknown name is shown without what a terminal would act on") {
  CHECK(parse_transport("a\x1b[2J").error().message.find('\x1b') == std::string::npos);
}
