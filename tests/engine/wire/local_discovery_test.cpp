#include "engine/wire/local_discovery.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace tributary::wire {
namespace {

const Endpoint kSender = Endpoint::v4(192, 168, 1, 7, 40000);

InfoHash hash_of(std::uint8_t fill) {
  InfoHash hash;
  hash.bytes.fill(fill);
  return hash;
}

Endpoint peer_at(std::uint16_t port) {
  Endpoint peer = kSender;
  peer.port = port;
  return peer;
}

TEST_CASE("an announcement is written as BEP 14 has it, for either group") {
  const LocalAnnouncement announcement{6881, {hash_of(0xab), hash_of(1)}, "c0ffee"};
  const std::string v4 =
      encode_local_announcement(announcement, local_discovery_group(AddressFamily::kV4));
  CHECK(v4 ==
        "BT-SEARCH * HTTP/1.1\r\n"
        "Host: 239.192.152.143:6771\r\n"
        "Port: 6881\r\n"
        "Infohash: abababababababababababababababababababab\r\n"
        "Infohash: 0101010101010101010101010101010101010101\r\n"
        "cookie: c0ffee\r\n"
        "\r\n\r\n");
  CHECK(*decode_local_announcement(as_octets(v4)) == announcement);
  const std::string v6 =
      encode_local_announcement(announcement, local_discovery_group(AddressFamily::kV6));
  CHECK(v6.find("\r\nHost: [ff15:0:0:0:0:0:efc0:988f]:6771\r\n") != std::string::npos);
  CHECK(*decode_local_announcement(as_octets(v6)) == announcement);
}

TEST_CASE("as many torrents as a message holds fit into a datagram") {
  const LocalAnnouncement full{65535, std::vector<InfoHash>(kMaxLocalHashes, hash_of(7)),
                               std::string(kMaxLocalCookie, 'x')};
  const std::string text =
      encode_local_announcement(full, local_discovery_group(AddressFamily::kV6));
  CHECK(text.size() <= kMaxLocalAnnouncement);
  CHECK(*decode_local_announcement(as_octets(text)) == full);
}

TEST_CASE("headers in any case and order, unknown ones and bare line ends are understood") {
  const auto decoded = decode_local_announcement(as_octets(
      "BT-SEARCH * HTTP/1.1\nINFOHASH:ABABABABABABABABABABABABABABABABABABABAB\nServer: x\n"
      "nonsense\nport:   99  \n"));
  REQUIRE(decoded.ok());
  CHECK(*decoded == LocalAnnouncement{99, {hash_of(0xab)}, ""});
}

TEST_CASE("what is no announcement is refused") {
  const std::string hash = "Infohash: 0101010101010101010101010101010101010101\r\n";
  const std::string first = "BT-SEARCH * HTTP/1.1\r\n";
  for (const std::string& bad :
       {std::string(), std::string("M-SEARCH * HTTP/1.1\r\nPort: 1\r\n") + hash, first + hash,
        first + "Port: 0\r\n" + hash, first + "Port: 65536\r\n" + hash,
        first + "Port: 1x\r\n" + hash, first + "Port: -1\r\n" + hash, first + "Port: 1\r\n",
        first + "Port: 1\r\nInfohash: 01\r\n",
        first + "Port: 1\r\nInfohash: " + std::string(40, 'g') + "\r\n",
        first + "Port: 1\r\n\r\n" + hash,
        first + "Port: 1\r\n" + hash + "X: " + std::string(kMaxLocalAnnouncement, 'x')}) {
    INFO(bad);
    CHECK_FALSE(decode_local_announcement(as_octets(bad)).ok());
  }
}

TEST_CASE("a torrent is announced at once, and what follows within the minute together") {
  LocalDiscovery discovery(6881, "us");
  const TimePoint start{};
  CHECK(discovery.next_deadline() == kNever);
  discovery.announce(hash_of(1));
  REQUIRE(discovery.next_deadline() <= start);
  CHECK(*discovery.poll(start) == LocalAnnouncement{6881, {hash_of(1)}, "us"});
  CHECK_FALSE(discovery.poll(start));
  discovery.announce(hash_of(2));
  discovery.announce(hash_of(3));
  discovery.announce(hash_of(2));
  CHECK(discovery.next_deadline() == start + 1min);
  CHECK_FALSE(discovery.poll(start + 59s));
  CHECK(discovery.poll(start + 1min)->torrents == std::vector{hash_of(2), hash_of(3)});
  CHECK(discovery.next_deadline() == kNever);
}

TEST_CASE("more torrents than a message holds take turns, and beyond a limit are forgotten") {
  LocalDiscovery discovery(6881, "us");
  for (std::size_t i = 0; i < LocalDiscovery::kMaxWaiting + 10; ++i) {
    InfoHash hash = hash_of(static_cast<std::uint8_t>(i));
    hash.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    discovery.announce(hash);
  }
  TimePoint now{};
  std::size_t told = 0;
  while (const auto message = discovery.poll(now)) {
    CHECK(message->torrents.size() <= kMaxLocalHashes);
    told += message->torrents.size();
    now += 1min;
  }
  CHECK(told == LocalDiscovery::kMaxWaiting);
}

std::string message(std::uint16_t port, std::string cookie, std::size_t torrents = 1) {
  return encode_local_announcement(
      {port, std::vector<InfoHash>(torrents, hash_of(9)), std::move(cookie)},
      local_discovery_group(AddressFamily::kV4));
}

TEST_CASE("another's announcement names a peer at the sender's address, our own none") {
  LocalDiscovery discovery(6881, "us");
  CHECK(discovery.hear(as_octets(message(6881, "us")), kSender, {}).empty());
  CHECK(discovery.hear(as_octets(message(77, "them")), kSender, {}) ==
        std::vector{LocalDiscovery::Heard{hash_of(9), peer_at(77)}});
  CHECK(discovery.hear(as_octets(message(78, "")), kSender, {}).size() == 1);
}

TEST_CASE("a flood is believed up to a limit in each second") {
  LocalDiscovery discovery(6881, "us");
  TimePoint now{};
  for (int second = 0; second < 3; ++second, now += 1s) {
    std::int32_t heard = 0;
    for (int i = 0; i < 50; ++i) {
      heard += static_cast<std::int32_t>(
          discovery.hear(as_octets(message(77, "them", 3)), kSender, now).size());
    }
    CHECK(heard == LocalDiscovery::kHeardPerSecond);
  }
}

}  // namespace
}  // namespace tributary::wire
