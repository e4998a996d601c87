#include "player/client/report.h"

#include <nlohmann/json.hpp>

namespace tributary::player {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(Duration time) { return static_cast<double>(time.count()) / 1e3; }
double seconds(Duration time) { return static_cast<double>(time.count()) / 1e6; }

Json bytes_json(const ReportEntry& entry) {
  const core::ByteCounts& bytes = entry.bytes;
  Json by_reason = Json::object();
  for (const core::CdnReason reason : core::kCdnReasons) {
    by_reason[std::string(core::to_string(reason))] = bytes.cdn_by_reason[reason].count();
  }
  return {{"cdn", bytes.cdn().count()},
          {"peers", bytes.peers.count()},
          {"cache", bytes.cache.count()},
          {"uploaded", bytes.uploaded.count()},
          {"duplicate", bytes.duplicate.count()},
          {"corrupt", bytes.corrupt.count()},
          {"unused", entry.unused.count()},
          {"played", entry.played_bytes.count()},
          {"by_reason", by_reason}};
}

Json entry_json(const ReportEntry& entry) {
  return {{"title", entry.title},
          {"started", entry.started},
          {"startup_ms", entry.started ? Json(milliseconds(entry.startup)) : Json()},
          {"played_s", seconds(entry.played)},
          {"stall_count", entry.stalls},
          {"stall_ms", milliseconds(entry.stalled)},
          {"rebuffering_ratio", entry.rebuffering_ratio()},
          {"offload_ratio", entry.offload_ratio()},
          {"cdn_requests", entry.bytes.cdn_requests},
          {"gap_ms", milliseconds(entry.gap)},
          {"bytes", bytes_json(entry)}};
}

Json peer_json(const ReportPeer& peer) {
  return {{"address", peer.address},
          {"client", peer.client},
          {"flags", peer.flags},
          {"received", peer.received.count()},
          {"sent", peer.sent.count()}};
}

}  // namespace

std::string to_json(const Report& report) {
  Json tracks = Json::array();
  for (const ReportEntry& track : report.tracks) tracks.push_back(entry_json(track));
  Json peers = Json::array();
  for (const ReportPeer& peer : report.peers) peers.push_back(peer_json(peer));
  const Json json = {{"schema", 1},
                     {"policy", report.policy},
                     {"unchoker", report.unchoker},
                     {"total", entry_json(report.total)},
                     {"tracks", std::move(tracks)},
                     {"peers", std::move(peers)}};
  // Titles come from the network; what is no UTF-8 in them is replaced.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tributary::player
