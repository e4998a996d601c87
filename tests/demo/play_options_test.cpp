#include "demo/play_options.h"

#include <doctest/doctest.h>

#include <set>

#include "demo/engine_names.h"
#include "demo/host_options.h"

namespace tributary::demo {
namespace {

api::Options options_of(const ClientArguments& arguments) {
  api::Options options;
  const auto applied = apply(arguments, options);
  REQUIRE_MESSAGE(applied.ok(), (applied.ok() ? "" : applied.error().message));
  return options;
}

std::string message_of(const ClientArguments& arguments) {
  api::Options options;
  const auto applied = apply(arguments, options);
  return applied ? "" : applied.error().message;
}

TEST_CASE("without options the library's defaults hold, and peers are served") {
  const api::Options options = options_of({});
  CHECK(options.upload);
  CHECK_FALSE(options.metered);
  CHECK(options.listen.empty());
  CHECK(options.max_connections == 0);
  CHECK(options.up_bps == 0);
  CHECK(options.down_each_bps == 0);
  CHECK(options.encryption == TRIBUTARY_ENCRYPTION_ALLOWED);
  CHECK(options.transport == TRIBUTARY_TRANSPORT_BOTH);
  CHECK(options.policy->head_ms == api::policy_named("adaptive")->head_ms);
}

TEST_CASE("what the command line says reaches the library") {
  ClientArguments arguments;
  arguments.policy = "spotify";
  arguments.down = 8_Mbps;
  arguments.peers = {"127.0.0.1:6881", "[::1]:6882"};
  arguments.no_upload = true;
  arguments.network.listen = Endpoint::v4(0, 0, 0, 0, 6881);
  arguments.network.up_each = 1_Mbps;
  arguments.network.connections = 7;
  arguments.network.dht_nodes = {"dht.test:6881"};
  arguments.network.no_overlay = true;
  const api::Options options = options_of(arguments);
  CHECK(options.policy->head_ms == 15'000);
  CHECK(options.policy->unchoker == TRIBUTARY_UNCHOKER_NEED_FIRST);
  CHECK(options.down_bps == 8'000'000);
  CHECK(options.peers == std::vector<std::string>{"127.0.0.1:6881", "[::1]:6882"});
  CHECK_FALSE(options.upload);
  CHECK(options.listen == "0.0.0.0:6881");
  CHECK(options.up_each_bps == 1'000'000);
  CHECK(options.max_connections == 7);
  CHECK(options.dht_nodes == arguments.network.dht_nodes);
  CHECK_FALSE(options.overlay);
}

TEST_CASE("each name that the command line takes is a value of the library's") {
  ClientArguments arguments;
  for (const std::string& name : unchoker_names()) {
    arguments.unchoker = name;
    const auto unchoker = options_of(arguments).policy->unchoker;
    CHECK(static_cast<int>(unchoker) == static_cast<int>(*parse_unchoker(name)));
  }
  std::set<int> encryptions;
  for (const std::string& name : encryption_names()) {
    arguments.network.encryption = name;
    encryptions.insert(options_of(arguments).encryption);
  }
  CHECK(encryptions.size() == encryption_names().size());
  std::set<int> transports;
  for (const std::string& name : transport_names()) {
    arguments.network.transport = name;
    transports.insert(options_of(arguments).transport);
  }
  CHECK(transports.size() == transport_names().size());
}

TEST_CASE("what is not understood is told in the command's words") {
  ClientArguments arguments;
  arguments.policy = "magic";
  CHECK(message_of(arguments) ==
        "unknown policy 'magic'; choose adaptive, spotify, cdn-only, peers-only");
  arguments = {};
  arguments.network.dht_nodes = {"nowhere"};
  CHECK(message_of(arguments).starts_with("DHT node 'nowhere' is not understood"));
  arguments = {};
  arguments.peers = {"nowhere"};
  CHECK(message_of(arguments).starts_with("peer 'nowhere' is not understood"));
}

TEST_CASE("an error of the library stays one of its kind") {
  CHECK(error_of({TRIBUTARY_E_INVALID, "so"}).message == "so");
  CHECK(error_of({TRIBUTARY_E_INVALID, ""}).code == ErrorCode::kInvalid);
  CHECK(error_of({TRIBUTARY_E_UNSUPPORTED, ""}).code == ErrorCode::kUnsupported);
  CHECK(error_of({TRIBUTARY_E_NOT_FOUND, ""}).code == ErrorCode::kNotFound);
  CHECK(error_of({TRIBUTARY_E_LIMIT, ""}).code == ErrorCode::kLimit);
  CHECK(error_of({TRIBUTARY_E_CANCELLED, ""}).code == ErrorCode::kCancelled);
  CHECK(error_of({TRIBUTARY_E_IO, ""}).code == ErrorCode::kIo);
  CHECK(error_of({TRIBUTARY_E_MEMORY, ""}).code == ErrorCode::kIo);
}

}  // namespace
}  // namespace tributary::demo
