#include "engine/core/peer_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/contains.h"

namespace tributary::core {
namespace {

constexpr std::size_t kMaxOwn = 16;  // addresses of ours; a host has a handful

}  // namespace

PeerBook::PeerBook(const PeerBookParams& params) : params_(params) {
  params_.dials_per_second = std::clamp(params_.dials_per_second, 1, 100);
  params_.far_dial_every = std::max(params_.far_dial_every, 2);
}

void PeerBook::add_own(const Endpoint& endpoint) {
  if (is_own(endpoint) || own_.size() == kMaxOwn) return;
  own_.push_back(endpoint);
  std::erase_if(entries_,
                [&](const Entry& e) { return e.endpoint == endpoint && e.state == State::kIdle; });
  update_deadline();
}

void PeerBook::rank_by(const Locality& locality) {
  locality_ = &locality;
  for (Entry& entry : entries_) entry.rank = locality.rank(entry.endpoint);
}

std::size_t PeerBook::add(std::span<const Endpoint> answer, PeerSource source) {
  ++answers_;
  std::size_t fresh = 0;
  std::uint32_t position = 0;
  for (const Endpoint& endpoint : answer) {
    if (position == params_.max_peers) break;
    if (add_one(endpoint, source, position++)) ++fresh;
  }
  update_deadline();
  return fresh;
}

bool PeerBook::add_one(const Endpoint& endpoint, PeerSource source, std::uint32_t position) {
  if (!is_dialable(endpoint)) return false;
  if (is_own(endpoint)) return false;
  if (Entry* known = find(endpoint)) {
    known->forgotten = false;
    if (!may_lie(source)) known->said_complete = false;
    if (known->answer == answers_) return false;
    known->answer = answers_;
    known->position = position;
    return false;
  }
  if (entries_.size() >= params_.max_peers && !make_room(source)) return false;
  Entry entry;
  entry.endpoint = endpoint;
  entry.source = source;
  entry.answer = answers_;
  entry.position = position;
  if (locality_ != nullptr) entry.rank = locality_->rank(endpoint);
  entries_.push_back(entry);
  return true;
}

// An answer never pushes out its own addresses, so that one answer cannot churn through itself.
bool PeerBook::make_room(PeerSource source) {
  auto last = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->state != State::kIdle || it->answer == answers_) continue;
    if (may_lie(source) && it->source < source) continue;
    if (last == entries_.end() ||
        std::tuple(last->source, key(*last)) < std::tuple(it->source, key(*it)))
      last = it;
  }
  if (last == entries_.end()) return false;
  entries_.erase(last);
  return true;
}

std::optional<Endpoint> PeerBook::next_dial(TimePoint now, const BanList& bans) {
  if (now < deadline_) return std::nullopt;
  const bool near_first = (dials_ + 1) % params_.far_dial_every != 0;
  Entry* best = nullptr;
  for (Entry& entry : entries_) {
    if (entry.state != State::kIdle || due(entry) > now) continue;
    if (const auto until = bans.banned_until(entry.endpoint.address, now)) {
      entry.next_try = *until;
      continue;
    }
    if (!best || key(entry, near_first) < key(*best, near_first)) best = &entry;
  }
  if (best) begin_dial(*best, now);
  const std::optional<Endpoint> found = best ? std::optional(best->endpoint) : std::nullopt;
  update_deadline();
  return found;
}

void PeerBook::seek(Seek wanted) {
  if (std::exchange(seek_, wanted) != wanted) update_deadline();
}

void PeerBook::space_dials(Duration apart) {
  if (std::exchange(apart_, apart) != apart) update_deadline();
}

TimePoint PeerBook::due(const Entry& entry) const {
  if (seek_ == Seek::kAnybody) return entry.next_try;
  if (seek_ == Seek::kNeighbours) return std::max(entry.next_try, entry.left_until);
  return entry.said_complete ? kNever : std::max(entry.next_try, entry.complete_until);
}

void PeerBook::begin_dial(Entry& entry, TimePoint now) {
  entry.state = State::kDialing;
  entry.tried = true;
  ++dials_;
  ++half_open_;
  if (last_dials_.size() == static_cast<std::size_t>(params_.dials_per_second)) {
    last_dials_.erase(last_dials_.begin());
  }
  last_dials_.push_back(now);
}

bool PeerBook::dial_now(const Endpoint& remote, PeerSource source, TimePoint now,
                        const BanList& bans) {
  if (is_own(remote) || bans.is_banned(remote, now)) return false;
  if (half_open_ >= params_.half_open || connected_ + half_open_ >= params_.soft_limit) {
    return false;
  }
  add({&remote, 1}, source);
  Entry* entry = find(remote);
  if (entry == nullptr || entry->state != State::kIdle) return false;
  begin_dial(*entry, now);
  update_deadline();
  return true;
}

bool PeerBook::is_own(const Endpoint& endpoint) const { return contains(own_, endpoint); }

void PeerBook::forget_all_but(std::span<const Endpoint> answer) {
  for (Entry& entry : entries_) {
    entry.forgotten = entry.source != PeerSource::kUser &&
                      std::find(answer.begin(), answer.end(), entry.endpoint) == answer.end();
  }
  std::erase_if(entries_, [](const Entry& e) { return e.forgotten && e.state == State::kIdle; });
  update_deadline();
}

bool PeerBook::keeps(const Endpoint& endpoint) const {
  const Entry* entry = find(endpoint);
  return entry != nullptr && !entry->forgotten;
}

void PeerBook::learn(const Endpoint& endpoint, const DialHints& hints) {
  Entry* entry = find(endpoint);
  if (entry == nullptr || entry->failures > 0) return;
  entry->hints.utp |= hints.utp;
  entry->hints.prefers_encryption |= hints.prefers_encryption;
}

void PeerBook::hear_complete(const Endpoint& endpoint, bool complete) {
  Entry* entry = find(endpoint);
  if (entry == nullptr || std::exchange(entry->said_complete, complete) == complete) return;
  update_deadline();
}

DialHints PeerBook::hints_of(const Endpoint& endpoint) const {
  const Entry* entry = find(endpoint);
  return entry != nullptr ? entry->hints : DialHints();
}

void PeerBook::on_connected(const Endpoint& remote, Duration round_trip) {
  Entry* entry = find(remote);
  if (!entry || entry->state != State::kDialing) return;
  entry->state = State::kConnected;
  if (locality_ != nullptr) entry->round_trip = round_trip;
  --half_open_;
  ++connected_;
  update_deadline();
}

void PeerBook::on_failed(const Endpoint& remote, TimePoint now) {
  Entry* entry = find(remote);
  if (!entry || entry->state != State::kDialing) return;
  --half_open_;
  entry->hints = {};
  settle(*entry, Outcome::kUseless, now);
  update_deadline();
}

bool PeerBook::on_incoming(const Endpoint& remote, TimePoint now, const BanList& bans) {
  if (bans.is_banned(remote, now) || connected_ >= params_.hard_limit) return false;
  incoming_.push_back({remote, std::nullopt});
  ++connected_;
  update_deadline();
  return true;
}

void PeerBook::on_listen_port(const Endpoint& remote, std::uint16_t port) {
  const auto it = std::find_if(incoming_.begin(), incoming_.end(),
                               [&](const Incoming& i) { return i.remote == remote; });
  if (it == incoming_.end() || it->listening) return;
  Endpoint listening = remote;
  listening.port = port;
  add(std::span(&listening, 1), PeerSource::kIncoming);
  Entry* entry = find(listening);
  if (!entry || entry->state != State::kIdle) return;  // not dialable, or connected both ways
  entry->state = State::kConnected;
  it->listening = listening;
  update_deadline();
}

void PeerBook::on_closed(const Endpoint& remote, Outcome outcome, TimePoint now) {
  const auto it = std::find_if(incoming_.begin(), incoming_.end(),
                               [&](const Incoming& i) { return i.remote == remote; });
  Entry* entry = nullptr;
  if (it != incoming_.end()) {
    if (it->listening) entry = find(*it->listening);
    incoming_.erase(it);
    --connected_;
  } else if (entry = find(remote); entry && entry->state == State::kConnected) {
    --connected_;
  } else {
    return;
  }
  if (entry) settle(*entry, outcome, now);
  update_deadline();
}

// By which addresses are dialled, the smallest first.
PeerBook::Key PeerBook::key(const Entry& e, bool near_first) {
  return {e.tried,
          e.failures,
          is_hearsay(e.source),
          near_first ? e.rank.nearness : Nearness::kElsewhere,
          near_first ? e.round_trip : Duration{},
          e.rank.distance,
          ~e.answer,
          e.position};
}

PeerSource PeerBook::source_of(const Endpoint& endpoint) const {
  const Entry* entry = find(endpoint);
  return entry ? entry->source : PeerSource::kIncoming;
}

const PeerBook::Entry* PeerBook::find(const Endpoint& endpoint) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& e) { return e.endpoint == endpoint; });
  return it == entries_.end() ? nullptr : &*it;
}

PeerBook::Entry* PeerBook::find(const Endpoint& endpoint) {
  return const_cast<Entry*>(std::as_const(*this).find(endpoint));
}

// Back to idle after a dial or a connection.
void PeerBook::settle(Entry& entry, Outcome outcome, TimePoint now) {
  entry.state = State::kIdle;
  entry.tried = true;
  if (entry.forgotten) return drop(entry);
  const bool left = outcome == Outcome::kLeftComplete;
  const bool complete = left || outcome == Outcome::kBothComplete;
  entry.complete_until = complete ? now + params_.complete_for : now;
  entry.left_until = left ? now + params_.complete_for : now;
  if (outcome != Outcome::kUseless) {
    entry.failures = 0;
    entry.next_try = now + params_.reconnect_after;
    return;
  }
  Duration wait = params_.first_backoff;
  for (int n = 0; n < entry.failures && wait < params_.max_backoff; ++n) wait *= 2;
  entry.next_try = now + std::min(wait, params_.max_backoff);
  const int most = seek_ == Seek::kAnybody ? params_.max_failures : params_.max_failures_complete;
  if (++entry.failures >= most || is_own(entry.endpoint)) drop(entry);
}

void PeerBook::drop(const Entry& entry) {
  entries_.erase(entries_.begin() + (&entry - entries_.data()));
}

// When a dial more keeps to dials_per_second and to what they are to be apart.
TimePoint PeerBook::token_at() const {
  TimePoint at{};
  if (apart_ > Duration::zero() && !last_dials_.empty()) at = last_dials_.back() + apart_;
  const bool spent = last_dials_.size() == static_cast<std::size_t>(params_.dials_per_second);
  return spent ? std::max(at, last_dials_.front() + 1s) : at;
}

void PeerBook::update_deadline() {
  TRIBUTARY_DCHECK(half_open_ >= 0 && connected_ >= 0);
  deadline_ = kNever;
  if (half_open_ >= params_.half_open || connected_ + half_open_ >= params_.soft_limit) return;
  for (const Entry& entry : entries_) {
    if (entry.state == State::kIdle) deadline_ = std::min(deadline_, due(entry));
  }
  if (deadline_ != kNever) deadline_ = std::max(deadline_, token_at());
}

}  // namespace tributary::core
