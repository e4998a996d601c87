// The host's own work: what comes faster than the disk takes it.
#include "player/client/host.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/net/digests.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/metainfo_build.h"
#include "engine/wire/piece_hasher.h"
#include "tests/player/client/rig.h"
#include "tests/support/any_port.h"

namespace tributary::player {
namespace {

constexpr Duration kDeadline = 60s;

std::shared_ptr<const core::Metainfo> publish(const std::string& folder, Bytes size) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size.count()));
  Random random(7);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  write_bytes(folder + "/noise", bytes);
  wire::PieceHasher hasher(64_KiB, net::kDigester);
  hasher.begin_file();
  hasher.add(bytes);
  wire::HashedFiles hashed = hasher.finish();
  wire::Publication publication;
  publication.name = "noise";
  publication.piece_length = 64_KiB;
  publication.files.push_back({"noise", hashed.lengths[0], hashed.leaves[0], {}});
  publication.piece_hashes = hashed.piece_hashes;
  const auto torrent = wire::build_metainfo(publication, net::kDigester);
  REQUIRE(torrent.ok());
  auto parsed = wire::parse_metainfo(std::vector<std::uint8_t>(torrent->begin(), torrent->end()),
                                     net::kDigester);
  REQUIRE(parsed.ok());
  return std::make_shared<const core::Metainfo>(*std::move(parsed));
}

std::unique_ptr<Host> make_host(net::Loop& loop, HostOptions options) {
  options.policy = core::Policy::peers_only();
  options.listen = kAnyPort;
  auto host = Host::create(loop, std::move(options), {});
  REQUIRE(host.ok());
  return *std::move(host);
}

}  // namespace

TEST_CASE("a seed that is faster than the disk is slowed down, and sends nothing twice") {
  constexpr Bytes kSize = 24_MiB;
  const std::string folder = make_directory("faster-than-disk");
  const auto metainfo = publish(folder, kSize);
  net::Loop loop;
  const auto seed = make_host(loop, {});
  HostOptions small;
  small.cache_directory = make_directory("faster-than-disk-cache");
  small.memory_limit = 1_MiB;
  const auto leech = make_host(loop, small);
  bool ready = false;
  seed->open(metainfo, [&](const OpenTorrent& torrent) {
    seed->add_source(torrent.id, folder, {}, [&, id = torrent.id](const Bitfield&) {
      seed->share(id, true);
      ready = true;
    });
  });
  REQUIRE(loop.run_until([&] { return ready; }, kDeadline));
  OpenTorrent opened;
  leech->open(metainfo, [&](const OpenTorrent& torrent) { opened = torrent; });
  REQUIRE(loop.run_until([&] { return opened.info != nullptr; }, kDeadline));
  leech->set_background(opened.id, true);
  leech->add_peer(opened.id, *seed->listening());
  const auto complete = [&] { return leech->node().swarm(opened.id)->have_blocks().all(); };
  CHECK(loop.run_until(complete, kDeadline));
  CHECK(leech->store_stats().lost_blocks == 0);
  CHECK(leech->link_totals().payload_in == kSize);
}

TEST_CASE("a host that is gone by then tells nothing of what it had still to tell") {
  const auto metainfo = publish(make_directory("gone-by-then"), 64_KiB);
  net::Loop loop;
  auto host = make_host(loop, {});
  int told = 0;
  const auto tell = [&told](const OpenTorrent&) { ++told; };
  host->open(metainfo, tell);
  REQUIRE(loop.run_until([&] { return told == 1; }, kDeadline));
  host->open(metainfo, tell);
  host.reset();
  bool turned = false;
  loop.post([&turned] { turned = true; });
  REQUIRE(loop.run_until([&] { return turned; }, kDeadline));
  CHECK(told == 1);
}

}  // namespace tributary::player
