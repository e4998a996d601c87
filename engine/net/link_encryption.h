// One connection's message stream encryption, between its octets and the peer protocol. No sockets.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/result.h"
#include "engine/core/encryption.h"
#include "engine/wire/octets.h"
#include "engine/wire/stream_encryption.h"

namespace tributary::net {

class LinkEncryption {
 public:
  // The side that dialled: `initial`, the peer protocol's handshake, goes out with the exchange.
  // `first` gets what to send at once.
  static std::unique_ptr<LinkEncryption> dial(core::EncryptionMode mode, const InfoHash& torrent,
                                              wire::Octets initial, wire::OctetBuffer& first);
  // The side that was dialled, by who must know one of the info-hashes.
  static std::unique_ptr<LinkEncryption> answer(core::EncryptionMode mode,
                                                std::vector<InfoHash> served);

  // Takes what came, which it may overwrite. What of it belongs to the peer protocol is valid until
  // the next call, or as long as `octets` is. `reply` gets what the exchange has to say, to be sent
  // as it is before all that is sent afterwards.
  Result<wire::Octets> receive(std::span<std::uint8_t> octets, wire::OctetBuffer& reply);
  // What is sent from now on must be encrypted.
  bool encrypts() const { return out_ != nullptr; }
  // The next parts of the stream out in a row, of which so many octets at the front stay as they
  // are. Valid until the next call. REQUIRES: encrypts().
  wire::Octets encrypt(const std::vector<wire::Octets>& parts, std::size_t clear);
  // Nothing follows soon: gives the memory of encrypt() back.
  void rest() { sent_ = {}; }
  core::Encryption level() const {
    return encrypts() ? core::Encryption::kStream : core::Encryption::kHandshake;
  }

 private:
  explicit LinkEncryption(std::unique_ptr<wire::MseHandshake> handshake)
      : handshake_(std::move(handshake)) {}

  std::unique_ptr<wire::MseHandshake> handshake_;  // none: done
  std::unique_ptr<wire::StreamCipher> in_;         // none: plain
  std::unique_ptr<wire::StreamCipher> out_;        // none: plain, or not done
  wire::OctetBuffer received_;                     // with the end of the exchange
  wire::OctetBuffer sent_;                         // the last that was encrypted
};

}  // namespace tributary::net
