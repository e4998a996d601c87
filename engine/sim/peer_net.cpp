#include "engine/sim/peer_net.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {

std::vector<PeerNet::Named>::iterator PeerNet::Listener::place_of(core::ConnId conn) {
  return std::lower_bound(conns.begin(), conns.end(), conn,
                          [](const Named& named, core::ConnId id) { return named.conn < id; });
}

std::optional<PeerNet::ConnectionId> PeerNet::Listener::connection(core::ConnId conn) {
  const auto at = place_of(conn);
  return at == conns.end() || at->conn != conn ? std::nullopt : std::optional(at->id);
}

void PeerNet::Listener::put(core::ConnId conn, ConnectionId id) {
  const auto at = place_of(conn);
  if (at != conns.end() && at->conn == conn) {
    at->id = id;
  } else {
    conns.insert(at, {conn, id});
  }
}

void PeerNet::Listener::erase(core::ConnId conn) {
  const auto at = place_of(conn);
  if (at != conns.end() && at->conn == conn) conns.erase(at);
}

void PeerNet::add_host(HostId host, const Endpoint& endpoint, bool accepts_inbound) {
  TRIBUTARY_CHECK(static_cast<std::size_t>(host.value()) >= hosts_.size());
  hosts_.resize(static_cast<std::size_t>(host.value()) + 1);
  listener(host).endpoint = endpoint;
  listener(host).accepts_inbound = accepts_inbound;
  if (endpoint != endpoint_of(host)) by_endpoint_[endpoint] = host;
}

HostId PeerNet::host_at(const Endpoint& endpoint) const {
  const auto& a = endpoint.address;
  const HostId host((a[13] << 16 | a[14] << 8 | a[15]) - 1);
  const auto at = static_cast<std::size_t>(host.value());
  if (host.value() >= 0 && at < hosts_.size() && hosts_[at].endpoint == endpoint) return host;
  const auto found = by_endpoint_.find(endpoint);
  return found == by_endpoint_.end() ? HostId(-1) : found->second;
}

Endpoint PeerNet::endpoint_of(HostId host) {
  const int n = host.value() + 1;
  const auto octet = [n](int shift) { return static_cast<std::uint8_t>(n >> shift & 0xff); };
  return Endpoint::v4(11, octet(16), octet(8), octet(0), 6881);
}

// The event's id is the connection's; `kind` holds the kind and, in the high bit, the side.
void PeerNet::later(Connection& conn, ConnectionId id, Duration in, Kind kind, int side) {
  ++conn.pending;
  const auto tag = static_cast<std::uint8_t>(kind | side << 7);
  queue_.schedule(in, {Owner::kPeerNet, tag, conn.sides[side].host, id.value()});
}

void PeerNet::dial(HostId host, const core::Connect& action) {
  Connection conn;
  conn.sides[0] = {host, action.conn, action.torrent};
  conn.hello = action.handshake;
  const HostId remote = host_at(action.remote);
  conn.sides[1].host = remote;
  const ConnectionId id = conns_.emplace(std::move(conn));
  listener(host).put(action.conn, id);
  Connection& made = *conns_.find(id);
  made.utp = action.punches;
  if (action.punches) listener(host).holes[remote] = queue_.now() + kDialTimeout;
  if (!lets_in(remote, host) || apart(made)) {
    later(made, id, kDialTimeout, kDialFails, 0);
    return;
  }
  made.latency = links_.latency(host, remote);
  later(made, id, made.latency, kSynArrives, 0);
}

bool PeerNet::lets_in(HostId host, HostId from) {
  if (host.value() < 0) return false;
  if (listener(host).accepts_inbound) return true;
  const auto hole = listener(host).holes.find(from);
  return hole != listener(host).holes.end() && hole->second > queue_.now();
}

void PeerNet::syn_arrives(ConnectionId id, Connection& conn) {
  if (!listener(conn.sides[1].host).online || apart(conn)) {
    later(conn, id, kDialTimeout - conn.latency, kDialFails, 0);
  } else {
    later(conn, id, conn.latency * 2, kHandshakeArrives, 0);
  }
}

void PeerNet::handshake_arrives(ConnectionId id, Connection& conn) {
  Side& here = conn.sides[1];
  std::optional<PeerNetHandler::Welcome> welcome;
  if (listener(here.host).online && !conn.closed) welcome = handler_.welcome(here.host, conn.hello);
  if (!welcome) {
    later(conn, id, conn.latency, kDialFails, 0);
    return;
  }
  Listener& host = listener(here.host);
  here.conn = core::ConnId(core::kInboundBit.value() | host.next_inbound++);
  here.torrent = welcome->torrent;
  here.told = true;
  host.put(here.conn, id);
  conn.answer = welcome->handshake;
  for (int side = 0; side < 2; ++side) {
    conn.streams[side].flow =
        links_.open(conn.sides[side].host, conn.sides[1 - side].host, id.value());
  }
  conn.streams[1].open = true;
  later(conn, id, conn.latency, kDialAnswered, 0);
  handler_.peer_input(here.host,
                      core::PeerConnected{.torrent = here.torrent,
                                          .conn = here.conn,
                                          .remote = listener(conn.sides[0].host).endpoint,
                                          .inbound = true,
                                          .handshake = conn.hello,
                                          .utp = conn.utp});
}

void PeerNet::dial_answered(Connection& conn) {
  Side& dialler = conn.sides[0];
  // The listener closed it at once. Whoever is told may dial, which moves `conn`.
  if (conn.closed) return tell_closed(conn, 0);
  if (dialler.gone) return;
  conn.streams[0].open = true;
  dialler.told = true;
  handler_.peer_input(dialler.host,
                      core::PeerConnected{.torrent = dialler.torrent,
                                          .conn = dialler.conn,
                                          .remote = listener(conn.sides[1].host).endpoint,
                                          .inbound = false,
                                          .handshake = conn.answer,
                                          .utp = conn.utp});
}

PeerNet::Connection* PeerNet::find(HostId host, core::ConnId conn, ConnectionId& id, int& side) {
  const auto found = listener(host).connection(conn);
  if (!found) return nullptr;
  id = *found;
  Connection* c = conns_.find(id);
  TRIBUTARY_CHECK(c != nullptr);
  side = c->sides[0].host == host && c->sides[0].conn == conn ? 0 : 1;
  return c;
}

void PeerNet::send(HostId host, core::Send action) {
  ConnectionId id;
  int side = 0;
  Connection* conn = find(host, action.conn, id, side);
  if (conn == nullptr || !conn->streams[side].open) return;  // it ended meanwhile
  Stream& stream = conn->streams[side];
  if (stream.out.empty()) {
    leave_host(id, *conn, side, std::move(action.message));
  } else {
    stream.out.push_back({std::move(action.message)});
  }
}

// A message is on its way at once.
void PeerNet::leave_host(ConnectionId id, Connection& conn, int side, core::Message message) {
  conn.streams[side].arrivals.push_back({std::move(message)});
  later(conn, id, conn.latency, kArrival, side);
}

void PeerNet::send_block(HostId host, const core::SendBlock& action, bool corrupt) {
  ConnectionId id;
  int side = 0;
  Connection* conn = find(host, action.conn, id, side);
  if (conn == nullptr || !conn->streams[side].open) {
    lost_ += action.span.length;
    return;
  }
  conn->streams[side].out.push_back({Payload{action.torrent, action.span, host, corrupt}});
  if (conn->streams[side].out.size() == 1) pump(id, *conn, side);
}

// Lets everything leave up to the next payload, which goes onto the link.
void PeerNet::pump(ConnectionId id, Connection& conn, int side) {
  Stream& stream = conn.streams[side];
  while (!stream.out.empty()) {
    if (const auto* payload = std::get_if<Payload>(&stream.out.front().content)) {
      links_.push(stream.flow, payload->span.length);
      return;
    }
    leave_host(id, conn, side, std::get<core::Message>(stream.out.take_front().content));
  }
}

void PeerNet::on_finished(const Links::Finished& finished) {
  const ConnectionId id{finished.user};
  Connection* conn = conns_.find(id);
  TRIBUTARY_CHECK(conn != nullptr);
  const int side = conn->streams[0].flow == finished.flow ? 0 : 1;
  Stream& stream = conn->streams[side];
  const Payload payload = std::get<Payload>(stream.out.front().content);
  stream.out.pop_front();
  stream.arrivals.push_back({payload});
  later(*conn, id, conn->latency, kArrival, side);
  pump(id, *conn, side);
  const Side& sender = conn->sides[side];
  handler_.peer_input(sender.host, core::BlockSent{sender.torrent, sender.conn, payload.span});
}

void PeerNet::arrival(ConnectionId id, int from) {
  Connection& conn = *conns_.find(id);
  Stream& stream = conn.streams[from];
  Arrival arrived = stream.arrivals.take_front();
  if (std::holds_alternative<Closing>(arrived.content)) {
    const int to = 1 - from;
    if (!conn.sides[to].gone) close_side(id, conn, to, std::nullopt);
    return;
  }
  deliver(conn.sides[1 - from], std::move(arrived));
}

void PeerNet::deliver(const Side& side, Arrival arrival) {
  const auto* payload = std::get_if<Payload>(&arrival.content);
  if (!side.told || side.gone) {
    if (payload != nullptr) lost_ += payload->span.length;
    return;
  }
  if (payload != nullptr) {
    Payload received = *payload;
    received.torrent = side.torrent;
    handler_.payload_arrived(side.host, side.conn, received);
  } else {
    handler_.peer_input(side.host,
                        core::PeerMessage{side.torrent, side.conn,
                                          std::get<core::Message>(std::move(arrival.content))});
  }
}

void PeerNet::disconnect(HostId host, const core::Disconnect& action) {
  ConnectionId id;
  int side = 0;
  Connection* conn = find(host, action.conn, id, side);
  if (conn == nullptr) return;
  // The answer comes as an event, so that no handler runs inside the host's own call.
  conn->closed = true;
  conn->sides[side].gone = true;
  end_stream(*conn, side);
  later(*conn, id, Duration::zero(), kDialFails, side);
  Side& other = conn->sides[1 - side];
  if (other.told && !other.gone) {
    conn->streams[side].arrivals.push_back({Closing{}});
    later(*conn, id, conn->latency, kArrival, side);
  }
}

// Drops what has not left yet.
void PeerNet::end_stream(Connection& conn, int side) {
  Stream& stream = conn.streams[side];
  stream.open = false;
  for (const Outgoing& out : stream.out) {
    if (const auto* payload = std::get_if<Payload>(&out.content)) lost_ += payload->span.length;
  }
  stream.out.clear();
  if (stream.flow != FlowId{}) links_.close(std::exchange(stream.flow, FlowId{}));
}

// The side learns that the connection is over. `notice`: when the other side does, if it is alive.
void PeerNet::close_side(ConnectionId id, Connection& conn, int side,
                         std::optional<Duration> notice) {
  conn.closed = true;
  end_stream(conn, side);
  Side& other = conn.sides[1 - side];
  if (notice && other.told && !other.gone) {
    conn.streams[side].arrivals.push_back({Closing{}});
    later(conn, id, *notice, kArrival, side);
  }
  tell_closed(conn, side);
}

void PeerNet::tell_closed(Connection& conn, int side) {
  Side& s = conn.sides[side];
  s.told = false;
  s.gone = true;
  if (s.conn == core::ConnId{} || !listener(s.host).connection(s.conn)) return;
  forget(conn, side);
  if (listener(s.host).online) {
    handler_.peer_input(s.host, core::PeerClosed{s.torrent, s.conn});
  }
}

void PeerNet::forget(Connection& conn, int side) {
  listener(conn.sides[side].host).erase(conn.sides[side].conn);
}

void PeerNet::leave(HostId host, bool clean) {
  listener(host).online = false;
  const std::vector<Named> conns = listener(host).conns;
  for (const auto& [conn_id, id] : conns) {
    Connection& conn = *conns_.find(id);
    const int side = conn.sides[0].host == host && conn.sides[0].conn == conn_id ? 0 : 1;
    conn.sides[side].gone = true;
    close_side(id, conn, side, clean ? conn.latency : kCrashNoticed);
    reap(id);
  }
}

void PeerNet::join(HostId host) { listener(host).online = true; }

bool PeerNet::apart(const Connection& conn) {
  const HostId remote = conn.sides[1].host;
  if (!apart_ || remote.value() < 0) return false;
  return listener(conn.sides[0].host).realm != listener(remote).realm;
}

void PeerNet::set_apart(bool apart_now) {
  apart_ = apart_now;
  conns_.for_each([this](ConnectionId id, Connection& conn) {
    if (!conn.closed && apart(conn)) cut(id, conn);
  });
}

void PeerNet::cut(ConnectionId id, Connection& conn) {
  conn.closed = true;
  for (int side = 0; side < 2; ++side) {
    end_stream(conn, side);
    const Side& here = conn.sides[side];
    if (here.told && !here.gone) later(conn, id, kCrashNoticed, kDialFails, side);
  }
}

void PeerNet::on_event(const Event& event) {
  const ConnectionId id{event.id};
  Connection* conn = conns_.find(id);
  TRIBUTARY_CHECK(conn != nullptr);
  --conn->pending;
  const int side = event.kind >> 7;
  switch (static_cast<Kind>(event.kind & 0x7f)) {
    case kSynArrives:
      syn_arrives(id, *conn);
      break;
    case kHandshakeArrives:
      handshake_arrives(id, *conn);
      break;
    case kDialAnswered:
      dial_answered(*conn);
      break;
    case kDialFails:
      conn->closed = true;
      tell_closed(*conn, side);
      break;
    case kArrival:
      arrival(id, side);
      break;
  }
  reap(id);
}

// A connection is erased when nobody can refer to it any more.
void PeerNet::reap(ConnectionId id) {
  Connection* conn = conns_.find(id);
  if (conn == nullptr || !conn->closed || conn->pending > 0) return;
  for (int side = 0; side < 2; ++side) {
    Side& s = conn->sides[side];
    if (s.told ||
        (s.host.value() >= 0 && s.conn != core::ConnId{} && listener(s.host).connection(s.conn))) {
      return;
    }
  }
  for (int side = 0; side < 2; ++side) {
    end_stream(*conn, side);
    for (const Arrival& arrival : conn->streams[side].arrivals) {
      if (const auto* p = std::get_if<Payload>(&arrival.content)) lost_ += p->span.length;
    }
  }
  conns_.erase(id);
}

Bytes PeerNet::in_flight() const {
  Bytes sum;
  conns_.for_each([&](ConnectionId, const Connection& conn) {
    for (const Stream& stream : conn.streams) {
      for (const Outgoing& out : stream.out) {
        if (const auto* p = std::get_if<Payload>(&out.content)) sum += p->span.length;
      }
      for (const Arrival& arrival : stream.arrivals) {
        if (const auto* p = std::get_if<Payload>(&arrival.content)) sum += p->span.length;
      }
    }
  });
  return sum;
}

}  // namespace tributary::sim
