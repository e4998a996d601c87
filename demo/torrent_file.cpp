#include "demo/torrent_file.h"

#include "engine/net/bounded_file.h"
#include "engine/net/digests.h"

namespace tributary::demo {

Result<core::Metainfo> read_torrent(const std::string& path) {
  TRIBUTARY_TRY(bytes, net::read_bounded(path, wire::kMaxMetainfoSize, "a .torrent"));
  auto metainfo = wire::parse_metainfo(wire::as_octets(bytes), net::kDigester);
  if (metainfo) return metainfo;
  return Error{metainfo.error().code, "'" + path + "': " + metainfo.error().message};
}

}  // namespace tributary::demo
