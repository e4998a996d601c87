#include "engine/core/dht_secrets.h"

#include <algorithm>
#include <vector>

#include "engine/base/check.h"

namespace tributary::core::dht {
namespace {

// What keeps the two uses of one key apart.
enum class Use : std::uint8_t { kNumber, kToken };

std::vector<std::uint8_t> begin(const SecretKey& key, Use use, std::uint64_t number) {
  std::vector<std::uint8_t> out(key.begin(), key.end());
  out.push_back(static_cast<std::uint8_t>(use));
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return out;
}

std::int64_t period_of(TimePoint now) {
  return now.time_since_epoch().count() / Secrets::kTokenPeriod.count();
}

}  // namespace

Secrets::Secrets(const SecretKey& key, Sha1Function digest) : key_(key), digest_(digest) {
  TRIBUTARY_CHECK(digest != nullptr);
}

std::uint64_t Secrets::next() {
  const Sha1 sum = digest_(begin(key_, Use::kNumber, count_++));
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = out << 8 | sum.bytes[i];
  return out;
}

std::string Secrets::token(const Endpoint& asker, const NodeId& info_hash, TimePoint now) const {
  return token_of(period_of(now), asker, info_hash);
}

bool Secrets::accepts(std::string_view token, const Endpoint& asker, const NodeId& info_hash,
                      TimePoint now) const {
  const std::int64_t period = period_of(now);
  return token == token_of(period, asker, info_hash) ||
         token == token_of(period - 1, asker, info_hash);
}

// The port is left out: a router may map the next datagram to another one.
std::string Secrets::token_of(std::int64_t period, const Endpoint& asker,
                              const NodeId& info_hash) const {
  auto text = begin(key_, Use::kToken, static_cast<std::uint64_t>(period));
  text.insert(text.end(), asker.address.begin(), asker.address.end());
  text.insert(text.end(), info_hash.bytes.begin(), info_hash.bytes.end());
  const Sha1 sum = digest_(text);
  return {sum.bytes.begin(), sum.bytes.begin() + kTokenSize};
}

}  // namespace tributary::core::dht
