// A modelled CDN: edges that answer range requests over the clients' access links.
//
// Modelled: round trips for a new connection, reuse of idle ones, time to the first byte with a
// spread, a rate cap per connection and one over all, blocks that arrive as their bytes do, cancels
// that reach the server half a round trip later, TCP's slow start where it is wanted, and faults.
// Not modelled: HTTP/2, redirects, caches behind the edge.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdn/pool/http.h"
#include "engine/base/random.h"
#include "engine/base/slot_map.h"
#include "engine/sim/event_queue.h"
#include "engine/sim/links.h"

namespace tributary::sim {

enum class CdnFault {
  kNone,
  kRefuse,       // connections are refused, those under way are reset
  kUnavailable,  // 503 for new requests
  kBlackHole,    // nothing is answered, transfers halt: clients run into their time-outs
  kTruncate,     // bodies of several blocks end half way
};

// RFC 6928: ten segments.
inline constexpr Bytes kFirstWindow = 10 * 1460_B;

struct EdgeParams {
  std::string origin = "http://cdn.test";  // URLs that begin so are served
  BitRate egress = kUnlimited;             // over all connections
  BitRate per_connection = kUnlimited;
  Duration half_rtt = 15ms;
  // Server time of a request: the least, and what may come on top, uniformly.
  Duration first_byte = 5ms;
  Duration first_byte_spread = 5ms;
  std::int32_t setup_round_trips = 1;   // of a new connection; 2 with TLS 1.3
  Duration keep_alive = 60s;            // an idle connection may be reused so long
  std::optional<Duration> retry_after;  // sent with 503
  // What a new connection sends in its first round trip, and in each that follows twice as much,
  // until the links are what slows it down: TCP's slow start. None: the links alone.
  std::optional<Bytes> first_window;
};

// What crossed one edge's egress.
struct EgressMeter {
  Bytes bytes;       // body bytes that left
  Bytes delivered;   // of whole blocks that reached their client
  Bytes cut_off;     // of blocks that no client got: cancelled, reset, or the client had left
  Bytes unfinished;  // of transfers that go on
  std::int64_t requests = 0;
  std::int64_t connections = 0;
  std::int64_t failures = 0;  // requests answered with an error or not at all
};

class CdnHandler {
 public:
  virtual ~CdnHandler() = default;
  virtual void http_input(HostId client, const cdn::HttpInput& input) = 0;
  // One block arrived; the host makes the buffer and the HttpBlock.
  virtual void http_block(HostId client, cdn::HttpId request, core::TorrentId torrent,
                          core::BlockIndex block, Bytes length, bool corrupt) = 0;
};

// Tracks: edges, requests under way, and per client and edge the idle connections. Invariant: each
// HttpGet is answered by exactly one HttpDone, unless its client left.
class CdnModel {
 public:
  CdnModel(EventQueue& queue, Links& links, CdnHandler& handler, std::uint64_t seed)
      : queue_(queue), links_(links), handler_(handler), random_(seed) {}

  // The edge is a host of `links`; the caller adds no other of this id.
  HostId add_edge(const EdgeParams& params);
  bool is_edge(HostId host) const { return edges_.count(host) > 0; }

  void get(HostId client, const cdn::HttpGet& request);
  void cancel(HostId client, const cdn::HttpCancel& cancel);
  // The client is gone: its requests end in silence.
  void leave(HostId client);

  void set_fault(HostId edge, CdnFault fault);
  // From now on each block is corrupt with this probability.
  void set_corruption(HostId edge, std::int32_t permille);
  // From now on, of requests that reach the edge.
  void set_first_byte(HostId edge, Duration least, Duration spread);
  // Caps each connection, those under way included.
  void set_per_connection(HostId edge, BitRate rate);

  void on_event(const Event& event);
  // Returns false when the flow is not one of the CDN's.
  bool on_finished(const Links::Finished& finished);

  EgressMeter meter(HostId edge) const;
  EgressMeter total() const;

 private:
  enum Kind : std::uint8_t {
    kAtServer,
    kFirstByte,
    kHeadersArrive,
    kRound,
    kBlockArrives,
    kEnds,
    kReset
  };
  struct Edge {
    EdgeParams params;
    CdnFault fault = CdnFault::kNone;
    std::int32_t corrupt_permille = 0;
    EgressMeter meter;
  };
  struct RequestTag;
  struct Request {
    HostId client;
    HostId edge;
    cdn::HttpGet get;
    TimePoint started{};
    bool reused = false;
    Bytes window;  // of this round trip
    FlowId flow{};
    std::size_t serve = 0;  // blocks that the server will send
    std::size_t left = 0;   // blocks that left the server
    std::size_t arrived = 0;
    Bytes received;
    cdn::HttpDone done;  // what kEnds will say
    bool done_told = false;
    int pending = 0;
  };
  using RequestId = Id<RequestTag, std::uint64_t>;
  using PoolKey = std::pair<HostId, HostId>;  // client, edge
  struct Connection {
    TimePoint idle_since{};
    Bytes window;
  };

  Edge& edge(HostId host) { return edges_.at(host); }
  const Edge& edge(HostId host) const { return edges_.at(host); }
  HostId edge_of(const std::string& url) const;
  std::optional<Connection> take_idle(const PoolKey& key);
  BitRate pace(const Request& request) const;
  void await_round(RequestId id, Request& request);
  void next_round(RequestId id, Request& request);
  void later(RequestId id, Request& request, Duration in, Kind kind);
  void end(RequestId id, Request& request, Duration in, cdn::HttpOutcome outcome, int status);
  void at_server(RequestId id, Request& request);
  void first_byte(RequestId id, Request& request);
  void block_arrives(RequestId id, Request& request);
  void ends(Request& request);
  void close_flow(Request& request);
  void interrupt(RequestId id, Request& request, CdnFault fault);
  void reap(RequestId id);

  EventQueue& queue_;
  Links& links_;
  CdnHandler& handler_;
  Random random_;
  std::map<HostId, Edge> edges_;
  std::map<PoolKey, std::vector<Connection>> idle_;  // by when they became idle
  SlotMap<RequestTag, Request> requests_;
  std::map<std::pair<HostId, cdn::HttpId>, RequestId> by_client_;
};

}  // namespace tributary::sim
