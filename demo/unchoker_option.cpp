#include "demo/unchoker_option.h"

#include "demo/named.h"

namespace tributary::demo {

Result<std::optional<core::Unchoker>> parse_unchoker(std::string_view text) {
  TRIBUTARY_TRY(unchoker, parse_named("unchoker", text, core::kUnchokers));
  return std::optional(unchoker);
}

}  // namespace tributary::demo
