#include "engine/wire/metainfo.h"

#include <doctest/doctest.h>

#include <string>

#include "engine/core/layout.h"
#include "engine/wire/bencode_encoder.h"
#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using testing::bytes;
using testing::kDigester;
using testing::publish;
using testing::text;

Result<core::Metainfo> parse(std::string_view torrent) {
  return parse_metainfo(as_octets(torrent), kDigester);
}
std::string error_of(std::string_view torrent) {
  const auto result = parse(torrent);
  return result ? "" : result.error().message;
}
std::string str(std::string_view s) { return std::to_string(s.size()) + ":" + std::string(s); }
const std::string kHash20(20, 'h');

// A v1 torrent with these entries of "files" and so many pieces.
std::string multi(const std::string& files, int pieces, const std::string& piece_length = "16384") {
  std::string hashes;
  for (int i = 0; i < pieces; ++i) hashes += kHash20;
  return "d4:infod5:filesl" + files + "e4:name1:n12:piece lengthi" + piece_length + "e6:pieces" +
         str(hashes) + "ee";
}
std::string single(const std::string& name, const std::string& length, const std::string& hashes,
                   const std::string& more = "") {
  return "d" + more + "4:infod6:lengthi" + length + "e4:name" + str(name) +
         "12:piece lengthi16384e6:pieces" + str(hashes) + "ee";
}
std::string file(const std::string& path, const std::string& length = "1") {
  return "d6:lengthi" + length + "e4:pathl" + str(path) + "ee";
}

TEST_CASE("a v1 single file is read with its info-hash and raw info bytes") {
  const std::string torrent = single("a.ogg", "20000", kHash20 + kHash20, "8:announce3:u/a");
  const auto meta = parse(torrent);
  REQUIRE(meta.ok());
  CHECK(meta->info.name == "a.ogg");
  CHECK_FALSE(meta->info.multi_file);
  CHECK(meta->info.total_size == 20000_B);
  CHECK(meta->info.piece_hashes.size() == 2);
  CHECK(meta->info.v1_hash == testing::sha1(meta->info_bytes));
  CHECK_FALSE(meta->info.has_v2());
  CHECK(meta->trackers == std::vector<std::vector<std::string>>{{"u/a"}});
  CHECK(torrent.find(as_text(meta->info_bytes)) != std::string::npos);
}

TEST_CASE("broken v1 torrents are refused with the key that is wrong") {
  const std::string two_levels = "d6:lengthi1e4:pathl1:a1:bee";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"i1e", "not a torrent: no dictionary"},
      {"de", "info: missing or no dictionary"},
      {single("..", "1", kHash20), "info.name: component \"..\" would leave the folder"},
      {single("", "1", kHash20), "info.name: an empty component"},
      {single("/etc", "1", kHash20), "info.name: a path separator in \"/etc\""},
      {single(std::string("a\0b", 3), "1", kHash20), "info.name: a control character in \"a?b\""},
      {single("\xff", "1", kHash20), "info.name: not UTF-8"},
      {single(std::string(256, 'x'), "1", kHash20), "info.name: a component longer than 255 bytes"},
      {single("a", "-1", kHash20), "info.length: negative"},
      {single("a", "0", ""), "info: the files hold no bytes"},
      {single("a", "4398046511105", kHash20), "info.length: over the limit of 4 TiB"},
      {single("a", "20000", kHash20), "info.pieces: 20 bytes instead of 20 for each of 2 pieces"},
      {single("a", "1", kHash20 + "x"), "info.pieces: 21 bytes instead of 20 for each of 1 pieces"},
      {multi("", 0), "info: the files hold no bytes"},
      {multi(file(".."), 1), "info.files[0].path: component \"..\" would leave the folder"},
      {multi(file("ok") + file(""), 1), "info.files[1].path: an empty component"},
      {multi(file("a/b"), 1), "info.files[0].path: a path separator in \"a/b\""},
      {multi(file("a\\b"), 1), "info.files[0].path: a path separator in \"a\\b\""},
      {multi(file("a") + file("a"), 1), "info.files: two files are named \"a\""},
      {multi(file("a") + two_levels, 1), "info.files: \"a\" is a file and a folder"},
      {multi("d6:lengthi1e4:pathlee", 1), "info.files[0].path: empty"},
      {multi("d6:lengthi1e4:path1:ae", 1), "info.files[0].path: missing or no list"},
      {multi("d4:pathl1:aee", 1), "info.files[0].length: missing or no integer"},
      {multi("d4:attr1:l6:lengthi1e4:pathl1:aee", 1),
       "info.files[0].attr: symbolic links are not supported"},
      {multi(file("a"), 1, "0"), "info.piece length: less than 1"},
      {multi(file("a"), 1, "67108865"), "info.piece length: over the limit of 64 MiB"},
      {multi(file("a", "2097153"), 1, "1"),
       "info.piece length: gives 2097153 pieces, over the limit of 2097152"},
      {multi(file("a") + "d4:attr1:p6:lengthi5ee" + file("b"), 1),
       "info.files[1]: padding that does not end at a piece boundary"},
      {"d4:infod4:name1:aee", "info: needs \"pieces\" or \"meta version\""},
      {"d4:infod12:meta versioni3e4:name1:aee", "info.meta version: not 2, the only one supported"},
      {"d4:infod4:name1:a6:pieces0:e4:infodee", "byte 28: a dictionary key comes twice"},
  };
  for (const auto& row : table) {
    const std::string torrent = row.first;
    const std::string message = row.second;
    CAPTURE(torrent);
    CHECK(error_of(torrent) == message);
  }
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "1:d";
  CHECK(error_of(multi("d6:lengthi1e4:pathl" + deep + "ee", 1)) ==
        "info.files[0].path: deeper than 32 folders");
}

TEST_CASE("v1 files that share a piece, empty files and pads get their offsets") {
  const auto meta = parse(multi(file("a", "100") + file("e", "0") + file("b", "16284") +
                                    file("c", "1") + "d4:attr1:p6:lengthi16383ee" + file("d", "7"),
                                3));
  REQUIRE(meta.ok());
  const auto& files = meta->info.files;
  REQUIRE(files.size() == 6);
  CHECK(files[2].offset == 100_B);
  CHECK(files[3].offset == 16384_B);
  CHECK(files[4].pad);
  CHECK(files[5].offset == 32768_B);
  CHECK(meta->info.total_size == 32775_B);
  CHECK(core::Layout(meta->info).block_range(core::BlockIndex(1)).size() == 1_B);
}

TEST_CASE("trackers, edges and the private flag are read in all their forms") {
  auto meta = parse(
      "d8:announce3:old13:announce-listll1:a1:bel1:cel0:ee4:infod6:lengthi1e4:name1:a"
      "12:piece lengthi16384e6:pieces" +
      str(kHash20) +
      "7:privatei1ee8:url-listl15:http://h/a?b=c/15:http://h/a?b=c/5:ftp:/11:https://"
      "x/yee");
  REQUIRE(meta.ok());
  CHECK(meta->trackers == std::vector<std::vector<std::string>>{{"a", "b"}, {"c"}});
  CHECK(meta->edges == std::vector<std::string>{"http://h/a?b=c/", "https://x/y"});
  CHECK(meta->info.is_private);
  meta = parse("d4:infod6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces" + str(kHash20) +
               "e8:url-list10:http://h/ae");
  REQUIRE(meta.ok());
  CHECK(meta->edges == std::vector<std::string>{"http://h/a"});
  CHECK(meta->trackers.empty());
}

Publication album() {
  Publication p = publish(11, 32_KiB,
                          {{"cover.jpg", 70'000},
                           {"disc 1/01.opus", 100'000},
                           {"disc 1/02.opus", 0},
                           {"disc 1/03.opus", 32'768},
                           {"disc 2/01.opus", 5}});
  p.trackers = {{"http://t/announce", "http://u/announce"}, {"http://v/announce"}};
  p.edges = {"https://cdn.example/music/"};
  p.is_private = true;
  p.files[1].hints = {std::chrono::seconds(6), {{0s, 0_B}, {3s, 40'000_B}}};
  return p;
}

TEST_CASE("a hybrid album survives the round trip") {
  const Publication p = album();
  const auto torrent = build_metainfo(p, kDigester);
  REQUIRE(torrent.ok());
  const auto meta = parse_metainfo(*torrent, kDigester);
  REQUIRE(meta.ok());
  const core::TorrentInfo& info = meta->info;
  CHECK(info.name == "album");
  CHECK(info.multi_file);
  CHECK(info.is_private);
  CHECK(info.has_v1());
  CHECK(info.has_v2());
  CHECK(info.piece_hashes == p.piece_hashes);
  CHECK(meta->trackers == p.trackers);
  CHECK(meta->edges == p.edges);
  std::size_t i = 0;
  for (std::size_t f = 0; f < info.files.size(); ++f) {
    const core::FileEntry& file = info.files[f];
    if (file.pad) continue;
    CHECK(file.path == p.files[i].path);
    CHECK(file.length == p.files[i].length);
    if (file.length > 0_B) CHECK(file.offset % info.piece_length == 0_B);
    if (i == 1) CHECK(meta->hints.at(f) == p.files[1].hints);
    ++i;
  }
  CHECK(i == p.files.size());
  const auto document = decode_bencode(*torrent);
  CHECK(encode_bencode(document->root()) == *torrent);
}

TEST_CASE("a hybrid of one file stays a single file") {
  const auto torrent = build_metainfo(publish(3, 16_KiB, {{"t.ogg", 40'000}}), kDigester);
  REQUIRE(torrent.ok());
  const auto meta = parse_metainfo(*torrent, kDigester);
  REQUIRE(meta.ok());
  CHECK_FALSE(meta->info.multi_file);
  CHECK(meta->info.files.size() == 1);
  CHECK(meta->info.files[0].piece_layer.size() == 3);
  CHECK(text(*torrent).find("5:files") == std::string::npos);
}

// The torrent without the v1 keys of its info dictionary.
OctetBuffer v2_only(const OctetBuffer& hybrid) {
  const auto document = decode_bencode(hybrid);
  BencodeEncoder out;
  out.begin_dict();
  for (const auto& [key, value] : document->root().entries()) {
    out.key(key);
    if (key != "info") {
      out.raw(value.raw());
      continue;
    }
    out.begin_dict();
    for (const auto& [name, entry] : value.entries()) {
      if (name != "files" && name != "length" && name != "pieces") out.key(name).raw(entry.raw());
    }
    out.end();
  }
  return out.end().take();
}

TEST_CASE("a v2-only torrent has the gaps that v2 implies and the same layout as its hybrid") {
  const OctetBuffer hybrid = *build_metainfo(album(), kDigester);
  const OctetBuffer pure = v2_only(hybrid);
  const auto a = parse_metainfo(hybrid, kDigester);
  const auto b = parse_metainfo(pure, kDigester);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK_FALSE(b->info.has_v1());
  // v1 ends with the last byte of the last file, v2 with its piece: libtorrent asks for whole
  // blocks.
  CHECK(b->info.total_size >= a->info.total_size);
  CHECK(b->info.total_size % b->info.piece_length == 0_B);
  CHECK(b->info.total_size - a->info.total_size < b->info.piece_length);
  CHECK(b->info.files.size() == 5);
  const core::Layout la(a->info);
  const core::Layout lb(b->info);
  REQUIRE(la.piece_count() == lb.piece_count());
  REQUIRE(la.block_count() <= lb.block_count());
  for (core::BlockIndex i; i.value() < la.block_count(); ++i) {
    CHECK(la.block_range(i) == lb.block_range(i));
  }
  for (core::BlockIndex i(la.block_count()); i.value() < lb.block_count(); ++i) {
    CHECK(lb.block_range(i).empty());
  }
  CHECK(b->hints.at(1) == album().files[1].hints);
}

std::string replaced(std::string s, const std::string& from, const std::string& to) {
  const std::size_t at = s.find(from);
  REQUIRE(at != std::string::npos);
  return s.replace(at, from.size(), to);
}

TEST_CASE("v1 and v2 that disagree are fatal, as are wrong piece layers") {
  const std::string good = text(*build_metainfo(album(), kDigester));
  CHECK(error_of(good).empty());
  // The tree comes first in the file: this changes v2 alone.
  CHECK(error_of(replaced(good, "9:cover.jpg", "9:cover.jpe")) ==
        "info.file tree: disagrees with the v1 file \"cover.jpg\"");
  CHECK(error_of(replaced(good, "lengthi100000e", "lengthi100001e")) ==
        "info.file tree: disagrees with the v1 file \"disc 1/01.opus\"");
  const std::size_t layers = good.find("12:piece layers");
  REQUIRE(layers != std::string::npos);
  std::string wrong = good;
  wrong[good.find(':', layers + 60) + 40] ^= 1;
  CHECK(error_of(wrong).find("piece layers: ") == 0);
  const auto p = text(*build_metainfo(publish(5, 16_KiB, {{"x", 40'000}}), kDigester));
  CHECK(error_of(replaced(p, "4:name1:x", "4:name1:y")) ==
        "info.file tree: disagrees with v1 on being a single file");
}

TEST_CASE("truncated torrents are refused and flipped bits never crash") {
  const OctetBuffer good = *build_metainfo(album(), kDigester);
  for (std::size_t n = 0; n < good.size(); ++n) {
    REQUIRE_FALSE(parse_metainfo(Octets(good).first(n), kDigester).ok());
  }
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 3) {
    OctetBuffer flipped = good;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    const auto meta = parse_metainfo(flipped, kDigester);
    if (!meta) continue;
    ++accepted;
    const core::Layout layout(meta->info);
    REQUIRE(layout.block_count() > 0);
  }
  CHECK(accepted > 0);
}

TEST_CASE("publications with unsafe paths, wrong order or missing hashes are refused") {
  const auto error = [](const Publication& p) {
    return build_metainfo(p, kDigester).error().message;
  };
  Publication p = album();
  p.files[0].path = "../x";
  CHECK(error(p) == "path: component \"..\" would leave the folder");
  p = album();
  std::swap(p.files[0], p.files[1]);
  CHECK(error(p) == "\"cover.jpg\" is out of order, or comes twice");
  p = album();
  p.files[0].leaves.pop_back();
  CHECK(error(p) == "\"cover.jpg\" needs one leaf hash for each block of 16 KiB");
  p = album();
  p.piece_hashes.pop_back();
  CHECK(error(p).find("v1 piece hashes") != std::string::npos);
  p = album();
  p.piece_length = 20_KiB;
  CHECK(error(p) == "piece length is not a power of two from 16 KiB to 64 MiB");
  p = album();
  p.files.clear();
  CHECK(error(p) == "nothing to publish: no files");
}

TEST_CASE("files are ordered by component, not by character") {
  CHECK(path_less("a/z", "a b"));
  CHECK(path_less("a", "a/b"));
  CHECK_FALSE(path_less("b", "a/z"));
}

TEST_CASE("the piece length is the smallest that keeps the hashes below 256 KiB") {
  const Bytes music[] = {5_MiB};
  CHECK(choose_piece_length(music) == 16_KiB);
  const Bytes edge[] = {16_KiB * 5041};
  CHECK(choose_piece_length(edge) == 16_KiB);
  const Bytes over[] = {16_KiB * 5042};
  CHECK(choose_piece_length(over) == 32_KiB);
  const Bytes huge[] = {kMaxTotalSize};
  CHECK(choose_piece_length(huge) == kMaxPieceLength);
}

TEST_CASE("a piece hasher gives the same for portions of any size") {
  Random random(9);
  const OctetBuffer a = testing::random_bytes(random, 100'001);
  const OctetBuffer b = testing::random_bytes(random, 16'384);
  for (std::size_t portion : {1U << 20, 16384U, 16383U, 777U}) {
    PieceHasher hasher(32_KiB, kDigester);
    for (const OctetBuffer& file : {a, b}) {
      hasher.begin_file();
      for (std::size_t at = 0; at < file.size(); at += portion) {
        hasher.add(Octets(file).subspan(at, std::min(portion, file.size() - at)));
      }
    }
    const HashedFiles out = hasher.finish();
    CHECK(out.lengths == std::vector{Bytes(100'001), Bytes(16'384)});
    REQUIRE(out.leaves[0].size() == 7);
    CHECK(out.leaves[0][6] == testing::sha256(Octets(a).subspan(6 * 16384)));
    CHECK(out.leaves[1] == std::vector{testing::sha256(b)});
    REQUIRE(out.piece_hashes.size() == 5);
    OctetBuffer last(a.begin() + 3 * 32768, a.end());
    last.resize(32768);
    CHECK(out.piece_hashes[3] == testing::sha1(last));
    CHECK(out.piece_hashes[4] == testing::sha1(b));
  }
}

}  // namespace
}  // namespace tributary::wire
