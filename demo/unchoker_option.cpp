#include "demo/unchoker_option.h"

#include <string>

namespace tributary::demo {

Result<std::optional<core::Unchoker>> parse_unchoker(std::string_view text) {
  const auto unchoker = core::unchoker_by_name(text);
  if (unchoker) return unchoker;
  std::string names;
  for (const core::Unchoker known : core::kUnchokers) {
    names += (names.empty() ? "" : ", ") + std::string(core::to_string(known));
  }
  return invalid("unknown unchoker '" + std::string(text) + "'; choose " + names);
}

}  // namespace tributary::demo
