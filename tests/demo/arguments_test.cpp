#include "demo/arguments.h"

#include <doctest/doctest.h>

#include "demo/human.h"
#include "demo/sharing_limits.h"

using namespace tributary;        // NOLINT
using namespace tributary::demo;  // NOLINT

namespace {

std::int64_t bits(std::string_view text) {
  const auto rate = parse_rate(text);
  return rate ? rate->bits_per_second() : -1;
}

std::int64_t micros(std::string_view text) {
  const auto time = parse_time(text);
  return time ? time->count() : -1;
}

TEST_CASE("a ratio is a positive number") {
  CHECK(*parse_ratio("1") == 100);
  CHECK(*parse_ratio("1.5") == 150);
  CHECK(*parse_ratio("0.01") == 1);
  CHECK(*parse_ratio("1000") == 100'000);
  for (const char* wrong : {"", "0", "0.001", "-1", "1000.1", "1x", "one", "1k"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_ratio(wrong).ok());
  }
  CHECK(parse_told_ratio("2")->value() == 200);
  CHECK_FALSE(parse_told_time("x").ok());
  CHECK(human_ratio(100) == "1");
  CHECK(human_ratio(150) == "1.5");
  CHECK(human_ratio(25) == "0.25");
  CHECK(human_ratio(100'000) == "1000");
}

TEST_CASE("a count is a whole number from one to a million") {
  CHECK(*parse_count("1") == 1);
  CHECK(*parse_count("1000000") == 1'000'000);
  for (const char* text : {"", "0", "-1", "+1", "1.5", "12k", " 1", "1000001", "99999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_count(text).ok());
  }
  CHECK(parse_count("many").error().message == "'many' is no count; give a number of 1 to 1000000");
}

TEST_CASE("sharing ends with the first limit that is reached, and with none never") {
  const SharingLimits none;
  CHECK_FALSE(none.reached(1h, 1_MiB, 0_B));
  SharingLimits both;
  both.time = 10s;
  both.ratio = 150;
  CHECK_FALSE(both.reached(9s, 149_KiB, 100_KiB));
  CHECK(both.reached(10s, 0_B, 100_KiB));
  CHECK(both.reached(1s, 150_KiB, 100_KiB));
  CHECK(both.reached(0s, 0_B, 0_B));  // nothing was taken: nothing is owed
}

}  // namespace

TEST_CASE("rates are bits a second with decimal k, M and G") {
  CHECK(bits("64000") == 64'000);
  CHECK(bits("600k") == 600'000);
  CHECK(bits("2.5M") == 2'500'000);
  CHECK(bits("1G") == 1'000'000'000);
  CHECK(bits("0.5k") == 500);
  CHECK(bits("1.0000001M") == 1'000'000);
  CHECK(bits("1000G") == 1'000'000'000'000);
}

TEST_CASE("rates that mean nothing or too much are refused with the text and an example") {
  for (const char* text : {"", "k", "-5", "+5", "0", "0.0", "5 k", "5x", "5kk", ".5M", "5.", "5.k",
                           "1e3", "1001G", "99999999999999999999", "0x10", "5k "}) {
    CAPTURE(text);
    CHECK(bits(text) == -1);
  }
  const auto bad = parse_rate("fast");
  REQUIRE(!bad);
  CHECK(bad.error().message == "rate 'fast' is not understood; give bit/s like 600k, 2.5M or 1G");
}

TEST_CASE("times are seconds, clocks or numbers with units") {
  CHECK(micros("90") == 90'000'000);
  CHECK(micros("90s") == 90'000'000);
  CHECK(micros("1m30s") == 90'000'000);
  CHECK(micros("1m30") == 90'000'000);
  CHECK(micros("1:30") == 90'000'000);
  CHECK(micros("1:30.5") == 90'500'000);
  CHECK(micros("1:02:03") == 3'723'000'000);
  CHECK(micros("90:00") == 5'400'000'000);
  CHECK(micros("1h") == 3'600'000'000);
  CHECK(micros("250ms") == 250'000);
  CHECK(micros("0.25") == 250'000);
  CHECK(micros("0") == 0);
}

TEST_CASE("times that are no times are refused") {
  for (const char* text :
       {"",      "s",          ":",   "1:",   ":30", "1:60", "1:2:3:4",      "1.5:30",
        "30s1m", "1m1m",       "-1",  "1:-1", "1d",  "1 s",  "999999999999", "999999999:00",
        "1001h", "1001:00:00", "nan", "1ms5"}) {
    CAPTURE(text);
    CHECK(micros(text) == -1);
  }
}

TEST_CASE("piece lengths are powers of two within what BEP 52 and this program allow") {
  CHECK(*parse_piece_length("16384") == 16_KiB);
  CHECK(*parse_piece_length("16k") == 16_KiB);
  CHECK(*parse_piece_length("64KiB") == 64_KiB);
  CHECK(*parse_piece_length("64M") == 64_MiB);
  for (const char* text : {"", "0", "8192", "17000", "48k", "128M", "1G", "16.5k", "x", "-16384"}) {
    CAPTURE(text);
    CHECK(!parse_piece_length(text));
  }
}

TEST_CASE("listening addresses are numeric, with loopback for none and for localhost") {
  CHECK(*parse_listen("127.0.0.1:8080") == Endpoint::v4(127, 0, 0, 1, 8080));
  CHECK(*parse_listen(":8080") == Endpoint::v4(127, 0, 0, 1, 8080));
  CHECK(*parse_listen("localhost:0") == Endpoint::v4(127, 0, 0, 1, 0));
  CHECK(parse_listen("[::1]:6881")->port == 6881);
  for (const char* text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
                           "example.org:80", "[::1", "localhost"}) {
    CAPTURE(text);
    CHECK(!parse_listen(text));
  }
}

TEST_CASE("edges are http or https, trackers also udp") {
  CHECK(parse_edge("https://cdn.example.org/a/"));
  CHECK(parse_tracker("http://t.example.org/announce"));
  CHECK(parse_tracker("udp://t.example.org:6969/announce"));
  for (const char* text : {"", "cdn.example.org", "ftp://a/", "http://", "http://a b/", "udp://"}) {
    CAPTURE(text);
    CHECK(!parse_edge(text));
    CHECK(!parse_tracker(text));
  }
  CHECK(!parse_edge("udp://t.example.org:6969"));
  CHECK(parse_tracker("udp://t.example.org/announce").error().message ==
        "tracker 'udp://t.example.org/announce': the port is missing; a UDP tracker is "
        "udp://HOST:PORT/announce");
}

TEST_CASE("sources of unknown schemes are refused, paths are left to be opened") {
  CHECK(parse_source("a.torrent"));
  CHECK(parse_source("http://example.org/a.torrent"));
  CHECK(parse_source("magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=x"));
  CHECK(parse_source("magnet:?xt=urn:btih:00").error().message.starts_with("magnet link: xt: "));
  for (const char* text : {"ftp://a/b", "file:///a", "://x"}) {
    CAPTURE(text);
    REQUIRE(!parse_source(text));
    CHECK(parse_source(text).error().message.find("unknown scheme") != std::string::npos);
  }
}

TEST_CASE("the end of a span lies behind its start") {
  CHECK(check_span(10s, 11s));
  CHECK(!check_span(10s, 10s));
  CHECK(!check_span(10s, 9s));
}
