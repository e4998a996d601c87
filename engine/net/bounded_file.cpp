#include "engine/net/bounded_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace tributary::net {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Error read_error(const std::string& path, std::string_view wanted) {
  return {errno == EIO ? ErrorCode::kIo : ErrorCode::kNotFound,
          "cannot read '" + path + "': " + std::strerror(errno) + "; give the path of " +
              std::string(wanted)};
}

}  // namespace

Result<std::string> read_bounded(const std::string& path, Bytes limit, std::string_view wanted) {
  const std::unique_ptr<std::FILE, CloseFile> in(std::fopen(path.c_str(), "rbe"));
  if (!in) return read_error(path, wanted);
  std::string bytes;
  char part[65536];
  while (const std::size_t n = std::fread(part, 1, sizeof part, in.get())) {
    bytes.append(part, n);
    if (Bytes(std::ssize(bytes)) > limit) {
      return Error{ErrorCode::kLimit, "'" + path + "' is over " + std::to_string(limit / 1_MiB) +
                                          " MiB, too large for " + std::string(wanted)};
    }
  }
  if (std::ferror(in.get())) return read_error(path, wanted);
  return bytes;
}

}  // namespace tributary::net
