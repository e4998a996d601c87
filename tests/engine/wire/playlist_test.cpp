#include "engine/wire/playlist.h"

#include <doctest/doctest.h>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using Entries = std::vector<PlaylistEntry>;

std::string error_of(std::string_view text) {
  const auto result = parse_playlist(text, "");
  return result ? "" : result.error().message;
}

TEST_CASE("M3U is read with titles, durations, comments, any line ends and a byte order mark") {
  const auto list = parse_playlist(
      "\xef\xbb\xbf#EXTM3U\r\n#EXTINF:123 tvg=\"x\",A - B\r\nmusic/a b.ogg\r\n\r\n# note\r"
      "http://h/c.ogg\n#EXTINF:-1,\n/abs/d.torrent\nmagnet:?xt=urn:btih:0",
      "/home/me/list.m3u8");
  REQUIRE(list.ok());
  CHECK(*list == Entries{{"/home/me/music/a b.ogg", "A - B", 123s},
                         {"http://h/c.ogg", "", std::nullopt},
                         {"/abs/d.torrent", "", std::nullopt},
                         {"magnet:?xt=urn:btih:0", "", std::nullopt}});
}

TEST_CASE("relative locations resolve against the playlist's URL or folder") {
  CHECK(resolve_location("http://h/a/list.m3u?x", "b.ogg") == "http://h/a/b.ogg");
  CHECK(resolve_location("http://h/a/list.m3u", "../b.ogg") == "http://h/b.ogg");
  CHECK(resolve_location("http://h/a/list.m3u", "//k/b") == "http://k/b");
  CHECK(resolve_location("list.m3u", "b.ogg") == "b.ogg");
  CHECK(resolve_location("dir/list.m3u", "b.ogg") == "dir/b.ogg");
  CHECK(resolve_location("", "b.ogg") == "b.ogg");
  CHECK(resolve_location("dir/list.m3u", "file:///b") == "file:///b");
}

TEST_CASE("an HLS playlist is not a list of tracks") {
  CHECK(error_of("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n") ==
        "playlist line 2: an HLS playlist, which is one stream, not a list of tracks");
}

TEST_CASE("PLS is read in the order of its numbers") {
  const auto list = parse_playlist(
      "[playlist]\nNumberOfEntries=2\nFile2=b.ogg\nTitle2=Bee\nfile1=a.ogg\nLength1=5\nLength2=-1\n"
      "Title9=no file\nVersion=2\n",
      "");
  REQUIRE(list.ok());
  CHECK(*list == Entries{{"a.ogg", "", 5s}, {"b.ogg", "Bee", std::nullopt}});
}

TEST_CASE("XSPF is read with entities, CDATA, comments, prefixes and foreign elements") {
  const auto list = parse_playlist(
      R"(<?xml version="1.0" encoding="UTF-8"?><!-- a > b -->
<x:playlist version="1" xmlns:x="http://xspf.org/ns/0/" a='>'><title>mix</title><trackList>
 <track><location>a&amp;b&#x20;&#228;.ogg</location><location>second</location>
  <title><![CDATA[<A> & B]]></title><duration>1500</duration>
  <extension application="q"><location>no</location></extension></track>
 <track/><track><title>no location</title></track>
 <track><location> http://h/c </location></track></trackList></x:playlist>)",
      "/p/l.xspf");
  REQUIRE(list.ok());
  CHECK(*list ==
        Entries{{"/p/a&b \xc3\xa4.ogg", "<A> & B", 1500ms}, {"http://h/c", "", std::nullopt}});
}

TEST_CASE("broken and hostile XML is refused with its line") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"<!DOCTYPE p [<!ENTITY a \"b\">]><playlist/>",
       "playlist line 1: document types are not supported"},
      {"<playlist>\n<trackList>\n</playlist>",
       "playlist line 3: </playlist> closes what is not open"},
      {"<playlist>", "playlist line 1: <playlist> is never closed"},
      {"<playlist", "playlist line 1: a tag without an end"},
      {"<playlist>&bomb;</playlist>", "playlist line 1: an unknown entity"},
      {"<playlist>&#0;</playlist>", "playlist line 1: a reference to no character"},
      {"<playlist>&#xD800;</playlist>", "playlist line 1: a reference to no character"},
      {"<playlist>&amp</playlist>", "playlist line 1: an entity without ';'"},
      {"<playlist/><playlist/>", "playlist line 1: a second root element"},
      {"<playlist/>text", "playlist line 1: text outside the root element"},
      {"<html></html>", "playlist line 1: no XSPF playlist"},
      {"<!-- x", "playlist line 1: a comment without an end"},
      {"<playlist><a b='<'></a></playlist>", ""},
      {"<playlist><a b=<></a></playlist>", "playlist line 1: a tag without an end"},
      {"< a></a>", "playlist line 1: a tag without a name"},
  };
  for (const auto& row : table) {
    const std::string text = row.first;
    const std::string message = row.second;
    CAPTURE(text);
    CHECK(error_of(text) == message);
  }
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<playlist>";
  CHECK(error_of(deep) == "playlist line 1: elements nested deeper than 32");
}

TEST_CASE("texts beyond the limits are refused") {
  CHECK(error_of(std::string(kMaxPlaylistSize + 1, 'a')) == "playlist is larger than 8 MiB");
  std::string many;
  for (std::size_t i = 0; i <= kMaxPlaylistEntries; ++i) many += "a\n";
  CHECK(error_of(many) == "playlist line 10001: more than 10000 entries");
  CHECK(error_of(std::string(9000, 'a')) == "playlist line 1: a location longer than 8 KiB");
  CHECK(error_of("a\tb\x01") == "playlist line 1: a control character in a location");
}

TEST_CASE("no truncation or flipped bit of a playlist crashes") {
  const std::string good =
      "<playlist><trackList><track><location>a&amp;b</location><title><![CDATA[x]]></title></track>"
      "</trackList></playlist>";
  for (std::size_t n = 1; n < good.size(); ++n)
    CHECK_FALSE(parse_playlist(good.substr(0, n), "").ok());
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    accepted += parse_playlist(flipped, "http://h/").ok() ? 1 : 0;
  }
  CHECK(accepted > 0);
}

}  // namespace
}  // namespace tributary::wire
