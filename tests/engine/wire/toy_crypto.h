// A stand-in for the cryptography that a host lends to message stream encryption: fast, the same in
// every run, and as wrong-footed by a wrong key as the real one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "engine/wire/stream_encryption.h"

namespace tributary::wire {

// RC4 as published, to check a library's by.
class ReferenceRc4 final : public StreamCipher {
 public:
  ReferenceRc4(Octets key, std::size_t dropped) {
    std::iota(state_.begin(), state_.end(), std::uint8_t{0});
    std::uint8_t j = 0;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      j = static_cast<std::uint8_t>(j + state_[i] + key[i % key.size()]);
      std::swap(state_[i], state_[j]);
    }
    for (std::size_t n = 0; n < dropped; ++n) next();
  }
  void apply(Octets in, std::span<std::uint8_t> out) override {
    for (std::size_t n = 0; n < in.size(); ++n) out[n] = static_cast<std::uint8_t>(in[n] ^ next());
  }

 private:
  std::uint8_t next() {
    i_ = static_cast<std::uint8_t>(i_ + 1);
    j_ = static_cast<std::uint8_t>(j_ + state_[i_]);
    std::swap(state_[i_], state_[j_]);
    return state_[static_cast<std::uint8_t>(state_[i_] + state_[j_])];
  }

  std::array<std::uint8_t, 256> state_{};
  std::uint8_t i_ = 0;
  std::uint8_t j_ = 0;
};

// FNV-1a, five times from other starts.
inline Sha1 toy_digest(Octets octets) {
  Sha1 out;
  for (std::size_t part = 0; part < 5; ++part) {
    std::uint32_t sum = 2166136261U + static_cast<std::uint32_t>(part);
    for (const std::uint8_t octet : octets) sum = (sum ^ octet) * 16777619U;
    for (std::size_t i = 0; i < 4; ++i) {
      out.bytes[part * 4 + i] = static_cast<std::uint8_t>(sum >> (8 * i));
    }
  }
  return out;
}

inline MsePublicKey toy_public_key(const MsePrivateKey& key) {
  MsePublicKey out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(key[i % key.size()] + i);
  }
  return out;
}

// Both sides come to the same sum. All zeros stand for the keys that hide nothing.
inline std::optional<MsePublicKey> toy_secret(const MsePrivateKey& ours,
                                              const MsePublicKey& theirs) {
  if (std::ranges::all_of(theirs, [](std::uint8_t octet) { return octet == 0; })) return {};
  MsePublicKey out = toy_public_key(ours);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(out[i] + theirs[i]);
  }
  return out;
}

inline std::unique_ptr<StreamCipher> toy_rc4(const Sha1& key) {
  return std::make_unique<ReferenceRc4>(key.bytes, 0);
}

inline constexpr MseCrypto kToyCrypto{&toy_digest, &toy_public_key, &toy_secret, &toy_rc4};

inline MseSecrets toy_secrets(std::uint8_t key, std::size_t first_pad, std::size_t second_pad) {
  MseSecrets secrets;
  secrets.key.fill(key);
  secrets.first_pad.assign(first_pad, 0xA5);
  secrets.second_pad.assign(second_pad, 0x5A);
  return secrets;
}

}  // namespace tributary::wire
