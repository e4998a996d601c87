#include "engine/core/swarm.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/parting.h"

namespace tributary::core {
namespace {

ByteTimeMap timeline_from_hints(const Metainfo& meta, std::size_t file) {
  const Bytes size = meta.info.files[file].length;
  if (file >= meta.hints.size()) return {};
  const FileHints& hints = meta.hints[file];
  return ByteTimeMap::from_points(size, hints.duration, hints.points);
}

// Nodes forget a peer 30 minutes after its announcement (BEP 5's custom). A search takes some fifty
// datagrams. Who starts together with us announces itself some seconds after our first search.
constexpr SearchPace kDhtPace{.regular = 15min, .first = 10s, .early = 60s};
// BEP 14: every five minutes, whoever is there.
constexpr SearchPace kLocalPace{.regular = 5min, .first = 5min, .early = 5min};
// A connection is made in one round trip, and the handshakes take a second.
constexpr int kDialRoundTrips = 2;
// Trackers and CDN first: a start must not share its first instants with a search.
constexpr Duration kDhtDelay = 1s;
// Nobody is looked for while the head of a start is on its way from the CDN, but a slow CDN keeps
// peers away no longer than this.
constexpr Duration kHeadFirst = 250ms;
// Where a slow line brings the head, dials are so far apart: the answers of several at once fill up
// the queue before the line, and what is lost of the head comes a round trip later.
constexpr Duration kDialsBesideHead = 20ms;
// With fewer peers than these we look for more.
constexpr int kFewPeers = 5;
// Most seeds of a large swarm play nothing and part at once: of one track's at most so many are
// dialled to find those whom others can be asked of.
constexpr int kMostNeighbourDials = 2 * kMaxKeptForOverlay;

}  // namespace

Swarm::Swarm(const Metainfo& metainfo, const SwarmParams& params, const Bitfield& verified,
             BanList& bans, TimePoint now)
    : s_(metainfo, params),
      bans_(bans),
      receiver_(s_, bans),
      uploader_(s_),
      metadata_(s_),
      protocol_(s_, receiver_, uploader_, metadata_),
      planner_(s_, receiver_),
      announcer_(metainfo.trackers, s_.random.split(), {.stays = metainfo.info.is_private}),
      locality_(params.operators),
      book_(params.book),
      exchanger_(s_, book_),
      puncher_(s_, book_),
      dht_(kDhtPace),
      local_(kLocalPace) {
  receiver_.connect(protocol_);
  if (params.own_address) locality_.set_own(*params.own_address);
  if (params.rank_addresses) book_.rank_by(locality_);
  s_.now = now;
  for (std::size_t f = 0; f < metainfo.info.files.size(); ++f) {
    timelines_.push_back(timeline_from_hints(metainfo, f));
    guessed_.push_back(!timelines_.back().known());
    if (guessed_.back()) timelines_.back() = guessed_timeline(metainfo.info.files[f].length);
  }
  update_media_rate();
  if (verified.size() > 0) on(Restored{params.id, verified});
  was_complete_ = s_.pieces.complete();
}

void Swarm::handle(const Input& input, TimePoint now) {
  s_.now = now;
  std::visit([this](const auto& event) { on(event); }, input);
  settle();
}

void Swarm::tick(TimePoint now) {
  s_.now = now;
  settle();
}

std::optional<Action> Swarm::poll() {
  if (s_.out.empty()) return std::nullopt;
  return s_.out.take_front();
}

// What follows from whatever changed, in one fixed order.
void Swarm::settle() {
  if (!closed_) {
    update_emergency();
    check_start();
    if (s_.now >= s_.watch_at) {
      s_.watch_at = kNever;
      s_.watch_by(protocol_.on_time());
    }
    planner_.plan();
    uploader_.on_time();
    exchanger_.on_time();
    metadata_.on_time();
    if (!std::exchange(was_complete_, s_.pieces.complete()) && was_complete_) {
      announcer_.on_completed();
    }
  }
  if (s_.now >= unanswered_at_) watch_dials();
  discover();
}

TimePoint Swarm::next_deadline() const {
  const bool use_peers = s_.uses_peers();
  if (closed_) return use_peers ? announcer_.next_deadline() : kNever;
  TimePoint next = std::min(planner_.next_deadline(), uploader_.next_deadline());
  next = std::min({next, s_.watch_at, s_.silence_at(), exchanger_.next_deadline(),
                   metadata_.next_deadline(), unanswered_at_});
  if (!use_peers) return next;  // discover() does nothing
  if (const auto until = head_first_until()) {
    next = std::min(next, *until);
  } else if (sharing_ || s_.active()) {
    next = std::min({next, announcer_.next_deadline(), book_.next_deadline(), dht_.next_deadline(),
                     local_.next_deadline()});
  }
  return next;
}

// Until when discovery waits for the head of a start; none: it goes on.
std::optional<TimePoint> Swarm::head_first_until() const {
  if (closed_ || !s_.demanded_since) return std::nullopt;
  const TimePoint until = *s_.demanded_since + kHeadFirst;
  return s_.now < until && planner_.head_on_its_way() ? std::optional(until) : std::nullopt;
}

void Swarm::discover() {
  if (!s_.uses_peers() || (!sharing_ && !s_.active() && !closed_)) return;
  if (head_first_until()) return;
  const bool need_peers = s_.active() && book_.connected() < kFewPeers;
  announcer_.set_need_peers(need_peers);
  announce();
  if (closed_) return;
  if (s_.uses_dht()) {
    dht_.start(s_.now + (s_.meta.trackers.empty() ? Duration::zero() : kDhtDelay));
    dht_.set_need_peers(need_peers);
    if (dht_.poll(s_.now)) s_.out.emplace_back(SearchDht{s_.params.id});
  }
  if (s_.announces_locally()) {
    local_.start(s_.now);
    if (local_.poll(s_.now)) s_.out.emplace_back(AnnounceLocally{s_.params.id});
  }
  // These first, for the other end dials now.
  while (const auto remote = puncher_.next_dial()) {
    abandon_dial(*remote);
    if (book_.dial_now(*remote, PeerSource::kExchange, s_.now, bans_)) dial(*remote, true);
  }
  dial_those_sought();
}

void Swarm::dial_those_sought() {
  book_.space_dials(planner_.head_on_its_way() ? kDialsBesideHead : Duration::zero());
  while (true) {
    const PeerBook::Seek whom = whom_to_seek();
    book_.seek(whom);
    const auto remote = book_.next_dial(s_.now, bans_);
    if (!remote) return;
    dial(*remote, false);
    if (whom == PeerBook::Seek::kNeighbours) ++neighbour_dials_;
  }
}

// A listener asks those who are complete for the next track.
PeerBook::Seek Swarm::whom_to_seek() const {
  if (!s_.pieces.complete()) return PeerBook::Seek::kAnybody;
  const bool asks = s_.uses_overlay() && !s_.demands.empty();
  const bool enough =
      book_.connected() >= kMaxKeptForOverlay || neighbour_dials_ >= kMostNeighbourDials;
  return asks && !enough ? PeerBook::Seek::kNeighbours : PeerBook::Seek::kLeechers;
}

void Swarm::announce() {
  while (const auto task = announcer_.poll(s_.now)) {
    const ByteCounts total = s_.ledger.total();
    Bytes left;
    const Bitfield& have = s_.pieces.have_pieces();
    left = s_.layout.piece_length() * (have.size() - have.count());
    s_.out.emplace_back(Announce{s_.params.id, task->tracker, task->event, total.uploaded,
                                 total.peers + total.cdn(), left, task->want});
  }
}

Handshake Swarm::handshake(const InfoHash& info_hash) const {
  return {info_hash, s_.params.peer_id, true, true, s_.meta.info.has_v2(), s_.uses_dht()};
}

Handshake Swarm::answer(const Handshake& remote) const {
  const bool upgrade = remote.v2 && s_.meta.info.has_v2();
  return handshake(upgrade ? s_.meta.info.info_hashes().back() : remote.info_hash);
}

std::vector<InfoHash> Swarm::served() const {
  if (closed_ || !s_.uses_peers()) return {};
  return s_.meta.info.info_hashes();
}

bool Swarm::answers_to(const InfoHash& info_hash) const {
  return !closed_ && s_.uses_peers() && s_.meta.info.is_called(info_hash);
}

// Of two connections between the same clients both ends keep the one that the smaller id opened.
bool Swarm::simultaneous(const PeerConnected& e) {
  for (const auto& [conn, peer] : s_.peers) {
    if (peer.peer_id != e.handshake.peer_id) continue;
    const bool we_are_smaller = s_.params.peer_id < e.handshake.peer_id;
    const bool keep_new = peer.inbound != e.inbound && e.inbound != we_are_smaller;
    if (!keep_new) return true;
    s_.disconnect(peer, "a second connection to the same client");
    return false;
  }
  return false;
}

void Swarm::on(const PeerConnected& e) {
  const auto dial = dials_.find(e.conn);
  const bool punched = is_punched(e);
  Duration round_trip{};
  if (dial != dials_.end()) {
    round_trip = (s_.now - dial->second.at) / kDialRoundTrips;
    book_.on_connected(dial->second.remote, round_trip);
    dials_.erase(dial);
  } else if (!book_.on_incoming(e.remote, s_.now, bans_)) {
    s_.out.emplace_back(Disconnect{s_.params.id, e.conn, "banned, or too many connections"});
    return;
  }
  if (e.handshake.peer_id == s_.params.peer_id || closed_ || simultaneous(e)) {
    book_.on_closed(e.remote, PeerBook::Outcome::kUseless, s_.now);
    if (e.handshake.peer_id == s_.params.peer_id) book_.add_own(e.remote);
    s_.out.emplace_back(Disconnect{s_.params.id, e.conn, "ourselves, or already connected"});
    return;
  }
  protocol_.on_connected(e);
  Peer* peer = s_.peer(e.conn);
  if (peer) peer->punched = punched;
  if (peer && !e.inbound) {
    peer->listening = e.remote;
    peer->round_trip = round_trip;
    peer->source = book_.source_of(e.remote);
    exchanger_.on_change();
  }
  s_.watch_by(s_.now + kKeepAliveInterval);
  if (book_.full()) part_with_least_useful();
}

// Makes room again for those who come in.
void Swarm::part_with_least_useful() {
  std::vector<Neighbour> neighbours;
  for (const auto& [conn, peer] : s_.peers) {
    neighbours.push_back(
        {conn, peer.traffic.sum(s_.now, 1), peer.traffic.sum(s_.now, 6),
         peer.am_interested || peer.peer_interested,
         peer.in_flight() > 0 || peer.upload->sending > 0 || !peer.upload->queue.empty(),
         peer.connected_at});
    if (!s_.params.rank_addresses) continue;
    neighbours.back().rank = locality_.rank(peer.listening.value_or(peer.remote));
    neighbours.back().round_trip = peer.round_trip;
  }
  const auto keep = static_cast<std::size_t>(s_.params.book.soft_limit);
  for (ConnId conn : choose_partings(std::move(neighbours), keep, s_.now)) {
    s_.disconnect(*s_.peer(conn), "of less use than the others");
  }
}

void Swarm::on(const PeerMessage& e) {
  Peer* peer = s_.peer(e.conn);
  if (const auto* hello = std::get_if<ExtendedHandshake>(&e.message)) {
    if (peer) on_hello(*peer, *hello);
  } else if (const auto* exchange = std::get_if<PeerExchange>(&e.message)) {
    if (peer && exchanger_.on_message(*peer, *exchange)) {
      puncher_.on_exchange(*peer, *exchange);
      reconsider_dials();
    }
  } else if (const auto* punch = std::get_if<HolePunch>(&e.message)) {
    if (peer) puncher_.on_message(*peer, *punch);
  } else if (const auto* port = std::get_if<Port>(&e.message)) {
    if (peer) on_dht_port(*peer, *port);
  }
  s_.changed_peers.push_back(e.conn);
  protocol_.on_message(e.conn, e.message);
}

void Swarm::on_hello(Peer& peer, const ExtendedHandshake& hello) {
  exchanger_.on_change();
  if (hello.your_ip) note_own_address(peer.remote, *hello.your_ip);
  // A private torrent's peers are its tracker's to name (BEP 27).
  if (!peer.inbound || s_.meta.info.is_private) return;
  std::optional<std::uint16_t> port = hello.listen_port;
  // Who understands hole punching takes uTP where its own comes from. libtorrent tells no port.
  if (!port && peer.utp && hello.hole_punch && s_.punches_holes()) port = peer.remote.port;
  if (!port) return;
  book_.on_listen_port(peer.remote, *port);
  peer.listening = peer.remote;
  peer.listening->port = *port;
}

PeerBook::Outcome Swarm::outcome_of(const Peer& peer) const {
  if (s_.pieces.complete() && peer.has.all()) {
    return peer.useless ? PeerBook::Outcome::kBothComplete : PeerBook::Outcome::kLeftComplete;
  }
  const bool useful = peer.download->received_total > 0_B || peer.upload->sent_total > 0_B;
  return useful ? PeerBook::Outcome::kUseful : PeerBook::Outcome::kUseless;
}

void Swarm::on(const PeerClosed& e) {
  const auto dial = dials_.find(e.conn);
  if (dial != dials_.end()) {
    const Endpoint remote = dial->second.remote;
    book_.on_failed(remote, s_.now);
    dials_.erase(dial);
    return puncher_.on_unreachable(remote);
  }
  const Peer* peer = s_.peer(e.conn);
  if (!peer) return;
  book_.on_closed(peer->remote, outcome_of(*peer), s_.now);
  protocol_.on_closed(e.conn);
  exchanger_.on_change();
}

void Swarm::on(const Restored& e) {
  TRIBUTARY_CHECK(e.blocks.size() == s_.layout.block_count());
  for (int i = e.blocks.find_next(0); i != Bitfield::kNone; i = e.blocks.find_next(i + 1)) {
    const BlockIndex block(i);
    if (s_.pieces.have(block) || s_.pieces.received(block)) continue;
    s_.counts(block).cache += s_.length_of(block);
    if (s_.pieces.set_have(block)) protocol_.announce_piece(s_.layout.piece_of(block));
  }
}

void Swarm::on(const AnnounceReply& e) {
  announcer_.on_reply(e.tracker, e.interval, e.min_interval, s_.now);
  if (e.own_address) note_own_address(std::nullopt, *e.own_address);
  if (s_.meta.info.is_private) leave_former_tracker(e);
  book_.add(e.peers, PeerSource::kTracker);
  if (e.only_seeds) {
    for (const Endpoint& peer : e.peers) book_.hear_complete(peer, true);
  }
  if (e.peers.empty() && s_.peers.empty() && dials_.empty()) s_.discovery_over = true;
  s_.replan_cdn = true;
}

// Once for each peer: it has one node.
void Swarm::on_dht_port(Peer& peer, const Port& message) {
  if (!s_.uses_dht() || message.port == 0 || std::exchange(peer.told_dht_port, true)) return;
  Endpoint node = peer.remote;
  node.port = message.port;
  s_.out.emplace_back(AddDhtNode{node});
}

void Swarm::on(const PeersFound& e) {
  if (s_.meta.info.is_private) return;
  if (book_.add(e.peers, e.source) > 0) s_.discovery_over = false;
}

void Swarm::on(const CdnHealth& e) {
  s_.cdn.available = e.available;
  s_.cdn.first_byte_high = e.first_byte_high;
  s_.cdn.throughput_low = e.throughput_low;
  s_.reopen();
}

void Swarm::on(const SetBackground& e) {
  s_.background = e.enabled;
  s_.reopen();
  protocol_.refresh_interest();
}

void Swarm::add_peer(const Endpoint& peer, TimePoint now) {
  s_.now = now;
  book_.add({&peer, 1}, PeerSource::kUser);
  s_.discovery_over = false;
  settle();
}

void Swarm::share(bool enabled, TimePoint now) {
  s_.now = now;
  sharing_ = enabled;
  settle();
}

void Swarm::set_conduct(const Policy& policy, bool upload, TimePoint now) {
  s_.now = now;
  s_.params.policy = policy;
  s_.params.upload = upload;
  while (!policy.use_cdn && !s_.cdn.requests.empty()) {
    drop_cdn_request(s_.cdn.requests.begin()->first);
  }
  if (!policy.use_peers) {
    for (const auto& [conn, peer] : s_.peers) s_.disconnect(peer, "peers are no longer asked");
  }
  s_.replan_seeds = true;
  s_.reopen();
  protocol_.refresh_interest();
  uploader_.rechoke_soon();
  settle();
}

void Swarm::close(TimePoint now) {
  s_.now = now;
  closed_ = true;
  for (const auto& [id, request] : s_.cdn.requests)
    s_.out.emplace_back(CdnCancel{s_.params.id, id});
  s_.cdn.requests.clear();
  receiver_.free_unverified();
  for (const auto& [conn, peer] : s_.peers) s_.disconnect(peer, "closing");
  for (const auto& [conn, dial] : dials_) {
    s_.out.emplace_back(Disconnect{s_.params.id, conn, "closing"});
  }
  announcer_.stop();
  settle();
}

void Swarm::update_media_rate() {
  s_.media_rate = BitRate();
  for (const ByteTimeMap& timeline : timelines_) {
    s_.media_rate = std::max(s_.media_rate, timeline.bit_rate());
  }
}

void Swarm::update_emergency() {
  if (std::exchange(s_.emergency, planner_.in_emergency()) != s_.emergency) {
    uploader_.rechoke_soon();
  }
}

// The CDN insures a start; without it the chance of a stall decides.
void Swarm::check_start() {
  for (Demand& demand : s_.demands) {
    if (!demand.starting || demand.may_start_sent || demand.prefetch) continue;
    if (demand.reader != kNoReader) continue;
    if (!s_.cdn_insures()) {
      const Bytes begin = demand.wanted(s_.now).begin;
      const Bytes ahead = demand.offset_at(demand.playhead(s_.now) + s_.buffered(demand)) - begin;
      Random draws = s_.random;  // the rule's draws must not depend on how often it is asked
      if (!may_start(s_.history, ahead, demand.timeline, demand.position, draws)) continue;
    }
    demand.may_start_sent = true;
    s_.out.emplace_back(MayStart{s_.params.id, demand.file});
  }
}

}  // namespace tributary::core
