#include "player/gateway/request_guard.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

constexpr const char* kHost = "127.0.0.1:8090";

// 0: it may pass.
int status(const net::HttpHeaders& headers, const GatewayAccess& access = {},
           std::string_view query = "") {
  const auto refusal = refuse(headers, query, access);
  if (!refusal) return 0;
  CHECK_FALSE(refusal->message.empty());
  CHECK(refusal->message.find('\n') == std::string::npos);
  return refusal->status;
}

TEST_CASE("a gateway answers to its addresses, to localhost and to the names it was given") {
  for (const char* host : {"127.0.0.1:8090", "127.0.0.1", "[::1]:8090", "[::1]", "localhost",
                           "LocalHost:8090", "music.localhost:1", "192.168.1.7:8090"}) {
    CAPTURE(host);
    CHECK(status({{"host", host}}) == 0);
  }
  CHECK(status({{"host", "music.example:8090"}}, {"", {"music.example"}}) == 0);
  CHECK(status({{"host", "Music.Example"}}, {"", {"music.example"}}) == 0);
}

TEST_CASE("a foreign name that points here is rebinding, and is refused") {
  for (const char* host :
       {"evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example",
        "evillocalhost", "", ":8090", "[::1", "[::1]x", "[evil]", "127.0.0.1 evil", "a, b"}) {
    CAPTURE(host);
    CHECK(status({{"host", host}}) == 421);
  }
  CHECK(status({}) == 400);
}

TEST_CASE("pages of other origins are refused, the gateway's own and none at all are not") {
  CHECK(status({{"host", kHost}, {"origin", "http://127.0.0.1:8090"}}) == 0);
  for (const char* origin : {"http://evil.example", "http://127.0.0.1:8091", "http://127.0.0.1",
                             "null", "", "ftp://127.0.0.1:8090", "127.0.0.1:8090"}) {
    CAPTURE(origin);
    CHECK(status({{"host", kHost}, {"origin", origin}}) == 403);
  }
}

TEST_CASE("what a foreign page embeds is refused, a link that the user follows is not") {
  const net::HttpHeaders embeds = {
      {"host", kHost}, {"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "no-cors"}};
  const net::HttpHeaders follows = {
      {"host", kHost}, {"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}};
  CHECK(status(embeds) == 403);
  CHECK(status(follows) == 0);
  CHECK(status({{"host", kHost}, {"sec-fetch-site", "same-origin"}}) == 0);
}

TEST_CASE("a token comes in the header, the query or the cookie") {
  const GatewayAccess access{"s3cret", {}};
  CHECK(status({{"host", kHost}}, access) == 401);
  CHECK(status({{"host", kHost}, {"authorization", "Bearer s3cret"}}, access) == 0);
  CHECK(status({{"host", kHost}}, access, "token=s3cret") == 0);
  CHECK(status({{"host", kHost}}, access, "a=b&token=%733cret&c") == 0);
  CHECK(status({{"host", kHost}, {"cookie", "a=b; tributary_token=s3cret; c=d"}}, access) == 0);
  for (const char* query : {"token=", "token=s3cre", "token=s3crets", "token=S3cret", "token",
                            "xtoken=s3cret", "token=%zz"}) {
    CAPTURE(query);
    CHECK(status({{"host", kHost}}, access, query) == 401);
  }
  CHECK(status({{"host", kHost}, {"authorization", "Basic s3cret"}}, access) == 401);
  CHECK(status({{"host", kHost}, {"cookie", "xtributary_token=s3cret"}}, access) == 401);
}

TEST_CASE("the cookie that is set is the one that is read") {
  const std::string cookie = token_cookie("s3cret");
  CHECK(status({{"host", kHost}, {"cookie", cookie.substr(0, cookie.find(';'))}}, {"s3cret", {}}) ==
        0);
}

TEST_CASE("only the gateway's own page, or no page, may change something") {
  CHECK(comes_from_own_page({}));
  CHECK(comes_from_own_page({{"sec-fetch-site", "same-origin"}}));
  CHECK_FALSE(comes_from_own_page({{"sec-fetch-site", "same-site"}}));
  CHECK_FALSE(comes_from_own_page({{"sec-fetch-site", "none"}}));
}

}  // namespace
}  // namespace tributary::player
