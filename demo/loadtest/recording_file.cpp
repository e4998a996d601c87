#include "demo/loadtest/recording_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/core/layout.h"
#include "engine/net/bounded_file.h"
#include "engine/wire/text.h"

namespace tributary::demo {
namespace {

using Json = nlohmann::json;
using sim::RecordedAction;
using sim::RecordedPeer;
using sim::RecordedTrack;

// What a session may come to; far above what anybody hears, and little enough to be simulated.
constexpr double kLongestMs = 24 * 3600e3;
constexpr double kMostBytes = 16.0 * (1 << 30);
constexpr double kMostPieceLength = 256.0 * (1 << 20);
constexpr double kFastest = 1e12;  // bit/s
constexpr std::size_t kMostTracks = 10'000;
constexpr std::size_t kMostPeers = 10'000;
constexpr std::size_t kMostDigits = 1 << 20;  // of a bitfield: 4 million pieces
constexpr std::size_t kMostPoints = 1'000'000;
constexpr Bytes kMaxFile = 1024_MiB;
// Shorter or smaller tells nothing of a rate.
constexpr double kShortestBusyMs = 1;
constexpr double kLeastForRate = 16 * 1024;

// One line's members. Remembers the first that is missing or out of range.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  double number(const char* key, double least, double most) {
    const auto found = json_.find(key);
    if (found == json_.end() || !found->is_number()) return missing(key, "a number", least);
    return check(key, found->get<double>(), least, most);
  }
  // Nothing where it is null or not there.
  std::optional<double> maybe(const char* key, double least, double most) {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return std::nullopt;
    return number(key, least, most);
  }
  Duration time(const char* key, double least = 0) {
    return Duration(std::llround(number(key, least, kLongestMs) * 1e3));
  }
  Bytes bytes(const char* key, double least = 0, double most = kMostBytes) {
    return Bytes(std::llround(number(key, least, most)));
  }
  std::int64_t id(const char* key) { return std::llround(number(key, 0, 4e9)); }
  bool flag(const char* key) {
    const auto found = json_.find(key);
    if (found != json_.end() && found->is_boolean()) return found->get<bool>();
    return missing(key, "true or false", 0) != 0;
  }
  std::string text(const char* key) {
    const auto found = json_.find(key);
    if (found != json_.end() && found->is_string()) return found->get<std::string>();
    missing(key, "a text", 0);
    return {};
  }
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }
  void fail(const std::string& why) {
    if (error_.empty()) error_ = why;
  }
  const std::string& error() const { return error_; }

 private:
  double missing(const char* key, const char* what, double least) {
    fail(std::string("'") + key + "' must be " + what);
    return least;
  }
  double check(const char* key, double value, double least, double most) {
    if (std::isfinite(value) && value >= least && value <= most) return value;
    fail(std::string("'") + key + "' is out of range");
    return least;
  }

  const Json& json_;
  std::string error_;
};

std::optional<int> nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

// A bitfield message in hexadecimal; the first piece is the highest bit.
std::optional<std::vector<std::int32_t>> parse_pieces(const std::string& hex) {
  if (hex.size() > kMostDigits) return std::nullopt;
  std::vector<std::int32_t> pieces;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const auto four = nibble(hex[i]);
    if (!four) return std::nullopt;
    for (int bit = 0; bit < 4; ++bit) {
      if ((*four >> (3 - bit) & 1) != 0) pieces.push_back(static_cast<std::int32_t>(i) * 4 + bit);
    }
  }
  return pieces;
}

std::vector<core::TimeHint> parse_points(Fields& fields) {
  std::vector<core::TimeHint> points;
  const Json* list = fields.find("points");
  if (list == nullptr || list->is_null()) return points;
  if (!list->is_array() || list->size() > kMostPoints) {
    fields.fail("'points' must be a list of [ms, bytes]");
    return points;
  }
  for (const Json& item : *list) {
    const bool pair =
        item.is_array() && item.size() == 2 && item[0].is_number() && item[1].is_number();
    const double ms = pair ? item[0].get<double>() : -1;
    const double offset = pair ? item[1].get<double>() : -1;
    if (!(ms >= 0 && ms <= kLongestMs && offset >= 0 && offset <= kMostBytes)) {
      fields.fail("'points' must be a list of [ms, bytes]");
      return {};
    }
    points.push_back({Duration(std::llround(ms * 1e3)), Bytes(std::llround(offset))});
  }
  return points;
}

// Tracks: the recording so far, who is who by name, and who chokes us.
class Parser {
 public:
  // Returns what is wrong with the line; empty: nothing.
  std::string take(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return "is no JSON object";
    const auto event = json.find("event");
    if (event == json.end()) return {};  // a decision
    Fields fields(json);
    if (!event->is_string()) return "'event' must be a text";
    const std::string name = event->get<std::string>();
    if (!begun_ && name != "session") return "the first event must be 'session'";
    const auto reader = readers().find(name);
    if (reader == readers().end()) return {};
    const TimePoint at(fields.time("t_ms"));
    made_.end = std::max(made_.end, at);
    if (fields.error().empty()) (this->*reader->second)(fields, at);
    return fields.error();
  }
  bool begun() const { return begun_; }

  // Errors: what a replay cannot do without.
  Result<sim::Recording> finish() {
    if (!begun_) return invalid("holds no session; record one with play --trace");
    // Of what was never opened nothing is known that could be played.
    std::erase_if(made_.tracks, [](const RecordedTrack& track) {
      return track.duration <= Duration::zero() || track.size <= 0_B;
    });
    if (!played_ || made_.tracks.empty())
      return invalid("holds a session in which nothing was played");
    for (RecordedPeer& peer : made_.peers) sort_by_time(peer);
    const auto by_time = [](const auto& a, const auto& b) { return a.at < b.at; };
    std::stable_sort(made_.requests.begin(), made_.requests.end(), by_time);
    std::stable_sort(made_.actions.begin(), made_.actions.end(), by_time);
    return std::move(made_);
  }

 private:
  using Reader = void (Parser::*)(Fields&, TimePoint);
  struct Known {
    std::size_t index = 0;  // of made_.peers
    BitRate rate;           // last measured
    bool measured = false;
  };

  static const std::map<std::string, Reader, std::less<>>& readers() {
    static const std::map<std::string, Reader, std::less<>> kReaders = {
        {"session", &Parser::session}, {"track", &Parser::track},   {"timeline", &Parser::timeline},
        {"play", &Parser::play},       {"action", &Parser::action}, {"peer", &Parser::peer},
        {"has", &Parser::has},         {"have", &Parser::have},     {"choke", &Parser::choke},
        {"unchoke", &Parser::unchoke}, {"got", &Parser::got},       {"gone", &Parser::gone},
        {"cdn", &Parser::cdn},         {"end", &Parser::end}};
    return kReaders;
  }

  static void sort_by_time(RecordedPeer& peer) {
    std::stable_sort(peer.rates.begin(), peer.rates.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  void session(Fields& fields, TimePoint) {
    if (std::exchange(begun_, true)) return fields.fail("a second session begins");
    if (fields.number("trace", 1, 1e6) != 1)
      return fields.fail("is of a later version of the trace");
    made_.policy = fields.text("policy");
    if (const auto down = fields.maybe("down_bps", 1, kFastest)) {
      made_.down = BitRate(std::llround(*down));
    }
    if (const auto up = fields.maybe("up_bps", 1, kFastest)) made_.up = BitRate(std::llround(*up));
    made_.upload = fields.flag("upload");
    made_.from = fields.time("from_ms");
    if (const auto until = fields.maybe("until_ms", 0, kLongestMs)) {
      made_.until = Duration(std::llround(*until * 1e3));
    }
  }

  void track(Fields& fields, TimePoint) {
    RecordedTrack track;
    track.torrent = fields.id("torrent");
    track.title = wire::printable(fields.text("title"));
    track.offset = fields.bytes("offset");
    track.size = fields.bytes("size");
    track.piece_length = fields.bytes("piece_length", core::kBlockSize.count(), kMostPieceLength);
    track.v2 = fields.flag("v2");
    track.is_private = fields.flag("private");
    track.on_cdn = fields.number("edges", 0, 1e6) > 0;
    track.cached = fields.flag("cached");
    track.hinted = fields.find("duration_ms") != nullptr;
    if (track.hinted) track.duration = fields.time("duration_ms");
    track.points = parse_points(fields);
    const auto length = static_cast<std::uint64_t>(track.piece_length.count());
    if (!std::has_single_bit(length)) fields.fail("'piece_length' must be a power of two");
    if (made_.tracks.size() == kMostTracks) fields.fail("is one track too many");
    const std::pair<std::int64_t, std::int64_t> key(track.torrent, fields.id("file"));
    if (!track_of_.try_emplace(key, made_.tracks.size()).second) fields.fail("names a track again");
    if (fields.error().empty()) made_.tracks.push_back(std::move(track));
  }

  void timeline(Fields& fields, TimePoint) {
    const auto found = track_of_.find({fields.id("torrent"), fields.id("file")});
    const Duration duration = fields.time("duration_ms");
    if (found == track_of_.end() || !fields.error().empty()) return;
    RecordedTrack& track = made_.tracks[found->second];
    if (!track.hinted) track.duration = duration;
  }

  void play(Fields&, TimePoint at) {
    if (!std::exchange(played_, true)) made_.start = at;
  }

  void action(Fields& fields, TimePoint at) {
    using Kind = RecordedAction::Kind;
    static const std::map<std::string, Kind, std::less<>> kKinds = {
        {"toggle_pause", Kind::kTogglePause},
        {"seek", Kind::kSeek},
        {"next", Kind::kNext},
        {"previous", Kind::kPrevious},
        {"stop", Kind::kStop}};
    const auto kind = kKinds.find(fields.text("action"));
    if (kind == kKinds.end()) return fields.fail("'action' is none that is known");
    const Duration by =
        kind->second == Kind::kSeek ? fields.time("by_ms", -kLongestMs) : Duration::zero();
    if (fields.error().empty()) made_.actions.push_back({at, kind->second, by});
  }

  void peer(Fields& fields, TimePoint at) {
    RecordedPeer peer;
    peer.torrent = fields.id("torrent");
    peer.inbound = fields.flag("inbound");
    peer.from = at;
    // Two round trips: of the transport's handshake and of the protocol's.
    if (const auto ms = fields.maybe("connect_ms", 0, 60e3)) {
      peer.round_trip = std::max(Duration(std::llround(*ms * 1e3 / 2)), Duration(200us));
    }
    if (made_.peers.size() == kMostPeers) fields.fail("is one peer too many");
    const std::string name = fields.text("peer");
    if (!fields.error().empty()) return;
    known_[name] = {made_.peers.size(), {}, false};
    made_.peers.push_back(std::move(peer));
  }

  Known* find(Fields& fields) {
    const auto known = known_.find(fields.text("peer"));
    if (known != known_.end()) return &known->second;
    fields.fail("names a peer that has not come");
    return nullptr;
  }

  void has(Fields& fields, TimePoint at) {
    const std::string text = fields.text("pieces");
    const Known* known = find(fields);
    const bool all = text == "all";
    auto pieces = all ? std::optional(std::vector<std::int32_t>()) : parse_pieces(text);
    if (!pieces) return fields.fail("'pieces' must be \"all\" or hexadecimal digits");
    if (known != nullptr) made_.peers[known->index].offers.push_back({at, all, *std::move(pieces)});
  }

  void have(Fields& fields, TimePoint at) {
    const auto piece = static_cast<std::int32_t>(fields.number("piece", 0, 4e6));
    const Known* known = find(fields);
    if (known == nullptr || !fields.error().empty()) return;
    made_.peers[known->index].offers.push_back({at, false, {piece}});
  }

  // Who chokes one that wants nothing refuses nothing.
  void choke(Fields& fields, TimePoint at) {
    Known* known = find(fields);
    if (known != nullptr && fields.flag("wanted")) set_choked(*known, true, at);
  }
  void unchoke(Fields& fields, TimePoint at) {
    if (Known* known = find(fields)) set_choked(*known, false, at);
  }
  // The first choke is how each connection begins; it ends before anything was measured.
  void set_choked(Known& known, bool choked, TimePoint at) {
    if (!known.measured) return;
    made_.peers[known.index].rates.emplace_back(at, choked ? BitRate() : known.rate);
  }

  void got(Fields& fields, TimePoint at) {
    const double bytes = fields.number("bytes", 0, kMostBytes);
    const double busy = fields.number("busy_ms", 0, kLongestMs);
    Known* known = find(fields);
    if (known == nullptr || !fields.error().empty()) return;
    if (busy < kShortestBusyMs || (bytes < kLeastForRate && busy < 1e3)) return;
    known->rate = BitRate(std::llround(std::min(bytes * 8e3 / busy, kFastest)));
    known->measured = true;
    const TimePoint since = at - Duration(std::llround(busy * 1e3));
    const TimePoint from = std::max(since, made_.peers[known->index].from);
    made_.peers[known->index].rates.emplace_back(from, known->rate);
  }

  // Who left by himself is gone; whom we sent away would still be there.
  void gone(Fields& fields, TimePoint at) {
    const Known* known = find(fields);
    if (known != nullptr && !fields.flag("by_us")) made_.peers[known->index].until = at;
  }

  void cdn(Fields& fields, TimePoint) {
    sim::RecordedRequest request;
    request.at = TimePoint(fields.time("asked_ms"));
    request.failed = !fields.flag("ok");
    const auto first = fields.maybe("first_byte_ms", 0, kLongestMs);
    const double took = fields.number("took_ms", 0, kLongestMs);
    const double bytes = fields.number("bytes", 0, kMostBytes);
    if (first) {
      request.first_byte = Duration(std::llround(*first * 1e3));
      const double flowed = took - *first;
      if (bytes >= kLeastForRate && flowed > 0.01) {
        request.rate = BitRate(std::llround(std::min(bytes * 8e3 / flowed, kFastest)));
      }
    }
    if (fields.error().empty()) made_.requests.push_back(request);
  }

  void end(Fields& fields, TimePoint) {
    const Json* report = fields.find("report");
    const auto total =
        report != nullptr && report->is_object() ? report->find("total") : Json::const_iterator();
    if (report == nullptr || !report->is_object() || total == report->end() ||
        !total->is_object()) {
      return fields.fail("'report' must be a report with its 'total'");
    }
    Fields sums(*total);
    sim::SessionFigures& figures = made_.figures;
    if (const auto startup = sums.maybe("startup_ms", 0, kLongestMs)) {
      figures.startup = Duration(std::llround(*startup * 1e3));
    }
    figures.played = Duration(std::llround(sums.number("played_s", 0, kLongestMs / 1e3) * 1e6));
    figures.stalls = std::llround(sums.number("stall_count", 0, 1e9));
    figures.stalled = sums.time("stall_ms");
    figures.bytes.cdn_requests = std::llround(sums.number("cdn_requests", 0, 1e9));
    const Json* bytes = sums.find("bytes");
    if (bytes == nullptr || !bytes->is_object()) return fields.fail("'bytes' is missing");
    read_bytes(fields, *bytes);
    if (!sums.error().empty()) fields.fail(sums.error());
  }
  void read_bytes(Fields& fields, const Json& json) {
    core::ByteCounts& counts = made_.figures.bytes;
    Fields sums(json);
    counts.peers = sums.bytes("peers");
    counts.cache = sums.bytes("cache");
    counts.uploaded = sums.bytes("uploaded");
    counts.duplicate = sums.bytes("duplicate");
    counts.corrupt = sums.bytes("corrupt");
    const Json* reasons = sums.find("by_reason");
    if (reasons == nullptr || !reasons->is_object()) return fields.fail("'by_reason' is missing");
    Fields by_reason(*reasons);
    for (const core::CdnReason reason : core::kCdnReasons) {
      const std::string name(core::to_string(reason));
      counts.cdn_by_reason[reason] = by_reason.bytes(name.c_str());
    }
    for (const Fields* part : {&sums, &by_reason}) {
      if (!part->error().empty()) fields.fail(part->error());
    }
  }

  sim::Recording made_;
  bool begun_ = false;
  bool played_ = false;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> track_of_;  // by torrent and file
  std::map<std::string, Known, std::less<>> known_;
};

}  // namespace

Result<sim::Recording> parse_recording(std::string_view text, const std::string& source) {
  Parser parser;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string why = parser.take(line);
    if (why.empty()) continue;
    std::string place = source;
    place += ": line " + std::to_string(number) + ": ";
    return invalid(place + why);
  }
  auto made = parser.finish();
  if (!made) return invalid(source + ": " + made.error().message);
  return made;
}

Result<sim::Recording> read_recording(const std::string& path) {
  TRIBUTARY_TRY(text, net::read_bounded(path, kMaxFile, "a recorded session"));
  return parse_recording(text, path);
}

}  // namespace tributary::demo
