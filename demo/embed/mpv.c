/* A video player: libmpv, which reads what peers and CDN bring through its stream_cb.
 * Usage: embed_mpv SOURCE [OPTION VALUE]...     a .torrent or the like; options of mpv
 * Build: cc mpv.c $(pkg-config --cflags --libs tributary mpv) */
#include <mpv/client.h>
#include <mpv/stream_cb.h>
#include <stdio.h>
#include <stdlib.h>
#include <tributary/tributary.h>

#define SCHEME "tributary://" /* and the number of a track */

typedef struct stream {
  tributary_reader* reader;
  int64_t position;
} stream;

static int64_t read_stream(void* cookie, char* buffer, uint64_t size) {
  stream* self = cookie;
  const int64_t read = tributary_reader_read(self->reader, self->position, buffer, (size_t)size);
  if (read > 0) self->position += read;
  return read < 0 ? -1 : read;
}

static int64_t seek_stream(void* cookie, int64_t offset) {
  return ((stream*)cookie)->position = offset;
}

static int64_t size_of_stream(void* cookie) {
  return tributary_reader_length(((stream*)cookie)->reader);
}

static void cancel_stream(void* cookie) { tributary_reader_cancel(((stream*)cookie)->reader); }

static void close_stream(void* cookie) {
  tributary_reader_close(((stream*)cookie)->reader);
  free(cookie);
}

static int open_stream(void* client, char* uri, mpv_stream_cb_info* info) {
  const size_t track = strtoul(uri + sizeof SCHEME - 1, NULL, 10);
  stream* self = calloc(1, sizeof *self);
  if (self == NULL || tributary_reader_open(client, track, &self->reader) < 0) {
    free(self);
    return MPV_ERROR_LOADING_FAILED;
  }
  tributary_client_prefetch(client, track + 1); /* the last has none that follows */
  *info = (mpv_stream_cb_info){self,           read_stream,  seek_stream,
                               size_of_stream, close_stream, cancel_stream};
  return 0;
}

/* How many tracks there are; none where the source is bad. */
static int load(tributary_client* client, const char* source) {
  tributary_event event = {0};
  event.size = sizeof event;
  if (tributary_client_load(client, &source, 1) < 0) return 0;
  while (event.type != TRIBUTARY_EVENT_LOADED) {
    if (tributary_client_wait_event(client, -1, &event) < 0) return 0;
  }
  if (event.result < 0) fprintf(stderr, "%s\n", event.text);
  return tributary_client_track_count(client);
}

/* Until all was played or the window was closed; whether something failed. */
static int play(mpv_handle* mpv, int tracks) {
  int track, failed = tracks <= 0;
  for (track = 0; track < tracks; ++track) {
    char uri[sizeof SCHEME + 12];
    const char* command[] = {"loadfile", uri, "append-play", NULL};
    snprintf(uri, sizeof uri, SCHEME "%d", track);
    mpv_command(mpv, command);
  }
  while (tracks > 0) {
    const mpv_event* event = mpv_wait_event(mpv, -1);
    if (event->event_id == MPV_EVENT_SHUTDOWN) break;
    if (event->event_id != MPV_EVENT_END_FILE) continue;
    failed |= ((mpv_event_end_file*)event->data)->reason == MPV_END_FILE_REASON_ERROR;
  }
  return failed;
}

int main(int count, char** arguments) {
  tributary_options options = {0};
  tributary_client* client;
  mpv_handle* mpv = mpv_create();
  int i, failed = 1;
  if (count < 2) return fprintf(stderr, "usage: embed_mpv SOURCE [OPTION VALUE]...\n"), 2;
  options.size = sizeof options;
  options.upload = 1; /* ask your viewer first */
  if (mpv == NULL || tributary_client_open(&options, &client) < 0) return 1;
  mpv_set_option_string(mpv, "idle", "once"); /* it shuts down after the last track */
  for (i = 2; i + 1 < count; i += 2) mpv_set_option_string(mpv, arguments[i], arguments[i + 1]);
  if (mpv_initialize(mpv) >= 0 &&
      mpv_stream_cb_add_ro(mpv, "tributary", client, open_stream) >= 0) {
    failed = play(mpv, load(client, arguments[1]));
  }
  mpv_terminate_destroy(mpv);
  tributary_client_close(client);
  return failed;
}
