#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tributary {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace tributary
