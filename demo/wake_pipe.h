// Wakes a thread that waits in poll(2).
#pragma once

#include <string>

namespace tributary::demo {

class WakePipe {
 public:
  WakePipe();
  ~WakePipe();
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;

  // Any thread.
  void send(char what) const;
  // Readable when something was sent.
  int fd() const { return fds_[0]; }
  // What was sent and not received yet; never blocks.
  std::string receive() const;

 private:
  int fds_[2];
};

}  // namespace tributary::demo
