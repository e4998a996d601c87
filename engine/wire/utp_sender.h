// The sending half of a uTP connection: what was written, cut into packets, which of them are under
// way, which have come and which are lost. How much may be under way is decided elsewhere.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/base/units.h"
#include "engine/wire/utp_packet.h"

namespace tributary::wire {

// Packets sent and not acknowledged. Those that exist hold 1,024 packets that come before one that
// is missing; a selective acknowledgement is to reach all of them.
inline constexpr std::size_t kMaxUtpInFlight = 1000;
// A packet is lost when one was acknowledged that was sent so many packets after it (BEP 29; RFC
// 5681's three duplicate acknowledgements). Packets overtake each other by less.
inline constexpr std::uint64_t kLossThreshold = 3;

// One packet's worth of what was written.
struct UtpSegment {
  OctetBuffer datagram;  // room for the header, then payload
  bool fin = false;
  // Of its last transmission; meaningless before the first.
  TimePoint sent_at{};
  std::uint64_t order = 0;  // counts transmissions of the connection
  int transmissions = 0;
  bool acked = false;
  bool lost = false;

  Bytes payload() const { return Bytes(std::ssize(datagram)) - Bytes(kUtpHeaderSize); }
};

// What an acknowledgement told.
struct UtpAckOutcome {
  Bytes acked;                  // bytes of payload that were not known to have come
  bool progress = false;        // a packet was not known to have come
  bool lost = false;            // a packet was lost that was sent since the last time it said so
  std::optional<Duration> rtt;  // since the newest of them was sent, if it was sent once
};

// Tracks: the segments in order, those sent and not acknowledged first, then those not sent yet.
// Invariants: the first segment is not acknowledged; in_flight() is the payload of those sent,
// neither acknowledged nor lost; lost ones go out again before new ones.
class UtpSender {
 public:
  // REQUIRES: segment > 0.
  UtpSender(UtpSeq first, Bytes segment) : first_(first), segment_(segment) {}

  // Takes all of it, copied. Small writes share a packet as long as it is not sent.
  // REQUIRES: !finished().
  void write(Octets bytes);
  // The end of the stream, behind what was written.
  void finish();
  bool finished() const { return finished_; }
  // All, the end included, has come.
  bool done() const { return finished_ && segments_.empty(); }

  // Payload that was written and not sent once.
  Bytes unsent() const { return unsent_bytes_; }
  Bytes in_flight() const { return in_flight_; }
  // Something was sent that is not acknowledged.
  bool outstanding() const { return sent_ > 0; }
  // Something is to be sent, for the first time or again.
  bool has_work() const { return lost_ > 0 || sent_ < segments_.size(); }
  // The next packet's payload. REQUIRES: has_work().
  Bytes next_size() const { return segments_[next_index()].payload(); }

  // Counts the next packet as sent; null when too many packets are under way. The pointer is valid
  // until the next call. `seq` is set to its number. REQUIRES: has_work().
  UtpSegment* send_next(TimePoint now, UtpSeq& seq);

  // Whether the number can be acknowledged: it, or one before the first that is not, was sent.
  bool plausible(UtpSeq ack) const;
  // A later packet has said more already.
  bool outdated(UtpSeq ack) const { return ack - first_ < -1; }
  // `repeats`: the packet had nothing else to say. REQUIRES: plausible(ack).
  UtpAckOutcome on_ack(UtpSeq ack, Octets selective_ack, bool repeats, TimePoint now);
  // Nothing has come for too long: what is under way is lost.
  void on_timeout();

  // The number that the next new packet gets.
  UtpSeq next_seq() const { return first_ + static_cast<int>(sent_); }

 private:
  std::size_t next_index() const;
  void acknowledge(UtpSegment& segment, UtpAckOutcome& outcome, TimePoint now);
  void mark_lost(UtpSegment& segment, UtpAckOutcome& outcome);
  void find_losses(std::size_t acked_end, UtpAckOutcome& outcome);
  void on_repeated_ack(UtpAckOutcome& outcome);
  OctetBuffer take_buffer();
  void recycle(OctetBuffer buffer);

  UtpSeq first_;  // of segments_.front()
  Bytes segment_;
  std::deque<UtpSegment> segments_;
  std::size_t sent_ = 0;  // of segments_, from the front
  std::size_t lost_ = 0;  // of these
  Bytes in_flight_;
  Bytes unsent_bytes_;
  bool finished_ = false;
  std::uint64_t transmissions_ = 0;
  std::uint64_t newest_acked_ = 0;  // by order
  std::uint64_t told_until_ = 0;    // losses of packets up to this order were told
  int repeated_acks_ = 0;
  std::vector<OctetBuffer> spare_;
};

}  // namespace tributary::wire
