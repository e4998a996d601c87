#include "engine/net/utp_socket.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/net/peer_listener.h"
#include "engine/wire/utp_packet.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

constexpr Duration kLimit = 20s;

// An end of a stream that remembers what it is told.
struct End final : StreamOwner {
  explicit End(std::unique_ptr<ByteStream> s) : stream(std::move(s)) { stream->set_owner(*this); }

  void on_stream_connected() override { connected = true; }
  std::span<std::uint8_t> stream_space() override { return space; }
  void on_stream_bytes(std::span<std::uint8_t> bytes) override { wire::append(received, bytes); }
  void on_stream_written() override { ++written; }
  void on_stream_failed(const std::string& reason) override {
    failure = reason;
    stream->close();
  }
  void on_stream_closed() override { closed = true; }

  std::unique_ptr<ByteStream> stream;
  std::array<std::uint8_t, 1000> space{};
  wire::OctetBuffer received;
  std::string failure;
  int written = 0;
  bool connected = false;
  bool closed = false;
};

// A socket that lets everybody in.
struct Host {
  explicit Host(Loop& loop, UtpLimits limits = {})
      : port(*UdpPort::bind(loop, kAnyPort)),
        socket(std::make_unique<UtpSocket>(
            loop, port,
            [this](std::unique_ptr<ByteStream> s) {
              ends.push_back(std::make_unique<End>(std::move(s)));
              ends.back()->stream->start_reading();
            },
            limits)),
        turn_end(loop, [this, &loop] {
          if (!socket || !socket->flush()) return;
          loop.post([] {});  // lets the test look, and comes back for more
        }) {}

  End& dial(const Endpoint& to) {
    ends.push_back(std::make_unique<End>(socket->stream()));
    ends.back()->stream->dial(to);
    return *ends.back();
  }

  std::shared_ptr<UdpPort> port;
  std::unique_ptr<UtpSocket> socket;
  TurnEnd turn_end;
  std::vector<std::unique_ptr<End>> ends;
};

struct Pair {
  Pair() {
    near = &b.dial(a.port->address());
    near->stream->write({hello});
    REQUIRE(wait([&] { return a.ends.size() == 1 && near->written == 1; }));
    far = a.ends.front().get();
  }
  ~Pair() {
    for (End* end : {near, far}) {
      if (end->failure.empty() && !end->closed) end->stream->close();
    }
    CHECK(wait([&] { return near->closed && far->closed; }));
  }
  bool wait(const std::function<bool()>& done) { return loop.run_until(done, kLimit); }

  Loop loop;
  Host a{loop};
  Host b{loop};
  wire::OctetBuffer hello{1, 2, 3};
  End* near = nullptr;
  End* far = nullptr;
};

TEST_CASE("a stream carries bytes both ways, each write reported once") {
  Pair pair;
  CHECK(pair.near->connected);
  CHECK(pair.near->stream->is_utp());
  CHECK(pair.far->stream->remote() == pair.b.port->address());
  wire::OctetBuffer large(300'000);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * i >> 8);
  pair.far->stream->write({wire::Octets(large).first(7), wire::Octets(large).subspan(7)});
  CHECK(pair.far->written == 0);
  pair.near->stream->start_reading();
  REQUIRE(pair.wait([&] { return pair.near->received.size() == large.size(); }));
  CHECK(pair.near->received == large);
  CHECK(pair.far->received == pair.hello);
  REQUIRE(pair.wait([&] { return pair.far->written == 1; }));
}

TEST_CASE("a stream that is not read holds its sender back") {
  Pair pair;
  const wire::OctetBuffer large(4 << 20);
  pair.far->stream->write({large});
  for (int turns = 0; turns < 200; ++turns) {
    bool turned = false;
    pair.loop.post([&] { turned = true; });
    REQUIRE(pair.wait([&] { return turned; }));
  }
  CHECK(pair.far->written == 0);
  CHECK(pair.near->received.empty());
  pair.near->stream->start_reading();
  REQUIRE(pair.wait([&] { return pair.near->received.size() == large.size(); }));
}

TEST_CASE("a closed stream sends what it took, then its end, and its connection goes") {
  Pair pair;
  pair.near->stream->start_reading();
  const wire::OctetBuffer last(20'000, 9);
  pair.far->stream->write({last});
  REQUIRE(pair.wait([&] { return pair.far->written == 1; }));
  pair.far->stream->close();
  REQUIRE(pair.wait([&] { return pair.near->closed && pair.far->closed; }));
  CHECK(pair.near->received == last);
  CHECK(pair.near->failure == "closed by the peer");
  CHECK(pair.wait([&] { return pair.a.socket->size() == 0 && pair.b.socket->size() == 0; }));
}

TEST_CASE("a dial that nobody answers fails") {
  Loop loop;
  Host host(loop);
  Endpoint nobody = Host(loop).port->address();
  End& end = host.dial(nobody);
  REQUIRE(loop.run_until([&] { return end.closed; }, kLimit));
  CHECK(end.failure == "no answer by uTP");
  CHECK_FALSE(end.connected);
}

TEST_CASE("a flood of SYNs is forgotten from its oldest on, and who proves himself comes in") {
  Loop loop;
  UtpLimits limits;
  limits.max_unproved = 8;
  Host host(loop, limits);
  Host friendly(loop);
  auto flood = DatagramSocket::bind(loop, kAnyPort, [](wire::Octets, const Endpoint&) {});
  REQUIRE(flood.ok());
  for (std::uint16_t id = 0; id < 60; ++id) {
    wire::UtpHeader syn;
    syn.type = wire::UtpType::kSyn;
    syn.connection = wire::UtpConnectionId(static_cast<std::uint16_t>(10 * id));
    (*flood)->send_to(wire::encode_utp(syn), host.port->address());
  }
  End& end = friendly.dial(host.port->address());
  const wire::OctetBuffer hello{1};
  end.stream->write({hello});
  REQUIRE(loop.run_until([&] { return !host.ends.empty(); }, kLimit));
  CHECK(host.socket->size() <= 9);
  CHECK(end.connected);
  CHECK(host.ends.size() == 1);
  for (End* each : {&end, host.ends.front().get()}) {
    if (!each->closed) each->stream->close();
  }
  REQUIRE(loop.run_until([&] { return end.closed && host.ends.front()->closed; }, kLimit));
}

}  // namespace
}  // namespace tributary::net
