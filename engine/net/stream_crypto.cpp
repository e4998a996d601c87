// RC4 is OpenSSL's own function: its EVP interface has RC4 only in a module ("legacy") that is
// loaded at run time and may be missing. The function is marked as outdated because RC4 is broken,
// which is known here.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine/net/stream_crypto.h"

#include <openssl/bn.h>
#include <openssl/rc4.h>

#include <array>

#include "engine/base/check.h"
#include "engine/net/digests.h"

namespace tributary::net {
namespace {

// The prime of Oakley group 1 (RFC 2409, 6.1) but for its last octets, as the specification has it.
constexpr const char* kPrime =
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404"
    "DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A362100000000000905"
    "63";
constexpr BN_ULONG kGenerator = 2;
constexpr std::size_t kDropped = 1024;

struct Free {
  void operator()(BIGNUM* n) const { BN_clear_free(n); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
  void operator()(BN_MONT_CTX* context) const { BN_MONT_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, Free>;
using Context = std::unique_ptr<BN_CTX, Free>;
using Montgomery = std::unique_ptr<BN_MONT_CTX, Free>;

Number number(std::span<const std::uint8_t> octets) {
  Number n(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  TRIBUTARY_CHECK(n);
  return n;
}

// Made once, then only read.
struct Group {
  Group() {
    BIGNUM* p = nullptr;
    TRIBUTARY_CHECK(BN_hex2bn(&p, kPrime) > 0);
    prime.reset(p);
    last.reset(BN_dup(p));
    const Context context(BN_CTX_new());
    TRIBUTARY_CHECK(last && BN_sub_word(last.get(), 1) == 1);
    TRIBUTARY_CHECK(montgomery && context);
    TRIBUTARY_CHECK(BN_MONT_CTX_set(montgomery.get(), p, context.get()) == 1);
  }

  Number prime;
  Number last;  // prime − 1
  Montgomery montgomery{BN_MONT_CTX_new()};
};

const Group& group() {
  static const Group made;
  return made;
}

// base ^ exponent mod prime, in a time that does not depend on the exponent.
wire::MsePublicKey power(const BIGNUM* base, const wire::MsePrivateKey& exponent) {
  const Number secret = number(exponent);
  BN_set_flags(secret.get(), BN_FLG_CONSTTIME);
  const Context context(BN_CTX_new());
  const Number result(BN_new());
  TRIBUTARY_CHECK(context && result);
  const int done =
      BN_mod_exp_mont_consttime(result.get(), base, secret.get(), group().prime.get(),
                                context.get(), const_cast<BN_MONT_CTX*>(group().montgomery.get()));
  TRIBUTARY_CHECK(done == 1);
  wire::MsePublicKey out;
  TRIBUTARY_CHECK(BN_bn2binpad(result.get(), out.data(), static_cast<int>(out.size())) > 0);
  return out;
}

class Rc4 final : public wire::StreamCipher {
 public:
  explicit Rc4(const Sha1& key) {
    RC4_set_key(&state_, static_cast<int>(key.bytes.size()), key.bytes.data());
    std::array<std::uint8_t, kDropped> dropped{};
    RC4(&state_, dropped.size(), dropped.data(), dropped.data());
  }
  void apply(wire::Octets in, std::span<std::uint8_t> out) override {
    TRIBUTARY_CHECK(in.size() == out.size());
    RC4(&state_, in.size(), in.data(), out.data());
  }

 private:
  RC4_KEY state_{};
};

wire::OctetBuffer random_pad() {
  std::array<std::uint8_t, 2> draw{};
  secure_random(draw);
  wire::OctetBuffer pad(wire::read_u16(draw) % (wire::kMaxMsePad + 1));
  secure_random(pad);
  return pad;
}

}  // namespace

const wire::MseCrypto kMseCrypto{&sha1, &mse_public_key, &mse_secret, &mse_rc4};

wire::MsePublicKey mse_public_key(const wire::MsePrivateKey& key) {
  const Number generator(BN_new());
  TRIBUTARY_CHECK(generator && BN_set_word(generator.get(), kGenerator) == 1);
  return power(generator.get(), key);
}

std::optional<wire::MsePublicKey> mse_secret(const wire::MsePrivateKey& ours,
                                             const wire::MsePublicKey& theirs) {
  const Number base = number(theirs);
  const bool hides =
      BN_cmp(base.get(), BN_value_one()) > 0 && BN_cmp(base.get(), group().last.get()) < 0;
  if (!hides) return std::nullopt;
  return power(base.get(), ours);
}

std::unique_ptr<wire::StreamCipher> mse_rc4(const Sha1& key) { return std::make_unique<Rc4>(key); }

wire::MseSecrets mse_secrets() {
  wire::MseSecrets secrets;
  secure_random(secrets.key);
  secrets.first_pad = random_pad();
  secrets.second_pad = random_pad();
  return secrets;
}

}  // namespace tributary::net
