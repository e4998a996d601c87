#include "engine/sim/message_size.h"

#include <doctest/doctest.h>

#include "engine/wire/peer_codec.h"

namespace tributary::sim {
namespace {

TEST_CASE("a message's size is what the encoder makes of it") {
  const core::BlockSpan span{core::PieceIndex(3), 0_B, 16_KiB};
  const core::Message messages[] = {core::Choke{},
                                    core::Unchoke{},
                                    core::Interested{},
                                    core::NotInterested{},
                                    core::HaveAll{},
                                    core::HaveNone{},
                                    core::Have{core::PieceIndex(1)},
                                    core::AllowedFast{core::PieceIndex(1)},
                                    core::Request{span},
                                    core::Cancel{span},
                                    core::RejectRequest{span},
                                    core::Piece{span, core::BufferId(1)},
                                    core::KeepAlive{},
                                    core::BitfieldMessage{{1, 2, 3}},
                                    core::DontHave{core::PieceIndex(1)},
                                    core::NeedMessage{core::Need::kPlaying}};
  for (const core::Message& message : messages) {
    CAPTURE(message.index());
    wire::OctetBuffer encoded;
    REQUIRE(wire::encode_message(message, wire::kOurExtensionIds, encoded));
    CHECK(wire_size(message) == Bytes(std::ssize(encoded)));
  }
}

}  // namespace
}  // namespace tributary::sim
