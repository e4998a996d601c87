// A small text that the user names, whole.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace tributary::demo {

// Errors: kNotFound.
Result<std::string> read_text(const std::string& path);

}  // namespace tributary::demo
