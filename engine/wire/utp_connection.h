// One uTP connection (BEP 29): a byte stream in each direction over packets that may be lost,
// doubled or out of order, which gives way to other traffic (ledbat.h). A machine without sockets
// and clocks: feed packets and bytes, send what poll() gives, call it again at next_deadline().
//
// Beyond BEP 29, as the clients that exist have it: the answer to a SYN takes no sequence number;
// a packet without payload carries the number that the next one with payload will have.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/units.h"
#include "engine/core/estimator.h"
#include "engine/wire/ledbat.h"
#include "engine/wire/utp_packet.h"
#include "engine/wire/utp_receiver.h"
#include "engine/wire/utp_sender.h"

namespace tributary::wire {

// Bytes of a datagram, header included. The path's limit is not searched for. IPv4: packets of
// 1,400 bytes pass PPPoE, GRE, WireGuard and mobile networks unfragmented; IPv6: 1,280, which every
// path carries.
inline constexpr Bytes kUtpDatagramV4{1400 - 20 - 8};
inline constexpr Bytes kUtpDatagramV6{1280 - 40 - 8};

struct UtpParams {
  Bytes datagram = kUtpDatagramV4;
  Duration target = kLedbatTarget;
  // Without an answer to a SYN; doubled with each (RFC 6298's first time-out).
  Duration first_timeout = 1s;
  // BEP 29. Less would take a delayed acknowledgement or a queue that grows for a loss.
  Duration min_timeout = 500ms;
  Duration max_timeout = 15s;
  // Time-outs in a row, without a packet of the peer's between them, after which it is gone: 30 s.
  int max_timeouts = 6;
  int max_syns = 3;  // 7 s
  // From our answer to a SYN until its sender proves that it got it: time for a SYN that it
  // repeats.
  Duration answer_timeout = 5s;
  // Without a packet of ours; a NAT forgets a UDP mapping after 30 s (RFC 4787 found such ones).
  Duration keep_alive = 25s;
  // Written and not sent: write() takes no more beyond it. What waits here cannot be cancelled.
  Bytes max_unsent = 64_KiB;
};

// How a connection ended.
enum class UtpEnd : std::uint8_t {
  kFinished,  // by us, and the peer knows
  kReset,     // by the peer, or by abort()
  kTimedOut,  // the peer is gone, or never was there
};

struct UtpStats {
  std::int64_t packets_sent = 0;
  std::int64_t packets_received = 0;
  std::int64_t retransmissions = 0;
  std::int64_t losses = 0;  // times that the window was halved
  std::int64_t timeouts = 0;
};

// Tracks: the state; the two halves; round trips, delays and the congestion window; what the peer
// has room for; when something was last heard and sent.
// Invariants: nothing is sent before the peer answered, except SYN and its acknowledgement, each at
// most once for each SYN; once ended, poll() gives one packet at most: a RESET, or the last word.
class UtpConnection {
 public:
  enum class State : std::uint8_t {
    kDialling,  // our SYN is not answered
    kAnswered,  // their SYN is answered; whether they are where they say is not known
    kOpen,
    kEnded,
  };

  // `id` is what the peer's packets will be addressed to; ours go to the one above it. `first`
  // should be hard to guess.
  static UtpConnection dial(UtpConnectionId id, UtpSeq first, const UtpParams& params,
                            TimePoint now);
  // REQUIRES: syn.header.type is kSyn.
  static UtpConnection answer(const UtpPacket& syn, UtpSeq first, const UtpParams& params,
                              TimePoint now);

  // A packet from the peer's address, to id() (a RESET to either id). What makes no sense is
  // ignored.
  void handle(const UtpPacket& packet, TimePoint now);

  // Takes as much as there is room for and returns how much that was.
  std::size_t write(Octets bytes);
  bool writable() const;
  // What came in order; valid until the next call that is not const.
  Octets readable() const { return receiver_.readable(); }
  // REQUIRES: size <= readable().size().
  void consume(std::size_t size, TimePoint now) { receiver_.consume(size, now); }
  // The peer sends no more, and all it sent was received.
  bool at_end() const { return receiver_.ended(); }
  // We send no more than what was written, and read nothing more. Ends by itself.
  void finish(TimePoint now);
  // Ends now, and tells the peer.
  void abort();
  // Nobody is where we dial: ends as if it had been tried for long enough. False, and nothing has
  // changed, when somebody has answered.
  bool give_up();

  // The next datagram to send; empty when there is none now. Valid until the next call.
  Octets poll(TimePoint now);
  // When to poll again, if nothing else happens; kNever once ended.
  TimePoint next_deadline() const;

  State state() const { return state_; }
  // REQUIRES: state() == kEnded.
  UtpEnd end() const { return end_; }
  UtpConnectionId id() const { return receive_id_; }
  UtpConnectionId peer_id() const { return send_id_; }
  const UtpStats& stats() const { return stats_; }
  Bytes window() const { return congestion_.size(); }
  Duration queuing_delay() const { return delays_.queuing(); }
  Duration round_trip() const { return round_trip_.mean(); }

 private:
  UtpConnection(const UtpParams& params, UtpConnectionId receive, UtpConnectionId send,
                UtpSeq first, UtpSeq last, TimePoint now);

  void on_syn(const UtpHeader& header, TimePoint now);
  bool open_with(const UtpHeader& header, TimePoint now);
  void on_reset(const UtpHeader& header);
  void on_delays(const UtpHeader& header, TimePoint now);
  void on_ack(const UtpPacket& packet, TimePoint now);
  void expire(TimePoint now);
  void on_timeout(TimePoint now);
  void end_with(UtpEnd end);

  Octets poll_last(TimePoint now);
  std::optional<Octets> poll_syn(TimePoint now);
  std::optional<Octets> poll_data(TimePoint now);
  std::optional<Octets> poll_ack(TimePoint now);
  UtpHeader header(UtpType type, UtpSeq seq, TimePoint now) const;
  Octets control(const UtpHeader& header, Octets selective_ack, TimePoint now);
  bool may_send();
  Duration timeout() const;
  TimePoint timeout_at() const;

  UtpParams params_;
  State state_ = State::kDialling;
  UtpEnd end_ = UtpEnd::kFinished;
  UtpConnectionId receive_id_;
  UtpConnectionId send_id_;
  UtpSeq syn_seq_;  // dialling: of our SYN
  UtpSender sender_;
  UtpReceiver receiver_;
  LedbatWindow congestion_;
  DelayHistory delays_;        // of what we send, as the peer tells
  DelayHistory their_delays_;  // of what it sends
  core::SmoothedDuration round_trip_;
  Duration last_round_trip_ = Duration::max();  // no packet queues for longer
  std::uint32_t their_delay_ = 0;               // what we tell the peer
  Bytes peer_window_;
  bool limited_ = false;  // the congestion window holds something back
  bool stalled_ = false;  // nothing is under way, for the peer has no room
  bool probe_ = false;    // one packet may go although the peer has no room
  int backoff_ = 0;       // time-outs since the last progress
  int silence_ = 0;       // time-outs since the peer was heard
  int syns_ = 0;
  TimePoint waiting_since_;  // for an answer, for progress or for room
  TimePoint last_sent_;
  TimePoint data_sent_at_;  // the last time
  bool reset_due_ = false;
  OctetBuffer control_;  // the last packet without payload
  UtpStats stats_;
};

}  // namespace tributary::wire
