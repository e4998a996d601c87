/* A program in C on the installed header. Exits with 0 if the library is of the header's version,
 * opens a client, and says what is wrong with a source that is not there. */
#include <string.h>
#include <tributary/tributary.h>

int main(void) {
  const char* source = "not-there.torrent";
  tributary_options options = {0};
  tributary_event event = {0};
  tributary_client* client = NULL;
  int ok = tributary_version() >> 16 == TRIBUTARY_VERSION_MAJOR;
  options.size = sizeof options;
  event.size = sizeof event;
  if (tributary_client_open(&options, &client) < 0) return 1;
  ok = ok && tributary_client_load(client, &source, 1) == TRIBUTARY_OK &&
       tributary_client_wait_event(client, 20000, &event) == TRIBUTARY_OK &&
       event.type == TRIBUTARY_EVENT_LOADED && event.result == TRIBUTARY_E_NOT_FOUND &&
       strstr(event.text, source) != NULL;
  return tributary_client_close(client) == TRIBUTARY_OK && ok ? 0 : 1;
}
