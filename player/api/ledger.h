// core::ByteCounts as the API tells them.
#pragma once

#include <tributary/tributary.h>

#include "engine/core/ledger.h"

namespace tributary::capi {

tributary_ledger ledger_of(const core::ByteCounts& bytes);

}  // namespace tributary::capi
