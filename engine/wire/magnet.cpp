#include "engine/wire/magnet.h"

#include <algorithm>
#include <charconv>

#include "engine/base/check.h"
#include "engine/wire/address.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/octets.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

constexpr std::string_view kScheme = "magnet:?";
constexpr std::string_view kV1Urn = "urn:btih:";
constexpr std::string_view kV2Urn = "urn:btmh:";
constexpr std::string_view kSha256Multihash = "1220";  // SHA-256, 32 bytes

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool starts_with_any_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(),
                                                    [](char a, char b) { return a == lower(b); });
}

Error bad(std::string_view parameter, const std::string& what,
          ErrorCode code = ErrorCode::kInvalid) {
  return {code, "magnet link: " + std::string(parameter) + ": " + what};
}

// RFC 4648 section 6. Nothing unless the text is exactly the digits of `size` bytes.
std::optional<OctetBuffer> decode_base32(std::string_view text, std::size_t size) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr unsigned kBits = 5;  // in each digit
  OctetBuffer out;
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (char c : text) {
    const std::size_t value = kAlphabet.find(lower(c));
    if (value == std::string_view::npos) return std::nullopt;
    held = (held << kBits | static_cast<std::uint32_t>(value)) & 0xffffU;
    held_bits += kBits;
    if (held_bits < 8) continue;
    held_bits -= 8;
    out.push_back(static_cast<std::uint8_t>(held >> held_bits));
  }
  if (held_bits != 0 || out.size() != size) return std::nullopt;
  return out;
}

template <class Hash>
Result<void> set_hash(std::optional<Hash>& hash, const std::optional<OctetBuffer>& bytes,
                      const char* expected) {
  if (!bytes) return bad("xt", std::string("not ") + expected);
  const Hash value = Hash::from(*bytes);
  if (hash && *hash != value) return bad("xt", "names two torrents");
  hash = value;
  return {};
}

Result<void> read_topic(std::string_view urn, Magnet& out) {
  if (starts_with_any_case(urn, kV1Urn)) {
    const std::string_view digits = urn.substr(kV1Urn.size());
    const auto hex = decode_hex(digits, Sha1::kSize);
    return set_hash(out.v1_hash, hex ? hex : decode_base32(digits, Sha1::kSize),
                    "40 hex digits or 32 of base32 behind urn:btih:");
  }
  if (!starts_with_any_case(urn, kV2Urn)) return {};  // of another network
  const std::string_view digits = urn.substr(kV2Urn.size());
  const bool sha256 = digits.starts_with(kSha256Multihash);
  return set_hash(
      out.v2_hash,
      sha256 ? decode_hex(digits.substr(kSha256Multihash.size()), Sha256::kSize) : std::nullopt,
      "1220 and 64 hex digits behind urn:btmh:");
}

Result<void> read_tracker(std::string_view url, Magnet& out) {
  const std::string_view text = trim(url);
  if (text.size() > kMaxUrlLength) return bad("tr", "a URL over 8192 bytes", ErrorCode::kLimit);
  const bool known =
      std::find(out.trackers.begin(), out.trackers.end(), text) != out.trackers.end();
  if (!text.empty() && !known && out.trackers.size() < kMaxTrackers) {
    out.trackers.emplace_back(text);
  }
  return {};
}

Result<void> read_edge(std::string_view url, Magnet& out) {
  const std::string_view text = trim(url);
  const bool known = std::find(out.edges.begin(), out.edges.end(), text) != out.edges.end();
  if (is_http_url(text) && !known && out.edges.size() < kMaxEdges) out.edges.emplace_back(text);
  return {};
}

bool is_host_char(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == ':';
}

Result<void> read_peer(std::string_view text, Magnet& out) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const bool has_port = colon != std::string_view::npos &&
                        std::from_chars(text.data() + colon + 1, end, port).ptr == end && port > 0;
  const bool sound = !host.empty() && host.size() <= kMaxHostLength &&
                     std::all_of(host.begin(), host.end(), is_host_char) &&
                     (bracketed || host.find(':') == std::string_view::npos);
  if (!has_port || !sound) return bad("x.pe", "'" + printable(text) + "' is no HOST:PORT");
  HostPort peer{std::string(host), port};
  const bool known = std::find(out.peers.begin(), out.peers.end(), peer) != out.peers.end();
  if (!known && out.peers.size() < kMaxMagnetPeers) out.peers.push_back(std::move(peer));
  return {};
}

std::optional<std::int32_t> read_index(std::string_view text) {
  std::int32_t index = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, index);
  const bool sound = error == std::errc() && at == end && index >= 0;
  return sound && index < static_cast<std::int32_t>(kMaxFiles) ? std::optional(index)
                                                               : std::nullopt;
}

// "0,2,4-6".
Result<void> read_selection(std::string_view text, Magnet& out) {
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t dash = item.find('-');
    const auto first = read_index(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : read_index(item.substr(dash + 1));
    if (!first || !last || *last < *first) {
      return bad("so", "'" + printable(item) + "' is no file's number or range like 4-6");
    }
    if (out.selected.size() == kMaxMagnetRanges) {
      return bad("so", "more than " + std::to_string(kMaxMagnetRanges) + " ranges",
                 ErrorCode::kLimit);
    }
    out.selected.push_back({*first, *last});
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

// "tr.1" is "tr"; "x.pe" stays.
std::string_view without_number(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return name;
  const std::string_view number = name.substr(dot + 1);
  const bool digits =
      std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? name.substr(0, dot) : name;
}

Result<void> read_parameter(std::string_view name, std::string_view encoded, Magnet& out) {
  const auto value = percent_decode(encoded);
  if (!value) return bad(name, "a '%' without two hex digits behind it");
  if (name == "xt") return read_topic(*value, out);
  if (name == "tr") return read_tracker(*value, out);
  if (name == "ws") return read_edge(*value, out);
  if (name == "x.pe") return read_peer(*value, out);
  if (name == "so") return read_selection(*value, out);
  return {};
}

// Many programs write a space as '+', which a name in a link stands for more often than for itself.
Result<void> read_name(std::string_view encoded, Magnet& out) {
  std::string text(encoded);
  std::replace(text.begin(), text.end(), '+', ' ');
  const auto value = percent_decode(text);
  if (!value) return bad("dn", "a '%' without two hex digits behind it");
  if (out.name.empty()) out.name = *value;
  return {};
}

bool is_known(std::string_view name) {
  return name == "xt" || name == "tr" || name == "ws" || name == "x.pe" || name == "so";
}

}  // namespace

std::vector<InfoHash> Magnet::info_hashes() const {
  core::TorrentInfo info;
  info.v1_hash = v1_hash;
  info.v2_hash = v2_hash;
  return info.info_hashes();
}

bool Magnet::selects(core::FileIndex file) const {
  return selected.empty() || std::any_of(selected.begin(), selected.end(), [&](FileSpan span) {
           return span.first <= file.value() && file.value() <= span.last;
         });
}

bool is_magnet(std::string_view text) { return starts_with_any_case(text, "magnet:"); }

Result<Magnet> parse_magnet(std::string_view link) {
  if (link.size() > kMaxMagnetLength) {
    return Error{ErrorCode::kLimit, "magnet link: over 64 KiB"};
  }
  if (!starts_with_any_case(link, kScheme))
    return invalid("magnet link: it begins magnet:?, as in magnet:?xt=urn:btih:HASH");
  std::string_view rest = link.substr(kScheme.size());
  Magnet out;
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view parameter = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = without_number(parameter.substr(0, equals));
    const std::string_view value = parameter.substr(equals + 1);
    auto read = name == "dn"     ? read_name(value, out)
                : is_known(name) ? read_parameter(name, value, out)
                                 : Result<void>();
    if (!read) return read.error();
  }
  if (!out.v1_hash && !out.v2_hash) {
    return bad("xt", "missing; a torrent is named by urn:btih: or urn:btmh:");
  }
  return out;
}

std::string format_magnet(const Magnet& magnet) {
  TRIBUTARY_CHECK(magnet.v1_hash || magnet.v2_hash);
  std::string out(kScheme);
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (!out.ends_with('?')) out += '&';
    out.append(name).append("=").append(value);
  };
  if (magnet.v1_hash) add("xt", std::string(kV1Urn) + magnet.v1_hash->hex());
  if (magnet.v2_hash) {
    add("xt", std::string(kV2Urn) + std::string(kSha256Multihash) + magnet.v2_hash->hex());
  }
  if (!magnet.name.empty()) add("dn", percent_encode(magnet.name));
  for (const std::string& url : magnet.trackers) add("tr", percent_encode(url));
  for (const std::string& url : magnet.edges) add("ws", percent_encode(url));
  for (const HostPort& peer : magnet.peers) {
    const bool v6 = peer.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + peer.host + "]" : peer.host;
    add("x.pe", percent_encode(host) + ":" + std::to_string(peer.port));
  }
  std::string ranges;
  for (const FileSpan& span : magnet.selected) {
    if (!ranges.empty()) ranges += ',';
    ranges += std::to_string(span.first);
    if (span.last != span.first) ranges += '-' + std::to_string(span.last);
  }
  if (!ranges.empty()) add("so", ranges);
  return out;
}

Magnet magnet_of(const core::Metainfo& meta) {
  Magnet out;
  out.v1_hash = meta.info.v1_hash;
  out.v2_hash = meta.info.v2_hash;
  out.name = meta.info.name;
  for (const auto& tier : meta.trackers) {
    for (const std::string& url : tier) {
      const bool known =
          std::find(out.trackers.begin(), out.trackers.end(), url) != out.trackers.end();
      if (!known) out.trackers.push_back(url);
    }
  }
  out.edges = meta.edges;
  return out;
}

}  // namespace tributary::wire
