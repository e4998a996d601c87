#include "demo/encryption_option.h"

#include <string>

namespace tributary::demo {

Result<core::EncryptionMode> parse_encryption(std::string_view text) {
  if (const auto mode = core::encryption_by_name(text)) return *mode;
  std::string names;
  for (const core::EncryptionMode known : core::kEncryptionModes) {
    names += (names.empty() ? "" : ", ") + std::string(core::to_string(known));
  }
  return invalid("unknown encryption '" + std::string(text) + "'; choose " + names);
}

}  // namespace tributary::demo
