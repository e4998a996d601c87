#include "demo/command.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "demo/arguments.h"
#include "demo/text_width.h"
#include "engine/net/disk_file.h"
#include "engine/wire/magnet.h"
#include "engine/wire/octets.h"

namespace tributary::demo {

int fail(std::string_view command, const Error& error) {
  constexpr int kLongest = 2000;  // columns; paths are at most 4096 bytes
  const std::string line =
      "tributary " + std::string(command) + ": " + fit_text(error.message, kLongest) + "\n";
  std::fputs(line.c_str(), stderr);
  switch (error.code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFound:
    case ErrorCode::kLimit:
      return kExitUsage;
    case ErrorCode::kIo:
    case ErrorCode::kCancelled:
      break;
  }
  return kExitFailed;
}

Result<void> check_writable(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return invalid("cannot write '" + path + "': it is a folder; give a file name");
  }
  // What is replaced needs a folder that allows it.
  if (net::written_through(path) && access(path.c_str(), W_OK) == 0) return {};
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string place = folder.empty() ? "." : folder.string();
  if (access(place.c_str(), W_OK | X_OK) != 0) {
    return Error{ErrorCode::kNotFound,
                 "cannot write '" + path + "': its folder is missing or not writable"};
  }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view text) {
  return net::replace_file(path, wire::as_octets(text));
}

Result<void> check_sources(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    auto parsed = parse_source(source);
    if (!parsed) return parsed.error();
    std::error_code ignored;
    const bool local = source.find("://") == std::string::npos && !wire::is_magnet(source);
    if (local && !std::filesystem::exists(source, ignored)) {
      return Error{ErrorCode::kNotFound,
                   "cannot play '" + source + "': no such file; give the path of a .torrent"};
    }
  }
  return {};
}

}  // namespace tributary::demo
