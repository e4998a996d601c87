#include "engine/wire/http_request.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::wire {
namespace {

HttpRequestHead read(std::string_view bytes) {
  const auto head = read_http_request(bytes);
  REQUIRE(head.ok());
  REQUIRE(head->has_value());
  return **head;
}

TEST_CASE("a request line gives method, path and query, whatever follows it") {
  const HttpRequestHead head =
      read("GET /announce?info_hash=%01&port=1 HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1");
  CHECK(head.method == "GET");
  CHECK(head.path == "/announce");
  CHECK(head.query == "info_hash=%01&port=1");
  CHECK(read("HEAD / HTTP/1.0\r\n\r\n").method == "HEAD");
  CHECK(read("GET /a HTTP/1.1\r\n\r\n").query.empty());
  CHECK(read("GET http://h:80/a?b?c HTTP/1.1\r\n\r\n").path == "/a");
  CHECK(read("GET http://h:80/a?b?c HTTP/1.1\r\n\r\n").query == "b?c");
}

TEST_CASE("a head that is not whole is waited for, up to its limit") {
  const std::string whole = "GET /announce?a=b HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto head = read_http_request(std::string_view(whole).substr(0, n));
    REQUIRE(head.ok());
    CHECK_FALSE(head->has_value());
  }
  const std::string padding(kMaxHttpRequestHead, 'x');
  CHECK(read_http_request("GET /" + padding).error().code == ErrorCode::kLimit);
  CHECK(read_http_request("GET / HTTP/1.1\r\nA: " + padding + "\r\n\r\n").error().code ==
        ErrorCode::kLimit);
}

TEST_CASE("what is no HTTP/1 request is an error") {
  for (const char* wrong :
       {"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "\r\n\r\n",
        "G@T / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
        " / HTTP/1.1\r\n\r\n", "GET /\r\nHTTP/1.1\r\n\r\n"}) {
    CAPTURE(wrong);
    const auto head = read_http_request(wrong);
    REQUIRE_FALSE(head.ok());
    CHECK(head.error().code == ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace tributary::wire
