// tributary inspect: what a .torrent or a magnet link says, and what its trackers say of the swarm.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/network_options.h"
#include "demo/scrape.h"
#include "demo/server_session.h"
#include "demo/text_width.h"
#include "demo/torrent_file.h"
#include "engine/net/source_address.h"
#include "engine/net/tracker_client.h"
#include "engine/wire/magnet.h"
#include "player/client/loader.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "inspect";
constexpr int kLineWidth = 2000;

using Json = nlohmann::ordered_json;

Duration duration_of(const core::Metainfo& meta, std::size_t file) {
  return file < meta.hints.size() ? meta.hints[file].duration : Duration{};
}

// The files without padding, in the order in which they are played.
std::vector<std::size_t> tracks_of(const core::Metainfo& meta) {
  const auto& files = meta.info.files;
  std::vector<std::size_t> tracks;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!files[i].pad) tracks.push_back(i);
  }
  std::stable_sort(tracks.begin(), tracks.end(), [&](std::size_t a, std::size_t b) {
    return player::natural_less(files[a].path, files[b].path);
  });
  return tracks;
}

Bytes size_of(const core::Metainfo& meta) {
  Bytes sum;
  for (const core::FileEntry& file : meta.info.files) sum += file.pad ? 0_B : file.length;
  return sum;
}

Json files_json(const core::Metainfo& meta) {
  Json files = Json::array();
  for (std::size_t i : tracks_of(meta)) {
    const core::FileEntry& file = meta.info.files[i];
    const Duration duration = duration_of(meta, i);
    Json entry = {{"path", file.path}, {"length", file.length.count()}};
    entry["offset"] = file.offset.count();
    entry["pieces_root"] = file.pieces_root ? Json(file.pieces_root->hex()) : Json();
    entry["duration_s"] =
        duration > Duration::zero() ? Json(static_cast<double>(duration.count()) / 1e6) : Json();
    entry["time_hints"] = i < meta.hints.size() ? meta.hints[i].points.size() : 0;
    files.push_back(std::move(entry));
  }
  return files;
}

Json to_json(const core::Metainfo& meta) {
  const core::TorrentInfo& info = meta.info;
  Json json = {{"name", info.name}, {"length", size_of(meta).count()}};
  json["multi_file"] = info.multi_file;
  json["piece_length"] = info.piece_length.count();
  json["pieces"] = (info.total_size + info.piece_length - 1_B) / info.piece_length;
  json["info_hash_v1"] = info.v1_hash ? Json(info.v1_hash->hex()) : Json();
  json["info_hash_v2"] = info.v2_hash ? Json(info.v2_hash->hex()) : Json();
  json["private"] = info.is_private;
  json["magnet"] = info.is_private ? Json() : Json(wire::format_magnet(wire::magnet_of(meta)));
  json["trackers"] = meta.trackers;
  json["edges"] = meta.edges;
  json["files"] = files_json(meta);
  return json;
}

void print_field(const char* label, const std::string& value) {
  std::printf("%-13s %s\n", label, fit_text(value, kLineWidth).c_str());
}

std::string exact_bytes(Bytes size) {
  return human_bytes(size) + " (" + human_count(size.count(), "byte") + ")";
}

void print_lists(const core::Metainfo& meta) {
  for (std::size_t tier = 0; tier < meta.trackers.size(); ++tier) {
    for (const std::string& url : meta.trackers[tier]) {
      const bool several = meta.trackers.size() > 1;
      print_field("tracker", url + (several ? "  (tier " + std::to_string(tier + 1) + ")" : ""));
    }
  }
  if (meta.trackers.empty()) print_field("tracker", "none");
  for (const std::string& url : meta.edges) print_field("edge", url);
  if (meta.edges.empty()) print_field("edge", "none: plays from peers alone");
}

void print_files(const core::Metainfo& meta) {
  const std::vector<std::size_t> tracks = tracks_of(meta);
  print_field("files", std::to_string(tracks.size()));
  int number = 0;
  for (std::size_t i : tracks) {
    const core::FileEntry& file = meta.info.files[i];
    const Duration time = duration_of(meta, i);
    const std::string clock = time > Duration::zero() ? human_clock(time) : "-";
    std::printf("%5d  %s %s  %s\n", ++number, pad_left(clock, 8).c_str(),
                pad_left(human_bytes(file.length), 9).c_str(),
                fit_text(file.path, kLineWidth).c_str());
  }
}

void print_text(const core::Metainfo& meta) {
  const core::TorrentInfo& info = meta.info;
  const std::int64_t pieces = (info.total_size + info.piece_length - 1_B) / info.piece_length;
  print_field("name", info.name);
  print_field("length", exact_bytes(size_of(meta)));
  print_field("piece length",
              std::to_string(info.piece_length / 1_KiB) + " KiB, " + human_count(pieces, "piece"));
  print_field("info-hash v1", info.v1_hash ? info.v1_hash->hex() : "none");
  print_field("info-hash v2", info.v2_hash ? info.v2_hash->hex() : "none");
  print_field("private", info.is_private ? "yes" : "no");
  print_lists(meta);
  // Of a private torrent no peer tells what its link stands for.
  if (!info.is_private) print_field("magnet", wire::format_magnet(wire::magnet_of(meta)));
  print_files(meta);
}

std::string text_of(const HostPort& peer) {
  const bool v6 = peer.host.find(':') != std::string::npos;
  return (v6 ? "[" + peer.host + "]" : peer.host) + ":" + std::to_string(peer.port);
}

std::string text_of(const wire::FileSpan& span) {
  const std::string first = std::to_string(span.first);
  return span.last == span.first ? first : first + "-" + std::to_string(span.last);
}

template <class T>
std::vector<std::string> texts_of(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(text_of(value));
  return texts;
}

Json to_json(const wire::Magnet& magnet) {
  Json json = {{"name", magnet.name}};
  json["info_hash_v1"] = magnet.v1_hash ? Json(magnet.v1_hash->hex()) : Json();
  json["info_hash_v2"] = magnet.v2_hash ? Json(magnet.v2_hash->hex()) : Json();
  json["trackers"] = magnet.trackers;
  json["edges"] = magnet.edges;
  json["peers"] = texts_of(magnet.peers);
  json["files"] = texts_of(magnet.selected);
  json["magnet"] = wire::format_magnet(magnet);
  return json;
}

void print_text(const wire::Magnet& magnet) {
  print_field("name", magnet.name.empty() ? "not told" : magnet.name);
  print_field("info-hash v1", magnet.v1_hash ? magnet.v1_hash->hex() : "none");
  print_field("info-hash v2", magnet.v2_hash ? magnet.v2_hash->hex() : "none");
  for (const std::string& url : magnet.trackers) print_field("tracker", url);
  if (magnet.trackers.empty()) print_field("tracker", "none");
  for (const std::string& url : magnet.edges) print_field("edge", url);
  if (magnet.edges.empty()) print_field("edge", "none: plays from peers alone");
  for (const HostPort& peer : magnet.peers) print_field("peer", text_of(peer));
  std::string selected;
  for (const std::string& span : texts_of(magnet.selected)) {
    selected += (selected.empty() ? "" : ", ") + span;
  }
  print_field("files", selected.empty() ? "all" : "number " + selected + " of the torrent's list");
}

struct InspectArguments {
  std::string source;
  bool json = false;
  bool scrape = false;
  Duration timeout = net::kAnnounceTimeout;
  std::string interface;  // empty: any
};

Json to_json(const Scrape& scrape) {
  const auto count = [&](std::int64_t wire::SwarmCounts::*which) {
    return scrape.counts ? Json((*scrape.counts).*which) : Json();
  };
  Json json = {{"tracker", scrape.tracker}};
  json["seeds"] = count(&wire::SwarmCounts::seeds);
  json["leechers"] = count(&wire::SwarmCounts::leechers);
  json["downloaded"] = count(&wire::SwarmCounts::downloaded);
  json["error"] = scrape.counts ? Json() : Json(scrape.counts.error().message);
  return json;
}

void print_text(const Scrape& scrape) {
  const auto told = [&] {
    if (!scrape.counts) return scrape.counts.error().message;
    const wire::SwarmCounts& n = *scrape.counts;
    return human_count(n.seeds, "seed") + ", " + human_count(n.leechers, "leecher") + ", " +
           human_count(n.downloaded, "completed download");
  };
  print_field("scrape", scrape.tracker + "  " + told());
  std::fflush(stdout);
}

// Why there is nothing to tell.
Result<void> check_answers(const std::vector<Scrape>& scrapes) {
  if (scrapes.empty()) {
    return io_error(
        "it names no tracker to ask; name one by publish --tracker URL, or by &tr=URL in a magnet "
        "link");
  }
  const bool any = std::any_of(scrapes.begin(), scrapes.end(),
                               [](const Scrape& scrape) { return scrape.counts.ok(); });
  if (any) return {};
  return io_error("no tracker told how many are in the swarm");
}

void print_json(const Json& json) {
  // Hostile names may hold malformed UTF-8; JSON must not.
  const auto replace = Json::error_handler_t::replace;
  std::printf("%s\n", json.dump(2, ' ', false, replace).c_str());
}

template <class T>
int print(const T& what, bool json) {
  if (json) {
    print_json(to_json(what));
  } else {
    print_text(what);
  }
  return kExitDone;
}

// Has the session talk from the interface, which `source` then holds.
Result<void> choose_interface(const std::string& name, ServerSession& session,
                              std::optional<net::SourceAddress>& source) {
  if (name.empty()) return {};
  TRIBUTARY_TRY(found, net::find_source(name));
  source = std::move(found);
  net::talk_from(session.loop(), &*source);
  return {};
}

// `link` is what has the trackers, each once, and the hashes: a hybrid's v1 hash first, by which
// most of its peers know it; of v2 alone the first 20 bytes (BEP 52).
template <class T>
int print_scraped(const T& what, const wire::Magnet& link, const InspectArguments& arguments) {
  ServerSession session(false);
  std::optional<net::SourceAddress> source;
  const auto chosen = choose_interface(arguments.interface, session, source);
  if (!chosen) return fail(kName, chosen.error());
  if (!arguments.json) print_text(what);
  std::fflush(stdout);
  const std::vector<Scrape> scrapes = scrape(session, link.trackers, link.info_hashes().front(),
                                             arguments.timeout, [&](const Scrape& each) {
                                               if (!arguments.json) print_text(each);
                                             });
  if (arguments.json) {
    Json json = to_json(what);
    json["scrape"] = Json::array();
    for (const Scrape& each : scrapes) json["scrape"].push_back(to_json(each));
    print_json(json);
  }
  const auto told = check_answers(scrapes);
  return told ? static_cast<int>(kExitDone) : fail(kName, told.error());
}

int inspect_magnet(const InspectArguments& arguments) {
  auto magnet = wire::parse_magnet(arguments.source);
  if (!magnet) return fail(kName, magnet.error());
  if (arguments.scrape) return print_scraped(*magnet, *magnet, arguments);
  return print(*magnet, arguments.json);
}

int inspect_torrent(const InspectArguments& arguments) {
  auto meta = read_torrent(arguments.source);
  if (!meta) return fail(kName, meta.error());
  if (arguments.scrape) return print_scraped(*meta, wire::magnet_of(*meta), arguments);
  return print(*meta, arguments.json);
}

int inspect(const InspectArguments& arguments) {
  if (arguments.timeout < 1s) {
    return fail(kName, invalid("--timeout is below a second; give at least 1s"));
  }
  return wire::is_magnet(arguments.source) ? inspect_magnet(arguments) : inspect_torrent(arguments);
}

constexpr const char* kExample =
    "What is malformed is told in one line, with the byte, key or parameter that is wrong, and "
    "exit\n"
    "code 2.\n\n"
    "With --scrape each tracker, by HTTP, HTTPS or UDP, is asked how many are in the swarm (BEP "
    "48,\n"
    "BEP 15), all beside each other. Nothing is announced. For each there is a line as it "
    "answers,\n"
    "with its seeds, leechers and completed downloads, or why there are none; a tracker over HTTP\n"
    "offers scrapes when the last segment of its URL begins with \"announce\". A hybrid torrent "
    "is\n"
    "asked for by its v1 hash, one of v2 alone by the first 20 bytes of its hash (BEP 52). The "
    "exit\n"
    "code is 1 when no tracker told. Ctrl-C waits no longer.\n\n"
    "Examples:\n"
    "  tributary inspect song.torrent\n"
    "  tributary inspect song.torrent --json | jq -r .magnet\n"
    "  tributary inspect song.torrent --scrape --timeout 5s\n"
    "  tributary inspect song.torrent --scrape --json | jq '[.scrape[].seeds] | max'\n"
    "  tributary inspect 'magnet:?xt=urn:btih:…'";

}  // namespace

void add_inspect(CommandLine& line) {
  auto arguments = std::make_shared<InspectArguments>();
  Subcommand sub = line.add(kName, "Print what a .torrent or a magnet link says", kExample,
                            [arguments] { return inspect(*arguments); });
  sub.require("torrent", "TORRENT", arguments->source, "The file, or a magnet link");
  sub.add("--json", arguments->json, "As JSON; lengths in bytes, times in seconds");
  sub.add("--scrape", arguments->scrape, "Ask its trackers how many are in the swarm");
  sub.add("--timeout", "T", arguments->timeout, parse_time,
          "With --scrape: wait so long for a tracker (15s)");
  add_interface_option(sub, arguments->interface);
}

}  // namespace tributary::demo
