#include "player/client/report.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/core/swarm.h"

using namespace tributary;  // NOLINT
using nlohmann::json;

namespace {

player::Report sample() {
  player::ReportEntry entry;
  entry.title = "Song";
  entry.started = true;
  entry.startup = 312500us;
  entry.played = 45s;
  entry.stalls = 2;
  entry.stalled = 5s;
  entry.gap = 40ms;
  entry.bytes.cdn_by_reason.by_reason = {Bytes(100), Bytes(20), Bytes(3),
                                         Bytes(4),   Bytes(5),  Bytes(6)};
  entry.bytes.peers = Bytes(414);
  entry.bytes.cache = Bytes(48);
  entry.bytes.uploaded = Bytes(9);
  entry.bytes.duplicate = Bytes(10);
  entry.bytes.corrupt = Bytes(20);
  entry.bytes.cdn_requests = 7;
  entry.played_bytes = Bytes(500);
  entry.unused = Bytes(70);
  return {"adaptive", entry, {entry, player::ReportEntry{}}};
}

void check_sums(const json& bytes) {
  const auto n = [&](const char* key) { return bytes[key].get<std::int64_t>(); };
  CHECK(n("cdn") + n("peers") + n("cache") ==
        n("played") + n("duplicate") + n("corrupt") + n("unused"));
  std::int64_t reasons = 0;
  for (const auto& reason : bytes["by_reason"]) reasons += reason.get<std::int64_t>();
  CHECK(reasons == n("cdn"));
}

}  // namespace

TEST_CASE("the report holds what its documentation promises") {
  const json report = json::parse(player::to_json(sample()));
  CHECK(report["schema"] == 1);
  CHECK(report["policy"] == "adaptive");
  REQUIRE(report["tracks"].size() == 2);
  const json& track = report["tracks"][0];
  CHECK(track["title"] == "Song");
  CHECK(track["startup_ms"] == 312.5);
  CHECK(track["played_s"] == 45.0);
  CHECK(track["stall_count"] == 2);
  CHECK(track["stall_ms"] == 5000.0);
  CHECK(track["rebuffering_ratio"] == doctest::Approx(0.1));
  CHECK(track["offload_ratio"] == doctest::Approx(0.75));
  CHECK(track["cdn_requests"] == 7);
  CHECK(track["gap_ms"] == 40.0);
  CHECK(track["bytes"]["cdn"] == 138);
  CHECK(track["bytes"]["uploaded"] == 9);
  CHECK(track["bytes"]["by_reason"]["startup"] == 100);
  CHECK(track["bytes"]["by_reason"]["prefetch"] == 6);
}

TEST_CASE(
    "the report names each peer with the customary flags, and the letters' meaning is documented") {
  player::Report report = sample();
  report.unchoker = "prop-share";
  report.peers.push_back({"10.0.0.1:6881", "Other 1.0", "DUO", 5_B, 7_B});
  const json parsed = json::parse(player::to_json(report));
  CHECK(parsed["unchoker"] == "prop-share");
  REQUIRE(parsed["peers"].size() == 1);
  const json& peer = parsed["peers"][0];
  CHECK(peer["address"] == "10.0.0.1:6881");
  CHECK(peer["client"] == "Other 1.0");
  CHECK(peer["flags"] == "DUO");
  CHECK(peer["received"] == 5);
  CHECK(peer["sent"] == 7);
  std::ifstream file("player/client/report.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const core::PeerFlag& flag : core::kPeerFlags) {
    const std::string row = std::string("| `") + flag.letter + "` | " + std::string(flag.meaning);
    CAPTURE(row);
    CHECK(text.find(row) != std::string::npos);
  }
}

TEST_CASE("bytes add up in each entry that obeys the ledger") {
  const json report = json::parse(player::to_json(sample()));
  check_sums(report["total"]["bytes"]);
  for (const json& track : report["tracks"]) check_sums(track["bytes"]);
}

TEST_CASE("a track that was never heard has no startup and ratios of zero") {
  const json report = json::parse(player::to_json(sample()));
  const json& track = report["tracks"][1];
  CHECK(track["started"] == false);
  CHECK(track["startup_ms"].is_null());
  CHECK(track["rebuffering_ratio"] == 0.0);
  CHECK(track["offload_ratio"] == 0.0);
}

TEST_CASE("titles that are no UTF-8 still make valid JSON") {
  player::Report report = sample();
  report.tracks[0].title = "a\xff\"\n";
  const json parsed = json::parse(player::to_json(report));
  CHECK(parsed["tracks"][0]["title"] == "a\uFFFD\"\n");
}
