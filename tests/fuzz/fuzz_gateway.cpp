// The gateway's view of foreign text: paths, hosts, origins, tokens, and HLS playlists of torrents.
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "player/gateway/playlist_text.h"
#include "player/gateway/request_guard.h"
#include "player/gateway/settings.h"
#include "player/gateway/shelf.h"

using namespace tributary;

namespace {

const player::Shelf& shelf() {
  static const player::Shelf kShelf = [] {
    auto meta = std::make_shared<core::Metainfo>();
    meta->info.name = "a";
    meta->info.multi_file = true;
    meta->info.v1_hash.emplace();
    for (const char* path : {"index.m3u8", "seg.ts", "d/e f"}) {
      meta->info.files.emplace_back();
      meta->info.files.back().path = path;
    }
    meta->edges = {"http://cdn/"};
    return player::Shelf({{meta, core::FileIndex(0), "a"}});
  }();
  return kShelf;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto path = player::parse_shelf_path(text)) {
    const std::string again = player::format_shelf_path(path->id, path->file);
    const bool plain = path->id.find_first_of("/.") == std::string::npos && again.size() < 8192;
    TRIBUTARY_CHECK(!plain || path->file.empty() || player::parse_shelf_path(again) == path);
  }
  const player::GatewayAccess access{"token", {"name.example"}};
  static_cast<void>(player::refuse({{"host", text}}, text, access));
  static_cast<void>(player::refuse(
      {{"host", "localhost"}, {"origin", text}, {"cookie", text}, {"authorization", text}}, text,
      access));
  static_cast<void>(player::parse_settings(text));
  player::HlsPace pace;
  pace.note(player::rewrite_playlist(text, shelf().torrents()[0], "d/e f", {"http://h", "?token=t"})
                .segments);
  for (const auto& [path, file] : shelf().torrents()[0].files) {
    TRIBUTARY_CHECK(pace.lead("player", path, TimePoint{}) >= Duration::zero());
  }
  return 0;
}
