// Completion of the command line by the shells. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "demo/command_text.h"

namespace tributary::demo {

enum class Shell { kBash, kZsh, kFish };
inline constexpr std::array kShells = {Shell::kBash, Shell::kZsh, Shell::kFish};
std::string_view to_string(Shell shell);

// A script for the shell that completes subcommands, options, the values of those that have
// choices, and files and folders where such are asked for.
std::string completion(Shell shell, const CommandText& program);

}  // namespace tributary::demo
