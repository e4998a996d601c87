#include "player/gateway/shelf.h"

#include <doctest/doctest.h>

#include "player/gateway/playlist_text.h"

namespace tributary::player {
namespace {

// An album of two tracks, a picture and an HLS stream, as v1, v2 and at one edge.
PlaylistItem item(std::int32_t file) {
  static const auto kMetainfo = [] {
    auto meta = std::make_shared<core::Metainfo>();
    core::TorrentInfo& info = meta->info;
    info.name = "An album";
    info.multi_file = true;
    info.v1_hash.emplace();
    info.v1_hash->bytes.fill(0x1a);
    info.v2_hash.emplace();
    info.v2_hash->bytes.fill(0x2b);
    Bytes at;
    for (const char* path :
         {"1 one.opus", "2 two.opus", "cover.jpg", "hls/index.m3u8", "hls/seg 1.ts", ".pad/7"}) {
      info.files.emplace_back();
      info.files.back().path = path;
      info.files.back().offset = at;
      info.files.back().length = 1000_B;
      info.files.back().pad = std::string(path).starts_with(".pad");
      at += 1000_B;
    }
    info.total_size = at;
    meta->edges = {"http://cdn.example/x/"};
    meta->hints = {{.duration = 61s, .points = {}}};
    return meta;
  }();
  return {kMetainfo, core::FileIndex(file), file == 0 ? "one" : "two"};
}

const GatewayBase kBase{"http://127.0.0.1:8090", ""};
const std::string kId(40, '1');

std::string id() { return Shelf({item(0)}).torrents().at(0).id; }

TEST_CASE("a torrent is found by each of its hashes, in any case") {
  const Shelf shelf({item(0), item(1)});
  REQUIRE(shelf.torrents().size() == 1);
  const ShelfTorrent& torrent = shelf.torrents()[0];
  CHECK(torrent.tracks.size() == 2);
  CHECK(torrent.id.size() == 40);
  std::string v2;
  for (int i = 0; i < 32; ++i) v2 += "2B";
  for (const std::string& name : {torrent.id, v2, v2.substr(0, 40)}) {
    CHECK(shelf.find(name) == &torrent);
  }
  CHECK(shelf.find("") == nullptr);
  CHECK(shelf.find(kId) == nullptr);
  CHECK(torrent.files.contains("cover.jpg"));
  CHECK_FALSE(torrent.files.contains(".pad/7"));
}

TEST_CASE("a torrent whose media are all segments is played by its playlist") {
  const Shelf shelf({item(4)});
  REQUIRE(shelf.torrents().at(0).tracks.size() == 1);
  CHECK(shelf.torrents()[0].tracks[0].file == core::FileIndex(3));
  CHECK(shelf.torrents()[0].tracks[0].title == "An album");
}

TEST_CASE("a path names a playlist or a file") {
  CHECK(parse_shelf_path("/t/ab/") == ShelfPath{"ab", ""});
  CHECK(parse_shelf_path("/t/ab.m3u8") == ShelfPath{"ab", ""});
  CHECK(parse_shelf_path("/t/ab/c%20d/e") == ShelfPath{"ab", "c d/e"});
  CHECK(parse_shelf_path("/t/ab/..%2f..%2fetc/passwd") == ShelfPath{"ab", "../../etc/passwd"});
}

TEST_CASE("a path that names nothing is none") {
  for (const char* path : {"", "/", "/t", "/t/", "/t//x", "/t/ab", "/t/.m3u8", "/x/ab/c",
                           "/t/ab/%zz", "/t/ab/%", "t/ab/c"}) {
    CAPTURE(path);
    CHECK_FALSE(parse_shelf_path(path));
  }
  CHECK_FALSE(parse_shelf_path("/t/ab/" + std::string(10'000, 'x')));
  CHECK_FALSE(parse_shelf_path("/t/" + std::string(65, 'a') + "/x"));
}

TEST_CASE("a file's path is read as it was written") {
  for (const char* file : {"a", "a b/c", "ü%/?#&=+", "../x", "a//b"}) {
    CAPTURE(file);
    CHECK(parse_shelf_path(format_shelf_path("ab", file)) == ShelfPath{"ab", file});
  }
}

TEST_CASE("an album's playlist has its tracks with titles, and durations where they are known") {
  const Shelf shelf({item(0), item(1)});
  CHECK(album_playlist({&shelf.torrents()[0]}, {"http://h", "?token=t"}) ==
        "#EXTM3U\n#EXTINF:61,one\nhttp://h/t/" + id() +
            "/1%20one.opus?token=t\n#EXTINF:-1,two\nhttp://h/t/" + id() +
            "/2%20two.opus?token=t\n");
}

std::string rewritten(const std::string& text) {
  const Shelf shelf({item(0)});
  return rewrite_playlist(text, shelf.torrents()[0], "hls/index.m3u8", kBase).text;
}

TEST_CASE("URIs of files of the torrent become the gateway's, wherever a playlist has them") {
  const std::string segment = kBase.url + "/t/" + id() + "/hls/seg%201.ts";
  const std::string cover = kBase.url + "/t/" + id() + "/cover.jpg";
  CHECK(rewritten("#EXTM3U\n#EXTINF:4,\nseg%201.ts\n") == "#EXTM3U\n#EXTINF:4,\n" + segment + "\n");
  CHECK(rewritten("../hls/./seg%201.ts") == segment + "\n");
  CHECK(rewritten("seg%201.ts?session=7") == segment + "\n");
  CHECK(rewritten("http://cdn.example/x/An%20album/hls/seg%201.ts") == segment + "\n");
  CHECK(rewritten("#EXT-X-MAP:URI=\"../cover.jpg\",BYTERANGE=\"1@2\"") ==
        "#EXT-X-MAP:URI=\"" + cover + "\",BYTERANGE=\"1@2\"\n");
  CHECK(rewritten("#EXT-X-MEDIA:URI=\"seg%201.ts\",X-URI=\"../cover.jpg\"") ==
        "#EXT-X-MEDIA:URI=\"" + segment + "\",X-URI=\"" + cover + "\"\n");
}

TEST_CASE("what a playlist names elsewhere, and what is no URI, stays as it is") {
  for (const char* line :
       {"http://other.example/seg.ts", "missing.ts", "../../../etc/passwd", "data:text/plain,x",
        "# a comment with URI=\"seg%201.ts\"", "#EXT-X-KEY:METHOD=NONE", "#EXT-X-MAP:URI=\"open",
        "%zz", "", "//cdn.example/x/An%20album/cover.jpg"}) {
    CAPTURE(line);
    CHECK(rewritten(line) == (std::string(line).empty() ? "" : std::string(line) + "\n"));
  }
}

TEST_CASE("the segments of a playlist are told with their durations, if they are whole files") {
  const Shelf shelf({item(0)});
  const auto segments = [&](const std::string& text) {
    return rewrite_playlist(text, shelf.torrents()[0], "hls/index.m3u8", kBase).segments;
  };
  using Segments = std::vector<HlsSegment>;
  const HlsSegment segment{"hls/seg 1.ts", 4004ms};
  CHECK(segments("#EXTM3U\n#EXTINF:4.004,a title\n\n#EXT-X-DISCONTINUITY\nseg%201.ts\n"
                 "#EXTINF:2,\nmissing.ts\nseg%201.ts\n") == Segments{segment});
  CHECK(segments("#EXTINF:4,\n#EXT-X-BYTERANGE:100@0\nseg%201.ts\n").empty());
  for (const char* duration : {"", "x", "-4", "0", "nan", "inf", "1e9"}) {
    CAPTURE(duration);
    CHECK(segments("#EXTINF:" + std::string(duration) + ",\nseg%201.ts\n").empty());
  }
}

TEST_CASE("a byte order mark and line ends of any kind are read") {
  CHECK(rewritten("\xef\xbb\xbf#EXTM3U\r\n#EXT-X-ENDLIST\r\n") == "#EXTM3U\n#EXT-X-ENDLIST\n");
}

}  // namespace
}  // namespace tributary::player
