#include "engine/wire/stream_encryption.h"

#include <algorithm>
#include <string_view>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

constexpr std::size_t kVerificationSize = 8;  // zeros
constexpr std::uint32_t kPlainMethod = 1;
constexpr std::uint32_t kRc4Method = 2;

std::uint32_t bits_of(const MseMethods& methods) {
  return (methods.plain ? kPlainMethod : 0) | (methods.rc4 ? kRc4Method : 0);
}

Sha1 operator^(const Sha1& a, const Sha1& b) {
  Sha1 out;
  for (std::size_t i = 0; i < Sha1::kSize; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  }
  return out;
}

}  // namespace

// --- What both sides do

MseHandshake::MseHandshake(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& allowed)
    : crypto_(crypto), secrets_(std::move(secrets)), allowed_(allowed) {
  TRIBUTARY_CHECK(allowed.plain || allowed.rc4);
  TRIBUTARY_CHECK(secrets_.first_pad.size() <= kMaxMsePad);
  TRIBUTARY_CHECK(secrets_.second_pad.size() <= kMaxMsePad);
}

Result<void> MseHandshake::feed(Octets octets, OctetBuffer& out) {
  append(unread_, octets);
  while (!done()) {
    const Result<bool> moved = step(out);
    if (!moved) return moved.error();
    if (!*moved) break;
  }
  return {};
}

void MseHandshake::send_key(OctetBuffer& out) const {
  append(out, crypto_.public_key(secrets_.key));
  append(out, secrets_.first_pad);
}

void MseHandshake::drop(std::size_t n) {
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(n));
}

Result<bool> MseHandshake::take_key() {
  MsePublicKey theirs;
  if (unread_.size() < theirs.size()) return false;
  std::copy_n(unread_.begin(), theirs.size(), theirs.begin());
  drop(theirs.size());
  const auto shared = crypto_.secret(secrets_.key, theirs);
  if (!shared) return invalid("the peer's key would hide nothing");
  shared_ = *shared;
  return true;
}

Result<bool> MseHandshake::skip_to(Octets pattern) {
  const std::size_t end = std::min(unread_.size(), kMaxMsePad + pattern.size());
  const auto window = Octets(unread_).first(end);
  const auto found = std::search(window.begin() + static_cast<std::ptrdiff_t>(searched_),
                                 window.end(), pattern.begin(), pattern.end());
  if (found == window.end()) {
    if (end == kMaxMsePad + pattern.size()) return invalid("the peer's padding has no end");
    searched_ = end - std::min(end, pattern.size() - 1);
    return false;
  }
  drop(static_cast<std::size_t>(found - window.begin()) + pattern.size());
  return true;
}

std::optional<OctetBuffer> MseHandshake::take(std::size_t n) {
  if (unread_.size() < n) return std::nullopt;
  OctetBuffer out(n);
  in_->apply(Octets(unread_).first(n), out);
  drop(n);
  return out;
}

Result<std::size_t> MseHandshake::pad_length(Octets number) {
  const std::size_t length = read_u16(number);
  if (length > kMaxMsePad) return invalid("the peer announces too much padding");
  return length;
}

Sha1 MseHandshake::hash(std::string_view word, Octets rest) const {
  OctetBuffer all;
  append(all, as_octets(word));
  append(all, rest);
  return crypto_.sha1(all);
}

Sha1 MseHandshake::key_of(std::string_view word, const InfoHash& torrent) const {
  OctetBuffer rest(shared_.begin(), shared_.end());
  append(rest, torrent.bytes);
  return hash(word, rest);
}

void MseHandshake::append_encrypted(OctetBuffer& out, Octets octets) {
  const std::size_t at = out.size();
  append(out, octets);
  const auto behind = std::span(out).subspan(at);
  out_->apply(behind, behind);
}

void MseHandshake::finish(bool rc4, Octets initial) {
  MseOutcome outcome;
  outcome.received.assign(initial.begin(), initial.end());
  if (rc4) {
    append(outcome.received, *take(unread_.size()));
    outcome.in = std::move(in_);
    outcome.out = std::move(out_);
  } else {
    append(outcome.received, unread_);
  }
  unread_.clear();
  outcome_ = std::move(outcome);
}

// --- The side that dialled

MseInitiator::MseInitiator(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& offered,
                           const InfoHash& torrent, Octets initial)
    : MseHandshake(crypto, std::move(secrets), offered),
      torrent_(torrent),
      initial_(initial.begin(), initial.end()) {
  TRIBUTARY_CHECK(initial.size() <= kMaxMseInitial);
}

Result<bool> MseInitiator::step(OctetBuffer& out) {
  switch (stage_) {
    case Stage::kKey: {
      Result<bool> key = take_key();
      if (!key || !*key) return key;
      offer(out);
      stage_ = Stage::kVerification;
      return true;
    }
    case Stage::kVerification: {
      Result<bool> there = skip_to(verification_);
      if (there && *there) stage_ = Stage::kSelection;
      return there;
    }
    case Stage::kSelection:
      return take_selection();
    case Stage::kPad:
      if (!take(pad_)) return false;
      finish(rc4_, {});
      return true;
  }
  return false;
}

void MseInitiator::offer(OctetBuffer& out) {
  out_ = crypto_.rc4(key_of("keyA", torrent_));
  in_ = crypto_.rc4(key_of("keyB", torrent_));
  verification_.assign(kVerificationSize, 0);
  in_->apply(verification_, verification_);
  append(out, hash("req1", shared_).bytes);
  append(out, (hash("req2", torrent_.bytes) ^ hash("req3", shared_)).bytes);
  OctetBuffer rest(kVerificationSize, 0);
  append_u32(rest, bits_of(allowed_));
  append_u16(rest, static_cast<std::uint16_t>(secrets_.second_pad.size()));
  append(rest, secrets_.second_pad);
  append_u16(rest, static_cast<std::uint16_t>(initial_.size()));
  append(rest, initial_);
  append_encrypted(out, rest);
}

Result<bool> MseInitiator::take_selection() {
  const auto selection = take(6);
  if (!selection) return false;
  const std::uint32_t method = read_u32(*selection);
  const bool one = method == kPlainMethod || method == kRc4Method;
  if (!one || (method & bits_of(allowed_)) == 0) {
    return invalid("the peer chose an encryption that was not offered");
  }
  rc4_ = method == kRc4Method;
  const auto pad = pad_length(Octets(*selection).subspan(4));
  if (!pad) return pad.error();
  pad_ = *pad;
  stage_ = Stage::kPad;
  return true;
}

// --- The side that was dialled

MseResponder::MseResponder(const MseCrypto& crypto, MseSecrets secrets, const MseMethods& allowed,
                           std::vector<InfoHash> served)
    : MseHandshake(crypto, std::move(secrets), allowed), served_(std::move(served)) {}

Result<bool> MseResponder::step(OctetBuffer& out) {
  switch (stage_) {
    case Stage::kKey: {
      Result<bool> key = take_key();
      if (!key || !*key) return key;
      send_key(out);
      stage_ = Stage::kSynchronisation;
      return true;
    }
    case Stage::kSynchronisation: {
      Result<bool> there = skip_to(hash("req1", shared_).bytes);
      if (there && *there) stage_ = Stage::kTorrent;
      return there;
    }
    case Stage::kTorrent:
      return take_torrent();
    case Stage::kOffer:
      return take_offer();
    case Stage::kPad:
      return take_pad();
    case Stage::kInitial:
      return take_initial(out);
  }
  return false;
}

Result<bool> MseResponder::take_torrent() {
  if (unread_.size() < Sha1::kSize) return false;
  const Sha1 named = Sha1::from(Octets(unread_).first(Sha1::kSize)) ^ hash("req3", shared_);
  drop(Sha1::kSize);
  const auto torrent = std::find_if(served_.begin(), served_.end(), [&](const InfoHash& served) {
    return hash("req2", served.bytes) == named;
  });
  if (torrent == served_.end()) return invalid("the peer wants a torrent that is not here");
  in_ = crypto_.rc4(key_of("keyA", *torrent));
  out_ = crypto_.rc4(key_of("keyB", *torrent));
  stage_ = Stage::kOffer;
  return true;
}

Result<bool> MseResponder::take_offer() {
  const auto offer = take(kVerificationSize + 6);
  if (!offer) return false;
  if (std::any_of(offer->begin(), offer->begin() + kVerificationSize,
                  [](std::uint8_t octet) { return octet != 0; })) {
    return invalid("the peer's encryption does not verify");
  }
  const std::uint32_t both = read_u32(*offer, kVerificationSize) & bits_of(allowed_);
  if ((both & (kPlainMethod | kRc4Method)) == 0) {
    return invalid("the peer offers no encryption that is allowed here");
  }
  rc4_ = (both & kPlainMethod) == 0;  // who minds offers RC4 alone
  const auto pad = pad_length(Octets(*offer).subspan(kVerificationSize + 4));
  if (!pad) return pad.error();
  pad_ = *pad;
  stage_ = Stage::kPad;
  return true;
}

Result<bool> MseResponder::take_pad() {
  const auto pad = take(pad_ + 2);
  if (!pad) return false;
  initial_ = read_u16(*pad, pad_);
  stage_ = Stage::kInitial;
  return true;
}

bool MseResponder::take_initial(OctetBuffer& out) {
  const auto initial = take(initial_);
  if (!initial) return false;
  OctetBuffer answer(kVerificationSize, 0);
  append_u32(answer, rc4_ ? kRc4Method : kPlainMethod);
  append_u16(answer, static_cast<std::uint16_t>(secrets_.second_pad.size()));
  append(answer, secrets_.second_pad);
  append_encrypted(out, answer);
  finish(rc4_, *initial);
  return true;
}

}  // namespace tributary::wire
