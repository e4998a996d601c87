#include "demo/transport_option.h"

#include <doctest/doctest.h>

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

TEST_CASE("transports are known by name, and an unknown one is answered with all names") {
  CHECK(*parse_transport("both") == net::Carriers::kBoth);
  CHECK(*parse_transport("tcp") == net::Carriers::kTcp);
  CHECK(*parse_transport("utp") == net::Carriers::kUtp);
  CHECK(parse_transport("quic").error().message ==
        "unknown transport 'quic'; choose both, tcp, utp");
}
