// tributary play: the command line of it; the run is in play_session.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/network_options.h"
#include "demo/play_session.h"
#include "demo/resolve_peers.h"
#include "demo/stop_signals.h"
#include "demo/terminal.h"
#include "demo/text_width.h"
#include "demo/unchoker_option.h"
#include "engine/wire/magnet.h"
#include "player/media/sink.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "play";
constexpr int kWarningWidth = 500;  // columns
constexpr const char* kPolicies = "adaptive, spotify, cdn-only, peers-only";

struct PlayArguments {
  std::vector<std::string> sources;
  std::string audio;
  std::string policy = "adaptive";
  std::optional<core::Unchoker> unchoker;
  std::string cache;
  Duration from{};
  Duration until = Duration(-1);
  BitRate down = kUnlimited;
  BitRate down_each = kUnlimited;
  std::vector<std::string> peers;
  NetworkArguments network;
  SharingLimits linger;
  bool no_upload = false;
  bool metered = false;
  std::string report;
  std::string trace;
};

Result<void> check_sources(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    auto parsed = parse_source(source);
    if (!parsed) return parsed.error();
    std::error_code ignored;
    const bool local = source.find("://") == std::string::npos && !wire::is_magnet(source);
    if (local && !std::filesystem::exists(source, ignored)) {
      return Error{ErrorCode::kNotFound,
                   "cannot play '" + source + "': no such file; give the path of a .torrent"};
    }
  }
  return {};
}

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
  const bool device = player::sdl_device_present();
  settings.client.audio = device ? "sdl" : "null";
  if (!device) settings.notice = "no sound device here: playing in silence, as with --audio null";
}

void print_warning(LogLevel level, std::string_view text) {
  if (level < LogLevel::kWarning) return;
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
  const auto policy = core::Policy::by_name(arguments.policy);
  if (!policy) {
    return invalid("unknown policy '" + arguments.policy + "'; choose " + kPolicies);
  }
  player::ClientOptions& client = settings.client;
  client.host.policy = arguments.metered ? policy->metered() : *policy;
  client.host.policy.unchoker = arguments.unchoker.value_or(policy->unchoker);
  client.host.upload = !arguments.no_upload && !arguments.metered;
  client.host.cache_directory = arguments.cache;
  client.host.down = arguments.down;
  client.host.down_each = arguments.down_each;
  auto applied = apply(arguments.network, client.host);
  if (!applied) return applied.error();
  // On a terminal the live view shows the client's warnings; else they go beside the lines.
  if (!is_terminal(STDOUT_FILENO)) client.host.log = print_warning;
  client.from = arguments.from;
  client.until = arguments.until;
  TRIBUTARY_TRY(peers, resolve_peers(arguments.peers));
  client.peers = std::move(peers);
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
  sub.add("--policy", "NAME", arguments.policy,
          "adaptive, spotify, cdn-only or peers-only (adaptive)");
  sub.add("--cache", "DIR", arguments.cache, "Remember what was played there (nothing is kept)");
  sub.add("--from", "T", arguments.from, parse_time, "Start each track there");
  sub.add("--until", "T", arguments.until, parse_time, "End each track there");
  sub.add("--report", "FILE.json", arguments.report, "Write the session's figures there as JSON");
  sub.add("--trace", "FILE.jsonl", arguments.trace,
          "Write each scheduling decision there as a JSON line");
}

void add_sharing(Subcommand& sub, PlayArguments& arguments) {
  sub.add("--down", "RATE", arguments.down, parse_rate,
          "Limit of download, of peers and CDN together (none)");
  sub.add("--down-each", "RATE", arguments.down_each, parse_rate,
          "The same for each torrent by itself (none)");
  sub.add("--unchoker", "NAME", arguments.unchoker, parse_unchoker,
          std::string(kUnchokerHelp) + " (as the policy has it)");
  sub.add("--peer", "HOST:PORT", arguments.peers, "A peer to ask, may be repeated");
  sub.add("--linger", "T", arguments.linger.time, parse_told_time,
          "Keep sharing so long after the end");
  sub.add("--ratio", "R", arguments.linger.ratio, parse_told_ratio,
          "Keep sharing after the end until R times what was received is sent");
  sub.add("--no-upload", arguments.no_upload, "Send nothing to peers");
  sub.add("--metered", arguments.metered,
          "On a link that costs: send nothing, fetch little ahead of what is heard");
}

}  // namespace

void add_play(CommandLine& line) {
  auto arguments = std::make_shared<PlayArguments>();
  Subcommand sub = line.add(kName, "Play from the CDN and from peers", kExample,
                            [arguments] { return play(*arguments); });
  add_playback(sub, *arguments);
  add_sharing(sub, *arguments);
  add_network_options(sub, arguments->network);
}

}  // namespace tributary::demo
