// What message stream encryption computes with, by OpenSSL: the key exchange and RC4.
#pragma once

#include "engine/wire/stream_encryption.h"

namespace tributary::net {

// As wire::MseCrypto describes them. Any thread; a cipher belongs to one at a time.
wire::MsePublicKey mse_public_key(const wire::MsePrivateKey& key);
std::optional<wire::MsePublicKey> mse_secret(const wire::MsePrivateKey& ours,
                                             const wire::MsePublicKey& theirs);
std::unique_ptr<wire::StreamCipher> mse_rc4(const Sha1& key);
// From the system's random source.
wire::MseSecrets mse_secrets();

// The first three, as engine/wire wants them lent.
extern const wire::MseCrypto kMseCrypto;

}  // namespace tributary::net
