/*
 * A track of a Tributary client as FFmpeg's AVIOContext: what avformat_open_input() reads from.
 *
 *   AVFormatContext* format = avformat_alloc_context();
 *   AVIOContext* io;
 *   if (tributary_avio_open(client, 0, &io) < 0) return 1;
 *   format->pb = io;
 *   if (avformat_open_input(&format, NULL, NULL, NULL) < 0) return 1;
 *   ... decode ...
 *   avformat_close_input(&format);
 *   tributary_avio_close(&io);
 *
 * In libtributary-avio, which links FFmpeg's libavformat and libavutil.
 */
#ifndef TRIBUTARY_AVIO_H
#define TRIBUTARY_AVIO_H

#include <libavformat/avio.h>
#include <tributary/tributary.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a reader of the track, which the context owns. The context is used by one thread at a time;
 * reading waits for bytes that are on their way, seeking never does. A read that fails is
 * AVERROR_EXIT where it was cancelled, by tributary_avio_cancel() or with the client, and
 * AVERROR(EIO) otherwise.
 * Returns a TRIBUTARY_E_*, as tributary_reader_open() does, and MEMORY; *io is NULL then. */
TRIBUTARY_API int tributary_avio_open(tributary_client* client, size_t track, AVIOContext** io);
/* Has reads fail, now and from now on; any thread, while the context is open. */
TRIBUTARY_API void tributary_avio_cancel(AVIOContext* io);
/* Closes the reader, frees the context and sets *io to NULL. After avformat_close_input(), which
 * leaves the context to its owner. *io may be NULL. */
TRIBUTARY_API void tributary_avio_close(AVIOContext** io);

#ifdef __cplusplus
}
#endif

#endif /* TRIBUTARY_AVIO_H */
