/*
 * Tributary: play a track from a CDN and from peers at once. The C API, and the library's only ABI.
 *
 *   tributary_options options = {0};
 *   tributary_event event = {0};
 *   tributary_client* client;
 *   const char* source = "song.torrent";
 *
 *   options.size = sizeof options;
 *   options.audio = "sdl";
 *   if (tributary_client_open(&options, &client) < 0) return 1;
 *   tributary_client_load(client, &source, 1);
 *   tributary_client_start(client);
 *   event.size = sizeof event;
 *   while (tributary_client_wait_event(client, -1, &event) == 0) {
 *     if (event.type == TRIBUTARY_EVENT_ENDED || event.result < 0) break;
 *   }
 *   tributary_client_close(client);
 *
 * Whoever brings a decoder of his own does not start playback but reads the tracks: see Readers.
 *
 * Handles
 * -------
 * A client, a reader, a snapshot and a report are handles. A handle is a name, not an address:
 * nothing can be read through it, and the value of one that was closed is never given out again.
 * So a handle that is closed, of another kind or made up is answered with TRIBUTARY_E_HANDLE.
 *
 * Threads
 * -------
 * Every function may be called from every thread, several at once, also for the same handle. A
 * client runs threads of its own from tributary_client_open() to the end of
 * tributary_client_close(). A few more, for hashing and the disk, are shared by all clients: they
 * begin with the first client and end when the library is unloaded, which needs all clients closed.
 * Loading the library starts no thread and opens no file.
 *
 * All callbacks of a client are called on one thread of its own, one after the other. They may take
 * their time: what is played, fetched and shared does not wait for them. They may call every
 * function but tributary_client_close() of the same client, which waits for the callback to return
 * and therefore answers TRIBUTARY_E_THREAD there. Log lines and decisions that come while a
 * callback keeps the thread are queued, at most 4096 of either; further ones are dropped, and a log
 * line says how many. Of a trace's lines 65,536 are queued; where that is not enough the trace is
 * cut off, for one with a hole would tell another session.
 *
 * No function changes signal handlers, the locale, the working directory or the standard streams.
 * Nothing is ever written to stdout or stderr.
 *
 * Event loop
 * ----------
 * What happens is pulled: tributary_client_next_event() gives the oldest event, or
 * TRIBUTARY_E_AGAIN. A program without a loop waits with tributary_client_wait_event(). A program
 * with one sets tributary_options.wakeup, which is called when there is an event after there was
 * none: have it write to a pipe or post to the loop, and pull all events there. At most 1024 events
 * are kept; beyond, the oldest that tells of the same thing (a state, a progress) is replaced, and
 * none that answers a call is lost.
 *
 * Lifetimes
 * ---------
 * Options and what they point to are copied; they need not outlive the call. Strings that are given
 * out are UTF-8 and end in a zero; each function says how long they live. In short: what belongs to
 * a snapshot or report lives as long as that, what tells of a track as long as the client, and an
 * event's text until an event of that client is pulled again, so let one thread pull them.
 * A client's readers, snapshots and reports outlive it and stay until they are closed or freed; a
 * reader's reads fail then.
 * A handle that is being closed may still be in use on other threads: their calls return
 * TRIBUTARY_E_CANCELLED or TRIBUTARY_E_HANDLE, and closing waits for them.
 *
 * Errors
 * ------
 * Functions return 0, or a count where they say so, or a negative TRIBUTARY_E_*. They change
 * nothing where they fail, and set what they would give out to NULL or zero.
 * tributary_error_message() has one line on the last failure in the calling thread: what, where,
 * and how to mend it. No input ends the process and no exception leaves the library.
 *
 * Compatibility
 * -------------
 * Every struct begins with `size`, which the caller sets to sizeof of the struct (or of an element,
 * for structs that the library fills). Later versions of this header only add members at the end:
 * of a smaller struct the library takes the missing members for zero, or leaves them out; a larger
 * one is accepted where all that it does not know is zero. In each option zero means the default.
 * Enumerations and flags may grow: pass over events and values that you do not know. A function
 * that exists stays; the number of the shared library (SOVERSION) changes if that ever fails.
 *
 * Units
 * -----
 * Times are milliseconds (_ms), amounts bytes (_bytes), rates bits per second (_bps).
 */
#ifndef TRIBUTARY_TRIBUTARY_H
#define TRIBUTARY_TRIBUTARY_H

#include <stddef.h> /* NOLINT(modernize-deprecated-headers): it is C */
#include <stdint.h> /* NOLINT(modernize-deprecated-headers) */

#define TRIBUTARY_VERSION_MAJOR 0
#define TRIBUTARY_VERSION_MINOR 1
#define TRIBUTARY_VERSION_PATCH 0

#if defined(__GNUC__)
#define TRIBUTARY_API __attribute__((visibility("default")))
#else
#define TRIBUTARY_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is loaded: MAJOR << 16 | MINOR << 8 | PATCH. */
TRIBUTARY_API uint32_t tributary_version(void);

/* Errors ----------------------------------------------------------------------------------------
 */

typedef enum tributary_error {
  TRIBUTARY_OK = 0,
  TRIBUTARY_E_INVALID = -1,     /* an argument is NULL, malformed or out of range */
  TRIBUTARY_E_HANDLE = -2,      /* no such handle: closed, of another kind, or made up */
  TRIBUTARY_E_SIZE = -3,        /* a struct's size is too small, or newer than this library */
  TRIBUTARY_E_STATE = -4,       /* not now: called too early, or twice */
  TRIBUTARY_E_THREAD = -5,      /* not from here: within a callback of this client */
  TRIBUTARY_E_UNSUPPORTED = -6, /* well-formed, but not something this build handles */
  TRIBUTARY_E_NOT_FOUND = -7,   /* no such file, track, entry */
  TRIBUTARY_E_IO = -8,          /* disk or network failed */
  TRIBUTARY_E_CANCELLED = -9,   /* by a function of that name, or by closing */
  TRIBUTARY_E_LIMIT = -10,      /* a named limit was exceeded */
  TRIBUTARY_E_AGAIN = -11,      /* nothing there yet, or not in time; ask again */
  TRIBUTARY_E_MEMORY = -12,     /* no memory left */
  TRIBUTARY_E_INTERNAL = -13    /* a bug in the library; the message helps to mend it */
} tributary_error;

/* "TRIBUTARY_E_INVALID" and so on; "TRIBUTARY_E_?" for any other number. Lives for ever. */
TRIBUTARY_API const char* tributary_error_name(int error);
/* One line on the calling thread's last failure in this library; "" before the first. Valid until
 * the next failure in this thread. */
TRIBUTARY_API const char* tributary_error_message(void);

/* Policies --------------------------------------------------------------------------------------
 */

/* Whom of those who ask to serve. */
typedef enum tributary_unchoker {
  TRIBUTARY_UNCHOKER_TIT_FOR_TAT = 0,         /* who gives most, by rank */
  TRIBUTARY_UNCHOKER_TIT_FOR_TAT_FASTEST = 1, /* the same; when complete, who takes fastest */
  TRIBUTARY_UNCHOKER_PROP_SHARE = 2,          /* each its share of what it gives */
  TRIBUTARY_UNCHOKER_NEED_FIRST = 3           /* who needs it soonest for playback */
} tributary_unchoker;

/* Which source a block is asked of, and when: every threshold of the scheduler. A policy is data;
 * begin with a named one and change values. Booleans are 0 or 1; a time of -1 means "none" where it
 * says so. Times are 0 … 86,400,000 ms, sizes 0 … 2^40 bytes unless a range is given. */
typedef struct tributary_policy {
  size_t size;
  int use_cdn;
  int use_peers;
  int64_t head_ms;            /* media asked of the CDN at once at a start or seek */
  int64_t head_unknown_bytes; /* the same, while the track's timeline is not known */
  int peers_wait_for_head;    /* ask peers for nothing while the head is on its way */
  int64_t margin_ms;          /* the CDN is asked so long before its last safe moment */
  int64_t hedge_margin_ms;    /* the same for a block that a peer is late with */
  int64_t no_peer_low_ms;     /* no peer has it: ask the CDN when the buffer is this low … */
  int64_t no_peer_high_ms;    /* … up to this far ahead */
  int64_t alone_low_ms;       /* the same while there is no peer at all */
  int64_t alone_high_ms;
  int64_t coalesce_ms;        /* neighbours that are due within this time share a request */
  int64_t max_request_bytes;  /* of the CDN; 16,384 … 2^30 */
  int64_t server_throttle_ms; /* the CDN never works further ahead than this; -1: none */
  int seed_swarm;             /* fetch missing pieces ahead of need, one copy for all */
  int64_t seed_from_ms;       /* how far ahead that begins */
  int64_t seed_until_ms;      /* and ends */
  int64_t urgent_window_ms;   /* due within this: in order, from who finishes first */
  int in_order;               /* beyond it too, instead of rarest first */
  int32_t min_depth;          /* requests in flight at a peer, at least; 1 … 1000 */
  int64_t max_depth_ms;       /* at most so much of what it brings */
  int64_t assumed_peer_bps;   /* of a peer not yet measured; 1,000 … 10^12 */
  int32_t duplicate_percent; /* of the bytes received may be duplicates of hedged blocks; 0 … 100 */
  int64_t peer_horizon_ms;   /* peers are asked for nothing further ahead; -1: the whole track */
  tributary_unchoker unchoker;   /* whom to upload to; that of the client's first policy stays */
  int64_t emergency_ms;          /* with a buffer below this nothing is uploaded … */
  int emergency_only_when_late;  /* … only if the CDN cannot save it */
  int64_t prefetch_peers_ms;     /* of the next track, so long before the end, from peers … */
  int64_t prefetch_server_ms;    /* … and from the CDN */
  int64_t prefetch_head_ms;      /* what is to be there of it at the end */
  int64_t prefetch_budget_bytes; /* at most so much of it */
  int prefetch_early;            /* from peers as soon as the current track is whole */
} tributary_policy;

/* Fills `policy`, whose size is set, with a named set of values: "adaptive" (the default),
 * "spotify", "cdn-only" or "peers-only". Errors: NOT_FOUND for another name, SIZE. */
TRIBUTARY_API int tributary_policy_named(const char* name, tributary_policy* policy);

/* Clients ---------------------------------------------------------------------------------------
 */

/* One whole player: a node among peers, its cache, and at most one list of tracks to play. */
typedef struct tributary_client tributary_client;

typedef enum tributary_log_level {
  TRIBUTARY_LOG_DEBUG = 0,
  TRIBUTARY_LOG_INFO = 1,
  TRIBUTARY_LOG_WARNING = 2,
  TRIBUTARY_LOG_ERROR = 3
} tributary_log_level;

/* How connections to peers are hidden (MSE). */
typedef enum tributary_encryption {
  TRIBUTARY_ENCRYPTION_ALLOWED = 0, /* who comes in may; who refuses a plain one is dialled so */
  TRIBUTARY_ENCRYPTION_REQUIRED = 1,
  TRIBUTARY_ENCRYPTION_OFF = 2
} tributary_encryption;

/* What connections to peers run over; uTP gives way to all other traffic. */
typedef enum tributary_transport {
  TRIBUTARY_TRANSPORT_BOTH = 0,
  TRIBUTARY_TRANSPORT_TCP = 1,
  TRIBUTARY_TRANSPORT_UTP = 2
} tributary_transport;

/* Events are there after there was none. */
typedef void (*tributary_wakeup_fn)(void* user);
/* `text` is one line without an end of line, valid during the call. */
typedef void (*tributary_log_fn)(void* user, int level, const char* text);
/* One scheduling decision as a line of JSON, as `tributary play --trace` writes it: which block,
 * which deadline, who could have brought it, the choice and why. Valid during the call. */
typedef void (*tributary_decision_fn)(void* user, const char* json);
/* A line of the session's trace, as `tributary play --trace` writes them: each decision, and what
 * `tributary replay` needs to play the session again under another policy (peers, what they have
 * and brought, CDN requests, what the listener did). The lines are JSON, described in
 * player/client/trace.md; the first comes with tributary_client_open(), the last, with the
 * report, within tributary_client_finish(). Valid during the call. */
typedef void (*tributary_trace_fn)(void* user, const char* line);
/* A CDN edge refused a URL of the track's torrent (HTTP `status` 401, 403 or 410), as it does when
 * a signature has expired. Get new URLs and hand them over with tributary_client_set_edges(), from
 * within the call or later. Called at most once in 5 s for a torrent. `url` is valid during the
 * call. */
typedef void (*tributary_refused_fn)(void* user, size_t track, const char* url, int status);

/* Zero is the default everywhere; NULL and "" are the same. */
typedef struct tributary_options {
  size_t size;

  /* Where the sound goes: "null" (nowhere, in real time; the default), "sdl" (the sound card),
   * "wav:FILE", or "wav-fast:FILE" (as fast as the track comes). Only playback uses it. */
  const char* audio;
  const tributary_policy* policy; /* NULL: adaptive */

  /* Consent. Peers are sent something only where the listener agreed: 1. A client that gives
   * nothing gets little of other peers. See tributary_client_set_upload(). */
  int upload;
  /* The link costs by the byte: nothing is sent, little is fetched ahead of what is heard. See
   * tributary_client_set_metered(). */
  int metered;

  /* Remember what was played below this folder, which is made where it is missing; NULL: keep
   * nothing. One client at a time may use it. */
  const char* cache_directory;
  int64_t cache_limit_bytes;  /* 0: a part of the disk's free space */
  int64_t memory_limit_bytes; /* of blocks in memory; 0: 64 MiB, at least 4 MiB */

  /* Where peers reach us, "HOST:PORT", with an address for the host and port 0 for any. NULL: at
   * 127.0.0.1, any port. Loopback is for this machine alone: to be reached by the world give
   * "0.0.0.0:PORT" or "[::]:PORT"; the local network is told then (BEP 14) and the router is asked
   * to pass the port on (NAT-PMP, UPnP), but for the two switches below. */
  const char* listen;
  int no_local_discovery;
  int no_port_mapping;
  int no_dht; /* find no peers through the DHT */
  const char* const*
      dht_nodes;            /* "HOST:PORT", to join the DHT through, beside those that torrents */
  size_t dht_node_count;    /* and peers name */
  int no_overlay;           /* do not ask peers who has the next track, nor answer them */
  const char* const* peers; /* "ADDRESS:PORT", to ask for every torrent */
  size_t peer_count;
  const char* network_interface; /* all traffic leaves by it: its name or an address; NULL: any */
  const char* operators_file;    /* prefer peers of one's own network operator: lines of
                                    "PREFIX/LEN NAME" say who has which addresses */
  tributary_encryption encryption;
  tributary_transport transport;
  int32_t max_connections; /* to peers, of all torrents; 0: 200, at most 1,000,000 */

  /* Limits in bit/s, 0: none; at most 10^12. Of all torrents together, and of each by
   * itself. What the CDN sends counts. See tributary_client_set_limits(). */
  int64_t up_bps;
  int64_t down_bps;
  int64_t up_each_bps;
  int64_t down_each_bps;

  /* Playback of each track begins and ends there; an end of 0 is the track's own. */
  int64_t from_ms;
  int64_t until_ms;

  /* Callbacks, each may be NULL; `user` is handed to all. See Threads. */
  void* user;
  tributary_wakeup_fn wakeup;
  tributary_log_fn log;
  tributary_log_level log_level;  /* the least that `log` gets */
  tributary_decision_fn decision; /* costs some µs a block; NULL: decisions are not recorded */
  tributary_refused_fn refused;
  tributary_trace_fn trace; /* costs more than `decision`, which may be set beside it */
} tributary_options;

/* Whether there is a sound card for the sink "sdl": 1 or 0. Asks the system, some ms at the first
 * call; where there is none "null" plays in silence. */
TRIBUTARY_API int tributary_audio_device_present(void);

/* Opens a client, which takes its port and its cache at once and runs from now on. It fetches
 * nothing before tributary_client_load().
 * Errors: SIZE; INVALID for an option, which the message names; IO where the port is taken or the
 * cache is in use or cannot be written; UNSUPPORTED for a sink that this build lacks. */
TRIBUTARY_API int tributary_client_open(const tributary_options* options,
                                        tributary_client** client);

/* Ends all of it: playback, waiting reads (TRIBUTARY_E_CANCELLED), other threads' calls, callbacks,
 * which it waits for. Without tributary_client_finish() before, trackers and peers notice by
 * themselves. The handle is gone then, whatever is returned but for THREAD.
 * Errors: HANDLE; THREAD within a callback of the client. */
TRIBUTARY_API int tributary_client_close(tributary_client* client);

/* Says goodbye: ends playback, tells trackers and peers, writes the cache down. Blocks, at most for
 * a few seconds. What is left to do is to read reports and to close. Errors: HANDLE. */
TRIBUTARY_API int tributary_client_finish(tributary_client* client);

/* Where peers reach us, "ADDRESS:PORT"; valid until the client is closed. Errors: HANDLE. */
TRIBUTARY_API int tributary_client_address(tributary_client* client, const char** address);

/* Tracks ----------------------------------------------------------------------------------------
 */

/* Begins to find out what the sources stand for: .torrent files and http(s) URLs of one, magnet
 * links, playlists of these (m3u, pls, xspf), and http(s) URLs of media files. Ends with
 * TRIBUTARY_EVENT_LOADED; TRIBUTARY_EVENT_RESOLVING comes meanwhile where peers have to be asked.
 * One list for a client: a second call is a STATE error, unless the first failed.
 * Errors: HANDLE, INVALID (no source, more than 10,000, one is NULL), STATE. */
TRIBUTARY_API int tributary_client_load(tributary_client* client, const char* const* sources,
                                        size_t count);

/* Gives loading up, which ends with TRIBUTARY_E_CANCELLED within a second. Errors: HANDLE. */
TRIBUTARY_API int tributary_client_cancel_load(tributary_client* client);

/* One track of the list. Strings are valid until the client is closed. */
typedef struct tributary_track {
  size_t size;
  const char* title;
  const char* path;      /* of the file in its torrent, parts joined by '/' */
  const char* torrent;   /* the torrent's name */
  const char* info_hash; /* 40 hex digits (v1) or 64 (v2 only); "" for a plain media URL */
  int64_t length_bytes;
  int64_t duration_ms; /* by the torrent's hints; 0: not known before it is played */
  int verifiable;      /* 0: a plain URL, without hashes: from the CDN alone */
} tributary_track;

/* How many tracks there are; 0 before TRIBUTARY_EVENT_LOADED. Errors: HANDLE. */
TRIBUTARY_API int tributary_client_track_count(tributary_client* client);
/* Errors: HANDLE, NOT_FOUND (track >= count), SIZE. */
TRIBUTARY_API int tributary_client_track(tributary_client* client, size_t track,
                                         tributary_track* out);

/* A peer to ask for the track's torrent, "ADDRESS:PORT". It is opened by this, if it is not yet.
 * Errors: HANDLE, NOT_FOUND, INVALID. */
TRIBUTARY_API int tributary_client_add_peer(tributary_client* client, size_t track,
                                            const char* peer);
/* Replaces the CDN edges of the track's torrent by these, best first, as a torrent's url-list has
 * them: URLs of folders end in '/', and the file's path is added; others are the file itself. Query
 * strings are kept. What was refused or distrusted is forgotten. At most 64. Errors: HANDLE,
 * NOT_FOUND, INVALID (no http(s) URL). */
TRIBUTARY_API int tributary_client_set_edges(tributary_client* client, size_t track,
                                             const char* const* urls, size_t count);
/* A hint: this track is likely to be wanted next. Its beginning, as much as the policy's prefetch
 * allows, is fetched while there is nothing more urgent, from peers and then from the CDN. It
 * replaces the former hint. During playback the following track of the list is prefetched by
 * itself. Errors: HANDLE, NOT_FOUND. */
TRIBUTARY_API int tributary_client_prefetch(tributary_client* client, size_t track);

/* Playback --------------------------------------------------------------------------------------
 */

typedef enum tributary_state {
  TRIBUTARY_STATE_LOADING = 0, /* not started yet, or the track's torrent is being opened */
  TRIBUTARY_STATE_STARTING = 1,
  TRIBUTARY_STATE_PLAYING = 2,
  TRIBUTARY_STATE_PAUSED = 3,
  TRIBUTARY_STATE_STALLED = 4, /* the buffer ran dry */
  TRIBUTARY_STATE_ENDED = 5,
  TRIBUTARY_STATE_FAILED = 6 /* at the end, and some track could not be played */
} tributary_state;

/* Commands: they return at once and are done in the order of the calls. Those that make no sense at
 * the moment (next on the last track, seek after the end) do nothing.
 * Errors of all: HANDLE; STATE before TRIBUTARY_EVENT_LOADED. */

/* Plays the list from its first track. Once; later calls are a STATE error. While the list is being
 * loaded it may be called as well, which saves the way there and back: playback begins as soon as
 * the list is there, and never if loading fails, as TRIBUTARY_EVENT_LOADED tells; has it failed by
 * now, that is a STATE error too. */
TRIBUTARY_API int tributary_client_start(tributary_client* client);
/* 1 pauses, 0 goes on. A paused client goes on to fetch and share. */
TRIBUTARY_API int tributary_client_set_paused(tributary_client* client, int paused);
/* To a position in the playing track; beyond the end is clamped to a second before it.
 * Error INVALID: position_ms < 0. */
TRIBUTARY_API int tributary_client_seek(tributary_client* client, int64_t position_ms);
/* By an offset from where it is; clamped to the track. */
TRIBUTARY_API int tributary_client_seek_by(tributary_client* client, int64_t offset_ms);
TRIBUTARY_API int tributary_client_next(tributary_client* client);
/* The first track begins again. */
TRIBUTARY_API int tributary_client_previous(tributary_client* client);
/* Ends playback for good (a WAV file is complete then), goes on sharing. Blocks for some ms. */
TRIBUTARY_API int tributary_client_stop(tributary_client* client);

/* Readers ---------------------------------------------------------------------------------------
 */

/* Random access to a track's bytes, beside playback and many at a time, for a decoder of one's own.
 * Nothing has to be started for it. It sees verified bytes only (of a plain media URL, which has no
 * hashes, what the CDN sent). What it waits for is fetched by deadlines, as for playback: it is
 * taken to play what it reads at the media's pace, however fast it takes it, and reading elsewhere
 * is a seek. When it is closed, what was asked of peers and CDN for it alone is cancelled. */
typedef struct tributary_reader tributary_reader;

/* Opens the track's torrent, if it is not yet; reads wait for that. Close it before or after its
 * client; once the client is closed, reads return CANCELLED.
 * Errors: HANDLE, NOT_FOUND, STATE after tributary_client_finish(). */
TRIBUTARY_API int tributary_reader_open(tributary_client* client, size_t track,
                                        tributary_reader** reader);
/* Has waiting reads return CANCELLED, and waits for them. Errors: HANDLE. */
TRIBUTARY_API int tributary_reader_close(tributary_reader* reader);
/* Has reads return CANCELLED, now and from now on. May be called while another thread waits in one.
 * Errors: HANDLE. */
TRIBUTARY_API int tributary_reader_cancel(tributary_reader* reader);
/* Of the track, in bytes. Errors: HANDLE. */
TRIBUTARY_API int64_t tributary_reader_length(tributary_reader* reader);
/* Reads up to `size` bytes at `offset` into `buffer`, which belongs to the caller, and returns how
 * many: at least 1, and 0 only at or beyond the end, or for a size of 0. Waits until there is
 * something; of several threads with the same reader one at a time. Errors: HANDLE; INVALID (offset
 * < 0, buffer is NULL); CANCELLED; IO. */
TRIBUTARY_API int64_t tributary_reader_read(tributary_reader* reader, int64_t offset, void* buffer,
                                            size_t size);
/* The same without waiting: AGAIN where nothing is at hand. The bytes are fetched then, and
 * TRIBUTARY_EVENT_READABLE says when it is worth another try. */
TRIBUTARY_API int64_t tributary_reader_try_read(tributary_reader* reader, int64_t offset,
                                                void* buffer, size_t size);

/* Switches --------------------------------------------------------------------------------------
 */

typedef struct tributary_limits {
  size_t size;
  int64_t up_bps; /* as in tributary_options */
  int64_t down_bps;
  int64_t up_each_bps;
  int64_t down_each_bps;
} tributary_limits;

/* All four, from now on. Errors: HANDLE, SIZE, INVALID. */
TRIBUTARY_API int tributary_client_set_limits(tributary_client* client,
                                              const tributary_limits* limits);
/* Whether the listener agrees that peers are sent something. Withdrawn consent holds at once: who
 * is being served is told so, and nothing but what is already on its way is sent. Errors: HANDLE.
 */
TRIBUTARY_API int tributary_client_set_upload(tributary_client* client, int consent);
/* Whether the link costs by the byte. While it does nothing is sent, whatever the consent.
 * Errors: HANDLE. */
TRIBUTARY_API int tributary_client_set_metered(tributary_client* client, int metered);
/* Another policy from the next decision on. Errors: HANDLE, SIZE, INVALID for a value, which the
 * message names. */
TRIBUTARY_API int tributary_client_set_policy(tributary_client* client,
                                              const tributary_policy* policy);

/* Events ----------------------------------------------------------------------------------------
 */

typedef enum tributary_event_type {
  TRIBUTARY_EVENT_NONE = 0,
  TRIBUTARY_EVENT_LOADED = 1, /* result; text says why it failed */
  TRIBUTARY_EVENT_RESOLVING =
      2,                       /* text: how far asking peers for a magnet link's torrent has come */
  TRIBUTARY_EVENT_STATE = 3,   /* state and track, of which at least one has changed */
  TRIBUTARY_EVENT_MESSAGE = 4, /* text: an error or notice for the listener, one line; track */
  TRIBUTARY_EVENT_ENDED = 5,   /* all was played; result is negative where some track failed */
  TRIBUTARY_EVENT_READABLE =
      6 /* reader, track: what tributary_reader_try_read() lacked may be there */
} tributary_event_type;

typedef struct tributary_event {
  size_t size;
  tributary_event_type type;
  int result;
  size_t track;
  tributary_state state;
  const char* text; /* never NULL; valid until an event of this client is pulled again */
  tributary_reader* reader;
} tributary_event;

/* The oldest event. Errors: HANDLE, SIZE, AGAIN where there is none. */
TRIBUTARY_API int tributary_client_next_event(tributary_client* client, tributary_event* event);
/* The same, waiting for one at most `timeout_ms`; -1: without limit.
 * Errors: HANDLE, SIZE, AGAIN when none came in time, CANCELLED when the client is closed. */
TRIBUTARY_API int tributary_client_wait_event(tributary_client* client, int64_t timeout_ms,
                                              tributary_event* event);

/* Snapshots: all that a screen shows, of one moment ----------------------------------------------
 */

typedef struct tributary_snapshot tributary_snapshot;

/* Bytes by source, by reason and by fate. Once nothing is in flight,
 * cdn + peers = good + duplicate + corrupt. */
typedef struct tributary_ledger {
  size_t size;
  int64_t peers_bytes;
  int64_t cdn_bytes;            /* the sum of the six that follow, by why the CDN was asked: */
  int64_t cdn_startup_bytes;    /* the head of a track, or of what follows a seek */
  int64_t cdn_urgent_bytes;     /* no peer could deliver it in time */
  int64_t cdn_rescue_bytes;     /* a peer was late with it */
  int64_t cdn_no_peer_bytes;    /* no connected peer had it */
  int64_t cdn_seed_swarm_bytes; /* ahead of need, one copy for all */
  int64_t cdn_prefetch_bytes;   /* the head of the next track */
  int64_t cdn_requests;
  int64_t cache_bytes; /* were there before */
  int64_t uploaded_bytes;
  int64_t good_bytes;      /* verified, or nothing to verify against */
  int64_t duplicate_bytes; /* another source was faster */
  int64_t corrupt_bytes;   /* found wrong */
} tributary_ledger;

typedef enum tributary_prefetch_stage {
  TRIBUTARY_PREFETCH_IDLE = 0,
  TRIBUTARY_PREFETCH_PEERS = 1, /* from peers alone */
  TRIBUTARY_PREFETCH_SERVER = 2 /* from peers and CDN */
} tributary_prefetch_stage;

typedef struct tributary_status {
  size_t size;
  tributary_state state;
  int emergency; /* upload is stopped, for the buffer is thin */
  size_t track;  /* the playing one */
  size_t track_count;
  const char* title;   /* strings: valid until the snapshot is freed */
  const char* message; /* the latest error or notice; "" where there is none */
  int64_t position_ms;
  int64_t duration_ms; /* 0: not known */
  int64_t buffered_ms; /* verified media ahead of the playhead */
  int64_t startup_ms;  /* request to first decoded frame of the track; 0 before it */
  int64_t stalls;
  size_t peer_count;
  size_t edge_count;
  size_t piece_count;     /* cells of the piece map */
  size_t playhead_piece;  /* the cell that is playing */
  const char* next_title; /* "": no track follows */
  int64_t next_have_bytes;
  int64_t next_length_bytes;
  tributary_prefetch_stage prefetch;
  const char* policy; /* in force: the name of tributary_policy_named() whose values it has, the
                         unchoker aside; else "custom" */
} tributary_status;

/* A connected peer of the playing track's torrent. */
typedef struct tributary_peer {
  size_t size;
  const char* address; /* strings: valid until the snapshot or report is freed */
  const char* client;  /* what it calls itself; "" where it did not say */
  const char* flags;   /* the customary letters, see tributary_peer_flag() */
  int64_t down_bps;    /* over the last ten seconds */
  int64_t up_bps;
  int64_t received_bytes;
  int64_t sent_bytes;
  int32_t pieces;    /* it has */
  int32_t in_flight; /* blocks asked of it */
} tributary_peer;

typedef enum tributary_edge_state {
  TRIBUTARY_EDGE_UP = 0,
  TRIBUTARY_EDGE_PROBING = 1,
  TRIBUTARY_EDGE_BACK_OFF = 2,
  TRIBUTARY_EDGE_DROPPED = 3
} tributary_edge_state;

/* A CDN edge of the playing track's torrent; counts are the server's, over all torrents. */
typedef struct tributary_edge {
  size_t size;
  const char* origin;  /* scheme://host:port; strings: valid until the snapshot is freed */
  const char* trouble; /* what its last request met; "" after a good one */
  tributary_edge_state state;
  int32_t in_flight;
  int64_t requests;
  int64_t failures;
  int64_t received_bytes;
  int64_t first_byte_ms;
  int64_t rate_bps;
  int32_t lies; /* times it sent wrong bytes */
} tributary_edge;

/* How much of one cell of the piece map is where. */
typedef enum tributary_piece_state {
  TRIBUTARY_PIECE_MISSING = 0,
  TRIBUTARY_PIECE_ASKED_PEER = 1,
  TRIBUTARY_PIECE_ASKED_CDN = 2,
  TRIBUTARY_PIECE_PARTIAL = 3,
  TRIBUTARY_PIECE_HAVE = 4
} tributary_piece_state;

/* `pieces`: at most so many cells for the piece map; 0: no map; at most 65,536. Waits for a turn of
 * the client's thread, usually less than a ms. Free it with tributary_snapshot_free().
 * Errors: HANDLE, INVALID. */
TRIBUTARY_API int tributary_client_snapshot(tributary_client* client, size_t pieces,
                                            tributary_snapshot** snapshot);
TRIBUTARY_API int tributary_snapshot_free(tributary_snapshot* snapshot);

/* Errors of these: HANDLE, SIZE; NOT_FOUND beyond the counts in tributary_status. */
TRIBUTARY_API int tributary_snapshot_status(tributary_snapshot* snapshot, tributary_status* out);
/* Of the whole session. */
TRIBUTARY_API int tributary_snapshot_ledger(tributary_snapshot* snapshot, tributary_ledger* out);
TRIBUTARY_API int tributary_snapshot_peer(tributary_snapshot* snapshot, size_t index,
                                          tributary_peer* out);
TRIBUTARY_API int tributary_snapshot_edge(tributary_snapshot* snapshot, size_t index,
                                          tributary_edge* out);
/* A tributary_piece_state. */
TRIBUTARY_API int tributary_snapshot_piece(tributary_snapshot* snapshot, size_t index);
/* What a letter of tributary_peer.flags means, in a few words; NULL for another. Lives for ever. */
TRIBUTARY_API const char* tributary_peer_flag(char flag);

/* Reports: what a session came to ---------------------------------------------------------------
 */

typedef struct tributary_report tributary_report;

/* One track, or the sum of all. Once nothing is in flight,
 * cdn + peers + cache = played_bytes + duplicate + corrupt + unused_bytes. */
typedef struct tributary_entry {
  size_t size;
  const char* title;  /* valid until the report is freed */
  int started;        /* something of it was heard */
  int64_t startup_ms; /* request to first decoded frame */
  int64_t played_ms;
  int64_t stalls;
  int64_t stalled_ms;
  int64_t gap_ms; /* silence before it, when it followed another track by itself */
  int64_t played_bytes;
  int64_t unused_bytes;     /* verified, never read */
  double rebuffering_ratio; /* stalled / (stalled + played), 0 … 1 */
  double offload_ratio;     /* peers / (peers + cdn), 0 … 1 */
} tributary_entry;

/* Final after tributary_client_finish(), of this moment before. Free it with
 * tributary_report_free(). Errors: HANDLE. */
TRIBUTARY_API int tributary_client_report(tributary_client* client, tributary_report** report);
TRIBUTARY_API int tributary_report_free(tributary_report* report);
/* Errors of these: HANDLE, SIZE, NOT_FOUND beyond the tracks of the client. */
TRIBUTARY_API int tributary_report_total(tributary_report* report, tributary_entry* out);
TRIBUTARY_API int tributary_report_total_ledger(tributary_report* report, tributary_ledger* out);
TRIBUTARY_API int tributary_report_track(tributary_report* report, size_t track,
                                         tributary_entry* out);
TRIBUTARY_API int tributary_report_track_ledger(tributary_report* report, size_t track,
                                                tributary_ledger* out);
/* All of it as JSON, as `tributary play --report` writes it; valid until the report is freed. */
TRIBUTARY_API int tributary_report_json(tributary_report* report, const char** json);

#ifdef __cplusplus
}
#endif

#endif /* TRIBUTARY_TRIBUTARY_H */
