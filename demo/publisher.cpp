#include "demo/publisher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/net/digests.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/piece_hasher.h"
#include "player/media/scan.h"

namespace tributary::demo {
namespace {

constexpr std::size_t kReadSize = 1 << 20;  // bytes; large enough that hashing dominates

// FFmpeg takes a still for a film of one picture.
constexpr Duration kShortestFilm = 1s;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

Error file_error(const std::string& what, const std::string& path) {
  const bool missing = errno == ENOENT;
  return {missing ? ErrorCode::kNotFound : ErrorCode::kIo,
          "cannot " + what + " '" + path + "': " + std::strerror(errno)};
}

Bytes total_size(const Album& album) {
  Bytes sum;
  for (const AlbumFile& file : album.files) sum += file.size;
  return sum;
}

Error not_media(const AlbumFile& file, const std::string& message) {
  // scan_file's errors begin with what is said here already.
  constexpr std::array<std::string_view, 2> kBefore = {"as media: ",
                                                       "not a media file this player knows: "};
  std::string_view why = message;
  for (std::string_view before : kBefore) {
    const auto at = why.find(before);
    if (at != std::string_view::npos) why.remove_prefix(at + before.size());
  }
  return invalid("'" + file.location + "' is not a media file: " + std::string(why));
}

Result<player::MediaScan> scan_one(const AlbumFile& file, const player::ScanProgress& progress) {
  auto scan = player::scan_file(file.location, progress);
  if (!scan) {
    const ErrorCode code = scan.error().code;
    const bool other = code != ErrorCode::kInvalid && code != ErrorCode::kUnsupported;
    return other ? scan.error() : not_media(file, scan.error().message);
  }
  if (!scan->info.has_audio && scan->info.duration < kShortestFilm) {
    return not_media(file, "it is a still picture");
  }
  return scan;
}

std::string describe_scan(const AlbumFile& file, const player::MediaScan& scan) {
  return scan.mend.empty() ? "" : "'" + file.path + "': " + scan.mend;
}

// An HLS stream is its playlists with all that they name: segments, their heads, keys, subtitles.
// By themselves few of these are media.
bool holds_stream(const Album& album) {
  return std::any_of(album.files.begin(), album.files.end(), [](const AlbumFile& file) {
    return file.path.ends_with(".m3u8") || file.location.ends_with(".m3u8");
  });
}

// The files in the order of the torrent: indices into album.files.
std::vector<std::size_t> torrent_order(const Album& album) {
  std::vector<std::size_t> order(album.files.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return wire::path_less(album.files[a].path, album.files[b].path);
  });
  return order;
}

wire::Publication describe(const Album& album, const ScannedAlbum& scanned,
                           const PublishSettings& settings, const std::vector<std::size_t>& order) {
  wire::Publication publication;
  publication.name = album.name;
  publication.multi_file = album.multi_file;
  publication.edges = settings.edges;
  for (const std::string& tracker : settings.trackers) publication.trackers.push_back({tracker});
  publication.is_private = settings.is_private;
  for (std::size_t i : order) {
    publication.files.push_back({album.files[i].path, album.files[i].size, {}, scanned.hints[i]});
  }
  return publication;
}

std::int64_t parts(Bytes size, Bytes part) { return (size + part - 1_B) / part; }

// The size that the torrent would have: the same, with made-up digests. They differ from file to
// file, since files with equal roots share one entry of the piece layers.
Result<Bytes> trial_size(wire::Publication draft, Bytes piece_length) {
  draft.piece_length = piece_length;
  std::int64_t pieces = 0;
  for (wire::PublishedFile& file : draft.files) {
    file.leaves.resize(static_cast<std::size_t>(parts(file.length, core::kBlockSize)));
    for (std::size_t i = 0; i < sizeof pieces; ++i) {
      file.leaves.front().bytes[i] = static_cast<std::uint8_t>(pieces >> (8 * i));
    }
    pieces += parts(file.length, piece_length);
  }
  draft.piece_hashes.resize(static_cast<std::size_t>(pieces));
  TRIBUTARY_TRY(bytes, wire::build_metainfo(draft, net::kDigester));
  return Bytes(static_cast<std::int64_t>(bytes.size()));
}

// wire::choose_piece_length counts the hashes alone; names and hints may take the torrent above the
// mark all the same. After two more doublings the hashes are a quarter, and it is no longer they
// that make it large.
Result<Bytes> pick_piece_length(const wire::Publication& draft) {
  std::vector<Bytes> sizes;
  for (const wire::PublishedFile& file : draft.files) sizes.push_back(file.length);
  const Bytes first = wire::choose_piece_length(sizes);
  const Bytes last = std::min(first * 4, wire::kMaxPieceLength);
  for (Bytes length = first; length < last; length = length * 2) {
    TRIBUTARY_TRY(size, trial_size(draft, length));
    if (size < wire::kTargetMetainfoSize) return length;
  }
  return last;
}

Result<void> hash_file(const AlbumFile& file, wire::PieceHasher& hasher,
                       const std::function<void(Bytes)>& on_bytes) {
  const FilePtr in(std::fopen(file.location.c_str(), "rbe"));
  if (!in) return file_error("open", file.location);
  hasher.begin_file();
  std::vector<std::uint8_t> buffer(kReadSize);
  Bytes read;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), in.get())) > 0;) {
    read += Bytes(static_cast<std::int64_t>(n));
    if (read > file.size) break;
    hasher.add(wire::Octets(buffer).first(n));
    on_bytes(Bytes(static_cast<std::int64_t>(n)));
  }
  if (std::ferror(in.get())) return file_error("read", file.location);
  if (read == file.size) return {};
  return io_error("'" + file.location + "' changed while it was read; publish it again");
}

}  // namespace

Result<ScannedAlbum> scan_album(Album& album, const PublishProgress& progress) {
  ScannedAlbum scanned;
  const bool stream = holds_stream(album);
  std::vector<AlbumFile> kept;
  const Bytes total = total_size(album);
  Bytes before;
  for (const AlbumFile& file : album.files) {
    auto scan = scan_one(file, [&](Bytes done, Bytes) {
      progress(before + std::min(done, file.size), total);
      return true;
    });
    before += file.size;
    if (!scan && (file.named || scan.error().code != ErrorCode::kInvalid)) return scan.error();
    if (!scan && !stream) {
      scanned.left_out.push_back(file.path);
      continue;
    }
    if (!scan) scan = player::MediaScan();
    if (auto advice = describe_scan(file, *scan); !advice.empty()) {
      scanned.advice.push_back(std::move(advice));
    }
    scanned.hints.push_back(std::move(scan->hints));
    kept.push_back(file);
  }
  if (kept.empty()) {
    return invalid("no media in '" + album.folder + "/" + album.name +
                   "'; give a folder with audio or video files");
  }
  album.files = std::move(kept);
  return scanned;
}

Result<Published> build_torrent(const Album& album, const ScannedAlbum& scanned,
                                const PublishSettings& settings, const PublishProgress& progress) {
  const std::vector<std::size_t> order = torrent_order(album);
  wire::Publication publication = describe(album, scanned, settings, order);
  Result<Bytes> length =
      settings.piece_length ? *settings.piece_length : pick_piece_length(publication);
  if (!length) return length.error();
  publication.piece_length = *length;
  wire::PieceHasher hasher(*length, net::kDigester);
  const Bytes total = total_size(album);
  Bytes done;
  for (std::size_t i : order) {
    auto hashed = hash_file(album.files[i], hasher, [&](Bytes n) { progress(done += n, total); });
    if (!hashed) return hashed.error();
  }
  wire::HashedFiles hashes = hasher.finish();
  for (std::size_t i = 0; i < order.size(); ++i) {
    publication.files[i].leaves = std::move(hashes.leaves[i]);
  }
  publication.piece_hashes = std::move(hashes.piece_hashes);
  TRIBUTARY_TRY(torrent, wire::build_metainfo(publication, net::kDigester));
  return Published{std::move(torrent), *length};
}

}  // namespace tributary::demo
