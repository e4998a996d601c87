#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "player/media/sink.h"
#include "tests/player/api/api_rig.h"
#include "tests/player/api/c_program.h"

namespace tributary::capi {
namespace {

using player::make_directory;
using player::Rig;

// A track of ten seconds at a CDN and a seed.
struct Track {
  explicit Track(const std::string& name, bool seeded = true)
      : directory(make_directory(name)), rig(directory) {
    make_sound(directory, "tone.opus", 10);
    torrent = rig.publish("tone.opus");
    if (seeded) rig.add_seed(torrent);
    rig.run();
  }
  std::string directory;
  Rig rig;
  std::string torrent;
};

tributary_status status_of(tributary_snapshot* snapshot) {
  auto status = sized<tributary_status>();
  REQUIRE(tributary_snapshot_status(snapshot, &status) == TRIBUTARY_OK);
  return status;
}

TEST_CASE("a program in C99 plays a track") {
  const Track track("c99");
  CHECK(c_program_plays(track.torrent.c_str(), "wav-fast:/dev/null") == 1);
  CHECK(c_program_plays("/nonexistent.torrent", "null") == TRIBUTARY_E_NOT_FOUND);
  CHECK(std::strstr(tributary_error_message(), "/nonexistent.torrent") == nullptr);
}

TEST_CASE("a played track's snapshot, ledger and report agree") {
  const Track track("figures");
  auto options = sized<tributary_options>();
  const std::string audio = "wav-fast:" + track.directory + "/out.wav";
  options.audio = audio.c_str();
  OpenClient client(options);
  REQUIRE(client.load(track.torrent) == TRIBUTARY_OK);
  auto told = sized<tributary_track>();
  REQUIRE(tributary_client_track(client, 0, &told) == TRIBUTARY_OK);
  CHECK(std::string(told.title) == "tone");
  CHECK(std::string(told.path) == "tone.opus");
  CHECK(std::strlen(told.info_hash) == 40);
  CHECK(told.duration_ms >= 9'900);
  CHECK(told.verifiable == 1);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);

  tributary_snapshot* snapshot = nullptr;
  REQUIRE(tributary_client_snapshot(client, 16, &snapshot) == TRIBUTARY_OK);
  const tributary_status status = status_of(snapshot);
  CHECK(status.state == TRIBUTARY_STATE_ENDED);
  CHECK(status.track_count == 1);
  CHECK(std::string(status.title) == "tone");
  REQUIRE(status.piece_count > 0);
  CHECK(tributary_snapshot_piece(snapshot, 0) == TRIBUTARY_PIECE_HAVE);
  CHECK(tributary_snapshot_piece(snapshot, status.piece_count) == TRIBUTARY_E_NOT_FOUND);
  REQUIRE(status.edge_count == 1);
  auto edge = sized<tributary_edge>();
  REQUIRE(tributary_snapshot_edge(snapshot, 0, &edge) == TRIBUTARY_OK);
  CHECK(track.rig.edge().find(edge.origin) == 0);
  auto ledger = sized<tributary_ledger>();
  REQUIRE(tributary_snapshot_ledger(snapshot, &ledger) == TRIBUTARY_OK);
  CHECK(ledger.cdn_bytes + ledger.peers_bytes ==
        ledger.good_bytes + ledger.duplicate_bytes + ledger.corrupt_bytes);

  REQUIRE(tributary_client_finish(client) == TRIBUTARY_OK);
  tributary_report* report = nullptr;
  REQUIRE(tributary_client_report(client, &report) == TRIBUTARY_OK);
  REQUIRE(client.close() == TRIBUTARY_OK);
  CHECK(std::string(status.title) == "tone");  // its snapshot is there still
  auto entry = sized<tributary_entry>();
  REQUIRE(tributary_report_total(report, &entry) == TRIBUTARY_OK);
  CHECK(entry.started == 1);
  CHECK(entry.played_ms >= 9'900);
  REQUIRE(tributary_report_track_ledger(report, 0, &ledger) == TRIBUTARY_OK);
  CHECK(ledger.cdn_bytes + ledger.peers_bytes + ledger.cache_bytes ==
        entry.played_bytes + ledger.duplicate_bytes + ledger.corrupt_bytes + entry.unused_bytes);
  const char* json = nullptr;
  REQUIRE(tributary_report_json(report, &json) == TRIBUTARY_OK);
  CHECK(std::string(json).find("\"offload_ratio\"") != std::string::npos);
  CHECK(tributary_report_free(report) == TRIBUTARY_OK);
  CHECK(tributary_snapshot_free(snapshot) == TRIBUTARY_OK);
}

TEST_CASE("playback that is asked for while the list is being loaded begins with it, once") {
  const Track track("early");
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  OpenClient client(options);
  const char* source = track.torrent.c_str();
  REQUIRE(tributary_client_load(client, &source, 1) == TRIBUTARY_OK);
  CHECK(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(tributary_client_start(client) == TRIBUTARY_E_STATE);
  CHECK(client.wait_for(TRIBUTARY_EVENT_LOADED).result == TRIBUTARY_OK);
  CHECK(tributary_client_start(client) == TRIBUTARY_E_STATE);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
}

TEST_CASE("where loading is given up nothing begins, and the next list may be started") {
  const Track track("next_list");
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  OpenClient client(options);
  const std::string nobody_knows =
      "magnet:?xt=urn:btih:" + std::string(40, 'b') + "&x.pe=127.0.0.1:1";
  const char* source = nobody_knows.c_str();
  REQUIRE(tributary_client_load(client, &source, 1) == TRIBUTARY_OK);
  CHECK(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(tributary_client_cancel_load(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_LOADED).result == TRIBUTARY_E_CANCELLED);
  CHECK(tributary_client_start(client) == TRIBUTARY_E_STATE);
  REQUIRE(client.load(track.torrent) == TRIBUTARY_OK);
  CHECK(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
}

TEST_CASE("pause, seek and resume are told by events") {
  const Track track("steer");
  OpenClient client;
  REQUIRE(client.load(track.torrent) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  REQUIRE(client.reaches(TRIBUTARY_STATE_PLAYING));
  CHECK(tributary_client_set_paused(client, 1) == TRIBUTARY_OK);
  CHECK(tributary_client_set_paused(client, 1) == TRIBUTARY_OK);
  REQUIRE(client.reaches(TRIBUTARY_STATE_PAUSED));
  CHECK(tributary_client_seek(client, 6'000) == TRIBUTARY_OK);
  REQUIRE(client.reaches(TRIBUTARY_STATE_PAUSED));
  tributary_snapshot* snapshot = nullptr;
  REQUIRE(tributary_client_snapshot(client, 0, &snapshot) == TRIBUTARY_OK);
  CHECK(status_of(snapshot).position_ms >= 6'000);
  CHECK(tributary_snapshot_free(snapshot) == TRIBUTARY_OK);
  CHECK(tributary_client_set_paused(client, 0) == TRIBUTARY_OK);
  CHECK(client.reaches(TRIBUTARY_STATE_PLAYING));
  CHECK(tributary_client_stop(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).type == TRIBUTARY_EVENT_ENDED);
}

// What the callbacks were called with.
struct Heard {
  std::atomic<int> wakeups = 0;
  std::atomic<int> decisions = 0;
  std::atomic<int> lines = 0;
};

TEST_CASE("a wakeup comes with the first event, and each decision as a line of JSON") {
  const Track track("callbacks");
  Heard heard;
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  options.user = &heard;
  options.wakeup = [](void* user) { ++static_cast<Heard*>(user)->wakeups; };
  options.decision = [](void* user, const char* json) {
    if (json[0] == '{' && std::strstr(json, "\"why\"")) ++static_cast<Heard*>(user)->decisions;
  };
  OpenClient client(options);
  REQUIRE(client.load(track.torrent) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
  CHECK(tributary_client_finish(client) == TRIBUTARY_OK);
  CHECK(heard.decisions > 0);
  CHECK(heard.wakeups > 0);
}

TEST_CASE("the lines of the trace are a whole session, from its head to its report") {
  const Track track("traced");
  std::vector<nlohmann::json> lines;
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  options.user = &lines;
  options.trace = [](void* user, const char* line) {
    static_cast<std::vector<nlohmann::json>*>(user)->push_back(nlohmann::json::parse(line));
  };
  auto policy = sized<tributary_policy>();
  REQUIRE(tributary_policy_named("spotify", &policy) == TRIBUTARY_OK);
  policy.unchoker = TRIBUTARY_UNCHOKER_PROP_SHARE;
  options.policy = &policy;
  OpenClient client(options);
  REQUIRE(client.load(track.torrent) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(tributary_client_next(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
  REQUIRE(tributary_client_finish(client) == TRIBUTARY_OK);
  const auto count = [&lines](const char* event) {
    return std::count_if(lines.begin(), lines.end(), [event](const nlohmann::json& line) {
      return line.value("event", "") == event;
    });
  };
  REQUIRE(!lines.empty());
  CHECK(lines.front()["event"] == "session");
  CHECK(lines.front()["policy"] == "spotify");
  CHECK(lines.front()["unchoker"] == "prop-share");
  CHECK(lines.back()["event"] == "end");
  CHECK(lines.back()["report"]["policy"] == "spotify");
  CHECK(count("track") == 1);
  CHECK(count("action") == 1);
  CHECK(count("") > 0);  // decisions
}

TEST_CASE("a policy is called by its name, and one with other values custom") {
  OpenClient client;
  const auto name = [&client] {
    tributary_snapshot* snapshot = nullptr;
    REQUIRE(tributary_client_snapshot(client, 0, &snapshot) == TRIBUTARY_OK);
    std::string policy = status_of(snapshot).policy;
    tributary_snapshot_free(snapshot);
    return policy;
  };
  CHECK(name() == "adaptive");
  auto policy = sized<tributary_policy>();
  for (const char* known : {"spotify", "cdn-only", "peers-only", "adaptive"}) {
    REQUIRE(tributary_policy_named(known, &policy) == TRIBUTARY_OK);
    REQUIRE(tributary_client_set_policy(client, &policy) == TRIBUTARY_OK);
    CHECK(name() == known);
  }
  policy.head_ms += 1;
  REQUIRE(tributary_client_set_policy(client, &policy) == TRIBUTARY_OK);
  CHECK(name() == "custom");
}

TEST_CASE("whether there is a sound card is told as the sink sees it") {
  CHECK(tributary_audio_device_present() == (player::sdl_device_present() ? 1 : 0));
}

// Whether a peer comes that would have something but serves nothing; the limit only stops a hanging
// test.
bool is_kept_waiting(tributary_client* client) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  auto peer = sized<tributary_peer>();
  bool waits = false;
  while (!waits && std::chrono::steady_clock::now() < end) {
    tributary_snapshot* snapshot = nullptr;
    REQUIRE(tributary_client_snapshot(client, 0, &snapshot) == TRIBUTARY_OK);
    waits = tributary_snapshot_peer(snapshot, 0, &peer) == TRIBUTARY_OK &&
            std::strchr(peer.flags, 'd') != nullptr;
    tributary_snapshot_free(snapshot);
    std::this_thread::yield();
  }
  return waits;
}

TEST_CASE("who was not asked for consent uploads nothing") {
  const Track track("consent", false);
  OpenClient first;
  REQUIRE(first.load(track.torrent) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(first) == TRIBUTARY_OK);
  REQUIRE(first.reaches(TRIBUTARY_STATE_PLAYING));
  const char* address = nullptr;
  REQUIRE(tributary_client_address(first, &address) == TRIBUTARY_OK);

  auto policy = sized<tributary_policy>();
  REQUIRE(tributary_policy_named("peers-only", &policy) == TRIBUTARY_OK);
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  options.policy = &policy;
  options.peers = &address;
  options.peer_count = 1;
  OpenClient second(options);
  REQUIRE(second.load(track.torrent) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(second) == TRIBUTARY_OK);
  const auto uploaded = [&first] {
    tributary_snapshot* snapshot = nullptr;
    auto ledger = sized<tributary_ledger>();
    REQUIRE(tributary_client_snapshot(first, 0, &snapshot) == TRIBUTARY_OK);
    REQUIRE(tributary_snapshot_ledger(snapshot, &ledger) == TRIBUTARY_OK);
    tributary_snapshot_free(snapshot);
    return ledger.uploaded_bytes;
  };
  CHECK(is_kept_waiting(second));
  CHECK(uploaded() == 0);
  REQUIRE(tributary_client_set_upload(first, 1) == TRIBUTARY_OK);
  CHECK(second.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
  CHECK(uploaded() > 0);
}

}  // namespace
}  // namespace tributary::capi
