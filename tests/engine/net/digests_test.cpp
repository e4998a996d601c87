#include "engine/net/digests.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/net/hash_lanes.h"

namespace {
std::function<void()> while_loading;
}

// Called by tests/engine/net/loading/module.cpp.
extern "C" void during_loading() { while_loading(); }

namespace tributary::net {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// FIPS 180-4 examples.
constexpr const char* kSha1Abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
constexpr const char* kSha256Abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_CASE("digests of the published examples are right") {
  CHECK(sha1(bytes("abc")).hex() == kSha1Abc);
  CHECK(sha256(bytes("abc")).hex() == kSha256Abc);
  CHECK(sha1({}).hex() == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(sha256({}).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digest over parts equals the one over the whole, also when used again") {
  Sha1Digesting one;
  Sha256Digesting two;
  for (int i = 0; i < 2; ++i) {
    one.update(bytes("a"));
    one.update(bytes("bc"));
    two.update(bytes("ab"));
    two.update(bytes("c"));
    CHECK(one.finish().hex() == kSha1Abc);
    CHECK(two.finish().hex() == kSha256Abc);
  }
}

TEST_CASE("threads digest at the same time") {
  std::array<int, 4> wrong{};
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 500; ++i) {
        count += sha1(bytes("abc")).hex() != kSha1Abc;
        count += sha256(bytes("abc")).hex() != kSha256Abc;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::array<int, 4>{});
}

TEST_CASE("a thread's first digest does not wait for a library that another thread loads") {
  using namespace std::chrono_literals;
  std::promise<Sha256> digest;
  std::thread hasher;
  bool in_time = false;
  while_loading = [&] {
    hasher = std::thread([&digest] { digest.set_value(sha256({})); });
    // A limit, not an expectation: a digest that needs the loader's lock would never come.
    in_time = digest.get_future().wait_for(10s) == std::future_status::ready;
  };
  void* module = dlopen(TRIBUTARY_LOADING_MODULE, RTLD_NOW);
  REQUIRE(module);
  hasher.join();
  CHECK(in_time);
  CHECK(dlclose(module) == 0);
}

// Of sizes around a block of SHA-256, and the payload's; all in one buffer.
TEST_CASE("many digests at once are those that each would have alone") {
  std::vector<std::uint8_t> memory(64 * 16384);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(i * i >> 7);
  constexpr std::array<std::size_t, 8> kSizes{16384, 1, 55, 56, 64, 16383, 119, 16384};
  for (std::size_t count = 0; count < 200; count = count * 3 / 2 + 1) {
    CAPTURE(count);
    std::vector<wire::Octets> blocks;
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(wire::Octets(memory).subspan(i * 997, kSizes[i % kSizes.size()]));
    }
    std::vector<Sha256> alone;
    for (const wire::Octets block : blocks) alone.push_back(sha256(block));
    std::vector<Sha256> together(count);
    if (HashLanes* lanes = HashLanes::load()) lanes->sha256(blocks, together);
    CHECK((HashLanes::load() == nullptr || together == alone));
    together.assign(count, Sha256{});
    sha256_each(blocks, together);
    CHECK(together == alone);
  }
}

TEST_CASE("many digests at once leave out what is empty, and go on after the first 16 MiB") {
  const std::vector<std::uint8_t> memory(16384, 5);
  std::vector<wire::Octets> blocks(64, wire::Octets(memory));
  std::vector<Sha256> digests(blocks.size());
  for (int i = 0; i < 40; ++i) {
    digests.assign(blocks.size(), Sha256{});
    sha256_each(blocks, digests);
    CHECK(std::count(digests.begin(), digests.end(), sha256(memory)) == 64);
  }
  blocks[3] = {};
  sha256_each(blocks, digests);
  CHECK(digests[3] == Sha256{});
  CHECK(digests[4] == sha256(memory));
}

TEST_CASE("random bytes fill the whole span and differ from call to call") {
  std::array<std::uint8_t, 64> a{};
  std::array<std::uint8_t, 64> b{};
  secure_random(a);
  secure_random(b);
  CHECK(a != b);
  CHECK(secure_random_u64() != secure_random_u64());
}

}  // namespace
}  // namespace tributary::net
