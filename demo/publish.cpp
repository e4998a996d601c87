// tributary publish: media files in, a hybrid .torrent out.
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/progress_bar.h"
#include "demo/publisher.h"
#include "demo/text_width.h"
#include "engine/net/disk_file.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "publish";
constexpr int kLineWidth = 2000;  // columns; names are shown whole, made printable

struct PublishArguments {
  std::vector<std::string> paths;
  std::vector<std::string> edges;
  std::vector<std::string> trackers;
  Bytes piece_length;  // zero: chosen
  bool is_private = false;
  std::string out;
};

template <class Parse>
Result<void> check_all(const std::vector<std::string>& texts, Parse parse) {
  for (const std::string& text : texts) {
    auto parsed = parse(text);
    if (!parsed) return parsed.error();
  }
  return {};
}

void note(const std::string& line) {
  std::fprintf(stderr, "tributary publish: %s\n", fit_text(line, kLineWidth).c_str());
}

void print_notes(const ScannedAlbum& scanned) {
  for (const std::string& path : scanned.left_out) note("left out '" + path + "': no media file");
  for (const std::string& line : scanned.advice) note(line);
}

void print_result(const PublishArguments& arguments, const Album& album,
                  const ScannedAlbum& scanned, const Published& published) {
  Duration time{};
  Bytes size;
  for (const core::FileHints& hints : scanned.hints) time += hints.duration;
  for (const AlbumFile& file : album.files) size += file.size;
  const auto tracks = static_cast<std::int64_t>(album.files.size());
  const std::string line = arguments.out + ": " + album.name + ", " + human_count(tracks, "track") +
                           ", " + human_clock(time) + ", " + human_bytes(size) + ", pieces of " +
                           std::to_string(published.piece_length / 1_KiB) + " KiB, torrent of " +
                           human_bytes(Bytes(static_cast<std::int64_t>(published.torrent.size())));
  std::printf("%s\n", fit_text(line, kLineWidth).c_str());
}

Result<void> publish(const PublishArguments& arguments) {
  for (const auto& checked :
       {check_all(arguments.edges, parse_edge), check_all(arguments.trackers, parse_tracker)}) {
    if (!checked) return checked;
  }
  auto writable = check_writable(arguments.out);
  if (!writable) return writable;
  TRIBUTARY_TRY(album, collect_album(arguments.paths));
  auto bar = std::make_unique<ProgressBar>("reading " + album.name);
  const auto draw = [&](Bytes done, Bytes total) { bar->update(done, total); };
  TRIBUTARY_TRY(scanned, scan_album(album, draw));
  bar = nullptr;  // its line goes before the notes come
  print_notes(scanned);
  bar = std::make_unique<ProgressBar>("hashing " + album.name);
  PublishSettings settings{std::nullopt, arguments.edges, arguments.trackers, arguments.is_private};
  if (arguments.piece_length > 0_B) settings.piece_length = arguments.piece_length;
  TRIBUTARY_TRY(published, build_torrent(album, scanned, settings, draw));
  bar = nullptr;
  auto written = net::replace_file(arguments.out, published.torrent);
  if (!written) return written;
  print_result(arguments, album, scanned, published);
  return {};
}

constexpr const char* kExample =
    "A single FILE becomes a track of its own; a DIR, or several FILEs, become an album: its "
    "media\n"
    "files in natural order (track 2 before track 10) are its tracks. An album's edge must hold a\n"
    "folder of the album's name. Without an --edge the torrent plays from peers alone.\n\n"
    "Examples:\n"
    "  tributary publish music/song.opus --edge http://127.0.0.1:8080/ \\\n"
    "      --tracker http://127.0.0.1:6969/announce -o song.torrent\n"
    "  tributary publish music/album --edge https://cdn.example.org/music/ -o album.torrent";

}  // namespace

void add_publish(CommandLine& line) {
  auto arguments = std::make_shared<PublishArguments>();
  Subcommand sub =
      line.add(kName, "Make a .torrent of media files that names a CDN", kExample, [arguments] {
        auto done = publish(*arguments);
        return done ? kExitDone : fail(kName, done.error());
      });
  sub.require("paths", "FILE|DIR", arguments->paths, "Media files, or folders of them");
  sub.add("--edge", "URL", arguments->edges,
          "Where the CDN has the data, may be repeated; a URL that ends in / is a folder");
  sub.add("--tracker", "URL", arguments->trackers, "Announce URL, may be repeated");
  sub.add("--piece-length", "BYTES", arguments->piece_length, parse_piece_length,
          "A power of two from 16k (chosen so that the .torrent stays small)");
  sub.add("--private", arguments->is_private, "Peers from the trackers only (BEP 27)");
  sub.require("-o,--output", "OUT.torrent", arguments->out, "The file to write");
}

}  // namespace tributary::demo
