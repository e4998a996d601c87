#include "engine/wire/local_discovery.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/base/check.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

constexpr std::string_view kFirstLine = "BT-SEARCH * HTTP/1.1";

// Up to the end of the line, which is taken off the front.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<InfoHash> parse_hash(std::string_view hex) {
  InfoHash hash;
  if (hex.size() != 2 * InfoHash::kSize) return std::nullopt;
  for (std::size_t i = 0; i < InfoHash::kSize; ++i) {
    const char* digits = hex.data() + 2 * i;
    const auto read = std::from_chars(digits, digits + 2, hash.bytes[i], 16);
    if (read.ec != std::errc() || read.ptr != digits + 2) return std::nullopt;
  }
  return hash;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return whole && port != 0 ? std::optional(port) : std::nullopt;
}

void take_header(std::string_view name, std::string_view value, LocalAnnouncement& out) {
  if (same_name(name, "Port")) {
    out.port = parse_port(value).value_or(0);
  } else if (same_name(name, "cookie")) {
    out.cookie = std::string(value.substr(0, kMaxLocalCookie));
  } else if (same_name(name, "Infohash") && out.torrents.size() < kMaxLocalHashes) {
    if (const auto hash = parse_hash(value)) out.torrents.push_back(*hash);
  }
}

}  // namespace

Endpoint local_discovery_group(AddressFamily family, std::uint16_t port) {
  if (family == AddressFamily::kV4) return Endpoint::v4(239, 192, 152, 143, port);
  Endpoint group;  // ff15::efc0:988f
  group.address[0] = 0xff;
  group.address[1] = 0x15;
  constexpr std::array<std::uint8_t, 4> kEnd{0xef, 0xc0, 0x98, 0x8f};
  std::copy(kEnd.begin(), kEnd.end(), group.address.begin() + 12);
  group.port = port;
  return group;
}

std::string encode_local_announcement(const LocalAnnouncement& announcement,
                                      const Endpoint& group) {
  TRIBUTARY_CHECK(!announcement.torrents.empty());
  TRIBUTARY_CHECK(announcement.torrents.size() <= kMaxLocalHashes);
  TRIBUTARY_CHECK(announcement.cookie.size() <= kMaxLocalCookie);
  std::string host = format_address(group);
  if (!group.is_v4()) host = "[" + host + "]";
  std::string out(kFirstLine);
  out += "\r\nHost: " + host + ":" + std::to_string(group.port);
  out += "\r\nPort: " + std::to_string(announcement.port) + "\r\n";
  for (const InfoHash& torrent : announcement.torrents)
    out += "Infohash: " + torrent.hex() + "\r\n";
  if (!announcement.cookie.empty()) out += "cookie: " + announcement.cookie + "\r\n";
  out += "\r\n\r\n";
  TRIBUTARY_CHECK(out.size() <= kMaxLocalAnnouncement);
  return out;
}

Result<LocalAnnouncement> decode_local_announcement(Octets datagram) {
  if (datagram.size() > kMaxLocalAnnouncement) return invalid("the announcement is too long");
  std::string_view text = as_text(datagram);
  if (take_line(text) != kFirstLine) return invalid("not a local announcement");
  LocalAnnouncement out;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    take_header(trim(line.substr(0, colon)), trim(line.substr(colon + 1)), out);
  }
  if (out.port == 0) return invalid("the announcement names no port");
  if (out.torrents.empty()) return invalid("the announcement names no torrent");
  return out;
}

void LocalDiscovery::announce(const InfoHash& torrent) {
  const bool waits = std::find(waiting_.begin(), waiting_.end(), torrent) != waiting_.end();
  if (!waits && waiting_.size() < kMaxWaiting) waiting_.push_back(torrent);
}

std::optional<LocalAnnouncement> LocalDiscovery::poll(TimePoint now) {
  if (now < next_deadline()) return std::nullopt;
  LocalAnnouncement out{.port = port_, .torrents = {}, .cookie = cookie_};
  while (!waiting_.empty() && out.torrents.size() < kMaxLocalHashes) {
    out.torrents.push_back(waiting_.front());
    waiting_.pop_front();
  }
  may_send_at_ = now + kPause;
  return out;
}

std::vector<LocalDiscovery::Heard> LocalDiscovery::hear(Octets datagram, const Endpoint& sender,
                                                        TimePoint now) {
  const std::int64_t second = now.time_since_epoch() / 1s;
  if (std::exchange(second_, second) != second) heard_ = 0;
  if (heard_ >= kHeardPerSecond) return {};
  const auto announcement = decode_local_announcement(datagram);
  if (!announcement || announcement->cookie == cookie_) return {};
  Endpoint peer = sender;
  peer.port = announcement->port;
  std::vector<Heard> out;
  for (const InfoHash& torrent : announcement->torrents) {
    if (heard_ >= kHeardPerSecond) break;
    ++heard_;
    out.push_back({torrent, peer});
  }
  return out;
}

}  // namespace tributary::wire
