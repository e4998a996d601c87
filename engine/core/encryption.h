// How connections to peers are hidden from simple inspection (message stream encryption).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tributary::core {

// What of a connection is encrypted: nothing, its handshake alone, or all of it.
enum class Encryption : std::uint8_t { kNone, kHandshake, kStream };

// Whether we encrypt. kAllowed: who comes in may; who hangs up at a plain handshake is dialled
// again with it. kRequired: both ways, and all of the connection.
enum class EncryptionMode : std::uint8_t { kOff, kAllowed, kRequired };

inline constexpr std::array kEncryptionModes = {EncryptionMode::kOff, EncryptionMode::kAllowed,
                                                EncryptionMode::kRequired};

constexpr std::string_view to_string(EncryptionMode mode) {
  switch (mode) {
    case EncryptionMode::kOff:
      return "off";
    case EncryptionMode::kRequired:
      return "required";
    default:
      return "allowed";
  }
}

}  // namespace tributary::core
