#include "engine/wire/tracker.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/check.h"
#include "engine/wire/address.h"
#include "engine/wire/bencode.h"
#include "engine/wire/peer_list.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

std::string join_query(std::string_view url, std::string_view added) {
  UrlParts parts = split_url(url);
  std::string query(parts.query.value_or(""));
  if (!query.empty() && !query.ends_with('&')) query += '&';
  query += added;
  parts.query = query;
  parts.fragment.reset();
  return join_url(parts);
}

std::string_view event_name(core::AnnounceEvent event) {
  switch (event) {
    case core::AnnounceEvent::kNone:
      return "";
    case core::AnnounceEvent::kStarted:
      return "started";
    case core::AnnounceEvent::kStopped:
      return "stopped";
    case core::AnnounceEvent::kCompleted:
      return "completed";
  }
  return "";
}

std::string hex_key(std::uint32_t key) {
  std::array<char, 8> digits{};
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), key, 16).ptr;
  const std::string text(digits.data(), end);
  return std::string(8 - text.size(), '0') + text;
}

Result<BencodeDocument> decode_answer(Octets body) {
  BencodeLimits limits;
  limits.max_size = kMaxTrackerAnswer;
  limits.max_items = kMaxTrackerAnswer / 8;
  limits.max_depth = 8;
  auto document = decode_bencode(body, limits);
  if (!document)
    return Error{document.error().code, "tracker's answer: " + document.error().message};
  if (!document->root().is_dict()) return invalid("tracker's answer: no dictionary");
  const auto failure = document->root().find("failure reason").string();
  if (failure) return io_error("tracker refuses: " + printable(*failure));
  return document;
}

Result<void> read_compact_peers(BencodeView value, std::size_t size, PeerList& out) {
  if (out.add_compact(as_octets(*value.string()), size)) return {};
  return invalid("tracker's answer: peers of a broken length");
}

// The model of BEP 3. Peers that are named by host name are passed over.
void read_listed_peers(BencodeView list, PeerList& out) {
  for (BencodeView peer : list.children()) {
    const auto ip = peer.find("ip").string();
    const std::int64_t port = peer.find("port").integer().value_or(0);
    if (!ip || port < 1 || port > 65535) continue;
    const auto endpoint = parse_address(*ip, static_cast<std::uint16_t>(port));
    if (endpoint) out.add(*endpoint);
  }
}

Result<void> read_peers(BencodeView value, std::size_t compact_size, PeerList& out) {
  if (value.string()) return read_compact_peers(value, compact_size, out);
  read_listed_peers(value, out);
  return {};
}

std::optional<std::int64_t> read_count(BencodeView value) {
  const auto n = value.integer();
  return n && *n >= 0 ? n : std::nullopt;
}

// Each byte as the character of that number, in UTF-8: so bittorrent-tracker (npm) writes keys.
std::string as_characters(Octets bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    if (byte >= 0x80) out += static_cast<char>(0xc0 | byte >> 6);
    out += static_cast<char>(byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte);
  }
  return out;
}

BencodeView find_hash(BencodeView files, const InfoHash& hash) {
  const BencodeView found = files.find(as_text(hash.bytes));
  return found.is_dict() ? found : files.find(as_characters(hash.bytes));
}

}  // namespace

Duration bounded_announce_interval(std::int64_t seconds) {
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(kMaxAnnounceInterval).count();
  const Duration asked = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, most));
  return std::max(asked, kMinAnnounceInterval);
}

std::string announce_url(const AnnounceRequest& request) {
  std::string query = "info_hash=" + percent_encode(as_text(request.info_hash.bytes));
  query += "&peer_id=" + percent_encode(as_text(request.peer_id.bytes));
  query += "&port=" + std::to_string(request.port);
  query += "&uploaded=" + std::to_string(request.uploaded.count());
  query += "&downloaded=" + std::to_string(request.downloaded.count());
  query += "&left=" + std::to_string(request.left.count());
  query += "&compact=1&no_peer_id=1";
  query += "&numwant=" + std::to_string(request.want);
  query += "&key=" + hex_key(request.key);
  if (request.event != core::AnnounceEvent::kNone) {
    query += "&event=" + std::string(event_name(request.event));
  }
  if (!request.tracker_id.empty()) query += "&trackerid=" + percent_encode(request.tracker_id);
  return join_query(request.tracker, query);
}

Result<std::string> scrape_url(std::string_view tracker, std::span<const InfoHash> hashes) {
  TRIBUTARY_CHECK(!hashes.empty() && hashes.size() <= kMaxScrapeHashes);
  UrlParts parts = split_url(tracker);
  constexpr std::string_view kAnnounce = "announce";
  const std::size_t slash = parts.path.rfind('/');
  if (slash == std::string_view::npos || !parts.path.substr(slash + 1).starts_with(kAnnounce)) {
    return Error{ErrorCode::kUnsupported,
                 "tracker has no scrape: its URL's last segment does not "
                 "begin with \"announce\""};
  }
  const std::string path = std::string(parts.path.substr(0, slash + 1)) + "scrape" +
                           std::string(parts.path.substr(slash + 1 + kAnnounce.size()));
  parts.path = path;
  std::string query;
  for (const InfoHash& hash : hashes) {
    query += (query.empty() ? "info_hash=" : "&info_hash=") + percent_encode(as_text(hash.bytes));
  }
  return join_query(join_url(parts), query);
}

Result<AnnounceAnswer> decode_announce_answer(Octets body) {
  TRIBUTARY_TRY(document, decode_answer(body));
  const BencodeView root = document.root();
  AnnounceAnswer out;
  const auto default_s =
      std::chrono::duration_cast<std::chrono::seconds>(kDefaultAnnounceInterval).count();
  out.interval = bounded_announce_interval(root.find("interval").integer().value_or(default_s));
  if (const auto least = root.find("min interval").integer()) {
    out.min_interval = std::min(bounded_announce_interval(*least), out.interval);
  }
  out.seeds = read_count(root.find("complete"));
  out.leechers = read_count(root.find("incomplete"));
  out.warning = printable(root.find("warning message").string().value_or(""));
  const std::string_view id = root.find("tracker id").string().value_or("");
  if (id.size() <= 256) out.tracker_id = id;
  out.own_address = read_address(as_octets(root.find("external ip").string().value_or("")));
  PeerList peers;
  if (auto read = read_peers(root.find("peers"), kCompactV4Size, peers); !read) {
    return read.error();
  }
  if (auto read = read_peers(root.find("peers6"), kCompactV6Size, peers); !read) {
    return read.error();
  }
  out.peers = peers.take();
  return out;
}

Result<std::vector<SwarmCounts>> decode_scrape_answer(Octets body,
                                                      std::span<const InfoHash> asked) {
  TRIBUTARY_TRY(document, decode_answer(body));
  const BencodeView files = document.root().find("files");
  if (!files.is_dict()) return invalid("tracker's answer: no list of files");
  std::vector<SwarmCounts> out;
  for (const InfoHash& hash : asked) {
    const BencodeView counts = find_hash(files, hash);
    out.push_back({.seeds = read_count(counts.find("complete")).value_or(0),
                   .leechers = read_count(counts.find("incomplete")).value_or(0),
                   .downloaded = read_count(counts.find("downloaded")).value_or(0)});
  }
  return out;
}

}  // namespace tributary::wire
