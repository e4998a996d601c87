#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <tributary/tributary.hpp>
#include <vector>

#include "tests/player/api/api_rig.h"

namespace tributary::capi {
namespace {

// A track of ten seconds at a CDN, loaded and not played.
struct Loaded {
  explicit Loaded(const std::string& name, bool with_edge = true)
      : directory(player::make_directory(name)), rig(directory) {
    make_sound(directory, "tone.opus", 10);
    const std::string torrent = rig.publish("tone.opus", 16_KiB, with_edge);
    rig.run();
    REQUIRE(client.load(torrent) == TRIBUTARY_OK);
    REQUIRE(tributary_reader_open(client, 0, &reader) == TRIBUTARY_OK);
  }
  ~Loaded() { tributary_reader_close(reader); }

  std::vector<std::uint8_t> original() const {
    return player::read_bytes(directory + "/tone.opus");
  }

  std::string directory;
  player::Rig rig;
  OpenClient client;
  tributary_reader* reader = nullptr;
};

TEST_CASE("a reader gives a track's bytes, in any order, and nothing beyond the end") {
  Loaded track("reader");
  const std::vector<std::uint8_t> original = track.original();
  const auto length = static_cast<std::int64_t>(original.size());
  CHECK(tributary_reader_length(track.reader) == length);
  std::vector<std::uint8_t> whole(original.size());
  std::int64_t at = length / 2;  // the later half first
  for (std::int64_t left = length; left > 0;) {
    const auto most = static_cast<std::size_t>(std::min<std::int64_t>(10'000, length - at));
    const std::int64_t read = tributary_reader_read(track.reader, at, whole.data() + at, most);
    REQUIRE(read > 0);
    left -= read;
    at = at + read == length ? 0 : at + read;
  }
  CHECK(whole == original);
  CHECK(tributary_reader_read(track.reader, length, whole.data(), 1) == 0);
  CHECK(tributary_reader_read(track.reader, length + 7, whole.data(), 1) == 0);
  CHECK(tributary_reader_read(track.reader, 0, nullptr, 0) == 0);
}

TEST_CASE("what is not at hand is told by an event, which names the reader") {
  Loaded track("try_read");
  std::vector<std::uint8_t> bytes(4096);
  std::int64_t read = tributary_reader_try_read(track.reader, 20'000, bytes.data(), bytes.size());
  while (read == TRIBUTARY_E_AGAIN) {
    const tributary_event event = track.client.wait_for(TRIBUTARY_EVENT_READABLE);
    REQUIRE(event.type == TRIBUTARY_EVENT_READABLE);
    CHECK(event.reader == track.reader);
    read = tributary_reader_try_read(track.reader, 20'000, bytes.data(), bytes.size());
  }
  REQUIRE(read > 0);
  const std::vector<std::uint8_t> original = track.original();
  CHECK(std::memcmp(bytes.data(), original.data() + 20'000, static_cast<std::size_t>(read)) == 0);
}

TEST_CASE("a read that waits ends when it is cancelled, and when reader or client are closed") {
  for (const int way : {0, 1, 2}) {
    Loaded track("waits", false);  // nobody has it
    std::promise<void> waits;
    auto read = std::async(std::launch::async, [&] {
      std::uint8_t byte = 0;
      waits.set_value();
      return tributary_reader_read(track.reader, 0, &byte, 1);
    });
    waits.get_future().wait();
    if (way == 0) CHECK(tributary_reader_cancel(track.reader) == TRIBUTARY_OK);
    if (way == 1) CHECK(tributary_reader_close(track.reader) == TRIBUTARY_OK);
    if (way == 2) CHECK(track.client.close() == TRIBUTARY_OK);
    const std::int64_t result = read.get();
    CHECK((result == TRIBUTARY_E_CANCELLED || result == TRIBUTARY_E_HANDLE));
  }
}

TEST_CASE("wrong arguments of a read are errors, and a closed reader is none") {
  Loaded track("bad_reads");
  std::uint8_t byte = 0;
  CHECK(tributary_reader_read(track.reader, -1, &byte, 1) == TRIBUTARY_E_INVALID);
  CHECK(tributary_reader_read(track.reader, 0, nullptr, 1) == TRIBUTARY_E_INVALID);
  CHECK(tributary_reader_read(nullptr, 0, &byte, 1) == TRIBUTARY_E_HANDLE);
  tributary_reader* none = track.reader;
  CHECK(tributary_reader_open(track.client, 1, &none) == TRIBUTARY_E_NOT_FOUND);
  CHECK(tributary_reader_open(track.client, 0, nullptr) == TRIBUTARY_E_INVALID);
  CHECK(tributary_reader_close(track.reader) == TRIBUTARY_OK);
  CHECK(tributary_reader_length(track.reader) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_reader_close(track.reader) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_client_finish(track.client) == TRIBUTARY_OK);
  CHECK(tributary_reader_open(track.client, 0, &none) == TRIBUTARY_E_STATE);
  CHECK(none == nullptr);
}

TEST_CASE("the wrapper reads a track and closes what it opened") {
  const std::string directory = player::make_directory("wrapper");
  make_sound(directory, "tone.opus", 3);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  auto client = api::Client::open({});
  REQUIRE(client);
  REQUIRE(client->load({torrent}));
  std::optional<api::Event> event = client->wait_event();
  REQUIRE(event);
  CHECK(event->type == TRIBUTARY_EVENT_LOADED);
  REQUIRE(client->tracks().size() == 1);
  auto reader = client->open_reader(0);
  REQUIRE(reader);
  char magic[4] = {};
  const auto read = reader->read(0, magic, sizeof magic);
  REQUIRE(read);
  CHECK(*read == sizeof magic);
  CHECK(std::string(magic, 4) == "OggS");
  const auto refused = client->set_limits({0, -1, 0, 0, 0});
  REQUIRE(!refused);
  CHECK(refused.error().code == TRIBUTARY_E_INVALID);
  CHECK(refused.error().message.find("up_bps") != std::string::npos);
}

}  // namespace
}  // namespace tributary::capi
