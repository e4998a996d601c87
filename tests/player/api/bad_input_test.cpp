#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <future>
#include <string>
#include <thread>

#include "tests/player/api/api_rig.h"

namespace tributary::capi {
namespace {

bool told(const char* part) { return std::strstr(tributary_error_message(), part) != nullptr; }

int open_with(const tributary_options& options) {
  tributary_client* client = nullptr;
  const int opened = tributary_client_open(&options, &client);
  CHECK((opened == TRIBUTARY_OK) == (client != nullptr));
  if (client) tributary_client_close(client);
  return opened;
}

TEST_CASE("each error has a name, and an unknown number none") {
  CHECK(std::string(tributary_error_name(TRIBUTARY_OK)) == "TRIBUTARY_OK");
  CHECK(std::string(tributary_error_name(TRIBUTARY_E_INTERNAL)) == "TRIBUTARY_E_INTERNAL");
  for (const int unknown : {1, -14, -2147483647 - 1}) {
    CHECK(std::string(tributary_error_name(unknown)) == "TRIBUTARY_E_?");
  }
}

TEST_CASE("a handle that is none, closed or of another kind is an error") {
  int dummy = 0;
  auto* made_up = reinterpret_cast<tributary_client*>(&dummy);
  CHECK(tributary_client_start(nullptr) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_client_start(made_up) == TRIBUTARY_E_HANDLE);
  CHECK(told("no such client"));
  OpenClient client;
  tributary_report* report = nullptr;
  REQUIRE(tributary_client_report(client, &report) == TRIBUTARY_OK);
  CHECK(tributary_client_next(reinterpret_cast<tributary_client*>(report)) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_client_close(reinterpret_cast<tributary_client*>(report)) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_report_free(reinterpret_cast<tributary_report*>(
            static_cast<tributary_client*>(client))) == TRIBUTARY_E_HANDLE);
  CHECK(tributary_report_free(report) == TRIBUTARY_OK);
  CHECK(tributary_report_free(report) == TRIBUTARY_E_HANDLE);
  CHECK(client.close() == TRIBUTARY_OK);
  CHECK(client.close() == TRIBUTARY_E_HANDLE);
  CHECK(tributary_client_track_count(client) == TRIBUTARY_E_HANDLE);
}

TEST_CASE("a struct of a wrong size is refused, one of an older or newer header is not") {
  auto options = sized<tributary_options>();
  for (const std::size_t wrong :
       {std::size_t{0}, sizeof(std::size_t), sizeof options - 1, std::size_t{1} << 40}) {
    options.size = wrong;
    CHECK(open_with(options) == TRIBUTARY_E_SIZE);
    CHECK(told("tributary_options"));
  }
  struct Newer {
    tributary_options known;
    void* unknown;
  } newer = {sized<tributary_options>(), nullptr};
  newer.known.size = sizeof newer;
  CHECK(open_with(newer.known) == TRIBUTARY_OK);
  newer.unknown = &newer;
  CHECK(open_with(newer.known) == TRIBUTARY_E_SIZE);
  CHECK(told("older than the header"));
  options.size = offsetof(tributary_options, upload);  // ends before it
  options.upload = 17;
  CHECK(open_with(options) == TRIBUTARY_OK);
  struct {
    tributary_policy known = sized<tributary_policy>();
    int guard = 7;
  } policy;
  policy.known.size = offsetof(tributary_policy, head_ms);
  policy.known.head_ms = -5;
  CHECK(tributary_policy_named("spotify", &policy.known) == TRIBUTARY_OK);
  CHECK(policy.known.use_cdn == 1);
  CHECK(policy.known.head_ms == -5);  // beyond what it may fill
  CHECK(policy.guard == 7);
}

TEST_CASE("an option out of range is an error that names it") {
  struct Case {
    const char* name;
    void (*set)(tributary_options&);
  };
  static const char* const kNull[1] = {nullptr};
  static const char* const kNowhere[1] = {"nowhere"};
  const Case cases[] = {
      {"upload", [](tributary_options& o) { o.upload = 2; }},
      {"up_bps", [](tributary_options& o) { o.up_bps = -1; }},
      {"down_bps", [](tributary_options& o) { o.down_bps = 1'000'000'000'001; }},
      {"up_each_bps", [](tributary_options& o) { o.up_each_bps = INT64_MAX; }},
      {"memory_limit_bytes", [](tributary_options& o) { o.memory_limit_bytes = 1; }},
      {"cache_limit_bytes", [](tributary_options& o) { o.cache_limit_bytes = -1; }},
      {"max_connections", [](tributary_options& o) { o.max_connections = 1 << 30; }},
      {"from_ms", [](tributary_options& o) { o.from_ms = INT64_MIN; }},
      {"until_ms", [](tributary_options& o) { o.from_ms = o.until_ms = 5; }},
      {"listen", [](tributary_options& o) { o.listen = "localhost"; }},
      {"peers[0]", [](tributary_options& o) { o.peers = kNull, o.peer_count = 1; }},
      {"peers is NULL", [](tributary_options& o) { o.peer_count = 1; }},
      {"peer 'nowhere'", [](tributary_options& o) { o.peers = kNowhere, o.peer_count = 1; }},
      {"dht node", [](tributary_options& o) { o.dht_nodes = kNowhere, o.dht_node_count = 1; }},
      {"encryption",
       [](tributary_options& o) { o.encryption = static_cast<tributary_encryption>(3); }},
      {"transport",
       [](tributary_options& o) { o.transport = static_cast<tributary_transport>(3); }},
      {"audio", [](tributary_options& o) { o.audio = "gramophone"; }},
      {"no-such-interface",
       [](tributary_options& o) { o.network_interface = "no-such-interface"; }},
      {"/nonexistent", [](tributary_options& o) { o.operators_file = "/nonexistent"; }},
  };
  for (const Case& wrong : cases) {
    auto options = sized<tributary_options>();
    wrong.set(options);
    CHECK(open_with(options) < 0);
    CHECK_MESSAGE(told(wrong.name), wrong.name << ": " << tributary_error_message());
  }
  tributary_client* client = nullptr;
  CHECK(tributary_client_open(nullptr, &client) == TRIBUTARY_E_INVALID);
  const auto options = sized<tributary_options>();
  CHECK(tributary_client_open(&options, nullptr) == TRIBUTARY_E_INVALID);
}

TEST_CASE("a policy out of range is an error that names the value") {
  auto policy = sized<tributary_policy>();
  CHECK(tributary_policy_named("greedy", &policy) == TRIBUTARY_E_NOT_FOUND);
  CHECK(tributary_policy_named(nullptr, &policy) == TRIBUTARY_E_NOT_FOUND);
  CHECK(tributary_policy_named("adaptive", nullptr) == TRIBUTARY_E_INVALID);
  REQUIRE(tributary_policy_named("adaptive", &policy) == TRIBUTARY_OK);
  CHECK(policy.head_ms == 2'000);
  CHECK(policy.server_throttle_ms == -1);
  OpenClient client;
  CHECK(tributary_client_set_policy(client, &policy) == TRIBUTARY_OK);
  policy.min_depth = 0;
  CHECK(tributary_client_set_policy(client, &policy) == TRIBUTARY_E_INVALID);
  CHECK(told("policy.min_depth is 0; give 1 to 1000"));
  policy.min_depth = 5;
  policy.margin_ms = -1;
  CHECK(tributary_client_set_policy(client, &policy) == TRIBUTARY_E_INVALID);
  auto options = sized<tributary_options>();
  options.policy = &policy;
  CHECK(open_with(options) == TRIBUTARY_E_INVALID);
  CHECK(told("policy.margin_ms"));
}

TEST_CASE("calls that come too early, twice or without their arguments are errors") {
  OpenClient client;
  CHECK(tributary_client_start(client) == TRIBUTARY_E_STATE);
  CHECK(tributary_client_seek(client, 0) == TRIBUTARY_E_STATE);
  CHECK(tributary_client_stop(client) == TRIBUTARY_E_STATE);
  CHECK(tributary_client_track_count(client) == 0);
  auto track = sized<tributary_track>();
  CHECK(tributary_client_track(client, 0, &track) == TRIBUTARY_E_NOT_FOUND);
  CHECK(tributary_client_prefetch(client, 0) == TRIBUTARY_E_NOT_FOUND);
  CHECK(tributary_client_load(client, nullptr, 1) == TRIBUTARY_E_INVALID);
  const char* sources[] = {nullptr};
  CHECK(tributary_client_load(client, sources, 0) == TRIBUTARY_E_INVALID);
  CHECK(tributary_client_load(client, sources, 1) == TRIBUTARY_E_INVALID);
  tributary_snapshot* snapshot = nullptr;
  CHECK(tributary_client_snapshot(client, 65'537, &snapshot) == TRIBUTARY_E_INVALID);
  CHECK(tributary_client_snapshot(client, 0, nullptr) == TRIBUTARY_E_INVALID);
  CHECK(tributary_client_address(client, nullptr) == TRIBUTARY_E_INVALID);
  auto event = sized<tributary_event>();
  CHECK(tributary_client_next_event(client, &event) == TRIBUTARY_E_AGAIN);
  CHECK(tributary_client_wait_event(client, 1, &event) == TRIBUTARY_E_AGAIN);
  CHECK(tributary_client_next_event(client, nullptr) == TRIBUTARY_E_INVALID);
  auto limits = sized<tributary_limits>();
  CHECK(tributary_client_set_limits(client, &limits) == TRIBUTARY_OK);
  limits.up_bps = -1;
  CHECK(tributary_client_set_limits(client, &limits) == TRIBUTARY_E_INVALID);
  CHECK(told("up_bps"));
  CHECK(tributary_client_finish(client) == TRIBUTARY_OK);
  sources[0] = "song.torrent";
  CHECK(tributary_client_load(client, sources, 1) == TRIBUTARY_E_STATE);
}

TEST_CASE("a source that cannot be used is told by the event, and another may be loaded then") {
  OpenClient client;
  const char* source = "/nonexistent/song.torrent";
  REQUIRE(tributary_client_load(client, &source, 1) == TRIBUTARY_OK);
  const tributary_event event = client.wait_for(TRIBUTARY_EVENT_LOADED);
  CHECK(event.result == TRIBUTARY_E_NOT_FOUND);
  CHECK(std::string(event.text).find(source) != std::string::npos);
  CHECK(client.load("http://127.0.0.1:1/song.torrent") == TRIBUTARY_E_IO);
}

TEST_CASE("loading ends when it is given up, and when the client is closed") {
  // Nobody knows it, but a node of the DHT may.
  const std::string magnet = "magnet:?xt=urn:btih:" + std::string(40, 'a') + "&x.pe=127.0.0.1:1";
  const char* source = magnet.c_str();
  OpenClient client;
  REQUIRE(tributary_client_load(client, &source, 1) == TRIBUTARY_OK);
  CHECK(tributary_client_load(client, &source, 1) == TRIBUTARY_E_STATE);
  CHECK(tributary_client_cancel_load(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_LOADED).result == TRIBUTARY_E_CANCELLED);
  REQUIRE(tributary_client_load(client, &source, 1) == TRIBUTARY_OK);
  CHECK(client.close() == TRIBUTARY_OK);
}

TEST_CASE("closing wakes whoever waits for an event") {
  OpenClient client;
  std::promise<void> waits;
  std::thread waiter([&] {
    auto event = sized<tributary_event>();
    waits.set_value();
    const int result = tributary_client_wait_event(client, -1, &event);
    CHECK((result == TRIBUTARY_E_CANCELLED || result == TRIBUTARY_E_HANDLE));
  });
  waits.get_future().wait();
  CHECK(client.close() == TRIBUTARY_OK);
  waiter.join();
}

// Closes the client from within a callback, and blocks it until told.
struct Blocker {
  std::atomic<tributary_client*> client = nullptr;
  std::promise<int> closed;
  std::promise<void> go_on;
  std::atomic<bool> called = false;

  static void on_wakeup(void* user) {
    auto& self = *static_cast<Blocker*>(user);
    if (self.called.exchange(true)) return;
    self.closed.set_value(tributary_client_close(self.client));
    self.go_on.get_future().wait();
  }
};

TEST_CASE("a callback may not close its client, and one that blocks holds nothing up") {
  const std::string directory = player::make_directory("blocks");
  make_sound(directory, "tone.opus", 3);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus");
  rig.run();
  Blocker blocker;
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  options.user = &blocker;
  options.wakeup = Blocker::on_wakeup;
  OpenClient client(options);
  blocker.client = client;
  REQUIRE(client.load(torrent) == TRIBUTARY_OK);
  CHECK(blocker.closed.get_future().get() == TRIBUTARY_E_THREAD);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
  blocker.go_on.set_value();
}

}  // namespace
}  // namespace tributary::capi
