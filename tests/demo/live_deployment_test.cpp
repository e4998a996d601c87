#include "demo/loadtest/live_deployment.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "engine/net/http_client.h"
#include "tests/demo/process.h"

namespace tributary::demo {
namespace {

using Fault = sim::LoadFault::Kind;

// The status of an answer; none where nobody answers.
std::optional<int> status_of(net::Loop& loop, const std::string& url) {
  net::HttpClient client(loop);
  net::HttpClientRequest request;
  request.url = url;
  request.total_timeout = 20s;
  std::optional<Result<net::HttpReply>> reply;
  client.fetch(std::move(request), [&](Result<net::HttpReply> r) { reply = std::move(r); });
  REQUIRE(loop.run_until([&] { return reply.has_value(); }, 30s));
  if (!*reply) return std::nullopt;
  return (*reply)->head.status;
}

TEST_CASE("a CDN that was taken down comes back at its address, and all that it sent counts") {
  const testing::Folder folder;
  folder.add_text("track", std::string(1000, 'x'));
  net::Loop loop;
  const auto made = LiveDeployment::start(loop, {}, folder.path(""), {});
  REQUIRE(made.ok());
  LiveDeployment& deployment = **made;
  const std::string url = deployment.edge() + "track";
  CHECK(deployment.own_edge());
  CHECK(status_of(loop, url) == 200);
  REQUIRE(deployment.set_down(Fault::kCdnDown, true).ok());
  CHECK_FALSE(status_of(loop, url));
  CHECK(deployment.egress().bytes == 1000_B);
  REQUIRE(deployment.set_down(Fault::kCdnDown, false).ok());
  REQUIRE(deployment.set_down(Fault::kCdnDown, false).ok());
  CHECK(status_of(loop, url) == 200);
  CHECK(status_of(loop, deployment.edge() + "missing") == 404);
  CHECK(deployment.egress().bytes >= 2000_B);
  CHECK(deployment.egress().requests == 3);
  CHECK(deployment.egress().failures == 1);
}

TEST_CASE("a tracker that was taken down comes back at its address") {
  const testing::Folder folder;
  net::Loop loop;
  const auto made = LiveDeployment::start(loop, {}, folder.path(""), {});
  REQUIRE(made.ok());
  LiveDeployment& deployment = **made;
  const std::string url = deployment.tracker();
  CHECK(status_of(loop, url));
  REQUIRE(deployment.set_down(Fault::kTrackerDown, true).ok());
  CHECK_FALSE(status_of(loop, url));
  REQUIRE(deployment.set_down(Fault::kTrackerDown, false).ok());
  CHECK(deployment.tracker() == url);
  CHECK(status_of(loop, url));
}

TEST_CASE("only addresses that can be nowhere else count as this machine's") {
  CHECK(LiveTarget{}.is_loopback());
  CHECK(LiveTarget{"http://127.0.0.1:80/", "udp://[::1]:6969/announce"}.is_loopback());
  CHECK(LiveTarget{"http://localhost/x/", ""}.is_loopback());
  CHECK_FALSE(LiveTarget{"https://cdn.example.org/", ""}.is_loopback());
  CHECK_FALSE(LiveTarget{"", "http://127.0.0.1.example.org/announce"}.is_loopback());
  CHECK_FALSE(LiveTarget{"http://localhost.example.org/", ""}.is_loopback());
}

}  // namespace
}  // namespace tributary::demo
