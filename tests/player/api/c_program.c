#include "tests/player/api/c_program.h"

#include <tributary/tributary.h>

static int play(tributary_client* client, const char* source) {
  tributary_event event = {0};
  int result = tributary_client_load(client, &source, 1);
  event.size = sizeof event;
  while (result == 0) {
    result = tributary_client_wait_event(client, 60000, &event);
    if (result < 0 || event.type == TRIBUTARY_EVENT_ENDED) break;
    if (event.type != TRIBUTARY_EVENT_LOADED) continue;
    result = event.result < 0 ? event.result : tributary_client_start(client);
  }
  return result < 0 ? result : event.result;
}

int c_program_plays(const char* source, const char* audio) {
  tributary_options options = {0};
  tributary_client* client = NULL;
  int result;
  options.size = sizeof options;
  options.audio = audio;
  result = tributary_client_open(&options, &client);
  if (result < 0) return result;
  result = play(client, source);
  if (result == 0) result = tributary_client_track_count(client);
  tributary_client_finish(client);
  tributary_client_close(client);
  return result;
}
