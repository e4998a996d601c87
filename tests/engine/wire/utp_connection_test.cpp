// One uTP connection, packet by packet.
#include "engine/wire/utp_connection.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/engine/wire/testing.h"

namespace tributary::wire {
namespace {

using State = UtpConnection::State;

constexpr UtpConnectionId kId(500);
constexpr UtpConnectionId kAbove(501);
constexpr UtpSeq kFirst(100);   // of who dials
constexpr UtpSeq kTheirs(700);  // of who answers
constexpr std::uint32_t kRoom = 1 << 20;

TimePoint at(Duration d) { return TimePoint(1s + d); }

std::string name(UtpType type) {
  constexpr const char* kNames[] = {"data", "fin", "state", "reset", "syn"};
  return kNames[static_cast<int>(type)];
}

// "data:101/699" is a packet of data, number 101, that acknowledges 699; "+SACK" and "=payload"
// follow where there are such.
std::string describe(Octets datagram) {
  const auto packet = decode_utp(datagram);
  REQUIRE(packet.ok());
  const UtpHeader& h = packet->header;
  std::string out =
      name(h.type) + ":" + std::to_string(h.seq.value()) + "/" + std::to_string(h.ack.value());
  if (!packet->selective_ack.empty()) out += "+" + std::to_string(packet->selective_ack[0]);
  if (!packet->payload.empty()) out += "=" + std::string(as_text(packet->payload));
  return out;
}

std::string poll(UtpConnection& connection, Duration now) {
  std::string out;
  for (Octets d = connection.poll(at(now)); !d.empty(); d = connection.poll(at(now))) {
    out += (out.empty() ? "" : " ") + describe(d);
  }
  return out;
}

UtpPacket packet(UtpType type, UtpConnectionId id, UtpSeq seq, UtpSeq ack, Octets payload = {}) {
  return {{type, id, 1, 0, kRoom, seq, ack}, {}, payload};
}

UtpConnection dial() { return UtpConnection::dial(kId, kFirst, {}, at(0s)); }

// A dialled connection that is open; its next packet is 101, the peer's 700.
UtpConnection opened() {
  UtpConnection connection = dial();
  CHECK(poll(connection, 0s) == "syn:100/0");
  connection.handle(packet(UtpType::kState, kId, kTheirs, kFirst), at(50ms));
  CHECK(connection.state() == State::kOpen);
  CHECK(poll(connection, 50ms) == "state:101/699");
  return connection;
}

void give(UtpConnection& connection, UtpSeq seq, std::string_view payload, Duration now,
          UtpSeq ack = kFirst) {
  connection.handle(packet(UtpType::kData, kId, seq, ack, as_octets(payload)), at(now));
}

void acknowledge(UtpConnection& connection, UtpSeq ack, Duration now, Octets selective = {}) {
  UtpPacket p = packet(UtpType::kState, kId, kTheirs, ack);
  p.selective_ack = selective;
  connection.handle(p, at(now));
}

TEST_CASE("a dial sends a SYN to its own id, and all else to the id above") {
  UtpConnection connection = dial();
  const auto syn = decode_utp(connection.poll(at(0s)));
  REQUIRE(syn.ok());
  CHECK(syn->header.type == UtpType::kSyn);
  CHECK(syn->header.connection == kId);
  CHECK(syn->header.difference == 0);
  CHECK(syn->header.window == kUtpReceiveBuffer.count());
  CHECK(connection.poll(at(0s)).empty());
  connection.write(as_octets("early"));
  CHECK(connection.poll(at(0s)).empty());
  connection.handle(packet(UtpType::kState, kId, kTheirs, kFirst), at(50ms));
  const auto data = decode_utp(connection.poll(at(50ms)));
  REQUIRE(data.ok());
  CHECK(data->header.connection == kAbove);
  CHECK(data->header.difference != 0);
  CHECK(as_text(data->payload) == "early");
}

TEST_CASE("an answered SYN opens when its sender proves that the answer came") {
  const UtpPacket syn = packet(UtpType::kSyn, kId, kFirst, UtpSeq(0));
  UtpConnection connection = UtpConnection::answer(syn, kTheirs, {}, at(0s));
  CHECK(connection.id() == kAbove);
  CHECK(connection.peer_id() == kId);
  CHECK(poll(connection, 0s) == "state:700/100");
  CHECK(poll(connection, 100ms) == "");
  connection.handle(syn, at(1s));  // our answer was lost
  CHECK(poll(connection, 1s) == "state:700/100");
  connection.handle(packet(UtpType::kData, kAbove, kFirst + 1, UtpSeq(698), as_octets("x")),
                    at(1s));
  CHECK(connection.state() == State::kAnswered);
  connection.handle(packet(UtpType::kData, kAbove, kFirst + 1, UtpSeq(699), as_octets("x")),
                    at(1s));
  CHECK(connection.state() == State::kOpen);
  CHECK(as_text(connection.readable()) == "x");
}

TEST_CASE("a SYN that stays alone is forgotten and makes nobody send more than one answer") {
  const UtpPacket syn = packet(UtpType::kSyn, kId, kFirst, UtpSeq(0));
  UtpConnection connection = UtpConnection::answer(syn, kTheirs, {}, at(0s));
  CHECK(poll(connection, 0s) == "state:700/100");
  CHECK(connection.next_deadline() == at(5s));
  CHECK(poll(connection, 5s) == "");
  CHECK(connection.state() == State::kEnded);
  CHECK(connection.next_deadline() == kNever);
}

TEST_CASE("only the right answer opens a dial") {
  UtpConnection connection = dial();
  connection.handle(packet(UtpType::kState, kId, kTheirs, kFirst), at(0s));  // before the SYN left
  CHECK(connection.state() == State::kDialling);
  CHECK(poll(connection, 0s) == "syn:100/0");
  connection.handle(packet(UtpType::kState, kId, kTheirs, kFirst + 1), at(1ms));
  connection.handle(packet(UtpType::kState, kAbove, kTheirs, kFirst), at(1ms));
  connection.handle(packet(UtpType::kData, kId, kTheirs, kFirst), at(1ms));
  connection.handle(packet(UtpType::kSyn, kId, kTheirs, kFirst), at(1ms));
  CHECK(connection.state() == State::kDialling);
}

TEST_CASE("every second packet is acknowledged at once, a single one a little later") {
  UtpConnection connection = opened();
  give(connection, kTheirs, "a", 60ms);
  CHECK(poll(connection, 60ms) == "");
  CHECK(connection.next_deadline() == at(60ms + kUtpAckDelay));
  give(connection, kTheirs + 1, "b", 61ms);
  CHECK(poll(connection, 61ms) == "state:101/701");
  give(connection, kTheirs + 2, "c", 70ms);
  CHECK(poll(connection, 70ms + kUtpAckDelay) == "state:101/702");
  give(connection, kTheirs + 3, "d", 200ms);
  connection.write(as_octets("reply"));
  CHECK(poll(connection, 201ms) == "data:101/703=reply");
  CHECK(as_text(connection.readable()) == "abcd");
}

TEST_CASE("packets out of order wait, and are acknowledged selectively") {
  UtpConnection connection = opened();
  give(connection, kTheirs + 1, "b", 60ms);
  CHECK(poll(connection, 60ms) == "state:101/699+1");
  give(connection, kTheirs + 3, "d", 60ms);
  CHECK(poll(connection, 60ms) == "state:101/699+5");
  give(connection, kTheirs + 3, "d", 60ms);  // again
  CHECK(poll(connection, 60ms) == "state:101/699+5");
  CHECK(connection.readable().empty());
  give(connection, kTheirs, "a", 60ms);
  CHECK(poll(connection, 60ms) == "state:101/701+1");
  CHECK(as_text(connection.readable()) == "ab");
  give(connection, kTheirs + 2, "c", 60ms);
  CHECK(poll(connection, 60ms) == "state:101/703");
  CHECK(as_text(connection.readable()) == "abcd");
  give(connection, kTheirs + 1, "b", 60ms);  // an old one: its acknowledgement was lost
  CHECK(poll(connection, 60ms) == "state:101/703");
}

TEST_CASE("packets far ahead and those that fit nowhere are dropped") {
  UtpConnection connection = opened();
  give(connection, kTheirs + kUtpReorderLimit + 1, "z", 60ms);
  CHECK(poll(connection, 60ms) == "state:101/699");
  const std::string large(static_cast<std::size_t>(kUtpReceiveBuffer.count()), 'x');
  give(connection, kTheirs + 1, large, 60ms);
  give(connection, kTheirs + 2, "y", 60ms);  // early ones have their share already
  CHECK(poll(connection, 60ms) == "state:101/699+1");
  give(connection, kTheirs, "a", 60ms);
  CHECK(connection.readable().size() == large.size() + 1);
  poll(connection, 60ms);
  give(connection, kTheirs + 2, "y", 60ms);
  const auto full = decode_utp(connection.poll(at(60ms)));
  CHECK(full->header.ack == kTheirs + 1);
  CHECK(full->header.window == 0);
  connection.consume(large.size() + 1, at(70ms));
  const auto open = decode_utp(connection.poll(at(70ms)));  // says so at once
  REQUIRE(open.ok());
  CHECK(open->header.window == kUtpReceiveBuffer.count());
}

// Sends eight packets of one byte after the window has grown to hold them.
UtpConnection with_eight_under_way() {
  UtpConnection connection = opened();
  for (int i = 0; i < 8; ++i) {
    connection.write(as_octets(std::string(1, static_cast<char>('a' + i))));
    CHECK(poll(connection, 60ms) ==
          "data:" + std::to_string(101 + i) + "/699=" + std::string(1, static_cast<char>('a' + i)));
  }
  return connection;
}

TEST_CASE("a packet is sent again when three later ones have come") {
  UtpConnection connection = with_eight_under_way();
  acknowledge(connection, UtpSeq(100), 100ms, OctetBuffer{0x03, 0, 0, 0});
  CHECK(poll(connection, 100ms) == "");
  acknowledge(connection, UtpSeq(100), 100ms, OctetBuffer{0x07, 0, 0, 0});
  CHECK(poll(connection, 100ms) == "data:101/699=a");
  CHECK(connection.stats().losses == 1);
  acknowledge(connection, UtpSeq(100), 101ms, OctetBuffer{0x1f, 0, 0, 0});
  CHECK(poll(connection, 101ms) == "");  // it is on its way
  acknowledge(connection, UtpSeq(106), 150ms);
  CHECK(poll(connection, 150ms) == "");
}

TEST_CASE("a packet that is lost twice is found by what was sent after it") {
  UtpConnection connection = with_eight_under_way();
  acknowledge(connection, UtpSeq(100), 100ms, OctetBuffer{0x07, 0, 0, 0});
  CHECK(poll(connection, 100ms) == "data:101/699=a");
  for (const char* more : {"i", "j", "k"}) {
    connection.write(as_octets(more));
    poll(connection, 110ms);
  }
  acknowledge(connection, UtpSeq(100), 150ms, OctetBuffer{0x7f, 0x03, 0, 0});
  CHECK(poll(connection, 150ms) == "data:101/699=a");
}

TEST_CASE("three repeated acknowledgements do without selective ones") {
  UtpConnection connection = with_eight_under_way();
  acknowledge(connection, UtpSeq(100), 100ms);
  acknowledge(connection, UtpSeq(100), 100ms);
  CHECK(poll(connection, 100ms) == "");
  acknowledge(connection, UtpSeq(100), 100ms);
  CHECK(poll(connection, 100ms) == "data:101/699=a");
}

TEST_CASE("silence is answered after the time-out, then after twice as long") {
  UtpConnection connection = opened();
  connection.write(as_octets("a"));
  CHECK(poll(connection, 1s) == "data:101/699=a");
  CHECK(connection.next_deadline() == at(1500ms));
  CHECK(poll(connection, 1500ms - 1us) == "");
  CHECK(poll(connection, 1500ms) == "data:101/699=a");
  CHECK(connection.next_deadline() == at(2500ms));
  CHECK(poll(connection, 2500ms) == "data:101/699=a");
  acknowledge(connection, UtpSeq(101), 2600ms);
  connection.write(as_octets("b"));
  CHECK(poll(connection, 2600ms) == "data:102/699=b");
  CHECK(connection.next_deadline() == at(3100ms));
}

TEST_CASE("an end takes a number, and is over when it is acknowledged") {
  UtpConnection connection = opened();
  connection.write(as_octets("last"));
  connection.finish(at(60ms));
  CHECK(connection.write(as_octets("more")) == 0);
  CHECK(poll(connection, 60ms) == "data:101/699=last fin:102/699");
  acknowledge(connection, UtpSeq(101), 100ms);
  CHECK(connection.state() == State::kOpen);
  give(connection, kTheirs, "late", 100ms, UtpSeq(101));
  CHECK(connection.readable().empty());  // nobody reads any more
  acknowledge(connection, UtpSeq(102), 110ms);
  CHECK(connection.state() == State::kEnded);
  CHECK(connection.end() == UtpEnd::kFinished);
}

TEST_CASE("their end is noticed behind all that they sent, and the last word is theirs to hear") {
  UtpConnection connection = opened();
  connection.handle(packet(UtpType::kFin, kId, kTheirs + 1, kFirst), at(60ms));
  CHECK_FALSE(connection.at_end());
  give(connection, kTheirs, "a", 61ms);
  CHECK(connection.at_end());
  CHECK(as_text(connection.readable()) == "a");
  CHECK(poll(connection, 61ms) == "state:101/701");
  give(connection, kTheirs + 2, "beyond the end", 62ms);
  CHECK(as_text(connection.readable()) == "a");
  connection.finish(at(70ms));
  CHECK(poll(connection, 70ms) == "fin:101/701");
  connection.handle(packet(UtpType::kFin, kId, kTheirs + 1, kFirst + 1), at(80ms));
  CHECK(connection.state() == State::kEnded);
  CHECK(poll(connection, 80ms) == "state:102/701");
  CHECK(poll(connection, 80ms) == "");
}

TEST_CASE("a reset counts only if it knows our numbers") {
  for (const auto& [id, ack, counts] : {std::tuple{kId, UtpSeq(100), true},
                                        {kAbove, UtpSeq(100), true},
                                        {kId, UtpSeq(99), true},
                                        {kId, UtpSeq(101), false},
                                        {kId, UtpSeq(30'000), false},
                                        {UtpConnectionId(9), UtpSeq(100), false}}) {
    UtpConnection connection = opened();
    connection.handle(packet(UtpType::kReset, id, UtpSeq(1), ack), at(60ms));
    CHECK((connection.state() == State::kEnded) == counts);
    CHECK(poll(connection, 60ms) == "");
  }
  UtpConnection dialling = dial();
  poll(dialling, 0s);
  dialling.handle(packet(UtpType::kReset, kAbove, UtpSeq(1), kFirst), at(1ms));
  CHECK(dialling.state() == State::kEnded);
}

TEST_CASE("an abort is told by one reset") {
  UtpConnection connection = opened();
  connection.abort();
  CHECK(poll(connection, 60ms).starts_with("reset:101/"));
  CHECK(poll(connection, 60ms) == "");
  UtpConnection dialling = dial();
  poll(dialling, 0s);
  dialling.abort();
  CHECK(poll(dialling, 1ms) == "");
}

TEST_CASE("acknowledgements of what was never sent are ignored, with all that is beside them") {
  UtpConnection connection = with_eight_under_way();
  for (const UtpSeq ack : {UtpSeq(109), UtpSeq(30'000), UtpSeq(50'000)}) {
    give(connection, kTheirs, "forged", 70ms, ack);
    CHECK(connection.readable().empty());
  }
  // Bits beyond what was sent mean nothing.
  acknowledge(connection, UtpSeq(100), 80ms, OctetBuffer(kMaxSelectiveAck, 0xff));
  CHECK(poll(connection, 80ms) == "data:101/699=a");
  acknowledge(connection, UtpSeq(108), 90ms);
  CHECK(poll(connection, 90ms) == "");
}

TEST_CASE("nothing is sent beyond the peer's room, but for a probe") {
  UtpConnection connection = opened();
  UtpPacket closed = packet(UtpType::kState, kId, kTheirs, kFirst);
  closed.header.window = 3;
  connection.handle(closed, at(60ms));
  connection.write(as_octets("four"));
  CHECK(poll(connection, 60ms) == "");
  CHECK(connection.next_deadline() != kNever);
  CHECK(poll(connection, 560ms) == "data:101/699=four");
  closed.header.ack = UtpSeq(101);
  connection.handle(closed, at(600ms));
  connection.write(as_octets("abc"));
  CHECK(poll(connection, 600ms) == "data:102/699=abc");
}

TEST_CASE("write takes so much as may wait, and more as packets leave") {
  UtpConnection connection = opened();
  const UtpParams params;
  const OctetBuffer large(1 << 20, 'x');
  const std::size_t taken = connection.write(large);
  CHECK(Bytes(static_cast<std::int64_t>(taken)) == params.max_unsent);
  CHECK_FALSE(connection.writable());
  CHECK(connection.write(large) == 0);
  int packets = 0;
  for (Octets d = connection.poll(at(60ms)); !d.empty(); d = connection.poll(at(60ms))) {
    CHECK(Bytes(std::ssize(d)) == params.datagram);
    ++packets;
  }
  CHECK(packets == kLedbatInitialWindow);
  CHECK(connection.writable());
}

}  // namespace
}  // namespace tributary::wire
