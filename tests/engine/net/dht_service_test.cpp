#include "engine/net/dht_service.h"

#include <doctest/doctest.h>

#include <map>

#include "engine/net/dht_socket.h"
#include "tests/engine/net/store_fixture.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kLimit = 20s;
constexpr core::TorrentId kSearched{3};
const std::vector<InfoHash> kHashes{InfoHash::from(std::vector<std::uint8_t>(20, 0x11)),
                                    InfoHash::from(std::vector<std::uint8_t>(20, 0x22))};

// A client's part in the DHT, and what it was told.
struct Client {
  explicit Client(Loop& loop, DhtServiceOptions options = {}) {
    if (options.at == Endpoint()) options.at = kAnyPort;
    auto started = DhtService::start(
        loop, std::move(options),
        [this](core::TorrentId torrent, const std::vector<Endpoint>& peers) {
          auto& known = found[torrent];
          known.insert(known.end(), peers.begin(), peers.end());
        },
        [this](LogLevel, std::string_view line) { log.emplace_back(line); });
    REQUIRE(started.ok());
    service = std::move(*started);
  }
  std::unique_ptr<DhtService> service;
  std::map<core::TorrentId, std::vector<Endpoint>> found;
  std::vector<std::string> log;
};

HostPort at(std::uint16_t port) { return {"127.0.0.1", port}; }

std::unique_ptr<DhtSocket> plain_node(Loop& loop) {
  auto node = DhtSocket::listen(loop, kAnyPort, {}, {});
  REQUIRE(node.ok());
  return *std::move(node);
}

TEST_CASE("who announces a torrent is found by who searches for it, under each of its hashes") {
  Loop loop;
  const auto host = plain_node(loop);
  Client seed(loop, {.at = kAnyPort, .hosts = {at(host->address().port)}});
  seed.service->search(kSearched, {kHashes[1]}, 7001);
  const auto stored = [&] { return host->node().peer_store().peer_count() == 1; };
  REQUIRE(loop.run_until(stored, kLimit));
  Client seeker(loop);
  seeker.service->search(core::TorrentId(5), kHashes, 0);
  CHECK(seeker.found.empty());
  // Known late, as from a peer's word: the search has waited for it.
  seeker.service->add_host(host->address());
  REQUIRE(loop.run_until([&] { return !seeker.found.empty(); }, kLimit));
  CHECK(seeker.found[core::TorrentId(5)] ==
        std::vector<Endpoint>{Endpoint::v4(127, 0, 0, 1, 7001)});
  CHECK(host->node().peer_store().peer_count() == 1);  // the seeker did not announce itself
}

TEST_CASE("nothing is sent before the first search") {
  Loop loop;
  const auto host = plain_node(loop);
  Client client(loop, {.at = kAnyPort, .hosts = {at(host->address().port)}});
  client.service->add_host(host->address());
  Client other(loop, {.at = kAnyPort, .hosts = {at(host->address().port)}});
  other.service->search(kSearched, kHashes, 7001);
  REQUIRE(loop.run_until([&] { return host->node().peer_store().peer_count() > 0; }, kLimit));
  CHECK(host->node().table().size() <= 1);
}

TEST_CASE("a client that cannot be reached is in nobody's table, and finds peers all the same") {
  Loop loop;
  const auto host = plain_node(loop);
  Client seed(loop, {.at = kAnyPort, .hosts = {at(host->address().port)}});
  seed.service->search(kSearched, kHashes, 7001);
  REQUIRE(loop.run_until([&] { return host->node().peer_store().peer_count() == 2; }, kLimit));
  Client seeker(
      loop,
      {.at = Endpoint::v4(0, 0, 0, 0, 0), .read_only = true, .hosts = {at(host->address().port)}});
  seeker.service->search(kSearched, kHashes, 0);
  REQUIRE(loop.run_until([&] { return !seeker.found.empty(); }, kLimit));
  CHECK(host->node().table().size() == 1);
}

TEST_CASE("the table of the last run is enough to find the way back") {
  Loop loop;
  const test::ScratchDirectory scratch;
  const std::string table = scratch.path + "/dht";
  const auto host = plain_node(loop);
  {
    Client first(loop, {.at = kAnyPort, .hosts = {at(host->address().port)}, .table = table});
    REQUIRE(first.service->save().ok());
    CHECK_FALSE(std::filesystem::exists(table));  // there was nothing to keep yet
    first.service->search(kSearched, kHashes, 7001);
    REQUIRE(loop.run_until([&] { return host->node().peer_store().peer_count() == 2; }, kLimit));
    REQUIRE(first.service->save().ok());
    CHECK(first.log.empty());
  }
  Client second(loop, {.at = kAnyPort, .table = table});
  second.service->search(kSearched, kHashes, 0);
  REQUIRE(loop.run_until([&] { return !second.found.empty(); }, kLimit));
}

TEST_CASE("a port that is taken and a table that is none are told, and done without") {
  Loop loop;
  const test::ScratchDirectory scratch;
  const std::string table = scratch.path + "/dht";
  std::ofstream(table) << "no table";
  const auto taken = plain_node(loop);
  Client client(loop, {.at = taken->address(), .table = table});
  CHECK(client.service->port() != taken->address().port);
  REQUIRE(client.log.size() == 2);
  CHECK(client.log[0].find(table) != std::string::npos);
  CHECK(client.log[1].find("cannot listen on") != std::string::npos);
}

TEST_CASE("hosts that have no address are told, and the others asked") {
  Loop loop;
  const auto host = plain_node(loop);
  Client client(loop, {.at = kAnyPort, .hosts = {{"::1", 1}, at(host->address().port)}});
  client.service->search(kSearched, kHashes, 7001);
  CHECK(loop.run_until([&] { return host->node().peer_store().peer_count() == 2; }, kLimit));
}

}  // namespace
}  // namespace tributary::net
