// How calls of the C API fail: a number, and one line for the calling thread.
#pragma once

#include <tributary/tributary.h>

#include <exception>
#include <new>
#include <string_view>

#include "engine/base/result.h"

namespace tributary::capi {

// Keeps the line for tributary_error_message() and returns `error`.
int fail(tributary_error error, std::string_view message) noexcept;
int fail(const Error& error) noexcept;
tributary_error code_of(ErrorCode code);

int no_such_handle(std::string_view kind) noexcept;

// Runs the body of an exported function, which returns its result.
template <class F>
int guarded(F body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail(TRIBUTARY_E_MEMORY, "there is not enough memory");
  } catch (const std::exception& e) {
    return fail(TRIBUTARY_E_INTERNAL, e.what());
  }
}

}  // namespace tributary::capi
