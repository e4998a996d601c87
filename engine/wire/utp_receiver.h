// The receiving half of a uTP connection: puts packets in order, and says when and what to
// acknowledge.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "engine/base/units.h"
#include "engine/wire/utp_packet.h"

namespace tributary::wire {

// Bytes that wait to be read, and as many that wait for packets that are missing: what a stranger
// can have us hold for each connection. Over 50 ms it carries 84 Mbit/s.
inline constexpr Bytes kUtpReceiveBuffer = 512_KiB;
// Packets beyond the first that is missing; as far as a selective acknowledgement reaches.
inline constexpr int kUtpReorderLimit = static_cast<int>(kMaxSelectiveAck) * 8;
// Every second packet is acknowledged at once (RFC 5681), a single one after this (QUIC's
// max_ack_delay, RFC 9000): what is asked and answered seldom waits for it.
inline constexpr int kUtpAckEvery = 2;
inline constexpr Duration kUtpAckDelay = 25ms;

// Tracks: bytes in order that were not read; packets that came early; what is to be acknowledged by
// when. Invariants: of either kind of bytes it holds at most kUtpReceiveBuffer, and a packet's more
// where a gap was filled; early_.size() <= kUtpReorderLimit.
class UtpReceiver {
 public:
  // `last` is the number before the first that is to come.
  explicit UtpReceiver(UtpSeq last) : last_(last) {}

  // A packet of data or, without payload, the end of the stream. What does not fit or lies too far
  // ahead is dropped: it will come again.
  void on_packet(UtpSeq seq, Octets payload, bool fin, TimePoint now);

  // What came in order.
  Octets readable() const { return Octets(inbox_).subspan(read_); }
  // REQUIRES: size <= readable().size().
  void consume(std::size_t size, TimePoint now);
  // Nobody reads any more: what comes is acknowledged and dropped.
  void discard(TimePoint now);
  // The end of the stream has come, and all before it.
  bool ended() const { return end_ == last_; }

  // For the next packet's header.
  UtpSeq last() const { return last_; }
  Bytes window() const;  // for what comes in order
  // Which early packets have come; empty where there are none. A multiple of 4 bytes.
  OctetBuffer selective_ack() const;

  // An acknowledgement is due then; kNever: none.
  TimePoint ack_due() const { return ack_due_; }
  void ack_now(TimePoint now) { ack_due_ = now; }
  void on_ack_sent();

 private:
  struct Early {
    bool present = false;
    bool fin = false;
    OctetBuffer payload;
  };

  void hold(int ahead, Octets payload, bool fin);
  void deliver(Octets payload, bool fin);
  void advance();

  UtpSeq last_;  // all up to it have come
  OctetBuffer inbox_;
  std::size_t read_ = 0;     // bytes of it that were consumed
  std::deque<Early> early_;  // the first stands for last_ + 2
  Bytes early_bytes_;
  std::optional<UtpSeq> end_;  // the end's number, once it has come in order
  bool discarding_ = false;
  int unacknowledged_ = 0;
  TimePoint ack_due_ = kNever;
  Bytes told_window_ = kUtpReceiveBuffer;
};

}  // namespace tributary::wire
