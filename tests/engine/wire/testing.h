// Helpers of the wire tests: digests, random bytes and small torrents.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/wire/digester.h"
#include "engine/wire/metainfo_build.h"
#include "engine/wire/octets.h"
#include "engine/wire/piece_hasher.h"

namespace tributary::wire::testing {

template <class D>
D openssl_digest(const EVP_MD* algorithm, Octets data) {
  D out;
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), out.bytes.data(), &size, algorithm, nullptr);
  return out;
}
inline Sha1 sha1(Octets data) { return openssl_digest<Sha1>(EVP_sha1(), data); }
inline Sha256 sha256(Octets data) { return openssl_digest<Sha256>(EVP_sha256(), data); }
inline constexpr Digester kDigester{sha1, sha256};

inline OctetBuffer bytes(std::string_view text) {
  return {as_octets(text).begin(), as_octets(text).end()};
}
inline std::string text(const OctetBuffer& octets) { return std::string(as_text(octets)); }

inline OctetBuffer random_bytes(Random& random, std::size_t size) {
  OctetBuffer out(size);
  for (auto& b : out) b = static_cast<std::uint8_t>(random.next());
  return out;
}

template <class D>
D random_digest(Random& random) {
  return D::from(random_bytes(random, D::kSize));
}

// A publication of files with random content.
inline Publication publish(std::uint64_t seed, Bytes piece_length,
                           const std::vector<std::pair<std::string, std::size_t>>& files) {
  Random random(seed);
  Publication out;
  out.name = files.size() == 1 ? files.front().first : "album";
  out.multi_file = files.size() > 1;
  out.piece_length = piece_length;
  PieceHasher hasher(piece_length, kDigester);
  for (const auto& [path, size] : files) {
    hasher.begin_file();
    hasher.add(random_bytes(random, size));
  }
  HashedFiles hashed = hasher.finish();
  out.piece_hashes = std::move(hashed.piece_hashes);
  for (std::size_t i = 0; i < files.size(); ++i) {
    out.files.push_back({files[i].first, hashed.lengths[i], std::move(hashed.leaves[i]), {}});
  }
  return out;
}

}  // namespace tributary::wire::testing
