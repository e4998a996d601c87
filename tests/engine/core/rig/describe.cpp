#include "tests/engine/core/rig/describe.h"

#include <variant>

namespace tributary::core {
namespace {

class Describe {
 public:
  explicit Describe(const Layout& layout) : layout_(layout) {}

  std::string operator()(const Connect& a) const {
    return (a.punches ? "punch " : "connect ") + std::to_string(a.remote.port);
  }
  std::string operator()(const Disconnect& a) const { return name(a.conn) + "disconnect"; }
  std::string operator()(const Send& a) const {
    return name(a.conn) + std::visit([this](const auto& m) { return this->text(m); }, a.message);
  }
  std::string operator()(const SendBlock& a) const { return name(a.conn) + "block " + at(a.span); }
  std::string operator()(const ServeHashes& a) const { return name(a.conn) + "serve hashes"; }
  std::string operator()(const Verify& a) const {
    return "verify " + range_text(a.blocks) + (a.leaf ? "" : " whole");
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
  std::string operator()(const AnnounceLocally&) const { return "announce locally"; }
  std::string operator()(const SearchDht&) const { return "search the DHT"; }
  std::string operator()(const AddDhtNode& a) const {
    return "DHT node " + std::to_string(a.node.port);
  }
  std::string operator()(const VerifyMetadata&) const { return "verify metadata"; }
  std::string operator()(const VerifyLayer& a) const { return name(a.conn) + "verify layer"; }
  std::string operator()(const MetadataFetched&) const { return "metadata fetched"; }
  std::string operator()(const CdnFetch& a) const {
    return "fetch " + range_text(a.blocks) + " " + std::string(to_string(a.reason));
  }
  std::string operator()(const CdnCancel&) const { return "cancel fetch"; }
  std::string operator()(const CdnCorrupt& a) const {
    return "CDN corrupt " + range_text(a.blocks);
  }
  std::string operator()(const MayStart&) const { return "may start"; }
  std::string operator()(const Trace& a) const { return "trace " + std::string(a.decision.why); }

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
  static std::string text(const HolePunch& m) {
    constexpr const char* kKinds[] = {"introduce ", "dial ", "cannot introduce "};
    const std::string why = m.reason == HolePunch::Reason::kNone
                                ? ""
                                : ", " + std::to_string(static_cast<std::uint32_t>(m.reason));
    return kKinds[static_cast<int>(m.kind)] + std::to_string(m.peer.port) + why;
  }
  static std::string text(const OverlayQuery& m) { return "query " + std::to_string(m.hops); }
  static std::string text(const OverlayAnswer& m) {
    std::string out = m.self ? "answer self" : "answer";
    for (const Endpoint& peer : m.peers) out += " " + std::to_string(peer.port);
    return out;
  }
  static std::string text(const PeerExchange& m) {
    std::string out = "exchange";
    for (const auto& peer : m.added) out += " +" + std::to_string(peer.endpoint.port);
    for (const Endpoint& endpoint : m.dropped) out += " -" + std::to_string(endpoint.port);
    return out;
  }

  const Layout& layout_;
};

}  // namespace

std::string range_text(BlockRange range) {
  if (range.size() == 1) return std::to_string(range.begin.value());
  return std::to_string(range.begin.value()) + "-" + std::to_string(range.end.value());
}

std::string describe(const Action& action, const Layout& layout) {
  return std::visit(Describe(layout), action);
}

}  // namespace tributary::core
