#include "engine/sim/tracker_model.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/sim/peer_net.h"

namespace tributary::sim {
namespace {

constexpr core::TorrentId kTorrent{2};

struct Office : TrackerHandler {
  EventQueue queue;
  TrackerModel tracker{queue, *this, {}, 5};
  std::vector<core::AnnounceReply> replies;
  int failures = 0;

  void tracker_input(HostId, const core::Input& input) override {
    if (const auto* reply = std::get_if<core::AnnounceReply>(&input)) {
      replies.push_back(*reply);
    } else {
      ++failures;
    }
  }
  void announce(int host, core::AnnounceEvent event = core::AnnounceEvent::kStarted,
                Bytes left = 0_B) {
    const HostId id(host);
    core::Announce action;
    action.torrent = kTorrent;
    action.tracker = "udp://t";
    action.event = event;
    action.left = left;
    tracker.announce(id, PeerNet::endpoint_of(id), action);
    while (auto e = queue.pop()) tracker.on_event(*e);
  }
};

TEST_CASE("an announce names the others, never the one who asks") {
  Office office;
  office.announce(1);
  CHECK(office.replies.back().peers.empty());
  office.announce(2);
  CHECK(office.replies.back().peers == std::vector<Endpoint>{PeerNet::endpoint_of(HostId(1))});
  CHECK(office.tracker.members(kTorrent) == 2);
}

TEST_CASE("a seed that has begun is told of those alone who lack something") {
  Office office;
  office.announce(1);
  office.announce(2, core::AnnounceEvent::kStarted, 1_B);
  office.announce(3);
  CHECK(office.replies.back().peers.size() == 2);
  CHECK_FALSE(office.replies.back().only_seeds);
  office.announce(3, core::AnnounceEvent::kNone);
  CHECK(office.replies.back().peers == std::vector<Endpoint>{PeerNet::endpoint_of(HostId(2))});
  office.announce(2, core::AnnounceEvent::kCompleted);
  CHECK(office.replies.back().peers.empty());
  CHECK(office.replies.back().only_seeds);
  office.announce(3, core::AnnounceEvent::kNone);
  CHECK(office.replies.back().peers.empty());
}

TEST_CASE("at most fifty peers are named, all different") {
  Office office;
  for (int i = 0; i < 80; ++i) office.announce(i);
  std::vector<Endpoint> peers = office.replies.back().peers;
  CHECK(peers.size() == 50);
  std::sort(peers.begin(), peers.end());
  CHECK(std::adjacent_find(peers.begin(), peers.end()) == peers.end());
}

TEST_CASE("a stopped peer is named no more, a forgotten one neither") {
  Office office;
  office.announce(1);
  office.announce(2);
  office.announce(1, core::AnnounceEvent::kStopped);
  office.tracker.forget(HostId(2));
  office.announce(3);
  CHECK(office.replies.back().peers.empty());
}

TEST_CASE("a tracker that is down fails the announce after its time-out") {
  Office office;
  office.tracker.set_down(true);
  office.announce(1);
  CHECK(office.failures == 1);
  CHECK(office.queue.now() == TimePoint(15s));
  CHECK(office.tracker.members(kTorrent) == 0);
}

TEST_CASE("one torrent's announces can be answered later than those of others") {
  Office office;
  const auto takes = [&office] {
    const TimePoint before = office.queue.now();
    office.announce(1);
    return office.queue.now() - before;
  };
  office.tracker.set_delay(core::TorrentId(kTorrent.value() - 1), 1h);
  office.tracker.set_delay(core::TorrentId(kTorrent.value() + 1), 1h);
  CHECK(takes() == TrackerParams{}.round_trips);
  office.tracker.set_delay(kTorrent, 15s);
  CHECK(takes() == TrackerParams{}.round_trips + 15s);
}

}  // namespace
}  // namespace tributary::sim
