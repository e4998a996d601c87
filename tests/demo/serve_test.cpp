// Servers and player as processes that meet on loopback.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/demo/process.h"

using namespace tributary::demo::testing;  // NOLINT
using nlohmann::json;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder with one track, an origin that serves it, and its torrent "t".
struct Track {
  explicit Track(int seconds) {
    folder.add_wave("media/a.wav", seconds);
    origin = std::make_unique<Process>(
        std::vector<std::string>{"origin", folder.path("media"), "--listen", "127.0.0.1:0"});
    const Outcome published = run({"publish", folder.path("media/a.wav"), "--edge",
                                   "http://" + origin->address() + "/", "-o", folder.path("t")});
    REQUIRE(published.code == 0);
  }
  Folder folder;
  std::unique_ptr<Process> origin;
};

// The samples of a WAVE file, by the length that its header states; nothing when that is wrong.
std::string samples(const std::string& wave) {
  const std::size_t chunk = wave.find("data", 12);
  if (chunk == std::string::npos || wave.size() < chunk + 8) return {};
  std::size_t size = 0;
  for (std::size_t i = 8; i-- > 4;) size = size << 8 | static_cast<unsigned char>(wave[chunk + i]);
  return size == wave.size() - chunk - 8 ? wave.substr(chunk + 8) : std::string();
}

void check_bytes(const json& bytes) {
  const auto n = [&](const char* key) { return bytes[key].get<std::int64_t>(); };
  CHECK(n("cdn") + n("peers") + n("cache") ==
        n("played") + n("duplicate") + n("corrupt") + n("unused"));
}

}  // namespace

TEST_CASE("servers print one ready line and end cleanly on SIGINT and SIGTERM") {
  const Folder folder;
  for (int number : {SIGINT, SIGTERM}) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"origin", folder.path(), "--listen", "127.0.0.1:0"},
          std::vector<std::string>{"tracker", "--listen", "127.0.0.1:0"}}) {
      Process server(command);
      CHECK(server.address().starts_with("127.0.0.1:"));
      server.signal(number);
      CHECK(server.finish() == 0);
      CHECK(holds(server.output(), "stopped after "));
      CHECK(std::count(server.output().begin(), server.output().end(), '\n') == 2);
    }
  }
}

TEST_CASE("a port that is taken gives exit code 1 and a line that names it") {
  const int taken = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the sockets API wants it
  REQUIRE(bind(taken, generic, size) == 0);
  REQUIRE(listen(taken, 1) == 0);
  REQUIRE(getsockname(taken, generic, &size) == 0);
  const std::string where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const Track track(1);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"origin", track.folder.path("media"), "--listen", where},
        std::vector<std::string>{"tracker", "--listen", where},
        std::vector<std::string>{"seed", track.folder.path("t"), "--data",
                                 track.folder.path("media"), "--listen", where},
        std::vector<std::string>{"play", track.folder.path("t"), "--listen", where}}) {
    const Outcome outcome = run(command);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(holds(outcome.err, where));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  close(taken);
}

TEST_CASE("a track is played to its end, with sound, report, trace and summary") {
  const Track track(5);
  const Folder& folder = track.folder;
  const Outcome outcome =
      run({"play", folder.path("t"), "--audio", "wav-fast:" + folder.path("out.wav"), "--report",
           folder.path("r.json"), "--trace", folder.path("t.jsonl")});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(holds(outcome.out, "1 a "));
  CHECK(holds(outcome.out, "total"));
  CHECK((samples(folder.read("out.wav")) == samples(folder.read("media/a.wav"))));
  const json report = json::parse(folder.read("r.json"));
  CHECK(report["total"]["bytes"]["cdn"] == 44 + 5 * 16000);
  CHECK(report["total"]["bytes"]["played"] == 44 + 5 * 16000);
  CHECK(report["tracks"].size() == 1);
  check_bytes(report["total"]["bytes"]);
  std::istringstream trace(folder.read("t.jsonl"));
  int decisions = 0;
  std::vector<std::string> events;
  for (std::string text; std::getline(trace, text);) {
    const json line = json::parse(text);
    if (line.contains("event")) {
      events.push_back(line["event"]);
    } else {
      CHECK(line["choice"] == "cdn");
      ++decisions;
    }
  }
  CHECK(decisions > 0);
  REQUIRE(events.size() > 3);
  CHECK(events.front() == "session");
  CHECK(events.back() == "end");
}

TEST_CASE("a seed that is named as a peer brings the data") {
  Folder folder;
  folder.add_wave("a.wav", 5);
  REQUIRE(run({"publish", folder.path("a.wav"), "-o", folder.path("t")}).code == 0);
  Process seed({"seed", folder.path("t"), "--data", folder.path()});
  const Outcome outcome =
      run({"play", folder.path("t"), "--peer", seed.address(), "--audio",
           "wav-fast:" + folder.path("out.wav"), "--report", folder.path("r.json")});
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK((samples(folder.read("out.wav")) == samples(folder.read("a.wav"))));
  const json report = json::parse(folder.read("r.json"));
  CHECK(report["total"]["bytes"]["peers"] == 44 + 5 * 16000);
  CHECK(report["total"]["offload_ratio"] == 1.0);
  seed.signal(SIGINT);
  CHECK(seed.finish() == 0);
  CHECK(holds(seed.output(), "sent"));
}

TEST_CASE("Ctrl-C stops a player cleanly, with report, summary and a whole WAV") {
  const Track track(60);
  const Folder& folder = track.folder;
  Process play({"play", folder.path("t"), "--audio", "wav:" + folder.path("out.wav"), "--report",
                folder.path("r.json")});
  REQUIRE(play.read_until("playing"));
  play.signal(SIGINT);
  CHECK(play.finish() == 0);
  CHECK(holds(play.output(), "total"));
  check_bytes(json::parse(folder.read("r.json"))["total"]["bytes"]);
  CHECK(!samples(folder.read("out.wav")).empty());
}

TEST_CASE("the live view takes keys and gives the terminal back as it was") {
  const Track track(60);
  Process play({"play", track.folder.path("t"), "--audio", "null"}, Process::Kind::kTerminal);
  termios before{};
  tcgetattr(play.terminal(), &before);
  REQUIRE(play.read_until("▶ playing"));
  termios during{};
  tcgetattr(play.terminal(), &during);
  CHECK((during.c_lflag & (ICANON | ECHO)) == 0);
  play.press(" ");
  REQUIRE(play.read_until("‖ paused"));
  play.press("q");
  REQUIRE(play.read_until("total"));
  termios after{};
  CHECK(tcgetattr(play.terminal(), &after) == 0);
  CHECK(after.c_lflag == before.c_lflag);
  CHECK(play.finish() == 0);
  const std::string& out = play.output();
  CHECK(out.find("\x1b[?1049h") < out.find("\x1b[?1049l"));
  CHECK(out.rfind("\x1b[?25h") > out.rfind("\x1b[?25l"));
  CHECK(out.find("total") > out.rfind("\x1b[?1049l"));
  CHECK(holds(out, "\x1b[32m"));
}

TEST_CASE("NO_COLOR is honoured and a fatal signal restores the terminal") {
  const Track track(60);
  Process play({"play", track.folder.path("t"), "--audio", "null"}, Process::Kind::kTerminal,
               {"NO_COLOR=1"});
  REQUIRE(play.read_until("▶ playing"));
  play.signal(SIGABRT);
  CHECK(play.finish() == -1);
  CHECK(!holds(play.output(), "\x1b[32m"));
  CHECK(play.output().rfind("\x1b[?1049l") > play.output().rfind("\x1b[?1049h"));
}
