// A link with a rate, a delay and a queue between two network interfaces, where the kernel has no
// netem: makes two TUN devices and passes IP packets from each to the other.
//
//   tun_link NAME_A NAME_B BITS_PER_S DELAY_MS QUEUE_BYTES [BITS_PER_S_BACK]
//
// Both directions have the same figures, but for the rate from B to A where one is given. What
// would wait behind more than QUEUE_BYTES is dropped. The devices may be moved to network
// namespaces once it has said "ready". It then prints a JSON line each second: bytes that left each
// queue by protocol, packets dropped, and the longest wait in ms, all since the line before. Ends
// when its standard input does. Needs root.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::nanoseconds;

struct Figures {
  std::int64_t bits_per_second = 0;
  nanoseconds delay{};
  std::size_t queue = 0;
};

struct Packet {
  Time arrives;
  std::vector<std::uint8_t> bytes;
};

// From one device to the other.
class Direction {
 public:
  Direction(int from, int to, const Figures& figures) : from_(from), to_(to), figures_(figures) {}

  void read_all(Time now) {
    std::array<std::uint8_t, 65'536> space{};
    for (;;) {
      const ssize_t size = ::read(from_, space.data(), space.size());
      if (size <= 0) return;
      take({space.data(), space.data() + size}, now);
    }
  }
  void deliver(Time now) {
    while (!waiting_.empty() && waiting_.front().arrives <= now) {
      const auto& bytes = waiting_.front().bytes;
      // What the other side cannot take is lost, as on any link.
      if (::write(to_, bytes.data(), bytes.size()) < 0) ++dropped_;
      waiting_.pop_front();
    }
  }
  Time next() const { return waiting_.empty() ? Time::max() : waiting_.front().arrives; }
  int fd() const { return from_; }

  std::string report() {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(),
                  R"({"tcp": %lld, "udp": %lld, "dropped": %lld, "wait_ms": %.1f})",
                  static_cast<long long>(tcp_), static_cast<long long>(udp_),
                  static_cast<long long>(dropped_),
                  std::chrono::duration<double, std::milli>(longest_).count());
    tcp_ = udp_ = dropped_ = 0;
    longest_ = {};
    return line.data();
  }

 private:
  void take(std::vector<std::uint8_t> bytes, Time now) {
    const auto size = static_cast<std::int64_t>(bytes.size());
    busy_until_ = std::max(busy_until_, now);
    const nanoseconds wait = busy_until_ - now;
    const std::int64_t queued = wait.count() * figures_.bits_per_second / 8'000'000'000;
    if (queued + size > static_cast<std::int64_t>(figures_.queue)) {
      ++dropped_;
      return;
    }
    longest_ = std::max(longest_, wait);
    busy_until_ += nanoseconds(size * 8'000'000'000 / figures_.bits_per_second);
    const bool v4 = bytes[0] >> 4 == 4;
    if (v4 && bytes[9] == IPPROTO_TCP) tcp_ += size;
    if (v4 && bytes[9] == IPPROTO_UDP) udp_ += size;
    waiting_.push_back({busy_until_ + figures_.delay, std::move(bytes)});
  }

  int from_;
  int to_;
  Figures figures_;
  Time busy_until_{};
  std::deque<Packet> waiting_;
  std::int64_t tcp_ = 0;
  std::int64_t udp_ = 0;
  std::int64_t dropped_ = 0;
  nanoseconds longest_{};
};

int open_tun(const char* name) {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd >= 0 && ::ioctl(fd, TUNSETIFF, &request) == 0) return fd;
  std::perror("tun_link: cannot make a TUN device");
  std::exit(1);
}

void run(Direction& there, Direction& back) {
  Time report_at = Clock::now() + std::chrono::seconds(1);
  for (;;) {
    const Time now = Clock::now();
    if (now >= report_at) {
      std::printf("{\"there\": %s, \"back\": %s}\n", there.report().c_str(), back.report().c_str());
      std::fflush(stdout);
      report_at += std::chrono::seconds(1);
    }
    const auto wait = std::min({there.next(), back.next(), report_at}) - now;
    const auto left = std::max(nanoseconds(wait), nanoseconds(0));
    const timespec limit{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    std::array<pollfd, 3> fds{
        {{there.fd(), POLLIN, 0}, {back.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    ::ppoll(fds.data(), fds.size(), &limit, nullptr);
    const Time then = Clock::now();
    there.read_all(then);
    back.read_all(then);
    there.deliver(then);
    back.deliver(then);
    char byte = 0;
    if (fds[2].revents != 0 && ::read(STDIN_FILENO, &byte, 1) <= 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fprintf(
        stderr,
        "usage: tun_link NAME_A NAME_B BITS_PER_S DELAY_MS QUEUE_BYTES [BITS_PER_S_BACK]\n");
    return 2;
  }
  const Figures figures{std::atoll(argv[3]), std::chrono::milliseconds(std::atoll(argv[4])),
                        static_cast<std::size_t>(std::atoll(argv[5]))};
  const int a = open_tun(argv[1]);
  const int b = open_tun(argv[2]);
  std::printf("ready\n");
  std::fflush(stdout);
  Figures returning = figures;
  if (argc == 7) returning.bits_per_second = std::atoll(argv[6]);
  Direction there(a, b, figures);
  Direction back(b, a, returning);
  run(there, back);
  return 0;
}
