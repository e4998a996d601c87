// The files of page/, which the build puts into the program.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tributary::player {

struct Asset {
  std::string_view path;  // "/index.html"
  std::string_view content;
};

std::span<const Asset> assets();

}  // namespace tributary::player
