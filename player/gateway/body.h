// Bodies of answers that are read from a torrent while they are sent.
#pragma once

#include <functional>
#include <memory>

#include "engine/net/http_server.h"
#include "player/client/reader.h"
#include "player/gateway/playlist_text.h"

namespace tributary::player {

// The bytes of the range; waits for each until it is verified. `sent` is told what was handed on.
net::BodyStream file_body(std::unique_ptr<Reader> reader, ByteRange range,
                          std::function<void(Bytes)> sent);

// An HLS playlist: read whole, then rewritten; `noted` is told of its segments. REQUIRES: the file
// is no longer than kMaxHlsPlaylist; the torrent outlives the body.
net::BodyStream hls_body(std::unique_ptr<Reader> reader, const ShelfTorrent& torrent,
                         std::string path, GatewayBase base,
                         std::function<void(const std::vector<HlsSegment>&)> noted);

}  // namespace tributary::player
