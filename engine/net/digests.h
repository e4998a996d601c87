// SHA-1, SHA-256 and secure random bytes, by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/digest.h"
#include "engine/wire/digester.h"
#include "engine/wire/octets.h"

namespace tributary::net {

// One-shot digests. Any thread.
Sha1 sha1(std::span<const std::uint8_t> bytes);
Sha256 sha256(std::span<const std::uint8_t> bytes);

// Of each block; a block of no bytes gets zeros. Many at once, by HashLanes where it has any: but
// not before 16 MiB were hashed in the process, for at a start nobody should wait for a library.
// Any thread. REQUIRES: out.size() == blocks.size().
void sha256_each(std::span<const wire::Octets> blocks, std::span<Sha256> out);

// The two, as engine/wire wants them lent.
inline constexpr wire::Digester kDigester{&sha1, &sha256};

// A digest over parts. One thread at a time; movable. D is Sha1 or Sha256.
template <class D>
class Digesting {
 public:
  Digesting();
  ~Digesting();
  Digesting(Digesting&&) noexcept;
  Digesting& operator=(Digesting&&) noexcept;
  void update(std::span<const std::uint8_t> bytes);
  // The digest of all parts so far; then starts anew.
  D finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};
using Sha1Digesting = Digesting<Sha1>;
using Sha256Digesting = Digesting<Sha256>;

// Bytes that nobody can guess. Any thread.
void secure_random(std::span<std::uint8_t> out);
std::uint64_t secure_random_u64();

}  // namespace tributary::net
