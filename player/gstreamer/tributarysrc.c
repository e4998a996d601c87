/* tributarysrc: a GStreamer source element for tributary:// URIs, on the C API alone.
 *
 *   tributary://SOURCE[#TRACK]
 *
 * SOURCE is what tributary_client_load() takes: the path of a .torrent or playlist, which begins
 * with a slash and may be percent-encoded, or a URL or magnet link, as it is. TRACK counts from 0.
 *
 * Each element has a client of its own from READY on. Starting waits until the source is known;
 * reading waits until the bytes are verified, and a flush ends that at once. */
#include <gst/base/gstbasesrc.h>
#include <gst/gst.h>
#include <string.h>
#include <tributary/tributary.h>

GST_DEBUG_CATEGORY_STATIC(tributary_src_debug);
#define GST_CAT_DEFAULT tributary_src_debug

#define SCHEME "tributary"
/* Demuxers that pull choose their own; the others get two blocks of BitTorrent at a time. */
#define BLOCK_SIZE (32 << 10)

#define TRIBUTARY_TYPE_SRC (tributary_src_get_type())
G_DECLARE_FINAL_TYPE(TributarySrc, tributary_src, TRIBUTARY, SRC, GstBaseSrc)

/* Tracks: the client and reader between start() and stop(), and whether there may be events that
 * were not pulled. The lock is for `woken` and `flushing`; properties change before start() only.
 */
struct _TributarySrc {
  GstBaseSrc parent;

  gchar* uri;
  gchar* policy;
  gchar* cache_directory;
  gboolean upload;

  tributary_client* client;
  tributary_reader* reader;

  GMutex lock;
  GCond changed;
  gboolean woken;
  gboolean flushing;
};

enum { PROP_URI = 1, PROP_POLICY, PROP_CACHE_DIRECTORY, PROP_UPLOAD, PROP_STATS };

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* What happens ------------------------------------------------------------------------------- */

static void wake(void* user) {
  TributarySrc* self = user;
  g_mutex_lock(&self->lock);
  self->woken = TRUE;
  g_cond_broadcast(&self->changed);
  g_mutex_unlock(&self->lock);
}

static void set_flushing(TributarySrc* self, gboolean flushing) {
  g_mutex_lock(&self->lock);
  self->flushing = flushing;
  g_cond_broadcast(&self->changed);
  g_mutex_unlock(&self->lock);
}

/* Waits until there are events; FALSE when flushing. */
static gboolean wait_for_events(TributarySrc* self) {
  gboolean flushing;
  g_mutex_lock(&self->lock);
  while (!self->woken && !self->flushing) g_cond_wait(&self->changed, &self->lock);
  self->woken = FALSE;
  flushing = self->flushing;
  g_mutex_unlock(&self->lock);
  return !flushing;
}

/* All events that are there; `loaded` gets the result of loading, if that ended. */
static void pull_events(TributarySrc* self, tributary_event* loaded) {
  tributary_event event = {0};
  event.size = sizeof event;
  while (tributary_client_next_event(self->client, &event) == TRIBUTARY_OK) {
    if (event.type == TRIBUTARY_EVENT_LOADED) {
      if (event.result < 0) {
        GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("%s", event.text), (NULL));
      }
      *loaded = event;
    } else if (event.text[0] != '\0') {
      GST_INFO_OBJECT(self, "%s", event.text);
    }
  }
}

/* Starting and stopping ---------------------------------------------------------------------- */

/* The source that the URI names, to be freed, and the track. */
static gchar* parse_uri(const gchar* uri, size_t* track) {
  gchar* source = g_strdup(uri + strlen(SCHEME "://"));
  gchar* fragment = strrchr(source, '#');
  guint64 number = 0;
  if (fragment != NULL &&
      g_ascii_string_to_unsigned(fragment + 1, 10, 0, G_MAXUINT32, &number, NULL)) {
    *fragment = '\0';
  }
  *track = number;
  if (source[0] == '/') {
    gchar* path = g_uri_unescape_string(source, NULL);
    if (path != NULL) {
      g_free(source);
      source = path;
    }
  }
  return source;
}

static gboolean open_client(TributarySrc* self) {
  tributary_options options = {0};
  tributary_policy policy = {0};
  options.size = sizeof options;
  policy.size = sizeof policy;
  if (self->policy != NULL) {
    if (tributary_policy_named(self->policy, &policy) < 0) return FALSE;
    options.policy = &policy;
  }
  options.cache_directory = self->cache_directory;
  options.upload = self->upload;
  options.user = self;
  options.wakeup = wake;
  return tributary_client_open(&options, &self->client) == TRIBUTARY_OK;
}

/* FALSE where nothing was begun, or when flushing; a source that is bad posts its error itself. */
static gboolean load(TributarySrc* self, const gchar* source, size_t track) {
  tributary_event loaded = {0};
  if (tributary_client_load(self->client, &source, 1) < 0) return FALSE;
  while (loaded.type != TRIBUTARY_EVENT_LOADED) {
    if (!wait_for_events(self)) return FALSE;
    pull_events(self, &loaded);
  }
  return loaded.result == TRIBUTARY_OK &&
         tributary_reader_open(self->client, track, &self->reader) == TRIBUTARY_OK;
}

static gboolean tributary_src_stop(GstBaseSrc* base) {
  TributarySrc* self = TRIBUTARY_SRC(base);
  if (self->reader != NULL) tributary_reader_close(self->reader);
  if (self->client != NULL) tributary_client_close(self->client);
  self->reader = NULL;
  self->client = NULL;
  return TRUE;
}

static gboolean tributary_src_start(GstBaseSrc* base) {
  TributarySrc* self = TRIBUTARY_SRC(base);
  size_t track = 0;
  gchar* source;
  gboolean started;
  if (self->uri == NULL) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("No URI is set"), (NULL));
    return FALSE;
  }
  source = parse_uri(self->uri, &track);
  set_flushing(self, FALSE); /* of an earlier stop */
  self->woken = FALSE;
  started = open_client(self) && load(self, source, track);
  g_free(source);
  if (started) return TRUE;
  GST_ELEMENT_ERROR(self, RESOURCE, OPEN_READ, ("%s", tributary_error_message()), (NULL));
  tributary_src_stop(base);
  return FALSE;
}

/* Reading ------------------------------------------------------------------------------------ */

static gboolean tributary_src_get_size(GstBaseSrc* base, guint64* size) {
  const int64_t length = tributary_reader_length(TRIBUTARY_SRC(base)->reader);
  if (length < 0) return FALSE;
  *size = (guint64)length;
  return TRUE;
}

static gboolean tributary_src_is_seekable(GstBaseSrc* base) {
  (void)base;
  return TRUE;
}

/* At least one byte, 0 at the end, or a negative error: CANCELLED when flushing. */
static int64_t read_some(TributarySrc* self, guint64 offset, guint8* data, gsize size) {
  tributary_event loaded = {0};
  for (;;) {
    const int64_t got = tributary_reader_try_read(self->reader, (int64_t)offset, data, size);
    if (got != TRIBUTARY_E_AGAIN) return got;
    if (!wait_for_events(self)) return TRIBUTARY_E_CANCELLED;
    pull_events(self, &loaded);
  }
}

/* Whole, but for the end of the track: a short buffer would be taken for that. */
static GstFlowReturn tributary_src_fill(GstBaseSrc* base, guint64 offset, guint size,
                                        GstBuffer* buffer) {
  TributarySrc* self = TRIBUTARY_SRC(base);
  GstMapInfo map;
  gsize filled = 0;
  int64_t got = 1;
  if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE)) return GST_FLOW_ERROR;
  while (filled < size && got > 0) {
    got = read_some(self, offset + filled, map.data + filled, size - filled);
    if (got > 0) filled += (gsize)got;
  }
  gst_buffer_unmap(buffer, &map);
  if (got == TRIBUTARY_E_CANCELLED) return GST_FLOW_FLUSHING;
  if (got < 0) {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, ("%s", tributary_error_message()), (NULL));
    return GST_FLOW_ERROR;
  }
  if (filled == 0) return GST_FLOW_EOS;
  gst_buffer_resize(buffer, 0, (gssize)filled);
  return GST_FLOW_OK;
}

static gboolean tributary_src_unlock(GstBaseSrc* base) {
  set_flushing(TRIBUTARY_SRC(base), TRUE);
  return TRUE;
}

static gboolean tributary_src_unlock_stop(GstBaseSrc* base) {
  set_flushing(TRIBUTARY_SRC(base), FALSE);
  return TRUE;
}

/* URIs and properties ------------------------------------------------------------------------ */

static GstURIType uri_type(GType type) {
  (void)type;
  return GST_URI_SRC;
}

static const gchar* const* uri_protocols(GType type) {
  static const gchar* const protocols[] = {SCHEME, NULL};
  (void)type;
  return protocols;
}

static gchar* uri_get(GstURIHandler* handler) {
  gchar* uri;
  GST_OBJECT_LOCK(handler);
  uri = g_strdup(TRIBUTARY_SRC(handler)->uri);
  GST_OBJECT_UNLOCK(handler);
  return uri;
}

static gboolean uri_set(GstURIHandler* handler, const gchar* uri, GError** error) {
  TributarySrc* self = TRIBUTARY_SRC(handler);
  if (GST_STATE(self) > GST_STATE_READY) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE, "The element is in use");
    return FALSE;
  }
  if (uri != NULL && !g_str_has_prefix(uri, SCHEME "://")) {
    g_set_error(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "No tributary:// URI: %s", uri);
    return FALSE;
  }
  GST_OBJECT_LOCK(self);
  g_free(self->uri);
  self->uri = g_strdup(uri);
  GST_OBJECT_UNLOCK(self);
  return TRUE;
}

static void implement_uri_handler(gpointer interface, gpointer data) {
  GstURIHandlerInterface* handler = interface;
  (void)data;
  handler->get_type = uri_type;
  handler->get_protocols = uri_protocols;
  handler->get_uri = uri_get;
  handler->set_uri = uri_set;
}

G_DEFINE_TYPE_WITH_CODE(TributarySrc, tributary_src, GST_TYPE_BASE_SRC,
                        G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, implement_uri_handler))

/* Bytes by source of the session so far; empty before it began. */
static GstStructure* stats(TributarySrc* self) {
  tributary_snapshot* snapshot;
  tributary_ledger ledger = {0};
  ledger.size = sizeof ledger;
  if (self->client != NULL && tributary_client_snapshot(self->client, 0, &snapshot) == 0) {
    tributary_snapshot_ledger(snapshot, &ledger);
    tributary_snapshot_free(snapshot);
  }
  return gst_structure_new("tributary-stats", "peers-bytes", G_TYPE_INT64, ledger.peers_bytes,
                           "cdn-bytes", G_TYPE_INT64, ledger.cdn_bytes, "cache-bytes", G_TYPE_INT64,
                           ledger.cache_bytes, "uploaded-bytes", G_TYPE_INT64,
                           ledger.uploaded_bytes, NULL);
}

static void tributary_src_set_property(GObject* object, guint id, const GValue* value,
                                       GParamSpec* spec) {
  TributarySrc* self = TRIBUTARY_SRC(object);
  switch (id) {
    case PROP_URI:
      uri_set(GST_URI_HANDLER(self), g_value_get_string(value), NULL);
      break;
    case PROP_POLICY:
      g_free(self->policy);
      self->policy = g_value_dup_string(value);
      break;
    case PROP_CACHE_DIRECTORY:
      g_free(self->cache_directory);
      self->cache_directory = g_value_dup_string(value);
      break;
    case PROP_UPLOAD:
      self->upload = g_value_get_boolean(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void tributary_src_get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  TributarySrc* self = TRIBUTARY_SRC(object);
  switch (id) {
    case PROP_URI:
      g_value_take_string(value, uri_get(GST_URI_HANDLER(self)));
      break;
    case PROP_POLICY:
      g_value_set_string(value, self->policy);
      break;
    case PROP_CACHE_DIRECTORY:
      g_value_set_string(value, self->cache_directory);
      break;
    case PROP_UPLOAD:
      g_value_set_boolean(value, self->upload);
      break;
    case PROP_STATS:
      g_value_take_boxed(value, stats(self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void tributary_src_finalize(GObject* object) {
  TributarySrc* self = TRIBUTARY_SRC(object);
  g_free(self->uri);
  g_free(self->policy);
  g_free(self->cache_directory);
  g_mutex_clear(&self->lock);
  g_cond_clear(&self->changed);
  G_OBJECT_CLASS(tributary_src_parent_class)->finalize(object);
}

/* The class ---------------------------------------------------------------------------------- */

static void add_properties(GObjectClass* object) {
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  g_object_class_install_property(
      object, PROP_URI,
      g_param_spec_string("uri", "URI", "tributary://SOURCE[#TRACK]", NULL, flags));
  g_object_class_install_property(
      object, PROP_POLICY,
      g_param_spec_string("policy", "Policy", "adaptive, spotify, cdn-only or peers-only", NULL,
                          flags));
  g_object_class_install_property(
      object, PROP_CACHE_DIRECTORY,
      g_param_spec_string("cache-directory", "Cache directory", "Where what was fetched is kept",
                          NULL, flags));
  g_object_class_install_property(
      object, PROP_UPLOAD,
      g_param_spec_boolean("upload", "Upload", "Whether the listener agrees to share with peers",
                           FALSE, flags));
  g_object_class_install_property(
      object, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics", "Bytes by source", GST_TYPE_STRUCTURE,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void tributary_src_class_init(TributarySrcClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  GstBaseSrcClass* source = GST_BASE_SRC_CLASS(type);
  object->set_property = tributary_src_set_property;
  object->get_property = tributary_src_get_property;
  object->finalize = tributary_src_finalize;
  source->start = tributary_src_start;
  source->stop = tributary_src_stop;
  source->get_size = tributary_src_get_size;
  source->is_seekable = tributary_src_is_seekable;
  source->fill = tributary_src_fill;
  source->unlock = tributary_src_unlock;
  source->unlock_stop = tributary_src_unlock_stop;
  add_properties(object);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Tributary source", "Source/Network",
                                        "Reads a track from a CDN and from peers",
                                        "The authors of Tributary");
}

static void tributary_src_init(TributarySrc* self) {
  g_mutex_init(&self->lock);
  g_cond_init(&self->changed);
  gst_base_src_set_blocksize(GST_BASE_SRC(self), BLOCK_SIZE);
}

static gboolean plugin_init(GstPlugin* plugin) {
  GST_DEBUG_CATEGORY_INIT(tributary_src_debug, "tributarysrc", 0, "Tributary source");
  return gst_element_register(plugin, "tributarysrc", GST_RANK_PRIMARY, TRIBUTARY_TYPE_SRC);
}

#define PACKAGE "tributary"
#define VERSION                        \
  G_STRINGIFY(TRIBUTARY_VERSION_MAJOR) \
  "." G_STRINGIFY(TRIBUTARY_VERSION_MINOR) "." G_STRINGIFY(TRIBUTARY_VERSION_PATCH)
/* The licence is Apache-2.0, for which GStreamer has no word. */
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, tributary,
                  "Tracks from a CDN and from peers", plugin_init, VERSION, GST_LICENSE_UNKNOWN,
                  "Tributary", "tributary")
