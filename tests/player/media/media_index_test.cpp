#include "player/media/media_index.h"

#include <doctest/doctest.h>

#include "engine/core/byte_time_map.h"
#include "player/media/scan.h"
#include "tests/player/media/media_fixture.h"

namespace tributary::player {
namespace {

TEST_CASE("points are a second apart and name the smallest offset still needed") {
  MediaIndex index;
  index.note(0s, 100_B);
  index.note(500ms, 200_B);
  index.note(1s, 900_B);  // a picture before its sound
  index.note(1100ms, 300_B);
  index.note(2s, 1000_B);
  CHECK(index.points() == std::vector<core::TimeHint>{{0s, 100_B}, {1s, 300_B}, {2s, 1000_B}});
}

TEST_CASE("a page is needed for its first packet, not for the first in a later second") {
  MediaIndex index;
  index.note(0s, 100_B);
  for (const Duration time : {990ms, 1000ms, 1980ms}) index.note(time, 200_B);
  for (const Duration time : {1990ms, 2000ms, 2980ms}) index.note(time, 300_B);
  CHECK(index.points() == std::vector<core::TimeHint>{{0s, 100_B}, {1990ms, 300_B}});
  CHECK(index.last_time() == 2980ms);
}

TEST_CASE("points stay ascending when bytes of a late time stand early") {
  MediaIndex index;
  index.note(0s, 5000_B);
  index.note(1s, 6000_B);
  index.note(2s, 100_B);
  CHECK(index.points() == std::vector<core::TimeHint>{{2s, 100_B}});
}

TEST_CASE("a long or hostile file keeps a bounded number of points") {
  MediaIndex index;
  for (int i = 0; i < 50'000; ++i) index.note(std::chrono::seconds(i), Bytes(i * 100));
  CHECK(index.points().size() <= MediaIndex::kMaxPoints);
  CHECK(index.points().size() > MediaIndex::kMaxPoints / 3);
  index.note(Duration::max(), 1_B);
  index.note(Duration::min(), 1_B);
  index.note(1s, Bytes(-5));
  CHECK(index.last_time() == std::chrono::seconds(49'999));
}

TEST_CASE("a scan gives the duration and points of every format") {
  for (const MediaCase& c : media_cases()) {
    CAPTURE(c.name);
    const std::string path = make_media(c.name, c.arguments);
    const auto scan = scan_file(path);
    REQUIRE(scan.ok());
    CHECK(scan->hints.duration >= 6900ms);
    CHECK(scan->hints.duration <= 7200ms);
    const auto& points = scan->hints.points;
    CHECK(points.size() >= 5);
    for (std::size_t i = 1; i < points.size(); ++i) {
      CHECK(points[i].time > points[i - 1].time);
      CHECK(points[i].offset > points[i - 1].offset);
    }
    const bool is_last = c.name.find("last") != std::string::npos;
    CHECK(scan->info.index_last == is_last);
    CHECK(scan->mend.empty() == !is_last);
    CHECK(scan->info.index.empty() ==
          ((c.name.find(".m4a") == std::string::npos && c.name.find(".mp4") == std::string::npos)));
  }
}

TEST_CASE("a scan says what is no media, and can be cancelled") {
  const std::string text = temp_dir() + "/notes.txt";
  write_all(text, std::vector<std::uint8_t>(5000, 'x'));
  const auto scan = scan_file(text);
  REQUIRE_FALSE(scan.ok());
  CHECK(scan.error().message.find("notes.txt") != std::string::npos);
  CHECK(scan.error().message.find("not a media file") != std::string::npos);
  CHECK(scan_file("/nowhere/x").error().code == ErrorCode::kNotFound);
  const MediaCase& c = media_cases().front();
  const auto stopped =
      scan_file(make_media(c.name, c.arguments), [](Bytes, Bytes) { return false; });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tributary::player
