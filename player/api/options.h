// tributary_options and tributary_limits as the client takes them.
#pragma once

#include <tributary/tributary.h>

#include <string_view>

#include "engine/base/result.h"
#include "player/client/client.h"

namespace tributary::capi {

// Milliseconds, a year: what is longer is a mistake, and sums of it would not overflow.
inline constexpr std::int64_t kLongestTime = std::int64_t{1000} * 60 * 60 * 24 * 365;

// Callbacks aside. Errors name the option, what is wrong and what to give.
Result<player::ClientOptions> options_from(const tributary_options& options);
Result<player::RateLimits> limits_from(const tributary_limits& limits);
Result<Endpoint> peer_from(const char* text);

// Policy and upload, as the listener's switches have them.
struct Conduct {
  core::Policy policy;
  bool consent = false;
  bool metered = false;

  core::Policy effective_policy() const { return metered ? policy.metered() : policy; }
  bool uploads() const { return consent && !metered; }
};
Result<Conduct> conduct_from(const tributary_options& options);

// "" for NULL.
inline std::string_view text_of(const char* text) { return text ? text : ""; }

}  // namespace tributary::capi
