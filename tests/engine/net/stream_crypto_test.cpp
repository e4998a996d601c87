#include "engine/net/stream_crypto.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>

#include "tests/engine/wire/toy_crypto.h"

namespace tributary::net {
namespace {

wire::MsePublicKey number(std::string_view hex) {
  wire::MsePublicKey out{};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const std::size_t at = out.size() - 1 - i / 2;
    const int value = digit(hex[hex.size() - 1 - i]) << (i % 2 == 0 ? 0 : 4);
    out[at] = static_cast<std::uint8_t>(out[at] | value);
  }
  return out;
}

wire::MsePrivateKey counting() {
  wire::MsePrivateKey key;
  std::iota(key.begin(), key.end(), std::uint8_t{1});
  return key;
}

TEST_CASE("a public key is two to the power of the private one, modulo the prime") {
  wire::MsePrivateKey one{};
  one.back() = 1;
  CHECK(mse_public_key(one) == number("2"));
  // By Python's pow().
  CHECK(mse_public_key(counting()) ==
        number("96e112dab29e8c5272accb9b17b26887ce54a144a4e3b697c7d159b7a817e556"
               "b0918db2b4c658e02a87f7e5fb14b18a553e084cbf3dad2d30f16596ccb982d4"
               "06258c61b30c5c1dae2ddc60bdbd48d79896312aad63238c39e1a633821eb693"));
}

TEST_CASE("both sides come to the same secret") {
  const wire::MsePrivateKey a = mse_secrets().key;
  const wire::MsePrivateKey b = mse_secrets().key;
  CHECK(a != b);
  const auto at_a = mse_secret(a, mse_public_key(b));
  REQUIRE(at_a);
  CHECK(at_a == mse_secret(b, mse_public_key(a)));
}

TEST_CASE("keys that would give a secret away are refused") {
  constexpr const char* kPrimeHead =
      "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E34"
      "04DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A362100000000"
      "0009056";
  const auto prime_ending = [&](char digit) { return number(std::string(kPrimeHead) + digit); };
  for (const auto& key : {number("0"), number("1"), prime_ending('2'), prime_ending('3'),
                          prime_ending('4'), number(std::string(192, 'F'))}) {
    CHECK_FALSE(mse_secret(counting(), key));
  }
  CHECK(mse_secret(counting(), number("2")) == mse_public_key(counting()));
  CHECK(mse_secret(counting(), prime_ending('1')));
}

TEST_CASE("RC4 begins behind the first 1024 octets of its key stream") {
  Sha1 key;
  std::iota(key.bytes.begin(), key.bytes.end(), std::uint8_t{100});
  const auto ours = mse_rc4(key);
  wire::ReferenceRc4 theirs(key.bytes, 1024);
  for (const std::size_t size : {1, 15, 16, 0, 4096}) {
    wire::OctetBuffer in(size, 0x42);
    wire::OctetBuffer expected(size);
    theirs.apply(in, expected);
    wire::OctetBuffer elsewhere(size);
    if (size == 4096) {
      ours->apply(in, elsewhere);
      CHECK(elsewhere == expected);
    } else {
      ours->apply(in, in);
      CHECK(in == expected);
    }
  }
}

TEST_CASE("pads are of every allowed length and no other") {
  std::size_t longest = 0;
  std::size_t shortest = wire::kMaxMsePad;
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = mse_secrets().second_pad.size();
    longest = std::max(longest, size);
    shortest = std::min(shortest, size);
  }
  CHECK(longest <= wire::kMaxMsePad);
  CHECK(longest > shortest);
}

}  // namespace
}  // namespace tributary::net
