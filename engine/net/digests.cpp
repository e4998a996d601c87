#include "engine/net/digests.h"

// Names the interface that this file is written to. The one since 3.0 asks a provider for each
// algorithm, and the first time reads the system's configuration: 1.4 ms of each start before a
// torrent's info-hash is known, and a wait for libcurl, which gets OpenSSL ready at the same time.
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>
#include <uv.h>

#include <array>
#include <atomic>
#include <type_traits>

#include "engine/base/check.h"
#include "engine/net/hash_lanes.h"

namespace tributary::net {
namespace {

constexpr std::size_t kLanesAfter = 16U << 20;

// Each of OpenSSL's digests under one name. None of these calls can fail.
struct Sha1Functions {
  SHA_CTX context;
  Sha1Functions() { SHA1_Init(&context); }
  void add(std::span<const std::uint8_t> bytes) {
    SHA1_Update(&context, bytes.data(), bytes.size());
  }
  void end(Sha1& out) { SHA1_Final(out.bytes.data(), &context); }
};
struct Sha256Functions {
  SHA256_CTX context;
  Sha256Functions() { SHA256_Init(&context); }
  void add(std::span<const std::uint8_t> bytes) {
    SHA256_Update(&context, bytes.data(), bytes.size());
  }
  void end(Sha256& out) { SHA256_Final(out.bytes.data(), &context); }
};
template <class D>
using Functions = std::conditional_t<std::is_same_v<D, Sha1>, Sha1Functions, Sha256Functions>;

template <class D>
D digest_of(std::span<const std::uint8_t> bytes) {
  Functions<D> digest;
  digest.add(bytes);
  D out;
  digest.end(out);
  return out;
}

}  // namespace

Sha1 sha1(std::span<const std::uint8_t> bytes) { return digest_of<Sha1>(bytes); }
Sha256 sha256(std::span<const std::uint8_t> bytes) { return digest_of<Sha256>(bytes); }

void sha256_each(std::span<const wire::Octets> blocks, std::span<Sha256> out) {
  static std::atomic<std::size_t> hashed{0};
  TRIBUTARY_CHECK(out.size() == blocks.size());
  std::size_t size = 0;
  bool none_empty = true;
  for (const wire::Octets block : blocks) {
    size += block.size();
    none_empty &= !block.empty();
  }
  const bool warm = hashed.fetch_add(size, std::memory_order_relaxed) >= kLanesAfter;
  if (warm && none_empty && blocks.size() >= kFewestLanes) {
    if (HashLanes* lanes = HashLanes::load()) return lanes->sha256(blocks, out);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    out[i] = blocks[i].empty() ? Sha256{} : sha256(blocks[i]);
  }
}

template <class D>
struct Digesting<D>::State : Functions<D> {};

template <class D>
Digesting<D>::Digesting() : state_(std::make_unique<State>()) {}
template <class D>
Digesting<D>::~Digesting() = default;
template <class D>
Digesting<D>::Digesting(Digesting&&) noexcept = default;
template <class D>
Digesting<D>& Digesting<D>::operator=(Digesting&&) noexcept = default;

template <class D>
void Digesting<D>::update(std::span<const std::uint8_t> bytes) {
  state_->add(bytes);
}

template <class D>
D Digesting<D>::finish() {
  D out;
  state_->end(out);
  *state_ = State();
  return out;
}

template class Digesting<Sha1>;
template class Digesting<Sha256>;

void secure_random(std::span<std::uint8_t> out) {
  TRIBUTARY_CHECK(uv_random(nullptr, nullptr, out.data(), out.size(), 0, nullptr) == 0);
}

std::uint64_t secure_random_u64() {
  std::array<std::uint8_t, 8> bytes;
  secure_random(bytes);
  std::uint64_t out = 0;
  for (const std::uint8_t b : bytes) out = out << 8 | b;
  return out;
}

}  // namespace tributary::net
