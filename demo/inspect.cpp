// tributary inspect: what a .torrent or a magnet link says.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "demo/command.h"
#include "demo/human.h"
#include "demo/text_width.h"
#include "demo/torrent_file.h"
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

template <class T>
int print(const T& what, bool json) {
  if (json) {
    // Hostile names may hold malformed UTF-8; JSON must not.
    const auto replace = Json::error_handler_t::replace;
    std::printf("%s\n", to_json(what).dump(2, ' ', false, replace).c_str());
  } else {
    print_text(what);
  }
  return kExitDone;
}

int inspect(const std::string& source, bool json) {
  if (wire::is_magnet(source)) {
    auto magnet = wire::parse_magnet(source);
    if (magnet) return print(*magnet, json);
    return fail(kName, magnet.error());
  }
  auto meta = read_torrent(source);
  return meta ? print(*meta, json) : fail(kName, meta.error());
}

constexpr const char* kExample =
    "What is malformed is told in one line, with the byte, key or parameter that is wrong, and "
    "exit\n"
    "code 2.\n\n"
    "Examples:\n"
    "  tributary inspect song.torrent\n"
    "  tributary inspect song.torrent --json | jq -r .magnet\n"
    "  tributary inspect 'magnet:?xt=urn:btih:…'";

}  // namespace

void add_inspect(CommandLine& line) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  Subcommand sub = line.add(kName, "Print what a .torrent or a magnet link says", kExample,
                            [path, json] { return inspect(*path, *json); });
  sub.require("torrent", "TORRENT", *path, "The file, or a magnet link");
  sub.add("--json", *json, "As JSON; lengths in bytes, times in seconds");
}

}  // namespace tributary::demo
