// One swarm in the hands of a test: a track of one-second blocks, scripted peers and a scripted
// CDN, and every action as one line of text.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/core/swarm.h"

// Failing checks show the lines.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text = "{";
    for (const std::string& line : lines) text += (text.size() > 1 ? ", " : "") + line;
    return (text + "}").c_str();
  }
};

namespace tributary::core {

inline ConnId conn_of(int n) { return ConnId(kInboundBit.value() | static_cast<std::uint64_t>(n)); }

inline PeerId peer_id_of(int n) {
  PeerId id;
  id.bytes[0] = 'T';
  id.bytes[18] = static_cast<std::uint8_t>(n >> 8);
  id.bytes[19] = static_cast<std::uint8_t>(n);
  return id;
}

inline Sha256 hash_of(std::uint8_t n) {
  Sha256 hash;
  hash.bytes[0] = n;
  return hash;
}

// What a test's torrent is like. A block is 16 KiB and lasts one second.
struct TrackShape {
  int blocks = 60;
  int blocks_per_piece = 1;
  bool v1 = false;
  bool v2 = true;
  bool is_private = false;
  std::vector<std::vector<std::string>> trackers{};
  std::uint16_t dht_port = 0;  // 0: the host has no DHT
  Bytes info_size{};           // of the info dictionary
  bool upload = true;
  bool super_seed = false;
};

inline SwarmParams swarm_params(TorrentId id, const Policy& policy, int self,
                                const TrackShape& shape = {}) {
  SwarmParams params;
  params.dht = shape.dht_port != 0;
  params.dht_port = shape.dht_port;
  params.upload = shape.upload;
  params.super_seed = shape.super_seed;
  params.id = id;
  params.policy = policy;
  params.peer_id = peer_id_of(self);
  return params;
}

inline Metainfo make_track(const TrackShape& shape) {
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

// Actions as text: "fetch 0-2 startup", "c1: request 3", "verify 3", "store 3", "free", ...
class Describe {
 public:
  explicit Describe(const Layout& layout) : layout_(layout) {}

  std::string operator()(const Connect& a) const {
    return "connect " + std::to_string(a.remote.port);
  }
  std::string operator()(const Disconnect& a) const { return name(a.conn) + "disconnect"; }
  std::string operator()(const Send& a) const {
    return name(a.conn) + std::visit([this](const auto& m) { return this->text(m); }, a.message);
  }
  std::string operator()(const SendBlock& a) const { return name(a.conn) + "block " + at(a.span); }
  std::string operator()(const ServeHashes& a) const { return name(a.conn) + "serve hashes"; }
  std::string operator()(const Verify& a) const {
    return "verify " + range(a.blocks) + (a.leaf ? "" : " whole");
  }
  std::string operator()(const VerifyHashes& a) const {
    return "verify hashes of piece " + std::to_string(a.piece.value());
  }
  std::string operator()(const Store& a) const {
    return "store " + std::to_string(a.block.value());
  }
  std::string operator()(const Free&) const { return "free"; }
  std::string operator()(const Announce& a) const {
    constexpr const char* kEvents[] = {"", " started", " stopped", " completed"};
    return "announce " + a.tracker + kEvents[static_cast<int>(a.event)];
  }
  std::string operator()(const SearchDht&) const { return "search the DHT"; }
  std::string operator()(const AddDhtNode& a) const {
    return "DHT node " + std::to_string(a.node.port);
  }
  std::string operator()(const VerifyMetadata&) const { return "verify metadata"; }
  std::string operator()(const VerifyLayer& a) const { return name(a.conn) + "verify layer"; }
  std::string operator()(const MetadataFetched&) const { return "metadata fetched"; }
  std::string operator()(const CdnFetch& a) const {
    return "fetch " + range(a.blocks) + " " + std::string(to_string(a.reason));
  }
  std::string operator()(const CdnCancel&) const { return "cancel fetch"; }
  std::string operator()(const CdnCorrupt& a) const { return "CDN corrupt " + range(a.blocks); }
  std::string operator()(const MayStart&) const { return "may start"; }
  std::string operator()(const Trace& a) const { return "trace " + std::string(a.decision.why); }

  static std::string range(BlockRange r) {
    if (r.size() == 1) return std::to_string(r.begin.value());
    return std::to_string(r.begin.value()) + "-" + std::to_string(r.end.value());
  }

 private:
  static std::string name(ConnId conn) {
    return "c" + std::to_string(conn.value() & ~kInboundBit.value()) + ": ";
  }
  std::string at(const BlockSpan& span) const {
    return std::to_string(layout_.block_at(span.piece, span.begin).value());
  }
  static std::string text(const KeepAlive&) { return "keep-alive"; }
  static std::string text(const Choke&) { return "choke"; }
  static std::string text(const Unchoke&) { return "unchoke"; }
  static std::string text(const Interested&) { return "interested"; }
  static std::string text(const NotInterested&) { return "not interested"; }
  static std::string text(const Have& m) { return "have " + std::to_string(m.piece.value()); }
  static std::string text(const BitfieldMessage&) { return "bitfield"; }
  static std::string text(const HaveAll&) { return "have all"; }
  static std::string text(const HaveNone&) { return "have none"; }
  std::string text(const Request& m) const { return "request " + at(m.span); }
  std::string text(const Cancel& m) const { return "cancel " + at(m.span); }
  std::string text(const RejectRequest& m) const { return "reject " + at(m.span); }
  static std::string text(const Piece&) { return "piece"; }
  static std::string text(const Port& m) { return "port " + std::to_string(m.port); }
  static std::string text(const SuggestPiece&) { return "suggest"; }
  static std::string text(const AllowedFast&) { return "allowed fast"; }
  static std::string text(const DontHave& m) {
    return "dont have " + std::to_string(m.piece.value());
  }
  static std::string text(const HashRequest&) { return "hash request"; }
  static std::string text(const Hashes&) { return "hashes"; }
  static std::string text(const HashReject&) { return "hash reject"; }
  static std::string text(const ExtendedHandshake&) { return "hello"; }
  static std::string text(const MetadataRequest& m) {
    return "metadata request " + std::to_string(m.piece);
  }
  static std::string text(const MetadataData& m) {
    return "metadata " + std::to_string(m.piece) + " of " + std::to_string(m.bytes.size()) +
           " bytes";
  }
  static std::string text(const MetadataReject& m) {
    return "metadata reject " + std::to_string(m.piece);
  }
  static std::string text(const NeedMessage& m) { return std::string(to_string(m.need)); }
  static std::string text(const PeerExchange& m) {
    std::string out = "exchange";
    for (const auto& peer : m.added) out += " +" + std::to_string(peer.endpoint.port);
    for (const Endpoint& endpoint : m.dropped) out += " -" + std::to_string(endpoint.port);
    return out;
  }

  const Layout& layout_;
};

using Lines = std::vector<std::string>;

class SwarmRig {
 public:
  static constexpr TorrentId kTorrent{7};
  static constexpr FileIndex kFile{0};
  // Added to a deadline gives the CDN's last safe moment; transfers take no time.
  static constexpr Duration kFirstByte = 500ms;

  explicit SwarmRig(const Policy& policy = Policy::adaptive(), const TrackShape& shape = {},
                    int self = 1000)
      : meta_(make_track(shape)),
        swarm_(meta_, swarm_params(kTorrent, policy, self, shape), Bitfield(), bans_, now_),
        describe_(swarm_.layout()) {}

  Swarm& swarm() { return swarm_; }
  const Swarm& swarm() const { return swarm_; }
  BanList& bans() { return bans_; }
  TimePoint now() const { return now_; }
  const std::vector<Action>& actions() const { return last_; }

  // Feeds the input and returns what comes of it. A verdict speaks of the blocks' last Verify where
  // it names none.
  Lines in(const Input& input) {
    if (const auto* told = std::get_if<Verified>(&input); told && told->id == VerifyId()) {
      Verified verdict = *told;
      verdict.id = verifies_[told->blocks.begin];
      swarm_.handle(verdict, now_);
    } else {
      swarm_.handle(input, now_);
    }
    return drain();
  }
  Lines tick() {
    swarm_.tick(now_);
    return drain();
  }
  // Lets time pass, ticking at each deadline.
  Lines pass(Duration time) {
    const TimePoint end = now_ + time;
    Lines lines;
    while (true) {
      now_ = std::clamp(swarm_.next_deadline(), now_ + 1us, end);
      for (std::string& line : tick()) lines.push_back(std::move(line));
      if (now_ == end) return lines;
    }
  }
  Lines drain() {
    last_.clear();
    Lines lines;
    while (auto action = swarm_.poll()) {
      lines.push_back(std::visit(describe_, *action));
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

  // --- the CDN ---
  Lines cdn_up() { return in(CdnHealth{kTorrent, true, kFirstByte, kUnlimited}); }
  Lines cdn_down() { return in(CdnHealth{kTorrent, false, kFirstByte, kUnlimited}); }
  const std::vector<CdnFetch>& fetches() const { return fetches_; }
  Lines cdn_block(CdnRequestId request, int block) {
    return in(CdnBlock{kTorrent, request, BlockIndex(block), buffer()});
  }
  // All blocks of the last fetch arrive and verify.
  void cdn_delivers() {
    const CdnFetch fetch = fetches_.back();
    for (BlockIndex b = fetch.blocks.begin; b < fetch.blocks.end; ++b) {
      cdn_block(fetch.request, b.value());
      verified(b.value());
    }
    in(CdnEnded{kTorrent, fetch.request});
  }

  // --- peers ---
  Lines connect(int n, bool fast = true, bool v2 = false, bool dht = false) {
    Handshake hello{InfoHash{}, peer_id_of(n), fast, true, v2, dht};
    const auto low = static_cast<std::uint8_t>(n);
    return in(PeerConnected{kTorrent, conn_of(n), Endpoint::v4(10, 0, 0, low, 6881), true, hello});
  }
  Lines say(int n, Message message) {
    return in(PeerMessage{kTorrent, conn_of(n), std::move(message)});
  }
  // A complete peer that has unchoked us.
  Lines seed(int n, bool fast = true) {
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
  Lines piece(int n, int block) {
    std::erase(asked(n), block);
    return say(n, Piece{swarm_.layout().span_of(BlockIndex(block)), buffer()});
  }
  // What the peer was asked for and has not answered, in order; cancelled ones left out.
  std::deque<int>& asked(int n) { return asked_[conn_of(n)]; }
  Lines reject(int n, int block) {
    std::erase(asked(n), block);
    return say(n, RejectRequest{swarm_.layout().span_of(BlockIndex(block))});
  }
  Lines verified(int block, bool good = true) {
    return in(Verified{kTorrent, {BlockIndex(block), BlockIndex(block + 1)}, good, {}});
  }
  // The block comes from the peer and is good.
  Lines gives(int n, int block) {
    Lines lines = piece(n, block);
    for (std::string& line : verified(block)) lines.push_back(std::move(line));
    return lines;
  }

  // --- playback ---
  Lines start(Duration position = 0s) {
    return in(SetDemand{
        .torrent = kTorrent, .file = kFile, .position = position, .at = now_, .starting = true});
  }
  // What is at `position` is heard after `from_now`.
  Lines play(Duration position, Duration from_now = 0s) {
    return in(SetDemand{.torrent = kTorrent,
                        .file = kFile,
                        .position = position,
                        .at = now_ + from_now,
                        .moving = true});
  }

  BufferId buffer() { return BufferId(++buffers_); }

 private:
  int block_of(const BlockSpan& span) const {
    return swarm_.layout().block_at(span.piece, span.begin).value();
  }

  const Metainfo meta_;
  BanList bans_;
  TimePoint now_{};
  Swarm swarm_;
  Describe describe_;
  std::vector<Action> last_;
  std::vector<CdnFetch> fetches_;
  std::map<ConnId, std::deque<int>> asked_;
  std::map<BlockIndex, VerifyId> verifies_;  // by first block, the last
  std::uint64_t buffers_ = 0;
};

// The lines that contain `part`.
inline Lines with(const Lines& lines, const std::string& part) {
  Lines found;
  for (const std::string& line : lines) {
    if (line.find(part) != std::string::npos) found.push_back(line);
  }
  return found;
}

}  // namespace tributary::core
