#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "engine/wire/tracker.h"
#include "engine/wire/tracker_state.h"
#include "engine/wire/url.h"

namespace tributary::wire {
namespace {

// Calls f(key, encoded value) for each "key=value" until f returns false.
template <class F>
void for_each_argument(std::string_view query, F f) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view argument = query.substr(0, end);
    const std::size_t equals = argument.find('=');
    if (equals != std::string_view::npos &&
        !f(argument.substr(0, equals), argument.substr(equals + 1))) {
      return;
    }
    if (end == std::string_view::npos) return;
    query.remove_prefix(end + 1);
  }
}

using Arguments = std::map<std::string_view, std::string_view>;

Arguments parse_arguments(std::string_view query) {
  Arguments out;
  for_each_argument(query, [&](std::string_view key, std::string_view value) {
    return out.emplace(key, value), true;
  });
  return out;
}

template <class D>
Result<D> read_digest(std::string_view encoded, const std::string& key) {
  const auto bytes = percent_decode(encoded);
  if (!bytes || bytes->size() != D::kSize) {
    return invalid(key + " is not " + std::to_string(D::kSize) + " percent-encoded bytes");
  }
  return D::from(as_octets(*bytes));
}

// An absent key gives `otherwise`; anything but a whole number in [0, most] is an error.
Result<std::int64_t> read_number(const Arguments& arguments, std::string_view key,
                                 std::int64_t otherwise, std::int64_t most) {
  const auto found = arguments.find(key);
  if (found == arguments.end()) return otherwise;
  const std::string_view text = found->second;
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 0 || value > most) {
    return invalid(std::string(key) + " is not a number from 0 to " + std::to_string(most));
  }
  return value;
}

core::AnnounceEvent read_event(std::string_view name) {
  if (name == "started") return core::AnnounceEvent::kStarted;
  if (name == "stopped") return core::AnnounceEvent::kStopped;
  if (name == "completed") return core::AnnounceEvent::kCompleted;
  return core::AnnounceEvent::kNone;
}

std::string_view value_of(const Arguments& arguments, std::string_view key) {
  const auto found = arguments.find(key);
  return found == arguments.end() ? std::string_view() : found->second;
}

Result<void> check_query(std::string_view query) {
  if (query.size() <= kMaxTrackerQuery) return {};
  return Error{ErrorCode::kLimit, "query is longer than 8 KiB"};
}

constexpr std::int64_t kMaxCounter = INT64_MAX;

}  // namespace

Result<AnnounceQuery> parse_announce_query(std::string_view query) {
  if (auto sound = check_query(query); !sound) return sound.error();
  const Arguments arguments = parse_arguments(query);
  TRIBUTARY_TRY(info_hash, read_digest<InfoHash>(value_of(arguments, "info_hash"), "info_hash"));
  TRIBUTARY_TRY(peer_id, read_digest<PeerId>(value_of(arguments, "peer_id"), "peer_id"));
  if (!arguments.contains("port")) return invalid("port is missing");
  TRIBUTARY_TRY(port, read_number(arguments, "port", 0, 65535));
  TRIBUTARY_TRY(uploaded, read_number(arguments, "uploaded", 0, kMaxCounter));
  TRIBUTARY_TRY(downloaded, read_number(arguments, "downloaded", 0, kMaxCounter));
  TRIBUTARY_TRY(left, read_number(arguments, "left", kMaxCounter, kMaxCounter));
  AnnounceQuery out;
  out.info_hash = info_hash;
  out.peer_id = peer_id;
  out.port = static_cast<std::uint16_t>(port);
  out.uploaded = Bytes(uploaded);
  out.downloaded = Bytes(downloaded);
  out.left = Bytes(left);
  out.event = read_event(value_of(arguments, "event"));
  // Some clients send -1 for "as many as is usual".
  const auto want = read_number(arguments, "numwant", out.want, INT32_MAX);
  if (want) out.want = static_cast<std::int32_t>(*want);
  out.compact = value_of(arguments, "compact") != "0";
  out.no_peer_id = value_of(arguments, "no_peer_id") == "1";
  return out;
}

Result<std::vector<InfoHash>> parse_scrape_query(std::string_view query) {
  if (auto sound = check_query(query); !sound) return sound.error();
  std::vector<InfoHash> out;
  std::optional<Error> error;
  for_each_argument(query, [&](std::string_view key, std::string_view value) {
    if (key != "info_hash") return true;
    if (out.size() >= kMaxScrapeHashes) {
      error = Error{ErrorCode::kLimit, "more than " + std::to_string(kMaxScrapeHashes) + " hashes"};
      return false;
    }
    const auto hash = read_digest<InfoHash>(value, "info_hash");
    if (!hash) return error = hash.error(), false;
    return out.push_back(*hash), true;
  });
  if (error) return *error;
  if (out.empty()) return invalid("info_hash is missing: a scrape of everything is not offered");
  return out;
}

}  // namespace tributary::wire
