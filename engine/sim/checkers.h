// Referees outside the node: they see what passes between nodes and hosts, and know the truth.
//
// Checked: each buffer ends in exactly one Store or Free (so bytes received = kept + thrown away +
// in hand); no wrong block is stored, hence none is played or uploaded; no block is uploaded that
// is not stored; each request gets exactly one piece or reject (BEP 6); requests in flight keep to
// the remote's reqq; unchoked peers keep to the slots.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/events.h"
#include "engine/sim/event_queue.h"

namespace tributary::sim {

struct CheckerParams {
  std::uint64_t seed = 0;  // for the report
  // Print and stop the process at the first violation. Tests of the checkers turn it off.
  bool abort_on_violation = true;
  std::int32_t max_unchoked = 5;  // per torrent: core::ChokerParams, regular and optimistic
  // For a remote that named no reqq (libtorrent's own default is larger).
  std::int32_t default_reqq = 250;
  // A request on a living connection is answered within this: a whole queue of 250 blocks at a
  // fifth of 1 Mbit/s.
  Duration longest_answer = 180s;
};

// Tracks: per host and connection the unanswered requests, what the remote allows, and whether we
// unchoke it; per host and torrent the number unchoked.
class Checkers {
 public:
  explicit Checkers(CheckerParams params) : params_(params) {}

  void input(TimePoint now, HostId host, const core::Input& input);
  void action(TimePoint now, HostId host, const core::Action& action);

  // The host carried out all actions of this instant.
  void settled(TimePoint now, HostId host);

  // The node stored or freed a buffer; `known`: it had it.
  void buffer_ended(TimePoint now, HostId host, bool known);
  // `bad`: the bytes are wrong in truth; `matches`: the buffer holds this block.
  void stored(TimePoint now, HostId host, core::BlockIndex block, bool bad, bool matches);
  // `has`: the host truly holds the block.
  void uploaded(TimePoint now, HostId host, const core::BlockSpan& span, bool has);
  // The host's unchoker may go beyond max_unchoked.
  void allow_unchoked(HostId host, std::int32_t most) { allowed_unchoked_[host] = most; }
  // The host left: its books are closed.
  void left(HostId host);
  // Two sums that must agree.
  void balance(TimePoint now, HostId host, const std::string& what, Bytes a, Bytes b);
  // Looks for requests that were never answered.
  void finish(TimePoint now);

  const std::vector<std::string>& violations() const { return violations_; }
  // Requests, answers and stores that were looked at, so that a test can see that it was.
  std::int64_t checks() const { return checks_; }

 private:
  using Key = std::pair<HostId, core::ConnId>;
  struct Asked {
    std::int32_t open = 0;
    std::int32_t cancelled = 0;
    TimePoint at{};
  };
  struct Book {
    core::TorrentId torrent;
    bool fast = false;
    std::int32_t reqq = 0;
    std::map<core::BlockSpan, Asked> asked;
    std::int32_t open = 0;  // asked and not cancelled
    bool unchoked = false;
  };

  Book& book(HostId host, core::ConnId conn) { return books_[{host, conn}]; }
  void sent(TimePoint now, HostId host, const core::Send& send);
  void received(TimePoint now, HostId host, const core::PeerMessage& message);
  void request(TimePoint now, HostId host, Book& book, const core::BlockSpan& span);
  void answer(TimePoint now, HostId host, Book& book, const core::BlockSpan& span);
  void unchoke(HostId host, Book& book, bool unchoked);
  void close(HostId host, core::ConnId conn);
  void violation(TimePoint now, HostId host, const std::string& what);

  CheckerParams params_;
  std::map<Key, Book> books_;
  std::map<std::pair<HostId, core::TorrentId>, std::int32_t> unchoked_;
  std::map<HostId, std::int32_t> allowed_unchoked_;        // where it is not max_unchoked
  std::vector<std::pair<HostId, core::TorrentId>> grown_;  // unchoked more since settled()
  std::vector<std::string> violations_;
  std::int64_t checks_ = 0;
};

}  // namespace tributary::sim
