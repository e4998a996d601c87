#include "engine/wire/url.h"

#include <doctest/doctest.h>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

TEST_CASE("references resolve as in the examples of RFC 3986 section 5.4") {
  const std::vector<std::pair<const char*, const char*>> table = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
  };
  for (const auto& row : table) {
    const std::string reference = row.first;
    const std::string target = row.second;
    CAPTURE(reference);
    CHECK(resolve_url("http://a/b/c/d;p?q", reference) == target);
  }
}

TEST_CASE("splitting and joining gives the text again") {
  for (const char* url : {"http://u:p@h:1/p/q?a=b#f", "//h", "a/b", "?q", "#", "x:", "http://h?#",
                          "magnet:?xt=urn:btih:1", "1:2", ""}) {
    CHECK(join_url(split_url(url)) == url);
  }
}

TEST_CASE("percent coding survives the round trip for every byte") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_encode("a b/ü~") == "a%20b%2F%C3%BC~");
  for (const char* bad : {"%", "%1", "%g0", "%0g", "abc%"}) CHECK_FALSE(percent_decode(bad));
  CHECK(percent_decode("a+b") == "a+b");
}

TEST_CASE("only http and https with a host count as HTTP URLs") {
  for (const char* good : {"http://h/", "HTTPS://h", "http://[::1]:80/x?y"})
    CHECK(is_http_url(good));
  for (const char* bad :
       {"ftp://h/", "http:/h", "http://", "h", "http://a b/", "http://h/\n", ""}) {
    CHECK_FALSE(is_http_url(bad));
  }
}

TEST_CASE("a URL's host is this machine by its text alone") {
  for (const char* here :
       {"http://127.0.0.1:80/a", "udp://localhost:6969", "http://LocalHost", "https://127.9.9.9/",
        "http://[::1]:80/x", "http://user:word@127.0.0.1/", "http://a@b@localhost/"}) {
    CAPTURE(here);
    CHECK(is_loopback_url(here));
  }
  for (const char* elsewhere :
       {"http://127.example.org/", "http://10.0.0.1/", "http://[::2]/", "http://localhost.org/",
        "http://local/", "http://localhost@example.org/", "http:127.0.0.1", "/127.0.0.1", ""}) {
    CAPTURE(elsewhere);
    CHECK_FALSE(is_loopback_url(elsewhere));
  }
}

TEST_CASE("web-seed URLs follow BEP 19") {
  core::TorrentInfo single;
  single.name = "my song.ogg";
  core::FileEntry file;
  file.path = single.name;
  CHECK(web_seed_url("http://h/x?sig=1", single, file) == "http://h/x?sig=1");
  CHECK(web_seed_url("http://h/dir/", single, file) == "http://h/dir/my%20song.ogg");
  core::TorrentInfo album;
  album.name = "an album";
  album.multi_file = true;
  file.path = "disc 1/ä#?.ogg";
  const std::string tail = "an%20album/disc%201/%C3%A4%23%3F.ogg";
  CHECK(web_seed_url("http://h/d/", album, file) == "http://h/d/" + tail);
  CHECK(web_seed_url("http://h/d", album, file) == "http://h/d/" + tail);
  CHECK(web_seed_url("http://h/d/?sig=a%2F", album, file) == "http://h/d/" + tail + "?sig=a%2F");
}

}  // namespace
}  // namespace tributary::wire
