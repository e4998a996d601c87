#include "engine/net/udp_tracker_client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/net/digests.h"

namespace tributary::net {
namespace {

std::uint32_t draw_transaction() { return static_cast<std::uint32_t>(secure_random_u64()); }

wire::UdpAnnounce to_udp(const wire::AnnounceRequest& request) {
  wire::UdpAnnounce out;
  out.query.info_hash = request.info_hash;
  out.query.peer_id = request.peer_id;
  out.query.port = request.port;
  out.query.uploaded = request.uploaded;
  out.query.downloaded = request.downloaded;
  out.query.left = request.left;
  out.query.event = request.event;
  out.query.want = request.want;
  out.key = request.key;
  return out;
}

void merge(wire::AnnounceAnswer& into, const wire::AnnounceAnswer& more) {
  for (const Endpoint& peer : more.peers) {
    if (std::find(into.peers.begin(), into.peers.end(), peer) == into.peers.end()) {
      into.peers.push_back(peer);
    }
  }
  into.interval = std::max(into.interval, more.interval);
}

void merge(std::vector<wire::SwarmCounts>& into, const std::vector<wire::SwarmCounts>& more) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    into[i].seeds = std::max(into[i].seeds, more[i].seeds);
    into[i].leechers = std::max(into[i].leechers, more[i].leechers);
    into[i].downloaded = std::max(into[i].downloaded, more[i].downloaded);
  }
}

// The first address of each family: resolvers put the best one first.
std::vector<Endpoint> one_of_each_family(const std::vector<Endpoint>& addresses) {
  std::vector<Endpoint> out;
  for (const Endpoint& address : addresses) {
    const auto same = [&](const Endpoint& e) { return e.is_v4() == address.is_v4(); };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(address);
  }
  return out;
}

}  // namespace

UdpTrackerClient::UdpTrackerClient(Loop& loop, Resolver resolver)
    : loop_(loop), resolver_(std::move(resolver)), timer_(loop) {}

UdpTrackerClient::~UdpTrackerClient() = default;

void UdpTrackerClient::announce(const wire::AnnounceRequest& request, Duration timeout,
                                Callback callback) {
  start(request.tracker, to_udp(request), timeout,
        [callback = std::move(callback)](const Result<Answer>& answer) {
          if (!answer) return callback(answer.error());
          callback(std::get<wire::AnnounceAnswer>(*answer));
        });
}

void UdpTrackerClient::scrape(const std::string& tracker, const InfoHash& hash, Duration timeout,
                              ScrapeCallback callback) {
  start(tracker, wire::UdpScrape{{}, {}, {hash}}, timeout,
        [callback = std::move(callback)](const Result<Answer>& answer) {
          if (!answer) return callback(answer.error());
          callback(std::get<std::vector<wire::SwarmCounts>>(*answer).front());
        });
}

void UdpTrackerClient::start(const std::string& tracker, Question question, Duration timeout,
                             AnswerCallback callback) {
  const JobId id(next_id_++);
  Job& job = jobs_[id];
  job.question = std::move(question);
  job.settle_at = loop_.now() + timeout;
  job.callback = std::move(callback);
  const std::weak_ptr<bool> alive = alive_;
  auto url = wire::parse_udp_tracker(tracker);
  if (!url) {
    return loop_.post([this, id, alive, error = url.error()] {
      if (!alive.expired()) settle_in_error(id, error);
    });
  }
  if (auto* announce = std::get_if<wire::UdpAnnounce>(&job.question)) {
    announce->url_data = std::move(url->url_data);
  }
  resolver_(loop_, {url->host, url->port},
            [this, id, alive](const Result<std::vector<Endpoint>>& addresses) {
              if (!alive.expired()) on_resolved(id, addresses);
            });
  arm();
}

void UdpTrackerClient::on_resolved(JobId id, const Result<std::vector<Endpoint>>& addresses) {
  if (!jobs_.contains(id)) return;
  if (!addresses) return settle_in_error(id, addresses.error());
  const std::vector<Endpoint> targets = one_of_each_family(*addresses);
  jobs_.at(id).open = targets.size();
  for (const Endpoint& target : targets) ask(id, target);
  pump();
}

void UdpTrackerClient::ask(JobId id, const Endpoint& at) {
  const auto tracker = tracker_at(at);
  if (!tracker) return on_finished(id, tracker.error());
  const Job& job = jobs_.at(id);
  const TimePoint now = loop_.now();
  (*tracker)->session.ask(id, job.question, std::max<Duration>(job.settle_at - now, 1ms), now);
}

Result<UdpTrackerClient::Tracker*> UdpTrackerClient::tracker_at(const Endpoint& at) {
  drop_useless();
  const auto known = trackers_.find(at);
  if (known != trackers_.end()) return &known->second;
  make_room();
  if (trackers_.size() >= kMaxUdpTrackers) {
    return Error{ErrorCode::kLimit,
                 "more than " + std::to_string(kMaxUdpTrackers) + " UDP trackers at a time"};
  }
  auto socket = DatagramSocket::connect(
      loop_, at,
      [this, at](wire::Octets datagram, const Endpoint&) {
        trackers_.at(at).session.handle(datagram, loop_.now());
        pump();
      },
      [this, at](const Error& error) {
        trackers_.at(at).session.fail(error);
        pump();
      });
  if (!socket) return socket.error();
  Tracker tracker{wire::UdpTrackerSession(wire::family_of(at), draw_transaction),
                  std::move(*socket)};
  return &trackers_.emplace(at, std::move(tracker)).first->second;
}

void UdpTrackerClient::on_finished(JobId id, const Result<Answer>& answer) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  --job.open;
  if (!answer) {
    if (!job.error) job.error = answer.error();
  } else if (job.answer) {
    std::visit([&](auto& into) { merge(into, std::get<std::decay_t<decltype(into)>>(*answer)); },
               *job.answer);
  } else {
    job.answer = *answer;
    job.settle_at = std::min(job.settle_at, loop_.now() + kOtherFamilyGrace);
  }
  if (job.open == 0) settle(id);
}

void UdpTrackerClient::settle(JobId id) {
  const auto node = jobs_.extract(id);
  if (node.empty()) return;
  for (auto& [at, tracker] : trackers_) tracker.session.cancel(id);
  const Job& job = node.mapped();
  if (job.answer) return job.callback(*job.answer);
  job.callback(
      job.error.value_or(io_error("the host's name was not looked up in time; check the name")));
}

void UdpTrackerClient::settle_in_error(JobId id, Error error) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  found->second.error = std::move(error);
  settle(id);
}

// Callbacks may announce, which changes neither trackers nor sessions before a later turn.
void UdpTrackerClient::pump() {
  for (auto& [at, tracker] : trackers_) {
    while (auto action = tracker.session.poll(loop_.now())) {
      if (const auto* finished = std::get_if<wire::UdpTrackerSession::Finished>(&*action)) {
        on_finished(finished->request, finished->answer);
        continue;
      }
      const auto& send = std::get<wire::UdpTrackerSession::Send>(*action);
      if (auto sent = tracker.socket->send(send.datagram); !sent) {
        tracker.session.fail(sent.error());
      }
    }
  }
  arm();
}

void UdpTrackerClient::settle_late() {
  std::vector<JobId> late;
  for (const auto& [id, job] : jobs_) {
    if (job.settle_at <= loop_.now()) late.push_back(id);
  }
  for (const JobId id : late) settle(id);
}

void UdpTrackerClient::drop_useless() {
  const TimePoint now = loop_.now();
  std::erase_if(trackers_, [now](const auto& t) { return t.second.session.useful_until() <= now; });
}

// One that nobody waits for goes first: its connection id is all that is lost.
void UdpTrackerClient::make_room() {
  if (trackers_.size() < kMaxUdpTrackers) return;
  const auto first =
      std::min_element(trackers_.begin(), trackers_.end(), [](const auto& a, const auto& b) {
        return a.second.session.useful_until() < b.second.session.useful_until();
      });
  if (first->second.session.useful_until() < kNever) trackers_.erase(first);
}

void UdpTrackerClient::arm() {
  TimePoint next = kNever;
  for (const auto& [id, job] : jobs_) next = std::min(next, job.settle_at);
  for (const auto& [at, tracker] : trackers_) {
    next = std::min({next, tracker.session.next_deadline(), tracker.session.useful_until()});
  }
  timer_.start(next, [this] {
    pump();
    settle_late();
    drop_useless();
    arm();
  });
}

}  // namespace tributary::net
