#include "engine/sim/message_size.h"

#include "engine/wire/peer_codec.h"

namespace tributary::sim {
namespace {

constexpr Bytes kBare = 5_B;      // length and id
constexpr Bytes kOfPiece = 9_B;   // and a piece's number
constexpr Bytes kOfBlock = 17_B;  // and a block's place

template <class... Kinds>
bool is_any(const core::Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

}  // namespace

Bytes wire_size(const core::Message& message) {
  // Nearly all messages are of these kinds.
  if (is_any<core::Have, core::AllowedFast>(message)) return kOfPiece;
  if (is_any<core::Request, core::Cancel, core::RejectRequest>(message)) return kOfBlock;
  if (is_any<core::Choke, core::Unchoke, core::Interested, core::NotInterested, core::HaveAll,
             core::HaveNone>(message)) {
    return kBare;
  }
  wire::OctetBuffer encoded;
  wire::encode_message(message, wire::kOurExtensionIds, encoded);
  return Bytes(std::ssize(encoded));
}

bool tells_of_peers(const core::Message& message) {
  return is_any<core::PeerExchange, core::OverlayQuery, core::OverlayAnswer>(message);
}

}  // namespace tributary::sim
