// Connections between peers: dialling, messages in order, payloads over the access links, resets.
//
// Modelled: a dial takes one round trip, the handshakes half and a whole one more (the listener
// knows the dialler after 1.5, the dialler the listener after 2); a host behind NAT or gone answers
// nothing and the dial times out, unless the host dials the other way meanwhile (BEP 55); what is
// sent on one connection arrives in order, a payload after it left the uplink; control messages
// take no bandwidth, only latency.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "engine/base/fifo.h"
#include "engine/base/slot_map.h"
#include "engine/core/events.h"
#include "engine/sim/event_queue.h"
#include "engine/sim/links.h"

namespace tributary::sim {

// A dial that nobody answers fails after this (a common default of BitTorrent clients).
inline constexpr Duration kDialTimeout = 10s;
// Peers learn of a crashed host after this: TCP resets from its still running system take a round
// trip, a dead machine takes minutes; between the two.
inline constexpr Duration kCrashNoticed = 5s;

// What a piece message carries, as the simulator knows it.
struct Payload {
  core::TorrentId torrent;
  core::BlockSpan span;
  HostId from;
  bool corrupt = false;
};

// What the hosts answer and hear. Calls are made while an event is handled, never from within the
// functions of PeerNet that hosts call.
class PeerNetHandler {
 public:
  struct Welcome {
    core::TorrentId torrent;
    core::Handshake handshake;
  };
  virtual ~PeerNetHandler() = default;
  // A dial arrived with this handshake. Nothing: not served here.
  virtual std::optional<Welcome> welcome(HostId host, const core::Handshake& theirs) = 0;
  virtual void peer_input(HostId host, core::Input input) = 0;
  virtual void payload_arrived(HostId host, core::ConnId conn, const Payload& payload) = 0;
};

// Tracks: the hosts' listening state and connection ids, the connections with their two queues.
// Invariant: a connection's arrivals are in order of time, one event each.
class PeerNet {
 public:
  PeerNet(EventQueue& queue, Links& links, PeerNetHandler& handler)
      : queue_(queue), links_(links), handler_(handler) {}

  // Where a host listens. REQUIRES: hosts are added in order of their ids.
  void add_host(HostId host, const Endpoint& endpoint, bool accepts_inbound);
  static Endpoint endpoint_of(HostId host);

  void dial(HostId host, const core::Connect& action);
  void send(HostId host, core::Send action);
  // REQUIRES: the span is not empty.
  void send_block(HostId host, const core::SendBlock& action, bool corrupt);
  void disconnect(HostId host, const core::Disconnect& action);
  // The host is gone: its dials and connections end without a word to it. A clean exit closes them,
  // a crash leaves the others to find out.
  void leave(HostId host, bool clean);
  void join(HostId host);
  // All hosts begin in realm 0.
  void set_realm(HostId host, std::int32_t realm) { listener(host).realm = realm; }
  // Whether realms are kept apart: a dial from one to another then times out, and what is connected
  // across is lost, which both sides learn after kCrashNoticed.
  void set_apart(bool apart);

  void on_event(const Event& event);
  void on_finished(const Links::Finished& finished);

  std::size_t connection_count() const { return conns_.size(); }
  // Payload bytes that were queued or on their way when a connection ended.
  Bytes lost() const { return lost_; }
  // Payload bytes on connections that are open now and did not arrive yet.
  Bytes in_flight() const;

 private:
  enum Kind : std::uint8_t { kSynArrives, kHandshakeArrives, kDialAnswered, kDialFails, kArrival };
  struct Outgoing {
    std::variant<core::Message, Payload> content;
  };
  struct Closing {};
  struct Arrival {
    std::variant<core::Message, Payload, Closing> content;
  };
  // What one side sends to the other.
  struct Stream {
    FlowId flow{};
    Fifo<Outgoing> out;      // the front is a payload on the link
    Fifo<Arrival> arrivals;  // left the sender
    bool open = false;       // the sender may send
  };
  struct Side {
    HostId host;
    core::ConnId conn;
    core::TorrentId torrent;
    bool told = false;  // heard PeerConnected and not yet PeerClosed
    bool gone = false;  // wants to hear nothing more
  };
  struct ConnectionTag;
  struct Connection {
    Side sides[2];      // the dialler and the listener
    Stream streams[2];  // from sides[i]
    core::Handshake hello;
    core::Handshake answer;
    Duration latency{};
    bool utp = false;
    int pending = 0;  // events that name this connection
    bool closed = false;
  };
  using ConnectionId = Id<ConnectionTag, std::uint64_t>;
  // A connection by the id that a host has for it.
  struct Named {
    core::ConnId conn;
    ConnectionId id;
  };
  struct Listener {
    Endpoint endpoint;
    bool accepts_inbound = true;
    bool online = true;
    std::int32_t realm = 0;
    std::map<HostId, TimePoint> holes;  // whom its NAT lets in, and until when
    std::uint64_t next_inbound = 1;
    std::vector<Named> conns;  // by ascending ids: each message looks here twice

    std::vector<Named>::iterator place_of(core::ConnId conn);
    // Nothing where there is none of this id.
    std::optional<ConnectionId> connection(core::ConnId conn);
    // In place of one of the same id.
    void put(core::ConnId conn, ConnectionId id);
    void erase(core::ConnId conn);
  };

  // HostId(-1): nobody.
  HostId host_at(const Endpoint& endpoint) const;
  Listener& listener(HostId host) { return hosts_[static_cast<std::size_t>(host.value())]; }
  Connection* find(HostId host, core::ConnId conn, ConnectionId& id, int& side);
  bool lets_in(HostId host, HostId from);
  // Whether the two sides are of realms that are kept apart.
  bool apart(const Connection& conn);
  void cut(ConnectionId id, Connection& conn);
  void later(Connection& conn, ConnectionId id, Duration in, Kind kind, int side);
  void syn_arrives(ConnectionId id, Connection& conn);
  void handshake_arrives(ConnectionId id, Connection& conn);
  void dial_answered(Connection& conn);
  void arrival(ConnectionId id, int from);
  void deliver(const Side& side, Arrival arrival);
  void leave_host(ConnectionId id, Connection& conn, int side, core::Message message);
  void pump(ConnectionId id, Connection& conn, int side);
  void end_stream(Connection& conn, int side);
  void close_side(ConnectionId id, Connection& conn, int side, std::optional<Duration> notice);
  void tell_closed(Connection& conn, int side);
  void forget(Connection& conn, int side);
  void reap(ConnectionId id);

  EventQueue& queue_;
  Links& links_;
  PeerNetHandler& handler_;
  std::vector<Listener> hosts_;
  std::map<Endpoint, HostId> by_endpoint_;  // those that are not at endpoint_of() themselves
  SlotMap<ConnectionTag, Connection> conns_;
  bool apart_ = false;
  Bytes lost_;
};

}  // namespace tributary::sim
