#include "engine/net/digests.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <string_view>
#include <thread>
#include <vector>

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
