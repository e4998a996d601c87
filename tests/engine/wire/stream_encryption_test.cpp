#include "engine/wire/stream_encryption.h"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/engine/wire/toy_crypto.h"

namespace tributary::wire {
namespace {

constexpr MseMethods kBoth{.plain = true, .rc4 = true};
constexpr MseMethods kRc4Only{.plain = false, .rc4 = true};
constexpr MseMethods kPlainOnly{.plain = true, .rc4 = false};

InfoHash hash_of(std::uint8_t fill) {
  InfoHash hash;
  hash.bytes.fill(fill);
  return hash;
}

OctetBuffer octets(std::string_view text) {
  const Octets view = as_octets(text);
  return {view.begin(), view.end()};
}

// Gives all that is waiting, in portions; false once the side has failed.
bool give(MseHandshake& to, OctetBuffer& waiting, OctetBuffer& out, std::size_t portion) {
  const OctetBuffer all = std::exchange(waiting, {});
  for (std::size_t at = 0; at < all.size() && !to.done(); at += portion) {
    const auto part = Octets(all).subspan(at, std::min(portion, all.size() - at));
    if (!to.feed(part, out)) return false;
  }
  return true;
}

struct Exchange {
  MseMethods offered = kBoth;
  MseMethods allowed = kBoth;
  std::vector<InfoHash> served{hash_of(1), hash_of(2)};
  std::size_t pad = 100;
  std::size_t portion = 4096;
  OctetBuffer initial = octets("hello");

  // Lets them speak until both are done or one has failed.
  void run() {
    MseInitiator a(kToyCrypto, toy_secrets(3, pad, pad), offered, hash_of(2), initial);
    MseResponder b(kToyCrypto, toy_secrets(5, pad, pad), allowed, served);
    OctetBuffer to_a;
    OctetBuffer to_b;
    a.begin(to_b);
    while (!failed && (!to_a.empty() || !to_b.empty())) {
      if (!give(b, to_b, to_a, portion)) failed = true;
      if (change_answer && b.done()) change_answer(to_a);
      if (!give(a, to_a, to_b, portion)) failed = true;
    }
    if (a.done()) dialled = a.take();
    if (b.done()) answered = b.take();
  }
  std::string at_b() const { return std::string(as_text(answered->received)); }

  std::function<void(OctetBuffer&)> change_answer{};
  bool failed = false;
  std::optional<MseOutcome> dialled{};
  std::optional<MseOutcome> answered{};
};

std::string across(StreamCipher& from, StreamCipher& to, std::string_view text) {
  OctetBuffer bytes = octets(text);
  from.apply(bytes, bytes);
  CHECK(as_text(bytes) != text);
  to.apply(bytes, bytes);
  return std::string(as_text(bytes));
}

TEST_CASE("who offers RC4 alone gets it, and both directions decrypt") {
  for (const std::size_t portion : {1, 7, 4096}) {
    Exchange x{.offered = kRc4Only, .portion = portion};
    x.run();
    REQUIRE((x.dialled && x.answered));
    CHECK((x.dialled->encrypted() && x.answered->encrypted()));
    CHECK(x.at_b() == "hello");
    CHECK(across(*x.dialled->out, *x.answered->in, "to the listener") == "to the listener");
    CHECK(across(*x.answered->out, *x.dialled->in, "to the dialler") == "to the dialler");
  }
}

TEST_CASE("where both kinds are offered and allowed the stream goes on in the clear") {
  Exchange x;
  x.run();
  REQUIRE((x.dialled && x.answered));
  CHECK_FALSE(x.dialled->encrypted());
  CHECK_FALSE(x.answered->encrypted());
  CHECK(x.at_b() == "hello");
}

TEST_CASE("a listener that allows RC4 alone chooses it of two") {
  Exchange x{.allowed = kRc4Only};
  x.run();
  REQUIRE((x.dialled && x.answered));
  CHECK(x.dialled->encrypted());
}

TEST_CASE("a listener that allows RC4 alone refuses an offer of plain streams") {
  Exchange x{.offered = kPlainOnly, .allowed = kRc4Only};
  x.run();
  CHECK(x.failed);
  CHECK_FALSE(x.answered);
}

TEST_CASE("padding may be nothing or all that is allowed") {
  for (const std::size_t pad : {std::size_t{0}, kMaxMsePad}) {
    Exchange x{.offered = kRc4Only, .pad = pad, .portion = 13};
    x.run();
    REQUIRE((x.dialled && x.answered));
    CHECK(x.at_b() == "hello");
  }
}

TEST_CASE("the initial payload may be nothing, or longer than a read") {
  for (const std::size_t size : {std::size_t{0}, kMaxMseInitial}) {
    Exchange x{.initial = OctetBuffer(size, 9)};
    x.run();
    REQUIRE(x.answered);
    CHECK(x.answered->received == OctetBuffer(size, 9));
  }
}

TEST_CASE("who knows none of the info-hashes served is refused") {
  Exchange x{.served = {hash_of(1), hash_of(3)}};
  x.run();
  CHECK(x.failed);
}

// Where the choice of the method ends in the listener's answer, without pads.
constexpr std::size_t kChoiceEnd = 8 + 4;

TEST_CASE("a choice that was not offered is refused") {
  Exchange x{.offered = kRc4Only, .pad = 0};
  x.change_answer = [](OctetBuffer& answer) { answer[kChoiceEnd - 1] ^= 3; };  // RC4 to plain
  x.run();
  CHECK((x.failed && !x.dialled));
}

TEST_CASE("a choice of two methods at once is refused") {
  Exchange x{.pad = 0};
  x.change_answer = [](OctetBuffer& answer) { answer[kChoiceEnd - 1] ^= 2; };  // plain to both
  x.run();
  CHECK((x.failed && !x.dialled));
}

TEST_CASE("more padding than allowed is refused as soon as it is announced") {
  Exchange x{.pad = 0};
  x.change_answer = [](OctetBuffer& answer) { answer[kChoiceEnd] ^= 4; };  // of 1024
  x.run();
  CHECK((x.failed && !x.dialled));
}

TEST_CASE("a dialler whose octets synchronise nowhere is refused after a bounded number") {
  MseResponder b(kToyCrypto, toy_secrets(5, 0, 0), kBoth, {hash_of(1)});
  OctetBuffer out;
  constexpr std::size_t kMost = 96 + kMaxMsePad + 20;
  std::size_t given = 0;
  bool failed = false;
  for (; !failed && given < 2 * kMost; ++given) failed = !b.feed(OctetBuffer(1, 7), out);
  CHECK(failed);
  CHECK(given == kMost);
}

TEST_CASE("a listener whose octets synchronise nowhere is refused after a bounded number") {
  MseInitiator a(kToyCrypto, toy_secrets(3, 0, 0), kBoth, hash_of(1), {});
  OctetBuffer out;
  constexpr std::size_t kMost = 96 + kMaxMsePad + 8;
  std::size_t given = 0;
  bool failed = false;
  for (; !failed && given < 2 * kMost; ++given) failed = !a.feed(OctetBuffer(1, 7), out);
  CHECK(failed);
  CHECK(given == kMost);
}

TEST_CASE("a key from which all the world would know the secret is refused") {
  MseResponder b(kToyCrypto, toy_secrets(5, 0, 0), kBoth, {hash_of(1)});
  OctetBuffer out;
  CHECK_FALSE(b.feed(OctetBuffer(96, 0), out).ok());
  CHECK(out.empty());
}

TEST_CASE("a listener says nothing before it has the dialler's whole key") {
  MseResponder b(kToyCrypto, toy_secrets(5, 0, 0), kBoth, {hash_of(1)});
  OctetBuffer out;
  CHECK(b.feed(OctetBuffer(95, 1), out).ok());
  CHECK(out.empty());
  CHECK(b.feed(OctetBuffer(1, 1), out).ok());
  CHECK(out.size() == 96);
}

}  // namespace
}  // namespace tributary::wire
