// tributary inspect: what a .torrent says.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "demo/command.h"
#include "demo/human.h"
#include "demo/text_width.h"
#include "demo/torrent_file.h"
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
  print_files(meta);
}

int inspect(const std::string& path, bool json) {
  auto meta = read_torrent(path);
  if (!meta) return fail(kName, meta.error());
  if (json) {
    // Hostile names may hold malformed UTF-8; JSON must not.
    const auto replace = Json::error_handler_t::replace;
    std::printf("%s\n", to_json(*meta).dump(2, ' ', false, replace).c_str());
  } else {
    print_text(*meta);
  }
  return kExitDone;
}

constexpr const char* kExample =
    "A malformed file is told in one line, with the byte or key that is wrong, and exit code 2.\n\n"
    "Examples:\n"
    "  tributary inspect song.torrent\n"
    "  tributary inspect song.torrent --json | jq -r .info_hash_v2";

}  // namespace

void add_inspect(CommandLine& line) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  Subcommand sub = line.add(kName, "Print what a .torrent says", kExample,
                            [path, json] { return inspect(*path, *json); });
  sub.require("torrent", "TORRENT", *path, "The file to read");
  sub.add("--json", *json, "As JSON; lengths in bytes, times in seconds");
}

}  // namespace tributary::demo
