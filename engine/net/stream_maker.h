// The ways that connections go: makes streams to peers by TCP and uTP, and lets uTP ones in.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/core/events.h"
#include "engine/net/byte_stream.h"
#include "engine/net/loop.h"
#include "engine/net/udp_port.h"
#include "engine/net/utp_socket.h"

namespace tributary::net {

// What peers are dialled by and accepted over.
enum class Carriers { kBoth, kTcp, kUtp };

inline constexpr std::array kCarriers = {Carriers::kBoth, Carriers::kTcp, Carriers::kUtp};

constexpr std::string_view to_string(Carriers carriers) {
  switch (carriers) {
    case Carriers::kTcp:
      return "tcp";
    case Carriers::kUtp:
      return "utp";
    default:
      return "both";
  }
}

// Where both are allowed TCP is dialled first, for who needs blocks by a deadline must not give way
// to everybody; uTP first where nobody waits. The other follows when the first has failed, or has
// not succeeded within the head start; an address where only the other succeeded is dialled by that
// one first from then on, and one that was of no use by the other. Who is said to speak uTP is
// waited for longer where it is dialled by that first. A hole is punched by uTP alone.
//
// Loop thread only. Must be destroyed before the loop; streams that are left fail.
class StreamMaker {
 public:
  // Longer than the round trip across the world: who can be reached the first way is dialled by
  // that alone.
  static constexpr Duration kHeadStart = 300ms;
  // Where uTP is first and the peer is said to speak it: a lost SYN, and a round trip more.
  static constexpr Duration kUtpHeadStart = 1500ms;
  // Addresses that are remembered; the oldest is forgotten first. As many as a torrent's peers.
  static constexpr std::size_t kMaxRemembered = 500;

  // `incoming` takes uTP streams that others have opened, from within flush().
  StreamMaker(Loop& loop, Carriers carriers, UtpSocket::Incoming incoming, LogSink log);

  // Takes uTP connections at this UDP port, and dials from it. Errors: it is taken.
  Result<Endpoint> listen(const Endpoint& at);
  // A stream to be dialled to there; null when there is no way.
  std::unique_ptr<ByteStream> make(const core::Connect& dial);
  // A connection that was dialled this way ended before the peer shook hands: it takes the other
  // one, perhaps.
  void on_useless(const Endpoint& remote, bool utp) { remember(remote, !utp); }
  // At the end of each turn of the loop; true: call again, once what it told is handled.
  bool flush();

  Carriers carriers() const { return carriers_; }
  // Where uTP is listened for; null: nowhere.
  std::shared_ptr<UdpPort> port() const;

 private:
  UtpSocket* socket_for(const Endpoint& remote);
  void remember(const Endpoint& remote, bool utp);

  Loop& loop_;
  Carriers carriers_;
  UtpSocket::Incoming incoming_;
  LogSink log_;
  std::vector<std::unique_ptr<UtpSocket>> listening_;
  std::unique_ptr<UtpSocket> dialling_v4_;  // made when needed
  std::unique_ptr<UtpSocket> dialling_v6_;
  std::map<Endpoint, bool> by_utp_;  // what to dial first there
  std::deque<Endpoint> remembered_;  // its keys, the oldest first
};

}  // namespace tributary::net
