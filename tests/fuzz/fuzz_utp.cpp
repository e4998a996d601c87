// Usage: fuzz_utp -max_total_time=20 corpus/ tests/fuzz/corpus/utp
//
// The input as one datagram must come back the same when it is written and read again. As a script
// of packets, times and calls it must leave a connection within its limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/utp_connection.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

using wire::OctetBuffer;
using wire::Octets;
using wire::UtpConnection;

void check_packet(Octets input) {
  const auto packet = wire::decode_utp(input);
  if (!packet) return;
  TRIBUTARY_CHECK(packet->selective_ack.size() <= wire::kMaxSelectiveAck);
  const Octets mask = packet->selective_ack.first(packet->selective_ack.size() / 4 * 4);
  OctetBuffer written = wire::encode_utp(packet->header, mask);
  wire::append(written, packet->payload);
  const auto again = wire::decode_utp(written);
  TRIBUTARY_CHECK(again.ok() && again->header == packet->header);
  TRIBUTARY_CHECK(std::ranges::equal(again->selective_ack, mask));
  TRIBUTARY_CHECK(std::ranges::equal(again->payload, packet->payload));
}

// Reads a script of: one byte that chooses, then what it needs.
class Script {
 public:
  explicit Script(Octets input) : input_(input) {}

  void run() {
    connection_.poll(now_);
    connection_.handle(opening(), now_);
    while (!input_.empty()) {
      step(take(1)[0]);
      drain();
      check();
    }
  }

 private:
  static constexpr wire::UtpSeq kFirst{65'500};

  static wire::UtpPacket opening() {
    return {
        {wire::UtpType::kState, wire::UtpConnectionId(7), 5, 5, 1 << 20, wire::UtpSeq(9), kFirst},
        {},
        {}};
  }
  Octets take(std::size_t n) {
    const Octets out = input_.first(std::min(n, input_.size()));
    input_ = input_.subspan(out.size());
    return out;
  }

  void step(std::uint8_t choice) {
    switch (choice % 8) {
      case 0:
        now_ += Duration(choice) * 997;
        return;
      case 1:
        now_ += Duration(choice) * 100'003;
        return;
      case 2:
        connection_.write(OctetBuffer(std::size_t{choice} * 97, choice));
        return;
      case 3:
        connection_.consume(std::min<std::size_t>(connection_.readable().size(), choice * 50U),
                            now_);
        return;
      case 4:
        if (choice > 250) connection_.finish(now_);
        return;
      default:
        receive(choice);
        return;
    }
  }
  // A packet near the numbers in use, so that most of them mean something.
  void receive(std::uint8_t choice) {
    const Octets fields = take(8);
    if (fields.size() < 8) return;
    wire::UtpPacket packet = opening();
    packet.header.type = static_cast<wire::UtpType>(fields[0] % 5);
    packet.header.timestamp = std::uint32_t{fields[1]} << 12;
    packet.header.difference = std::uint32_t{fields[2]} << 12;
    packet.header.window = std::uint32_t{fields[3]} << 8;
    packet.header.seq = wire::UtpSeq(9) + static_cast<std::int8_t>(fields[4]);
    packet.header.ack = kFirst + static_cast<std::int8_t>(fields[5]);
    packet.selective_ack = take(fields[6] % 32);
    const OctetBuffer payload(std::size_t{fields[7]} * choice, choice);
    packet.payload = payload;
    connection_.handle(packet, now_);
  }

  void drain() {
    for (int sent = 0; !connection_.poll(now_).empty(); ++sent) {
      TRIBUTARY_CHECK(sent < 5000);
    }
  }
  void check() const {
    TRIBUTARY_CHECK(Bytes(std::ssize(connection_.readable())) <= 3 * wire::kUtpReceiveBuffer);
    TRIBUTARY_CHECK(connection_.window() > 0_B);
    TRIBUTARY_CHECK(connection_.queuing_delay() >= Duration::zero());
    const bool ended = connection_.state() == UtpConnection::State::kEnded;
    TRIBUTARY_CHECK(ended == (connection_.next_deadline() == kNever));
  }

  Octets input_;
  TimePoint now_{};
  UtpConnection connection_ =
      UtpConnection::dial(wire::UtpConnectionId(7), kFirst, wire::UtpParams(), TimePoint{});
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets input(data, size);
  check_packet(input);
  Script(input).run();
  return 0;
}
