// The edge pool: turns the core's CDN fetches into range requests on the best of several servers,
// and their outcomes into blocks and health for the core. Pure; the shell (cdn/http/fetcher.h) or
// the simulator performs its requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cdn/pool/block_parts.h"
#include "cdn/pool/edge_health.h"
#include "cdn/pool/http.h"
#include "engine/base/fifo.h"
#include "engine/base/random.h"
#include "engine/core/events.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"

namespace tributary::cdn {

// The servers of one torrent, best first where nothing is measured (the order of url-list).
struct EdgeSet {
  // For each edge, the URL of each file by FileIndex (BEP 19 mapping done by the caller); an empty
  // URL means that the edge lacks the file.
  std::vector<std::vector<std::string>> edges;
};

struct PoolParams {
  HealthParams health;
  // Enough that the next range is on its way while one arrives, few enough that requests do not
  // starve each other on the viewer's own link.
  int max_per_edge = 4;
  int max_total = 8;
  // A fetch that failed so often is handed back: the core may have better ideas by then.
  int max_attempts = 4;
  Duration connect_timeout = 5s;
  Duration stall_timeout = 5s;
  // No time-out is cut below this, however close the deadline: it would fail healthy slow edges.
  Duration shortest_timeout = 700ms;
  // A URL that was refused (404 and the like) is tried again so late: uploads to a CDN do appear.
  Duration refused_retry = 300s;
  // When no edge has what is asked for although some are up: so long the core is told that there is
  // none (urgent fetches), or is kept waiting (the others). It would ask again at once otherwise.
  Duration hopeless_pause = 2s;
  // Reports of wrong bytes from an edge alone; the second time it is dropped.
  int max_lies = 2;
  // Reports of wrong bytes that several edges may have brought.
  int max_suspicions = 4;
  bool cmcd = true;
  std::string session;  // CMCD sid; empty: not sent
};

// Blocks from an edge that did not verify, as the core reports them.
using EdgeLied = core::CdnCorrupt;

// HttpGet and HttpCancel go to the shell; Free returns a block that nobody waits for; the others
// are inputs for the core.
using PoolAction =
    std::variant<HttpGet, HttpCancel, core::CdnBlock, core::CdnEnded, core::CdnHealth, core::Free>;

enum class EdgeState { kUp, kProbing, kBackOff, kDropped };

// One edge of one torrent, for a display. Counts and measurements are the server's, over all
// torrents.
struct EdgeStats {
  std::string origin;  // scheme://host:port
  EdgeState state = EdgeState::kUp;
  std::int64_t requests = 0;
  std::int64_t failures = 0;
  Bytes received;
  int in_flight = 0;
  Duration first_byte{};  // means; the priors until measured
  BitRate rate;
  int lies = 0;
  std::string trouble;  // what the last request met: "cannot be reached"; empty after a good one
};

// Tracks: torrents with their edges, fetches of the core (queued or running, at most one request
// each), and servers by origin. Invariants: a fetch ends with exactly one CdnEnded; a running
// request is counted in its server's in_flight and in running(); no more than the limits run at
// once.
class EdgePool {
 public:
  EdgePool(PoolParams params, std::uint64_t seed);

  // From here on the torrent's fetches are served. REQUIRES: not there yet; info outlives nothing
  // (it is copied as far as needed).
  void add_torrent(core::TorrentId torrent, const core::TorrentInfo& info, EdgeSet edges,
                   TimePoint now);
  // New URLs, such as freshly signed ones; refusals and distrust of the old ones are forgotten.
  void set_edges(core::TorrentId torrent, EdgeSet edges, TimePoint now);
  // Cancels and ends what runs.
  void remove_torrent(core::TorrentId torrent, TimePoint now);

  // For CMCD: the media's encoded rate (br), and that playback stalled (bs, su on the next
  // request).
  void set_media_rate(core::TorrentId torrent, BitRate rate);
  void note_stall(core::TorrentId torrent);

  void handle(const core::CdnFetch& fetch, TimePoint now);
  void handle(const core::CdnCancel& cancel, TimePoint now);
  void handle(const HttpInput& input, TimePoint now);
  void handle(const core::CdnCorrupt& corrupt, TimePoint now);
  // REQUIRES for progress: called when next_deadline() has come.
  void handle_timeout(TimePoint now);

  std::optional<PoolAction> poll();
  TimePoint next_deadline() const;

  std::vector<EdgeStats> stats(core::TorrentId torrent, TimePoint now) const;
  // HTTP requests made so far.
  std::int64_t cdn_requests() const { return cdn_requests_; }
  int running() const { return running_; }

 private:
  struct Server {
    explicit Server(const HealthParams& params) : health(params) {}
    EdgeHealth health;
    int in_flight = 0;
    Bytes outstanding;
    std::int64_t requests = 0;
    std::int64_t failures = 0;
    Bytes received;
    std::string trouble;
  };
  using ServerMap = std::map<std::string, Server>;

  struct Edge {
    ServerMap::iterator server;
    std::vector<std::string> urls;
    std::map<core::FileIndex, TimePoint> refused_until;
    int lies = 0;
    int suspicions = 0;
    bool dropped = false;
  };
  // Who brought which blocks, for CdnCorrupt.
  struct Delivery {
    core::BlockRange blocks;
    int edge;
  };
  struct Torrent {
    core::Layout layout;
    std::vector<core::FileEntry> files;  // without hashes
    std::vector<Edge> edges;
    std::uint64_t generation = 0;  // of the edges
    Fifo<Delivery> deliveries;
    BitRate media_rate;
    bool stalled = false;
    TimePoint hopeless_until = TimePoint::min();
    std::optional<core::CdnHealth> told;
  };

  // One HttpGet under way.
  struct Attempt {
    HttpId id;
    ServerMap::iterator server;
    int edge = 0;
    std::uint64_t generation = 0;
    std::vector<FilePart> parts;
    Bytes size;
    TimePoint started;
    std::optional<TimePoint> first_byte;
    bool delivered = false;
    bool cancelled = false;
  };
  using FetchKey = std::pair<core::TorrentId, core::CdnRequestId>;
  struct Fetch {
    FetchKey key;
    std::uint64_t order = 0;
    bool urgent = false;
    TimePoint deadline;
    Duration buffered{};
    bool starting = false;
    std::vector<core::BlockIndex> missing;  // ascending
    int attempts = 0;
    std::optional<TimePoint> give_up_at;  // hopeless, see hopeless_pause
    std::optional<Attempt> attempt;
  };
  enum class Choice { kRun, kWait, kGiveUp };

  std::vector<Edge> make_edges(EdgeSet edges);
  bool serves(const Edge& edge, const std::vector<FilePart>& parts, TimePoint now) const;
  bool has_room(const Server& server, bool urgent) const;
  TimePoint soonest_retry(const Torrent& torrent, const std::vector<FilePart>& parts) const;
  Duration expected(const Edge& edge, Bytes size) const;
  Choice choose(const Torrent& torrent, const Fetch& fetch, const std::vector<FilePart>& parts,
                TimePoint now, int* edge) const;
  bool other_edge(const Torrent& torrent, int edge, const std::vector<FilePart>& parts,
                  TimePoint now) const;

  void dispatch(TimePoint now);
  bool try_start(Fetch& fetch, TimePoint now);
  bool hold_hopeless(Torrent& torrent, Fetch& fetch, TimePoint now) const;
  bool refuses_all(const Edge& edge, TimePoint now) const;
  void start(Torrent& torrent, Fetch& fetch, int edge, BlockParts parts, TimePoint now);
  Duration time_out(Duration limit, const Fetch& fetch, bool alternative, TimePoint now) const;
  std::vector<std::pair<std::string, std::string>> headers_for(Torrent& torrent, const Fetch& fetch,
                                                               const Attempt& attempt,
                                                               TimePoint now) const;
  void next_object(const Torrent& torrent, const Fetch& fetch, const Attempt& attempt,
                   std::string* path, std::optional<ByteRange>* range) const;

  void on_first_byte(const HttpFirstByte& input, TimePoint now);
  void on_block(const HttpBlock& input);
  void on_done(const HttpDone& input, TimePoint now);
  void measure(const Attempt& attempt, const HttpDone& done, TimePoint now);
  void judge(Torrent& torrent, const Fetch& fetch, const Attempt& attempt, const HttpDone& done,
             TimePoint now);
  void refuse(Torrent& torrent, const Attempt& attempt, Bytes received, TimePoint now);
  void remember(Torrent& torrent, core::BlockIndex block, int edge);
  void release(const Attempt& attempt);
  void end(FetchKey key);
  Fetch* fetch_of(HttpId id);
  std::vector<FetchKey> queued_in_order() const;

  void publish_health(TimePoint now);
  core::CdnHealth health_of(core::TorrentId id, const Torrent& torrent, TimePoint now) const;

  PoolParams params_;
  Random random_;
  ServerMap servers_;
  std::map<core::TorrentId, Torrent> torrents_;
  std::map<FetchKey, Fetch> fetches_;
  std::map<HttpId, FetchKey> requests_;
  Fifo<PoolAction> actions_;
  std::vector<core::CdnEnded> ended_;  // told after the health, which explains them
  std::uint64_t next_http_id_ = 1;
  std::uint64_t next_order_ = 0;
  std::int64_t cdn_requests_ = 0;
  int running_ = 0;
  TimePoint now_ = TimePoint::min();
};

}  // namespace tributary::cdn
