#include "engine/net/link_encryption.h"

#include <algorithm>
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

wire::Octets LinkEncryption::encrypt(const std::vector<wire::Octets>& parts, std::size_t clear) {
  std::size_t size = 0;
  for (const wire::Octets part : parts) size += part.size();
  if (sent_.size() < size) sent_.resize(size);
  auto out = std::span(sent_).first(size);
  for (wire::Octets part : parts) {
    const std::size_t as_is = std::min(clear, part.size());
    std::copy_n(part.begin(), as_is, out.begin());
    clear -= as_is;
    out_->apply(part.subspan(as_is), out.subspan(as_is, part.size() - as_is));
    out = out.subspan(part.size());
  }
  return wire::Octets(sent_).first(size);
}

}  // namespace tributary::net
