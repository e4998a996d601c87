#include "engine/wire/krpc.h"

#include <algorithm>

#include "engine/wire/address.h"
#include "engine/wire/bencode.h"
#include "engine/wire/bencode_encoder.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

namespace dht = core::dht;

constexpr std::string_view kMethods[] = {"ping", "find_node", "get_peers", "announce_peer"};

OctetBuffer compact_nodes(const std::vector<dht::Contact>& nodes, bool v4) {
  OctetBuffer out;
  for (const dht::Contact& node : nodes) {
    if (node.endpoint.is_v4() != v4) continue;
    append(out, node.id.bytes);
    append_compact(out, node.endpoint);
  }
  return out;
}

OctetBuffer compact(const Endpoint& endpoint) {
  OctetBuffer out;
  append_compact(out, endpoint);
  return out;
}

void encode_want(BencodeEncoder& out, const dht::Query& query) {
  if (!query.want_v4 && !query.want_v6) return;
  out.key("want").begin_list();
  if (query.want_v4) out.string("n4");
  if (query.want_v6) out.string("n6");
  out.end();
}

// Keys must ascend: id, implied_port, info_hash, port, target, token, want.
void encode_query(BencodeEncoder& out, const dht::Query& query) {
  const bool announce = query.method == dht::Method::kAnnouncePeer;
  out.key("a").begin_dict().key("id").string(query.id.bytes);
  if (announce && query.implied_port) out.key("implied_port").integer(1);
  if (announce || query.method == dht::Method::kGetPeers) {
    out.key("info_hash").string(query.target.bytes);
  }
  if (announce) out.key("port").integer(query.port);
  if (query.method == dht::Method::kFindNode) out.key("target").string(query.target.bytes);
  if (announce) out.key("token").string(query.token);
  encode_want(out, query);
  out.end();
}

void encode_reply(BencodeEncoder& out, const dht::Reply& reply) {
  out.key("r").begin_dict().key("id").string(reply.id.bytes);
  const OctetBuffer v4 = compact_nodes(reply.nodes, true);
  const OctetBuffer v6 = compact_nodes(reply.nodes, false);
  if (!v4.empty()) out.key("nodes").string(Octets(v4));
  if (!v6.empty()) out.key("nodes6").string(Octets(v6));
  if (!reply.token.empty()) out.key("token").string(reply.token);
  if (!reply.peers.empty()) {
    out.key("values").begin_list();
    for (const Endpoint& peer : reply.peers) out.string(Octets(compact(peer)));
    out.end();
  }
  out.end();
}

std::optional<dht::NodeId> read_id(BencodeView dict, std::string_view key) {
  const auto text = dict.find(key).string();
  if (!text || text->size() != dht::NodeId::kSize) return std::nullopt;
  return dht::NodeId::from(as_octets(*text));
}

void read_nodes(BencodeView text, std::size_t address_size, std::vector<dht::Contact>& out) {
  const auto octets = as_octets(text.string().value_or(std::string_view()));
  const std::size_t size = dht::NodeId::kSize + address_size;
  const std::size_t count = std::min(octets.size() / size, dht::kBucketSize);
  if (octets.size() % size != 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    const Octets entry = octets.subspan(i * size, size);
    const Endpoint endpoint = read_compact(entry.subspan(dht::NodeId::kSize));
    // A v4-mapped address as IPv6 would be a second form of one address.
    if (endpoint.port == 0 || endpoint.is_v4() != (address_size == kCompactV4Size)) continue;
    out.push_back({dht::NodeId::from(entry.first(dht::NodeId::kSize)), endpoint});
  }
}

std::optional<Endpoint> read_endpoint(std::string_view text) {
  if (text.size() != kCompactV4Size && text.size() != kCompactV6Size) return std::nullopt;
  const Endpoint endpoint = read_compact(as_octets(text));
  if (endpoint.is_v4() != (text.size() == kCompactV4Size)) return std::nullopt;
  return endpoint;
}

Result<dht::Query> read_announce(BencodeView a, dht::Query query) {
  const auto token = a.find("token").string();
  const auto port = a.find("port").integer();
  if (!token || token->size() > dht::kMaxTokenSize) return invalid("announce_peer: bad token");
  query.token = *token;
  query.implied_port = a.find("implied_port").integer().value_or(0) != 0;
  if (port && *port > 0 && *port <= 65535) query.port = static_cast<std::uint16_t>(*port);
  if (query.port == 0 && !query.implied_port) return invalid("announce_peer: bad port");
  return query;
}

void read_want(BencodeView want, dht::Query& query) {
  if (!want.is_list()) return;
  for (BencodeView family : want.children()) {
    query.want_v4 |= family.string() == std::string_view("n4");
    query.want_v6 |= family.string() == std::string_view("n6");
  }
}

Result<dht::Query> read_query(BencodeView root) {
  const auto name = root.find("q").string();
  const BencodeView a = root.find("a");
  const auto id = read_id(a, "id");
  if (!name || !id) return invalid("query without a name or a node id");
  const auto* method = std::find(std::begin(kMethods), std::end(kMethods), *name);
  if (method == std::end(kMethods)) {
    return Error{ErrorCode::kUnsupported, "unknown query '" + printable(*name) + "'"};
  }
  dht::Query query;
  query.method = static_cast<dht::Method>(method - std::begin(kMethods));
  query.id = *id;
  query.read_only = root.find("ro").integer() == 1;
  read_want(a.find("want"), query);
  if (query.method == dht::Method::kPing) return query;
  const auto target = read_id(a, query.method == dht::Method::kFindNode ? "target" : "info_hash");
  if (!target) return invalid("query without a target of 20 bytes");
  query.target = *target;
  return query.method == dht::Method::kAnnouncePeer ? read_announce(a, query) : query;
}

Result<dht::Reply> read_reply(BencodeView r) {
  const auto id = read_id(r, "id");
  if (!id) return invalid("answer without a node id");
  dht::Reply reply;
  reply.id = *id;
  const auto token = r.find("token").string().value_or(std::string_view());
  if (token.size() <= dht::kMaxTokenSize) reply.token = token;
  read_nodes(r.find("nodes"), kCompactV4Size, reply.nodes);
  read_nodes(r.find("nodes6"), kCompactV6Size, reply.nodes);
  const BencodeView values = r.find("values");
  if (!values.is_list()) return reply;
  for (BencodeView value : values.children()) {
    if (reply.peers.size() == dht::kMaxPeersInReply) break;
    const auto peer = read_endpoint(value.string().value_or(std::string_view()));
    if (peer && peer->port != 0) reply.peers.push_back(*peer);
  }
  return reply;
}

Result<dht::ErrorReply> read_error(BencodeView e) {
  if (!e.is_list()) return invalid("error that is no list");
  dht::ErrorReply error;
  std::optional<std::int64_t> code;
  for (BencodeView part : e.children()) {
    if (!code) {
      code = part.integer();
      if (!code) break;
    } else if (const auto text = part.string()) {
      error.message = printable(*text);
      break;
    }
  }
  if (!code) return invalid("error without a code");
  error.code = *code;
  return error;
}

template <class T>
Result<dht::Message> with_body(dht::Message message, Result<T> body) {
  if (!body) return body.error();
  message.body = *std::move(body);
  return message;
}

}  // namespace

OctetBuffer encode_krpc(const dht::Message& message) {
  BencodeEncoder out;
  out.begin_dict();
  const auto* query = std::get_if<dht::Query>(&message.body);
  const auto* reply = std::get_if<dht::Reply>(&message.body);
  const auto* error = std::get_if<dht::ErrorReply>(&message.body);
  if (query != nullptr) encode_query(out, *query);
  if (error != nullptr) {
    out.key("e").begin_list().integer(error->code).string(error->message).end();
  }
  if (message.seen_as) out.key("ip").string(Octets(compact(*message.seen_as)));
  if (query != nullptr) out.key("q").string(kMethods[static_cast<std::size_t>(query->method)]);
  if (reply != nullptr) encode_reply(out, *reply);
  if (query != nullptr && query->read_only) out.key("ro").integer(1);
  out.key("t").string(message.transaction);
  out.key("y").string(query != nullptr ? "q" : reply != nullptr ? "r" : "e");
  return out.end().take();
}

Result<dht::Message> decode_krpc(Octets datagram) {
  const BencodeLimits limits{.max_size = kMaxKrpcSize, .max_items = 1024, .max_depth = 8};
  TRIBUTARY_TRY(document, decode_bencode(datagram, limits));
  const BencodeView root = document.root();
  const auto transaction = root.find("t").string();
  const auto kind = root.find("y").string();
  if (!transaction || !kind) return invalid("datagram without a transaction or a kind");
  if (transaction->size() > dht::kMaxTransactionSize) {
    return Error{ErrorCode::kLimit, "transaction id above 32 bytes"};
  }
  dht::Message message;
  message.transaction = *transaction;
  if (const auto ip = root.find("ip").string()) message.seen_as = read_endpoint(*ip);
  if (*kind == "q") return with_body(std::move(message), read_query(root));
  if (*kind == "r") return with_body(std::move(message), read_reply(root.find("r")));
  if (*kind == "e") return with_body(std::move(message), read_error(root.find("e")));
  return invalid("datagram of an unknown kind");
}

}  // namespace tributary::wire
