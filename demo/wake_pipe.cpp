#include "demo/wake_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "engine/base/check.h"

namespace tributary::demo {

WakePipe::WakePipe() { TRIBUTARY_CHECK(pipe2(fds_, O_CLOEXEC | O_NONBLOCK) == 0); }

WakePipe::~WakePipe() {
  close(fds_[0]);
  close(fds_[1]);
}

void WakePipe::send(char what) const {
  // A full pipe has woken the thread already.
  [[maybe_unused]] const ssize_t sent = write(fds_[1], &what, 1);
}

std::string WakePipe::receive() const {
  char bytes[64];
  const ssize_t n = read(fds_[0], bytes, sizeof bytes);
  return n > 0 ? std::string(bytes, static_cast<std::size_t>(n)) : std::string();
}

}  // namespace tributary::demo
