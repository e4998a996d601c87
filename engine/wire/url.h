// The little of URLs (RFC 3986) that trackers, web seeds and playlists need. Texts are bytes; no
// scheme is favoured and nothing is looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/core/torrent_info.h"

namespace tributary::wire {

// Bytes of a URL that this program will use. HTTP servers commonly refuse more.
inline constexpr std::size_t kMaxUrlLength = 8192;

// The parts of a reference, as in RFC 3986 section 3; views into the text that was split. A part
// that is absent is nothing, one that is empty is "". Joining the parts gives the text again.
struct UrlParts {
  std::optional<std::string_view> scheme;     // without ':'
  std::optional<std::string_view> authority;  // without "//"
  std::string_view path;
  std::optional<std::string_view> query;     // without '?'
  std::optional<std::string_view> fragment;  // without '#'
};
UrlParts split_url(std::string_view url);
std::string join_url(const UrlParts& parts);

// Whether the scheme is http or https, an authority is there, and no space or control byte.
bool is_http_url(std::string_view url);

// Whether the host is this machine by its text alone: localhost, 127.0.0.0/8 or [::1].
bool is_loopback_url(std::string_view url);

// Every byte but the unreserved ones (letters, digits, "-._~") becomes %XX.
std::string percent_encode(std::string_view text);
// Nothing when a '%' is not followed by two hex digits. A '+' stays as it is.
std::optional<std::string> percent_decode(std::string_view text);

// `reference` as seen from `base` (RFC 3986 section 5.2). REQUIRES: base has a scheme.
std::string resolve_url(std::string_view base, std::string_view reference);

// Where a web seed (BEP 19) has one file of a torrent. A single-file torrent's URL is used as it is
// unless it ends in '/', to which the name is appended; a multi-file torrent's is followed by
// name/path, each component percent-encoded, in front of a query if there is one.
// REQUIRES: file is of info.files and no padding.
std::string web_seed_url(std::string_view edge, const core::TorrentInfo& info,
                         const core::FileEntry& file);

}  // namespace tributary::wire
