#include "engine/wire/udp_tracker_session.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

Error no_answer(Duration timeout) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
  return io_error("no answer by UDP within " + std::to_string(seconds) +
                  " s; check host and port, and that no firewall drops UDP");
}

using Answer = UdpTrackerSession::Answer;

AnnounceAnswer answer_of(const UdpAnnounced& announced) {
  AnnounceAnswer out;
  out.peers = announced.peers;
  out.interval = announced.interval;
  out.seeds = announced.seeds;
  out.leechers = announced.leechers;
  return out;
}

Result<Answer> answer_of(const UdpScrape& scrape, const UdpScraped& scraped) {
  if (scraped.counts.size() == scrape.hashes.size()) return Answer(scraped.counts);
  return invalid("tracker's answer: counts of " + std::to_string(scraped.counts.size()) +
                 " hashes, where " + std::to_string(scrape.hashes.size()) + " were asked for");
}

// Nothing where it is the answer to a question of another kind.
std::optional<Result<Answer>> answer_to(const UdpTrackerSession::Question& question,
                                        const UdpTrackerAnswer& answer) {
  if (const auto* scrape = std::get_if<UdpScrape>(&question)) {
    const auto* scraped = std::get_if<UdpScraped>(&answer);
    if (scraped) return answer_of(*scrape, *scraped);
  } else if (const auto* announced = std::get_if<UdpAnnounced>(&answer)) {
    return Answer(answer_of(*announced));
  }
  return std::nullopt;
}

Error refusal(const UdpRefused& refused) { return io_error("tracker refuses: " + refused.reason); }

}  // namespace

UdpTrackerSession::UdpTrackerSession(AddressFamily family, std::function<std::uint32_t()> random)
    : family_(family), random_(std::move(random)) {}

void UdpTrackerSession::ask(RequestId id, Question question, Duration timeout, TimePoint now) {
  TRIBUTARY_CHECK(!requests_.contains(id) && timeout > Duration::zero());
  Request request;
  request.question = std::move(question);
  request.transaction = draw_transaction();
  request.since = now;
  request.deadline = now + timeout;
  request.timeout = timeout;
  request.wait = timeout / kUdpFirstRetryFraction;
  // One in a hurry, such as a farewell, hurries the connect that it finds under way.
  if (connecting_) connecting_->send_at = std::min(connecting_->send_at, now + request.wait);
  requests_.emplace(id, std::move(request));
}

void UdpTrackerSession::cancel(RequestId id) { requests_.erase(id); }

void UdpTrackerSession::handle(Octets datagram, TimePoint now) {
  const auto transaction = transaction_of_udp_answer(datagram);
  if (!transaction) return;
  const auto answer = decode_udp_answer(datagram, family_);
  if (connecting_ && *transaction == connecting_->transaction) {
    return on_connect_answer(answer, now);
  }
  const auto request = find(*transaction);
  // One that was never sent cannot have an answer.
  if (request == requests_.end() || !request->second.sent) return;
  on_answer(request, answer);
}

void UdpTrackerSession::fail(const Error& error) {
  while (!requests_.empty()) finish(requests_.begin(), error);
  connecting_.reset();
  connection_.reset();
}

std::optional<UdpTrackerSession::Action> UdpTrackerSession::poll(TimePoint now) {
  expire(now);
  if (!finished_.empty()) {
    Finished first = std::move(finished_.front());
    finished_.erase(finished_.begin());
    return Action(std::move(first));
  }
  auto send = connected(now) ? send_question(now) : send_connect(now);
  if (send) return Action(std::move(*send));
  return std::nullopt;
}

TimePoint UdpTrackerSession::next_deadline() const {
  if (!finished_.empty()) return TimePoint{};
  TimePoint first = kNever;
  bool waiting = false;
  for (const auto& [id, request] : requests_) {
    first = std::min({first, request.deadline, request.send_again_at});
    waiting = waiting || request.send_again_at == kNever;
  }
  if (!waiting) return first;
  return std::min(first, connecting_ ? connecting_->send_at : TimePoint{});
}

TimePoint UdpTrackerSession::useful_until() const {
  if (!requests_.empty() || !finished_.empty()) return kNever;
  return connection_ ? connection_->since + kUdpConnectionUse : TimePoint{};
}

bool UdpTrackerSession::connected(TimePoint now) const {
  return connection_ && now < connection_->since + kUdpConnectionUse;
}

void UdpTrackerSession::finish(Requests::iterator request, Result<Answer> answer) {
  finished_.push_back({request->first, std::move(answer)});
  requests_.erase(request);
}

// A request without an answer goes back to waiting, and takes its connection with it: a tracker
// that was started anew knows no old ids, and may not say so.
void UdpTrackerSession::expire(TimePoint now) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto at = it++;
    Request& request = at->second;
    if (request.deadline <= now) {
      finish(at, no_answer(request.timeout));
    } else if (request.send_again_at <= now) {
      request.send_again_at = kNever;
      request.wait *= 2;
      if (connection_ && connection_->id == request.connection) connection_.reset();
    }
  }
  const bool waiting = std::any_of(requests_.begin(), requests_.end(),
                                   [](const auto& r) { return r.second.send_again_at == kNever; });
  if (!waiting) connecting_.reset();
}

std::optional<UdpTrackerSession::Send> UdpTrackerSession::send_connect(TimePoint now) {
  Duration wait = Duration::max();
  for (const auto& [id, request] : requests_) {
    if (request.send_again_at == kNever) wait = std::min(wait, request.wait);
  }
  if (wait == Duration::max() || (connecting_ && now < connecting_->send_at)) return std::nullopt;
  if (connecting_) {
    connecting_->wait *= 2;
  } else {
    connecting_ = Connecting{draw_transaction(), {}, wait};
  }
  connecting_->send_at = now + connecting_->wait;
  return Send{encode_udp_request(UdpConnect{connecting_->transaction})};
}

std::optional<UdpTrackerSession::Send> UdpTrackerSession::send_question(TimePoint now) {
  const auto waiting = std::find_if(requests_.begin(), requests_.end(),
                                    [](const auto& r) { return r.second.send_again_at == kNever; });
  if (waiting == requests_.end()) return std::nullopt;
  Request& request = waiting->second;
  request.connection = connection_->id;
  request.send_again_at = now + request.wait;
  request.sent = true;
  return std::visit(
      [&request](auto& question) {
        question.connection = request.connection;
        question.transaction = request.transaction;
        return Send{encode_udp_request(question)};
      },
      request.question);
}

UdpTransactionId UdpTrackerSession::draw_transaction() {
  for (;;) {
    const UdpTransactionId drawn(random_());
    const bool taken = connecting_ && connecting_->transaction == drawn;
    if (!taken && find(drawn) == requests_.end()) return drawn;
  }
}

UdpTrackerSession::Requests::iterator UdpTrackerSession::find(UdpTransactionId transaction) {
  return std::find_if(requests_.begin(), requests_.end(),
                      [transaction](const auto& r) { return r.second.transaction == transaction; });
}

void UdpTrackerSession::on_connect_answer(const Result<UdpTrackerAnswer>& answer, TimePoint now) {
  if (!answer) return fail_waiting(answer.error());
  if (const auto* refused = std::get_if<UdpRefused>(&*answer))
    return fail_waiting(refusal(*refused));
  const auto* connected = std::get_if<UdpConnected>(&*answer);
  if (!connected) return;
  connection_ = Connection{connected->connection, now};
  connecting_.reset();
}

void UdpTrackerSession::on_answer(Requests::iterator request,
                                  const Result<UdpTrackerAnswer>& answer) {
  if (!answer) return finish(request, answer.error());
  if (auto answered = answer_to(request->second.question, *answer)) {
    return finish(request, *std::move(answered));
  }
  const auto* refused = std::get_if<UdpRefused>(&*answer);
  if (!refused) return;
  // The connection id from before this request may be what is refused: once, with a new one.
  const bool older = connection_ && connection_->id == request->second.connection &&
                     connection_->since < request->second.since;
  if (!older) return finish(request, refusal(*refused));
  connection_.reset();
  request->second.send_again_at = kNever;
}

void UdpTrackerSession::fail_waiting(const Error& error) {
  connecting_.reset();
  for (auto it = requests_.begin(); it != requests_.end();) {
    const auto at = it++;
    if (at->second.send_again_at == kNever) finish(at, error);
  }
}

}  // namespace tributary::wire
