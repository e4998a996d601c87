#include "engine/wire/magnet.h"

#include <doctest/doctest.h>

#include "engine/wire/metainfo.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

const std::string kHex = "0123456789abcdef0123456789abcdef01234567";
const std::string kHex2 = kHex + "89abcdef0123456789abcdef";

// Without the words that each begins with.
std::string error_of(const std::string& link) {
  const auto parsed = parse_magnet(link);
  if (parsed) return "";
  const std::string prefix = "magnet link: ";
  REQUIRE(parsed.error().message.starts_with(prefix));
  return parsed.error().message.substr(prefix.size());
}

std::string with(const std::string& parameter) {
  return "magnet:?xt=urn:btih:" + kHex + "&" + parameter;
}

TEST_CASE("a link names a v1, a v2 or a hybrid torrent") {
  const auto v1 = parse_magnet("magnet:?xt=urn:btih:" + kHex);
  REQUIRE(v1.ok());
  CHECK(v1->v1_hash->hex() == kHex);
  CHECK_FALSE(v1->v2_hash.has_value());
  const auto v2 = parse_magnet("magnet:?xt=urn:btmh:1220" + kHex2);
  REQUIRE(v2.ok());
  CHECK(v2->v2_hash->hex() == kHex2);
  CHECK_FALSE(v2->v1_hash.has_value());
  CHECK(v2->info_hashes().front().hex() == kHex);
  const auto hybrid = parse_magnet("magnet:?xt=urn:btmh:1220" + kHex2 + "&xt=urn:btih:" + kHex);
  REQUIRE(hybrid.ok());
  CHECK(hybrid->info_hashes().size() == 2);
}

TEST_CASE("a v1 hash may be written in base32, in either case") {
  const std::string hex = "000102030405060708090a0b0c0d0e0f10111213";
  for (const char* text :
       {"AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", "aaaqeayeaudaocajbifqydiob4ibceqt"}) {
    const auto parsed = parse_magnet(std::string("magnet:?xt=urn:btih:") + text);
    REQUIRE(parsed.ok());
    CHECK(parsed->v1_hash->hex() == hex);
  }
}

TEST_CASE("scheme, urn and digits may be in capitals, and parameters numbered") {
  const auto parsed = parse_magnet(
      "MAGNET:?xt.1=URN:BTIH:0123456789ABCDEF0123456789ABCDEF01234567&tr.1=http://a/"
      "&tr.2=http://b/");
  REQUIRE(parsed.ok());
  CHECK(parsed->v1_hash->hex() == kHex);
  CHECK(parsed->trackers == std::vector<std::string>{"http://a/", "http://b/"});
}

TEST_CASE("name, trackers, edges, peers and a selection are read") {
  const auto parsed = parse_magnet(
      with("dn=a+song%21&tr=udp%3A%2F%2Ft%3A1%2Fannounce&tr=http://t/&tr=http://t/"
           "&ws=https%3A%2F%2Fcdn%2Fx%3Fa%3Db&ws=ftp://no/&x.pe=10.0.0.1:6881"
           "&x.pe=%5B2001:db8::1%5D:1&x.pe=host.example:65535&so=0,2,4-6&unknown=1&&flag"));
  REQUIRE(parsed.ok());
  CHECK(parsed->name == "a song!");
  CHECK(parsed->trackers == std::vector<std::string>{"udp://t:1/announce", "http://t/"});
  CHECK(parsed->edges == std::vector<std::string>{"https://cdn/x?a=b"});
  CHECK(parsed->peers ==
        std::vector<HostPort>{{"10.0.0.1", 6881}, {"2001:db8::1", 1}, {"host.example", 65535}});
  CHECK(parsed->selected == std::vector<FileSpan>{{0, 0}, {2, 2}, {4, 6}});
  for (int file : {0, 2, 4, 5, 6}) CHECK(parsed->selects(core::FileIndex(file)));
  for (int file : {1, 3, 7}) CHECK_FALSE(parsed->selects(core::FileIndex(file)));
  CHECK(parse_magnet(with(""))->selects(core::FileIndex(7)));
}

TEST_CASE("an error names the parameter") {
  CHECK(error_of("http://a/").find("magnet:?") != std::string::npos);
  const std::vector<std::pair<std::string, std::string>> table = {
      {"magnet:?dn=x", "xt: missing"},
      {"magnet:?xt=urn:sha1:abc", "xt: missing"},
      {"magnet:?xt=urn:btih:" + kHex.substr(1), "xt: "},
      {"magnet:?xt=urn:btih:" + kHex + "0", "xt: "},
      {"magnet:?xt=urn:btih:zz" + kHex.substr(2), "xt: "},
      {"magnet:?xt=urn:btmh:" + kHex2, "xt: "},
      {"magnet:?xt=urn:btmh:1221" + kHex2, "xt: "},
      {with("xt=urn:btih:ff" + kHex.substr(2)), "xt: names two torrents"},
      {with("tr=http://%2"), "tr: "},
      {with("dn=%zz"), "dn: "},
      {with("tr=http://" + std::string(9000, 'a')), "tr: "},
      {with("x.pe=10.0.0.1"), "x.pe: "},
      {with("x.pe=10.0.0.1:0"), "x.pe: "},
      {with("x.pe=10.0.0.1:65536"), "x.pe: "},
      {with("x.pe=:1"), "x.pe: "},
      {with("x.pe=a%20b:1"), "x.pe: "},
      {with("x.pe=2001:db8::1:1"), "x.pe: "},
      {with("so="), "so: "},
      {with("so=1,"), "so: "},
      {with("so=3-1"), "so: "},
      {with("so=-1"), "so: "},
      {with("so=99999999999"), "so: "},
      {with("dn=" + std::string(kMaxMagnetLength, 'a')), "over 64 KiB"},
  };
  for (const auto& row : table) {
    CAPTURE(row.first.substr(0, 120));
    CHECK_MESSAGE(error_of(row.first).starts_with(row.second), error_of(row.first));
  }
}

TEST_CASE("surplus peers are left out, and too many ranges are refused") {
  std::string link = with("x=1");
  for (int i = 0; i < 60; ++i) link += "&x.pe=10.0.0.1:" + std::to_string(1000 + i);
  CHECK(parse_magnet(link)->peers.size() == kMaxMagnetPeers);
  std::string ranges = with("so=0");
  for (std::size_t i = 1; i < kMaxMagnetRanges; ++i) ranges += ",1";
  CHECK(parse_magnet(ranges).ok());
  CHECK(error_of(ranges + ",1").starts_with("so: "));
}

TEST_CASE("a link that is written says the same when it is read") {
  Random random(3);
  Magnet magnet;
  magnet.v1_hash = testing::random_digest<Sha1>(random);
  magnet.v2_hash = testing::random_digest<Sha256>(random);
  magnet.name = "größe & mehr + 100 %";
  magnet.trackers = {"udp://t:1/a", "http://t/?a=b&c=d"};
  magnet.edges = {"https://cdn/a%20b/?x=1&y"};
  magnet.peers = {{"::1", 6881}, {"host", 1}};
  magnet.selected = {{1, 1}, {3, 9}};
  const auto again = parse_magnet(format_magnet(magnet));
  REQUIRE(again.ok());
  CHECK(*again == magnet);
}

TEST_CASE("a torrent's link has its hashes, name, trackers and edges") {
  Publication publication = testing::publish(1, 32_KiB, {{"song", 100'000}});
  publication.trackers = {{"http://a/", "http://b/"}, {"http://a/"}};
  publication.edges = {"http://cdn/song"};
  const auto meta =
      parse_metainfo(*build_metainfo(publication, testing::kDigester), testing::kDigester);
  REQUIRE(meta.ok());
  const Magnet link = magnet_of(*meta);
  CHECK(link.v1_hash == meta->info.v1_hash);
  CHECK(link.v2_hash == meta->info.v2_hash);
  CHECK(link.name == "song");
  CHECK(link.trackers == std::vector<std::string>{"http://a/", "http://b/"});
  CHECK(link.edges == std::vector<std::string>{"http://cdn/song"});
}

}  // namespace
}  // namespace tributary::wire
