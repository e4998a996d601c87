#include "demo/command.h"

#include <cstdio>

#include "demo/text_width.h"

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

}  // namespace tributary::demo
