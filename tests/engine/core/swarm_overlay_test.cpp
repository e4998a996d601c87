// A swarm's part in the overlay: whom it lets be asked, whom it names, and whom it stays with.
#include <doctest/doctest.h>

#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

ExtendedHandshake hello(std::optional<std::uint16_t> port = 7000, bool overlay = true) {
  ExtendedHandshake out;
  out.listen_port = port;
  out.overlay = overlay;
  return out;
}

struct Rig : SwarmRig {
  explicit Rig(TrackShape shape = {}, const Policy& policy = Policy::peers_only())
      : SwarmRig(policy, with_overlay(shape)) {}
  static TrackShape with_overlay(TrackShape shape) {
    shape.overlay = true;
    return shape;
  }
  Lines come(int n, bool overlay = true) {
    connect(n);
    return say(n, hello(static_cast<std::uint16_t>(7000 + n), overlay));
  }
  // All blocks are here; returns what follows.
  Lines complete() {
    return in(Restored{kTorrent, Bitfield(swarm().layout().block_count(), true)});
  }
  bool announces() {
    connect(99);
    return std::get<ExtendedHandshake>(std::get<Send>(actions().front()).message).overlay;
  }
  // As a peer outside sees us.
  OverlaySources sources(const Endpoint& asker = Endpoint::v4(20, 0, 0, 1, 50000)) const {
    return swarm().overlay_sources({TorrentId(9), conn_of(500), peer_id_of(500), asker, asker});
  }
  // As one in our house does.
  OverlaySources sources_inside() const { return sources(Endpoint::v4(10, 0, 0, 77, 50000)); }
};

TEST_CASE("queries are offered to all peers of a public torrent, where they are wanted") {
  CHECK(Rig().announces());
  CHECK_FALSE(Rig({.is_private = true}).announces());
  SwarmRig off(Policy::peers_only());
  off.connect(1);
  CHECK_FALSE(std::get<ExtendedHandshake>(std::get<Send>(off.actions().front()).message).overlay);
}

TEST_CASE("who listens on loopback alone tells so to those on this machine alone") {
  for (const bool loopback_only : {false, true}) {
    CAPTURE(loopback_only);
    Rig rig({.loopback_only = loopback_only});
    rig.swarm().set_listen_port(6881);
    rig.complete();
    int n = 0;
    for (const Endpoint& remote :
         {Endpoint::v4(127, 0, 0, 1, 50000), Endpoint::v4(20, 0, 0, 1, 50000)}) {
      const bool told = !loopback_only || remote.is_loopback();
      CHECK(rig.sources(remote).self == told);
      rig.in(PeerConnected{
          SwarmRig::kTorrent, conn_of(++n), remote, true, {InfoHash(), peer_id_of(n), true, true}});
      const auto said = std::get<ExtendedHandshake>(std::get<Send>(rig.actions().front()).message);
      CHECK(said.listen_port.has_value() == told);
    }
  }
}

TEST_CASE("only who understands queries may be asked, and nobody of a private torrent") {
  Rig rig;
  rig.come(1);
  rig.come(2, false);
  rig.connect(3);
  REQUIRE(rig.swarm().overlay_links().size() == 1);
  const OverlayLink link = rig.swarm().overlay_links().front();
  CHECK(link.torrent == SwarmRig::kTorrent);
  CHECK(link.conn == conn_of(1));
  CHECK(link.peer == peer_id_of(1));
  CHECK(link.listening == Endpoint::v4(10, 0, 0, 1, 7001));
  CHECK(rig.swarm().overlay_link(conn_of(1)).has_value());
  CHECK_FALSE(rig.swarm().overlay_link(conn_of(2)).has_value());
  CHECK_FALSE(rig.swarm().overlay_link(conn_of(77)).has_value());
  Rig hidden({.is_private = true});
  hidden.come(1);
  CHECK(hidden.swarm().overlay_links().empty());
  CHECK_FALSE(hidden.swarm().overlay_link(conn_of(1)).has_value());
}

TEST_CASE("those are named who have something and listen, to whom peer exchange would name them") {
  Rig rig;
  rig.come(1);
  rig.say(1, HaveAll{});
  rig.come(2);
  rig.say(2, HaveNone{});
  rig.connect(3);
  rig.say(3, hello(std::nullopt));
  rig.say(3, HaveAll{});
  CHECK(rig.sources_inside().peers == std::vector{Endpoint::v4(10, 0, 0, 1, 7001)});
  CHECK(rig.sources().peers.empty());                                 // from outside
  CHECK(rig.sources(Endpoint::v4(10, 0, 0, 1, 7001)).peers.empty());  // himself
  CHECK(rig.sources().torrent == SwarmRig::kTorrent);
}

TEST_CASE("no more are named than an answer holds") {
  Rig rig;
  for (int n = 1; n <= 30; ++n) {
    rig.come(n);
    rig.say(n, HaveAll{});
  }
  CHECK(rig.sources_inside().peers.size() == kMaxOverlayPeers);
}

TEST_CASE("we are a source with some of it, or about to have it, if we give and can be dialled") {
  Rig rig;
  CHECK_FALSE(rig.sources().self);  // nothing is here, nothing is wanted
  rig.swarm().set_listen_port(6881);
  CHECK_FALSE(rig.sources().self);
  rig.start();
  CHECK(rig.sources().self);
  Rig full;
  full.swarm().set_listen_port(6881);
  full.complete();
  CHECK(full.sources().self);
  full.swarm().set_listen_port(0);
  CHECK_FALSE(full.sources().self);
  Rig miser({.upload = false});
  miser.swarm().set_listen_port(6881);
  miser.complete();
  CHECK_FALSE(miser.sources().self);
  full.swarm().set_listen_port(6881);
  full.swarm().close(full.now());
  CHECK_FALSE(full.sources().self);
}

TEST_CASE("of a private torrent nothing is said but that it is") {
  Rig rig({.is_private = true});
  rig.swarm().set_listen_port(6881);
  rig.come(1);
  rig.say(1, HaveAll{});
  rig.complete();
  CHECK(rig.sources_inside().secret);
  CHECK_FALSE(rig.sources_inside().self);
  CHECK(rig.sources_inside().peers.empty());
}

TEST_CASE("offences in the overlay end a connection like others") {
  Rig rig;
  rig.come(1);
  for (int n = 0; n < kMaxOffences; ++n) {
    rig.swarm().note_overlay_offence(conn_of(1), rig.now());
    CHECK(rig.drain().empty());
  }
  rig.swarm().note_overlay_offence(conn_of(1), rig.now());
  CHECK(rig.drain() == Lines{"c1: disconnect"});
}

TEST_CASE("who is found by a query is dialled after all others, and shown as such") {
  Rig rig;
  rig.start();
  const Endpoint first = Endpoint::v4(20, 0, 0, 1, 1);
  const Endpoint second = Endpoint::v4(20, 0, 0, 2, 2);
  CHECK(rig.in(PeersFound{SwarmRig::kTorrent, PeerSource::kOverlay, {first}}) ==
        Lines{"connect 1"});
  const auto connect = std::get<Connect>(rig.actions().back());
  rig.in(PeerConnected{SwarmRig::kTorrent, connect.conn, connect.remote, false,
                       Handshake{InfoHash{}, peer_id_of(9), true, true, false}});
  CHECK(rig.swarm().peers().front().flags == "Q");
  PeerBook book;
  book.add(std::vector{second}, PeerSource::kOverlay);
  book.add(std::vector{first}, PeerSource::kDht);
  CHECK(book.next_dial(TimePoint{}, rig.bans()) == first);
}

TEST_CASE("a listener who has it all stays with ten complete peers, until his track is over") {
  Rig rig;
  rig.start();
  for (int n = 1; n <= 15; ++n) {
    rig.come(n);
    rig.say(n, HaveAll{});
  }
  CHECK(with(rig.complete(), "disconnect").size() == 5);
  CHECK(rig.swarm().overlay_links().size() == static_cast<std::size_t>(kMaxKeptForOverlay));
  const Lines over = rig.in(ClearDemand{SwarmRig::kTorrent, SwarmRig::kFile});
  CHECK(with(over, "disconnect").size() == static_cast<std::size_t>(kMaxKeptForOverlay));
}

TEST_CASE("a seed stays with who became complete here, and not with another seed") {
  Rig rig;
  rig.complete();
  rig.come(1);
  CHECK(with(rig.say(1, HaveAll{}), "disconnect") == Lines{"c1: disconnect"});
  const int pieces = rig.swarm().layout().piece_count();
  int kept = 0;
  for (int n = 2; n <= 20; ++n) {
    rig.come(n);
    rig.say(n, HaveNone{});
    Lines lines;
    for (int p = 0; p < pieces; ++p) lines = rig.say(n, Have{PieceIndex(p)});
    kept += lines.empty() ? 1 : 0;
  }
  CHECK(kept == kMaxKeptForOverlay);
}

TEST_CASE("a listener who has it all dials twenty for queries, and a seed nobody who has all too") {
  const auto dials = [](bool plays, bool only_seeds) {
    Rig rig;
    if (plays) rig.start();
    if (!plays) rig.swarm().share(true, rig.now());
    rig.complete();
    std::vector<Endpoint> others;
    for (int n = 0; n < 30; ++n) {
      others.push_back(Endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(n), 7000));
    }
    const AnnounceReply reply{SwarmRig::kTorrent, "", others, 1800s, 60s, {}, only_seeds};
    std::size_t count = with(rig.in(reply), "connect").size();
    for (int s = 0; s < 20; ++s) {
      std::vector<ConnId> answered;
      for (const Action& action : rig.actions()) {
        if (const auto* dial = std::get_if<Connect>(&action)) answered.push_back(dial->conn);
      }
      for (const ConnId conn : answered) {
        count += with(rig.in(PeerClosed{SwarmRig::kTorrent, conn}), "connect").size();
      }
      count += with(rig.pass(1s), "connect").size();
    }
    return count;
  };
  CHECK(dials(true, true) == 20);
  CHECK(dials(false, true) == 0);
  CHECK(dials(false, false) > 20);
}

TEST_CASE("complete peers that understand no queries part, as do those of private torrents") {
  const auto parted = [](Rig& rig, bool overlay) {
    rig.start();
    rig.come(1, overlay);
    rig.say(1, HaveAll{});
    return with(rig.complete(), "disconnect") == Lines{"c1: disconnect"};
  };
  Rig open;
  CHECK(parted(open, false));
  Rig hidden({.is_private = true});
  CHECK(parted(hidden, true));
}

}  // namespace
}  // namespace tributary::core
