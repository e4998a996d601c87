#include "demo/album.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "engine/wire/metainfo.h"
#include "player/client/loader.h"

namespace tributary::demo {
namespace {

namespace fs = std::filesystem;

Error path_error(const fs::path& path, const std::error_code& code) {
  const std::string message = "cannot read '" + path.string() + "': " + code.message();
  const bool missing = code == std::errc::no_such_file_or_directory;
  return {missing ? ErrorCode::kNotFound : ErrorCode::kIo,
          missing ? message + "; give the path of a media file or a folder" : message};
}

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

Result<void> add_file(const fs::path& path, bool named, std::vector<AlbumFile>& files) {
  std::error_code code;
  const auto size = fs::file_size(path, code);
  if (code) return path_error(path, code);
  if (size == 0 && !named) return {};
  if (size == 0) return invalid("'" + path.string() + "' is not a media file: it is empty");
  files.push_back({path.string(), "", Bytes(static_cast<std::int64_t>(size)), named});
  if (files.size() <= wire::kMaxFiles) return {};
  return Error{ErrorCode::kLimit,
               "more than " + std::to_string(wire::kMaxFiles) + " files; publish smaller folders"};
}

Result<void> add_folder(const fs::path& folder, std::vector<AlbumFile>& files) {
  std::error_code code;
  fs::recursive_directory_iterator it(folder, code);
  for (; !code && it != fs::recursive_directory_iterator(); it.increment(code)) {
    const fs::path& path = it->path();
    std::error_code unreadable;
    if (is_hidden(path)) {
      if (it->is_directory(unreadable)) it.disable_recursion_pending();
    } else if (it->is_regular_file(unreadable)) {
      auto added = add_file(path, false, files);
      if (!added) return added;
    }
  }
  if (code) return path_error(folder, code);
  return {};
}

// Absolute, without "..", links resolved, so that one file has one name.
Result<fs::path> resolve(const std::string& text) {
  std::error_code code;
  fs::path path = fs::canonical(text, code);
  if (code) return path_error(text, code);
  return path;
}

Result<void> add_path(const std::string& text, Album& album, fs::path& common) {
  TRIBUTARY_TRY(path, resolve(text));
  std::error_code code;
  const bool folder = fs::is_directory(path, code);
  if (!folder && !fs::is_regular_file(path, code)) {
    return invalid("'" + text + "' is neither a file nor a folder");
  }
  const fs::path holder = folder ? path : path.parent_path();
  if (common.empty()) common = holder;
  const auto end = std::mismatch(common.begin(), common.end(), holder.begin(), holder.end()).first;
  fs::path shared;
  for (auto it = common.begin(); it != end; ++it) shared /= *it;
  common = shared;
  return folder ? add_folder(path, album.files) : add_file(path, true, album.files);
}

// A file named by the user and found in a folder as well counts as named.
void sort_once(std::vector<AlbumFile>& files) {
  std::sort(files.begin(), files.end(), [](const AlbumFile& a, const AlbumFile& b) {
    return a.location != b.location ? player::natural_less(a.location, b.location)
                                    : a.named > b.named;
  });
  const auto same = [](const AlbumFile& a, const AlbumFile& b) { return a.location == b.location; };
  files.erase(std::unique(files.begin(), files.end(), same), files.end());
}

}  // namespace

Result<Album> collect_album(const std::vector<std::string>& paths) {
  Album album;
  fs::path common;
  for (const std::string& text : paths) {
    auto added = add_path(text, album, common);
    if (!added) return added.error();
  }
  if (album.files.empty()) return invalid("no files in '" + paths.front() + "'");
  sort_once(album.files);
  if (album.files.size() == 1 && album.files.front().named) {
    AlbumFile& file = album.files.front();
    album.folder = fs::path(file.location).parent_path().string();
    album.name = file.path = fs::path(file.location).filename().string();
    return album;
  }
  if (!common.has_filename()) {
    return invalid("the files have no folder in common; put them below one, which names the album");
  }
  album.multi_file = true;
  album.name = common.filename().string();
  album.folder = common.parent_path().string();
  for (AlbumFile& file : album.files) {
    file.path = fs::path(file.location).lexically_relative(common).generic_string();
  }
  return album;
}

}  // namespace tributary::demo
