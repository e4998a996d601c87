// The command as a process: what it prints and how it exits.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "demo/publisher.h"
#include "engine/wire/metainfo.h"
#include "tests/demo/process.h"

using namespace tributary::demo::testing;  // NOLINT
using nlohmann::json;

namespace {

constexpr const char* kEdge = "http://127.0.0.1:8080/";
constexpr const char* kTracker = "http://127.0.0.1:6969/announce";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Exit code 2, nothing on stdout, and one line on stderr that holds `message`.
void check_usage(const std::vector<std::string>& arguments, const std::string& message) {
  const Outcome outcome = run(arguments);
  CAPTURE(arguments.front());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  CHECK(holds(outcome.err, message));
}

void publish(const Folder& folder, const std::string& what, const std::string& torrent) {
  const Outcome outcome = run({"publish", folder.path(what), "--edge", kEdge, "--tracker", kTracker,
                               "-o", folder.path(torrent)});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
}

}  // namespace

TEST_CASE("help and version succeed for the command and each subcommand") {
  for (const char* name : {"play", "publish", "inspect", "seed", "origin", "tracker"}) {
    const Outcome outcome = run({name, "--help"});
    CAPTURE(name);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(holds(outcome.out, "Example"));
    CHECK(holds(outcome.out, "tributary " + std::string(name)));
  }
  CHECK(run({"--help"}).code == 0);
  const Outcome version = run({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("tributary 0."));
}

TEST_CASE("wrong usage gives exit code 2 and one line that says how to mend it") {
  check_usage({"sing"}, "unknown command 'sing'; choose play, gateway, publish");
  check_usage({"--sing"}, "--help");
  check_usage({"tracker", "--sing"}, "--sing");
  check_usage({"play"}, "see tributary play --help");
  check_usage({"tracker", "--listen", "here"}, "give a numeric HOST:PORT");
  check_usage({"tracker", "--interval", "0"}, "give at least 1s");
  check_usage({"origin", "/nonexistent"}, "'/nonexistent' is no folder");
  check_usage({"origin", "/tmp", "--rate", "fast"}, "rate 'fast' is not understood");
}

TEST_CASE("play refuses wrong sources and options in one line") {
  const Folder folder;
  folder.add_wave("a.wav", 1);
  publish(folder, "a.wav", "a.torrent");
  const std::string torrent = folder.path("a.torrent");
  check_usage({"play", "ftp://example.org/a.mp3"}, "unknown scheme");
  check_usage({"play", "magnet:?xt=urn:btih:0"}, "magnet link: xt: ");
  check_usage({"inspect", "magnet:?dn=x"}, "magnet link: xt: ");
  check_usage({"play", folder.path("none.torrent")}, "no such file");
  check_usage({"play", folder.path("a.wav")}, "publish");
  check_usage({"play", torrent, "--from", "2:00", "--until", "1:00"}, "--until is not behind");
  check_usage({"play", torrent, "--policy", "best"},
              "unknown policy 'best'; choose adaptive, spotify, cdn-only, peers-only");
  check_usage({"play", torrent, "--audio", "loud"}, "choose sdl, null, wav:FILE");
  check_usage({"play", torrent, "--peer", "nowhere"}, "give HOST:PORT");
  check_usage({"play", torrent, "--up", "0"}, "rate '0' is zero");
  check_usage({"play", torrent, "--from", "soon"}, "time 'soon' is not understood");
  check_usage({"play", torrent, "--report", "/nonexistent/r.json"}, "'/nonexistent/r.json'");
}

TEST_CASE("publish refuses what is missing, no media or no URL, and writes nothing then") {
  const Folder folder;
  folder.add_wave("a.wav", 1);
  folder.add_text("notes.txt", "no media at all");
  folder.add_text("texts/a.txt", "no media either");
  folder.add_text("empty.wav", "");
  const std::string out = folder.path("x.torrent");
  check_usage({"publish", folder.path("none"), "-o", out}, "No such file");
  check_usage({"publish", folder.path("notes.txt"), "-o", out}, "is not a media file: ");
  check_usage({"publish", folder.path("empty.wav"), "-o", out}, "is not a media file: ");
  check_usage({"publish", folder.path("texts"), "-o", out}, "no media in ");
  check_usage({"publish", folder.path("a.wav"), "-o", out, "--edge", "ftp://a/"},
              "edge 'ftp://a/'");
  check_usage({"publish", folder.path("a.wav"), "-o", out, "--tracker", "a.org"},
              "tracker 'a.org'");
  check_usage({"publish", folder.path("a.wav"), "-o", out, "--piece-length", "17000"},
              "no power of two");
  check_usage({"publish", folder.path("a.wav"), "-o", folder.path("none/x")}, "cannot write");
  check_usage({"publish", folder.path("a.wav")}, "--output is required");
  CHECK(folder.read("x.torrent").empty());
}

TEST_CASE("inspect tells at which byte or key a file is malformed") {
  const Folder folder;
  folder.add_text("text", "hello");
  folder.add_text("cut", "d4:infod4:name");
  folder.add_text("keyless", "d4:infod4:name1:aee");
  check_usage({"inspect", folder.path("text")}, "byte 0");
  check_usage({"inspect", folder.path("cut")}, "byte ");
  check_usage({"inspect", folder.path("keyless")}, "info");
  check_usage({"inspect", folder.path("none")}, "No such file");
}

TEST_CASE("what publish wrote is what inspect reads") {
  const Folder folder;
  folder.add_wave("Größe ♫.wav", 3);
  const Outcome published =
      run({"publish", folder.path("Größe ♫.wav"), "--edge", kEdge, "--edge", "https://b.example/m/",
           "--tracker", kTracker, "--private", "--piece-length", "32k", "-o", folder.path("t")});
  CAPTURE(published.err);
  REQUIRE(published.code == 0);
  CHECK(published.err.empty());  // no progress bar where there is no terminal
  const Outcome outcome = run({"inspect", "--json", folder.path("t")});
  REQUIRE(outcome.code == 0);
  const json torrent = json::parse(outcome.out);
  CHECK(torrent["name"] == "Größe ♫.wav");
  CHECK(torrent["multi_file"] == false);
  CHECK(torrent["length"] == 44 + 3 * 16000);
  CHECK(torrent["piece_length"] == 32768);
  CHECK(torrent["private"] == true);
  CHECK(torrent["info_hash_v1"].get<std::string>().size() == 40);
  CHECK(torrent["info_hash_v2"].get<std::string>().size() == 64);
  CHECK(torrent["edges"] == json{kEdge, "https://b.example/m/"});
  CHECK(torrent["trackers"] == json{{kTracker}});
  REQUIRE(torrent["files"].size() == 1);
  CHECK(torrent["files"][0]["duration_s"] == doctest::Approx(3.0));
  CHECK(torrent["files"][0]["time_hints"].get<int>() > 0);
  const Outcome text = run({"inspect", folder.path("t")});
  CHECK(text.code == 0);
  CHECK(holds(text.out, torrent["info_hash_v2"].get<std::string>()));
}

TEST_CASE("the tracks of an album come in natural order, without what is no media") {
  const Folder folder;
  for (const char* name :
       {"album/track10.wav", "album/track2.wav", "album/track1.wav", "album/cd2/track1.wav"}) {
    folder.add_wave(name, 1 + static_cast<int>(std::string(name).size() % 3));
  }
  folder.add_text("album/cover.txt", "no media");
  folder.add_text("album/.hidden.wav", "RIFF");
  const Outcome published = run({"publish", folder.path("album"), "-o", folder.path("t")});
  REQUIRE(published.code == 0);
  CHECK(holds(published.err, "left out 'cover.txt'"));
  const json torrent = json::parse(run({"inspect", "--json", folder.path("t")}).out);
  CHECK(torrent["name"] == "album");
  CHECK(torrent["piece_length"] == 16384);
  std::vector<std::string> order;
  for (const json& file : torrent["files"]) order.push_back(file["path"]);
  CHECK(order ==
        std::vector<std::string>{"cd2/track1.wav", "track1.wav", "track2.wav", "track10.wav"});
}

TEST_CASE("several files make an album below the folder they share, each once") {
  const Folder folder;
  folder.add_wave("music/a/one.wav", 1);
  folder.add_wave("music/b/two.wav", 2);
  const Outcome published =
      run({"publish", folder.path("music/a/one.wav"), folder.path("music/b/two.wav"),
           folder.path("music/a"), "-o", folder.path("t")});
  CAPTURE(published.err);
  REQUIRE(published.code == 0);
  const json torrent = json::parse(run({"inspect", "--json", folder.path("t")}).out);
  CHECK(torrent["name"] == "music");
  REQUIRE(torrent["files"].size() == 2);
  CHECK(torrent["files"][0]["path"] == "a/one.wav");
}

TEST_CASE("seed refuses a folder without the data, and takes part of it") {
  const Folder folder;
  folder.add_wave("a.wav", 4);
  publish(folder, "a.wav", "t");
  check_usage({"seed", folder.path("t"), "--data", "/nonexistent"}, "is no folder");
  folder.add_text("empty/other", "x");
  check_usage({"seed", folder.path("t"), "--data", folder.path("empty")},
              "--data must be the folder that holds it");
  std::string wave = folder.read("a.wav");
  wave.resize(wave.size() / 2);
  folder.add_text("part/a.wav", wave);
  Process seed({"seed", folder.path("t"), "--data", folder.path("part")});
  CHECK(seed.address().starts_with("127.0.0.1:"));
  CHECK(holds(seed.output(), "a.wav: 16.4 kB of 64 kB"));
  seed.signal(SIGTERM);
  CHECK(seed.finish() == 0);
}
