#include "demo/torrent_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "engine/net/digests.h"

namespace tributary::demo {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Error read_error(const std::string& path) {
  return {errno == EIO ? ErrorCode::kIo : ErrorCode::kNotFound,
          "cannot read '" + path + "': " + std::strerror(errno) + "; give the path of a .torrent"};
}

Result<wire::OctetBuffer> read_bounded(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> in(std::fopen(path.c_str(), "rbe"));
  if (!in) return read_error(path);
  wire::OctetBuffer bytes;
  std::uint8_t part[65536];
  while (const std::size_t n = std::fread(part, 1, sizeof part, in.get())) {
    bytes.insert(bytes.end(), part, part + n);
    if (Bytes(static_cast<std::int64_t>(bytes.size())) > wire::kMaxMetainfoSize) {
      return Error{ErrorCode::kLimit, "'" + path + "' is over 64 MiB, too large for a .torrent"};
    }
  }
  if (std::ferror(in.get())) return read_error(path);
  return bytes;
}

}  // namespace

Result<core::Metainfo> read_torrent(const std::string& path) {
  TRIBUTARY_TRY(bytes, read_bounded(path));
  auto metainfo = wire::parse_metainfo(bytes, net::kDigester);
  if (metainfo) return metainfo;
  return Error{metainfo.error().code, "'" + path + "': " + metainfo.error().message};
}

}  // namespace tributary::demo
