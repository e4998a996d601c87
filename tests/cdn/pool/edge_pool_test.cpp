#include "cdn/pool/edge_pool.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::cdn {
namespace {

using core::BlockIndex;
using core::CdnReason;
using core::CdnRequestId;
using core::TorrentId;
using Lines = std::vector<std::string>;

constexpr TorrentId kTorrent{1};

std::string ms(Duration time) { return std::to_string(time.count() / 1000); }

struct Describe {
  std::string operator()(const HttpGet& get) const {
    std::string text = "get " + std::to_string(get.id.value());
    for (const UrlRange& part : get.parts) {
      text += ' ' + part.url + '[' + std::to_string(part.range.begin.count()) + ',' +
              std::to_string(part.range.end.count()) + ')';
    }
    text += " blocks";
    for (const HttpGet::Cut& cut : get.cuts) text += ' ' + std::to_string(cut.block.value());
    return text;
  }
  std::string operator()(const HttpCancel& c) const {
    return "cancel " + std::to_string(c.id.value());
  }
  std::string operator()(const core::CdnBlock& b) const {
    return "block " + std::to_string(b.block.value()) + " of " + std::to_string(b.request.value());
  }
  std::string operator()(const core::CdnEnded& e) const {
    return "ended " + std::to_string(e.request.value());
  }
  std::string operator()(const core::CdnHealth& h) const {
    return h.available ? "up " + ms(h.first_byte_high) + " ms " +
                             std::to_string(h.throughput_low.bits_per_second() / 1000) + " kbps"
                       : std::string("down");
  }
  std::string operator()(const core::Free& f) const {
    return "free " + std::to_string(f.buffer.value());
  }
};

core::TorrentInfo one_file(Bytes size) {
  core::TorrentInfo info;
  info.name = "track";
  info.piece_length = 64_KiB;
  info.total_size = size;
  core::FileEntry file;
  file.path = "track";
  file.length = size;
  info.files = {file};
  return info;
}

// A pool with a clock of its own, starting at one second.
struct Bench {
  explicit Bench(PoolParams params = quiet()) : pool(std::move(params), 7) {}

  static PoolParams quiet() {
    PoolParams params;
    params.cmcd = false;
    return params;
  }
  void open(std::vector<std::string> urls, Bytes size = 640_KiB) {
    EdgeSet set;
    for (std::string& url : urls) set.edges.push_back({std::move(url)});
    pool.add_torrent(kTorrent, one_file(size), std::move(set), now);
  }
  void fetch(int request, int begin, int end, CdnReason reason = CdnReason::kUrgent,
             Duration ahead = 10s) {
    core::CdnFetch fetch{.torrent = kTorrent,
                         .request = CdnRequestId(static_cast<std::uint64_t>(request)),
                         .blocks = {BlockIndex(begin), BlockIndex(end)},
                         .reason = reason,
                         .deadline = now + ahead,
                         .buffered = 4s,
                         .starting = false};
    pool.handle(fetch, now);
  }
  void cancel(int request) {
    pool.handle(core::CdnCancel{kTorrent, CdnRequestId(static_cast<std::uint64_t>(request))}, now);
  }
  void corrupt(int begin, int end) {
    pool.handle(core::CdnCorrupt{kTorrent, {BlockIndex(begin), BlockIndex(end)}}, now);
  }
  void first_byte(int id) { input(HttpFirstByte{http(id)}); }
  void block(int id, int index) {
    input(HttpBlock{http(id), BlockIndex(index),
                    core::BufferId(static_cast<std::uint64_t>(index) + 100)});
  }
  void done(int id, HttpOutcome outcome = HttpOutcome::kOk, Bytes received = 0_B,
            std::optional<Duration> retry_after = {}) {
    input(HttpDone{http(id), outcome, 0, retry_after, received});
  }
  void input(HttpInput input) { pool.handle(input, now); }
  static HttpId http(int id) { return HttpId(static_cast<std::uint64_t>(id)); }

  Lines drain() {
    Lines lines;
    while (auto action = pool.poll()) {
      if (const auto* get = std::get_if<HttpGet>(&*action)) last_get = *get;
      lines.push_back(std::visit(Describe{}, *action));
    }
    return lines;
  }
  void pass(Duration time) { now += time; }
  void pass_to_deadline() {
    REQUIRE(pool.next_deadline() != kNever);
    now = pool.next_deadline();
    pool.handle_timeout(now);
  }

  EdgePool pool;
  TimePoint now{1s};
  HttpGet last_get;
};

TEST_CASE("a torrent with an edge is available at once, with the priors") {
  Bench b;
  b.open({"http://a/t"});
  CHECK(b.drain() == Lines{"up 300 ms 4000 kbps"});
}

TEST_CASE("a torrent without edges is not available and its fetches end") {
  Bench b;
  b.open({});
  b.fetch(1, 0, 2);
  CHECK(b.drain() == Lines{"down", "ended 1"});
}

TEST_CASE("a fetch becomes one range and its blocks go to the core") {
  Bench b;
  b.open({"http://a/t"});
  b.drain();
  b.fetch(1, 2, 4);
  CHECK(b.drain() == Lines{"get 1 http://a/t[32768,65536) blocks 2 3"});
  b.pass(40ms);
  b.first_byte(1);
  b.block(1, 2);
  b.block(1, 3);
  b.done(1, HttpOutcome::kOk, 32_KiB);
  CHECK(b.drain() == Lines{"block 2 of 1", "block 3 of 1", "ended 1"});
  CHECK(b.pool.running() == 0);
  CHECK(b.pool.cdn_requests() == 1);
}

TEST_CASE("measurements reach the core when they change a quantile") {
  Bench b;
  b.open({"http://a/t"});
  b.drain();
  for (int i = 1; i <= 4; ++i) {
    b.fetch(i, 0, 4);
    b.pass(40ms);
    b.first_byte(i);
    for (int block = 0; block < 4; ++block) b.block(i, block);
    b.pass(100ms);
    b.done(i, HttpOutcome::kOk, 64_KiB);
  }
  const Lines lines = b.drain();
  CHECK(std::count(lines.begin(), lines.end(), "up 40 ms 5242 kbps") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "up 40 ms 4000 kbps") == 1);
}

TEST_CASE("only the blocks that did not arrive are asked for again, of another edge") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 4);
  b.drain();
  b.first_byte(1);
  b.block(1, 0);
  b.block(1, 1);
  b.done(1, HttpOutcome::kTimeout, 32_KiB);
  CHECK(b.drain() ==
        Lines{"block 0 of 1", "block 1 of 1", "get 2 http://b/t[32768,65536) blocks 2 3"});
}

TEST_CASE("gaps become separate parts") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 4);
  b.drain();
  b.block(1, 1);
  b.done(1, HttpOutcome::kServerError, 0_B);
  CHECK(b.drain() ==
        Lines{"block 1 of 1", "get 2 http://b/t[0,16384) http://b/t[32768,65536) blocks 0 2 3"});
}

TEST_CASE("a connection that broke after it had delivered is tried anew at once, but not twice") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 3);
  b.drain();
  b.block(1, 0);
  b.done(1, HttpOutcome::kTruncated, 16_KiB);
  CHECK(b.drain() == Lines{"block 0 of 1", "get 2 http://a/t[16384,49152) blocks 1 2"});
  b.block(2, 1);
  b.done(2, HttpOutcome::kTruncated, 16_KiB);
  CHECK(b.drain() == Lines{"block 1 of 1", "down"});
  b.pass_to_deadline();
  CHECK(b.drain() == Lines{"get 3 http://a/t[32768,49152) blocks 2", "up 300 ms 4000 kbps"});
}

TEST_CASE("an urgent fetch waits for its only edge while the deadline allows") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 1, CdnReason::kUrgent, 10s);
  b.drain();
  b.done(1, HttpOutcome::kConnectFailed);
  CHECK(b.drain() == Lines{"down"});
  b.pass_to_deadline();
  CHECK(b.drain() == Lines{"get 2 http://a/t[0,16384) blocks 0", "up 300 ms 4000 kbps"});
}

TEST_CASE("an urgent fetch whose deadline does not allow a second try is handed back") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 1, CdnReason::kUrgent, 100ms);
  b.drain();
  b.done(1, HttpOutcome::kConnectFailed);
  CHECK(b.drain() == Lines{"down", "ended 1"});
}

TEST_CASE("what is fetched ahead of need is handed back when it fails") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 1, CdnReason::kSeedSwarm);
  b.drain();
  b.done(1, HttpOutcome::kConnectFailed);
  CHECK(b.drain() == Lines{"ended 1"});
}

TEST_CASE("retry-after is kept") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 1, CdnReason::kUrgent, 10s);
  b.drain();
  b.done(1, HttpOutcome::kServerError, 0_B, 30s);
  CHECK(b.drain() == Lines{"down", "ended 1"});
  CHECK(b.pool.next_deadline() == b.now + 30s);
}

TEST_CASE("an edge on probation gets one request until one succeeds") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 1, CdnReason::kUrgent, 10s);
  b.done(1, HttpOutcome::kConnectFailed);
  b.fetch(2, 1, 2, CdnReason::kUrgent, 10s);
  b.drain();
  b.pass_to_deadline();
  CHECK(b.drain().front() == "get 2 http://a/t[0,16384) blocks 0");
  CHECK(b.pool.running() == 1);
  b.block(2, 0);
  b.done(2, HttpOutcome::kOk, 16_KiB);
  CHECK(b.drain() == Lines{"block 0 of 1", "get 3 http://a/t[16384,32768) blocks 1", "ended 1"});
}

TEST_CASE("a file that an edge refuses is asked of another, and of it again only much later") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 1);
  b.drain();
  b.done(1, HttpOutcome::kRefused);
  CHECK(b.drain() == Lines{"get 2 http://b/t[0,16384) blocks 0"});
  b.done(2, HttpOutcome::kBadRange);
  CHECK(b.drain() == Lines{"down", "ended 1"});
  CHECK(b.pool.next_deadline() == b.now + PoolParams().refused_retry);
  b.pass_to_deadline();
  CHECK(b.drain() == Lines{"up 300 ms 4000 kbps"});
}

core::TorrentInfo two_files() {
  core::TorrentInfo info = one_file(20'000_B);
  core::FileEntry second;
  second.path = "b";
  second.offset = 20'000_B;
  second.length = 30'000_B;
  info.files.push_back(second);
  info.total_size = 50'000_B;
  return info;
}

TEST_CASE("a block across files is several parts of one request") {
  Bench b;
  b.pool.add_torrent(kTorrent, two_files(), {{{"http://a/1", "http://a/2"}}}, b.now);
  b.drain();
  b.fetch(1, 0, 4);
  CHECK(b.drain() == Lines{"get 1 http://a/1[0,20000) http://a/2[0,30000) blocks 0 1 2 3"});
}

TEST_CASE("the part that was next when a request was refused is what the edge lacks") {
  Bench b;
  b.pool.add_torrent(kTorrent, two_files(), {{{"http://a/1", "http://a/2"}}}, b.now);
  b.fetch(1, 0, 4, CdnReason::kPrefetch);
  b.block(1, 0);
  b.done(1, HttpOutcome::kRefused, 20'000_B);
  b.drain();
  b.fetch(2, 0, 1);
  CHECK(b.drain() == Lines{"get 2 http://a/1[0,16384) blocks 0"});
}

TEST_CASE("a hopeless fetch does not come back at once") {
  Bench b;
  b.pool.add_torrent(kTorrent, two_files(), {{{"http://a/1", ""}}}, b.now);
  b.drain();
  b.fetch(1, 3, 4);  // the second file, which no edge has
  CHECK(b.drain() == Lines{"down", "ended 1"});
  b.pass_to_deadline();
  CHECK(b.drain() == Lines{"up 300 ms 4000 kbps"});
  b.fetch(2, 3, 4, CdnReason::kPrefetch);
  CHECK(b.drain() == Lines{});
  b.pass_to_deadline();
  CHECK(b.drain() == Lines{"ended 2"});
}

TEST_CASE("padding is never asked for") {
  core::TorrentInfo info = one_file(20'000_B);
  core::FileEntry pad;
  pad.offset = 20'000_B;
  pad.length = 64_KiB - 20'000_B;
  pad.pad = true;
  core::FileEntry second;
  second.offset = 64_KiB;
  second.length = 1000_B;
  info.files.push_back(pad);
  info.files.push_back(second);
  info.total_size = 64_KiB + 1000_B;
  Bench b;
  b.pool.add_torrent(kTorrent, info, {{{"http://a/1", "http://a/pad", "http://a/2"}}}, b.now);
  b.drain();
  b.fetch(1, 0, 5);
  CHECK(b.drain() == Lines{"get 1 http://a/1[0,20000) http://a/2[0,1000) blocks 0 1 4"});
  b.fetch(2, 2, 4);
  CHECK(b.drain() == Lines{"ended 2"});
}

TEST_CASE("the limits hold, the most urgent goes first, and a place is kept for it") {
  PoolParams params = Bench::quiet();
  params.max_per_edge = 2;
  Bench b(params);
  b.open({"http://a/t"});
  b.drain();
  b.fetch(1, 0, 1, CdnReason::kPrefetch, 60s);
  b.fetch(2, 1, 2, CdnReason::kPrefetch, 60s);
  b.fetch(3, 2, 3, CdnReason::kUrgent, 5s);
  b.fetch(4, 3, 4, CdnReason::kUrgent, 4s);
  b.fetch(5, 4, 5, CdnReason::kUrgent, 3s);
  CHECK(b.drain() ==
        Lines{"get 1 http://a/t[0,16384) blocks 0", "get 2 http://a/t[32768,49152) blocks 2"});
  b.block(1, 0);
  b.done(1, HttpOutcome::kOk, 16_KiB);
  CHECK(b.drain() == Lines{"block 0 of 1", "get 3 http://a/t[65536,81920) blocks 4", "ended 1"});
}

TEST_CASE("the total is limited over all edges") {
  PoolParams params = Bench::quiet();
  params.max_total = 3;
  Bench b(params);
  b.open({"http://a/t", "http://b/t"});
  for (int i = 0; i < 6; ++i) b.fetch(i + 1, i, i + 1);
  CHECK(b.pool.running() == 3);
}

TEST_CASE("the edge that is expected to finish first is chosen") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.drain();
  b.fetch(1, 0, 1);
  b.pass(900ms);  // slower than the prior of the other
  b.first_byte(1);
  b.block(1, 0);
  b.done(1, HttpOutcome::kOk, 16_KiB);
  b.drain();
  b.fetch(2, 1, 2);
  CHECK(b.drain() == Lines{"get 2 http://b/t[16384,32768) blocks 1"});
  b.pass(50ms);
  b.first_byte(2);
  b.block(2, 1);
  b.done(2, HttpOutcome::kOk, 16_KiB);
  b.drain();
  b.fetch(3, 2, 3);
  CHECK(b.drain() == Lines{"get 3 http://b/t[32768,49152) blocks 2"});
}

TEST_CASE("with another edge at hand the time-outs leave half of the time for it") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 1, CdnReason::kUrgent, 3s);
  b.drain();
  CHECK(b.last_get.stall_timeout == 1500ms);
  b.fetch(2, 1, 2, CdnReason::kUrgent, 0s);
  b.drain();
  CHECK(b.last_get.connect_timeout == PoolParams().shortest_timeout);
  b.fetch(3, 2, 3, CdnReason::kPrefetch, 3s);
  b.drain();
  CHECK(b.last_get.stall_timeout == 5s);
}

TEST_CASE("a cancelled fetch ends when the request has, a queued one at once") {
  PoolParams params = Bench::quiet();
  params.max_total = 1;
  Bench b(params);
  b.open({"http://a/t"});
  b.fetch(1, 0, 2);
  b.fetch(2, 2, 3);
  b.drain();
  b.cancel(2);
  CHECK(b.drain() == Lines{"ended 2"});
  b.cancel(1);
  b.cancel(1);
  CHECK(b.drain() == Lines{"cancel 1"});
  b.done(1, HttpOutcome::kCancelled, 100_B);
  CHECK(b.drain() == Lines{"ended 1"});
  CHECK(b.pool.stats(kTorrent, b.now).front().failures == 0);
}

TEST_CASE("a torrent that goes takes its requests along, and late blocks are freed") {
  Bench b;
  b.open({"http://a/t"});
  b.fetch(1, 0, 2);
  b.drain();
  b.pool.remove_torrent(kTorrent, b.now);
  CHECK(b.drain() == Lines{"cancel 1", "ended 1"});
  b.block(1, 0);
  b.done(1, HttpOutcome::kCancelled);
  CHECK(b.drain() == Lines{"free 100"});
  CHECK(b.pool.running() == 0);
}

void deliver(Bench& b, int id, int begin, int end) {
  b.first_byte(id);
  for (int i = begin; i < end; ++i) b.block(id, i);
  b.done(id, HttpOutcome::kOk, 16_KiB * (end - begin));
}

TEST_CASE("an edge that lies is distrusted, then dropped") {
  Bench b;
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 4);
  deliver(b, 1, 0, 4);
  b.corrupt(0, 1);
  b.drain();
  b.fetch(2, 4, 8);
  CHECK(b.drain() == Lines{"get 2 http://b/t[65536,131072) blocks 4 5 6 7"});
  b.done(2, HttpOutcome::kRefused);
  CHECK(b.drain() == Lines{"get 3 http://a/t[65536,131072) blocks 4 5 6 7"});
  deliver(b, 3, 4, 8);
  b.corrupt(4, 5);
  const auto stats = b.pool.stats(kTorrent, b.now);
  CHECK(stats[0].state == EdgeState::kDropped);
  CHECK(stats[0].lies == 2);
  CHECK(stats[1].state == EdgeState::kUp);
  CHECK(b.drain().back() == "down");
}

TEST_CASE("what a server's last request met is told until one goes well") {
  Bench b;
  b.open({"http://a/t"});
  const auto trouble = [&b] { return b.pool.stats(kTorrent, b.now).front().trouble; };
  CHECK(trouble().empty());
  b.fetch(1, 0, 2);
  b.done(1, HttpOutcome::kConnectFailed);
  CHECK(trouble() == "cannot be reached");
  b.pass_to_deadline();
  b.drain();
  deliver(b, 2, 0, 2);
  CHECK(trouble().empty());
}

TEST_CASE("wrong bytes that two edges may have brought only raise suspicion") {
  PoolParams params = Bench::quiet();
  params.max_suspicions = 2;
  Bench b(params);
  b.open({"http://a/t", "http://b/t"});
  b.fetch(1, 0, 2);
  b.block(1, 0);
  b.done(1, HttpOutcome::kTimeout, 16_KiB);
  b.block(2, 1);
  b.done(2, HttpOutcome::kOk, 16_KiB);
  b.corrupt(0, 2);
  CHECK(b.pool.stats(kTorrent, b.now)[1].state == EdgeState::kUp);
  b.corrupt(0, 2);
  CHECK(b.pool.stats(kTorrent, b.now)[0].state == EdgeState::kDropped);
  CHECK(b.pool.stats(kTorrent, b.now)[1].state == EdgeState::kDropped);
  CHECK(b.pool.stats(kTorrent, b.now)[1].lies == 0);
}

TEST_CASE("new URLs bring a dropped edge back") {
  Bench b;
  b.open({"http://a/t?sig=1"});
  b.fetch(1, 0, 1);
  b.done(1, HttpOutcome::kRefused);
  b.drain();
  b.pool.set_edges(kTorrent, {{{"http://a/t?sig=2"}}}, b.now);
  b.fetch(2, 0, 1);
  CHECK(b.drain() == Lines{"up 300 ms 4000 kbps", "get 2 http://a/t?sig=2[0,16384) blocks 0"});
}

TEST_CASE("a server's health is shared by the torrents on it") {
  Bench b;
  b.open({"http://CDN:80/t"});
  b.fetch(1, 0, 1);
  b.done(1, HttpOutcome::kServerError, 0_B, 20s);
  b.drain();
  b.pool.add_torrent(TorrentId(2), one_file(100'000_B), {{{"http://cdn:80/other"}}}, b.now);
  CHECK(b.drain() == Lines{"down"});
}

TEST_CASE("CMCD tells the edge about the player") {
  PoolParams params;
  params.session = "s1";
  params.max_total = 1;
  Bench b(params);
  b.open({"http://a/t"});
  b.pool.set_media_rate(kTorrent, 155_kbps);
  b.pool.note_stall(kTorrent);
  b.fetch(1, 0, 1, CdnReason::kUrgent, 2s);
  b.drain();
  CHECK(b.last_get.headers ==
        std::vector<std::pair<std::string, std::string>>{{"CMCD-Object", "br=155"},
                                                         {"CMCD-Request", "bl=4000,dl=2000,su"},
                                                         {"CMCD-Session", "sid=\"s1\""},
                                                         {"CMCD-Status", "bs"}});
  b.fetch(2, 1, 2, CdnReason::kUrgent, 3s);
  b.fetch(3, 2, 3, CdnReason::kUrgent, 4s);
  b.block(1, 0);
  b.done(1, HttpOutcome::kOk, 16_KiB);
  b.drain();
  CHECK(b.last_get.headers[1].second == "bl=4000,dl=3000,nrr=\"32768-49151\"");
  CHECK(b.last_get.headers.size() == 3);
}

// What the second of three fetches tells of the third: files a and b have two blocks each.
std::string request_keys(std::vector<std::string> urls, int begin, int end) {
  PoolParams params;
  params.max_total = 1;
  Bench b(params);
  core::TorrentInfo info = one_file(32_KiB);
  info.multi_file = true;
  info.total_size = 64_KiB;
  info.files.push_back(info.files.front());
  info.files.back().path = "b";
  info.files.back().offset = 32_KiB;
  EdgeSet set;
  set.edges.push_back(std::move(urls));
  b.pool.add_torrent(kTorrent, info, std::move(set), b.now);
  b.fetch(1, 0, 1, CdnReason::kUrgent, 2s);
  b.drain();
  b.fetch(2, begin, end, CdnReason::kUrgent, 3s);
  b.fetch(3, 3, 4, CdnReason::kUrgent, 4s);
  b.block(1, 0);
  b.done(1, HttpOutcome::kOk, 16_KiB);
  b.drain();
  REQUIRE(b.last_get.id == Bench::http(2));
  for (const auto& [name, value] : b.last_get.headers) {
    if (name == "CMCD-Request") return value;
  }
  return "";
}

TEST_CASE("CMCD names the next object only where its relative name is right") {
  CHECK(request_keys({"http://x/d/a", "http://x/d/b"}, 1, 2) ==
        "bl=4000,dl=3000,nor=\"b\",nrr=\"16384-32767\"");
  // Another origin cannot be named.
  CHECK(request_keys({"http://x/d/a", "http://y/d/b"}, 1, 2) == "bl=4000,dl=3000");
  // Two files share these headers: what is relative to one is not to the other.
  CHECK(request_keys({"http://x/d/a", "http://x/e/b"}, 1, 3) == "bl=4000,dl=3000");
}

TEST_CASE("a fetch is handed back after its last attempt") {
  PoolParams params = Bench::quiet();
  params.max_attempts = 2;
  Bench b(params);
  b.open({"http://a/t", "http://b/t", "http://c/t"});
  b.fetch(1, 0, 1);
  b.drain();
  b.done(1, HttpOutcome::kConnectFailed);
  CHECK(b.drain() == Lines{"get 2 http://b/t[0,16384) blocks 0"});
  b.done(2, HttpOutcome::kConnectFailed);
  CHECK(b.drain() == Lines{"ended 1"});
}

TEST_CASE("the same inputs and seed give the same actions") {
  const auto run = [] {
    Bench b;
    b.open({"http://a/t", "http://b/t"});
    Lines all;
    Random random(3);
    for (int i = 1; i < 200; ++i) {
      b.fetch(i, i % 30, i % 30 + 3, core::kCdnReasons[random.below(6)], 1s);
      for (std::string& line : b.drain()) all.push_back(std::move(line));
      b.pass(Duration(static_cast<std::int64_t>(random.below(500'000))));
      b.done(static_cast<int>(b.last_get.id.value()),
             random.chance(1, 2) ? HttpOutcome::kTimeout : HttpOutcome::kServerError);
      all.push_back(std::to_string(b.pool.next_deadline().time_since_epoch().count()));
    }
    return all;
  };
  CHECK(run() == run());
}

}  // namespace
}  // namespace tributary::cdn
