/* Plays what it is given, in C: tributary on the events of one thread.
 * Usage: embed_c SOURCE [SINK]     a .torrent, magnet link, playlist or URL; "sdl", "null",
 * "wav:FILE" Build: cc play.c $(pkg-config --cflags --libs tributary) */
#include <stdio.h>
#include <tributary/tributary.h>

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, tributary_error_message());
  return 1;
}

/* One line of what is heard, and of who brings it. */
static void show(tributary_client* client) {
  tributary_snapshot* snapshot;
  tributary_status status = {0};
  tributary_ledger ledger = {0};
  status.size = sizeof status;
  ledger.size = sizeof ledger;
  if (tributary_client_snapshot(client, 0, &snapshot) < 0) return;
  if (tributary_snapshot_status(snapshot, &status) == 0 &&
      tributary_snapshot_ledger(snapshot, &ledger) == 0) {
    printf("%s  %ld of %ld s  %ld kB from peers, %ld kB from the CDN\n", status.title,
           (long)(status.position_ms / 1000), (long)(status.duration_ms / 1000),
           (long)(ledger.peers_bytes / 1000), (long)(ledger.cdn_bytes / 1000));
    fflush(stdout);
  }
  tributary_snapshot_free(snapshot);
}

/* Until all was played; shows the state once a second. */
static int run(tributary_client* client) {
  tributary_event event = {0};
  event.size = sizeof event;
  for (;;) {
    const int result = tributary_client_wait_event(client, 1000, &event);
    if (result == TRIBUTARY_E_AGAIN) {
      show(client);
      continue;
    }
    if (result < 0) return fail("events");
    if (event.type == TRIBUTARY_EVENT_MESSAGE || event.type == TRIBUTARY_EVENT_RESOLVING) {
      printf("%s\n", event.text);
    } else if (event.type == TRIBUTARY_EVENT_LOADED || event.type == TRIBUTARY_EVENT_ENDED) {
      if (event.result < 0) return fprintf(stderr, "%s\n", event.text), 1;
      if (event.type == TRIBUTARY_EVENT_ENDED) return show(client), 0;
      if (tributary_client_start(client) < 0) return fail("start");
    }
  }
}

int main(int count, char** arguments) {
  tributary_options options = {0};
  tributary_client* client;
  int result;
  if (count < 2) return fprintf(stderr, "usage: embed_c SOURCE [SINK]\n"), 2;
  options.size = sizeof options;
  options.audio = count > 2 ? arguments[2] : "sdl";
  options.upload = 1; /* ask your listener first */
  if (tributary_client_open(&options, &client) < 0) return fail("open");
  result = tributary_client_load(client, (const char* const*)&arguments[1], 1) < 0 ? fail("load")
                                                                                   : run(client);
  tributary_client_finish(client);
  tributary_client_close(client);
  return result;
}
