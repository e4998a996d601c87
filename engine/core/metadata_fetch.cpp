#include "engine/core/metadata_fetch.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/peer_address.h"

namespace tributary::core {
namespace {

// A fetch lasts a minute at most, and is all that the listener waits for.
constexpr SearchPace kDhtPace{.regular = 30s, .first = 10s, .early = 15s};
// As for a swarm: a tracker that answers makes the search superfluous.
constexpr Duration kDhtDelay = 1s;
// How often overdue answers and idle peers are looked for.
constexpr Duration kLookInterval = 500ms;
constexpr std::size_t kMaxLiars = 64;

}  // namespace

MetadataFetch::MetadataFetch(FetchTarget target, FetchParams params, BanList& bans, TimePoint now)
    : target_(std::move(target)),
      params_(std::move(params)),
      bans_(bans),
      now_(now),
      give_up_at_(now + params_.limit),
      announcer_(target_.trackers, Random(params_.seed)),
      book_(params_.book),
      dht_(kDhtPace) {
  TRIBUTARY_CHECK(!target_.hashes.empty());
  announcer_.set_need_peers(true);
  dht_.set_need_peers(true);
  if (params_.dht) {
    dht_.start(now + (target_.trackers.empty() ? Duration::zero() : kDhtDelay));
  }
}

void MetadataFetch::handle(const Input& input, TimePoint now) {
  now_ = now;
  std::visit([this](const auto& event) { on(event); }, input);
  settle();
}

void MetadataFetch::tick(TimePoint now) {
  now_ = now;
  settle();
}

std::optional<Action> MetadataFetch::poll() {
  if (out_.empty()) return std::nullopt;
  Action action = std::move(out_.front());
  out_.pop_front();
  return action;
}

void MetadataFetch::add_peer(const Endpoint& peer, TimePoint now) {
  now_ = now;
  book_.add({&peer, 1}, PeerSource::kUser);
  settle();
}

void MetadataFetch::close(TimePoint now) {
  now_ = now;
  stage_ = Stage::kOver;
  for (const auto& [conn, peer] : peers_) {
    out_.emplace_back(Disconnect{params_.id, conn, "the torrent is known now"});
  }
  for (const auto& [conn, remote] : dials_) {
    out_.emplace_back(Disconnect{params_.id, conn, "the torrent is known now"});
  }
  peers_.clear();
  dials_.clear();
}

TimePoint MetadataFetch::next_deadline() const {
  if (stage_ == Stage::kOver) return kNever;
  return std::min({give_up_at_, announcer_.next_deadline(), book_.next_deadline(),
                   dht_.next_deadline(), look_at_});
}

Handshake MetadataFetch::handshake(const InfoHash& info_hash) const {
  return {info_hash, params_.peer_id, true, true, target_.v2, params_.dht};
}

Handshake MetadataFetch::answer(const InfoHash& info_hash) const { return handshake(info_hash); }

std::vector<InfoHash> MetadataFetch::served() const {
  return stage_ != Stage::kOver ? target_.hashes : std::vector<InfoHash>{};
}

bool MetadataFetch::answers_to(const InfoHash& info_hash) const {
  const std::vector<InfoHash> hashes = served();
  return std::find(hashes.begin(), hashes.end(), info_hash) != hashes.end();
}

FetchProgress MetadataFetch::progress() const {
  return {.known = book_.size(),
          .connected = static_cast<int>(peers_.size()),
          .claimants = metadata_.claimants(),
          .size = metadata_.size(),
          .received = metadata_.received(),
          .layers = stage_ == Stage::kLayers};
}

void MetadataFetch::send(ConnId conn, Message message) {
  out_.emplace_back(Send{params_.id, conn, std::move(message)});
}

// What follows from whatever changed, in one fixed order.
void MetadataFetch::settle() {
  if (stage_ == Stage::kOver) return;
  if (look_at_ <= now_) {
    metadata_.on_time(now_);
    if (layers_) layers_->on_time(now_);
    drop_idle();
    look_at_ = kNever;
  }
  const bool waits = !peers_.empty() || stage_ == Stage::kLayers;
  if (waits && look_at_ == kNever) look_at_ = now_ + kLookInterval;
  ask();
  check_end();
  if (stage_ != Stage::kOver) discover();
}

void MetadataFetch::discover() {
  while (const auto task = announcer_.poll(now_)) {
    // How much is left is not known before the dictionary is; anything but nothing says "leecher".
    out_.emplace_back(
        Announce{params_.id, task->tracker, task->event, 0_B, 0_B, kMetadataPieceSize, task->want});
  }
  if (dht_.poll(now_)) out_.emplace_back(SearchDht{params_.id});
  while (const auto remote = book_.next_dial(now_, bans_)) {
    const ConnId conn(std::uint64_t{params_.id.value()} << 40 | ++next_conn_);
    dials_[conn] = *remote;
    out_.emplace_back(Connect{params_.id, conn, *remote, handshake(target_.hashes.front())});
  }
}

void MetadataFetch::ask() {
  for (auto& [conn, peer] : peers_) {
    if (stage_ == Stage::kInfo && peer.metadata) {
      while (const auto piece = metadata_.next_request(conn, now_)) {
        send(conn, MetadataRequest{*piece});
      }
    }
    if (stage_ == Stage::kLayers && peer.v2) {
      while (const auto span = layers_->next_request(conn, now_)) send(conn, HashRequest{*span});
    }
  }
  if (stage_ != Stage::kInfo) return;
  if (auto whole = metadata_.take_whole()) {
    stage_ = Stage::kVerifying;
    info_ = *std::move(whole);
    out_.emplace_back(VerifyMetadata{params_.id, info_});
  }
}

void MetadataFetch::drop_idle() {
  std::vector<ConnId> idle;
  for (const auto& [conn, peer] : peers_) {
    const bool gives = metadata_.claims(conn) || (stage_ == Stage::kLayers && peer.v2);
    if (!gives && peer.connected_at + kIdlePeer <= now_) idle.push_back(conn);
  }
  for (ConnId conn : idle) disconnect(conn, "it has no metadata");
}

void MetadataFetch::check_end() {
  if (stage_ == Stage::kLayers) {
    if (layers_->complete()) return end(FetchEnd::kDone);
    const bool tired = !layers_->under_way() && layers_since_ + kLayerPatience <= now_;
    if (has_v1_ && (tired || give_up_at_ <= now_)) {
      layers_.reset();
      return end(FetchEnd::kDone);
    }
  }
  if (now_ < give_up_at_) return;
  end(stage_ == Stage::kLayers ? FetchEnd::kNoLayers
      : met_anybody_           ? FetchEnd::kNoMetadata
                               : FetchEnd::kNobody);
}

void MetadataFetch::end(FetchEnd how) {
  MetadataFetched done{.torrent = params_.id, .end = how, .info = {}, .layers = {}, .peers = {}};
  if (how == FetchEnd::kDone) {
    done.info = std::move(info_);
    if (layers_) done.layers = layers_->take();
    for (const bool of_use : {true, false}) {
      for (const auto& [conn, peer] : peers_) {
        if (peer.of_use != of_use || !peer.listening) continue;
        // A private torrent's peers are its tracker's to name (BEP 27).
        const bool named = book_.source_of(*peer.listening) <= PeerSource::kTracker;
        if (!is_private_ || named) done.peers.push_back(*peer.listening);
      }
    }
  }
  close(now_);
  out_.emplace_back(std::move(done));
}

void MetadataFetch::on(const PeerConnected& e) {
  const auto dial = dials_.find(e.conn);
  if (dial != dials_.end()) {
    book_.on_connected(dial->second);
    dials_.erase(dial);
  } else if (!book_.on_incoming(e.remote, now_, bans_)) {
    out_.emplace_back(Disconnect{params_.id, e.conn, "banned, or too many connections"});
    return;
  }
  const bool ourselves = e.handshake.peer_id == params_.peer_id;
  const bool liar = std::find(liars_.begin(), liars_.end(), e.remote) != liars_.end();
  if (ourselves || liar || stage_ == Stage::kOver || !e.handshake.extended) {
    book_.on_closed(e.remote, PeerBook::Outcome::kUseless, now_);
    if (ourselves) book_.add_own(e.remote);
    out_.emplace_back(Disconnect{params_.id, e.conn, "of no use for metadata"});
    return;
  }
  met_anybody_ = true;
  Peer& peer = peers_[e.conn];
  peer.remote = e.remote;
  peer.inbound = e.inbound;
  peer.connected_at = now_;
  const bool by_v2_hash = target_.v2 && e.handshake.info_hash == target_.hashes.back();
  // A hybrid's peer that answers by the v1 hash alone has not taken the offer of v2 (BEP 52).
  const bool declined =
      !e.inbound && target_.v2 && !by_v2_hash && e.handshake.info_hash == target_.hashes.front();
  peer.v2 = (e.handshake.v2 && !declined) || by_v2_hash;
  if (!e.inbound) peer.listening = e.remote;
  greet(e.conn, peer);
  if (e.handshake.fast) send(e.conn, HaveNone{});
}

void MetadataFetch::greet(ConnId conn, const Peer& peer) {
  ExtendedHandshake hello;
  hello.client = params_.client_name;
  hello.metadata = true;
  const std::uint16_t port = port_told(peer.remote, params_.listen_port, params_.loopback_only);
  if (port != 0) hello.listen_port = port;
  hello.your_ip = peer.remote;
  hello.your_ip->port = 0;
  send(conn, hello);
}

void MetadataFetch::leave(ConnId conn) {
  const auto it = peers_.find(conn);
  if (it == peers_.end()) return;
  metadata_.forget(conn);
  if (layers_) layers_->forget(conn);
  using Outcome = PeerBook::Outcome;
  book_.on_closed(it->second.remote, it->second.of_use ? Outcome::kUseful : Outcome::kUseless,
                  now_);
  peers_.erase(it);
}

void MetadataFetch::disconnect(ConnId conn, std::string reason) {
  if (!peers_.contains(conn)) return;
  leave(conn);
  out_.emplace_back(Disconnect{params_.id, conn, std::move(reason)});
}

void MetadataFetch::on(const PeerClosed& e) {
  const auto dial = dials_.find(e.conn);
  if (dial == dials_.end()) return leave(e.conn);
  book_.on_failed(dial->second, now_);
  dials_.erase(dial);
}

void MetadataFetch::on(const PeerMessage& e) {
  const auto it = peers_.find(e.conn);
  if (it != peers_.end()) {
    std::visit([&](const auto& m) { on_message(e.conn, it->second, m); }, e.message);
  } else if (const auto* piece = std::get_if<Piece>(&e.message)) {
    out_.emplace_back(Free{piece->buffer});
  }
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const ExtendedHandshake& m) {
  peer.metadata = m.metadata;
  if (peer.inbound && m.listen_port && !peer.listening) {
    book_.on_listen_port(peer.remote, *m.listen_port);
    peer.listening = peer.remote;
    peer.listening->port = *m.listen_port;
  }
  if (!m.metadata && !peer.v2) return disconnect(conn, "it knows no metadata exchange");
  if (!m.metadata || !m.metadata_size) return;
  if (*m.metadata_size > kMaxMetadataSize) return disconnect(conn, "metadata over 64 MiB");
  if (*m.metadata_size > 0_B) metadata_.claim(conn, peer.remote, *m.metadata_size);
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const MetadataData& m) {
  static_cast<void>(peer);
  if (!metadata_.on_data(conn, m)) disconnect(conn, "metadata that does not fit its claim");
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const MetadataReject& m) {
  static_cast<void>(peer);
  metadata_.on_reject(conn, m.piece, now_);
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const MetadataRequest& m) {
  static_cast<void>(peer);
  send(conn, MetadataReject{m.piece});
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const Hashes& m) {
  static_cast<void>(peer);
  const auto height = layers_ ? layers_->on_hashes(conn, m) : std::nullopt;
  if (height) out_.emplace_back(VerifyLayer{params_.id, conn, m, *height});
}

void MetadataFetch::on_message(ConnId conn, Peer& peer, const HashReject& m) {
  static_cast<void>(peer);
  if (layers_) layers_->on_reject(conn, m.span);
}

void MetadataFetch::on_message(ConnId, Peer& peer, const Port& m) {
  if (!params_.dht || m.port == 0 || std::exchange(peer.told_dht_port, true)) return;
  Endpoint node = peer.remote;
  node.port = m.port;
  out_.emplace_back(AddDhtNode{node});
}

void MetadataFetch::on_message(ConnId, Peer&, const Piece& m) { out_.emplace_back(Free{m.buffer}); }

void MetadataFetch::on(const AnnounceReply& e) {
  announcer_.on_reply(e.tracker, e.interval, e.min_interval, now_);
  book_.add(e.peers, PeerSource::kTracker);
}

void MetadataFetch::on(const MetadataVerified& e) {
  if (stage_ != Stage::kVerifying) return;
  const std::vector<BlockSource> guilty = metadata_.on_verdict(e.good);
  for (const BlockSource& source : guilty) blame(source);
  if (!e.good) {
    info_.clear();
    stage_ = Stage::kInfo;
    return;
  }
  for (const BlockSource& sender : metadata_.senders()) {
    const auto it = peers_.find(sender.conn);
    if (it != peers_.end()) it->second.of_use = true;
  }
  has_v1_ = e.has_v1;
  is_private_ = e.is_private;
  stage_ = Stage::kLayers;
  layers_since_ = now_;
  layers_.emplace(e.layers);
}

void MetadataFetch::on(const LayerVerified& e) {
  if (stage_ != Stage::kLayers) return;
  layers_->on_verdict(e.conn, e.span, e.good);
  const auto it = peers_.find(e.conn);
  if (it == peers_.end()) return;
  if (!e.good) return blame(BlockSource::peer(e.conn, it->second.remote));
  it->second.of_use = true;
  layers_since_ = now_;
}

// It lied: no more of it, neither here nor in the swarm.
void MetadataFetch::blame(const BlockSource& source) {
  // All clients of one machine share its loopback address.
  const bool loopback = Endpoint{source.address, 0}.is_loopback();
  const auto it = peers_.find(source.conn);
  if (!loopback) {
    bans_.ban(source, now_);
  } else if (it != peers_.end() && liars_.size() < kMaxLiars) {
    liars_.push_back(it->second.remote);
  }
  if (it != peers_.end()) it->second.of_use = false;
  disconnect(source.conn, "it sent wrong metadata");
}

}  // namespace tributary::core
