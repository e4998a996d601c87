// The C API over a small deployment on loopback, for its tests.
#pragma once

#include <tributary/tributary.h>

#include <string>

#include "tests/player/client/rig.h"

namespace tributary::capi {

// A struct of the API with its size set.
template <class T>
T sized() {
  T value{};
  value.size = sizeof value;
  return value;
}

// A client that is closed at the end.
class OpenClient {
 public:
  explicit OpenClient(const tributary_options& options);
  OpenClient() : OpenClient(sized<tributary_options>()) {}
  ~OpenClient() { close(); }
  OpenClient(const OpenClient&) = delete;
  OpenClient& operator=(const OpenClient&) = delete;

  operator tributary_client*() const { return client_; }  // NOLINT: stands for the handle
  int close();

  int load(const std::string& source);
  // The next event of the type, passing over others; TRIBUTARY_EVENT_NONE when none comes. The
  // limit only stops a hanging test.
  tributary_event wait_for(tributary_event_type type);
  bool reaches(tributary_state state);

 private:
  tributary_client* client_ = nullptr;
};

// DIRECTORY/NAME: so many seconds of sound.
void make_sound(const std::string& directory, const std::string& name, int seconds);

}  // namespace tributary::capi
