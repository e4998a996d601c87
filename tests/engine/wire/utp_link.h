// A modelled network for uTP connections: links with a rate, a delay, a queue and faults, in
// virtual time; and a TCP-like flow that fills the queue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/wire/utp_connection.h"

namespace tributary::wire::testing {

struct PathParams {
  BitRate rate = 10_Mbps;
  Duration delay = 25ms;
  Bytes queue = 250_KiB;      // what waits beyond it is dropped
  std::uint64_t loss = 0;     // packets of 1,000
  std::uint64_t doubled = 0;  // of 1,000
  Duration jitter{};  // added to the delay of each packet, from none to so much: they overtake
};

// One direction of a link, shared by all who send into it.
class Path {
 public:
  Path(const PathParams& params, std::uint64_t seed) : params_(params), random_(seed) {}

  // When the copies of a packet that enters now come out.
  std::vector<TimePoint> pass(Bytes size, TimePoint now) {
    busy_until_ = std::max(busy_until_, now);
    const bool full = bytes_in(busy_until_ - now, params_.rate) + size > params_.queue;
    if (full || random_.chance(params_.loss, 1000)) return {};
    busy_until_ += transfer_time(size, params_.rate);
    longest_ = std::max(longest_, busy_until_ - now);
    std::vector<TimePoint> out{busy_until_ + delay()};
    if (random_.chance(params_.doubled, 1000)) out.push_back(busy_until_ + delay());
    return out;
  }
  // The longest that a packet waited since the last call.
  Duration longest_queue() { return std::exchange(longest_, Duration::zero()); }
  void set_loss(std::uint64_t per_mille) { params_.loss = per_mille; }

 private:
  Duration delay() {
    const auto extra = static_cast<std::uint64_t>(params_.jitter.count()) + 1;
    return params_.delay + Duration(static_cast<std::int64_t>(random_.below(extra)));
  }

  PathParams params_;
  Random random_;
  TimePoint busy_until_{};
  Duration longest_{};
};

// A clock that is set and runs otherwise than the world's.
struct LocalClock {
  Duration offset{};
  std::int64_t drift_ppm = 0;
  TimePoint at(TimePoint world) const {
    const std::int64_t t = world.time_since_epoch().count();
    return TimePoint(offset + Duration(t + t * drift_ppm / 1'000'000));
  }
  // A time at which at() is not before `local`.
  TimePoint when(TimePoint local) const {
    const std::int64_t t = (local.time_since_epoch() - offset).count();
    return TimePoint(Duration(t - t * drift_ppm / (1'000'000 + drift_ppm) + 1));
  }
};

inline std::uint8_t stream_byte(std::int64_t at) {
  return static_cast<std::uint8_t>(Random::mix(static_cast<std::uint64_t>(at) / 8) >> (at % 8 * 8));
}

// One end of a connection, with what it has to send and what it got.
struct UtpHost {
  UtpHost(UtpConnection c, Path& path, LocalClock local)
      : connection(std::move(c)), out(&path), clock(local) {}

  UtpConnection connection;
  Path* out;
  LocalClock clock;
  UtpHost* peer = nullptr;
  std::int64_t to_send = 0;  // bytes of the stream
  std::int64_t written = 0;
  std::int64_t received = 0;
  std::int64_t wrong = 0;
  bool reading = true;
  bool finish_when_written = false;
  bool dead = false;  // its machine is gone: packets to it vanish, and it sends none
};

class UtpWorld {
 public:
  TimePoint now() const { return now_; }
  void at(TimePoint when, std::function<void()> event) { events_.emplace(when, std::move(event)); }

  // A dial from `forward`'s near end to its far end; both ends with the given clocks.
  std::pair<UtpHost*, UtpHost*> connect(Path& forward, Path& back, const UtpParams& params = {},
                                        LocalClock near = {}, LocalClock far = {}) {
    const UtpConnectionId id(static_cast<std::uint16_t>(100 * hosts_.size() + 65'000));
    UtpHost* dialler =
        add(UtpConnection::dial(id, UtpSeq(65'530), params, near.at(now_)), forward, near);
    waiting_.push_back({dialler, &back, params, far});
    flush(*dialler);
    while (dialler->peer == nullptr || dialler->connection.state() != UtpConnection::State::kOpen) {
      if (!step(now_ + 60s)) break;
    }
    return {dialler, dialler->peer};
  }
  // A dial that nobody needs to answer.
  UtpHost* dial(Path& forward, const UtpParams& params = {}) {
    UtpHost* host =
        add(UtpConnection::dial(UtpConnectionId(7), UtpSeq(1), params, now_), forward, {});
    flush(*host);
    return host;
  }

  // False when `done` does not hold within `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit) {
    const TimePoint end = now_ + limit;
    for (const auto& host : hosts_) flush(*host);
    while (!done()) {
      if (!step(end)) return false;
    }
    return true;
  }
  void run(Duration span) {
    run_until([] { return false; }, span);
  }

 private:
  struct Dial {
    UtpHost* dialler;
    Path* back;
    UtpParams params;
    LocalClock clock;
  };

  UtpHost* add(UtpConnection connection, Path& out, LocalClock clock) {
    hosts_.push_back(std::make_unique<UtpHost>(std::move(connection), out, clock));
    return hosts_.back().get();
  }

  // The next event, if it comes by `end`; else time goes to `end`.
  bool step(TimePoint end) {
    UtpHost* due = nullptr;
    TimePoint when = events_.empty() ? kNever : events_.begin()->first;
    for (const auto& host : hosts_) {
      const TimePoint deadline = host->connection.next_deadline();
      if (host->dead || deadline == kNever) continue;
      const TimePoint at = std::max(host->clock.when(deadline), now_);
      if (at < when) {
        when = at;
        due = host.get();
      }
    }
    now_ = std::min(when, end);
    if (when > end) return false;
    if (due != nullptr) {
      flush(*due);
    } else {
      const auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
    }
    return true;
  }

  void flush(UtpHost& host) {
    if (host.dead) return;
    const TimePoint local = host.clock.at(now_);
    read(host, local);
    fill(host, local);
    for (Octets datagram = host.connection.poll(local); !datagram.empty();
         datagram = host.connection.poll(local)) {
      send(host, datagram);
      fill(host, local);
    }
  }
  static void read(UtpHost& host, TimePoint local) {
    if (!host.reading) return;
    const Octets bytes = host.connection.readable();
    for (const std::uint8_t byte : bytes)
      host.wrong += byte != stream_byte(host.received++) ? 1 : 0;
    if (!bytes.empty()) host.connection.consume(bytes.size(), local);
  }
  static void fill(UtpHost& host, TimePoint local) {
    while (host.written < host.to_send && host.connection.writable()) {
      OctetBuffer chunk(
          static_cast<std::size_t>(std::min<std::int64_t>(host.to_send - host.written, 1352)));
      for (std::size_t i = 0; i < chunk.size(); ++i) {
        chunk[i] = stream_byte(host.written + static_cast<std::int64_t>(i));
      }
      host.written += static_cast<std::int64_t>(host.connection.write(chunk));
    }
    if (host.finish_when_written && host.written == host.to_send) host.connection.finish(local);
  }
  void send(UtpHost& host, Octets datagram) {
    constexpr Bytes kIpAndUdp = 28_B;
    for (const TimePoint when : host.out->pass(Bytes(std::ssize(datagram)) + kIpAndUdp, now_)) {
      at(when, [this, &host, copy = OctetBuffer(datagram.begin(), datagram.end())] {
        arrive(host, copy);
      });
    }
  }
  void arrive(UtpHost& from, const OctetBuffer& datagram) {
    const auto packet = decode_utp(datagram);
    if (!packet) return;
    const auto dial = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const Dial& d) { return d.dialler == &from; });
    if (from.peer == nullptr && dial != waiting_.end()) {
      UtpHost* host =
          add(UtpConnection::answer(*packet, UtpSeq(32'760), dial->params, dial->clock.at(now_)),
              *dial->back, dial->clock);
      from.peer = host;
      host->peer = &from;
      return flush(*host);
    }
    if (from.peer == nullptr || from.peer->dead) return;
    from.peer->connection.handle(*packet, from.peer->clock.at(now_));
    flush(*from.peer);
  }

  TimePoint now_{std::chrono::hours(1)};
  std::multimap<TimePoint, std::function<void()>> events_;
  std::vector<std::unique_ptr<UtpHost>> hosts_;
  std::vector<Dial> waiting_;
};

// A flow as greedy as TCP Reno: it grows until packets are dropped, then halves.
class GreedyFlow {
 public:
  GreedyFlow(UtpWorld& world, Path& path, Duration back)
      : world_(world), path_(path), back_(back) {}

  void start() { send(); }
  std::int64_t delivered() const { return delivered_; }

 private:
  static constexpr std::int64_t kPacket = 1500;

  void send() {
    while (in_flight_ < static_cast<std::int64_t>(window_)) {
      ++in_flight_;
      const std::int64_t number = ++sent_;
      const auto out = path_.pass(Bytes(kPacket), world_.now());
      // A loss is noticed about when the packets behind it are acknowledged.
      const TimePoint when = out.empty() ? world_.now() + last_trip_ : out.front() + back_;
      const TimePoint sent_at = world_.now();
      world_.at(when, [this, number, sent_at, lost = out.empty()] {
        if (!lost) last_trip_ = world_.now() - sent_at;
        on_answer(number, lost);
      });
    }
  }
  void on_answer(std::int64_t number, bool lost) {
    --in_flight_;
    if (!lost) {
      delivered_ += kPacket;
      window_ += window_ < threshold_ ? 1 : 1 / window_;
    } else if (number > cut_at_) {
      threshold_ = window_ = std::max(window_ / 2, 2.0);
      cut_at_ = sent_;
    }
    send();
  }

  UtpWorld& world_;
  Path& path_;
  Duration back_;
  Duration last_trip_ = 200ms;
  double window_ = 10;
  double threshold_ = 1e9;
  std::int64_t in_flight_ = 0;
  std::int64_t sent_ = 0;
  std::int64_t cut_at_ = 0;
  std::int64_t delivered_ = 0;
};

}  // namespace tributary::wire::testing
