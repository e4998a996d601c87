#include "engine/sim/trace_digest.h"

#include <type_traits>

#include "engine/base/random.h"

namespace tributary::sim {
namespace {

// Folds the fields that identify an input or action. Overloads for the values they are made of.
class Fold {
 public:
  explicit Fold(TraceDigest& digest) : digest_(digest) {}

  template <class... Fields>
  void fields(const Fields&... values) {
    (one(values), ...);
  }

  void one(const core::PeerConnected& e) { fields(e.torrent, e.conn, e.inbound); }
  void one(const core::PeerClosed& e) { fields(e.torrent, e.conn); }
  void one(const core::PeerMessage& e) { fields(e.torrent, e.conn, e.message); }
  void one(const core::BlockSent& e) { fields(e.torrent, e.conn, e.span, e.sent); }
  void one(const core::Verified& e) { fields(e.torrent, e.blocks, e.good); }
  void one(const core::HashesVerified& e) { fields(e.torrent, e.conn, e.piece, e.leaves.size()); }
  void one(const core::Restored& e) { fields(e.torrent, e.blocks.count()); }
  void one(const core::BlocksLost& e) { fields(e.torrent, e.blocks); }
  void one(const core::AnnounceReply& e) { fields(e.torrent, e.peers.size(), e.interval); }
  void one(const core::AnnounceFailed& e) { fields(e.torrent); }
  void one(const core::PeersFound& e) { fields(e.torrent, e.source, e.peers.size()); }
  void one(const core::CdnBlock& e) { fields(e.torrent, e.request, e.block, e.buffer); }
  void one(const core::CdnEnded& e) { fields(e.torrent, e.request); }
  void one(const core::CdnHealth& e) {
    fields(e.torrent, e.available, e.first_byte_high, e.throughput_low);
  }
  void one(const core::SetTimeline& e) { fields(e.torrent, e.file, e.timeline.duration()); }
  void one(const core::SetDemand& e) {
    fields(e.torrent, e.file, e.position, e.at, e.moving, e.starting, e.prefetch, e.cdn_allowed,
           e.budget);
  }
  void one(const core::ClearDemand& e) { fields(e.torrent, e.file); }
  void one(const core::SetReader& e) {
    fields(e.torrent, e.file, e.reader, e.unread.begin, e.unread.end, e.starting, e.lead);
  }
  void one(const core::ReaderWaits& e) { fields(e.torrent, e.range.begin, e.range.end); }
  void one(const core::SetBackground& e) { fields(e.torrent, e.enabled); }
  void one(const core::MetadataVerified& e) { fields(e.torrent, e.good, e.layers.size()); }
  void one(const core::LayerVerified& e) { fields(e.torrent, e.conn, e.span.index, e.good); }

  void one(const core::Connect& e) { fields(e.torrent, e.conn, e.remote); }
  void one(const core::Disconnect& e) { fields(e.torrent, e.conn, std::string_view(e.reason)); }
  void one(const core::Send& e) { fields(e.torrent, e.conn, e.message); }
  void one(const core::SendBlock& e) { fields(e.torrent, e.conn, e.span); }
  void one(const core::ServeHashes& e) { fields(e.torrent, e.conn, e.span.index, e.span.length); }
  void one(const core::Verify& e) { fields(e.torrent, e.blocks, e.buffers.size()); }
  void one(const core::VerifyHashes& e) { fields(e.torrent, e.conn, e.piece); }
  void one(const core::Store& e) { fields(e.torrent, e.block, e.buffer); }
  void one(const core::Free& e) { fields(e.buffer); }
  void one(const core::Announce& e) { fields(e.torrent, e.event, e.want); }
  void one(const core::SearchDht& e) { fields(e.torrent); }
  void one(const core::AnnounceLocally& e) { fields(e.torrent); }
  void one(const core::AddDhtNode& e) { fields(e.node); }
  void one(const core::VerifyMetadata& e) { fields(e.torrent, e.info.size()); }
  void one(const core::VerifyLayer& e) { fields(e.torrent, e.conn, e.hashes.span.index, e.height); }
  void one(const core::MetadataFetched& e) { fields(e.torrent, e.end, e.info.size()); }
  void one(const core::CdnFetch& e) { fields(e.torrent, e.request, e.blocks, e.reason); }
  void one(const core::CdnCancel& e) { fields(e.torrent, e.request); }
  void one(const core::CdnCorrupt& e) { fields(e.torrent, e.blocks); }
  void one(const core::MayStart& e) { fields(e.torrent, e.file); }
  // Tracing must not change the digest: a trace is how a difference is looked into.
  void one(const core::Trace&) {}

  void one(const cdn::HttpGet& e) {
    fields(e.id, e.torrent, e.cuts.size());
    for (const cdn::UrlRange& part : e.parts) fields(part.range.begin, part.range.end);
  }
  void one(const cdn::HttpCancel& e) { fields(e.id); }
  void one(const cdn::HttpFirstByte& e) { fields(e.id); }
  void one(const cdn::HttpBlock& e) { fields(e.id, e.block, e.buffer); }
  void one(const cdn::HttpDone& e) { fields(e.id, e.outcome, e.status, e.received); }

  void one(const player::Playback& e) {
    fields(e.track.torrent, e.track.file, e.position, e.moving, e.starting, e.paused);
  }
  void one(const player::PlaybackEnded&) {}
  void one(const player::NextTrack& e) {
    if (e.track) fields(e.track->torrent, e.track->file);
  }

  void one(const player::Reading& e) {
    fields(e.reader, e.track.torrent, e.unread.begin, e.unread.end, e.starting, e.lead);
  }
  void one(const player::ReadingEnded& e) { fields(e.reader); }

  void one(const core::Have& m) { fields(m.piece); }
  void one(const core::BitfieldMessage& m) {
    for (std::uint8_t byte : m.bytes) one(byte);
  }
  void one(const core::Port& m) { fields(m.port); }
  void one(const core::Request& m) { fields(m.span); }
  void one(const core::Cancel& m) { fields(m.span); }
  void one(const core::RejectRequest& m) { fields(m.span); }
  void one(const core::Piece& m) { fields(m.span, m.buffer); }
  void one(const core::SuggestPiece& m) { fields(m.piece); }
  void one(const core::AllowedFast& m) { fields(m.piece); }
  void one(const core::DontHave& m) { fields(m.piece); }
  void one(const core::HashRequest& m) { fields(m.span.index, m.span.length); }
  void one(const core::Hashes& m) { fields(m.span.index, m.hashes.size()); }
  void one(const core::HashReject& m) { fields(m.span.index); }
  void one(const core::ExtendedHandshake& m) {
    fields(m.request_queue.value_or(-1), m.listen_port.value_or(0), m.dont_have, m.tributary,
           m.peer_exchange);
  }
  void one(const core::MetadataRequest& m) { fields(m.piece); }
  void one(const core::MetadataData& m) { fields(m.piece, m.total_size, m.bytes.size()); }
  void one(const core::MetadataReject& m) { fields(m.piece); }
  void one(const core::PeerExchange& m) { fields(m.added.size(), m.dropped.size()); }
  void one(const core::NeedMessage& m) { fields(m.need); }
  void one(const core::HolePunch& m) { fields(m.kind, m.peer, m.reason); }
  void one(const core::OverlayQuery& m) { fields(m.id, m.hops); }
  void one(const core::OverlayAnswer& m) { fields(m.id, m.self, m.peers.size()); }
  void one(const core::KeepAlive&) {}
  void one(const core::Choke&) {}
  void one(const core::Unchoke&) {}
  void one(const core::Interested&) {}
  void one(const core::NotInterested&) {}
  void one(const core::HaveAll&) {}
  void one(const core::HaveNone&) {}

  template <class... Ts>
  void one(const std::variant<Ts...>& value) {
    digest_.add(value.index());
    std::visit([this](const auto& v) { this->one(v); }, value);
  }
  template <class T>
  requires std::is_integral_v<T>
  void one(T value) { digest_.add(static_cast<std::uint64_t>(value)); }
  template <class T>
  requires std::is_enum_v<T>
  void one(T value) { digest_.add(static_cast<std::uint64_t>(value)); }
  template <class Tag, class Rep>
  void one(Id<Tag, Rep> id) {
    digest_.add(id.value());
  }
  template <class Tag>
  void one(Index<Tag> index) {
    one(index.value());
  }
  void one(Bytes bytes) { one(bytes.count()); }
  void one(Duration time) { one(time.count()); }
  void one(TimePoint time) { one(time.time_since_epoch()); }
  void one(BitRate rate) { one(rate.bits_per_second()); }
  void one(std::string_view text) { digest_.add(text); }
  void one(const core::BlockSpan& span) { fields(span.piece, span.begin, span.length); }
  void one(core::BlockRange range) { fields(range.begin, range.end); }
  void one(const Endpoint& endpoint) {
    for (std::uint8_t byte : endpoint.address) one(byte);
    one(endpoint.port);
  }

 private:
  TraceDigest& digest_;
};

}  // namespace

void TraceDigest::add(std::uint64_t word) {
  state_ = Random::mix(state_ ^ (word + 0x9e3779b97f4a7c15ULL));
}

void TraceDigest::add(std::string_view text) {
  add(std::uint64_t{text.size()});
  for (char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
}

void TraceDigest::begin(TimePoint now, HostId host, std::uint64_t kind) {
  ++count_;
  add(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  add(static_cast<std::uint64_t>(host.value()) << 3 | kind);
}

void TraceDigest::input(TimePoint now, HostId host, const core::Input& input) {
  begin(now, host, 0);
  Fold(*this).one(input);
}
void TraceDigest::input(TimePoint now, HostId host, const cdn::HttpInput& input) {
  begin(now, host, 1);
  Fold(*this).one(input);
}
void TraceDigest::input(TimePoint now, HostId host, const player::PlayerInput& input) {
  begin(now, host, 2);
  Fold(*this).one(input);
}
void TraceDigest::action(TimePoint now, HostId host, const player::NodeAction& action) {
  const auto* core_action = std::get_if<core::Action>(&action);
  if (core_action != nullptr && std::holds_alternative<core::Trace>(*core_action)) return;
  begin(now, host, 3);
  Fold(*this).one(action);
}

}  // namespace tributary::sim
