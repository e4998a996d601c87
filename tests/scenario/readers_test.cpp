// Several who read and play from one client, beside no playback of its own.
#include "tests/scenario/cast/readers.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace tributary::sim {
namespace {

Variation of(bool video) {
  Variation v;
  v.video = video;
  return v;
}

TEST_CASE("four readers of two tracks start at once, never wait, and leave the CDN little to do") {
  for (const bool video : {false, true}) {
    const ReadersReport report = several_readers(of(video));
    const double offload = static_cast<double>(report.from_peers.count()) /
                           static_cast<double>(report.from_peers.count() + report.from_cdn.count());
    MESSAGE((video ? "video" : "music"), ": offload ", offload, ", CDN ", report.from_cdn.count());
    CHECK(report.finished == 4);
    CHECK(report.stalls == 0);
    // Two round trips and a frame, beside the others' blocks, seen ten times a second.
    for (const Duration startup : report.startups) CHECK(startup <= 400ms);
    CHECK(offload >= 0.9);
  }
}

TEST_CASE("the same readers give the same digest") {
  CHECK(several_readers(of(false)).digest == several_readers(of(false)).digest);
}

// 20 s ahead of the playhead, and what was on its way.
TEST_CASE("the CDN sends a reader that takes no more what it can hold, then nothing") {
  const auto [before, after] = paused_reader(of(false));
  CHECK(after - before <= bytes_in(50s, music_track().rate));
  CHECK(after < bytes_in(150s, music_track().rate));
}

TEST_CASE("the CDN sends nothing more for a reader that is gone") {
  const auto [before, after] = gone_reader(of(true));
  CHECK(before > 0_B);
  CHECK(after - before <= 256_KiB);  // what the link carries while the word travels
}

TEST_CASE("the CDN is asked for what follows something else when that ends, and in time") {
  const auto [before, after] = following_reader(of(false));
  CHECK(before == 0_B);
  CHECK(after >= 1_MiB);
}

}  // namespace
}  // namespace tributary::sim
