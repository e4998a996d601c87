// TRIBUTARY_CHECK: a condition that only a bug can break. On in every build; the process stops and
// names the place. The prefix keeps the macro apart from those of test frameworks and embedders.
#pragma once

namespace tributary {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace tributary

#define TRIBUTARY_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::tributary::check_failed(#condition, __FILE__, __LINE__))

// The same in debug builds and in the simulator's tests only, for checks too dear for a release.
#ifdef NDEBUG
#define TRIBUTARY_DCHECK(condition) static_cast<void>(0)
#else
#define TRIBUTARY_DCHECK(condition) TRIBUTARY_CHECK(condition)
#endif
