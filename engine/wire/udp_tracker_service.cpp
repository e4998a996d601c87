#include "engine/wire/udp_tracker_service.h"

#include <algorithm>
#include <utility>

namespace tributary::wire {
namespace {

// Windows in which an id is good, its own included.
constexpr std::int64_t kGoodWindows = 3;

std::int64_t window_of(TimePoint now) { return now.time_since_epoch() / kUdpConnectionWindow; }

// Shorter than any request that it answers.
UdpRefused unknown_connection(UdpTransactionId transaction) {
  return {transaction, "unknown connection id"};
}

}  // namespace

UdpTrackerService::UdpTrackerService(TrackerState& state, const Digester& digester, const Key& key)
    : state_(state), digester_(digester), key_(key) {}

std::optional<OctetBuffer> UdpTrackerService::handle(Octets datagram, const Endpoint& from,
                                                     TimePoint now) {
  const auto request = decode_udp_request(datagram);
  if (!request) return std::nullopt;
  const auto answered = std::visit([&](const auto& r) { return answer(r, from, now); }, *request);
  return encode_udp_answer(answered, family_of(from));
}

UdpTrackerAnswer UdpTrackerService::answer(const UdpConnect& request, const Endpoint& from,
                                           TimePoint now) {
  return UdpConnected{request.transaction, connection_id(from, window_of(now))};
}

UdpTrackerAnswer UdpTrackerService::answer(const UdpAnnounce& request, const Endpoint& from,
                                           TimePoint now) {
  if (!is_good(request.connection, from, now)) return unknown_connection(request.transaction);
  ++announces_;
  const AddressFamily family = family_of(from);
  const std::size_t most = family == AddressFamily::kV4 ? kMaxUdpV4Peers : kMaxUdpV6Peers;
  AnnounceQuery query = request.query;
  query.want = std::min(query.want, static_cast<std::int32_t>(most));
  const TrackerAnswer answer = state_.announce(query, from, now, family);
  UdpAnnounced out{
      request.transaction, answer.interval, answer.counts.leechers, answer.counts.seeds, {}};
  out.peers.reserve(answer.peers.size());
  for (const TrackedPeer& peer : answer.peers) out.peers.push_back(peer.endpoint);
  return out;
}

UdpTrackerAnswer UdpTrackerService::answer(const UdpScrape& request, const Endpoint& from,
                                           TimePoint now) {
  if (!is_good(request.connection, from, now)) return unknown_connection(request.transaction);
  state_.expire(now);
  UdpScraped out{request.transaction, {}};
  for (const InfoHash& hash : request.hashes) out.counts.push_back(state_.counts(hash));
  return out;
}

UdpConnectionId UdpTrackerService::connection_id(const Endpoint& from, std::int64_t window) const {
  OctetBuffer text;
  append(text, key_);
  append_u64(text, static_cast<std::uint64_t>(window));
  append(text, from.address);
  return UdpConnectionId(read_u64(digester_.sha256(text).bytes));
}

bool UdpTrackerService::is_good(UdpConnectionId connection, const Endpoint& from,
                                TimePoint now) const {
  for (std::int64_t age = 0; age < kGoodWindows; ++age) {
    if (connection == connection_id(from, window_of(now) - age)) return true;
  }
  return false;
}

}  // namespace tributary::wire
