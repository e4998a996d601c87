// SHA-1, SHA-256 and secure random bytes, by OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/digest.h"
#include "engine/wire/digester.h"

namespace tributary::net {

// One-shot digests. Any thread.
Sha1 sha1(std::span<const std::uint8_t> bytes);
Sha256 sha256(std::span<const std::uint8_t> bytes);

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
