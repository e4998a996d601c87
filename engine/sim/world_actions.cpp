// How the simulated host performs each action of a node.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/sim/message_size.h"
#include "engine/sim/world.h"
#include "engine/wire/peer_codec.h"

namespace tributary::sim {

void World::perform(Actor& a, player::NodeAction action) {
  std::visit([&](auto& kind) { std::visit([&](auto& x) { perform(a, std::move(x)); }, kind); },
             action);
}

void World::perform(Actor& a, const core::Connect& action) { peers_.dial(a.id, action); }
void World::perform(Actor& a, const core::Disconnect& action) {
  note_cut(a, action.conn);
  peers_.disconnect(a.id, action);
}

void World::send(Actor& a, core::Send action) {
  const Bytes size = wire_size(action.message);
  ++a.meter.messages;
  a.meter.message_bytes += size;
  if (tells_of_peers(action.message)) a.meter.search_bytes += size;
  peers_.send(a.id, std::move(action));
}

// What it says, as the host's strategy has it.
void World::perform(Actor& a, core::Send&& action) {
  if (a.hider) {
    const auto shown = a.hider->said(action.conn, action.message, track(action.torrent).layout());
    if (shown) return send(a, {action.torrent, action.conn, *shown});
    return;
  }
  if (!a.params.claims) return send(a, std::move(action));
  const bool greets = std::holds_alternative<core::ExtendedHandshake>(action.message);
  const core::Send claim{action.torrent, action.conn, core::NeedMessage{*a.params.claims}};
  if (!std::holds_alternative<core::NeedMessage>(action.message)) send(a, std::move(action));
  if (greets) send(a, claim);
}

void World::show_pieces(Actor& a, const core::PeerMessage& heard) {
  a.hider->heard(heard.conn, heard.message);
  while (const auto piece = a.hider->show()) {
    send(a, {heard.torrent, piece->first, core::Have{piece->second}});
  }
}

void World::note_lie(Actor& a, core::ConnId conn, const Payload& payload) {
  auto lie = std::find_if(lies_.begin(), lies_.end(),
                          [&](const Lie& l) { return l.victim == a.id && l.liar == payload.from; });
  if (lie == lies_.end()) {
    lie = lies_.insert(lies_.end(), Lie{a.id, payload.from, conn, now(), now(), 0_B, {}});
  }
  lie->conn = conn;
  lie->last = now();
  lie->bytes += payload.span.length;
}

void World::note_cut(const Actor& a, core::ConnId conn) {
  for (Lie& lie : lies_) {
    if (lie.victim == a.id && lie.conn == conn) lie.cut = now();
  }
}

// The farewell is an event of its own, for the node is being asked what to do.
void World::note_completion(Actor& a) {
  if (!a.download || a.completed || !a.store.complete(*a.download)) return;
  a.completed = now();
  if (!a.params.leaves_when_done) return;
  at(now(), [host = a.id](World& w) { w.leave(host, true); });
}

void World::perform(Actor& a, const core::SendBlock& action) {
  const core::Layout& layout = track(action.torrent).layout();
  const core::BlockIndex block = layout.block_at(action.span.piece, action.span.begin);
  checkers_.uploaded(now(), a.id, action.span, a.store.has(action.torrent, block));
  a.meter.asked_of_us += action.span.length;
  a.meter.message_bytes += Bytes(wire::kPieceHeaderSize);
  peers_.send_block(a.id, action, a.params.corrupt);
  if (a.hider) a.hider->gave(action.conn, action.span.piece);
}

void World::perform(Actor& a, const core::ServeHashes& action) {
  std::vector<Sha256> hashes = track(action.torrent).serve(action.span);
  if (hashes.empty()) {
    perform(a, core::Send{action.torrent, action.conn, core::HashReject{action.span}});
  } else {
    perform(a,
            core::Send{action.torrent, action.conn, core::Hashes{action.span, std::move(hashes)}});
  }
}

bool World::is_right(const Actor& a, const core::Verify& action) const {
  const auto count = static_cast<std::size_t>(action.blocks.size());
  if (action.buffers.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* buffer = a.buffers.find(Id<BufferTag, std::uint64_t>(action.buffers[i].value()));
    TRIBUTARY_CHECK(buffer != nullptr);  // the node gave away a buffer that it still hashes
    const core::BlockIndex block = action.blocks.begin + static_cast<std::int32_t>(i);
    if (buffer->bad || buffer->torrent != action.torrent || buffer->block != block) return false;
  }
  return !action.leaf || *action.leaf == track(action.torrent).leaf(action.blocks.begin);
}

void World::hash(HostId host, core::Input result, std::size_t blocks) {
  const auto id = hashing_.emplace(HashJob{host, std::move(result)});
  const auto times = static_cast<std::int64_t>(blocks);
  queue_.schedule(params_.hash_time * times, {Owner::kHasher, 0, host, id.value()});
}

// Right bytes have the true leaf hash, wrong ones some other.
std::vector<Sha256> World::digests(const Actor& a, const core::Verify& action) const {
  std::vector<Sha256> digests;
  if (action.leaf) return digests;
  for (const core::BufferId id : action.buffers) {
    const auto* buffer = a.buffers.find(Id<BufferTag, std::uint64_t>(id.value()));
    digests.push_back(track(action.torrent).leaf(buffer->block));
    if (buffer->bad) digests.back().bytes[0] ^= 0xff;
  }
  return digests;
}

void World::perform(Actor& a, const core::Verify& action) {
  hash(a.id,
       core::Verified{action.torrent, action.blocks, is_right(a, action), digests(a, action),
                      action.id},
       action.buffers.size());
}

void World::perform(Actor& a, const core::VerifyHashes& action) {
  std::vector<Sha256> leaves = track(action.torrent).leaves(action.piece);
  const std::vector<Sha256>& given = action.hashes.hashes;
  const bool right =
      given.size() >= leaves.size() && std::equal(leaves.begin(), leaves.end(), given.begin());
  if (!right) leaves.clear();
  hash(a.id, core::HashesVerified{action.torrent, action.conn, action.piece, std::move(leaves)}, 1);
}

void World::perform(Actor& a, const core::VerifyMetadata& action) {
  const Track& described = track(action.torrent);
  core::MetadataVerified result;
  result.torrent = action.torrent;
  result.good = action.info == described.metainfo().info_bytes;
  if (result.good) {
    result.is_private = described.metainfo().info.is_private;
    result.has_v1 = described.metainfo().info.has_v1();
    result.layers = described.missing_layers();
  }
  hash(a.id, std::move(result), 1);
}

void World::perform(Actor& a, const core::VerifyLayer& action) {
  const core::HashSpan& span = action.hashes.span;
  const bool right = action.hashes.hashes == track(action.torrent).serve(span);
  hash(a.id, core::LayerVerified{action.torrent, action.conn, span, right}, 1);
}

// What follows is an event of its own, for the node is being asked what to do.
void World::perform(Actor& a, const core::MetadataFetched& action) {
  if (action.end != core::FetchEnd::kDone) {
    a.expected = false;
    return;
  }
  at(now(), [host = a.id, torrent = action.torrent, peers = action.peers](World& w) {
    if (!w.online(host)) return;
    w.listen(host, {torrent});
    Actor& listening = w.actor(host);
    for (const Endpoint& peer : peers) listening.node->add_peer(torrent, peer, w.now());
    w.pump(listening);
  });
}

core::BufferId World::make_buffer(Actor& a, const Buffer& buffer) {
  return core::BufferId(a.buffers.emplace(buffer).value());
}

std::optional<World::Buffer> World::take_buffer(Actor& a, core::BufferId id) {
  const Id<BufferTag, std::uint64_t> key(id.value());
  const Buffer* found = a.buffers.find(key);
  checkers_.buffer_ended(now(), a.id, found != nullptr);
  if (found == nullptr) return std::nullopt;
  const Buffer buffer = *found;
  a.buffers.erase(key);
  return buffer;
}

void World::perform(Actor& a, const core::Store& action) {
  const std::optional<Buffer> buffer = take_buffer(a, action.buffer);
  if (!buffer) return;
  checkers_.stored(now(), a.id, action.block, buffer->bad,
                   buffer->torrent == action.torrent && buffer->block == action.block);
  const bool fresh = a.store.put(action.torrent, action.block, buffer->origin, buffer->bad);
  (fresh ? a.meter.stored : a.meter.repeated) += buffer->size;
  (fresh ? a.meter.kept : a.meter.duplicate)[buffer->origin] += buffer->size;
  if (a.listener) a.listener->stored(now(), action.torrent);
  note_completion(a);
}

void World::perform(Actor& a, const core::Free& action) {
  const std::optional<Buffer> buffer = take_buffer(a, action.buffer);
  if (!buffer) return;
  (buffer->bad ? a.meter.freed_bad : a.meter.freed_good) += buffer->size;
  (buffer->bad ? a.meter.corrupt : a.meter.duplicate)[buffer->origin] += buffer->size;
}

void World::perform(Actor& a, const core::Announce& action) {
  tracker_.announce(a.id, address(a.id), action);
}

void World::perform(Actor& a, const core::SearchDht& action) {
  dht_.search(a.id, action.torrent, track(action.torrent).info_hash());
}

void World::perform(Actor& a, const core::AddDhtNode& action) {
  if (a.params.dht) dht_.suggest(a.id, action.node);
}

void World::perform(Actor& a, const core::MayStart& action) {
  if (a.listener) a.listener->may_start(now(), action.torrent);
}

void World::perform(Actor& a, const core::Trace& action) {
  if (on_decision) on_decision(a.id, action.decision);
}

void World::perform(Actor& a, const cdn::HttpGet& action) { cdn_.get(a.id, action); }
void World::perform(Actor& a, const cdn::HttpCancel& action) { cdn_.cancel(a.id, action); }

// Bytes that left = bytes that arrived + what is on the way + what connections took with them.
void World::check_books() {
  Bytes sent = peers_.in_flight() + peers_.lost();
  Bytes given;
  for (const auto& a : actors_) {
    if (!a) continue;
    const HostMeter& m = a->meter;
    given += m.asked_of_us;
    sent += m.from_peers;
    checkers_.balance(now(), a->id, "received, and kept or thrown away or in hand",
                      m.from_peers + m.from_cdn,
                      m.stored + m.repeated + m.freed_good + m.freed_bad + in_hand(a->id));
  }
  checkers_.balance(now(), HostId(-1),
                    "payload handed to the network, and delivered, lost or on "
                    "its way",
                    given, sent);
  const EgressMeter cdn = cdn_.total();
  Bytes from_cdn;
  for (const auto& a : actors_) {
    if (a) from_cdn += a->meter.from_cdn;
  }
  checkers_.balance(now(), HostId(-1), "delivered by the CDN, and received from it", cdn.delivered,
                    from_cdn);
  checkers_.balance(now(), HostId(-1), "sent by the CDN, and delivered or cut off", cdn.bytes,
                    cdn.delivered + cdn.cut_off + cdn.unfinished);
  checkers_.finish(now());
}

}  // namespace tributary::sim
