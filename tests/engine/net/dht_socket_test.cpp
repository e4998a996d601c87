#include "engine/net/dht_socket.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/net/address.h"
#include "engine/net/datagram_socket.h"
#include "engine/net/dht_file.h"
#include "tests/engine/net/store_fixture.h"
#include "tests/support/any_port.h"

namespace tributary::net {
namespace {

namespace dht = core::dht;

constexpr Duration kLimit = 20s;
const dht::NodeId kHash = dht::NodeId::from(std::vector<std::uint8_t>(20, 0x5a));

// A node and what its searches came to.
struct Member {
  std::unique_ptr<DhtSocket> socket;
  std::map<dht::LookupId, dht::LookupDone> done;
  std::vector<Endpoint> peers;
  std::size_t steps = 0;

  explicit Member(Loop& loop, const Endpoint& at = kAnyPort, const dht::NodeParams& params = {}) {
    auto made = DhtSocket::listen(loop, at, params, [this](const dht::Action& event) {
      if (const auto* one = std::get_if<dht::LookupDone>(&event)) done.emplace(one->lookup, *one);
      if (const auto* found = std::get_if<dht::PeersFound>(&event)) {
        peers.insert(peers.end(), found->peers.begin(), found->peers.end());
      }
      steps += std::holds_alternative<dht::LookupStep>(event) ? 1 : 0;
    });
    REQUIRE(made.ok());
    socket = std::move(*made);
  }
};

std::vector<std::unique_ptr<Member>> network(Loop& loop, std::size_t size) {
  std::vector<std::unique_ptr<Member>> out;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(std::make_unique<Member>(loop));
    if (i > 0) out[i]->socket->bootstrap({out[0]->socket->address()});
  }
  REQUIRE(loop.run_until(
      [&] {
        return std::all_of(out.begin() + 1, out.end(), [](const auto& member) {
          return member->socket->node().joined() && member->socket->node().table().size() > 1;
        });
      },
      kLimit));
  return out;
}

TEST_CASE("a peer that one socket announces is found by another over loopback") {
  Loop loop;
  auto members = network(loop, 12);
  Member& seed = *members[3];
  const dht::LookupId announce = seed.socket->announce(kHash, 51413);
  REQUIRE(loop.run_until([&] { return seed.done.contains(announce); }, kLimit));
  CHECK(seed.done.at(announce).announced > 0);
  Member& seeker = *members[9];
  const dht::LookupId search = seeker.socket->find_peers(kHash);
  CHECK(seeker.done.empty());  // events come later
  REQUIRE(loop.run_until([&] { return seeker.done.contains(search); }, kLimit));
  CHECK(seeker.peers == std::vector<Endpoint>{Endpoint::v4(127, 0, 0, 1, 51413)});
  CHECK(seeker.done.at(search).peers == 1);
  CHECK(seeker.steps == seeker.done.at(search).progress.asked);
  CHECK(seeker.socket->stats().malformed == 0);
}

TEST_CASE("port 0 announces the port of the datagrams") {
  Loop loop;
  auto members = network(loop, 3);
  const dht::LookupId announce = members[1]->socket->announce(kHash, 0);
  REQUIRE(loop.run_until([&] { return members[1]->done.contains(announce); }, kLimit));
  const dht::LookupId search = members[2]->socket->find_peers(kHash);
  REQUIRE(loop.run_until([&] { return members[2]->done.contains(search); }, kLimit));
  CHECK(members[2]->peers == std::vector<Endpoint>{members[1]->socket->address()});
}

TEST_CASE("a table that was saved leads back into the network without a host") {
  Loop loop;
  auto members = network(loop, 6);
  const test::ScratchDirectory scratch;
  const std::string path = scratch.path + "/dht";
  REQUIRE(save_dht_state(path, members[5]->socket->save()).ok());
  const auto state = load_dht_state(path);
  REQUIRE(state.ok());
  CHECK(state->id == members[5]->socket->node().id());
  CHECK(state->nodes.size() == members[5]->socket->node().table().size());
  members[5].reset();
  dht::NodeParams params;
  params.id = state->id;
  Member again(loop, kAnyPort, params);
  again.socket->restore(*state);
  REQUIRE(loop.run_until([&] { return again.socket->node().joined(); }, kLimit));
  CHECK(again.socket->node().id() == state->id);
  CHECK(again.socket->node().table().good(loop.now()) > 0);
}

TEST_CASE("a pair over both families learns nodes of one from the other") {
  Loop loop;
  const auto six = parse_endpoint("[::1]:0");
  REQUIRE(six.ok());
  if (!DhtSocket::listen(loop, *six, {}, {}).ok()) {
    MESSAGE("skipped: this machine has no IPv6 loopback");
    return;
  }
  Member host4(loop);
  Member host6(loop, *six);
  DhtSocket::pair(*host4.socket, *host6.socket);
  Member near6(loop, *six);
  near6.socket->bootstrap({host6.socket->address()});
  REQUIRE(loop.run_until([&] { return host6.socket->node().table().size() == 1; }, kLimit));
  Member mine4(loop);
  Member mine6(loop, *six);
  DhtSocket::pair(*mine4.socket, *mine6.socket);
  mine4.socket->bootstrap({host4.socket->address()});  // of IPv4 only
  REQUIRE(loop.run_until([&] { return mine6.socket->node().table().size() > 0; }, kLimit));
  const wire::DhtState both = mine4.socket->save();
  CHECK(std::any_of(both.nodes.begin(), both.nodes.end(),
                    [](const auto& node) { return !node.contact.endpoint.is_v4(); }));
}

TEST_CASE("datagrams of noise, of too many bytes and of none change nothing") {
  Loop loop;
  Member member(loop);
  const sockaddr_storage to = to_sockaddr(member.socket->address());
  const int raw = ::socket(AF_INET, SOCK_DGRAM, 0);
  REQUIRE(raw >= 0);
  const auto send = [&](std::string_view text) {
    return ::sendto(raw, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                    sizeof(sockaddr_in)) == std::ssize(text);
  };
  const std::string ping = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
  CHECK(send(""));
  CHECK(send("noise"));
  CHECK(send(std::string(2000, 'd')));
  CHECK(send(ping + std::string(5000, ' ')));
  CHECK(send(ping));
  REQUIRE(loop.run_until([&] { return member.socket->node().stats().answers == 1; }, kLimit));
  CHECK(member.socket->stats().malformed >= 3);
  CHECK(member.socket->node().stats().queries == 1);
  CHECK(member.socket->node().table().size() == 0);
  char answer[200];
  const ssize_t size = ::recv(raw, answer, sizeof answer, 0);
  REQUIRE(size > 0);
  CHECK(std::string(answer, static_cast<std::size_t>(size)).starts_with("d2:ip6:"));
  ::close(raw);
}

TEST_CASE("an address that is taken is told in one line") {
  Loop loop;
  Member member(loop);
  const auto second = DhtSocket::listen(loop, member.socket->address(), {}, {});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find("127.0.0.1") != std::string::npos);
  CHECK(second.error().message.find("port 0") != std::string::npos);
}

TEST_CASE("no event comes after a socket is gone") {
  Loop loop;
  bool called = false;
  {
    auto socket = DhtSocket::listen(loop, kAnyPort, {}, [&](const dht::Action&) { called = true; });
    REQUIRE(socket.ok());
    (*socket)->find_peers(kHash);  // ends at once, and is told later
  }
  bool turned = false;
  loop.post([&] { turned = true; });
  CHECK(loop.run_until([&] { return turned; }, kLimit));
  CHECK_FALSE(called);
}

TEST_CASE("a state file is replaced whole, and a foreign one is told and left alone") {
  const test::ScratchDirectory scratch;
  const std::string path = scratch.path + "/dht";
  CHECK(load_dht_state(path).error().code == ErrorCode::kNotFound);
  wire::DhtState state;
  state.saved_at = 5s;
  state.nodes.push_back({{kHash, Endpoint::v4(1, 2, 3, 4, 5)}, 60s});
  std::ofstream(path + ".part") << std::string(100'000, 'x');  // left by a crash
  REQUIRE(save_dht_state(path, state).ok());
  REQUIRE(load_dht_state(path).ok());
  CHECK(*load_dht_state(path) == state);
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  state.nodes.clear();
  REQUIRE(save_dht_state(path, state).ok());
  CHECK(load_dht_state(path)->nodes.empty());
  std::ofstream(path) << "not bencoded";
  CHECK(load_dht_state(path).error().message.find(path) != std::string::npos);
  std::ofstream(path) << std::string(wire::kMaxDhtStateSize + 1, 'x');
  CHECK(load_dht_state(path).error().message.find("too large") != std::string::npos);
  CHECK_FALSE(save_dht_state(scratch.path + "/none/dht", state).ok());
}

TEST_CASE("a node and uTP share a port, and each gets its own datagrams") {
  Loop loop;
  auto port = UdpPort::bind(loop, kAnyPort);
  REQUIRE(port.ok());
  auto node = DhtSocket::share(loop, *port, {}, {});
  std::vector<std::uint8_t> utp;
  (*port)->set_utp([&](wire::Octets d, const Endpoint&) { utp.assign(d.begin(), d.end()); });
  Member other(loop);
  other.socket->bootstrap({node->address()});
  auto raw = DatagramSocket::bind(loop, kAnyPort, [](wire::Octets, const Endpoint&) {});
  REQUIRE(raw.ok());
  std::vector<std::uint8_t> datagram(20);
  datagram[0] = 0x41;
  (*raw)->send_to(datagram, (*port)->address());
  REQUIRE(loop.run_until(
      [&] { return other.socket->node().joined() && utp.size() == datagram.size(); }, kLimit));
  CHECK(node->stats().malformed == 0);
  const std::int64_t received = node->stats().received;
  CHECK(received > 0);
  (*port)->set_utp({});
  node.reset();  // the port stays, and drops what nobody wants
  (*raw)->send_to(datagram, (*port)->address());
  utp.clear();
  bool turned = false;
  loop.post([&] { turned = true; });
  REQUIRE(loop.run_until([&] { return turned; }, kLimit));
  CHECK(utp.empty());
}

}  // namespace
}  // namespace tributary::net
