#include "engine/core/dht_node.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/peer_address.h"

namespace tributary::core::dht {

Node::Node(const NodeParams& params, TimePoint now)
    : params_(params),
      secrets_(params.key, params.digest),
      random_(secrets_.next()),
      table_(params.id ? *params.id : random_id(random_), params.table),
      peers_(params.peers),
      limiter_(params.answers, secrets_.next()),
      pending_(params.limits.query_timeout, params.limits.slow_after),
      now_(now),
      join_retry_(params.limits.first_join_retry) {}

void Node::bootstrap(const std::vector<Endpoint>& hosts, TimePoint now) {
  now_ = now;
  for (const Endpoint& host : hosts) {
    if (bootstrap_.size() == params_.limits.bootstrap) break;
    const bool known = std::find(bootstrap_.begin(), bootstrap_.end(), host) != bootstrap_.end();
    if (host.is_v4() == params_.v4 && host.port != 0 && !known) bootstrap_.push_back(host);
  }
  if (!joined_) join_at_ = now;
  settle();
}

void Node::restore(const std::vector<SavedContact>& saved, Duration away, TimePoint now) {
  now_ = now;
  std::vector<SavedContact> own_family;
  for (const SavedContact& each : saved) {
    if (each.contact.endpoint.is_v4() == params_.v4) own_family.push_back(each);
  }
  table_.restore(own_family, away, now);
  if (table_.size() > 0 && !joined_) join_at_ = now;
  settle();
}

void Node::handle(const Endpoint& from, const Message& message, TimePoint now) {
  now_ = now;
  if (from.is_v4() == params_.v4 && from.port != 0) {
    if (const auto* query = std::get_if<Query>(&message.body)) {
      on(from, message.transaction, *query);
    } else if (const auto* reply = std::get_if<Reply>(&message.body)) {
      on(from, message, *reply);
    } else if (const auto refused = pending_.take(message.transaction, from)) {
      on_failure(*refused);
    } else {
      ++stats_.unmatched;
    }
  }
  settle();
}

void Node::suggest(const std::vector<Contact>& nodes, TimePoint now) {
  now_ = now;
  for (const Contact& node : nodes) add_stranger(node);
  settle();
}

void Node::tick(TimePoint now) {
  now_ = now;
  settle();
}

std::optional<Action> Node::poll() {
  if (out_.empty()) return std::nullopt;
  Action action = std::move(out_.front());
  out_.pop_front();
  return action;
}

TimePoint Node::next_deadline() const {
  if (!params_.upkeep) return pending_.next_deadline();
  return std::min({pending_.next_deadline(), joining_ ? kNever : join_at_, refresh_deadline(),
                   ping_deadline()});
}

Node::Search Node::search_for_peers(const NodeId& info_hash) {
  Search search{Kind::kUser, Method::kGetPeers, Lookup(info_hash, id(), params_.lookup)};
  peers_.expire(now_);
  search.lookup.add_peers(peers_.peers(info_hash, params_.peers.per_hash, random_));
  return search;
}

LookupId Node::find_peers(const NodeId& info_hash, TimePoint now) {
  now_ = now;
  const LookupId id = start(search_for_peers(info_hash));
  settle();
  return id;
}

LookupId Node::announce(const NodeId& info_hash, std::uint16_t port, TimePoint now) {
  now_ = now;
  const LookupId id = start(
      {Kind::kUser, Method::kGetPeers, Lookup(info_hash, this->id(), params_.lookup), true, port});
  settle();
  return id;
}

LookupId Node::find_nodes(const NodeId& target, TimePoint now) {
  now_ = now;
  const LookupId id =
      start({Kind::kUser, Method::kFindNode, Lookup(target, this->id(), params_.lookup)});
  settle();
  return id;
}

void Node::cancel(LookupId lookup, TimePoint now) {
  now_ = now;
  searches_.erase(lookup);
  settle();
}

// Answers --------------------------------------------------------------------------------------

void Node::on(const Endpoint& from, const Message& message, const Reply& reply) {
  const auto query = pending_.take(message.transaction, from);
  if (!query) {
    ++stats_.unmatched;
    return;
  }
  if (reply.id == id()) return on_failure(*query);  // we, by a detour
  ++stats_.answered;
  learn(from, message, reply.id);
  if (query->purpose == Purpose::kAnnounce) return on_announced(query->lookup, true);
  if (query->purpose == Purpose::kLookup) {
    const Reply own_family = take_other_family(from, reply);
    on_step(*query, &own_family);
  }
}

// What follows from any answer, whatever was asked.
void Node::learn(const Endpoint& from, const Message& message, const NodeId& id) {
  const bool was_empty = table_.size() == 0;
  if (!table_.on_answer({id, from}, now_)) check_at_ = std::min(check_at_, now_);
  if (was_empty && table_.size() > 0 && !joined_ && !joining_) join_at_ = now_;
  if (!message.seen_as || !own_address_.vote(from, *message.seen_as)) return;
  const Endpoint& address = *own_address_.address();
  if (is_secure(this->id(), address)) return;
  table_.set_own_id(secure_id(address, random_), now_);
  joined_ = false;
  join_at_ = now_;
}

void Node::on_timeout(const PendingQuery& query) {
  ++stats_.timeouts;
  table_.on_failure(query.node, now_);
  if (query.purpose == Purpose::kCheck) {
    check_at_ = std::min(check_at_, now_ + params_.table.check_again);
  }
  on_failure(query);
}

// An error is no silence: the node stays as good as it was.
void Node::on_failure(const PendingQuery& query) {
  if (query.purpose == Purpose::kAnnounce) return on_announced(query.lookup, false);
  if (query.purpose == Purpose::kLookup) on_step(query, nullptr);
}

// `reply` is null when there is none.
void Node::on_step(const PendingQuery& query, const Reply* reply) {
  const auto found = searches_.find(query.lookup);
  if (found == searches_.end()) return;
  Lookup& lookup = found->second.lookup;
  const Endpoint& from = query.node.endpoint;
  const std::size_t answers = lookup.progress().answered;
  const std::size_t peers = lookup.peers().size();
  LookupStep step{query.lookup, query.node, lookup.hop_of(from)};
  if (reply != nullptr) {
    step.node.id = reply->id;
    step.nodes = reply->nodes.size();
    step.peers = reply->peers.size();
    lookup.on_reply(from, *reply);
  } else {
    lookup.on_failure(from);
  }
  step.answered = lookup.progress().answered > answers;
  step.took = now_ - query.sent_at;
  step.shared_bits = shared_bits(step.node.id, lookup.target());
  if (found->second.kind == Kind::kUser) {
    out_.push_back(step);
    report_peers(query.lookup, lookup, peers);
  }
  advance(query.lookup);
}

// Those from the index `first` on are new.
void Node::report_peers(LookupId id, const Lookup& lookup, std::size_t first) {
  const auto begin = lookup.peers().begin() + static_cast<std::ptrdiff_t>(first);
  if (begin != lookup.peers().end()) out_.push_back(PeersFound{id, {begin, lookup.peers().end()}});
}

void Node::on_announced(LookupId lookup, bool accepted) {
  const auto found = searches_.find(lookup);
  if (found == searches_.end()) return;
  found->second.announced += accepted ? 1 : 0;
  if (--found->second.waiting == 0) finish(lookup);
}

// What of an answer concerns this family, and its sender may speak of.
Reply Node::take_other_family(const Endpoint& from, Reply reply) {
  std::erase_if(reply.nodes, [&](const Contact& node) { return !may_share(from, node.endpoint); });
  std::erase_if(reply.peers, [&](const Endpoint& peer) { return !may_share(from, peer); });
  OtherFamily other;
  const auto is_other = [&](const Contact& node) { return node.endpoint.is_v4() != params_.v4; };
  std::copy_if(reply.nodes.begin(), reply.nodes.end(), std::back_inserter(other.nodes), is_other);
  std::erase_if(reply.nodes, is_other);
  std::erase_if(reply.peers, [&](const Endpoint& peer) { return peer.is_v4() != params_.v4; });
  if (other_ != nullptr && !other.nodes.empty()) out_.push_back(std::move(other));
  return reply;
}

// Searches -------------------------------------------------------------------------------------

LookupId Node::start(Search search) {
  const LookupId id(++next_lookup_);
  const auto nodes = table_.closest(search.lookup.target(), kBucketSize, now_);
  for (const Contact& node : nodes) search.lookup.add_start(node);
  if (nodes.size() < kBucketSize) add_hosts(search);
  report_peers(id, search.lookup, 0);
  searches_.emplace(id, std::move(search));
  advance(id);
  return id;
}

void Node::add_hosts(Search& search) const {
  search.through_hosts = true;
  for (const Endpoint& host : bootstrap_) {
    search.lookup.add_start({search.lookup.target(), host}, false);
  }
}

void Node::advance(LookupId id) {
  Search& search = searches_.at(id);
  if (!search.looking) return;
  // All that we knew are gone, as after a long sleep.
  const bool alone = search.lookup.done() && search.lookup.progress().answered == 0;
  if (alone && !search.through_hosts) add_hosts(search);
  while (const auto node = search.lookup.next()) {
    Query query;
    query.method = search.method;
    query.target = search.lookup.target();
    query.want_v4 = query.want_v6 = other_ != nullptr;
    ask(*node, Purpose::kLookup, id, std::move(query));
  }
  if (search.lookup.done()) end_looking(id, search);
}

void Node::end_looking(LookupId id, Search& search) {
  search.looking = false;
  if (search.announce) {
    for (const Lookup::Holder& holder : search.lookup.holders()) {
      if (holder.token.empty()) continue;
      Query query;
      query.method = Method::kAnnouncePeer;
      query.target = search.lookup.target();
      query.token = holder.token;
      query.port = search.port;
      query.implied_port = search.port == 0;
      ask(holder.node, Purpose::kAnnounce, id, std::move(query));
      ++search.waiting;
    }
  }
  if (search.waiting == 0) finish(id);
}

void Node::finish(LookupId id) {
  const auto found = searches_.find(id);
  const Search search = std::move(found->second);
  searches_.erase(found);
  const LookupProgress& progress = search.lookup.progress();
  switch (search.kind) {
    case Kind::kUser:
      out_.push_back(LookupDone{id, progress, search.lookup.holders(), search.lookup.peers().size(),
                                search.announced});
      return;
    case Kind::kJoin:
      joining_ = false;
      if (progress.answered == 0) return join_later();
      if (!joined_) table_.refresh_all();
      if (!std::exchange(joined_, true)) out_.push_back(Joined{});
      join_retry_ = params_.limits.first_join_retry;
      return;
    case Kind::kRefresh:
      refreshing_ = false;
      if (progress.answered == 0) join_later();
      return;
  }
}

// Nobody answers: all begins anew after a while.
void Node::join_later() {
  joined_ = false;
  join_at_ = now_ + join_retry_;
  join_retry_ = std::min(join_retry_ * 2, params_.limits.max_join_retry);
}

void Node::ask(const Contact& node, Purpose purpose, LookupId lookup, Query query) {
  query.id = id();
  query.read_only = params_.read_only;
  const std::string transaction = pending_.add({node, purpose, lookup, now_}, secrets_);
  ++stats_.asked;
  out_.push_back(SendDatagram{node.endpoint, {transaction, std::move(query), std::nullopt}});
}

// Upkeep ---------------------------------------------------------------------------------------

void Node::add_stranger(const Contact& node) {
  if (!params_.upkeep || strangers_.size() >= params_.limits.strangers) return;
  if (node.endpoint.is_v4() != params_.v4 || !table_.wants(node, now_)) return;
  const auto known = std::find_if(strangers_.begin(), strangers_.end(), [&](const Contact& other) {
    return other.endpoint == node.endpoint;
  });
  if (known == strangers_.end()) strangers_.push_back(node);
}

// What follows from whatever changed, in one fixed order.
void Node::settle() {
  expire_queries();
  pass_slow_queries();
  if (!params_.upkeep) return;
  join_if_due();
  refresh_if_due();
  ping_if_due();
}

void Node::expire_queries() {
  while (const auto query = pending_.expire(now_)) {
    on_timeout(*query);
  }
}

void Node::pass_slow_queries() {
  while (const auto query = pending_.take_slow(now_)) {
    const auto found = searches_.find(query->lookup);
    if (query->purpose != Purpose::kLookup || found == searches_.end()) continue;
    found->second.lookup.on_slow(query->node.endpoint);
    advance(query->lookup);
  }
}

void Node::join_if_due() {
  if (joining_ || now_ < join_at_) return;
  join_at_ = kNever;
  if (table_.size() == 0 && bootstrap_.empty()) return;  // whoever asks us will be asked back
  joining_ = true;
  start({Kind::kJoin, Method::kFindNode, Lookup(id(), id(), params_.lookup)});
}

TimePoint Node::refresh_deadline() const {
  return refreshing_ || joining_ || !joined_ ? kNever : table_.next_refresh();
}

void Node::refresh_if_due() {
  if (refresh_deadline() > now_) return;
  const auto target = table_.take_refresh(now_, random_);
  if (!target) return;
  refreshing_ = true;
  start({Kind::kRefresh, Method::kFindNode, Lookup(*target, id(), params_.lookup)});
}

TimePoint Node::ping_deadline() const {
  const TimePoint wanted = strangers_.empty() ? check_at_ : TimePoint::min();
  return wanted == kNever ? kNever : std::max(wanted, next_ping_);
}

void Node::ping_if_due() {
  while (ping_deadline() <= now_) {
    std::optional<Contact> node;
    if (!strangers_.empty()) {
      node = strangers_.front();
      strangers_.pop_front();
      if (!table_.wants(*node, now_)) continue;
    } else {
      node = table_.to_check(now_);
      check_at_ = node ? now_ : kNever;
      if (!node) continue;
      table_.on_check(*node, now_);
    }
    next_ping_ = now_ + params_.limits.ping_interval;
    ask(*node, Purpose::kCheck, LookupId(), Query{});
  }
}

}  // namespace tributary::core::dht
