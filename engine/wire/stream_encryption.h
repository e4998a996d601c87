// Message stream encryption (MSE, "protocol encryption"; Azureus wiki): a Diffie-Hellman exchange,
// then the peer protocol under RC4 or in the clear. It hides the protocol from who looks at traffic
// for known bytes, and no more: nobody proves who he is, and RC4 is broken.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/result.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// A number below the 768-bit prime of the exchange, big-endian.
using MsePublicKey = std::array<std::uint8_t, 96>;
// 160 bits, as the specification advises.
using MsePrivateKey = std::array<std::uint8_t, 20>;
// Random octets that hide the length of a message, at most this many.
inline constexpr std::size_t kMaxMsePad = 512;
// What the opening side may send along before it is answered: its length field's limit. In practice
// a handshake of 68 octets.
inline constexpr std::size_t kMaxMseInitial = 65535;

class StreamCipher {
 public:
  virtual ~StreamCipher() = default;
  // XORs the next octets of the key stream. `out` is as long as `in`, and may be the same memory.
  virtual void apply(Octets in, std::span<std::uint8_t> out) = 0;
};

// What the host lends to this room, which computes none of it.
struct MseCrypto {
  Sha1 (*sha1)(Octets);
  MsePublicKey (*public_key)(const MsePrivateKey&);
  // What both sides share. Nothing for keys that are no number between 1 and the prime − 1: with
  // them all the world would know it.
  std::optional<MsePublicKey> (*secret)(const MsePrivateKey& ours, const MsePublicKey& theirs);
  // RC4 behind the first 1024 octets of its key stream, which betray the key.
  std::unique_ptr<StreamCipher> (*rc4)(const Sha1& key);
};

// What nobody can guess, fresh for each connection. Pads of at most kMaxMsePad octets.
struct MseSecrets {
  MsePrivateKey key{};
  OctetBuffer first_pad;   // behind our public key
  OctetBuffer second_pad;  // behind our choice of methods
};

// Which kinds of stream may follow the exchange. At least one.
struct MseMethods {
  bool plain = false;
  bool rc4 = false;
};

// What an exchange came to. Without ciphers the stream is plain from here on.
struct MseOutcome {
  std::unique_ptr<StreamCipher> in;
  std::unique_ptr<StreamCipher> out;
  OctetBuffer received;  // of the stream, decrypted
  bool encrypted() const { return in != nullptr; }
};

// One side's handshake, as octets in and octets out. Holds at most what the two pads, the keys and
// the initial payload may come to. After an error it is of no use.
class MseHandshake {
 public:
  virtual ~MseHandshake() = default;
  MseHandshake(const MseHandshake&) = delete;
  MseHandshake& operator=(const MseHandshake&) = delete;

  // Takes what came and appends to `out` what is to be sent, as it is.
  Result<void> feed(Octets octets, OctetBuffer& out);
  bool done() const { return outcome_.has_value(); }
  // Once. REQUIRES: done().
  MseOutcome take() { return *std::exchange(outcome_, std::nullopt); }

 protected:
  MseHandshake(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& allowed);

  // Does what the octets at hand allow; false when more are needed.
  virtual Result<bool> step(OctetBuffer& out) = 0;

  void send_key(OctetBuffer& out) const;
  void drop(std::size_t n);  // of unread_
  // Takes the other side's public key. False: not whole yet.
  Result<bool> take_key();
  // Drops up to and with the pattern, which begins within kMaxMsePad octets. False: not there yet.
  Result<bool> skip_to(Octets pattern);
  // Decrypts and removes the next `n` octets. Nothing: not there yet.
  std::optional<OctetBuffer> take(std::size_t n);
  // A length of a pad, checked.
  static Result<std::size_t> pad_length(Octets number);
  // Of a word and the secret, and of the info-hash where it is given.
  Sha1 hash(std::string_view word, Octets rest) const;
  Sha1 key_of(std::string_view word, const InfoHash& torrent) const;
  void append_encrypted(OctetBuffer& out, Octets octets);
  void finish(bool rc4, Octets initial);

  const MseCrypto crypto_;
  const MseSecrets secrets_;
  const MseMethods allowed_;
  MsePublicKey shared_{};
  OctetBuffer unread_;
  std::unique_ptr<StreamCipher> in_;
  std::unique_ptr<StreamCipher> out_;

 private:
  std::size_t searched_ = 0;  // of unread_, by skip_to()
  std::optional<MseOutcome> outcome_;
};

// The side that dialled.
class MseInitiator final : public MseHandshake {
 public:
  // `initial` goes out with our choice of methods: the peer protocol's handshake.
  // REQUIRES: initial.size() <= kMaxMseInitial.
  MseInitiator(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& offered,
               const InfoHash& torrent, Octets initial);
  // What is sent first.
  void begin(OctetBuffer& out) const { send_key(out); }

 private:
  enum class Stage { kKey, kVerification, kSelection, kPad };
  Result<bool> step(OctetBuffer& out) override;
  void offer(OctetBuffer& out);
  Result<bool> take_selection();

  const InfoHash torrent_;
  OctetBuffer initial_;
  Stage stage_ = Stage::kKey;
  OctetBuffer verification_;  // as the other side encrypts it
  bool rc4_ = false;          // it chose
  std::size_t pad_ = 0;
};

// The side that was dialled.
class MseResponder final : public MseHandshake {
 public:
  // `served` are the info-hashes of which the other side must know one.
  MseResponder(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& allowed,
               std::vector<InfoHash> served);

 private:
  enum class Stage { kKey, kSynchronisation, kTorrent, kOffer, kPad, kInitial };
  Result<bool> step(OctetBuffer& out) override;
  Result<bool> take_torrent();
  Result<bool> take_offer();
  Result<bool> take_pad();
  bool take_initial(OctetBuffer& out);

  std::vector<InfoHash> served_;
  Stage stage_ = Stage::kKey;
  bool rc4_ = false;  // we choose
  std::size_t pad_ = 0;
  std::size_t initial_ = 0;
};

}  // namespace tributary::wire
