#include "engine/sim/cdn_model.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {
namespace {

using cdn::HttpOutcome;

// A connection that was idle for longer than a retransmission would wait starts slowly again
// (RFC 5681, 4.1; the time is the least of RFC 6298).
constexpr Duration kWindowKept = 1s;

}  // namespace

HostId CdnModel::add_edge(const EdgeParams& params) {
  const HostId host = links_.add_host({params.egress, kUnlimited, params.half_rtt, 0});
  edges_[host].params = params;
  return host;
}

HostId CdnModel::edge_of(const std::string& url) const {
  for (const auto& [host, edge] : edges_) {
    if (url.compare(0, edge.params.origin.size(), edge.params.origin) == 0) return host;
  }
  return HostId(-1);
}

std::optional<CdnModel::Connection> CdnModel::take_idle(const PoolKey& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end() || found->second.empty()) return std::nullopt;
  // The one used last is the likeliest to be alive.
  const Connection last = found->second.back();
  found->second.pop_back();
  if (queue_.now() - last.idle_since <= edge(key.second).params.keep_alive) return last;
  found->second.clear();
  return std::nullopt;
}

// As if each round trip's window were spread over it.
BitRate CdnModel::pace(const Request& request) const {
  const EdgeParams& params = edge(request.edge).params;
  const Duration rtt = links_.rtt(request.client, request.edge);
  if (!params.first_window || rtt == Duration::zero()) return params.per_connection;
  return std::min(params.per_connection, rate_of(request.window, rtt));
}

void CdnModel::await_round(RequestId id, Request& request) {
  const BitRate open = std::min(links_.link(request.client).down, links_.link(request.edge).up);
  if (pace(request) >= std::min(open, edge(request.edge).params.per_connection)) return;
  later(id, request, links_.rtt(request.client, request.edge), kRound);
}

void CdnModel::next_round(RequestId id, Request& request) {
  if (request.flow == FlowId{}) return;
  request.window = request.window * 2;
  links_.set_cap(request.flow, pace(request));
  await_round(id, request);
}

void CdnModel::later(RequestId id, Request& request, Duration in, Kind kind) {
  ++request.pending;
  queue_.schedule(in, {Owner::kCdn, kind, request.client, id.value()});
}

void CdnModel::get(HostId client, const cdn::HttpGet& get) {
  TRIBUTARY_CHECK(!get.parts.empty() && !get.cuts.empty());
  Request made;
  made.client = client;
  made.edge = edge_of(get.parts.front().url);
  made.get = get;
  made.started = queue_.now();
  const RequestId id = requests_.emplace(std::move(made));
  by_client_[{client, get.id}] = id;
  Request& request = *requests_.find(id);
  if (request.edge.value() < 0) {
    end(id, request, get.connect_timeout, HttpOutcome::kConnectFailed, 0);
    return;
  }
  const EdgeParams& params = edge(request.edge).params;
  const Duration rtt = links_.rtt(client, request.edge);
  const auto kept = take_idle({client, request.edge});
  request.reused = kept.has_value();
  request.window = params.first_window.value_or(0_B);
  if (kept && queue_.now() - kept->idle_since <= kWindowKept) request.window = kept->window;
  if (!request.reused) ++edge(request.edge).meter.connections;
  const Duration setup = request.reused ? Duration::zero() : rtt * params.setup_round_trips;
  later(id, request, setup + rtt / 2, kAtServer);
}

void CdnModel::end(RequestId id, Request& request, Duration in, HttpOutcome outcome, int status) {
  request.done.id = request.get.id;
  request.done.outcome = outcome;
  request.done.status = status;
  later(id, request, in, kEnds);
}

void CdnModel::at_server(RequestId id, Request& request) {
  if (request.done_told || request.pending > 0) return;  // cancelled on the way
  Edge& e = edge(request.edge);
  ++e.meter.requests;
  const Duration latency = links_.latency(request.client, request.edge);
  switch (e.fault) {
    case CdnFault::kRefuse:
      ++e.meter.failures;
      end(id, request, latency, HttpOutcome::kConnectFailed, 0);
      return;
    case CdnFault::kUnavailable:
      ++e.meter.failures;
      request.done.retry_after = e.params.retry_after;
      end(id, request, latency, HttpOutcome::kServerError, 503);
      return;
    case CdnFault::kBlackHole: {
      ++e.meter.failures;
      const Duration limit =
          request.reused ? request.get.stall_timeout : request.get.connect_timeout;
      const Duration spent = queue_.now() - request.started;
      end(id, request, std::max(limit - spent, Duration::zero()), HttpOutcome::kTimeout, 0);
      return;
    }
    case CdnFault::kNone:
    case CdnFault::kTruncate:
      break;
  }
  const auto spread = static_cast<std::uint64_t>(e.params.first_byte_spread.count()) + 1;
  const Duration think = e.params.first_byte + Duration(random_.below(spread));
  later(id, request, think, kFirstByte);
}

void CdnModel::first_byte(RequestId id, Request& request) {
  if (request.done_told || request.pending > 0) return;
  const Edge& e = edge(request.edge);
  request.flow = links_.open(request.edge, request.client, id.value(), pace(request));
  request.serve = request.get.cuts.size();
  if (e.fault == CdnFault::kTruncate) request.serve = std::max<std::size_t>(1, request.serve / 2);
  for (std::size_t i = 0; i < request.serve; ++i) {
    links_.push(request.flow, request.get.cuts[i].length);
  }
  later(id, request, links_.latency(request.client, request.edge), kHeadersArrive);
  await_round(id, request);
}

bool CdnModel::on_finished(const Links::Finished& finished) {
  const RequestId id{finished.user};
  Request* request = requests_.find(id);
  if (request == nullptr || request->flow != finished.flow) return false;
  Edge& e = edge(request->edge);
  e.meter.bytes += finished.size;
  ++request->left;
  const Duration latency = links_.latency(request->client, request->edge);
  later(id, *request, latency, kBlockArrives);
  if (request->left < request->serve) return true;
  links_.close(std::exchange(request->flow, FlowId{}));
  if (request->done_told) return true;
  const bool whole = request->serve == request->get.cuts.size();
  if (whole) {
    idle_[{request->client, request->edge}].push_back({queue_.now() + latency, request->window});
  } else {
    ++e.meter.failures;
  }
  end(id, *request, latency, whole ? HttpOutcome::kOk : HttpOutcome::kTruncated, 206);
  return true;
}

void CdnModel::block_arrives(RequestId, Request& request) {
  const cdn::HttpGet::Cut cut = request.get.cuts[request.arrived++];
  Edge& e = edge(request.edge);
  if (request.done_told) {
    e.meter.cut_off += cut.length;
    return;
  }
  request.received += cut.length;
  e.meter.delivered += cut.length;
  const bool corrupt = e.corrupt_permille > 0 &&
                       random_.chance(static_cast<std::uint64_t>(e.corrupt_permille), 1000);
  handler_.http_block(request.client, request.get.id, request.get.torrent, cut.block, cut.length,
                      corrupt);
}

void CdnModel::ends(Request& request) {
  if (request.done_told) return;
  request.done_told = true;
  request.done.received = request.received;
  by_client_.erase({request.client, request.get.id});
  handler_.http_input(request.client, request.done);
}

void CdnModel::cancel(HostId client, const cdn::HttpCancel& cancel) {
  const auto found = by_client_.find({client, cancel.id});
  if (found == by_client_.end()) return;
  const RequestId id = found->second;
  Request& request = *requests_.find(id);
  end(id, request, Duration::zero(), HttpOutcome::kCancelled, 0);
  if (request.edge.value() < 0) return;
  later(id, request, links_.latency(client, request.edge), kReset);
}

void CdnModel::close_flow(Request& request) {
  if (request.flow == FlowId{}) return;
  const Bytes partial = links_.close(std::exchange(request.flow, FlowId{}));
  edge(request.edge).meter.bytes += partial;
  edge(request.edge).meter.cut_off += partial;
}

void CdnModel::leave(HostId client) {
  std::vector<RequestId> gone;
  requests_.for_each([&](RequestId id, Request& request) {
    if (request.client == client) gone.push_back(id);
  });
  for (RequestId id : gone) {
    Request& request = *requests_.find(id);
    request.done_told = true;
    by_client_.erase({client, request.get.id});
    close_flow(request);
    reap(id);
  }
}

void CdnModel::set_fault(HostId host, CdnFault fault) {
  edge(host).fault = fault;
  if (fault != CdnFault::kRefuse && fault != CdnFault::kBlackHole) return;
  requests_.for_each([&](RequestId id, Request& request) {
    if (request.edge == host && request.flow != FlowId{}) interrupt(id, request, fault);
  });
  for (auto& [key, connections] : idle_) {
    if (key.second == host) connections.clear();
  }
}

void CdnModel::interrupt(RequestId id, Request& request, CdnFault fault) {
  close_flow(request);
  if (request.done_told) return;
  ++edge(request.edge).meter.failures;
  if (fault == CdnFault::kRefuse) {
    end(id, request, links_.latency(request.client, request.edge), HttpOutcome::kTruncated, 206);
  } else {
    end(id, request, request.get.stall_timeout, HttpOutcome::kTimeout, 206);
  }
}

void CdnModel::set_corruption(HostId host, std::int32_t permille) {
  edge(host).corrupt_permille = permille;
}

void CdnModel::set_first_byte(HostId host, Duration least, Duration spread) {
  edge(host).params.first_byte = least;
  edge(host).params.first_byte_spread = spread;
}

void CdnModel::set_per_connection(HostId host, BitRate rate) {
  edge(host).params.per_connection = rate;
  requests_.for_each([&](RequestId, Request& request) {
    if (request.edge != host || request.flow == FlowId{}) return;
    links_.set_cap(request.flow, pace(request));
  });
}

void CdnModel::on_event(const Event& event) {
  const RequestId id{event.id};
  Request* request = requests_.find(id);
  TRIBUTARY_CHECK(request != nullptr);
  --request->pending;
  switch (static_cast<Kind>(event.kind)) {
    case kAtServer:
      at_server(id, *request);
      break;
    case kFirstByte:
      first_byte(id, *request);
      break;
    case kHeadersArrive:
      if (!request->done_told) {
        handler_.http_input(request->client, cdn::HttpFirstByte{request->get.id});
      }
      break;
    case kRound:
      next_round(id, *request);
      break;
    case kBlockArrives:
      block_arrives(id, *request);
      break;
    case kEnds:
      ends(*request);
      break;
    case kReset:
      close_flow(*request);
      break;
  }
  reap(id);
}

void CdnModel::reap(RequestId id) {
  const Request* request = requests_.find(id);
  if (request == nullptr || !request->done_told) return;
  if (request->pending == 0 && request->flow == FlowId{}) requests_.erase(id);
}

EgressMeter CdnModel::meter(HostId host) const {
  EgressMeter meter = edges_.at(host).meter;
  requests_.for_each([&](RequestId, const Request& request) {
    if (request.edge != host) return;
    for (std::size_t i = request.arrived; i < request.left; ++i) {
      meter.unfinished += request.get.cuts[i].length;
    }
  });
  return meter;
}

EgressMeter CdnModel::total() const {
  EgressMeter sum;
  for (const auto& [host, edge] : edges_) {
    const EgressMeter m = meter(host);
    sum.bytes += m.bytes;
    sum.delivered += m.delivered;
    sum.cut_off += m.cut_off;
    sum.unfinished += m.unfinished;
    sum.requests += m.requests;
    sum.connections += m.connections;
    sum.failures += m.failures;
  }
  return sum;
}

}  // namespace tributary::sim
