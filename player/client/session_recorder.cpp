#include "player/client/session_recorder.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "player/client/decision_line.h"

namespace tributary::player {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kSampleEvery = 500ms;  // of a peer's rate, at most

double milliseconds(Duration time) { return static_cast<double>(time.count()) / 1e3; }

Json limit(BitRate rate) { return rate == kUnlimited ? Json() : Json(rate.bits_per_second()); }

std::string hex(const std::vector<std::uint8_t>& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out;
  for (std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Json points_of(const core::FileHints& hints) {
  Json points = Json::array();
  for (const core::TimeHint& point : hints.points) {
    points.push_back({milliseconds(point.time), point.offset.count()});
  }
  return points;
}

const char* name_of(ListenerAction action) {
  switch (action) {
    case ListenerAction::kTogglePause:
      return "toggle_pause";
    case ListenerAction::kSeek:
      return "seek";
    case ListenerAction::kNext:
      return "next";
    case ListenerAction::kPrevious:
      return "previous";
    case ListenerAction::kStop:
      break;
  }
  return "stop";
}

}  // namespace

struct SessionRecorder::Line {
  Line(const SessionRecorder& recorder, const char* event, TimePoint now)
      : json({{"event", event}, {"t_ms", milliseconds(now - recorder.start_)}}) {}
  Line& add(const char* key, Json value) {
    json[key] = std::move(value);
    return *this;
  }
  void write(const SessionRecorder& recorder) const {
    recorder.write_(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  Json json;
};

SessionRecorder::SessionRecorder(Write write, const ClientOptions& options, TimePoint start)
    : write_(std::move(write)), start_(start) {
  const HostOptions& host = options.host;
  Line(*this, "session", start)
      .add("trace", 1)
      .add("policy", host.policy.name)
      .add("unchoker", core::to_string(host.policy.unchoker))
      .add("down_bps", limit(host.down))
      .add("up_bps", limit(host.up))
      .add("upload", host.upload)
      .add("from_ms", milliseconds(options.from))
      .add("until_ms",
           options.until < Duration::zero() ? Json() : Json(milliseconds(options.until)))
      .write(*this);
}

void SessionRecorder::happened(const Happening& happening, TimePoint now) {
  if (const auto* opened = std::get_if<Opened>(&happening)) return on(*opened, now);
  if (const auto* input = std::get_if<const core::Input*>(&happening)) return on(**input, now);
  if (const auto* player = std::get_if<const PlayerInput*>(&happening)) {
    return on(**player, now);
  }
  if (const auto* http = std::get_if<const cdn::HttpInput*>(&happening)) return on(**http, now);
  if (const auto* action = std::get_if<const core::Action*>(&happening)) return on(**action, now);
  on(**std::get_if<const cdn::HttpAction*>(&happening), now);
}

void SessionRecorder::decided(const core::Decision& decision) {
  write_(decision_line(decision, start_));
}

void SessionRecorder::acted(ListenerAction action, Duration by, TimePoint now) {
  Line line(*this, "action", now);
  line.add("action", name_of(action));
  if (action == ListenerAction::kSeek) line.add("by_ms", milliseconds(by));
  line.write(*this);
}

void SessionRecorder::ended(const Report& report, TimePoint now) {
  for (auto& [conn, peer] : peers_) sample(conn, peer, now);
  Line(*this, "end", now).add("report", Json::parse(to_json(report))).write(*this);
}

void SessionRecorder::on(const Opened& opened, TimePoint) {
  torrents_[opened.torrent->id] = {*opened.torrent, *opened.verified};
}

// A track is told of when it is first heard of, for then it is known what there is of it.
void SessionRecorder::name_track(const TrackRef& track, TimePoint now) {
  const FileOf key{track.torrent, track.file.value()};
  const auto torrent = torrents_.find(track.torrent);
  if (torrent == torrents_.end() || !named_.try_emplace(key, false).second) return;
  const core::Metainfo& metainfo = *torrent->second.open.metainfo;
  const auto index = static_cast<std::size_t>(track.file.value());
  const core::FileEntry& file = metainfo.info.files[index];
  const core::BlockRange blocks = torrent->second.open.layout->blocks_covering(file.range());
  const Bitfield& had = torrent->second.verified;
  bool cached = had.size() > 0;
  for (core::BlockIndex b = blocks.begin; cached && b < blocks.end; ++b)
    cached = had.test(b.value());
  Line line(*this, "track", now);
  line.add("torrent", track.torrent.value())
      .add("file", track.file.value())
      .add("title", file.path.empty() ? metainfo.info.name : file.path)
      .add("offset", file.offset.count())
      .add("size", file.length.count())
      .add("piece_length", metainfo.info.piece_length.count())
      .add("v2", metainfo.info.has_v2())
      .add("private", metainfo.info.is_private)
      .add("edges", metainfo.edges.size())
      .add("cached", cached);
  if (index < metainfo.hints.size() && metainfo.hints[index].duration > Duration::zero()) {
    line.add("duration_ms", milliseconds(metainfo.hints[index].duration))
        .add("points", points_of(metainfo.hints[index]));
  }
  line.write(*this);
}

void SessionRecorder::playback(const Playback& playback, TimePoint now) {
  name_track(playback.track, now);
  const FileOf key{playback.track.torrent, playback.track.file.value()};
  const auto named = named_.find(key);
  if (named == named_.end() || std::exchange(named->second, true)) return;
  Line(*this, "play", now)
      .add("torrent", playback.track.torrent.value())
      .add("file", playback.track.file.value())
      .write(*this);
}

void SessionRecorder::on(const PlayerInput& input, TimePoint now) {
  if (const auto* now_playing = std::get_if<Playback>(&input)) playback(*now_playing, now);
  const auto* next = std::get_if<NextTrack>(&input);
  if (next != nullptr && next->track) name_track(*next->track, now);
}

void SessionRecorder::on(const core::Input& input, TimePoint now) {
  if (const auto* peer = std::get_if<core::PeerConnected>(&input)) return connected(*peer, now);
  if (const auto* peer = std::get_if<core::PeerClosed>(&input)) return closed(*peer, now);
  if (const auto* message = std::get_if<core::PeerMessage>(&input)) return heard(*message, now);
  const auto* known = std::get_if<core::SetTimeline>(&input);
  if (known == nullptr || !known->timeline.known()) return;
  Line(*this, "timeline", now)
      .add("torrent", known->torrent.value())
      .add("file", known->file.value())
      .add("duration_ms", milliseconds(known->timeline.duration()))
      .write(*this);
}

void SessionRecorder::connected(const core::PeerConnected& peer, TimePoint now) {
  Peer made;
  made.torrent = peer.torrent;
  made.sampled = now;
  peers_[peer.conn] = made;
  Line line(*this, "peer", now);
  line.add("torrent", peer.torrent.value())
      .add("peer", connection_name(peer.conn))
      .add("inbound", peer.inbound);
  const auto dialled = dialled_.find(peer.conn);
  line.add("connect_ms",
           dialled == dialled_.end() ? Json() : Json(milliseconds(now - dialled->second)));
  dialled_.erase(peer.conn);
  line.write(*this);
}

void SessionRecorder::closed(const core::PeerClosed& closed, TimePoint now) {
  dialled_.erase(closed.conn);
  const auto peer = peers_.find(closed.conn);
  if (peer == peers_.end()) return;
  sample(closed.conn, peer->second, now);
  Line(*this, "gone", now)
      .add("peer", connection_name(closed.conn))
      .add("by_us", peer->second.parted)
      .write(*this);
  peers_.erase(peer);
}

void SessionRecorder::heard(const core::PeerMessage& heard, TimePoint now) {
  const auto found = peers_.find(heard.conn);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  const auto tell = [&](const char* event) {
    return Line(*this, event, now).add("peer", connection_name(heard.conn));
  };
  if (const auto* piece = std::get_if<core::Piece>(&heard.message)) {
    peer.got += piece->span.length;
    count_asked(peer, -1, now);
    if (now - peer.sampled >= kSampleEvery) sample(heard.conn, peer, now);
  } else if (std::holds_alternative<core::RejectRequest>(heard.message)) {
    count_asked(peer, -1, now);
  } else if (std::holds_alternative<core::Choke>(heard.message)) {
    sample(heard.conn, peer, now);
    count_asked(peer, -peer.asked, now);
    tell("choke").add("wanted", peer.wanted).write(*this);
  } else if (std::holds_alternative<core::Unchoke>(heard.message)) {
    tell("unchoke").write(*this);
  } else if (const auto* have = std::get_if<core::Have>(&heard.message)) {
    tell("have").add("piece", have->piece.value()).write(*this);
  } else if (std::holds_alternative<core::HaveAll>(heard.message)) {
    tell("has").add("pieces", "all").write(*this);
  } else if (const auto* bits = std::get_if<core::BitfieldMessage>(&heard.message)) {
    tell("has").add("pieces", hex(bits->bytes)).write(*this);
  }
}

void SessionRecorder::on(const core::Action& action, TimePoint now) {
  if (const auto* dial = std::get_if<core::Connect>(&action)) dialled_[dial->conn] = now;
  if (const auto* message = std::get_if<core::Send>(&action)) sent(*message, now);
  if (const auto* parting = std::get_if<core::Disconnect>(&action)) {
    const auto peer = peers_.find(parting->conn);
    if (peer != peers_.end()) peer->second.parted = true;
  }
}

void SessionRecorder::sent(const core::Send& sent, TimePoint now) {
  const auto peer = peers_.find(sent.conn);
  if (peer == peers_.end()) return;
  if (std::holds_alternative<core::Interested>(sent.message)) peer->second.wanted = true;
  if (std::holds_alternative<core::NotInterested>(sent.message)) peer->second.wanted = false;
  if (std::holds_alternative<core::Request>(sent.message)) count_asked(peer->second, 1, now);
  if (std::holds_alternative<core::Cancel>(sent.message)) count_asked(peer->second, -1, now);
}

void SessionRecorder::count_asked(Peer& peer, std::int64_t change, TimePoint now) {
  const bool was_busy = peer.asked > 0;
  peer.asked = std::max<std::int64_t>(peer.asked + change, 0);
  if (was_busy && peer.asked == 0) peer.busy += now - peer.busy_since;
  if (!was_busy && peer.asked > 0) peer.busy_since = now;
}

// What came since the last sample, and for how long something was asked for.
void SessionRecorder::sample(core::ConnId conn, Peer& peer, TimePoint now) {
  if (peer.asked > 0) peer.busy += now - std::exchange(peer.busy_since, now);
  if (peer.busy > Duration::zero()) {
    Line(*this, "got", now)
        .add("peer", connection_name(conn))
        .add("bytes", peer.got.count())
        .add("busy_ms", milliseconds(peer.busy))
        .write(*this);
  }
  peer.got = 0_B;
  peer.busy = {};
  peer.sampled = now;
}

void SessionRecorder::on(const cdn::HttpAction& action, TimePoint now) {
  const auto* get = std::get_if<cdn::HttpGet>(&action);
  if (get != nullptr) requests_[get->id] = {get->torrent, now, std::nullopt};
}

void SessionRecorder::on(const cdn::HttpInput& input, TimePoint now) {
  if (const auto* first = std::get_if<cdn::HttpFirstByte>(&input)) {
    const auto request = requests_.find(first->id);
    if (request != requests_.end()) request->second.first_byte = now;
  }
  const auto* done = std::get_if<cdn::HttpDone>(&input);
  const auto request = done == nullptr ? requests_.end() : requests_.find(done->id);
  if (request == requests_.end()) return;
  const Request& asked = request->second;
  const bool fine =
      done->outcome == cdn::HttpOutcome::kOk || done->outcome == cdn::HttpOutcome::kCancelled;
  Line(*this, "cdn", now)
      .add("torrent", asked.torrent.value())
      .add("asked_ms", milliseconds(asked.at - start_))
      .add("first_byte_ms",
           asked.first_byte ? Json(milliseconds(*asked.first_byte - asked.at)) : Json())
      .add("took_ms", milliseconds(now - asked.at))
      .add("bytes", done->received.count())
      .add("ok", fine)
      .add("status", done->status)
      .write(*this);
  requests_.erase(request);
}

}  // namespace tributary::player
