#include "player/client/reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/random.h"
#include "engine/net/digests.h"
#include "engine/wire/metainfo.h"
#include "player/client/client.h"
#include "tests/player/client/rig.h"

namespace tributary::player {
namespace {

// A file of noise that a CDN and perhaps a seed offer, and a client that has nothing of it yet.
class ReaderRig {
 public:
  explicit ReaderRig(const std::string& name, Bytes size, Bytes piece_length = 16_KiB,
                     bool with_edge = true)
      : directory_(make_directory("reader-" + name)), rig_(directory_) {
    bytes_.resize(static_cast<std::size_t>(size.count()));
    Random random(11);
    for (auto& byte : bytes_) byte = static_cast<std::uint8_t>(random.next());
    write_bytes(directory_ + "/tone.wav", with_header(bytes_));
    torrent_ = rig_.publish("tone.wav", piece_length, with_edge, false);
    bytes_ = read_bytes(directory_ + "/tone.wav");
    auto parsed = wire::parse_metainfo(read_bytes(torrent_), net::kDigester);
    REQUIRE(parsed.ok());
    metainfo_ = std::make_shared<const core::Metainfo>(*std::move(parsed));
  }

  void run() {
    rig_.run();
    ClientOptions options;
    options.host.listen = Endpoint::v4(127, 0, 0, 1, 0);
    auto client = Client::create(std::move(options));
    REQUIRE(client.ok());
    client_ = *std::move(client);
  }
  std::unique_ptr<Reader> open(BitRate rate = 100_Mbps, std::function<void()> wake = {},
                               Bytes end = ReaderOptions().end) {
    ReaderOptions options;
    options.rate = rate;
    options.wake = std::move(wake);
    options.end = end;
    return client_->open_reader(metainfo_, core::FileIndex(0), std::move(options));
  }
  std::vector<std::uint8_t> part(std::size_t begin, std::size_t end) const {
    return {bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
            bytes_.begin() + static_cast<std::ptrdiff_t>(std::min(end, bytes_.size()))};
  }
  std::size_t size() const { return bytes_.size(); }
  Client& client() { return *client_; }
  void drop_client() { client_.reset(); }
  Rig& rig() { return rig_; }
  const std::string& torrent() const { return torrent_; }

 private:
  // So that it scans as a medium: a WAV header before the noise.
  static std::vector<std::uint8_t> with_header(const std::vector<std::uint8_t>& noise) {
    std::vector<std::uint8_t> wav = {'R', 'I', 'F',  'F',  0,   0,   0,    0,    'W', 'A', 'V',
                                     'E', 'f', 'm',  't',  ' ', 16,  0,    0,    0,   1,   0,
                                     2,   0,   0x44, 0xac, 0,   0,   0x10, 0xb1, 2,   0,   4,
                                     0,   16,  0,    'd',  'a', 't', 'a',  0,    0,   0,   0};
    const auto put = [&](std::size_t at, std::size_t value) {
      for (std::size_t i = 0; i < 4; ++i) wav[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    };
    put(4, noise.size() + 36);
    put(40, noise.size());
    wav.insert(wav.end(), noise.begin(), noise.end());
    return wav;
  }

  const std::string directory_;
  Rig rig_;
  std::vector<std::uint8_t> bytes_;
  std::string torrent_;
  std::shared_ptr<const core::Metainfo> metainfo_;
  std::unique_ptr<Client> client_;
};

std::vector<std::uint8_t> read_all(Reader& reader, std::size_t from, std::size_t step) {
  std::vector<std::uint8_t> all;
  std::vector<std::uint8_t> out(step);
  for (;;) {
    const auto got = reader.read(Bytes(static_cast<std::int64_t>(from + all.size())), out);
    REQUIRE(got.ok());
    if (*got == 0_B) return all;
    all.insert(all.end(), out.begin(), out.begin() + got->count());
  }
}

}  // namespace

TEST_CASE("what is read is the file, in steps of any size, from the CDN and from peers") {
  for (const bool peers : {false, true}) {
    CAPTURE(peers);
    ReaderRig rig(peers ? "peers" : "cdn", 3_MiB, peers ? 64_KiB : 16_KiB, !peers);
    if (peers) rig.rig().add_seed(rig.torrent());
    rig.run();
    const auto reader = rig.open();
    CHECK(static_cast<std::size_t>(reader->size().count()) == rig.size());
    CHECK(read_all(*reader, 0, 100'000) == rig.part(0, rig.size()));
    CHECK(read_all(*reader, rig.size() - 70'001, 4096) ==
          rig.part(rig.size() - 70'001, rig.size()));
    CHECK(read_all(*reader, rig.size(), 1).empty());
  }
}

TEST_CASE("a seek gets what lies elsewhere, though the way there was never read") {
  ReaderRig rig("seek", 8_MiB);
  rig.run();
  const auto reader = rig.open(BitRate());  // at 1 Mbit/s the way there would take a minute
  std::vector<std::uint8_t> out(1000);
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const auto at = static_cast<std::size_t>(random.below(rig.size() - out.size()));
    const auto got = reader->read(Bytes(static_cast<std::int64_t>(at)), out);
    REQUIRE(got.ok());
    REQUIRE(*got > 0_B);
    const auto n = static_cast<std::size_t>(got->count());
    CHECK(std::vector(out.begin(), out.begin() + got->count()) == rig.part(at, at + n));
  }
}

TEST_CASE("a file is read up to its end in the options, and no further") {
  ReaderRig rig("end", 4_MiB);
  rig.run();
  const auto reader = rig.open(100_Mbps, {}, 100'000_B);
  CHECK(reader->size() == 100'000_B);
  CHECK(read_all(*reader, 50'000, 1 << 20) == rig.part(50'000, 100'000));
}

TEST_CASE("reading without waiting gives what is there, and wakes when there is more") {
  ReaderRig rig("wake", 2_MiB);
  rig.run();
  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0;
  const auto reader = rig.open(100_Mbps, [&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    changed.notify_all();
  });
  std::vector<std::uint8_t> all;
  std::vector<std::uint8_t> out(10'000);
  int seen = 0;
  int waits = 0;
  while (all.size() < rig.size()) {
    const auto got = reader->try_read(Bytes(static_cast<std::int64_t>(all.size())), out);
    REQUIRE(got.ok());
    if (*got) {
      all.insert(all.end(), out.begin(), out.begin() + (*got)->count());
      continue;
    }
    ++waits;
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return wakes > seen; }));
    seen = wakes;
  }
  CHECK(all == rig.part(0, rig.size()));
  CHECK(waits > 0);  // the first is never there
}

TEST_CASE("a hundred readers of one file get it all, each at its own place") {
  ReaderRig rig("many", 2_MiB);
  rig.run();
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 100; ++i) readers.push_back(rig.open());
  for (std::size_t i = 0; i < readers.size(); ++i) {
    const std::size_t from = i * 20'000;
    CHECK(read_all(*readers[i], from, 65'536) == rig.part(from, rig.size()));
  }
}

TEST_CASE("cancelling ends a read that waits, and all later ones") {
  ReaderRig rig("cancel", 1_MiB, 16_KiB, false);  // and nobody has it
  rig.run();
  const auto reader = rig.open();
  std::vector<std::uint8_t> out(10);
  REQUIRE_FALSE(reader->try_read(0_B, out)->has_value());
  Result<Bytes> got = 0_B;
  std::thread waits([&] { got = reader->read(0_B, out); });
  reader->cancel();
  waits.join();
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == ErrorCode::kCancelled);
  CHECK_FALSE(reader->try_read(0_B, out).ok());
  reader->cancel();
}

TEST_CASE("a reader that outlives its client fails, and does no harm") {
  ReaderRig rig("outlives", 1_MiB, 16_KiB, false);
  rig.run();
  const auto reader = rig.open();
  const auto other = rig.open();
  std::vector<std::uint8_t> out(10);
  REQUIRE_FALSE(reader->try_read(0_B, out)->has_value());
  Result<Bytes> got = 0_B;
  std::thread waits([&] { got = other->read(0_B, out); });
  rig.drop_client();
  waits.join();
  CHECK_FALSE(got.ok());
  CHECK(reader->read(0_B, out).error().code == ErrorCode::kCancelled);
}

}  // namespace tributary::player
