#include "engine/net/digests.h"

#include <openssl/evp.h>
#include <uv.h>

#include <array>
#include <type_traits>

#include "engine/base/check.h"

namespace tributary::net {
namespace {

// Fetching an algorithm takes locks and string look-ups in OpenSSL 3, so it is done once.
template <class D>
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched =
      EVP_MD_fetch(nullptr, std::is_same_v<D, Sha1> ? "SHA1" : "SHA256", nullptr);
  TRIBUTARY_CHECK(fetched);
  return fetched;
}

EVP_MD_CTX* raw(internal::DigestContext* context) { return reinterpret_cast<EVP_MD_CTX*>(context); }

internal::DigestContextPtr new_context() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  TRIBUTARY_CHECK(context);
  return internal::DigestContextPtr(reinterpret_cast<internal::DigestContext*>(context));
}

template <class D>
void begin(EVP_MD_CTX* context) {
  TRIBUTARY_CHECK(EVP_DigestInit_ex2(context, algorithm<D>(), nullptr) == 1);
}

void add(EVP_MD_CTX* context, std::span<const std::uint8_t> bytes) {
  TRIBUTARY_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

template <class D>
D end(EVP_MD_CTX* context) {
  D out;
  TRIBUTARY_CHECK(EVP_DigestFinal_ex(context, out.bytes.data(), nullptr) == 1);
  return out;
}

template <class D>
D digest_of(std::span<const std::uint8_t> bytes) {
  // Not thread_local: its destructor would be registered under the lock that dlopen() holds for
  // tens of milliseconds while it loads FFmpeg, and a new context costs 10 ns.
  const internal::DigestContextPtr context = new_context();
  begin<D>(raw(context.get()));
  add(raw(context.get()), bytes);
  return end<D>(raw(context.get()));
}

}  // namespace

void internal::DigestContextDeleter::operator()(DigestContext* context) const {
  EVP_MD_CTX_free(raw(context));
}

Sha1 sha1(std::span<const std::uint8_t> bytes) { return digest_of<Sha1>(bytes); }
Sha256 sha256(std::span<const std::uint8_t> bytes) { return digest_of<Sha256>(bytes); }

template <class D>
Digesting<D>::Digesting() : context_(new_context()) {
  begin<D>(raw(context_.get()));
}

template <class D>
void Digesting<D>::update(std::span<const std::uint8_t> bytes) {
  add(raw(context_.get()), bytes);
}

template <class D>
D Digesting<D>::finish() {
  const D out = end<D>(raw(context_.get()));
  begin<D>(raw(context_.get()));
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
