#include <doctest/doctest.h>

#include <string>

#include "tests/player/api/api_rig.h"
#include "tests/support/fault_origin.h"

namespace tributary::capi {
namespace {

// Hands the client the URL that works, once one was refused.
struct Signer {
  tributary_client* client = nullptr;
  std::string url;
  std::string refused;
  int status = 0;
  int renewed = TRIBUTARY_E_STATE;

  static void on_refused(void* user, std::size_t track, const char* url, int status) {
    auto& self = *static_cast<Signer*>(user);
    self.refused = url;
    self.status = status;
    const char* fresh = self.url.c_str();
    self.renewed = tributary_client_set_edges(self.client, track, &fresh, 1);
  }
};

TEST_CASE("an edge that refuses its URL is told of, and the track plays from the new one") {
  const std::string directory = player::make_directory("signed");
  make_sound(directory, "tone.opus", 3);
  player::Rig rig(directory);
  const std::string torrent = rig.publish("tone.opus", 16_KiB, false);
  test::FaultOrigin expired(rig.loop(), "");
  expired.inject({.kind = test::Fault::Kind::kStatus,
                  .after = {},
                  .status = 403,
                  .headers = {},
                  .location = {}});
  const std::string old_url = expired.url() + "/tone.opus?signature=old";
  rig.run();

  Signer signer;
  signer.url = rig.edge();
  auto options = sized<tributary_options>();
  options.audio = "wav-fast:/dev/null";
  options.user = &signer;
  options.refused = Signer::on_refused;
  OpenClient client(options);
  signer.client = client;
  REQUIRE(client.load(torrent) == TRIBUTARY_OK);
  const char* url = "ftp://edge/";
  CHECK(tributary_client_set_edges(client, 0, &url, 1) == TRIBUTARY_E_INVALID);
  CHECK(tributary_client_set_edges(client, 0, &url, 0) == TRIBUTARY_E_INVALID);
  url = old_url.c_str();
  CHECK(tributary_client_set_edges(client, 1, &url, 1) == TRIBUTARY_E_NOT_FOUND);
  REQUIRE(tributary_client_set_edges(client, 0, &url, 1) == TRIBUTARY_OK);
  REQUIRE(tributary_client_start(client) == TRIBUTARY_OK);
  CHECK(client.wait_for(TRIBUTARY_EVENT_ENDED).result == TRIBUTARY_OK);
  client.close();
  CHECK(signer.refused == old_url);
  CHECK(signer.status == 403);
  CHECK(signer.renewed == TRIBUTARY_OK);
  rig.stop();  // before the origin on its loop goes
}

}  // namespace
}  // namespace tributary::capi
