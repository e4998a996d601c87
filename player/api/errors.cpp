#include "player/api/errors.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

namespace tributary::capi {
namespace {

// Without a destructor: one that runs at a thread's end would keep the library from being unloaded.
constexpr std::size_t kLongestLine = 512;  // bytes, with the zero
thread_local char last_message[kLongestLine];

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

int fail(tributary_error error, std::string_view message) noexcept {
  std::size_t length = std::min(message.size(), kLongestLine - 1);
  while (length < message.size() && length > 0 && continues_character(message[length])) --length;
  std::copy_n(message.begin(), length, last_message);
  last_message[length] = '\0';
  return error;
}

int fail(const Error& error) noexcept { return fail(code_of(error.code), error.message); }

tributary_error code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return TRIBUTARY_E_INVALID;
    case ErrorCode::kUnsupported:
      return TRIBUTARY_E_UNSUPPORTED;
    case ErrorCode::kNotFound:
      return TRIBUTARY_E_NOT_FOUND;
    case ErrorCode::kIo:
      return TRIBUTARY_E_IO;
    case ErrorCode::kCancelled:
      return TRIBUTARY_E_CANCELLED;
    case ErrorCode::kLimit:
      break;
  }
  return TRIBUTARY_E_LIMIT;
}

int no_such_handle(std::string_view kind) noexcept {
  try {
    return fail(TRIBUTARY_E_HANDLE, "no such " + std::string(kind) +
                                        ": the handle is closed, of another kind, or none at all");
  } catch (const std::bad_alloc&) {
    return fail(TRIBUTARY_E_HANDLE, "no such handle");
  }
}

}  // namespace tributary::capi

extern "C" {

uint32_t tributary_version(void) {
  return TRIBUTARY_VERSION_MAJOR << 16 | TRIBUTARY_VERSION_MINOR << 8 | TRIBUTARY_VERSION_PATCH;
}

const char* tributary_error_name(int error) {
  constexpr std::array kNames = {"TRIBUTARY_OK",
                                 "TRIBUTARY_E_INVALID",
                                 "TRIBUTARY_E_HANDLE",
                                 "TRIBUTARY_E_SIZE",
                                 "TRIBUTARY_E_STATE",
                                 "TRIBUTARY_E_THREAD",
                                 "TRIBUTARY_E_UNSUPPORTED",
                                 "TRIBUTARY_E_NOT_FOUND",
                                 "TRIBUTARY_E_IO",
                                 "TRIBUTARY_E_CANCELLED",
                                 "TRIBUTARY_E_LIMIT",
                                 "TRIBUTARY_E_AGAIN",
                                 "TRIBUTARY_E_MEMORY",
                                 "TRIBUTARY_E_INTERNAL"};
  const bool known = error <= 0 && -static_cast<long>(error) < static_cast<long>(kNames.size());
  return known ? kNames[static_cast<std::size_t>(-error)] : "TRIBUTARY_E_?";
}

const char* tributary_error_message(void) { return tributary::capi::last_message; }
}
