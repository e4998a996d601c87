// One UDP tracker at one address, as a client speaks to it (BEP 15): a pure machine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/wire/tracker.h"
#include "engine/wire/udp_tracker.h"

namespace tributary::wire {

// How long a client may use a connection id (BEP 15).
inline constexpr Duration kUdpConnectionUse = 60s;
// What has no answer is sent again after a third of the request's time-out, and after twice that
// again: 0 s and 5 s into one of 15 s, 0 s and 0.7 s into a farewell of 2 s. BEP 15 has
// 15 s, 30 s, … instead, which would leave one lost datagram no second chance before the next
// tracker is asked. What BEP 15 wants to spare is a tracker that is down, and that is the matter of
// the announcer's back-off, which doubles up to 30 min.
inline constexpr int kUdpFirstRetryFraction = 3;

// Tracks: the connection id and its age; the connect that is under way; the announces and scrapes,
// each waiting for a connection or sent. The owner calls ask() and handle(), then poll() until it
// returns nothing, and again at next_deadline().
// Invariants: a connect is under way only while a request waits for it; each transaction id belongs
// to one request or to the connect.
class UdpTrackerSession {
 public:
  using RequestId = Id<struct UdpTrackerRequestIdTag, std::uint64_t>;

  using Question = std::variant<UdpAnnounce, UdpScrape>;
  // To an announce, or to a scrape: then the counts of each of its hashes, in their order.
  using Answer = std::variant<AnnounceAnswer, std::vector<SwarmCounts>>;

  struct Send {
    OctetBuffer datagram;
  };
  struct Finished {
    RequestId request;
    Result<Answer> answer;
  };
  using Action = std::variant<Send, Finished>;

  // `random` gives 32 bits that nobody can guess.
  UdpTrackerSession(AddressFamily family, std::function<std::uint32_t()> random);

  // Announces or scrapes; one Finished follows within `timeout` unless it is cancelled. `question`
  // lacks the two ids only. REQUIRES: the id is new; timeout > 0; a scrape has 1 to
  // kMaxScrapeHashes hashes.
  void ask(RequestId id, Question question, Duration timeout, TimePoint now);
  void cancel(RequestId id);
  // A datagram from the tracker's address. What answers nothing that was asked is ignored.
  void handle(Octets datagram, TimePoint now);
  // The address cannot be reached: all that is under way has failed.
  void fail(const Error& error);

  std::optional<Action> poll(TimePoint now);
  // When poll may next have something; kNever while nothing is under way.
  TimePoint next_deadline() const;
  // Until when it is worth keeping: the connection id's end, or for ever while in use.
  TimePoint useful_until() const;

 private:
  struct Connection {
    UdpConnectionId id;
    TimePoint since;
  };
  struct Connecting {
    UdpTransactionId transaction;
    TimePoint send_at;  // again
    Duration wait{};
  };
  struct Request {
    Question question;
    UdpTransactionId transaction;  // stays the same, so that a late answer still counts
    UdpConnectionId connection;    // under which it was sent last
    TimePoint since;
    TimePoint deadline;
    Duration timeout{};
    Duration wait{};
    TimePoint send_again_at = kNever;  // kNever: waits for a connection
    bool sent = false;                 // at least once
  };
  using Requests = std::map<RequestId, Request>;

  bool connected(TimePoint now) const;
  void finish(Requests::iterator request, Result<Answer> answer);
  void expire(TimePoint now);
  std::optional<Send> send_connect(TimePoint now);
  std::optional<Send> send_question(TimePoint now);
  UdpTransactionId draw_transaction();
  Requests::iterator find(UdpTransactionId transaction);
  void on_connect_answer(const Result<UdpTrackerAnswer>& answer, TimePoint now);
  void on_answer(Requests::iterator request, const Result<UdpTrackerAnswer>& answer);
  void fail_waiting(const Error& error);

  AddressFamily family_;
  std::function<std::uint32_t()> random_;
  std::optional<Connection> connection_;
  std::optional<Connecting> connecting_;
  Requests requests_;
  std::vector<Finished> finished_;  // to be polled
};

}  // namespace tributary::wire
