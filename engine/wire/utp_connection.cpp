#include "engine/wire/utp_connection.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

// Of either direction's least delay; more than that in one step is another route, not a drift of
// the clocks (the value of the clients that exist).
constexpr Duration kMaxDrift = 10ms;
// Of the peer's RESET: how far its word on our numbers may lag behind.
constexpr int kResetLag = static_cast<int>(kMaxUtpInFlight);

std::uint32_t timestamp(TimePoint now) {
  return static_cast<std::uint32_t>(now.time_since_epoch().count());
}

Bytes payload_of(const UtpParams& params) { return params.datagram - Bytes(kUtpHeaderSize); }

}  // namespace

UtpConnection::UtpConnection(const UtpParams& params, UtpConnectionId receive, UtpConnectionId send,
                             UtpSeq first, UtpSeq last, TimePoint now)
    : params_(params),
      receive_id_(receive),
      send_id_(send),
      sender_(first, payload_of(params)),
      receiver_(last),
      congestion_(payload_of(params), params.target),
      waiting_since_(now),
      last_sent_(now),
      data_sent_at_(now) {}

UtpConnection UtpConnection::dial(UtpConnectionId id, UtpSeq first, const UtpParams& params,
                                  TimePoint now) {
  const UtpConnectionId above(static_cast<std::uint16_t>(id.value() + 1));
  UtpConnection connection(params, id, above, first + 1, UtpSeq(), now);
  connection.syn_seq_ = first;
  return connection;
}

UtpConnection UtpConnection::answer(const UtpPacket& syn, UtpSeq first, const UtpParams& params,
                                    TimePoint now) {
  TRIBUTARY_CHECK(syn.header.type == UtpType::kSyn);
  const UtpConnectionId theirs = syn.header.connection;
  const UtpConnectionId above(static_cast<std::uint16_t>(theirs.value() + 1));
  UtpConnection connection(params, above, theirs, first, syn.header.seq, now);
  connection.state_ = State::kAnswered;
  connection.handle(syn, now);
  return connection;
}

// --- What comes

void UtpConnection::handle(const UtpPacket& packet, TimePoint now) {
  const UtpHeader& header = packet.header;
  if (state_ == State::kEnded) return;
  if (header.type == UtpType::kReset) return on_reset(header);
  if (header.type == UtpType::kSyn) return on_syn(header, now);
  if (header.connection != receive_id_) return;
  if (state_ != State::kOpen && !open_with(header, now)) return;
  if (!sender_.plausible(header.ack)) return;
  ++stats_.packets_received;
  silence_ = 0;
  on_delays(header, now);
  on_ack(packet, now);
  const bool fin = header.type == UtpType::kFin;
  if (fin || header.type == UtpType::kData) {
    receiver_.on_packet(header.seq, fin ? Octets() : packet.payload, fin, now);
  }
  if (sender_.done()) end_with(UtpEnd::kFinished);
}

// The first, or one that is repeated because our answer was lost.
void UtpConnection::on_syn(const UtpHeader& header, TimePoint now) {
  if (state_ == State::kDialling || header.connection != send_id_) return;
  ++stats_.packets_received;
  on_delays(header, now);
  receiver_.ack_now(now);
}

// Both proofs are the number that only who got our packet can know.
bool UtpConnection::open_with(const UtpHeader& header, TimePoint now) {
  if (state_ == State::kDialling) {
    if (header.type != UtpType::kState || syns_ == 0 || header.ack != syn_seq_) return false;
    receiver_ = UtpReceiver(header.seq + -1);
    if (syns_ == 1) round_trip_.add(now - waiting_since_);
  } else if (header.ack != sender_.next_seq() + -1) {
    return false;
  }
  state_ = State::kOpen;
  backoff_ = 0;
  waiting_since_ = now;
  receiver_.ack_now(now);  // the peer waits for the proof, if nothing is written
  return true;
}

// Anybody may send one under the peer's address: it must know our numbers.
void UtpConnection::on_reset(const UtpHeader& header) {
  if (header.connection != receive_id_ && header.connection != send_id_) return;
  const UtpSeq newest = state_ == State::kDialling ? syn_seq_ : sender_.next_seq() + -1;
  const int behind = newest - header.ack;
  if (behind < 0 || behind > kResetLag) return;
  end_with(UtpEnd::kReset);
}

void UtpConnection::on_delays(const UtpHeader& header, TimePoint now) {
  if (header.timestamp != 0) {
    their_delay_ = timestamp(now) - header.timestamp;
    const bool first = their_delays_.empty();
    const Duration before = their_delays_.base();
    their_delays_.add(their_delay_, now);
    const Duration drift = before - their_delays_.base();
    // Their way cannot get shorter without end: our clock runs slower than theirs, so that our way
    // seems to get longer.
    if (!first && drift > Duration::zero() && drift <= kMaxDrift) delays_.shift(drift);
  }
  if (header.difference != 0) delays_.add(header.difference, now);
}

void UtpConnection::on_ack(const UtpPacket& packet, TimePoint now) {
  const UtpHeader& header = packet.header;
  const bool repeats = header.type == UtpType::kState && Bytes(header.window) == peer_window_;
  if (!sender_.outdated(header.ack)) peer_window_ = Bytes(header.window);
  const UtpAckOutcome outcome = sender_.on_ack(header.ack, packet.selective_ack, repeats, now);
  if (outcome.rtt) {
    round_trip_.add(*outcome.rtt);
    last_round_trip_ = *outcome.rtt;
  }
  if (outcome.progress) {
    waiting_since_ = now;
    backoff_ = 0;
  }
  if (outcome.lost) {
    ++stats_.losses;
    return congestion_.on_loss(now);
  }
  if (outcome.acked == 0_B) return;
  std::optional<Duration> queuing;
  if (!delays_.empty()) queuing = std::min(delays_.queuing(), last_round_trip_);
  congestion_.on_ack({outcome.acked, queuing, round_trip_.mean(), limited_}, now);
}

void UtpConnection::end_with(UtpEnd end) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  end_ = end;
}

// --- What is to be sent

bool UtpConnection::writable() const {
  const bool may = state_ == State::kOpen || state_ == State::kDialling;
  return may && !sender_.finished() && sender_.unsent() < params_.max_unsent;
}

std::size_t UtpConnection::write(Octets bytes) {
  if (!writable()) return 0;
  const auto room = static_cast<std::size_t>((params_.max_unsent - sender_.unsent()).count());
  const std::size_t taken = std::min(room, bytes.size());
  sender_.write(bytes.first(taken));
  return taken;
}

void UtpConnection::finish(TimePoint now) {
  if (state_ == State::kEnded) return;
  if (state_ != State::kOpen) return abort();
  sender_.finish();
  receiver_.discard(now);
}

void UtpConnection::abort() {
  if (state_ == State::kEnded) return;
  reset_due_ = state_ == State::kOpen;
  end_with(UtpEnd::kReset);
}

bool UtpConnection::give_up() {
  if (state_ != State::kDialling) return false;
  end_with(UtpEnd::kTimedOut);
  return true;
}

Octets UtpConnection::poll(TimePoint now) {
  expire(now);
  if (state_ == State::kEnded) return poll_last(now);
  if (const auto syn = poll_syn(now)) return *syn;
  if (const auto data = poll_data(now)) return *data;
  if (const auto ack = poll_ack(now)) return *ack;
  return {};
}

// What the peer is told after the end.
Octets UtpConnection::poll_last(TimePoint now) {
  if (std::exchange(reset_due_, false)) {
    return control(header(UtpType::kReset, sender_.next_seq(), now), {}, now);
  }
  if (end_ != UtpEnd::kFinished || receiver_.ack_due() == kNever) return {};
  return control(header(UtpType::kState, sender_.next_seq(), now), {}, now);
}

std::optional<Octets> UtpConnection::poll_syn(TimePoint now) {
  if (state_ != State::kDialling || syns_ > silence_) return std::nullopt;
  ++syns_;
  waiting_since_ = now;
  return control(header(UtpType::kSyn, syn_seq_, now), {}, now);
}

std::optional<Octets> UtpConnection::poll_data(TimePoint now) {
  if (!sender_.has_work()) limited_ = false;
  if (state_ != State::kOpen || !sender_.has_work()) return std::nullopt;
  const bool idle = !sender_.outstanding();
  if (!may_send()) {
    if (idle && !std::exchange(stalled_, true)) waiting_since_ = now;
    return std::nullopt;
  }
  if (idle) congestion_.on_idle(now - data_sent_at_, timeout());
  UtpSeq seq;
  UtpSegment* segment = sender_.send_next(now, seq);
  if (segment == nullptr) return std::nullopt;
  if (idle) waiting_since_ = now;
  stalled_ = probe_ = false;
  if (segment->transmissions > 1) ++stats_.retransmissions;
  const UtpType type = segment->fin ? UtpType::kFin : UtpType::kData;
  write_utp_header(header(type, seq, now), segment->datagram);
  receiver_.on_ack_sent();
  data_sent_at_ = last_sent_ = now;
  ++stats_.packets_sent;
  return Octets(segment->datagram);
}

// One packet may always be under way; where the peer has no room, after a time-out only.
bool UtpConnection::may_send() {
  const Bytes after = sender_.in_flight() + sender_.next_size();
  limited_ = after > congestion_.size();
  const bool alone = sender_.in_flight() == 0_B;
  if (limited_ && !alone) return false;
  return after <= peer_window_ || (alone && probe_);
}

std::optional<Octets> UtpConnection::poll_ack(TimePoint now) {
  const bool keep_alive = state_ == State::kOpen && now >= last_sent_ + params_.keep_alive;
  if (receiver_.ack_due() > now && !keep_alive) return std::nullopt;
  const OctetBuffer early = receiver_.selective_ack();
  return control(header(UtpType::kState, sender_.next_seq(), now), early, now);
}

UtpHeader UtpConnection::header(UtpType type, UtpSeq seq, TimePoint now) const {
  const auto window = static_cast<std::uint32_t>(receiver_.window().count());
  const UtpConnectionId to = type == UtpType::kSyn ? receive_id_ : send_id_;
  return {type, to, timestamp(now), their_delay_, window, seq, receiver_.last()};
}

Octets UtpConnection::control(const UtpHeader& header, Octets selective_ack, TimePoint now) {
  control_ = encode_utp(header, selective_ack);
  receiver_.on_ack_sent();
  last_sent_ = now;
  ++stats_.packets_sent;
  return control_;
}

// --- Time

Duration UtpConnection::timeout() const {
  Duration base = params_.first_timeout;
  if (round_trip_.measured()) {
    base = std::max(round_trip_.mean() + 4 * round_trip_.deviation(), params_.min_timeout);
  }
  return std::min(base * (1 << backoff_), params_.max_timeout);
}

TimePoint UtpConnection::timeout_at() const {
  switch (state_) {
    case State::kDialling:
      return waiting_since_ + timeout();
    case State::kAnswered:
      return waiting_since_ + params_.answer_timeout;
    case State::kOpen:
      return sender_.outstanding() || stalled_ ? waiting_since_ + timeout() : kNever;
    case State::kEnded:
      break;
  }
  return kNever;
}

TimePoint UtpConnection::next_deadline() const {
  if (state_ == State::kEnded) return kNever;
  const TimePoint keep_alive =
      state_ == State::kOpen ? last_sent_ + params_.keep_alive : TimePoint(kNever);
  return std::min({timeout_at(), receiver_.ack_due(), keep_alive});
}

void UtpConnection::expire(TimePoint now) {
  if (now >= timeout_at()) on_timeout(now);
}

void UtpConnection::on_timeout(TimePoint now) {
  const bool dialling = state_ == State::kDialling;
  if (dialling && syns_ == 0) return;
  ++stats_.timeouts;
  ++silence_;
  backoff_ = std::min(backoff_ + 1, params_.max_timeouts + 1);
  waiting_since_ = now;
  const bool no_room = peer_window_ < payload_of(params_);
  const bool nothing_passes = backoff_ > params_.max_timeouts && !no_room;
  if (state_ == State::kAnswered ||
      silence_ >= (dialling ? params_.max_syns : params_.max_timeouts) || nothing_passes) {
    return end_with(UtpEnd::kTimedOut);
  }
  if (dialling) return;
  probe_ = true;
  if (!sender_.outstanding()) return;
  sender_.on_timeout();
  if (!no_room) congestion_.on_timeout();
}

}  // namespace tributary::wire
