// SHA-1, SHA-256 and secure random bytes, by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/digest.h"
#include "engine/wire/digester.h"

namespace tributary::net {

// One-shot digests. Any thread; each thread keeps one context.
Sha1 sha1(std::span<const std::uint8_t> bytes);
Sha256 sha256(std::span<const std::uint8_t> bytes);

// The two, as engine/wire wants them lent.
inline constexpr wire::Digester kDigester{&sha1, &sha256};

namespace internal {
struct DigestContext;  // EVP_MD_CTX
struct DigestContextDeleter {
  void operator()(DigestContext* context) const;
};
using DigestContextPtr = std::unique_ptr<DigestContext, DigestContextDeleter>;
}  // namespace internal

// A digest over parts. One thread at a time; movable. D is Sha1 or Sha256.
template <class D>
class Digesting {
 public:
  Digesting();
  void update(std::span<const std::uint8_t> bytes);
  // The digest of all parts so far; then starts anew.
  D finish();

 private:
  internal::DigestContextPtr context_;
};
using Sha1Digesting = Digesting<Sha1>;
using Sha256Digesting = Digesting<Sha256>;

// Bytes that nobody can guess. Any thread.
void secure_random(std::span<std::uint8_t> out);
std::uint64_t secure_random_u64();

}  // namespace tributary::net
