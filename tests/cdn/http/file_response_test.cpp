#include "cdn/http/file_response.h"

#include <doctest/doctest.h>

namespace tributary::cdn {
namespace {

const FileFacts kFile{1000_B, WallTime{784'111'777}, "\"v1\""};

FilePlan get(net::HttpHeaders headers) { return plan_file_response("GET", headers, kFile); }

TEST_CASE("a plain request gets the whole file with its validators") {
  const FilePlan plan = get({});
  CHECK(plan.status == 200);
  CHECK(plan.body == ByteRange{0_B, 1000_B});
  CHECK(plan.headers == net::HttpHeaders{{"ETag", "\"v1\""},
                                         {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                         {"Accept-Ranges", "bytes"}});
}

TEST_CASE("one range is served in each of its forms") {
  const auto range = [](const char* text) {
    const FilePlan plan = get({{"range", text}});
    CHECK(plan.status == 206);
    return std::pair(plan.body, plan.headers.back().second);
  };
  CHECK(range("bytes=0-99") == std::pair(ByteRange{0_B, 100_B}, std::string("bytes 0-99/1000")));
  CHECK(range("bytes=900-").first == ByteRange{900_B, 1000_B});
  CHECK(range("bytes=900-5000").first == ByteRange{900_B, 1000_B});
  CHECK(range("bytes=-1").first == ByteRange{999_B, 1000_B});
  CHECK(range("bytes=-5000").first == ByteRange{0_B, 1000_B});
  CHECK(range("BYTES=999-999").second == "bytes 999-999/1000");
}

TEST_CASE("a range beyond the end is not satisfiable") {
  for (const char* text : {"bytes=1000-", "bytes=5000-6000", "bytes=-0"}) {
    const FilePlan plan = get({{"range", text}});
    CHECK(plan.status == 416);
    CHECK(plan.body.empty());
    CHECK(plan.headers.back() ==
          std::pair<std::string, std::string>("Content-Range", "bytes */1000"));
  }
}

TEST_CASE("ranges that are not understood are ignored") {
  for (const char* text : {"bytes=0-1,5-6", "items=0-1", "bytes=9-5", "bytes=a-b", "bytes",
                           "bytes=-", "bytes=0-99999999999999999999"}) {
    CAPTURE(text);
    CHECK(get({{"range", text}}).status == 200);
  }
  CHECK(plan_file_response("HEAD", {{"range", "bytes=0-1"}}, kFile).status == 200);
}

TEST_CASE("a range counts only while If-Range holds") {
  const auto status = [](const char* condition) {
    return get({{"range", "bytes=0-1"}, {"if-range", condition}}).status;
  };
  CHECK(status("\"v1\"") == 206);
  CHECK(status("\"v2\"") == 200);
  CHECK(status("W/\"v1\"") == 200);
  CHECK(status("Sun, 06 Nov 1994 08:49:37 GMT") == 206);
  CHECK(status("Sun, 06 Nov 1994 08:49:38 GMT") == 200);
}

TEST_CASE("conditions are judged in the order of RFC 9110") {
  CHECK(get({{"if-none-match", "\"v0\", W/\"v1\""}}).status == 304);
  CHECK(get({{"if-none-match", "*"}}).status == 304);
  CHECK(get({{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status == 304);
  CHECK(get({{"if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT"}}).status == 200);
  CHECK(get({{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"if-none-match", "\"v2\""}})
            .status == 200);
  CHECK(get({{"if-match", "\"v2\""}}).status == 412);
  CHECK(get({{"if-match", "\"v1\""}}).status == 200);
  CHECK(get({{"if-unmodified-since", "Sun, 06 Nov 1994 08:49:36 GMT"}}).status == 412);
}

TEST_CASE("media types go by the last extension of the name") {
  CHECK(content_type_of("a.b/track.OPUS") == "audio/ogg");
  CHECK(content_type_of("a.mp4/track") == "application/octet-stream");
  CHECK(content_type_of("x.torrent") == "application/x-bittorrent");
}

}  // namespace
}  // namespace tributary::cdn
