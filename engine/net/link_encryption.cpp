#include "engine/net/link_encryption.h"

#include <utility>

#include "engine/net/stream_crypto.h"

namespace tributary::net {
namespace {

wire::MseMethods methods_of(core::EncryptionMode mode) {
  return {.plain = mode != core::EncryptionMode::kRequired, .rc4 = true};
}

}  // namespace

std::unique_ptr<LinkEncryption> LinkEncryption::dial(core::EncryptionMode mode,
                                                     const InfoHash& torrent, wire::Octets initial,
                                                     wire::OctetBuffer& first) {
  auto handshake = std::make_unique<wire::MseInitiator>(kMseCrypto, mse_secrets(), methods_of(mode),
                                                        torrent, initial);
  handshake->begin(first);
  return std::unique_ptr<LinkEncryption>(new LinkEncryption(std::move(handshake)));
}

std::unique_ptr<LinkEncryption> LinkEncryption::answer(core::EncryptionMode mode,
                                                       std::vector<InfoHash> served) {
  auto handshake = std::make_unique<wire::MseResponder>(kMseCrypto, mse_secrets(), methods_of(mode),
                                                        std::move(served));
  return std::unique_ptr<LinkEncryption>(new LinkEncryption(std::move(handshake)));
}

Result<wire::Octets> LinkEncryption::receive(std::span<std::uint8_t> octets,
                                             wire::OctetBuffer& reply) {
  if (!handshake_) {
    if (in_) in_->apply(octets, octets);
    return wire::Octets(octets);
  }
  const Result<void> fed = handshake_->feed(octets, reply);
  if (!fed) return fed.error();
  if (!handshake_->done()) return wire::Octets{};
  wire::MseOutcome outcome = handshake_->take();
  handshake_.reset();
  in_ = std::move(outcome.in);
  out_ = std::move(outcome.out);
  received_ = std::move(outcome.received);
  return wire::Octets(received_);
}

}  // namespace tributary::net
