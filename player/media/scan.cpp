#include "player/media/scan.h"

#include <algorithm>

#include "player/media/ffmpeg.h"

namespace tributary::player {
namespace {

// Packets between two progress calls: some milliseconds' work.
constexpr int kPacketsPerProgress = 256;

Error name_file(Error error, const std::string& path) {
  error.message = "cannot read '" + path + "' as media: " + error.message;
  return error;
}

// The end of the last packet, and of the whole.
Result<Duration> read_packets(Demuxer& demuxer, const ScanProgress& progress) {
  AvPtr<AVPacket> packet(ff::av_packet_alloc());
  Duration end{};
  Bytes at;
  for (int n = 0;; ++n) {
    TRIBUTARY_TRY(more, demuxer.read(*packet));
    if (!more) break;
    if (demuxer.is_main(*packet)) {
      const AVRational unit = demuxer.main_stream()->time_base;
      end = std::max(end, demuxer.time_of(*packet) + to_duration(packet->duration, unit));
    }
    at = std::max(at, Bytes(packet->pos));
    ff::av_packet_unref(packet.get());
    if (progress && n % kPacketsPerProgress == 0 && !progress(at, demuxer.info().size)) {
      return Error{ErrorCode::kCancelled, "the scan was cancelled"};
    }
  }
  return end;
}

}  // namespace

Result<MediaScan> scan_file(const std::string& path, const ScanProgress& progress) {
  TRIBUTARY_TRY(source, FileSource::open(path));
  Result<std::unique_ptr<Demuxer>> opened = Demuxer::open(*source, {true, nullptr});
  if (!opened) return name_file(opened.error(), path);
  Demuxer& demuxer = **opened;
  MediaScan scan;
  scan.info = demuxer.info();
  scan.hints = demuxer.hints();
  const bool has_tables = !scan.hints.points.empty() && scan.info.duration > Duration::zero();
  if (!has_tables) {
    Result<Duration> end = read_packets(demuxer, progress);
    if (!end) return name_file(end.error(), path);
    scan.hints = demuxer.hints();
    if (*end > Duration::zero()) scan.hints.duration = *end;  // headers may only estimate it
    scan.info.duration = scan.hints.duration;
  }
  if (scan.hints.duration <= Duration::zero()) {
    return name_file(invalid("it holds no sound or picture that lasts"), path);
  }
  if (scan.info.index_last) {
    scan.mend =
        "the index stands at the end; 'ffmpeg -i IN -c copy -movflags +faststart OUT' moves "
        "it to the front, so that playing starts sooner";
  }
  if (progress) progress(scan.info.size, scan.info.size);
  return scan;
}

}  // namespace tributary::player
