// A client that knows of a track no more than a magnet link says.
#include "engine/wire/magnet.h"

#include <doctest/doctest.h>

#include "engine/net/digests.h"
#include "engine/wire/info_dictionary.h"
#include "engine/wire/metainfo.h"
#include "tests/player/client/rig.h"

namespace tributary::player {
namespace {

ClientOptions options_of() {
  ClientOptions options;
  options.host.listen = Endpoint::v4(127, 0, 0, 1, 0);
  options.audio = "null";
  return options;
}

// A file of noise that passes for a track, and its torrent's metainfo.
struct Published {
  explicit Published(const std::string& name) : directory(make_directory(name)), rig(directory) {
    run_command("ffmpeg -v error -y -f lavfi -i 'anoisesrc=d=20:a=0.3:seed=7' -c:a flac '" +
                directory + "/noise.flac'");
    torrent = rig.publish("noise.flac", 32_KiB);
    auto parsed = wire::parse_metainfo(read_bytes(torrent), net::kDigester);
    REQUIRE(parsed.ok());
    metainfo = *std::move(parsed);
  }
  std::string link() const { return wire::format_magnet(wire::magnet_of(metainfo)); }

  std::string directory;
  Rig rig;
  std::string torrent;
  core::Metainfo metainfo;
};

TEST_CASE("a magnet link becomes the torrent that it stands for, piece layers included") {
  Published track("magnet");
  track.rig.add_seed(track.torrent);
  track.rig.run();
  auto client = Client::create(options_of());
  REQUIRE(client.ok());
  const auto items = (*client)->load({track.link() + "&so=0"});
  REQUIRE_MESSAGE(items.ok(), (items.ok() ? "" : items.error().message));
  REQUIRE(items->size() == 1);
  const core::Metainfo& meta = *items->front().metainfo;
  CHECK(meta.info_bytes == track.metainfo.info_bytes);
  CHECK(meta.info.v1_hash == track.metainfo.info.v1_hash);
  CHECK(meta.info.v2_hash == track.metainfo.info.v2_hash);
  REQUIRE(track.metainfo.info.files[0].piece_layer.size() > 2);
  CHECK(meta.info.files[0].piece_layer == track.metainfo.info.files[0].piece_layer);
  CHECK(meta.trackers == track.metainfo.trackers);
  CHECK(meta.edges == track.metainfo.edges);
  CHECK(items->front().title == "noise");
  CHECK(items->front().peers.size() == 1);
}

TEST_CASE("a magnet link of another torrent's peers is not resolved, and can be given up") {
  Published track("magnet-lost");
  track.rig.run();  // nobody seeds
  ClientOptions options = options_of();
  int told = 0;
  options.resolving = [&told](const core::FetchProgress& progress) {
    CHECK(progress.connected == 0);
    return ++told < 2;
  };
  auto client = Client::create(std::move(options));
  REQUIRE(client.ok());
  const auto items = (*client)->load({track.link()});
  REQUIRE_FALSE(items.ok());
  CHECK(items.error().code == ErrorCode::kCancelled);
  CHECK(told == 2);
  (*client)->finish();
}

TEST_CASE("a selection of nothing that plays is an error that names the parameter") {
  Published track("magnet-none");
  track.rig.add_seed(track.torrent);
  track.rig.run();
  auto client = Client::create(options_of());
  REQUIRE(client.ok());
  const auto items = (*client)->load({track.link() + "&so=1"});
  REQUIRE_FALSE(items.ok());
  CHECK(items.error().message.find("so: ") != std::string::npos);
  CHECK(items.error().message.find("noise.flac") != std::string::npos);
}

TEST_CASE("without anybody to ask, or with a policy that asks nobody, the error says so at once") {
  const std::string bare = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=x";
  for (const core::Policy& policy : {core::Policy::adaptive(), core::Policy::cdn_only()}) {
    ClientOptions options = options_of();
    options.host.policy = policy;
    auto client = Client::create(std::move(options));
    REQUIRE(client.ok());
    const auto items = (*client)->load({bare});
    REQUIRE_FALSE(items.ok());
    CHECK(items.error().message.starts_with("magnet link 'x': "));
    CHECK(items.error().code ==
          (policy.use_peers ? ErrorCode::kNotFound : ErrorCode::kUnsupported));
  }
}

TEST_CASE("the resolver tells a wrong dictionary from one that is right but of no use") {
  MagnetResolver resolver;
  wire::Magnet magnet;
  const std::vector<std::uint8_t> junk = {'d', 'e'};
  magnet.v1_hash = net::sha1(junk);
  std::vector<std::string> errors;
  const core::FetchTarget target =
      resolver.begin(core::TorrentId(1), magnet, [&](const Result<ResolvedMagnet>& result) {
        errors.push_back(result ? "none" : result.error().message);
      });
  CHECK(target.hashes.size() == 1);
  CHECK_FALSE(target.v2);
  const auto wrong = resolver.verify(core::VerifyMetadata{core::TorrentId(1), {'l', 'e'}});
  REQUIRE(wrong.has_value());
  CHECK_FALSE(wrong->good);
  CHECK(errors.empty());
  CHECK_FALSE(resolver.verify(core::VerifyMetadata{core::TorrentId(1), junk}).has_value());
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with("it stands for no usable torrent: "));
  CHECK(resolver.magnet(core::TorrentId(1)) == nullptr);
}

TEST_CASE("each way in which a fetch can fail is told with how to mend it") {
  for (const core::FetchEnd end :
       {core::FetchEnd::kNobody, core::FetchEnd::kNoMetadata, core::FetchEnd::kNoLayers}) {
    MagnetResolver resolver;
    wire::Magnet magnet;
    magnet.v1_hash = Sha1{};
    std::string error;
    resolver.begin(core::TorrentId(1), magnet, [&](const Result<ResolvedMagnet>& result) {
      REQUIRE_FALSE(result.ok());
      error = result.error().message;
    });
    resolver.finish(
        {.torrent = core::TorrentId(1), .end = end, .info = {}, .layers = {}, .peers = {}});
    CHECK(error.find("--peer") != std::string::npos);
    CHECK(error.find("60 s") != std::string::npos);
  }
}

}  // namespace
}  // namespace tributary::player
