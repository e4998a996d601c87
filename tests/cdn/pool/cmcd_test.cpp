#include "cdn/pool/cmcd.h"

#include <doctest/doctest.h>

namespace tributary::cdn {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("nothing known gives no headers") { CHECK(cmcd_headers({}).empty()); }

TEST_CASE("each key is in its header, in alphabetical order, rounded as CTA-5004 says") {
  Cmcd data;
  data.buffered = 21'349ms;
  data.deadline = 950ms;
  data.media_rate = 2'499_kbps;
  data.throughput = 25'387_kbps;
  data.starting = true;
  data.stalled = true;
  data.next_object = "../b/track 2.opus";
  data.next_range = ByteRange{16384_B, 32768_B};
  data.session = "6e2fb550-c457-11e9-bb97-0800200c9a66";
  CHECK(cmcd_headers(data) ==
        Headers{{"CMCD-Object", "br=2499"},
                {"CMCD-Request",
                 "bl=21300,dl=1000,mtp=25400,nor=\"..%2Fb%2Ftrack%202.opus\","
                 "nrr=\"16384-32767\",su"},
                {"CMCD-Session", "sid=\"6e2fb550-c457-11e9-bb97-0800200c9a66\""},
                {"CMCD-Status", "bs"}});
}

TEST_CASE("a session name cannot break out of its header") {
  Cmcd data;
  data.session = "a\"b\\c\r\nEvil: 1";
  CHECK(cmcd_headers(data) == Headers{{"CMCD-Session", "sid=\"a\\\"b\\\\cEvil: 1\""}});
}

TEST_CASE("a session name is cut to 64 characters") {
  Cmcd data;
  data.session = std::string(100, 'x');
  CHECK(cmcd_headers(data).front().second == "sid=\"" + std::string(64, 'x') + '"');
}

}  // namespace
}  // namespace tributary::cdn
