// Within engine/wire: message ids of the peer protocol.
#pragma once

#include <cstdint>

namespace tributary::wire {

enum class MessageId : std::uint8_t {
  kChoke = 0,
  kUnchoke = 1,
  kInterested = 2,
  kNotInterested = 3,
  kHave = 4,
  kBitfield = 5,
  kRequest = 6,
  kPiece = 7,
  kCancel = 8,
  kPort = 9,           // BEP 5
  kSuggestPiece = 13,  // BEP 6 …
  kHaveAll = 14,
  kHaveNone = 15,
  kRejectRequest = 16,
  kAllowedFast = 17,
  kExtended = 20,     // BEP 10
  kHashRequest = 21,  // BEP 52 …
  kHashes = 22,
  kHashReject = 23,
};

}  // namespace tributary::wire
