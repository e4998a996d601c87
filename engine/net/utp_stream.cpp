#include "engine/net/utp_stream.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::net {

UtpStream::UtpStream(Loop& loop, UtpFlows& flows, UtpFlow* flow, bool punches)
    : flows_(&flows), flow_(flow), punches_(punches), connected_(flow != nullptr) {
  TRIBUTARY_CHECK(uv_idle_init(loop.uv(), &handle_) == 0);
  handle_.data = this;
}

void UtpStream::dial(const Endpoint& remote) {
  TRIBUTARY_CHECK(flow_ == nullptr && !connected_);
  flow_ = flows_ == nullptr ? nullptr : flows_->open(remote, *this, punches_);
  if (flow_ == nullptr) fail("cannot connect by uTP: too many connections");
}

void UtpStream::start_reading() {
  reading_ = true;
  if (flow_ != nullptr) flows_->touch(*flow_);
}

void UtpStream::write(const std::vector<wire::Octets>& parts) {
  TRIBUTARY_CHECK(!writing_);
  if (flow_ == nullptr) return;
  writing_ = true;
  parts_ = parts;
  next_part_ = offset_ = 0;
  flows_->touch(*flow_);
}

void UtpStream::close() {
  TRIBUTARY_CHECK(!closing_);
  closing_ = true;
  if (flow_ != nullptr) flows_->release(*flow_);
  flow_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
    static_cast<UtpStream*>(handle->data)->owner().on_stream_closed();
  });
}

void UtpStream::detach() {
  flows_ = nullptr;
  flow_ = nullptr;
}

// Each step may close the stream.
void UtpStream::advance(TimePoint now) {
  report_connected();
  deliver(now);
  report_end();
  if (pump()) owner().on_stream_written();
}

void UtpStream::report_connected() {
  if (connected_ || flow_->connection.state() != wire::UtpConnection::State::kOpen) return;
  connected_ = true;
  owner().on_stream_connected();
}

void UtpStream::deliver(TimePoint now) {
  while (flow_ != nullptr && reading_) {
    const wire::Octets waiting = flow_->connection.readable();
    if (waiting.empty()) return;
    const auto space = owner().stream_space();
    const std::size_t n = std::min(space.size(), waiting.size());
    std::copy_n(waiting.begin(), n, space.begin());
    flow_->connection.consume(n, now);
    owner().on_stream_bytes(space.first(n));
  }
}

void UtpStream::report_end() {
  if (flow_ == nullptr || failed_) return;
  const wire::UtpConnection& connection = flow_->connection;
  if (connection.state() == wire::UtpConnection::State::kEnded) {
    const bool gone = connection.end() == wire::UtpEnd::kTimedOut;
    return fail(gone ? "no answer by uTP" : "reset by the peer");
  }
  const bool all_read = reading_ && connection.readable().empty();
  if (all_read && connection.at_end()) fail("closed by the peer");
}

void UtpStream::fail(const std::string& reason) {
  failed_ = true;
  owner().on_stream_failed(reason);
}

// True when the write is done.
bool UtpStream::pump() {
  if (flow_ == nullptr || !writing_) return false;
  while (next_part_ < parts_.size()) {
    const wire::Octets rest = parts_[next_part_].subspan(offset_);
    const std::size_t taken = flow_->connection.write(rest);
    if (taken < rest.size()) {
      offset_ += taken;
      return false;
    }
    ++next_part_;
    offset_ = 0;
  }
  writing_ = false;
  parts_.clear();
  return true;
}

}  // namespace tributary::net
