#include "engine/sim/checkers.h"

#include <cstdio>
#include <cstdlib>

namespace tributary::sim {
namespace {

std::string text(const core::BlockSpan& span) {
  return "piece " + std::to_string(span.piece.value()) + " at " +
         std::to_string(span.begin.count()) + " + " + std::to_string(span.length.count());
}

}  // namespace

void Checkers::violation(TimePoint now, HostId host, const std::string& what) {
  const std::string line = "seed " + std::to_string(params_.seed) +
                           ", t = " + std::to_string(now.time_since_epoch().count()) +
                           " us, host " + std::to_string(host.value()) + ": " + what;
  violations_.push_back(line);
  if (!params_.abort_on_violation) return;
  std::fprintf(stderr, "simulator: violation: %s\n", line.c_str());
  std::abort();
}

void Checkers::input(TimePoint now, HostId host, const core::Input& input) {
  if (const auto* up = std::get_if<core::PeerConnected>(&input)) {
    Book& b = book(host, up->conn);
    b.torrent = up->torrent;
    b.fast = up->handshake.fast;  // every simulated node offers it
    b.reqq = params_.default_reqq;
  } else if (const auto* down = std::get_if<core::PeerClosed>(&input)) {
    close(host, down->conn);
  } else if (const auto* message = std::get_if<core::PeerMessage>(&input)) {
    received(now, host, *message);
  }
}

void Checkers::action(TimePoint now, HostId host, const core::Action& action) {
  if (const auto* send = std::get_if<core::Send>(&action)) sent(now, host, *send);
  // What arrives between a Disconnect and its PeerClosed is not delivered.
  if (const auto* end = std::get_if<core::Disconnect>(&action)) close(host, end->conn);
}

void Checkers::sent(TimePoint now, HostId host, const core::Send& send) {
  const auto found = books_.find({host, send.conn});
  if (found == books_.end()) return;  // closed meanwhile
  Book& b = found->second;
  if (const auto* ask = std::get_if<core::Request>(&send.message)) {
    request(now, host, b, ask->span);
  } else if (const auto* cancel = std::get_if<core::Cancel>(&send.message)) {
    const auto asked = b.asked.find(cancel->span);
    if (asked == b.asked.end()) return;  // answered on the way
    if (asked->second.cancelled == asked->second.open) return;
    ++asked->second.cancelled;
    --b.open;
  } else if (std::holds_alternative<core::Unchoke>(send.message)) {
    unchoke(host, b, true);
  } else if (std::holds_alternative<core::Choke>(send.message)) {
    unchoke(host, b, false);
  }
}

void Checkers::request(TimePoint now, HostId host, Book& b, const core::BlockSpan& span) {
  ++checks_;
  Asked& asked = b.asked[span];
  if (asked.open > asked.cancelled) violation(now, host, "asked twice for " + text(span));
  ++asked.open;
  asked.at = now;
  if (++b.open > b.reqq) {
    violation(
        now, host,
        std::to_string(b.open) + " requests in flight, the peer takes " + std::to_string(b.reqq));
  }
}

void Checkers::unchoke(HostId host, Book& b, bool unchoked) {
  if (b.unchoked == unchoked) return;
  b.unchoked = unchoked;
  unchoked_[{host, b.torrent}] += unchoked ? 1 : -1;
  if (unchoked) grown_.emplace_back(host, b.torrent);
}

// An unchoke may be polled before the choke that makes room for it.
void Checkers::settled(TimePoint now, HostId host) {
  for (const auto& key : grown_) {
    ++checks_;
    const std::int32_t count = unchoked_[key];
    const auto allowed = allowed_unchoked_.find(key.first);
    if (count > (allowed == allowed_unchoked_.end() ? params_.max_unchoked : allowed->second)) {
      violation(now, host, std::to_string(count) + " peers unchoked");
    }
  }
  grown_.clear();
}

void Checkers::received(TimePoint now, HostId host, const core::PeerMessage& message) {
  const auto found = books_.find({host, message.conn});
  if (found == books_.end()) return;
  Book& b = found->second;
  if (const auto* piece = std::get_if<core::Piece>(&message.message)) {
    answer(now, host, b, piece->span);
  } else if (const auto* reject = std::get_if<core::RejectRequest>(&message.message)) {
    answer(now, host, b, reject->span);
  } else if (const auto* hello = std::get_if<core::ExtendedHandshake>(&message.message)) {
    if (hello->request_queue) b.reqq = *hello->request_queue;
  } else if (std::holds_alternative<core::Choke>(message.message) && !b.fast) {
    b.asked.clear();
    b.open = 0;
  }
}

void Checkers::answer(TimePoint now, HostId host, Book& b, const core::BlockSpan& span) {
  ++checks_;
  const auto asked = b.asked.find(span);
  if (asked == b.asked.end()) {
    if (b.fast) violation(now, host, "an answer without a request: " + text(span));
    return;
  }
  // Which of a cancelled and a renewed request is answered cannot be told: the older one.
  if (asked->second.cancelled > 0) {
    --asked->second.cancelled;
  } else {
    --b.open;
  }
  if (--asked->second.open == 0) b.asked.erase(asked);
}

void Checkers::close(HostId host, core::ConnId conn) {
  const auto found = books_.find({host, conn});
  if (found == books_.end()) return;
  if (found->second.unchoked) --unchoked_[{host, found->second.torrent}];
  books_.erase(found);
}

void Checkers::buffer_ended(TimePoint now, HostId host, bool known) {
  ++checks_;
  if (!known) violation(now, host, "a buffer was stored or freed twice, or never given");
}

void Checkers::stored(TimePoint now, HostId host, core::BlockIndex block, bool bad, bool matches) {
  ++checks_;
  const std::string name = "block " + std::to_string(block.value());
  if (bad) violation(now, host, name + " was stored with wrong bytes");
  if (!matches) violation(now, host, name + " was stored from another block's buffer");
}

void Checkers::uploaded(TimePoint now, HostId host, const core::BlockSpan& span, bool has) {
  ++checks_;
  if (!has) violation(now, host, "uploads what it does not hold: " + text(span));
}

void Checkers::left(HostId host) {
  for (auto it = books_.lower_bound({host, core::ConnId{}});
       it != books_.end() && it->first.first == host;) {
    it = books_.erase(it);
  }
  for (auto it = unchoked_.lower_bound({host, core::TorrentId{}});
       it != unchoked_.end() && it->first.first == host;) {
    it = unchoked_.erase(it);
  }
}

void Checkers::balance(TimePoint now, HostId host, const std::string& what, Bytes a, Bytes b) {
  ++checks_;
  if (a == b) return;
  violation(
      now, host,
      what + ": " + std::to_string(a.count()) + " and " + std::to_string(b.count()) + " bytes");
}

void Checkers::finish(TimePoint now) {
  for (const auto& [key, b] : books_) {
    if (!b.fast) continue;
    for (const auto& [span, asked] : b.asked) {
      ++checks_;
      if (now - asked.at > params_.longest_answer) {
        violation(now, key.first, "no answer to the request for " + text(span));
      }
    }
  }
}

}  // namespace tributary::sim
