#include "demo/loadtest/recording_file.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::demo {
namespace {

const std::string kSession =
    R"({"event":"session","t_ms":0,"trace":1,"policy":"adaptive","down_bps":8000000,"up_bps":null,"upload":true,"from_ms":0,"until_ms":null})"
    "\n";
const std::string kTrack =
    R"({"event":"track","t_ms":5,"torrent":1,"file":0,"title":"a","offset":0,"size":100000,"piece_length":16384,"v2":true,"private":false,"edges":1,"cached":false,"duration_ms":60000,"points":[[30000,50000]]})"
    "\n";
const std::string kPlay = R"({"event":"play","t_ms":9,"torrent":1,"file":0})"
                          "\n";
const std::string kPeer =
    R"({"event":"peer","t_ms":20,"torrent":1,"peer":"out:1","inbound":false,"connect_ms":30})"
    "\n";

std::string error_of(const std::string& text) {
  const auto parsed = parse_recording(text, "s.jsonl");
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == ErrorCode::kInvalid);
  return parsed.error().message;
}

TEST_CASE("a trace is a session: tracks, peers, what they had and gave, requests, keys, an end") {
  const std::string text = kSession + kTrack + kPlay +
                           R"({"t_ms":10,"torrent":1,"block":0,"choice":"cdn"})" + "\n" + kPeer +
                           R"({"event":"has","t_ms":21,"peer":"out:1","pieces":"a0"}
{"event":"unchoke","t_ms":22,"peer":"out:1"}
{"event":"have","t_ms":500,"peer":"out:1","piece":5}
{"event":"got","t_ms":1000,"peer":"out:1","bytes":125000,"busy_ms":500}
{"event":"choke","t_ms":2000,"peer":"out:1","wanted":true}
{"event":"unchoke","t_ms":3000,"peer":"out:1"}
{"event":"choke","t_ms":3500,"peer":"out:1","wanted":false}
{"event":"gone","t_ms":4000,"peer":"out:1","by_us":false}
{"event":"cdn","t_ms":90,"torrent":1,"asked_ms":10,"first_byte_ms":20,"took_ms":60,"bytes":50000,"ok":true,"status":206}
{"event":"cdn","t_ms":99,"torrent":1,"asked_ms":70,"first_byte_ms":null,"took_ms":29,"bytes":0,"ok":false,"status":503}
{"event":"action","t_ms":5000,"action":"seek","by_ms":-10000}
{"event":"of a later version","t_ms":6000}
{"event":"end","t_ms":61000,"report":{"total":{"startup_ms":150,"played_s":60,"stall_count":2,"stall_ms":700,"cdn_requests":3,"bytes":{"peers":60000,"cache":0,"uploaded":5,"duplicate":16384,"corrupt":0,"by_reason":{"startup":40000,"urgent":0,"rescue":0,"no_peer":1,"seed_swarm":0,"prefetch":0}}}}}
)";
  const auto parsed = parse_recording(text, "s.jsonl");
  if (!parsed) FAIL(parsed.error().message);
  CHECK(parsed->policy == "adaptive");
  CHECK(parsed->down == 8_Mbps);
  CHECK(parsed->up == kUnlimited);
  CHECK_FALSE(parsed->until.has_value());
  CHECK(parsed->start == TimePoint(9ms));
  CHECK(parsed->end == TimePoint(61s));
  REQUIRE(parsed->tracks.size() == 1);
  CHECK(parsed->tracks[0].size == Bytes(100'000));
  CHECK(parsed->tracks[0].points == std::vector<core::TimeHint>{{30s, Bytes(50'000)}});
  REQUIRE(parsed->peers.size() == 1);
  const sim::RecordedPeer& peer = parsed->peers[0];
  CHECK(peer.round_trip == 15ms);
  CHECK(peer.until == TimePoint(4s));
  REQUIRE(peer.offers.size() == 2);
  CHECK(peer.offers[0].pieces == std::vector<std::int32_t>{0, 2});
  CHECK(peer.offers[1].pieces == std::vector<std::int32_t>{5});
  const std::vector<std::pair<TimePoint, BitRate>> rates = {
      {TimePoint(500ms), 2_Mbps}, {TimePoint(2s), BitRate()}, {TimePoint(3s), 2_Mbps}};
  CHECK(peer.rates == rates);
  REQUIRE(parsed->requests.size() == 2);
  CHECK(parsed->requests[0].first_byte == 20ms);
  CHECK(parsed->requests[0].rate == 10_Mbps);
  CHECK(parsed->requests[1].failed);
  REQUIRE(parsed->actions.size() == 1);
  CHECK(parsed->actions[0].by == -10s);
  CHECK(parsed->figures.stalls == 2);
  CHECK(parsed->figures.stalled == 700ms);
  CHECK(parsed->figures.bytes.cdn() == Bytes(40'001));
}

TEST_CASE(
    "a track whose timeline the demuxer found has it, one that was never opened is left out") {
  std::string unhinted = kTrack;
  unhinted.replace(unhinted.find(R"(,"duration_ms")"), std::string::npos, "}\n");
  std::string other = unhinted;
  other.replace(other.find(R"("file":0)"), 8, R"("file":1)");
  const auto parsed = parse_recording(
      kSession + unhinted + other + kPlay +
          R"({"event":"timeline","t_ms":30,"torrent":1,"file":0,"duration_ms":42000})" + "\n",
      "s.jsonl");
  if (!parsed) FAIL(parsed.error().message);
  REQUIRE(parsed->tracks.size() == 1);
  CHECK(parsed->tracks[0].duration == 42s);
  CHECK_FALSE(parsed->tracks[0].hinted);
}

TEST_CASE("whom we sent away is still there") {
  const auto parsed =
      parse_recording(kSession + kTrack + kPlay + kPeer +
                          R"({"event":"gone","t_ms":4000,"peer":"out:1","by_us":true})",
                      "s.jsonl");
  REQUIRE(parsed.ok());
  CHECK(parsed->peers[0].until == kNever);
}

TEST_CASE("what is no trace, or an older one, is told as such") {
  CHECK(error_of("") == "s.jsonl: holds no session; record one with play --trace");
  CHECK(error_of(R"({"t_ms":10,"torrent":1,"block":0,"choice":"cdn"})") ==
        "s.jsonl: holds no session; record one with play --trace");
  CHECK(error_of(kSession) == "s.jsonl: holds a session in which nothing was played");
  CHECK(error_of("hello") == "s.jsonl: line 1: is no JSON object");
  CHECK(error_of(kTrack) == "s.jsonl: line 1: the first event must be 'session'");
}

TEST_CASE("a wrong member is told with its line") {
  const auto with = [](const std::string& line, const std::string& from, const std::string& to) {
    std::string changed = line;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  CHECK(error_of(kSession + kSession).find("line 2: a second session") != std::string::npos);
  CHECK(error_of(with(kSession, R"("trace":1)", R"("trace":2)")).find("later version") !=
        std::string::npos);
  CHECK(error_of(kSession + with(kTrack, "100000", "-1")) ==
        "s.jsonl: line 2: 'size' is out of range");
  CHECK(error_of(kSession + with(kTrack, "100000", "1e300")) ==
        "s.jsonl: line 2: 'size' is out of range");
  CHECK(error_of(kSession + with(kTrack, "16384", "16385")).find("power of two") !=
        std::string::npos);
  CHECK(error_of(kSession + with(kTrack, "[[30000,50000]]", "[[1]]")).find("'points'") !=
        std::string::npos);
  CHECK(error_of(kSession + kTrack + kTrack).find("names a track again") != std::string::npos);
  CHECK(error_of(kSession + R"({"event":"got","t_ms":1,"peer":"x","bytes":1,"busy_ms":1})") ==
        "s.jsonl: line 2: names a peer that has not come");
  CHECK(error_of(kSession + kPeer + R"({"event":"has","t_ms":1,"peer":"out:1","pieces":"0x"})")
            .find("hexadecimal") != std::string::npos);
  CHECK(error_of(kSession + R"({"event":"play","t_ms":"soon"})") ==
        "s.jsonl: line 2: 't_ms' must be a number");
  CHECK(error_of(kSession + R"({"event":"end","t_ms":1,"report":{"total":3}})").find("'report'") !=
        std::string::npos);
}

}  // namespace
}  // namespace tributary::demo
