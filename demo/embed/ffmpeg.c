/* Decodes a track with FFmpeg, in C: peers and CDN behind an AVIOContext.
 * Usage: embed_ffmpeg SOURCE     a .torrent, magnet link, playlist or URL
 * Build: cc ffmpeg.c $(pkg-config --cflags --libs tributary libavformat libavcodec libavutil) \
 *           -ltributary-avio */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <tributary/avio.h>

static int load(tributary_client* client, const char* source) {
  tributary_event event = {0};
  event.size = sizeof event;
  if (tributary_client_load(client, &source, 1) < 0) return -1;
  while (tributary_client_wait_event(client, -1, &event) == 0) {
    if (event.type != TRIBUTARY_EVENT_LOADED) continue;
    if (event.result < 0) fprintf(stderr, "%s\n", event.text);
    return event.result;
  }
  return -1;
}

/* Decodes all frames of the best audio stream; how many, or a negative error. */
static long decode(AVFormatContext* format) {
  const AVCodec* codec = NULL;
  const int stream = av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
  AVCodecContext* decoder = stream < 0 ? NULL : avcodec_alloc_context3(codec);
  AVPacket* packet = av_packet_alloc();
  AVFrame* frame = av_frame_alloc();
  long frames = -1;
  if (decoder != NULL && packet != NULL && frame != NULL &&
      avcodec_parameters_to_context(decoder, format->streams[stream]->codecpar) >= 0 &&
      avcodec_open2(decoder, codec, NULL) >= 0) {
    for (frames = 0; av_read_frame(format, packet) >= 0; av_packet_unref(packet)) {
      if (packet->stream_index != stream || avcodec_send_packet(decoder, packet) < 0) continue;
      while (avcodec_receive_frame(decoder, frame) >= 0) ++frames;
    }
  }
  av_frame_free(&frame);
  av_packet_free(&packet);
  avcodec_free_context(&decoder);
  return frames;
}

int main(int count, char** arguments) {
  tributary_options options = {0};
  tributary_client* client;
  AVFormatContext* format = avformat_alloc_context();
  AVIOContext* io = NULL;
  long frames = -1;
  if (count != 2) return fprintf(stderr, "usage: embed_ffmpeg SOURCE\n"), 2;
  options.size = sizeof options;
  if (tributary_client_open(&options, &client) < 0) return 1;
  if (load(client, arguments[1]) == 0 && tributary_avio_open(client, 0, &io) == 0) {
    format->pb = io;
    if (avformat_open_input(&format, NULL, NULL, NULL) >= 0) frames = decode(format);
  }
  avformat_close_input(&format);
  tributary_avio_close(&io);
  tributary_client_close(client);
  printf("%ld frames\n", frames);
  return frames > 0 ? 0 : 1;
}
