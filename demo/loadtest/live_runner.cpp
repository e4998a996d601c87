#include "demo/loadtest/live_runner.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "demo/human.h"
#include "demo/loadtest/live_content.h"
#include "demo/loadtest/live_test.h"
#include "demo/loadtest/process_use.h"
#include "demo/loadtest/report_files.h"
#include "demo/progress_bar.h"
#include "engine/net/address.h"
#include "engine/net/disk_file.h"
#include "engine/net/http_client.h"

namespace tributary::demo {
namespace {

namespace fs = std::filesystem;

// Files and sockets: what a node has for itself (loop, index, contents, servers' connections), and
// its peers'.
constexpr std::int64_t kFilesOfNode = 48;
constexpr std::int64_t kFilesOfProcess = 256;

std::int64_t open_files(std::int64_t nodes) {
  const std::int64_t peers =
      std::min<std::int64_t>(nodes * 2, player::HostOptions().max_connections);
  return kFilesOfProcess + nodes * (kFilesOfNode + peers);
}

// A folder of its own below the system's for such, gone with this.
class Workspace {
 public:
  static Result<std::unique_ptr<Workspace>> make() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "tributary-live-XXXXXX").string();
    if (error || ::mkdtemp(name.data()) == nullptr) {
      return io_error("cannot make a folder at '" + name + "'; name another place with $TMPDIR");
    }
    return std::make_unique<Workspace>(std::move(name));
  }
  explicit Workspace(std::string folder) : folder_(std::move(folder)) {}
  ~Workspace() { clear(""); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  Result<std::string> sub(const std::string& name) const {
    std::string path = folder_ + "/" + name;
    if (auto made = net::make_directories(path); !made) return made.error();
    return path;
  }
  void clear(const std::string& name) const {
    std::error_code ignored;
    fs::remove_all(folder_ + "/" + name, ignored);
  }

 private:
  std::string folder_;
};

Result<void> check(const LoadRun& run, const sim::LoadPlan& plan, const LiveOptions& options) {
  const auto nodes = static_cast<std::int64_t>(plan.listeners.size());
  if (nodes > kMostLiveNodes) {
    return Error{ErrorCode::kLimit, human_count(nodes, "node") + " are too many for one process, " +
                                        std::to_string(kMostLiveNodes) +
                                        " at most; give fewer --nodes, or run several"};
  }
  for (const sim::LinkClass& link : plan.links) {
    if (link.conduct == sim::Conduct::kPolluter || link.conduct == sim::Conduct::kTyrant) {
      return invalid(
          "polluters and tyrants are simulated only: no real node is one; take them out "
          "of the scenario, as by --set links.0.conduct=honest");
    }
  }
  if (plan.operators > 1) {
    return invalid(
        "several operators' networks are simulated only; take them out of the scenario, as by "
        "--set listeners.operators=1");
  }
  if (run.scenario.setup.dht) {
    return invalid(
        "the listeners' DHT is simulated only; take it out of the scenario, as by "
        "--set listeners.dht=false");
  }
  for (const sim::LoadFault& fault : run.scenario.setup.faults) {
    if (fault.kind == sim::LoadFault::Kind::kPartition) {
      return invalid("a partition is simulated only; take it out of the scenario's faults");
    }
    const bool cdn = fault.kind == sim::LoadFault::Kind::kCdnDown;
    if (!(cdn ? options.target.edge : options.target.tracker).empty()) {
      return invalid("the scenario takes the " + std::string(cdn ? "CDN" : "tracker") +
                     " down, which only one of this process can be; leave out " +
                     (cdn ? "--edge" : "--tracker"));
    }
  }
  return allow_open_files(open_files(nodes));
}

std::string where(const std::string& url, bool own) {
  return url + (own ? ", of this process" : ", which will be sent real requests");
}

void tell_plan(const LoadRun& run, const LiveStage& stage,
               const std::function<void(const std::string&)>& tell) {
  const LiveVolume volume = volume_of(stage.plan);
  const auto nodes = static_cast<std::int64_t>(stage.plan.listeners.size());
  const auto policies = static_cast<std::int64_t>(run.policies.size());
  tell(human_count(nodes, "real node") + ", " + human_clock(stage.plan.length) + " under " +
       (policies == 1 ? "one policy" : "each of " + human_count(policies, "policy")) +
       "; links have their rates, delays and losses are the network's own");
  tell("  CDN      " + where(stage.deployment.edge(), stage.deployment.own_edge()));
  tell("  tracker  " + where(stage.deployment.tracker(), stage.deployment.own_tracker()));
  tell("  peers    at " + net::format_address(stage.listen));
  tell("  tracks   " + human_bytes(volume.files) + " in '" + stage.content + "'; at most " +
       human_bytes(volume.plays) + " would be fetched for each policy");
}

// An edge that has other bytes would only be distrusted, block by block.
Result<void> check_edge(net::Loop& loop, const std::string& edge, const std::string& content,
                        const core::TorrentInfo& info) {
  std::array<std::uint8_t, 64> wanted{};
  const std::size_t size =
      std::min(wanted.size(), static_cast<std::size_t>(info.total_size.count()));
  TRIBUTARY_TRY(file, net::DiskFile::open_read(content + "/" + info.name));
  if (auto read = file.read(0_B, std::span(wanted).first(size)); !read) return read;
  net::HttpClient client(loop);
  net::HttpClientRequest request;
  request.url = edge + info.name;
  request.range = ByteRange{0_B, Bytes(static_cast<std::int64_t>(size))};
  request.total_timeout = 20s;
  std::optional<Result<net::HttpReply>> reply;
  client.fetch(std::move(request), [&](Result<net::HttpReply> r) { reply = std::move(r); });
  loop.run_until([&] { return reply.has_value(); }, 30s);
  if (!reply) return io_error("no answer from " + edge);
  if (!*reply) return reply->error();
  const net::HttpReply& got = **reply;
  const std::string_view expected(reinterpret_cast<const char*>(wanted.data()), size);
  if (got.head.status == 206 && got.body == expected) return {};
  const std::string why =
      got.head.status == 206 ? "other bytes" : "status " + std::to_string(got.head.status);
  return io_error(edge + info.name + ": " + why + " for a range of it; the edge must serve the " +
                  "files of '" + content + "' (--content)");
}

sim::LoadSetup with_steps(sim::LoadSetup setup, Duration length) {
  constexpr std::int64_t kSteps = 60;
  setup.bin =
      std::clamp(Duration(length / kSteps / Duration(1s) * Duration(1s)), Duration(1s), setup.bin);
  return setup;
}

Result<LiveRun> run_policies(const LoadRun& run, const LiveStage& stage, const Workspace& work,
                             const std::atomic<bool>& stop) {
  LiveRun done;
  for (const core::Policy& policy : run.policies) {
    if (stop) break;
    LiveTest test(stage, policy, run.seed);
    {
      ProgressBar bar(run.scenario.name + " " + std::string(policy.name), ProgressUnit::kTime);
      auto ran = test.run([&bar](Duration at, Duration all) { bar.update(at, all); }, stop);
      if (!ran) return ran.error();
    }
    done.reports.push_back(test.report());
    work.clear("caches");
  }
  done.stopped = stop;
  return done;
}

Result<std::string> content_folder(const LiveOptions& options, const Workspace& work) {
  if (options.content.empty()) return work.sub("content");
  if (auto made = make_folder(options.content, "--content"); !made) return made.error();
  return options.content;
}

}  // namespace

Result<LiveRun> run_live(const LoadRun& run, const LiveOptions& options,
                         const std::function<void(const std::string&)>& tell,
                         const std::atomic<bool>& stop) {
  const sim::LoadPlan plan = plan_of(run);
  if (auto checked = check(run, plan, options); !checked) return checked.error();
  const sim::LoadSetup setup = with_steps(run.scenario.setup, plan.length);
  TRIBUTARY_TRY(work, Workspace::make());
  TRIBUTARY_TRY(content, content_folder(options, *work));
  TRIBUTARY_TRY(caches, work->sub("caches"));
  net::Loop loop;
  TRIBUTARY_TRY(deployment, LiveDeployment::start(loop, options.target, content, setup));
  const Endpoint loopback = Endpoint::v4(127, 0, 0, 1, 0);
  const Endpoint any = options.target.is_loopback() ? loopback : Endpoint::v4(0, 0, 0, 0, 0);
  LiveTracks tracks;
  const LiveStage stage{loop,        plan,    setup,  tracks,
                        *deployment, content, caches, options.listen.value_or(any)};
  tell_plan(run, stage, tell);
  {
    ProgressBar bar("making tracks");
    const LiveContentOptions made{content, deployment->edge(), deployment->tracker(), run.seed};
    TRIBUTARY_TRY(
        all, make_live_content(
                 plan, made, [&bar](Bytes done, Bytes total) { bar.update(done, total); }, stop));
    tracks = std::move(all);
  }
  if (tracks.empty()) return invalid("nobody plays anything in this time; give more --hours");
  if (!deployment->own_edge()) {
    auto there =
        check_edge(loop, deployment->edge(), content, tracks.begin()->second.metainfo->info);
    if (!there) return there.error();
  }
  TRIBUTARY_TRY(done, run_policies(run, stage, *work, stop));
  if (done.reports.empty()) return Error{ErrorCode::kCancelled, "stopped; nothing was played"};
  return std::move(done);
}

}  // namespace tributary::demo
