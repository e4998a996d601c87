// How a swarm tells its torrent to those who have a magnet link only.
#include "engine/core/metadata_server.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr int kPieces = 100;

// An info dictionary of 99 pieces and a byte.
TrackShape described(bool is_private = false) {
  return {.is_private = is_private, .info_size = kMetadataPieceSize * (kPieces - 1) + 1_B};
}

const ExtendedHandshake* hello_of(const SwarmRig& rig) {
  for (const Action& action : rig.actions()) {
    const auto* send = std::get_if<Send>(&action);
    if (send && std::holds_alternative<ExtendedHandshake>(send->message)) {
      return &std::get<ExtendedHandshake>(send->message);
    }
  }
  return nullptr;
}

TEST_CASE("a peer is told how long the info dictionary is, and given its pieces") {
  SwarmRig rig(Policy::adaptive(), described());
  rig.connect(1);
  const ExtendedHandshake* hello = hello_of(rig);
  REQUIRE(hello);
  CHECK(hello->metadata);
  CHECK(hello->metadata_size == kMetadataPieceSize * (kPieces - 1) + 1_B);
  CHECK(rig.say(1, MetadataRequest{0}) == Lines{"c1: metadata 0 of 16384 bytes"});
  CHECK(rig.say(1, MetadataRequest{99}) == Lines{"c1: metadata 99 of 1 bytes"});
  CHECK(rig.say(1, MetadataRequest{100}) == Lines{"c1: metadata reject 100"});
  CHECK(rig.say(1, MetadataRequest{INT32_MAX}).size() == 1);
}

TEST_CASE("nobody is told of a private torrent, a plain URL, or by who uploads nothing") {
  SwarmRig secret(Policy::adaptive(), described(true));
  SwarmRig plain(Policy::adaptive(), {});
  TrackShape quiet_shape = described();
  quiet_shape.upload = false;
  SwarmRig quiet(Policy::adaptive(), quiet_shape);
  for (SwarmRig* rig : {&secret, &plain, &quiet}) {
    rig->connect(1);
    const ExtendedHandshake* hello = hello_of(*rig);
    REQUIRE(hello);
    CHECK_FALSE(hello->metadata);
    CHECK_FALSE(hello->metadata_size.has_value());
    CHECK(rig->say(1, MetadataRequest{0}) == Lines{"c1: metadata reject 0"});
  }
}

TEST_CASE("after a burst of 1 MiB all peers together get 64 pieces a second") {
  SwarmRig rig(Policy::adaptive(), described());
  int sent = 0;
  const auto count = [&sent](const Lines& lines) {
    sent += static_cast<int>(std::count_if(lines.begin(), lines.end(), [](const auto& line) {
      return line.find("metadata ") != std::string::npos;
    }));
  };
  for (int n = 1; n <= 8; ++n) {
    rig.connect(n);
    for (int i = 0; i < kMaxMetadataWaiting; ++i) count(rig.say(n, MetadataRequest{i}));
  }
  CHECK(sent == kMetadataBurst);
  count(rig.pass(1s));
  CHECK(sent == kMetadataBurst + kMetadataPerSecond);
  count(rig.pass(1min));
  CHECK(sent == 8 * kMaxMetadataWaiting);
}

TEST_CASE("more than 32 waiting requests of one peer are rejected, and more than that end it") {
  SwarmRig rig(Policy::adaptive(), described());
  rig.connect(1);
  for (int i = 0; i < kMetadataBurst + kMaxMetadataWaiting; ++i) rig.say(1, MetadataRequest{0});
  CHECK(rig.say(1, MetadataRequest{0}) == Lines{"c1: metadata reject 0"});
  Lines last;
  for (int i = 0; i < kMaxOffences; ++i) last = rig.say(1, MetadataRequest{0});
  CHECK(last == Lines{"c1: metadata reject 0", "c1: disconnect"});
}

TEST_CASE("what a peer asked for that left is not sent, and keeps nobody waiting") {
  SwarmRig rig(Policy::adaptive(), described());
  for (int n : {1, 2}) rig.connect(n);
  for (int i = 0; i < kMetadataBurst + 10; ++i) rig.say(1, MetadataRequest{0});
  CHECK(rig.say(2, MetadataRequest{7}).empty());
  rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(1)});
  CHECK(with(rig.pass(Duration(1s) / kMetadataPerSecond), "metadata") ==
        Lines{"c2: metadata 7 of 16384 bytes"});
}

}  // namespace
}  // namespace tributary::core
