#include "engine/net/tcp_stream.h"

#include "engine/base/check.h"
#include "engine/net/address.h"
#include "engine/net/source_address.h"

namespace tributary::net {

TcpStream::TcpStream(Loop& loop) : loop_(loop) {
  TRIBUTARY_CHECK(uv_tcp_init(loop.uv(), &tcp_) == 0);
  tcp_.data = this;
}

TcpStream::TcpStream(Loop& loop, uv_stream_t* listener) : TcpStream(loop) {
  TRIBUTARY_CHECK(uv_accept(listener, stream()) == 0);
  uv_tcp_nodelay(&tcp_, 1);
}

void TcpStream::fail(const char* what, int status) {
  owner().on_stream_failed(std::string(what) + ": " + uv_strerror(status));
}

Result<void> TcpStream::bind_towards(const Endpoint& remote) {
  TRIBUTARY_TRY(source, source_towards(loop_, remote));
  if (!source) return {};
  const sockaddr_storage address = to_sockaddr(*source);
  const int rc = uv_tcp_bind(&tcp_, reinterpret_cast<const sockaddr*>(&address), 0);
  if (rc != 0) return io_error("cannot talk from the interface: " + std::string(uv_strerror(rc)));
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) == 0) keep_on_device(loop_, fd);
  return {};
}

void TcpStream::dial(const Endpoint& remote) {
  const auto bound = bind_towards(remote);
  if (!bound) return owner().on_stream_failed(bound.error().message);
  const sockaddr_storage address = to_sockaddr(remote);
  const auto connected = [](uv_connect_t* request, int status) {
    TcpStream& stream = from(request->data);
    if (stream.closing_) return;
    stream.connect_.reset();
    if (status != 0) return stream.fail("cannot connect", status);
    uv_tcp_nodelay(&stream.tcp_, 1);
    stream.owner().on_stream_connected();
  };
  connect_ = std::make_unique<uv_connect_t>();
  connect_->data = this;
  const int rc =
      uv_tcp_connect(connect_.get(), &tcp_, reinterpret_cast<const sockaddr*>(&address), connected);
  if (rc != 0) fail("cannot connect", rc);
}

void TcpStream::start_reading() {
  const auto space = [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    const auto memory = from(handle->data).owner().stream_space();
    *out = uv_buf_init(reinterpret_cast<char*>(memory.data()),
                       static_cast<unsigned int>(memory.size()));
  };
  const auto read = [](uv_stream_t* uv, ssize_t size, const uv_buf_t* buffer) {
    TcpStream& stream = from(uv->data);
    if (size == UV_EOF) return stream.owner().on_stream_failed("closed by the peer");
    if (size < 0) return stream.fail("cannot read", static_cast<int>(size));
    if (size == 0) return;
    auto* bytes = reinterpret_cast<std::uint8_t*>(buffer->base);
    stream.owner().on_stream_bytes({bytes, static_cast<std::size_t>(size)});
  };
  const int rc = uv_read_start(stream(), space, read);
  if (rc != 0 && rc != UV_EALREADY) fail("cannot read", rc);
}

void TcpStream::stop_reading() { uv_read_stop(stream()); }

void TcpStream::write(const std::vector<wire::Octets>& parts) {
  std::vector<uv_buf_t> buffers;
  buffers.reserve(parts.size());
  for (const wire::Octets part : parts) {
    auto* base = reinterpret_cast<char*>(const_cast<std::uint8_t*>(part.data()));
    buffers.push_back(uv_buf_init(base, static_cast<unsigned int>(part.size())));
  }
  const auto written = [](uv_write_t* request, int status) {
    TcpStream& stream = from(request->data);
    if (stream.closing_) return;
    stream.write_.reset();
    if (status != 0) return stream.fail("cannot write", status);
    stream.owner().on_stream_written();
  };
  write_ = std::make_unique<uv_write_t>();
  write_->data = this;
  const int rc = uv_write(write_.get(), stream(), buffers.data(),
                          static_cast<unsigned int>(buffers.size()), written);
  if (rc != 0) fail("cannot write", rc);
}

void TcpStream::close() {
  TRIBUTARY_CHECK(!closing_);
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp_),
           [](uv_handle_t* handle) { from(handle->data).owner().on_stream_closed(); });
}

Endpoint TcpStream::remote() const {
  sockaddr_storage address{};
  int size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  return uv_tcp_getpeername(&tcp_, generic, &size) == 0 ? from_sockaddr(*generic) : Endpoint();
}

}  // namespace tributary::net
