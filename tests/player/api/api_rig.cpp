#include "tests/player/api/api_rig.h"

#include <doctest/doctest.h>

namespace tributary::capi {
namespace {

constexpr std::int64_t kHanging = 60'000;  // ms

}  // namespace

OpenClient::OpenClient(const tributary_options& options) {
  const int opened = tributary_client_open(&options, &client_);
  INFO(tributary_error_message());
  REQUIRE(opened == TRIBUTARY_OK);
}

int OpenClient::close() { return tributary_client_close(client_); }

int OpenClient::load(const std::string& source) {
  const char* text = source.c_str();
  const int begun = tributary_client_load(client_, &text, 1);
  return begun < 0 ? begun : wait_for(TRIBUTARY_EVENT_LOADED).result;
}

tributary_event OpenClient::wait_for(tributary_event_type type) {
  auto event = sized<tributary_event>();
  while (tributary_client_wait_event(client_, kHanging, &event) == TRIBUTARY_OK) {
    if (event.type == type) return event;
  }
  return {};
}

bool OpenClient::reaches(tributary_state state) {
  for (;;) {
    const tributary_event event = wait_for(TRIBUTARY_EVENT_STATE);
    if (event.type == TRIBUTARY_EVENT_NONE) return false;
    if (event.state == state) return true;
  }
}

void make_sound(const std::string& directory, const std::string& name, int seconds) {
  player::run_command("ffmpeg -v error -y -f lavfi -i 'anoisesrc=d=" + std::to_string(seconds) +
                      ":a=0.1:seed=7' -c:a libopus -b:a 96k '" + directory + "/" + name + "'");
}

}  // namespace tributary::capi
