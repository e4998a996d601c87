#include "engine/core/metadata_fetch.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/core/rig/describe.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr TorrentId kId{3};
constexpr Bytes kSize = 20'000_B;  // two pieces

Endpoint peer(int n) { return Endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(n), 6881); }

LayerSpan some_layer() { return {hash_of(5), 1, 3, 4}; }

// Actions as text, peers by the number in their address.
class FetchRig {
 public:
  struct Setting {
    std::vector<std::vector<std::string>> trackers{};
    bool dht = false;
    bool v2 = false;
  };
  explicit FetchRig() : FetchRig(Setting()) {}
  explicit FetchRig(const Setting& s)
      : fetch_({{InfoHash{}}, s.v2, s.trackers},
               {.id = kId, .peer_id = peer_id_of(1000), .dht = s.dht, .client_name = "T"}, bans_,
               now_) {}

  MetadataFetch& fetch() { return fetch_; }
  BanList& bans() { return bans_; }
  TimePoint now() const { return now_; }
  const MetadataFetched* fetched() const { return fetched_ ? &*fetched_ : nullptr; }

  Lines in(const Input& input) {
    fetch_.handle(input, now_);
    return drain();
  }
  Lines drain() {
    Lines lines;
    while (auto action = fetch_.poll()) {
      if (const auto* dial = std::get_if<Connect>(&*action)) dials_[dial->remote] = dial->conn;
      if (const auto* done = std::get_if<MetadataFetched>(&*action)) fetched_ = *done;
      lines.push_back(line(*action));
    }
    return lines;
  }
  Lines pass(Duration time) {
    const TimePoint end = now_ + time;
    Lines lines;
    while (true) {
      now_ = std::clamp(fetch_.next_deadline(), now_ + 1us, end);
      fetch_.tick(now_);
      for (std::string& line : drain()) lines.push_back(std::move(line));
      if (now_ == end) return lines;
    }
  }
  // The peer is known to the user and accepts our call.
  Lines connect(int n, bool extended = true, bool v2 = false) {
    fetch_.add_peer(peer(n), now_);
    drain();
    REQUIRE(dials_.contains(peer(n)));
    return in(PeerConnected{kId, conn(n), peer(n), false,
                            Handshake{InfoHash{}, peer_id_of(n), true, extended, v2, false}});
  }
  ConnId conn(int n) const { return dials_.at(peer(n)); }
  Lines say(int n, Message message) { return in(PeerMessage{kId, conn(n), std::move(message)}); }
  Lines hello(int n, std::optional<Bytes> size = kSize, bool metadata = true) {
    ExtendedHandshake hello;
    hello.metadata = metadata;
    hello.metadata_size = size;
    return say(n, hello);
  }
  Lines data(int n, std::int32_t piece, std::uint8_t fill = 1) {
    const Bytes length = std::min(kMetadataPieceSize, kSize - kMetadataPieceSize * piece);
    return say(
        n, MetadataData{piece, kSize,
                        std::vector<std::uint8_t>(static_cast<std::size_t>(length.count()), fill)});
  }
  Lines verified(bool good, std::vector<LayerSpan> layers = {}, bool has_v1 = true,
                 bool is_private = false) {
    return in(MetadataVerified{kId, good, is_private, has_v1, std::move(layers)});
  }

 private:
  std::string line(const Action& action) const {
    std::string text = describe(action, layout_);
    for (const auto& [remote, conn] : dials_) {
      const std::string prefix = "c" + std::to_string(conn.value()) + ": ";
      const std::string number = std::to_string(remote.address[15]);
      if (text.starts_with(prefix)) return number + ": " + text.substr(prefix.size());
    }
    return text;
  }

  TimePoint now_{};
  BanList bans_;
  MetadataFetch fetch_;
  const Layout layout_{make_track({}).info};
  std::map<Endpoint, ConnId> dials_;
  std::optional<MetadataFetched> fetched_;
};

TEST_CASE("a fetch dials the peers it is told of and greets them as one that has nothing") {
  FetchRig rig;
  CHECK(rig.connect(1) == Lines{"1: hello", "1: have none"});
  CHECK(rig.fetch().progress().connected == 1);
  CHECK(rig.fetch().progress().size == 0_B);
}

TEST_CASE("the dictionary of a v1 torrent is all there is to fetch") {
  FetchRig rig;
  rig.connect(1);
  CHECK(rig.hello(1) == Lines{"1: metadata request 0", "1: metadata request 1"});
  CHECK(rig.data(1, 1).empty());
  CHECK(rig.data(1, 0) == Lines{"verify metadata"});
  CHECK(rig.verified(true) == Lines{"1: disconnect", "metadata fetched"});
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->end == FetchEnd::kDone);
  CHECK(std::ssize(rig.fetched()->info) == kSize.count());
  CHECK(rig.fetched()->layers.empty());
  CHECK(rig.fetched()->peers == std::vector<Endpoint>{peer(1)});
  CHECK(rig.fetch().next_deadline() == kNever);
  CHECK_FALSE(rig.fetch().answers_to(InfoHash{}));
}

TEST_CASE("peers share the dictionary's pieces, and a reject gives them to another") {
  FetchRig rig;
  rig.connect(1);
  rig.connect(2);
  CHECK(rig.hello(1).size() == 2);
  CHECK(rig.hello(2).empty());
  CHECK(rig.say(1, MetadataReject{0}) == Lines{"2: metadata request 0"});
}

TEST_CASE("who lies is disconnected and banned, and the others go on") {
  FetchRig rig;
  rig.connect(1);
  rig.connect(2);
  rig.hello(1);
  rig.hello(2);
  rig.data(1, 0, 7);
  rig.data(1, 1, 7);
  CHECK(rig.verified(false) ==
        Lines{"1: disconnect", "2: metadata request 0", "2: metadata request 1"});
  CHECK(rig.bans().is_banned(peer(1), rig.now()));
  CHECK_FALSE(rig.bans().is_banned(peer(2), rig.now()));
  rig.data(2, 0);
  rig.data(2, 1);
  rig.verified(true);
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->peers == std::vector<Endpoint>{peer(2)});
}

TEST_CASE("a liar on this machine is not banned but not heard again either") {
  FetchRig rig;
  const Endpoint here = Endpoint::v4(127, 0, 0, 1, 7000);
  rig.fetch().add_peer(here, rig.now());
  rig.drain();
  const ConnId conn(std::uint64_t{kId.value()} << 40 | 1);
  const Input up =
      PeerConnected{kId, conn, here, false, Handshake{InfoHash{}, peer_id_of(1), true, true}};
  rig.in(up);
  ExtendedHandshake hello;
  hello.metadata = true;
  hello.metadata_size = 3_B;
  rig.in(PeerMessage{kId, conn, hello});
  CHECK(rig.in(PeerMessage{kId, conn, MetadataData{0, 3_B, {1, 2, 3}}}).size() == 1);
  rig.verified(false);
  CHECK_FALSE(rig.bans().is_banned(here, rig.now()));
  rig.pass(6s);  // it is dialled again
  const ConnId again(std::uint64_t{kId.value()} << 40 | 2);
  const Lines lines = rig.in(
      PeerConnected{kId, again, here, false, Handshake{InfoHash{}, peer_id_of(1), true, true}});
  CHECK(lines.size() == 1);
  CHECK(lines.front().ends_with("disconnect"));
}

TEST_CASE("a peer that can be of no use makes room") {
  FetchRig rig;
  CHECK(rig.connect(1, false) == Lines{"1: disconnect"});
  rig.connect(2);
  CHECK(rig.hello(2, std::nullopt, false) == Lines{"2: disconnect"});
  rig.connect(3);
  CHECK(rig.hello(3, kMaxMetadataSize + 1_B) == Lines{"3: disconnect"});
  rig.connect(4);
  CHECK(rig.hello(4, std::nullopt).empty());
  CHECK(with(rig.pass(19s), "4: disconnect").empty());
  CHECK(with(rig.pass(2s), "4: disconnect").size() == 1);
  rig.connect(5);
  rig.hello(5);
  MetadataData wrong{0, kSize, {1, 2, 3}};
  CHECK(with(rig.say(5, wrong), "5: disconnect").size() == 1);
}

TEST_CASE("what a swarm would want is ignored, payloads are freed, and requests rejected") {
  FetchRig rig;
  rig.connect(1);
  CHECK(rig.say(1, HaveAll{}).empty());
  CHECK(rig.say(1, Unchoke{}).empty());
  CHECK(rig.say(1, MetadataData{0, kSize, {1}}).empty());
  CHECK(rig.say(1, Piece{{PieceIndex(0), 0_B, 16_KiB}, BufferId(1)}) == Lines{"free"});
  CHECK(rig.say(1, MetadataRequest{0}) == Lines{"1: metadata reject 0"});
  CHECK(rig.in(PeerClosed{kId, rig.conn(1)}).empty());
  CHECK(rig.say(1, Piece{{PieceIndex(0), 0_B, 16_KiB}, BufferId(1)}) == Lines{"free"});
}

TEST_CASE("trackers are asked, and the DHT a second after them, or at once without them") {
  FetchRig tracked({.trackers = {{"http://t/"}}, .dht = true});
  CHECK(tracked.pass(1s - 1us) == Lines{"announce http://t/ started"});
  CHECK(with(tracked.pass(1us), "search the DHT").size() == 1);
  CHECK(with(tracked.in(AnnounceReply{kId, "http://t/", {peer(9)}, 30min, 30min}), "connect 6881")
            .size() == 1);
  FetchRig trackerless({.dht = true});
  CHECK(trackerless.pass(1us) == Lines{"search the DHT"});
  CHECK(trackerless.in(PeersFound{kId, PeerSource::kDht, {peer(9)}}) == Lines{"connect 6881"});
  FetchRig without;
  CHECK(without.pass(1s).empty());
}

TEST_CASE("the piece layers of a v2 torrent are fetched by hash requests") {
  FetchRig rig({.v2 = true});
  rig.connect(1, true, true);
  rig.hello(1);
  rig.data(1, 0);
  rig.data(1, 1);
  CHECK(rig.verified(true, {some_layer()}, false) == Lines{"1: hash request"});
  CHECK(rig.fetch().progress().layers);
  const HashSpan span{hash_of(5), 1, 0, 4, 1};
  const Hashes hashes{span, {hash_of(1), hash_of(2), hash_of(3), hash_of(4)}};
  CHECK(rig.say(1, hashes) == Lines{"1: verify layer"});
  rig.in(LayerVerified{kId, rig.conn(1), span, true});
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->end == FetchEnd::kDone);
  REQUIRE(rig.fetched()->layers.size() == 1);
  CHECK(rig.fetched()->layers[0] == hashes.hashes);
}

TEST_CASE("wrong layers are blamed on who sent them") {
  FetchRig rig({.v2 = true});
  for (int n : {1, 2}) {
    rig.connect(n, true, true);
    rig.hello(n);
  }
  rig.data(1, 0);
  rig.data(1, 1);
  CHECK(rig.verified(true, {some_layer()}, false) == Lines{"1: hash request"});
  const HashSpan span{hash_of(5), 1, 0, 4, 1};
  rig.say(1, Hashes{span, {hash_of(1), hash_of(1), hash_of(1), hash_of(1)}});
  CHECK(rig.in(LayerVerified{kId, rig.conn(1), span, false}) ==
        Lines{"1: disconnect", "2: hash request"});
  CHECK(rig.bans().is_banned(peer(1), rig.now()));
}

TEST_CASE("a hybrid whose layers nobody gives soon begins without them") {
  FetchRig rig;
  rig.connect(1);
  rig.hello(1);
  rig.data(1, 0);
  rig.data(1, 1);
  CHECK(rig.verified(true, {some_layer()}, true).empty());
  rig.pass(kLayerPatience - 1ms);
  CHECK_FALSE(rig.fetched());
  rig.pass(1s);
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->end == FetchEnd::kDone);
  CHECK(rig.fetched()->layers.empty());
  CHECK_FALSE(rig.fetched()->info.empty());
}

TEST_CASE("a fetch ends after a minute and says how far it came") {
  FetchRig nobody({.trackers = {{"http://t/"}}});
  nobody.pass(kFetchLimit);
  REQUIRE(nobody.fetched());
  CHECK(nobody.fetched()->end == FetchEnd::kNobody);

  FetchRig silent;
  silent.connect(1);
  silent.hello(1);
  silent.pass(kFetchLimit);
  REQUIRE(silent.fetched());
  CHECK(silent.fetched()->end == FetchEnd::kNoMetadata);

  FetchRig layers;
  layers.connect(1);
  layers.hello(1);
  layers.data(1, 0);
  layers.data(1, 1);
  layers.verified(true, {some_layer()}, false);
  layers.pass(kFetchLimit);
  REQUIRE(layers.fetched());
  CHECK(layers.fetched()->end == FetchEnd::kNoLayers);
  CHECK(layers.fetched()->info.empty());
}

TEST_CASE("the peers that were there are told on, first those who told the torrent") {
  FetchRig rig;
  for (int n : {1, 2}) rig.connect(n);
  rig.hello(2);
  rig.data(2, 0);
  rig.data(2, 1);
  rig.verified(true);
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->peers == std::vector<Endpoint>{peer(2), peer(1)});
}

TEST_CASE("of a private torrent only peers that its tracker or the user named are told on") {
  FetchRig rig({.dht = true});
  rig.connect(1);
  rig.hello(1);
  rig.in(PeersFound{kId, PeerSource::kDht, {peer(2)}});
  const Lines up = rig.connect(2);
  rig.hello(2);
  rig.data(1, 0);
  rig.data(1, 1);
  rig.verified(true, {}, true, true);
  REQUIRE(rig.fetched());
  CHECK(rig.fetched()->peers == std::vector<Endpoint>{peer(1)});
}

TEST_CASE("a fetch that is closed says goodbye to its peers and nothing more") {
  FetchRig rig;
  rig.connect(1);
  rig.fetch().close(rig.now());
  CHECK(rig.drain() == Lines{"1: disconnect"});
  CHECK(rig.pass(2min).empty());
}

}  // namespace
}  // namespace tributary::core
