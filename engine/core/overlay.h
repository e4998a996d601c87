// Asking the peers of one torrent who has another, in the way of Gnutella's floods and of the
// search among Spotify's clients (Kreitz & Niemelä 2010): a query goes to some of our neighbours,
// each passes it on to some of its own, and whoever has the torrent or is connected to who has it
// answers, back the way the query came. So the next track's peers are found beside its trackers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "engine/base/compact_map.h"
#include "engine/base/fifo.h"
#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/events.h"
#include "engine/core/pacer.h"

namespace tributary::core {

// Neighbours that a query of ours goes to, and to how many one of another's is passed on: a query
// is at most 10 + 10 * 5 messages of 78 bytes, about one search of the DHT.
inline constexpr std::size_t kMaxOverlayAsked = 10;
inline constexpr std::size_t kMaxOverlayForwards = 5;
// Queries that are remembered of each connection (Spotify): what came is not passed on twice, and
// its answers find their way.
inline constexpr std::size_t kRememberedQueries = 50;
// Addresses that one query brings, to us or to whom we pass them on: as many as a tracker's answer.
inline constexpr std::size_t kMaxOverlayFound = 50;
// An answer after so long is of no use: the tracker's is here, or the server has stepped in.
inline constexpr Duration kOverlayAnswerTime = 10s;
// Queries over one connection: so many at once, and one in so long after that. We send no more; of
// a peer we take twice as many, for the way may bring them together.
inline constexpr Pace kOverlayPace{.interval = 1s, .burst = 10};
inline constexpr Pace kOverlayPeerPace{.interval = 500ms, .burst = 20};
// As long as fewer peers than these are connected we ask, every so often; and who himself knows so
// many that have it asks nobody further.
inline constexpr std::size_t kOverlayEnough = 5;
inline constexpr Duration kOverlayAskAgain = 30s;
// Where nobody is there to be asked, or each was asked too much, we look again after this.
inline constexpr Duration kOverlayLookAgain = 1s;

// A connection, of whichever of our swarms, whose peer understands queries.
struct OverlayLink {
  TorrentId torrent;  // the swarm's
  ConnId conn;
  PeerId peer;
  Endpoint remote;
  std::optional<Endpoint> listening;  // where it can be dialled, as far as we know
};

// Who has a torrent, by what we know.
struct OverlaySources {
  std::optional<TorrentId> torrent;  // ours; none: we know nothing of it
  // It is private: neither told of nor asked for (BEP 27).
  bool secret = false;
  bool self = false;            // we have some of it, give it, and can be dialled
  std::vector<Endpoint> peers;  // that the asker may hear of, at most kMaxOverlayPeers
};

// What Overlay must know of the node's swarms. Private torrents are in neither answer, but for
// `secret`.
class OverlayView {
 public:
  virtual ~OverlayView() = default;
  virtual std::vector<OverlayLink> links() const = 0;
  virtual OverlaySources sources(const InfoHash& sought, const OverlayLink& asker) const = 0;
};

// The peer broke the rules: it asked too much, or answered what it was not asked.
struct OverlayOffence {
  TorrentId torrent;
  ConnId conn;
};
// PeersFound: for the swarm of that torrent.
using OverlayAction = std::variant<Send, PeersFound, OverlayOffence>;

// What was done, for reports and tests.
struct OverlayCounts {
  std::int64_t asked = 0;       // queries of our own
  std::int64_t forwarded = 0;   // messages that passed queries of others on
  std::int64_t duplicates = 0;  // queries that were here before
  std::int64_t refused = 0;     // queries and answers beyond their limits
  std::int64_t unasked = 0;     // answers to nothing that we asked
  std::int64_t late = 0;        // answers after kOverlayAnswerTime
  std::int64_t found = 0;       // addresses that our queries brought
};

// One node's part in the overlay, across its swarms. Tracks the queries that are remembered, ours
// and others', with whom each was sent on to; and per connection which came from it and its pace.
// Invariant: each remembered query is in the list of the connection that it came from, or in ours.
class Overlay {
 public:
  struct Wanted {
    TorrentId torrent;
    InfoHash info_hash;
  };

  // The view must outlive this.
  Overlay(const OverlayView& view, Random random) : view_(view), random_(random) {}

  // What is looked for now, if anything: asked for at once when it is new, then every
  // kOverlayAskAgain. Call it after each input and at next_deadline().
  void want(const std::optional<Wanted>& wanted, TimePoint now);
  void on_query(const OverlayLink& from, const OverlayQuery& query, TimePoint now);
  void on_answer(const OverlayLink& from, const OverlayAnswer& answer, TimePoint now);
  // Forgets what came over this connection.
  void on_closed(ConnId conn);

  std::optional<OverlayAction> poll();
  TimePoint next_deadline() const { return wanted_ ? ask_at_ : kNever; }
  const OverlayCounts& counts() const { return counts_; }
  // Queries that are remembered.
  std::size_t remembered() const { return queries_.size(); }

 private:
  struct Asked {
    ConnId conn;
    std::size_t answers_left = 0;
  };
  struct Query {
    std::optional<OverlayLink> from;  // none: it is ours
    TorrentId torrent;                // for which ours is
    TimePoint at{};
    std::vector<Asked> asked;
    std::vector<Endpoint> passed;  // addresses, to whom it came from or to our swarm
  };
  struct Book {
    Fifo<QueryId> queries;  // that came over it, the oldest first
    Pacer of_us;            // our queries to it
    Pacer of_it;
  };

  void ask(TimePoint now);
  Query& remember(QueryId id, Query query);
  // Sends the query on, to some of the links that neither lead back nor into the sought's swarm.
  void spread(Query& query, OverlayQuery message, std::optional<TorrentId> sought, std::size_t most,
              TimePoint now);
  // Passes on what was not yet, towards whoever asked.
  void pass(QueryId id, Query& query, bool self, const std::vector<Endpoint>& peers);
  void send(const OverlayLink& to, Message message);
  void offend(const OverlayLink& by);

  const OverlayView& view_;
  Random random_;
  std::optional<Wanted> wanted_;
  std::optional<TorrentId> looked_for_;  // what was wanted last
  TimePoint ask_at_{};
  std::map<QueryId, Query> queries_;
  Fifo<QueryId> own_;  // of them, the oldest first
  CompactMap<ConnId, Book> books_;
  Fifo<OverlayAction> out_;
  OverlayCounts counts_;
};

}  // namespace tributary::core
