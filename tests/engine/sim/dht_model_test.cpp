#include "engine/sim/dht_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace tributary::sim {
namespace {

const core::TorrentId kTrack(7);

InfoHash hash_of(core::TorrentId torrent) {
  InfoHash hash;
  hash.bytes.fill(static_cast<std::uint8_t>(torrent.value()));
  return hash;
}

struct Town : DhtHandler {
  EventQueue queue;
  Links links{queue};
  DhtModel dht{queue, links, *this, 1};
  std::map<HostId, std::vector<Endpoint>> found;

  void dht_found(HostId host, core::TorrentId torrent,
                 const std::vector<Endpoint>& peers) override {
    CHECK(torrent == kTrack);
    found[host].insert(found[host].end(), peers.begin(), peers.end());
  }
  static Endpoint endpoint(HostId host) {
    return Endpoint::v4(11, 0, 0, static_cast<std::uint8_t>(host.value() + 1), 6881);
  }
  HostId add(bool reachable = true) {
    const HostId host = links.add_host({5_Mbps, 10_Mbps, 10ms, 0});
    dht.join(host, endpoint(host), reachable);
    run(1s);
    return host;
  }
  void run(Duration time) {
    const TimePoint end = queue.now() + time;
    while (queue.next_time() <= end) dht.on_event(*queue.pop());
    queue.advance(end);
  }
  void search(HostId host) {
    dht.search(host, kTrack, hash_of(kTrack));
    run(30s);
  }
  bool knows(HostId host, HostId other) {
    const std::vector<Endpoint>& peers = found[host];
    return std::find(peers.begin(), peers.end(), endpoint(other)) != peers.end();
  }
};

TEST_CASE("who searches is told of who searched before") {
  Town town;
  for (int i = 0; i < 20; ++i) town.add();
  const HostId first = town.add();
  const HostId second = town.add();
  town.search(first);
  CHECK(town.found.empty());
  town.search(second);
  CHECK(town.knows(second, first));
  CHECK_FALSE(town.knows(first, second));
  town.search(first);
  CHECK(town.knows(first, second));
}

TEST_CASE("who is behind NAT finds others and is found by none") {
  Town town;
  for (int i = 0; i < 20; ++i) town.add();
  const HostId hidden = town.add(false);
  const HostId open = town.add();
  town.search(hidden);
  town.search(open);
  CHECK_FALSE(town.knows(open, hidden));
  town.search(hidden);
  CHECK(town.knows(hidden, open));
}

TEST_CASE("a search outlives the hosts that leave while it asks them") {
  Town town;
  std::vector<HostId> others;
  for (int i = 0; i < 20; ++i) others.push_back(town.add());
  const HostId first = town.add();
  const HostId second = town.add();
  town.search(first);
  town.dht.search(second, kTrack, hash_of(kTrack));
  town.run(15ms);  // the first questions are under way
  for (int i = 0; i < 5; ++i) town.dht.leave(others[static_cast<std::size_t>(i)]);
  town.run(30s);
  CHECK(town.knows(second, first));
  CHECK_FALSE(town.dht.is_here(others[0]));
}

TEST_CASE("who came first joins through those that came later") {
  Town town;
  const HostId first = town.add();
  for (int i = 0; i < 8; ++i) town.add();
  const HostId last = town.add();
  town.search(last);
  town.search(first);
  CHECK(town.knows(first, last));
}

}  // namespace
}  // namespace tributary::sim
