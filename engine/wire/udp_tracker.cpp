#include "engine/wire/udp_tracker.h"

#include <algorithm>
#include <charconv>

#include "engine/base/check.h"
#include "engine/wire/peer_list.h"
#include "engine/wire/text.h"
#include "engine/wire/tracker.h"
#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

// BEP 15's constant that marks a connect request.
constexpr UdpConnectionId kProtocol{0x41727101980ULL};

constexpr std::uint32_t kConnect = 0;
constexpr std::uint32_t kAnnounce = 1;
constexpr std::uint32_t kScrape = 2;
constexpr std::uint32_t kError = 3;

// Bytes, as BEP 15 draws them.
constexpr std::size_t kRequestHead = 16;
constexpr std::size_t kAnnounceRequest = 98;
constexpr std::size_t kAnswerHead = 8;
constexpr std::size_t kConnectAnswer = 16;
constexpr std::size_t kAnnounceAnswer = 20;
constexpr std::size_t kScrapeEntry = 12;

// BEP 41.
constexpr std::uint8_t kOptionEnd = 0;
constexpr std::uint8_t kOptionNop = 1;
constexpr std::uint8_t kOptionUrlData = 2;
constexpr std::size_t kMaxOption = 255;

// BEP 15's numbers differ from any other's.
constexpr core::AnnounceEvent kEvents[] = {
    core::AnnounceEvent::kNone, core::AnnounceEvent::kCompleted, core::AnnounceEvent::kStarted,
    core::AnnounceEvent::kStopped};

std::uint32_t event_number(core::AnnounceEvent event) {
  return static_cast<std::uint32_t>(std::find(kEvents, std::end(kEvents), event) - kEvents);
}

void append_request_head(OctetBuffer& out, UdpConnectionId connection, std::uint32_t action,
                         UdpTransactionId transaction) {
  append_u64(out, connection.value());
  append_u32(out, action);
  append_u32(out, transaction.value());
}

void append_options(OctetBuffer& out, std::string_view url_data) {
  TRIBUTARY_CHECK(url_data.size() <= kMaxUdpUrlData);
  while (!url_data.empty()) {
    const std::string_view part = url_data.substr(0, kMaxOption);
    out.push_back(kOptionUrlData);
    out.push_back(static_cast<std::uint8_t>(part.size()));
    append(out, as_octets(part));
    url_data.remove_prefix(part.size());
  }
}

std::string read_url_data(Octets options) {
  std::string out;
  while (!options.empty() && options[0] != kOptionEnd) {
    if (options[0] == kOptionNop) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() - 2 < options[1]) break;
    const Octets value = options.subspan(2, options[1]);
    if (options[0] == kOptionUrlData) out += as_text(value);
    options = options.subspan(2 + value.size());
  }
  if (out.size() > kMaxUdpUrlData) out.resize(kMaxUdpUrlData);
  return out;
}

OctetBuffer encode(const UdpConnect& r) {
  OctetBuffer out;
  append_request_head(out, kProtocol, kConnect, r.transaction);
  return out;
}

OctetBuffer encode(const UdpAnnounce& r) {
  OctetBuffer out;
  append_request_head(out, r.connection, kAnnounce, r.transaction);
  append(out, r.query.info_hash.bytes);
  append(out, r.query.peer_id.bytes);
  append_u64(out, static_cast<std::uint64_t>(r.query.downloaded.count()));
  append_u64(out, static_cast<std::uint64_t>(r.query.left.count()));
  append_u64(out, static_cast<std::uint64_t>(r.query.uploaded.count()));
  append_u32(out, event_number(r.query.event));
  append_u32(out, 0);  // our address: the datagram's
  append_u32(out, r.key);
  append_u32(out, static_cast<std::uint32_t>(r.query.want));
  append_u16(out, r.query.port);
  append_options(out, r.url_data);
  return out;
}

OctetBuffer encode(const UdpScrape& r) {
  TRIBUTARY_CHECK(!r.hashes.empty() && r.hashes.size() <= kMaxScrapeHashes);
  OctetBuffer out;
  append_request_head(out, r.connection, kScrape, r.transaction);
  for (const InfoHash& hash : r.hashes) append(out, hash.bytes);
  return out;
}

UdpConnectionId connection_of(Octets request) { return UdpConnectionId(read_u64(request)); }
UdpTransactionId transaction_of(Octets request) { return UdpTransactionId(read_u32(request, 12)); }

Result<UdpTrackerRequest> read_announce(Octets in) {
  if (in.size() < kAnnounceRequest) return invalid("announce is shorter than 98 bytes");
  const auto count = [&in](std::size_t at) {
    const std::uint64_t sent = read_u64(in, at);
    return Bytes(static_cast<std::int64_t>(std::min<std::uint64_t>(sent, INT64_MAX)));
  };
  UdpAnnounce out{connection_of(in), transaction_of(in), {}, 0, {}};
  AnnounceQuery& query = out.query;
  query.info_hash = InfoHash::from(in.subspan(16, InfoHash::kSize));
  query.peer_id = PeerId::from(in.subspan(36, PeerId::kSize));
  query.downloaded = count(56);
  query.left = count(64);
  query.uploaded = count(72);
  const std::uint32_t event = read_u32(in, 80);
  if (event < std::size(kEvents)) query.event = kEvents[event];
  out.key = read_u32(in, 88);
  const auto want = static_cast<std::int32_t>(read_u32(in, 92));
  if (want >= 0) query.want = want;  // -1: as many as is usual
  query.port = read_u16(in, 96);
  out.url_data = read_url_data(in.subspan(kAnnounceRequest));
  return UdpTrackerRequest(std::move(out));
}

Result<UdpTrackerRequest> read_scrape(Octets in) {
  Octets rest = in.subspan(kRequestHead);
  if (rest.empty() || rest.size() % InfoHash::kSize != 0) {
    return invalid("scrape of no hash, or of one cut short");
  }
  if (rest.size() / InfoHash::kSize > kMaxScrapeHashes) {
    return Error{ErrorCode::kLimit,
                 "scrape of more than " + std::to_string(kMaxScrapeHashes) + " hashes"};
  }
  UdpScrape out{connection_of(in), transaction_of(in), {}};
  for (; !rest.empty(); rest = rest.subspan(InfoHash::kSize)) {
    out.hashes.push_back(InfoHash::from(rest.first(InfoHash::kSize)));
  }
  return UdpTrackerRequest(std::move(out));
}

void append_answer_head(OctetBuffer& out, std::uint32_t action, UdpTransactionId transaction) {
  append_u32(out, action);
  append_u32(out, transaction.value());
}

// Counts are of 32 bits here.
void append_count(OctetBuffer& out, std::int64_t count) {
  append_u32(out, static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, INT32_MAX)));
}

OctetBuffer encode(const UdpConnected& a, AddressFamily) {
  OctetBuffer out;
  append_answer_head(out, kConnect, a.transaction);
  append_u64(out, a.connection.value());
  return out;
}

OctetBuffer encode(const UdpAnnounced& a, AddressFamily family) {
  OctetBuffer out;
  out.reserve(kAnnounceAnswer + a.peers.size() * kCompactV6Size);
  append_answer_head(out, kAnnounce, a.transaction);
  append_count(out, std::chrono::duration_cast<std::chrono::seconds>(a.interval).count());
  append_count(out, a.leechers);
  append_count(out, a.seeds);
  for (const Endpoint& peer : a.peers) {
    TRIBUTARY_CHECK(family_of(peer) == family);
    append_compact(out, peer);
  }
  return out;
}

OctetBuffer encode(const UdpScraped& a, AddressFamily) {
  OctetBuffer out;
  append_answer_head(out, kScrape, a.transaction);
  for (const SwarmCounts& n : a.counts) {
    append_count(out, n.seeds);
    append_count(out, n.downloaded);
    append_count(out, n.leechers);
  }
  return out;
}

OctetBuffer encode(const UdpRefused& a, AddressFamily) {
  OctetBuffer out;
  append_answer_head(out, kError, a.transaction);
  append(out, as_octets(a.reason));
  return out;
}

Error broken(const char* what) { return invalid(std::string("tracker's answer: ") + what); }

// A count with the sign bit set is no count.
std::int64_t read_count(Octets in, std::size_t at) {
  return std::max<std::int64_t>(static_cast<std::int32_t>(read_u32(in, at)), 0);
}

Result<UdpTrackerAnswer> read_announced(Octets in, AddressFamily family) {
  if (in.size() < kAnnounceAnswer) return broken("an announce's is shorter than 20 bytes");
  UdpAnnounced out;
  out.transaction = UdpTransactionId(read_u32(in, 4));
  out.interval = bounded_announce_interval(read_count(in, 8));
  out.leechers = read_count(in, 12);
  out.seeds = read_count(in, 16);
  PeerList peers;
  if (!peers.add_compact(in.subspan(kAnnounceAnswer), compact_size(family))) {
    return broken("peers of a broken length");
  }
  out.peers = peers.take();
  return UdpTrackerAnswer(std::move(out));
}

Result<UdpTrackerAnswer> read_scraped(Octets in) {
  Octets rest = in.subspan(kAnswerHead);
  if (rest.size() % kScrapeEntry != 0) return broken("counts of a broken length");
  UdpScraped out{UdpTransactionId(read_u32(in, 4)), {}};
  for (; !rest.empty() && out.counts.size() < kMaxScrapeHashes; rest = rest.subspan(kScrapeEntry)) {
    out.counts.push_back({read_count(rest, 0), read_count(rest, 8), read_count(rest, 4)});
  }
  return UdpTrackerAnswer(std::move(out));
}

bool is_control_or_space(char c) { return (c >= 0 && c <= ' ') || c == 0x7f; }

bool is_scheme_udp(const UrlParts& parts) {
  std::string scheme(parts.scheme.value_or(""));
  for (char& c : scheme) c = static_cast<char>(c | 0x20);
  return scheme == "udp";
}

Error bad_url(const char* why) {
  return invalid(std::string(why) + "; a UDP tracker is udp://HOST:PORT/announce");
}

// "host:port" or "[v6]:port".
Result<UdpTrackerUrl> read_authority(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return bad_url("the port is missing");
  const std::string_view digits = text.substr(colon + 1);
  UdpTrackerUrl out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size() || out.port == 0) {
    return bad_url("the port is not a number from 1 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad_url("the host is missing");
  if (host.size() > 255 || host.find_first_of("[]@") != std::string_view::npos) {
    return bad_url("the host is not one");
  }
  out.host = host;
  return out;
}

}  // namespace

bool is_udp_url(std::string_view url) { return is_scheme_udp(split_url(url)); }

Result<UdpTrackerUrl> parse_udp_tracker(std::string_view url) {
  if (url.size() > kMaxUrlLength || std::any_of(url.begin(), url.end(), is_control_or_space)) {
    return bad_url("the URL is too long or has spaces");
  }
  const UrlParts parts = split_url(url);
  if (!is_scheme_udp(parts) || !parts.authority) return bad_url("the URL is not of udp");
  TRIBUTARY_TRY(out, read_authority(*parts.authority));
  out.url_data = parts.path;
  if (parts.query) (out.url_data += '?').append(*parts.query);
  if (out.url_data.size() > kMaxUdpUrlData) return bad_url("the path is longer than a datagram");
  return out;
}

OctetBuffer encode_udp_request(const UdpTrackerRequest& request) {
  return std::visit([](const auto& r) { return encode(r); }, request);
}

Result<UdpTrackerRequest> decode_udp_request(Octets datagram) {
  if (datagram.size() < kRequestHead) return invalid("request is shorter than 16 bytes");
  if (datagram.size() > kMaxUdpRequest) return Error{ErrorCode::kLimit, "request is too long"};
  switch (read_u32(datagram, 8)) {
    case kConnect:
      if (connection_of(datagram) != kProtocol) return invalid("connect of another protocol");
      return UdpTrackerRequest(UdpConnect{transaction_of(datagram)});
    case kAnnounce:
      return read_announce(datagram);
    case kScrape:
      return read_scrape(datagram);
    default:
      return Error{ErrorCode::kUnsupported, "unknown action"};
  }
}

OctetBuffer encode_udp_answer(const UdpTrackerAnswer& answer, AddressFamily family) {
  return std::visit([family](const auto& a) { return encode(a, family); }, answer);
}

std::optional<UdpTransactionId> transaction_of_udp_answer(Octets datagram) {
  if (datagram.size() < kAnswerHead) return std::nullopt;
  return UdpTransactionId(read_u32(datagram, 4));
}

Result<UdpTrackerAnswer> decode_udp_answer(Octets datagram, AddressFamily family) {
  const auto transaction = transaction_of_udp_answer(datagram);
  if (!transaction) return broken("shorter than 8 bytes");
  switch (read_u32(datagram)) {
    case kConnect:
      if (datagram.size() < kConnectAnswer) return broken("a connect's is shorter than 16 bytes");
      return UdpTrackerAnswer(UdpConnected{*transaction, UdpConnectionId(read_u64(datagram, 8))});
    case kAnnounce:
      return read_announced(datagram, family);
    case kScrape:
      return read_scraped(datagram);
    case kError: {
      std::string_view reason = as_text(datagram.subspan(kAnswerHead));
      reason = reason.substr(0, reason.find('\0'));  // some trackers end it as C does
      return UdpTrackerAnswer(UdpRefused{*transaction, printable(reason)});
    }
    default:
      return broken("unknown action");
  }
}

}  // namespace tributary::wire
