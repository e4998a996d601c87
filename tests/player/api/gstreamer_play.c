/* Has playbin write the sound of a URI into a file, from a second on, for a test to look at. Exits
 * with 0 if it came to the end. With "leave" for the second it stops while it begins.
 * Usage: gstreamer_play URI FILE SECOND */
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

/* Of the bus: the next that tells of the state that was asked for, of the end, or of an error. */
static GstMessageType next(GstElement* playbin) {
  GstBus* bus = gst_element_get_bus(playbin);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (type == GST_MESSAGE_ERROR) {
    GError* error = NULL;
    gst_message_parse_error(message, &error, NULL);
    g_printerr("%s\n", error->message);
    g_error_free(error);
  }
  gst_message_unref(message);
  gst_object_unref(bus);
  return type;
}

static int play(GstElement* playbin, int64_t from) {
  GstMessageType type;
  gst_element_set_state(playbin, GST_STATE_PAUSED);
  if (next(playbin) != GST_MESSAGE_ASYNC_DONE) return 1;
  if (from > 0) {
    gst_element_seek_simple(playbin, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                            from);
    if (next(playbin) != GST_MESSAGE_ASYNC_DONE) return 1;
  }
  gst_element_set_state(playbin, GST_STATE_PLAYING);
  do {
    type = next(playbin);
  } while (type == GST_MESSAGE_ASYNC_DONE);
  return type == GST_MESSAGE_EOS ? 0 : 1;
}

int main(int count, char** arguments) {
  GstElement *playbin, *sink, *file;
  int result;
  if (count != 4) return 2;
  gst_init(NULL, NULL);
  playbin = gst_element_factory_make("playbin", NULL);
  sink = gst_parse_bin_from_description(
      "audioconvert ! audio/x-raw,format=S16LE ! filesink name=file", TRUE, NULL);
  if (playbin == NULL || sink == NULL) return 1;
  file = gst_bin_get_by_name(GST_BIN(sink), "file");
  g_object_set(file, "location", arguments[2], NULL);
  gst_object_unref(file);
  g_object_set(playbin, "uri", arguments[1], "audio-sink", sink, NULL);
  gst_util_set_object_arg(G_OBJECT(playbin), "flags", "audio");
  if (strcmp(arguments[3], "leave") == 0) {
    result = gst_element_set_state(playbin, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE;
  } else {
    result = play(playbin, (int64_t)atoi(arguments[3]) * GST_SECOND);
  }
  gst_element_set_state(playbin, GST_STATE_NULL);
  gst_object_unref(playbin);
  return result;
}
