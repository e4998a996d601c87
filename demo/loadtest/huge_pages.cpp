#include "demo/loadtest/huge_pages.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace tributary::demo {
namespace {

constexpr std::ptrdiff_t kHugePage = 2 << 20;
// At ten looks a second far more than what is used of it between two.
constexpr int kGrowth = 64 << 20;

char* end_of_heap() { return static_cast<char*>(sbrk(0)); }

// The last bound of huge pages that is not behind `place`.
char* bound(char* place) {
  return place - reinterpret_cast<std::uintptr_t>(place) % std::uintptr_t{kHugePage};
}

}  // namespace

// None of it can fail but for want of support, and then malloc does as it would.
HugePages::HugePages() : asked_(bound(end_of_heap() + kHugePage - 1)) {
  static_cast<void>(mallopt(M_ARENA_MAX, 1));
  static_cast<void>(mallopt(M_TOP_PAD, kGrowth));
}

void HugePages::look() {
  char* const end = bound(end_of_heap());
  if (end > asked_) {
    static_cast<void>(madvise(asked_, static_cast<std::size_t>(end - asked_), MADV_HUGEPAGE));
  }
  asked_ = end;  // before it where memory was given back: what comes anew there is to be asked for
}

}  // namespace tributary::demo
