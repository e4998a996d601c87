// tributary play: the command line of it; the run is in play_session.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/client_options.h"
#include "demo/command.h"
#include "demo/play_options.h"
#include "demo/play_session.h"
#include "demo/stop_signals.h"
#include "demo/terminal.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "play";
constexpr int kWarningWidth = 500;  // columns

struct PlayArguments {
  std::vector<std::string> sources;
  std::string audio;
  Duration from{};
  Duration until = Duration(-1);
  ClientArguments client;
  SharingLimits linger;
  std::string report;
  std::string trace;
};

Result<void> check(const PlayArguments& arguments) {
  auto sources = check_sources(arguments.sources);
  if (!sources) return sources;
  if (arguments.until >= Duration::zero()) {
    auto span = check_span(arguments.from, arguments.until);
    if (!span) return span;
  }
  for (const std::string* path : {&arguments.report, &arguments.trace}) {
    // Known now rather than after the music.
    auto writable = path->empty() ? Result<void>() : check_writable(*path);
    if (!writable) return writable;
  }
  return {};
}

void choose_audio(const PlayArguments& arguments, PlaySettings& settings) {
  settings.client.audio = arguments.audio;
  if (!arguments.audio.empty()) return;
  const bool device = api::audio_device_present();
  settings.client.audio = device ? "sdl" : "null";
  if (!device) settings.notice = "no sound device here: playing in silence, as with --audio null";
}

void print_warning(tributary_log_level, std::string_view text) {
  // Servers and peers may have a part in the text.
  std::fprintf(stderr, "tributary %s: %s\n", kName, fit_text(text, kWarningWidth).c_str());
}

Result<PlaySettings> settings_of(const PlayArguments& arguments) {
  auto checked = check(arguments);
  if (!checked) return checked.error();
  PlaySettings settings;
  settings.sources = arguments.sources;
  settings.linger = arguments.linger;
  settings.report = arguments.report;
  settings.trace = arguments.trace;
  api::Options& client = settings.client;
  auto applied = apply(arguments.client, client);
  if (!applied) return applied.error();
  // On a terminal the live view shows the client's warnings; else they go beside the lines.
  if (!is_terminal(STDOUT_FILENO)) client.log = print_warning;
  client.from = std::chrono::floor<api::milliseconds>(arguments.from);
  if (arguments.until >= Duration::zero()) {
    client.until = std::chrono::ceil<api::milliseconds>(arguments.until);
  }
  choose_audio(arguments, settings);
  return settings;
}

int play(const PlayArguments& arguments) {
  const WakePipe wake;
  const StopSignals signals([&wake] { wake.send('s'); }, [&wake] { wake.send('r'); });
  auto settings = settings_of(arguments);
  if (!settings) return fail(kName, settings.error());
  auto done = PlaySession(*std::move(settings), wake).run();
  return done ? kExitDone : fail(kName, done.error());
}

constexpr const char* kExample =
    "A SOURCE is a .torrent, a magnet link, a playlist (m3u, pls, xspf) of these, or an http(s)\n"
    "URL of a .torrent, a playlist or a media file. What a magnet link stands for only peers can\n"
    "tell: those of its trackers (tr=), its own (x.pe=), the DHT's, and --peer.\n"
    "Times are 90, 90s, 1m30s or 1:30; rates are bit/s with k, M, G.\n"
    "Keys: space pauses, ←/→ seek, n and p change the track, q quits. Ctrl-C stops cleanly, a "
    "second\n"
    "one at once. The report is described in player/client/report.md.\n"
    "SSL_CERT_FILE in the environment names a PEM file of certificates to trust.\n\n"
    "Examples:\n"
    "  tributary play song.torrent\n"
    "  tributary play 'magnet:?xt=urn:btih:…&tr=http://…&ws=https://…'\n"
    "  tributary play album.torrent --policy spotify --cache ~/.cache/tributary\n"
    "  tributary play song.torrent --from 1:00 --until 1:30 --audio wav:part.wav --report r.json";

void add_playback(Subcommand& sub, PlayArguments& arguments) {
  sub.require("sources", "SOURCE", arguments.sources, "What to play");
  sub.add("--audio", "SINK", arguments.audio,
          "sdl, null, wav:FILE or wav-fast:FILE (sdl where a device is present)");
  sub.offer("--audio", {"sdl", "null"});
  add_policy_options(sub, arguments.client);
  sub.add("--from", "T", arguments.from, parse_time, "Start each track there");
  sub.add("--until", "T", arguments.until, parse_time, "End each track there");
  sub.add("--report", "FILE.json", arguments.report, "Write the session's figures there as JSON");
  sub.add("--trace", "FILE.jsonl", arguments.trace,
          "Write decisions and what `replay` needs there, as JSON lines");
}

void add_sharing(Subcommand& sub, PlayArguments& arguments) {
  add_limit_options(sub, arguments.client);
  sub.add("--linger", "T", arguments.linger.time, parse_told_time,
          "Keep sharing so long after the end");
  sub.add("--ratio", "R", arguments.linger.ratio, parse_told_ratio,
          "Keep sharing after the end until R times what was received is sent");
}

}  // namespace

void add_play(CommandLine& line) {
  auto arguments = std::make_shared<PlayArguments>();
  Subcommand sub = line.add(kName, "Play from the CDN and from peers", kExample,
                            [arguments] { return play(*arguments); });
  add_playback(sub, *arguments);
  add_sharing(sub, *arguments);
  add_network_options(sub, arguments->client.network);
}

}  // namespace tributary::demo
