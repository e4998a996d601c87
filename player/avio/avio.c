#include <errno.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <stdio.h>
#include <tributary/avio.h>

/* FFmpeg reads so much at a time: two blocks of BitTorrent, so that none is waited for in vain. */
#define BUFFER_SIZE (32 << 10)

typedef struct track {
  tributary_reader* reader;
  int64_t position;
  int64_t length;
} track;

static int read_packet(void* opaque, uint8_t* buffer, int size) {
  track* self = opaque;
  const int64_t read =
      tributary_reader_read(self->reader, self->position, buffer, (size_t)(size > 0 ? size : 0));
  if (read == 0) return AVERROR_EOF;
  if (read == TRIBUTARY_E_CANCELLED || read == TRIBUTARY_E_HANDLE) return AVERROR_EXIT;
  if (read < 0) return AVERROR(EIO);
  self->position += read;
  return (int)read;
}

static int64_t seek(void* opaque, int64_t offset, int whence) {
  track* self = opaque;
  int64_t target = offset;
  whence &= ~AVSEEK_FORCE;
  if (whence == AVSEEK_SIZE) return self->length;
  if (whence == SEEK_CUR) target += self->position;
  if (whence == SEEK_END) target += self->length;
  if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) return AVERROR(EINVAL);
  if (target < 0 || target > self->length) return AVERROR(EINVAL);
  self->position = target;
  return target;
}

static AVIOContext* allocate(tributary_reader* reader) {
  track* self = av_mallocz(sizeof *self);
  uint8_t* buffer = av_malloc(BUFFER_SIZE);
  AVIOContext* io = NULL;
  if (self != NULL && buffer != NULL) {
    self->reader = reader;
    self->length = tributary_reader_length(reader);
    io = avio_alloc_context(buffer, BUFFER_SIZE, 0, self, read_packet, NULL, seek);
  }
  if (io == NULL) {
    av_free(buffer);
    av_free(self);
  }
  return io;
}

int tributary_avio_open(tributary_client* client, size_t track, AVIOContext** io) {
  tributary_reader* reader;
  int opened;
  if (io == NULL) return TRIBUTARY_E_INVALID;
  *io = NULL;
  opened = tributary_reader_open(client, track, &reader);
  if (opened < 0) return opened;
  *io = allocate(reader);
  if (*io != NULL) return TRIBUTARY_OK;
  tributary_reader_close(reader);
  return TRIBUTARY_E_MEMORY;
}

void tributary_avio_cancel(AVIOContext* io) {
  if (io != NULL) tributary_reader_cancel(((track*)io->opaque)->reader);
}

void tributary_avio_close(AVIOContext** io) {
  track* self;
  if (io == NULL || *io == NULL) return;
  self = (*io)->opaque;
  tributary_reader_close(self->reader);
  av_free(self);
  av_freep(&(*io)->buffer);
  avio_context_free(io);
}
