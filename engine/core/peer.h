// The state of one connected peer.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/fifo.h"
#include "engine/base/on_demand.h"
#include "engine/core/choker.h"
#include "engine/core/encryption.h"
#include "engine/core/estimator.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/core/pacer.h"
#include "engine/core/peer_book.h"

namespace tributary::core {

// After so long the answer to a cancel (BEP 6) may not come at all: many round trips, yet short
// beside a buffer.
inline constexpr Duration kCancelAnswerTime = 2s;

// Bytes over the last ten steps of time, the present one included. By the second they are what
// chokers rank by (BEP 3).
class RecentBytes {
 public:
  static constexpr std::int64_t kSteps = 10;

  RecentBytes() = default;  // by the second
  explicit RecentBytes(Duration step) : step_(step) {}
  void add(TimePoint now, Bytes bytes);
  // Of so many steps, 1 … 10.
  Bytes sum(TimePoint now, std::int64_t steps = kSteps) const;

 private:
  struct Window {
    std::array<Bytes, kSteps> bytes;
    std::int64_t last = 0;  // number of the last step that had bytes
  };
  std::int64_t number(TimePoint t) const;

  Duration step_ = 1s;
  OnDemand<Window> window_;
};

// What one peer was asked for and has brought.
// Invariants: `outstanding` holds each block once, in the order asked; requests in it are owned by
// this peer in the PieceMap unless cancelled.
struct Download {
  struct Outstanding {
    BlockIndex block;
    TimePoint asked_at;
    std::optional<TimePoint> cancelled_at{};
  };

  std::vector<Outstanding> outstanding;
  std::int32_t cancelled = 0;  // of them
  std::int32_t rejects = 0;    // in a row while unchoked, without a block between
  // Asked for again although the answer to a cancel may yet come: a reject may be that answer.
  std::vector<BlockIndex> forgotten;
  std::vector<HashSpan> hash_requests;  // leaves asked for, at most a few
  CompletionEstimator estimator;
  RecentBytes received;
  Bytes received_total;
  // Blocks delivered since it last stood still: its pipeline may grow by so many.
  std::int32_t proven = 0;

  static auto asks_for(BlockIndex block) {
    return [block](const Outstanding& o) { return o.block == block; };
  }
  // The request for the block, cancelled or not; outstanding.end() when there is none.
  auto request_for(BlockIndex block) {
    return std::find_if(outstanding.begin(), outstanding.end(), asks_for(block));
  }
  void cancel(std::vector<Outstanding>::iterator request, TimePoint now) {
    request->cancelled_at = now;
    ++cancelled;
  }
  auto erase(std::vector<Outstanding>::iterator request) {
    if (request->cancelled_at) --cancelled;
    return outstanding.erase(request);
  }
  // The answer may come all the same, and is then told from that of a later request.
  auto forget(std::vector<Outstanding>::iterator request) {
    constexpr std::size_t kMaxForgotten = 64;  // what a seek cancels at a usual peer
    if (forgotten.size() == kMaxForgotten) forgotten.erase(forgotten.begin());
    forgotten.push_back(request->block);
    return erase(request);
  }
  // The block's answer came; whether one was owed to a request that was forgotten.
  bool recall(BlockIndex block) {
    const auto it = std::find(forgotten.begin(), forgotten.end(), block);
    if (it == forgotten.end()) return false;
    forgotten.erase(it);
    return true;
  }
};

// What one peer has asked for and was sent.
struct Upload {
  struct Revealed {
    PieceIndex piece;
    Bytes sent;  // of it, to this peer
  };

  Fifo<BlockSpan> queue;     // requests to serve, in order
  std::int32_t sending = 0;  // SendBlock actions not yet answered
  RecentBytes sent;
  Bytes sent_total;
  TimePoint last_unchoked = kNeverUnchoked;
  Need need = Need::kStoring;  // what it needs our blocks for, it claims
  NeedBudget need_budget;      // how far that is believed
  TimePoint may_change_need_at{};
  std::vector<Revealed> revealed;  // while super-seeding: told of, and not seen to spread
};

// Of whom one peer and we have told each other, to be dialled and through holes in routers.
struct Introductions {
  // Whom it can introduce us to, as it told.
  struct Acquaintance {
    Endpoint endpoint;
    bool tried = false;  // it was asked to
  };

  std::vector<Endpoint> told;               // by us, of these addresses
  TimePoint may_tell_at{};                  // our next message
  TimePoint may_tell_us_at{};               // its next
  std::vector<Acquaintance> acquaintances;  // the oldest first
  Pacer asks_us;                            // to introduce it
  Pacer of_others;                          // to it, by us
  Pacer bids_us;                            // to dial
};

// Most peers say hello and little more: what only some need takes no memory before.
struct Peer {
  Peer(ConnId id, const Endpoint& endpoint, std::int32_t pieces)
      : conn(id), remote(endpoint), has(pieces) {}

  ConnId conn;
  Endpoint remote;
  PeerId peer_id;
  bool inbound = false;
  Encryption encryption = Encryption::kNone;
  bool utp = false;      // over uTP, else TCP
  bool punched = false;  // a hole in the routers between us was punched for it
  PeerSource source = PeerSource::kIncoming;
  std::optional<Endpoint> listening;  // where it can be dialled, as far as we know
  TimePoint connected_at{};
  Duration round_trip{};  // of the handshake, where we dialled; zero: not known

  // What it can do.
  bool fast = false;
  bool extended = false;
  bool v2 = false;
  bool dont_have = false;  // understands BEP 54
  // Leaves cancels unanswered against BEP 6, as Transmission 3.00 does.
  bool ignores_cancels = false;
  bool tributary = false;
  bool peer_exchange = false;  // understands BEP 11
  bool hole_punch = false;     // understands BEP 55
  bool hears_need = false;     // serves by need: tell it ours
  bool overlay = false;        // takes part in the overlay
  bool upload_only = false;
  std::int32_t request_queue = 250;  // "reqq"; the customary default (libtorrent, Transmission)
  std::string client;

  // What it has. Counted in RarestFirst once the first bitfield or have came.
  Bitfield has;
  bool counted_as_seed = false;
  bool finished = false;                 // became complete while connected
  bool useless = false;                  // as complete as we are, and asked to leave
  bool announced = false;                // its bitfield, have all or have none came
  std::vector<PieceIndex> allowed_fast;  // may be asked for while choked (BEP 6)

  // Both sides' wishes; names from our side.
  bool am_choking = true;
  bool am_interested = false;
  bool peer_choking = true;
  bool peer_interested = false;
  bool snubbed = false;           // unchoked us, was asked, and sent nothing for a minute
  bool stalled = false;           // gave its requests up and has delivered nothing since
  bool suspect = false;           // had a hand in a piece that failed its hash
  bool optimistic = false;        // unchoked by us without having earned it
  std::optional<Need> told_need;  // by us: what we need its blocks for

  // Download.
  TimePoint last_block{};             // or when it was first asked after an idle time
  TimePoint too_deep_since = kNever;  // its requests have exceeded what its pace allows
  std::int64_t dry_epoch = 0;         // SwarmState::open_epoch when it had nothing to be asked
  PieceIndex wanted_piece{};          // that we lack; the search for another goes on from it
  OnDemand<Download> download;

  OnDemand<Upload> upload;
  OnDemand<Introductions> introductions;
  RecentBytes traffic{10min};  // both ways

  std::int32_t metadata_waiting = 0;  // requests of it that MetadataServer holds
  bool told_dht_port = false;         // to us (BEP 5)
  TimePoint last_sent{};              // any message, for keep-alives
  std::int32_t offences = 0;

  // May be asked for blocks.
  bool usable() const { return !peer_choking && !snubbed && announced; }
  // A block of the request may still come, if only because the cancel crossed it.
  bool owes(BlockIndex block) const {
    const auto& asked = download->outstanding;
    return std::any_of(asked.begin(), asked.end(), Download::asks_for(block));
  }
  // Cancelled requests keep their place in the pipeline where an answer to them is due.
  bool answers_cancels() const { return fast && !ignores_cancels; }
  // Requests to which an answer is due.
  std::int32_t in_flight() const {
    const auto asked = static_cast<std::int32_t>(download->outstanding.size());
    return asked - (answers_cancels() ? 0 : download->cancelled);
  }
  // When one request more is to show whether there are answers to cancels at all: they fill the
  // pipeline, and none has come. kNever: they do not.
  TimePoint probe_at() const {
    const std::int32_t cancelled = download->cancelled;
    const bool only_cancelled = cancelled == std::ssize(download->outstanding);
    const bool waits = answers_cancels() && cancelled > 0 && only_cancelled;
    return waits && !stalled ? last_block + kCancelAnswerTime : kNever;
  }
};

}  // namespace tributary::core
