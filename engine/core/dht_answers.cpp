// dht::Node: answers to what others ask.
#include <utility>

#include "engine/core/dht_node.h"

namespace tributary::core::dht {

void Node::on(const Endpoint& from, const std::string& transaction, const Query& query) {
  ++stats_.queries;
  if (params_.read_only || query.id == id()) return;
  if (!limiter_.take(from, now_)) {
    ++stats_.refused;
    return;
  }
  Message message{transaction, Reply{}, from};
  std::visit([&](auto&& body) { message.body = std::forward<decltype(body)>(body); },
             answer(from, query));
  ++stats_.answers;
  out_.push_back(SendDatagram{from, std::move(message)});
  if (query.read_only) return;
  table_.on_query({query.id, from}, now_);
  add_stranger({query.id, from});
}

std::variant<Reply, ErrorReply> Node::answer(const Endpoint& from, const Query& query) {
  Reply reply;
  reply.id = id();
  switch (query.method) {
    case Method::kPing:
      break;
    case Method::kFindNode:
      reply.nodes = nodes_for(query);
      break;
    case Method::kGetPeers:
      peers_.expire(now_);
      reply.nodes = nodes_for(query);
      reply.peers = peers_.peers(query.target, params_.limits.peers_in_answer, random_);
      reply.token = secrets_.token(from, query.target, now_);
      break;
    case Method::kAnnouncePeer:
      return accept_announce(from, query);
  }
  return reply;
}

// A peer that finds no room is told nothing: it cannot do better.
std::variant<Reply, ErrorReply> Node::accept_announce(const Endpoint& from, const Query& query) {
  if (!secrets_.accepts(query.token, from, query.target, now_)) {
    return ErrorReply{kProtocolError, "Bad token"};
  }
  Endpoint peer = from;
  if (!query.implied_port) peer.port = query.port;
  peers_.announce(query.target, peer, now_);
  Reply reply;
  reply.id = id();
  return reply;
}

std::vector<Contact> Node::nodes_for(const Query& query) const {
  const bool both = query.want_v4 && query.want_v6;
  const bool none = !query.want_v4 && !query.want_v6;
  const bool wants_own = none || both || query.want_v4 == params_.v4;
  std::vector<Contact> out;
  if (wants_own) out = table_.closest(query.target, kBucketSize, now_);
  if (other_ != nullptr && !none && (both || !wants_own)) {
    for (const Contact& node : other_->table_.closest(query.target, kBucketSize, now_)) {
      out.push_back(node);
    }
  }
  return out;
}

}  // namespace tributary::core::dht
