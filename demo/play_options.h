// What the command line says of fetching and sharing, as the library's options.
#pragma once

#include <tributary/tributary.hpp>

#include "demo/client_options.h"
#include "engine/base/result.h"

namespace tributary::demo {

// Errors: an option that is not understood, a host that is not found.
Result<void> apply(const ClientArguments& arguments, api::Options& options);

// What the library says went wrong, of a kind that stands for the exit code.
Error error_of(const api::Error& error);

}  // namespace tributary::demo
