#include "player/client/client.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/player/client/rig.h"

namespace tributary::player {
namespace {

// Plays to the end; the engine's own events end the wait, the limit only stops a hanging test.
Report play(ClientOptions options, const std::vector<std::string>& sources) {
  auto client = Client::create(std::move(options));
  REQUIRE_MESSAGE(client.ok(), (client.ok() ? "" : client.error().message));
  auto items = (*client)->load(sources);
  REQUIRE_MESSAGE(items.ok(), (items.ok() ? "" : items.error().message));
  (*client)->start();
  REQUIRE((*client)->wait_until_ended(60s));
  MESSAGE((*client)->snapshot().message);
  (*client)->finish();
  return (*client)->report();
}

ClientOptions wav_options(const std::string& wav, core::Policy policy = core::Policy::adaptive()) {
  ClientOptions options;
  options.host.policy = policy;
  options.host.listen = Endpoint::v4(127, 0, 0, 1, 0);
  options.audio = "wav-fast:" + wav;
  return options;
}

std::vector<std::uint8_t> pcm_of(const std::string& media) {
  run_command("ffmpeg -v error -y -i '" + media + "' -f s16le -acodec pcm_s16le '" + media +
              ".pcm'");
  return read_bytes(media + ".pcm");
}

std::vector<std::uint8_t> data_of_wav(const std::string& wav) {
  run_command("ffmpeg -v error -y -i '" + wav + "' -f s16le -acodec pcm_s16le '" + wav + ".pcm'");
  return read_bytes(wav + ".pcm");
}

std::string make_tone(const std::string& directory, const std::string& name, int seconds,
                      const std::string& codec) {
  run_command(
      "ffmpeg -v error -y -f lavfi -i 'sine=frequency=440:duration=" + std::to_string(seconds) +
      ",vibrato' -f lavfi -i 'anoisesrc=d=" + std::to_string(seconds) +
      ":a=0.1:seed=7' -filter_complex amix=2 -ac 2 " + codec + " '" + directory + "/" + name + "'");
  return directory + "/" + name;
}

void check_balance(const ReportEntry& entry) {
  CHECK(entry.bytes.cdn() + entry.bytes.peers + entry.bytes.cache ==
        entry.played_bytes + entry.bytes.duplicate + entry.bytes.corrupt + entry.unused);
}

TEST_CASE("a track from the CDN alone sounds like ffmpeg's decode of it") {
  const std::string directory = make_directory("cdn");
  const std::string media = make_tone(directory, "tone.opus", 20, "-c:a libopus -b:a 96k");
  Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  const Report report = play(wav_options(directory + "/out.wav"), {torrent});
  CHECK(data_of_wav(directory + "/out.wav") == pcm_of(media));
  CHECK(report.tracks.at(0).started);
  CHECK(report.total.bytes.peers == 0_B);
  CHECK(report.total.bytes.corrupt == 0_B);
  check_balance(report.total);
}

TEST_CASE("a track from peers alone sounds like ffmpeg's decode of it") {
  const std::string directory = make_directory("peers");
  const std::string media = make_tone(directory, "tone.opus", 20, "-c:a libopus -b:a 96k");
  Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus", 16_KiB, false);
  rig.add_seed(torrent);
  rig.run();
  const Report report =
      play(wav_options(directory + "/out.wav", core::Policy::peers_only()), {torrent});
  CHECK(data_of_wav(directory + "/out.wav") == pcm_of(media));
  CHECK(report.total.bytes.cdn() == 0_B);
  CHECK(report.total.offload_ratio() == doctest::Approx(1.0));
  check_balance(report.total);
}

TEST_CASE("two tracks from CDN and peers play without a gap between them") {
  const std::string directory = make_directory("hybrid");
  const std::string first = make_tone(directory, "first.opus", 12, "-c:a libopus -b:a 96k");
  const std::string second = make_tone(directory, "second.opus", 9, "-c:a libopus -b:a 64k");
  Rig rig(directory);
  const std::string a = rig.publish("first.opus");
  const std::string b = rig.publish("second.opus", 32_KiB, true, false);
  rig.add_seed(a);
  rig.add_seed(b);
  rig.run();
  const Report report = play(wav_options(directory + "/out.wav"), {a, b});
  std::vector<std::uint8_t> expected = pcm_of(first);
  const std::vector<std::uint8_t> more = pcm_of(second);
  expected.insert(expected.end(), more.begin(), more.end());
  CHECK(data_of_wav(directory + "/out.wav") == expected);
  CHECK(report.tracks.at(1).started);
  CHECK(report.tracks.at(0).played == 12s);
  CHECK(report.tracks.at(1).played == 9s);
  CHECK(report.total.bytes.peers > 0_B);
  check_balance(report.total);
  for (const ReportEntry& entry : report.tracks) check_balance(entry);
}

// Whether the state comes; the limit only stops a hanging test.
bool reaches(Client& client, PlayState state) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    if (client.snapshot(0).state == state) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST_CASE("a seek while paused ends paused, and play goes on from there") {
  const std::string directory = make_directory("paused");
  make_tone(directory, "tone.opus", 40, "-c:a libopus -b:a 96k");
  Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  ClientOptions options;
  options.host.listen = Endpoint::v4(127, 0, 0, 1, 0);
  auto client = Client::create(std::move(options));
  REQUIRE(client.ok());
  REQUIRE((*client)->load({torrent}).ok());
  (*client)->start();
  REQUIRE(reaches(**client, PlayState::kPlaying));
  (*client)->toggle_pause();
  REQUIRE(reaches(**client, PlayState::kPaused));
  (*client)->seek_by(20s);
  CHECK(reaches(**client, PlayState::kPaused));
  CHECK((*client)->snapshot(0).position >= 20s);
  (*client)->toggle_pause();
  CHECK(reaches(**client, PlayState::kPlaying));
  (*client)->finish();
}

TEST_CASE("the trace tells decisions and what the listener did, from its head to its report") {
  const std::string directory = make_directory("traced");
  make_tone(directory, "tone.opus", 40, "-c:a libopus -b:a 96k");
  Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  std::vector<nlohmann::json> lines;
  ClientOptions options;
  options.host.listen = Endpoint::v4(127, 0, 0, 1, 0);
  options.trace = [&lines](const std::string& line) {
    lines.push_back(nlohmann::json::parse(line));
  };
  auto client = Client::create(std::move(options));
  REQUIRE(client.ok());
  REQUIRE((*client)->load({torrent}).ok());
  (*client)->start();
  REQUIRE(reaches(**client, PlayState::kPlaying));
  (*client)->set_paused(true);
  (*client)->set_paused(true);
  (*client)->seek_to(20s);
  (*client)->set_paused(false);
  (*client)->next();
  (*client)->finish();

  std::vector<std::string> done;
  int decisions = 0;
  for (const nlohmann::json& line : lines) {
    if (!line.contains("event")) decisions += line.contains("why") ? 1 : 0;
    if (line.value("event", "") == "action") done.push_back(line["action"].get<std::string>());
    if (line.value("action", "") == "seek") CHECK(line["by_ms"].get<double>() > 10'000);
  }
  CHECK(done == std::vector<std::string>{"toggle_pause", "seek", "toggle_pause", "next", "stop"});
  CHECK(decisions > 0);
  REQUIRE(!lines.empty());
  CHECK(lines.front()["event"] == "session");
  CHECK(lines.back()["event"] == "end");
  CHECK(lines.back()["report"]["policy"] == "adaptive");
}

// The decoder is through with a track long before the loop thread has opened the one after the
// next.
TEST_CASE("tracks shorter than the decoder's lead are all heard") {
  const std::string directory = make_directory("short");
  Rig rig(directory);
  std::vector<std::string> torrents;
  std::vector<std::uint8_t> expected;
  for (const char* name : {"a.flac", "b.flac", "c.flac", "d.flac", "e.flac", "f.flac"}) {
    const std::vector<std::uint8_t> pcm = pcm_of(make_tone(directory, name, 1, "-t 0.2 -c:a flac"));
    expected.insert(expected.end(), pcm.begin(), pcm.end());
    torrents.push_back(rig.publish(name));
  }
  rig.run();
  const Report report = play(wav_options(directory + "/out.wav"), torrents);
  CHECK(data_of_wav(directory + "/out.wav") == expected);
  for (const ReportEntry& entry : report.tracks) CHECK(entry.started);
  check_balance(report.total);
}

TEST_CASE("a plain URL plays from the CDN without peers") {
  const std::string directory = make_directory("plain");
  const std::string media = make_tone(directory, "tone.flac", 8, "-c:a flac");
  Rig rig(directory);
  rig.run();
  const Report report = play(wav_options(directory + "/out.wav"), {rig.edge() + "tone.flac"});
  CHECK(data_of_wav(directory + "/out.wav") == pcm_of(media));
  CHECK(report.total.bytes.peers == 0_B);
}

}  // namespace
}  // namespace tributary::player
