#include "player/media/track_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "player/media/scan.h"
#include "tests/player/media/media_fixture.h"

namespace tributary::player {
namespace {

std::int64_t worst_difference(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) {
  std::int64_t worst = 0;
  for (std::size_t i = 0; i + 1 < bytes; i += 2) {
    std::int16_t x = 0;
    std::int16_t y = 0;
    std::memcpy(&x, a + i, 2);
    std::memcpy(&y, b + i, 2);
    worst = std::max<std::int64_t>(worst, std::abs(x - y));
  }
  return worst;
}

TEST_CASE("every format decodes to the samples that ffmpeg gives") {
  for (const MediaCase& c : media_cases()) {
    CAPTURE(c.name);
    const std::string path = make_media(c.name, c.arguments);
    const auto expected = ffmpeg_pcm(path);
    const auto got = decode_s16(path, {});
    CHECK(got.size() == expected.size());
    CHECK_MESSAGE(
        got == expected, "difference ",
        worst_difference(got.data(), expected.data(), std::min(got.size(), expected.size())));
  }
}

std::vector<std::uint8_t> decode_from(const std::string& path, Duration start,
                                      const core::FileHints* hints) {
  return decode_s16(path, {start, kPlayToEnd, hints});
}

TEST_CASE("a seek gives the samples from that time on where time stamps are exact") {
  // Matroska rounds to milliseconds; AAC is judged by length alone, its decoder fills noise by
  // chance.
  for (const MediaCase& c : media_cases()) {
    CAPTURE(c.name);
    const std::string path = make_media(c.name, c.arguments);
    const auto scan = scan_file(path);
    REQUIRE(scan.ok());
    MemorySource source(read_all(path));
    auto reader = TrackReader::open(source, {});
    REQUIRE(reader.ok());
    AudioFormat format = (*reader)->native_format();
    format.sample = SampleKind::kS16;
    const auto whole = ffmpeg_pcm(path);
    for (const Duration start : {Duration(1'234'567), Duration(4'000'001), Duration(10'000)}) {
      CAPTURE(start.count());
      const auto got = decode_from(path, start, &scan->hints);
      const auto skip = static_cast<std::size_t>(format.frames_in(start) * format.frame_bytes());
      const bool is_rounded =
          c.name.find("mkv") != std::string::npos || c.name.find("webm") != std::string::npos;
      const std::int64_t missing =
          (static_cast<std::int64_t>(whole.size() - skip) - static_cast<std::int64_t>(got.size())) /
          format.frame_bytes();
      CHECK(std::abs(missing) <= (is_rounded ? format.rate / 1000 : 0));
      if (missing == 0 && c.tolerance >= 0) {
        CHECK(worst_difference(got.data(), whole.data() + skip, got.size()) <= c.tolerance);
      }
    }
  }
}

TEST_CASE("the first sound needs few blocks, and none from behind unless the index is there") {
  for (const MediaCase& c : media_cases()) {
    const std::string path = make_media(c.name, c.arguments);
    CAPTURE(c.name);
    MemorySource source(read_all(path));
    auto reader = TrackReader::open(source, {});
    REQUIRE(reader.ok());
    REQUIRE((*reader)->next().ok());
    const bool is_last = (*reader)->info().index_last;
    const bool is_flac = c.name.find("flac") != std::string::npos;
    MESSAGE(c.name, ": ", source.bytes_read(), " bytes, ", source.blocks().size(), " blocks of ",
            source.size().count());
    if (is_flac) continue;                // its parser looks ten frames ahead
    if (c.name == "phone.wav") continue;  // 64 KiB are searched for S/PDIF in disguise
    CHECK(source.blocks().size() <= (is_last ? 4u : 3u));
    if (!is_last) CHECK(*source.blocks().rbegin() <= 2);
  }
}

TEST_CASE("a truncated file plays as far as it goes") {
  for (const MediaCase& c : media_cases()) {
    if (c.name.find("last") != std::string::npos) continue;  // without its index: an error, below
    CAPTURE(c.name);
    auto bytes = read_all(make_media(c.name, c.arguments));
    bytes.resize(bytes.size() * 3 / 5);
    MemorySource source(bytes);
    auto reader = TrackReader::open(source, {});
    REQUIRE(reader.ok());
    CHECK(read_pcm(**reader).size() > 10'000);
  }
}

TEST_CASE("garbage, zeros, playlists and a missing index are errors") {
  std::vector<std::vector<std::uint8_t>> files = {{}, std::vector<std::uint8_t>(100'000, 0)};
  files.emplace_back(200'000);
  for (std::size_t i = 0; i < files.back().size(); ++i) {
    files.back()[i] = static_cast<std::uint8_t>(i * i / 7 + i / 251);
  }
  const std::string playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n";
  files.emplace_back(playlist.begin(), playlist.end());
  files.push_back(read_all(make_media("last.m4a", media_cases()[8].arguments)));
  files.back().resize(files.back().size() / 2);
  for (auto& bytes : files) {
    MemorySource source(bytes);
    const auto reader = TrackReader::open(source, {});
    REQUIRE_FALSE(reader.ok());
    CHECK_FALSE(reader.error().message.empty());
  }
}

TEST_CASE("a cancelled source ends reading as cancelled") {
  MemorySource source(read_all(make_media("tones.flac", media_cases()[2].arguments)));
  auto reader = TrackReader::open(source, {});
  REQUIRE(reader.ok());
  source.cancel();
  Result<PcmBlock> block = (*reader)->next();
  while (block.ok() && !block->bytes.empty()) block = (*reader)->next();
  REQUIRE_FALSE(block.ok());
  CHECK(block.error().code == ErrorCode::kCancelled);
  CHECK(TrackReader::open(source, {}).error().code == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tributary::player
