// The known peer addresses of one torrent: which may be dialled, in what order and how fast.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/core/dial_hints.h"
#include "engine/core/locality.h"
#include "engine/core/peer_address.h"
#include "engine/core/peer_source.h"
#include "engine/core/smart_ban.h"

namespace tributary::core {

struct PeerBookParams {
  std::size_t max_peers = 500;  // addresses; ten tracker answers of 50
  int dials_per_second = 10;    // in any second: home routers choke on more; 1..100
  int half_open = 8;            // dials under way at once
  int soft_limit = 50;          // connections up to which we dial (Spotify)
  int hard_limit = 60;          // connections up to which we accept incoming ones (Spotify)
  Duration first_backoff = 5s;  // after a failure; doubles with each in a row: a listener waits
  Duration max_backoff = std::chrono::hours(1);
  Duration reconnect_after = 15s;  // a connection that was of use and closed
  int max_failures = 8;            // in a row: then the address is dropped until it is named anew
  // The same while we have all: who lacks something and cannot be dialled will dial us.
  int max_failures_complete = 2;
  // Who had all, as we did, is taken to have it for so long: as often as most trackers want to hear
  // from us.
  Duration complete_for = 30min;
  // Where addresses are ranked: of so many dials one goes to whoever is next without regard to
  // nearness, so that no swarm falls apart into its neighbourhoods. Bindal et al. (ICDCS 2006) keep
  // one far neighbour of 35; a swarm that streams needs them sooner. At least 2.
  int far_dial_every = 4;
};

// Tracks every address with its state (idle, being dialled, connected) and failures, the
// connections that came in, and the last dials. Addresses are compared whole; IPv4 has one form
// only (Endpoint). Order of dialling: never tried before tried, fewer failures first, peers' word
// (is_hearsay) last, the nearest first and of those tried the quickest, by BEP 40, the newest
// answer first, and within one answer in its order. Nothing is near, quick or of any priority
// before rank_by() says how. Costs a pass over the addresses for each call that changes it.
class PeerBook {
 public:
  // What a connection was when it ended.
  enum class Outcome {
    kUseless,       // counts as a failure
    kUseful,        // blocks went over it: worth another try soon
    kBothComplete,  // of no use, for we both have all
    kLeftComplete   // the same, and it was the other who left
  };
  // Who is dialled: whoever may have something that we lack; as long as we lack nothing, those whom
  // others can be asked of, which are all that keep us; or those alone who may lack something.
  enum class Seek { kAnybody, kNeighbours, kLeechers };

  explicit PeerBook(const PeerBookParams& params = {});

  // One of our own addresses: never dialled, forgotten if known.
  void add_own(const Endpoint& endpoint);
  // Ranks all addresses, those that come later too. The locality must outlive the book; call it
  // again when that has changed.
  void rank_by(const Locality& locality);
  // One answer's addresses. Undialable, own and repeated ones are left out; at the cap a new one
  // replaces the idle one of the least trusted source that would be dialled last; of the DHT
  // and of peers' word none replaces what a more trusted source named. Returns how many were new.
  std::size_t add(std::span<const Endpoint> answer, PeerSource source);

  // All addresses but these and the user's own are forgotten, one in use when that ends.
  void forget_all_but(std::span<const Endpoint> answer);
  // Whether it is known, and not to be forgotten.
  bool keeps(const Endpoint& endpoint) const;

  // What is said of an address that is known. Forgotten again when a dial has failed by it.
  void learn(const Endpoint& endpoint, const DialHints& hints);
  // Whether it is said to have all: then it is not dialled while only leechers are, until somebody
  // says otherwise or a tracker names it anew, for those name seeds to nobody who has all. Nothing
  // of an address that is not known.
  void hear_complete(const Endpoint& endpoint, bool complete);
  // Nothing of an address that is not known.
  DialHints hints_of(const Endpoint& endpoint) const;
  // How the address became known; kIncoming when it is not.
  PeerSource source_of(const Endpoint& endpoint) const;

  // The next address to dial, which then counts as half-open until on_connected or on_failed.
  std::optional<Endpoint> next_dial(TimePoint now, const BanList& bans);
  // At first anybody.
  void seek(Seek wanted);
  // So long after the last dial next_dial has another at the earliest; at first zero.
  void space_dials(Duration apart);
  // When next_dial may next have something: the clock's origin stands for "at once", kNever for
  // "only another event can bring it".
  TimePoint next_deadline() const { return deadline_; }

  // An address that is to be dialled now, whatever its turn, and becomes known by that; false when
  // it must not be: it is ours, banned, connected or being dialled, cannot be dialled at all, or
  // enough is dialled and connected.
  bool dial_now(const Endpoint& remote, PeerSource source, TimePoint now, const BanList& bans);
  bool is_own(const Endpoint& endpoint) const;

  // The dial's outcome. Both ignore an address that is not being dialled. `round_trip` is how long
  // an answer took; it counts where addresses are ranked.
  void on_connected(const Endpoint& remote, Duration round_trip = {});
  void on_failed(const Endpoint& remote, TimePoint now);
  // A connection came in: false when it must be closed (banned, or the hard limit is reached).
  // It takes no dial slot; its port is the remote's ephemeral one and is never dialled.
  bool on_incoming(const Endpoint& remote, TimePoint now, const BanList& bans);
  // The incoming peer told the port it listens on (BEP 10 "p"): not dialled while connected.
  void on_listen_port(const Endpoint& remote, std::uint16_t port);
  // A connection of either direction ended.
  void on_closed(const Endpoint& remote, Outcome outcome, TimePoint now);

  std::size_t size() const { return entries_.size(); }
  int connected() const { return connected_; }  // both directions
  int half_open() const { return half_open_; }
  bool full() const { return connected_ >= params_.hard_limit; }

 private:
  enum class State { kIdle, kDialing, kConnected };
  struct Entry {
    Endpoint endpoint;
    PeerSource source = PeerSource::kTracker;
    State state = State::kIdle;
    bool tried = false;
    bool forgotten = false;      // once it is idle
    int failures = 0;            // in a row
    std::uint64_t answer = 0;    // the newest that named it
    std::uint32_t position = 0;  // in that answer
    TimePoint next_try{};
    TimePoint complete_until{};  // taken to have all, by what we saw
    TimePoint left_until{};      // taken to keep nobody who has all
    bool said_complete = false;
    AddressRank rank{};
    Duration round_trip{};  // zero: not known
    DialHints hints{};
  };
  struct Incoming {
    Endpoint remote;
    std::optional<Endpoint> listening;  // an entry
  };

  using Key =
      std::tuple<bool, int, bool, Nearness, Duration, std::uint32_t, std::uint64_t, std::uint32_t>;
  static Key key(const Entry& e, bool near_first = true);
  const Entry* find(const Endpoint& endpoint) const;
  Entry* find(const Endpoint& endpoint);
  bool add_one(const Endpoint& endpoint, PeerSource source, std::uint32_t position);
  bool make_room(PeerSource source);
  void begin_dial(Entry& entry, TimePoint now);
  void settle(Entry& entry, Outcome outcome, TimePoint now);
  void drop(const Entry& entry);
  TimePoint due(const Entry& entry) const;
  TimePoint token_at() const;
  void update_deadline();

  PeerBookParams params_;
  std::vector<Entry> entries_;
  std::vector<Incoming> incoming_;
  std::vector<Endpoint> own_;
  std::vector<TimePoint> last_dials_;  // at most dials_per_second, oldest first
  const Locality* locality_ = nullptr;
  std::uint64_t answers_ = 0;
  std::int64_t dials_ = 0;
  int connected_ = 0;
  int half_open_ = 0;
  Seek seek_ = Seek::kAnybody;
  Duration apart_{};
  TimePoint deadline_ = kNever;
};

}  // namespace tributary::core
