// Hash functions that the host lends to this room, which computes none itself.
#pragma once

#include "engine/base/digest.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Both members are set and are pure functions, callable from any thread.
struct Digester {
  Sha1 (*sha1)(Octets);
  Sha256 (*sha256)(Octets);
};

}  // namespace tributary::wire
