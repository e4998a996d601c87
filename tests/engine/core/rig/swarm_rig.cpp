#include "tests/engine/core/rig/swarm_rig.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/engine/core/rig/describe.h"

namespace tributary::core {

PeerId peer_id_of(int n) {
  PeerId id;
  id.bytes[0] = 'T';
  id.bytes[18] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[19] = static_cast<std::uint8_t>(n);
  return id;
}

Sha256 hash_of(std::uint8_t n) {
  Sha256 hash;
  hash.bytes[0] = n;
  return hash;
}

SwarmParams swarm_params(TorrentId id, const Policy& policy, int self, const TrackShape& shape) {
  SwarmParams params;
  params.dht = shape.dht_port != 0;
  params.dht_port = shape.dht_port;
  params.local = shape.local;
  params.upload = shape.upload;
  params.super_seed = shape.super_seed;
  params.hole_punching = shape.hole_punching;
  params.rank_addresses = shape.rank_addresses;
  params.overlay = shape.overlay;
  params.loopback_only = shape.loopback_only;
  params.id = id;
  params.policy = policy;
  params.peer_id = peer_id_of(self);
  return params;
}

Metainfo make_track(const TrackShape& shape) {
  Metainfo meta;
  TorrentInfo& info = meta.info;
  info.name = "track";
  info.piece_length = kBlockSize * shape.blocks_per_piece;
  info.total_size = kBlockSize * shape.blocks;
  info.is_private = shape.is_private;
  const int pieces = (shape.blocks + shape.blocks_per_piece - 1) / shape.blocks_per_piece;
  FileEntry file;
  file.path = "track";
  file.length = info.total_size;
  if (shape.v2) {
    file.pieces_root = hash_of(255);
    file.piece_layer.assign(static_cast<std::size_t>(pieces), hash_of(1));
    info.v2_hash = hash_of(2);
  }
  if (shape.v1) {
    info.piece_hashes.resize(static_cast<std::size_t>(pieces));
    info.v1_hash = Sha1{};
  }
  info.files.push_back(std::move(file));
  meta.trackers = shape.trackers;
  meta.info_bytes.resize(static_cast<std::size_t>(shape.info_size.count()));
  meta.hints.emplace_back().duration = std::chrono::seconds(shape.blocks);
  return meta;
}

Lines with(const Lines& lines, const std::string& part) {
  Lines found;
  for (const std::string& line : lines) {
    if (line.find(part) != std::string::npos) found.push_back(line);
  }
  return found;
}

Lines SwarmRig::in(const Input& input) {
  if (const auto* told = std::get_if<Verified>(&input); told && told->id == VerifyId()) {
    Verified verdict = *told;
    verdict.id = verifies_[told->blocks.begin];
    swarm_.handle(verdict, now_);
  } else {
    swarm_.handle(input, now_);
  }
  return drain();
}

Lines SwarmRig::tick() {
  swarm_.tick(now_);
  return drain();
}

Lines SwarmRig::pass(Duration time) {
  const TimePoint end = now_ + time;
  Lines lines;
  while (true) {
    now_ = std::clamp(swarm_.next_deadline(), now_ + 1us, end);
    for (std::string& line : tick()) lines.push_back(std::move(line));
    if (now_ == end) return lines;
  }
}

Lines SwarmRig::drain() {
  last_.clear();
  Lines lines;
  while (auto action = swarm_.poll()) {
    lines.push_back(describe(*action, swarm_.layout()));
    if (const auto* fetch = std::get_if<CdnFetch>(&*action)) fetches_.push_back(*fetch);
    if (const auto* verify = std::get_if<Verify>(&*action)) {
      verifies_[verify->blocks.begin] = verify->id;
    }
    if (const auto* send = std::get_if<Send>(&*action)) {
      if (const auto* request = std::get_if<Request>(&send->message)) {
        asked_[send->conn].push_back(block_of(request->span));
      } else if (const auto* cancel = std::get_if<Cancel>(&send->message)) {
        std::erase(asked_[send->conn], block_of(cancel->span));
      }
    }
    last_.push_back(*std::move(action));
  }
  return lines;
}

Lines SwarmRig::cdn_block(CdnRequestId request, int block) {
  return in(CdnBlock{kTorrent, request, BlockIndex(block), buffer()});
}

void SwarmRig::cdn_delivers() {
  const CdnFetch fetch = fetches_.back();
  for (BlockIndex b = fetch.blocks.begin; b < fetch.blocks.end; ++b) {
    cdn_block(fetch.request, b.value());
    verified(b.value());
  }
  in(CdnEnded{kTorrent, fetch.request});
}

Lines SwarmRig::connect(int n, bool fast, bool v2, bool dht) {
  Handshake hello{InfoHash{}, peer_id_of(n), fast, true, v2, dht};
  const auto low = static_cast<std::uint8_t>(n);
  return in(PeerConnected{kTorrent, conn_of(n), Endpoint::v4(10, 0, 0, low, 6881), true, hello});
}

Lines SwarmRig::say(int n, Message message) {
  return in(PeerMessage{kTorrent, conn_of(n), std::move(message)});
}

Lines SwarmRig::seed(int n, bool fast) {
  connect(n, fast);
  if (fast) {
    say(n, HaveAll{});
  } else {
    const auto pieces = static_cast<std::size_t>(swarm_.layout().piece_count());
    std::vector<std::uint8_t> bits((pieces + 7) / 8, 0xff);
    if (pieces % 8 != 0) bits.back() = static_cast<std::uint8_t>(0xff << (8 - pieces % 8));
    say(n, BitfieldMessage{bits});
  }
  return say(n, Unchoke{});
}

Lines SwarmRig::piece(int n, int block) {
  std::erase(asked(n), block);
  return say(n, Piece{swarm_.layout().span_of(BlockIndex(block)), buffer()});
}

Lines SwarmRig::reject(int n, int block) {
  std::erase(asked(n), block);
  return say(n, RejectRequest{swarm_.layout().span_of(BlockIndex(block))});
}

Lines SwarmRig::verified(int block, bool good) {
  return in(Verified{kTorrent, {BlockIndex(block), BlockIndex(block + 1)}, good, {}});
}

Lines SwarmRig::gives(int n, int block) {
  Lines lines = piece(n, block);
  for (std::string& line : verified(block)) lines.push_back(std::move(line));
  return lines;
}

Lines SwarmRig::start(Duration position) {
  return in(SetDemand{
      .torrent = kTorrent, .file = kFile, .position = position, .at = now_, .starting = true});
}

Lines SwarmRig::play(Duration position, Duration from_now) {
  return in(SetDemand{.torrent = kTorrent,
                      .file = kFile,
                      .position = position,
                      .at = now_ + from_now,
                      .moving = true});
}

int SwarmRig::block_of(const BlockSpan& span) const {
  return swarm_.layout().block_at(span.piece, span.begin).value();
}

}  // namespace tributary::core
