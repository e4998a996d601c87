#include "demo/loadtest/live_content.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "demo/human.h"
#include "demo/publisher.h"
#include "engine/base/random.h"
#include "engine/net/digests.h"
#include "engine/net/disk_file.h"
#include "engine/wire/metainfo.h"

namespace tributary::demo {
namespace {

constexpr Bytes kWriteSize = 1_MiB;

const sim::LoadTrack& track_of(const sim::LoadPlan& plan, std::int32_t track) {
  return plan.tracks[static_cast<std::size_t>(track)];
}

Bytes size_of(const sim::LoadPlan& plan, std::int32_t track) {
  return bytes_in(track_of(plan, track).length, plan.rate);
}

std::set<std::int32_t> tracks_in(const sim::LoadPlan& plan) {
  std::set<std::int32_t> tracks;
  for (const sim::LoadEvent& event : plan.events) {
    if (event.track >= 0) tracks.insert(event.track);
  }
  for (const sim::LoadListener& listener : plan.listeners) {
    tracks.insert(listener.cached.begin(), listener.cached.end());
  }
  return tracks;
}

std::string name_of(std::uint64_t seed, std::int32_t track) {
  return "loadtest-" + std::to_string(seed) + "-" + std::to_string(track) + ".bin";
}

Result<void> write_track(const std::string& path, Bytes size, Random random) {
  TRIBUTARY_TRY(file, net::DiskFile::open_write(path));
  std::vector<std::uint8_t> bytes;
  for (Bytes done; done < size; done += kWriteSize) {
    bytes.resize(static_cast<std::size_t>(std::min(kWriteSize, size - done).count()));
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      word = i % sizeof word == 0 ? random.next() : word >> 8;
      bytes[i] = static_cast<std::uint8_t>(word);
    }
    if (auto written = file.write(done, bytes); !written) return written;
  }
  return {};
}

// As if nothing were there yet.
Result<void> check_room(const std::string& folder, Bytes wanted) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error || space.available >= static_cast<std::uintmax_t>(wanted.count())) return {};
  return Error{ErrorCode::kLimit,
               "the tracks need " + human_bytes(wanted) + ", and '" + folder +
                   "' has no room for them; choose another folder with --content, or shorten the "
                   "test with --nodes or --hours"};
}

class Maker {
 public:
  Maker(const sim::LoadPlan& plan, const LiveContentOptions& options,
        const std::function<void(Bytes, Bytes)>& progress)
      : plan_(plan), options_(options), progress_(progress), total_(volume_of(plan).files) {}

  Result<LiveTrack> make(std::int32_t track) {
    sim::TrackParams params;
    params.duration = track_of(plan_, track).length;
    params.rate = plan_.rate;
    params.point_every = 10s;  // as the simulator's
    const auto key = Random::mix(options_.seed) ^ static_cast<std::uint64_t>(track);
    auto model = std::make_shared<const sim::Track>(params, key);
    const std::string name = name_of(options_.seed, track);
    const std::string path = options_.folder + "/" + name;
    std::error_code missing;
    if (std::filesystem::file_size(path, missing) !=
        static_cast<std::uintmax_t>(model->size().count())) {
      if (auto written = write_track(path, model->size(), Random(key)); !written) {
        return written.error();
      }
    }
    const Album album{name, options_.folder, false, {{path, name, model->size(), true}}};
    PublishSettings settings;
    settings.edges = {options_.edge};
    settings.trackers = {options_.tracker};
    settings.piece_length = params.piece_length;
    TRIBUTARY_TRY(published,
                  build_torrent(album, {model->metainfo().hints, {}, {}}, settings,
                                [this](Bytes n, Bytes) { progress_(done_ + n, total_); }));
    done_ += model->size();
    TRIBUTARY_TRY(metainfo, wire::parse_metainfo(published.torrent, net::kDigester));
    return LiveTrack{std::make_shared<const core::Metainfo>(std::move(metainfo)), std::move(model)};
  }

 private:
  const sim::LoadPlan& plan_;
  const LiveContentOptions& options_;
  const std::function<void(Bytes, Bytes)>& progress_;
  Bytes total_;
  Bytes done_;
};

}  // namespace

LiveVolume volume_of(const sim::LoadPlan& plan) {
  LiveVolume volume;
  for (std::int32_t track : tracks_in(plan)) volume.files += size_of(plan, track);
  for (const sim::LoadEvent& event : plan.events) {
    if (event.track >= 0) volume.plays += size_of(plan, event.track);
  }
  return volume;
}

Result<LiveTracks> make_live_content(const sim::LoadPlan& plan, const LiveContentOptions& options,
                                     const std::function<void(Bytes done, Bytes total)>& progress,
                                     const std::atomic<bool>& stop) {
  if (auto room = check_room(options.folder, volume_of(plan).files); !room) return room.error();
  LiveTracks tracks;
  Maker maker(plan, options, progress);
  for (std::int32_t track : tracks_in(plan)) {
    if (stop) return Error{ErrorCode::kCancelled, "stopped; nothing was played"};
    TRIBUTARY_TRY(made, maker.make(track));
    tracks[track] = made;
  }
  return tracks;
}

}  // namespace tributary::demo
