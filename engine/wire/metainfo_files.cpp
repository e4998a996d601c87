#include "engine/wire/metainfo_files.h"

#include <algorithm>
#include <set>

#include "engine/wire/metainfo.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

using core::FileEntry;
using Files = std::vector<FileEntry>;

Bytes round_up(Bytes size, Bytes unit) { return (size + unit - 1_B) / unit * unit; }

Result<Bytes> parse_length(BencodeView dict, const std::string& key) {
  const auto length = dict.find("length").integer();
  if (!length) return metainfo_error(key + ".length", "missing or no integer");
  if (*length < 0) return metainfo_error(key + ".length", "negative");
  if (Bytes(*length) > kMaxTotalSize) {
    return metainfo_error(key + ".length", "over the limit of 4 TiB", ErrorCode::kLimit);
  }
  return Bytes(*length);
}

// BEP 47 attributes. Symbolic links are refused: they name paths of their own.
Result<bool> parse_is_pad(BencodeView dict, const std::string& key) {
  const std::string_view attr = dict.find("attr").string().value_or("");
  if (attr.find('l') != std::string_view::npos) {
    return metainfo_error(key + ".attr", "symbolic links are not supported",
                          ErrorCode::kUnsupported);
  }
  return attr.find('p') != std::string_view::npos;
}

Result<void> append_component(std::string& path, std::string_view component,
                              const std::string& key) {
  if (auto sound = check_component(component, key); !sound) return sound;
  if (!path.empty()) path += '/';
  path += component;
  if (path.size() > kMaxPathLength) {
    return metainfo_error(key, "longer than " + std::to_string(kMaxPathLength) + " bytes",
                          ErrorCode::kLimit);
  }
  return {};
}

// Old files have a path in some local encoding beside one in UTF-8.
BencodeView path_list(BencodeView file) {
  const BencodeView utf8 = file.find("path.utf-8");
  return utf8.is_list() ? utf8 : file.find("path");
}

Result<std::string> parse_path(BencodeView file, const std::string& key) {
  const BencodeView list = path_list(file);
  if (!list.is_list()) return metainfo_error(key, "missing or no list");
  std::string path;
  std::size_t depth = 0;
  for (BencodeView item : list.children()) {
    const auto component = item.string();
    if (!component) return metainfo_error(key, "holds something else than strings");
    if (++depth > kMaxPathDepth) {
      return metainfo_error(key, "deeper than " + std::to_string(kMaxPathDepth) + " folders",
                            ErrorCode::kLimit);
    }
    if (auto added = append_component(path, *component, key); !added) return added.error();
  }
  if (depth == 0) return metainfo_error(key, "empty");
  return path;
}

Result<FileEntry> parse_v1_file(BencodeView item, const std::string& key) {
  if (!item.is_dict()) return metainfo_error(key, "no dictionary");
  TRIBUTARY_TRY(length, parse_length(item, key));
  TRIBUTARY_TRY(pad, parse_is_pad(item, key));
  FileEntry file;
  file.length = length;
  file.pad = pad;
  if (pad) return file;  // nothing is ever stored under its path
  TRIBUTARY_TRY(path, parse_path(item, key + ".path"));
  file.path = std::move(path);
  return file;
}

// Padding must reach the next piece, or further padding, or the end: only then does it leave every
// block with its data first, and nothing of a file is taken for padding.
Result<void> check_pads(const Files& files, Bytes piece_length) {
  for (std::size_t i = 0; i + 1 < files.size(); ++i) {
    if (!files[i].pad || files[i + 1].pad) continue;
    if (files[i].range().end % piece_length != 0_B) {
      return metainfo_error("info.files[" + std::to_string(i) + "]",
                            "padding that does not end at a piece boundary",
                            ErrorCode::kUnsupported);
    }
  }
  return {};
}

Result<void> append_file(Files& files, FileEntry file, Bytes offset, const std::string& key) {
  file.offset = offset;
  if (file.range().end > kMaxTotalSize) {
    return metainfo_error(key, "the files are larger than 4 TiB together", ErrorCode::kLimit);
  }
  if (files.size() >= kMaxFiles) {
    return metainfo_error(key, "more than " + std::to_string(kMaxFiles) + " files",
                          ErrorCode::kLimit);
  }
  files.push_back(std::move(file));
  return {};
}

// Walks a v2 file tree. Depth is bounded by kMaxPathDepth.
class TreeReader {
 public:
  explicit TreeReader(Bytes piece_length) : piece_length_(piece_length) {}

  Result<Files> read(BencodeView tree) {
    if (auto done = folder(tree, "", 0); !done) return done.error();
    if (files_.empty()) return metainfo_error(kKey, "empty");
    return std::move(files_);
  }

 private:
  static constexpr const char* kKey = "info.file tree";

  Result<void> folder(BencodeView dict, const std::string& path, std::size_t depth) {
    if (depth > kMaxPathDepth) {
      return metainfo_error(kKey, "deeper than " + std::to_string(kMaxPathDepth) + " folders",
                            ErrorCode::kLimit);
    }
    if (!dict.is_dict()) return metainfo_error(kKey, "holds something else than dictionaries");
    if (!dict.sorted()) return metainfo_error(kKey, "names do not ascend, so the order is unsure");
    for (const auto& [name, node] : dict.entries()) {
      if (auto done = entry(name, node, path, depth); !done) return done;
    }
    return {};
  }

  Result<void> entry(std::string_view name, BencodeView node, std::string path, std::size_t depth) {
    if (auto added = append_component(path, name, kKey); !added) return added;
    const BencodeView leaf = node.find("");
    if (!leaf.exists()) return folder(node, path, depth + 1);
    if (node.entries().size() != 1) return metainfo_error(kKey, "a file that is a folder too");
    return file(leaf, std::move(path));
  }

  Result<void> file(BencodeView leaf, std::string path) {
    const std::string key = std::string(kKey) + "." + printable(path);
    if (!leaf.is_dict()) return metainfo_error(key, "no dictionary");
    TRIBUTARY_TRY(length, parse_length(leaf, key));
    TRIBUTARY_TRY(pad, parse_is_pad(leaf, key));
    if (pad) return metainfo_error(key + ".attr", "padding, which v2 implies and never lists");
    FileEntry file;
    file.path = std::move(path);
    file.length = length;
    const Bytes end = files_.empty() ? 0_B : files_.back().range().end;
    if (length == 0_B) return append_file(files_, std::move(file), end, key);
    const auto root = leaf.find("pieces root").string();
    if (!root || root->size() != Sha256::kSize) {
      return metainfo_error(key + ".pieces root", "missing or not 32 bytes");
    }
    file.pieces_root = Sha256::from(as_octets(*root));
    return append_file(files_, std::move(file), round_up(end, piece_length_), key);
  }

  Bytes piece_length_;
  Files files_;
};

}  // namespace

Error metainfo_error(std::string_view key, const std::string& what, ErrorCode code) {
  return {code, std::string(key) + ": " + what};
}

Result<void> check_component(std::string_view component, std::string_view key) {
  if (component.empty()) return metainfo_error(key, "an empty component");
  if (component == "." || component == "..") {
    return metainfo_error(key,
                          "component \"" + std::string(component) + "\" would leave the folder");
  }
  if (component.size() > kMaxComponentLength) {
    return metainfo_error(
        key, "a component longer than " + std::to_string(kMaxComponentLength) + " bytes",
        ErrorCode::kLimit);
  }
  const auto forbidden = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  if (std::any_of(component.begin(), component.end(), forbidden)) {
    return metainfo_error(key, "a control character in \"" + printable(component) + "\"");
  }
  if (component.find_first_of("/\\") != std::string_view::npos) {
    return metainfo_error(key, "a path separator in \"" + printable(component) + "\"");
  }
  if (!is_utf8(component)) return metainfo_error(key, "not UTF-8");
  return {};
}

Result<Files> parse_v1_files(BencodeView info, const std::string& name, Bytes piece_length,
                             bool& multi_file) {
  Files files;
  const BencodeView list = info.find("files");
  multi_file = list.exists();
  if (multi_file == info.find("length").exists()) {
    return metainfo_error("info", "needs either \"length\" or \"files\"");
  }
  if (!multi_file) {
    TRIBUTARY_TRY(length, parse_length(info, "info"));
    FileEntry& only = files.emplace_back();
    only.path = name;
    only.length = length;
    return files;
  }
  if (!list.is_list()) return metainfo_error("info.files", "no list");
  std::size_t index = 0;
  for (BencodeView item : list.children()) {
    const std::string key = "info.files[" + std::to_string(index++) + "]";
    TRIBUTARY_TRY(file, parse_v1_file(item, key));
    if (file.pad && file.length == 0_B) continue;
    const Bytes offset = files.empty() ? 0_B : files.back().range().end;
    auto added = append_file(files, std::move(file), offset, key);
    if (!added) return added.error();
  }
  if (auto sound = check_pads(files, piece_length); !sound) return sound.error();
  return files;
}

Result<Files> parse_v2_files(BencodeView info, const std::string& name, Bytes piece_length,
                             bool& multi_file) {
  const BencodeView tree = info.find("file tree");
  if (!tree.exists()) return metainfo_error("info.file tree", "missing");
  auto files = TreeReader(piece_length).read(tree);
  if (files) multi_file = !(files->size() == 1 && files->front().path == name);
  return files;
}

Result<void> check_distinct(const Files& files) {
  std::set<std::string_view> paths;
  for (const FileEntry& file : files) {
    if (!file.pad && !paths.insert(file.path).second) {
      return metainfo_error("info.files", "two files are named \"" + printable(file.path) + "\"");
    }
  }
  for (const FileEntry& file : files) {
    const std::string_view path = file.path;
    for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
      if (paths.contains(path.substr(0, at))) {
        return metainfo_error("info.files",
                              "\"" + printable(path.substr(0, at)) + "\" is a file and a folder");
      }
    }
  }
  return {};
}

Result<void> merge_file_lists(Files& v1, const Files& v2, Bytes piece_length) {
  std::size_t next = 0;
  for (FileEntry& file : v1) {
    if (file.pad) continue;
    const std::string what = "\"" + printable(file.path) + "\"";
    if (next == v2.size()) return metainfo_error("info.file tree", "lacks the v1 file " + what);
    const FileEntry& twin = v2[next++];
    if (twin.path != file.path || twin.length != file.length) {
      return metainfo_error("info.file tree", "disagrees with the v1 file " + what);
    }
    if (file.length > 0_B && file.offset % piece_length != 0_B) {
      return metainfo_error("info.files", what + " lacks the padding that v2 needs before it");
    }
    file.pieces_root = twin.pieces_root;
  }
  if (next != v2.size()) {
    return metainfo_error("info.files", "lacks the v2 file \"" + printable(v2[next].path) + "\"");
  }
  return {};
}

}  // namespace tributary::wire
