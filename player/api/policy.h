// tributary_policy and core::Policy.
#pragma once

#include <tributary/tributary.h>

#include "engine/base/result.h"
#include "engine/core/policy.h"

namespace tributary::capi {

// Errors name the member, its value and its range.
Result<core::Policy> policy_from(const tributary_policy& policy);
tributary_policy policy_to(const core::Policy& policy);

}  // namespace tributary::capi
