#include "engine/net/stream_maker.h"

#include <utility>

#include "engine/net/racing_stream.h"
#include "engine/net/tcp_stream.h"

namespace tributary::net {
namespace {

bool is_any(const Endpoint& at) {
  Endpoint address = at;
  address.port = 0;
  return address == Endpoint::v4(0, 0, 0, 0, 0) || address == Endpoint();
}

}  // namespace

StreamMaker::StreamMaker(Loop& loop, Carriers carriers, UtpSocket::Incoming incoming, LogSink log)
    : loop_(loop), carriers_(carriers), incoming_(std::move(incoming)), log_(std::move(log)) {}

Result<Endpoint> StreamMaker::listen(const Endpoint& at) {
  TRIBUTARY_TRY(port, UdpPort::bind(loop_, at));
  listening_.push_back(std::make_unique<UtpSocket>(loop_, port, incoming_));
  return port->address();
}

std::shared_ptr<UdpPort> StreamMaker::port() const {
  return listening_.empty() ? nullptr : listening_.front()->port();
}

// A port on loopback reaches nobody else.
UtpSocket* StreamMaker::socket_for(const Endpoint& remote) {
  for (const auto& socket : listening_) {
    const Endpoint& here = socket->port()->address();
    const bool reaches = is_any(here) || here.is_loopback() == remote.is_loopback();
    if (here.is_v4() == remote.is_v4() && reaches) return socket.get();
  }
  auto& dialling = remote.is_v4() ? dialling_v4_ : dialling_v6_;
  if (dialling) return dialling.get();
  auto port = UdpPort::bind(loop_, remote.is_v4() ? Endpoint::v4(0, 0, 0, 0, 0) : Endpoint());
  if (!port) {
    if (log_) log_(LogLevel::kInfo, port.error().message);
    return nullptr;
  }
  dialling = std::make_unique<UtpSocket>(loop_, *port, UtpSocket::Incoming());
  return dialling.get();
}

std::unique_ptr<ByteStream> StreamMaker::make(const core::Connect& dial) {
  const Endpoint remote = dial.remote;
  UtpSocket* utp = carriers_ == Carriers::kTcp ? nullptr : socket_for(remote);
  if (carriers_ == Carriers::kUtp || dial.punches) {
    return utp == nullptr ? nullptr : utp->stream(dial.punches);
  }
  auto tcp = std::make_unique<TcpStream>(loop_);
  if (utp == nullptr) return tcp;
  const auto known = by_utp_.find(remote);
  const bool utp_first = known == by_utp_.end() ? dial.gives_way : known->second;
  const Duration head_start = utp_first && dial.hints.utp ? kUtpHeadStart : kHeadStart;
  std::unique_ptr<ByteStream> first = utp->stream();
  std::unique_ptr<ByteStream> second = std::move(tcp);
  if (!utp_first) std::swap(first, second);
  // Streams end before their maker does, or never call again.
  return std::make_unique<RacingStream>(loop_, std::move(first), std::move(second), head_start,
                                        [this, remote, utp_first](const ByteStream& taken) {
                                          if (taken.is_utp() != utp_first)
                                            remember(remote, taken.is_utp());
                                        });
}

void StreamMaker::remember(const Endpoint& remote, bool utp) {
  const bool is_new = by_utp_.insert_or_assign(remote, utp).second;
  if (!is_new) return;
  remembered_.push_back(remote);
  if (remembered_.size() <= kMaxRemembered) return;
  by_utp_.erase(remembered_.front());
  remembered_.pop_front();
}

bool StreamMaker::flush() {
  bool more = false;
  for (const auto& socket : listening_) more |= socket->flush();
  if (dialling_v4_) more |= dialling_v4_->flush();
  if (dialling_v6_) more |= dialling_v6_->flush();
  return more;
}

}  // namespace tributary::net
