// Values of options that the engine knows by name: checked here, and kept as they were given, so
// that who adds the options needs no type of the engine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace tributary::demo {

// The text itself. Errors: it is no such name; they list all of them.
Result<std::string> check_encryption(std::string_view text);
Result<std::string> check_transport(std::string_view text);
Result<std::string> check_unchoker(std::string_view text);
// The same for an interface of this machine: its name, or an address that it has.
Result<std::string> check_interface(std::string_view text);

std::vector<std::string> encryption_names();
std::vector<std::string> transport_names();
std::vector<std::string> unchoker_names();

inline constexpr const char* kUnchokerHelp =
    "Whom to upload to: tit-for-tat, tit-for-tat-fastest, prop-share or need-first";

}  // namespace tributary::demo
