#include "engine/wire/metainfo_build.h"

#include <algorithm>
#include <bit>
#include <map>

#include "engine/wire/bencode_encoder.h"
#include "engine/wire/merkle.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/metainfo_files.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

std::int64_t ceil_div(Bytes a, Bytes b) { return (a + b - 1_B) / b; }

Result<void> check_file(const PublishedFile& file, const std::string& path) {
  for (std::string_view component : components(path)) {
    if (auto sound = check_component(component, "path"); !sound) return sound;
  }
  if (file.length < 0_B || file.length > kMaxTotalSize) {
    return invalid("length of \"" + printable(path) + "\" is out of range");
  }
  if (static_cast<std::int64_t>(file.leaves.size()) != ceil_div(file.length, core::kBlockSize)) {
    return invalid("\"" + printable(path) + "\" needs one leaf hash for each block of 16 KiB");
  }
  return {};
}

// Builds the parts of one publication. Borrowed: the publication, which has passed check().
class MetainfoWriter {
 public:
  MetainfoWriter(const Publication& publication, const Digester& digester)
      : from_(publication), digester_(digester) {}

  Result<void> check() const {
    const auto length = static_cast<std::uint64_t>(from_.piece_length.count());
    if (from_.piece_length < core::kBlockSize || from_.piece_length > kMaxPieceLength ||
        !std::has_single_bit(length)) {
      return invalid("piece length is not a power of two from 16 KiB to 64 MiB");
    }
    if (from_.files.empty()) return invalid("nothing to publish: no files");
    if (!from_.multi_file && from_.files.size() != 1) {
      return invalid("several files need a folder: set multi_file");
    }
    for (std::size_t i = 0; i < from_.files.size(); ++i) {
      if (auto sound = check_file(from_.files[i], path(i)); !sound) return sound;
      if (i > 0 && !path_less(path(i - 1), path(i))) {
        return invalid("\"" + printable(path(i)) + "\" is out of order, or comes twice");
      }
    }
    return check_component(from_.name, "name");
  }

  void hash() {
    Bytes end;
    for (const PublishedFile& file : from_.files) {
      hashes_.push_back(file.leaves.empty()
                            ? FileHashes{}
                            : hash_file_tree(file.leaves, from_.piece_length, digester_));
      if (file.length > 0_B) end = end + pad_before(end, file) + file.length;
    }
    pieces_ = ceil_div(end, from_.piece_length);
  }
  std::int64_t pieces() const { return pieces_; }

  OctetBuffer write() {
    write_trackers();
    out_.key("info");
    write_info();
    write_layers();
    write_hints();
    write_edges();
    return out_.end().take();
  }

 private:
  std::string path(std::size_t i) const {
    return from_.multi_file ? from_.files[i].path : from_.name;
  }
  Bytes pad_before(Bytes end, const PublishedFile& file) const {
    if (file.length == 0_B || end % from_.piece_length == 0_B) return 0_B;
    return from_.piece_length - end % from_.piece_length;
  }

  void write_trackers() {
    out_.begin_dict();
    if (from_.trackers.empty() || from_.trackers.front().empty()) return;
    out_.key("announce").string(from_.trackers.front().front());
    if (from_.trackers.size() == 1 && from_.trackers.front().size() == 1) return;
    out_.key("announce-list").begin_list();
    for (const auto& tier : from_.trackers) {
      out_.begin_list();
      for (const std::string& url : tier) out_.string(url);
      out_.end();
    }
    out_.end();
  }

  void write_info() {
    out_.begin_dict();
    out_.key("file tree");
    write_tree();
    if (from_.multi_file) write_v1_files();
    if (!from_.multi_file) out_.key("length").integer(from_.files.front().length.count());
    out_.key("meta version").integer(2);
    out_.key("name").string(from_.name);
    out_.key("piece length").integer(from_.piece_length.count());
    OctetBuffer pieces;
    for (const Sha1& hash : from_.piece_hashes) append(pieces, hash.bytes);
    out_.key("pieces").string(pieces);
    if (from_.is_private) out_.key("private").integer(1);
    out_.end();
  }

  // Files come in tree order, so that folders open and close as on a walk.
  void write_tree() {
    std::vector<std::string> open;
    out_.begin_dict();
    for (std::size_t i = 0; i < from_.files.size(); ++i) {
      const std::string whole = path(i);
      const auto parts = components(whole);
      std::size_t common = 0;
      while (common < open.size() && common + 1 < parts.size() && open[common] == parts[common]) {
        ++common;
      }
      for (; open.size() > common; open.pop_back()) out_.end();
      for (; open.size() + 1 < parts.size(); open.emplace_back(parts[open.size()])) {
        out_.key(parts[open.size()]).begin_dict();
      }
      out_.key(parts.back()).begin_dict().key("").begin_dict();
      out_.key("length").integer(from_.files[i].length.count());
      if (from_.files[i].length > 0_B) {
        out_.key("pieces root").string(hashes_[i].pieces_root.bytes);
      }
      out_.end().end();
    }
    for (; !open.empty(); open.pop_back()) out_.end();
    out_.end();
  }

  void write_v1_files() {
    Bytes end;
    out_.key("files").begin_list();
    for (const PublishedFile& file : from_.files) {
      if (const Bytes pad = pad_before(end, file); pad > 0_B) {
        out_.begin_dict().key("attr").string("p").key("length").integer(pad.count());
        out_.key("path").begin_list().string(".pad").string(std::to_string(pad.count()));
        out_.end().end();
        end += pad;
      }
      out_.begin_dict().key("length").integer(file.length.count()).key("path").begin_list();
      for (std::string_view component : components(file.path)) out_.string(component);
      out_.end().end();
      end += file.length;
    }
    out_.end();
  }

  void write_layers() {
    std::map<Sha256, OctetBuffer> layers;
    for (const FileHashes& hashes : hashes_) {
      if (hashes.piece_layer.empty()) continue;
      OctetBuffer& layer = layers[hashes.pieces_root];
      if (!layer.empty()) continue;  // two equal files
      for (const Sha256& hash : hashes.piece_layer) append(layer, hash.bytes);
    }
    out_.key("piece layers").begin_dict();
    for (const auto& [root, layer] : layers) out_.key(as_text(root.bytes)).string(layer);
    out_.end();
  }

  void write_hints() {
    const auto any = [](const PublishedFile& file) { return file.hints != core::FileHints{}; };
    if (std::none_of(from_.files.begin(), from_.files.end(), any)) return;
    out_.key("tributary").begin_dict().key("hints").begin_list();
    for (const PublishedFile& file : from_.files) write_file_hints(file.hints);
    out_.end().end();
  }

  void write_file_hints(const core::FileHints& hints) {
    const auto ms = [](Duration t) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(t).count();
    };
    out_.begin_dict();
    if (hints.duration > Duration::zero()) out_.key("duration_ms").integer(ms(hints.duration));
    if (!hints.points.empty()) {
      out_.key("points").begin_list();
      for (const core::TimeHint& hint : hints.points) {
        out_.integer(ms(hint.time)).integer(hint.offset.count());
      }
      out_.end();
    }
    out_.end();
  }

  void write_edges() {
    if (from_.edges.empty()) return;
    out_.key("url-list").begin_list();
    for (const std::string& url : from_.edges) out_.string(url);
    out_.end();
  }

  const Publication& from_;
  const Digester& digester_;
  std::vector<FileHashes> hashes_;
  std::int64_t pieces_ = 0;
  BencodeEncoder out_;
};

}  // namespace

bool path_less(std::string_view a, std::string_view b) { return components(a) < components(b); }

Result<OctetBuffer> build_metainfo(const Publication& publication, const Digester& digester) {
  MetainfoWriter writer(publication, digester);
  if (auto sound = writer.check(); !sound) return sound.error();
  writer.hash();
  if (static_cast<std::int64_t>(publication.piece_hashes.size()) != writer.pieces()) {
    return invalid("needs " + std::to_string(writer.pieces()) + " v1 piece hashes, has " +
                   std::to_string(publication.piece_hashes.size()));
  }
  OctetBuffer torrent = writer.write();
  // What was written must read back; this also holds it to every limit of the reader.
  if (auto read = parse_metainfo(torrent, digester); !read) return read.error();
  return torrent;
}

}  // namespace tributary::wire
