#include "cdn/http/fetcher.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "cdn/pool/header_values.h"
#include "cdn/pool/range_response.h"
#include "engine/base/check.h"
#include "engine/base/url.h"

namespace tributary::cdn {
namespace {

HttpOutcome outcome_of(net::HttpError error) {
  switch (error) {
    case net::HttpError::kNone:
      return HttpOutcome::kOk;
    case net::HttpError::kCancelled:
      return HttpOutcome::kCancelled;
    case net::HttpError::kBadUrl:
      return HttpOutcome::kRefused;
    case net::HttpError::kConnect:
    case net::HttpError::kUntrusted:
      return HttpOutcome::kConnectFailed;
    case net::HttpError::kTimeout:
      return HttpOutcome::kTimeout;
    case net::HttpError::kTooManyRedirects:
      return HttpOutcome::kTooManyRedirects;
    case net::HttpError::kTruncated:
      return HttpOutcome::kTruncated;
    case net::HttpError::kTooLarge:
    case net::HttpError::kProtocol:
      return HttpOutcome::kServerError;
  }
  return HttpOutcome::kServerError;
}

ResponseHead head_of(const net::HttpResponseHead& head) {
  return {.status = head.status,
          .content_range = net::header_value(head.headers, "content-range"),
          .content_length = net::header_value(head.headers, "content-length"),
          .content_encoding = net::header_value(head.headers, "content-encoding")};
}

// A date in Retry-After is set against the same server's Date, so that no two clocks are compared.
std::optional<Duration> retry_after_of(const net::HttpResponseHead& head) {
  const auto text = net::header_value(head.headers, "retry-after");
  if (!text) return std::nullopt;
  constexpr WallTime kYear2026{1'767'225'600};  // for two-digit years
  const auto date = net::header_value(head.headers, "date");
  const auto now = date ? parse_http_date(*date, kYear2026) : std::nullopt;
  if (now) return parse_retry_after(*text, *now);
  return parse_content_length(*text) ? parse_retry_after(*text, kYear2026) : std::nullopt;
}

}  // namespace

struct Fetcher::Transfer {
  HttpGet get;
  net::HttpRequestId request;
  std::size_t part = 0;     // under way
  Bytes skip;               // of the part's body, still to come
  Bytes take;               // of the part's body, still to come
  bool short_part = false;  // the server announced less than was asked for
  std::size_t cut = 0;      // the block being filled
  core::BufferId buffer;
  Bytes filled;
  bool first_byte = false;
  std::optional<HttpOutcome> verdict;  // why we end it ourselves
  std::optional<Duration> retry_after;
  Bytes received;
};

Fetcher::Fetcher(net::Loop& loop, net::HttpClient& client, net::BufferPool& buffers, Sink sink,
                 LogSink log, LimitOf limit_of)
    : loop_(loop),
      client_(client),
      buffers_(buffers),
      sink_(std::move(sink)),
      log_(std::move(log)),
      limit_of_(std::move(limit_of)) {}

Fetcher::~Fetcher() {
  for (const auto& [id, transfer] : transfers_) {
    client_.cancel(transfer->request);
    if (transfer->buffer != core::kNoBuffer) buffers_.release(transfer->buffer);
  }
}

Fetcher::Transfer* Fetcher::find(HttpId id) {
  const auto at = transfers_.find(id);
  return at == transfers_.end() ? nullptr : at->second.get();
}

void Fetcher::perform(HttpAction action) {
  if (auto* ask = std::get_if<HttpGet>(&action)) {
    get(std::move(*ask));
  } else {
    cancel(std::get<HttpCancel>(action).id);
  }
}

void Fetcher::get(HttpGet get) {
  TRIBUTARY_CHECK(!get.parts.empty() && !get.cuts.empty() && !find(get.id));
  const HttpId id = get.id;
  auto& transfer = transfers_[id] = std::make_unique<Transfer>();
  transfer->get = std::move(get);
  start_part(*transfer);
}

void Fetcher::cancel(HttpId id) {
  Transfer* transfer = find(id);
  if (!transfer) return;
  client_.cancel(transfer->request);
  loop_.post([this, id, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired() && find(id)) finish(id, HttpOutcome::kCancelled, 0);
  });
}

void Fetcher::start_part(Transfer& transfer) {
  const UrlRange& part = transfer.get.parts[transfer.part];
  net::HttpClientRequest request;
  request.url = part.url;
  request.range = part.range;
  request.headers = transfer.get.headers;
  // Another encoding would make the range one of the encoded bytes.
  request.headers.emplace_back("Accept-Encoding", "identity");
  request.connect_timeout = transfer.get.connect_timeout;
  request.stall_timeout = transfer.get.stall_timeout;
  if (limit_of_) request.download = limit_of_(transfer.get.torrent);
  const HttpId id = transfer.get.id;
  net::HttpHandlers handlers;
  handlers.on_head = [this, id](const net::HttpResponseHead& head) { return on_head(id, head); };
  handlers.on_body = [this, id](std::span<const std::uint8_t> bytes) { return on_body(id, bytes); };
  handlers.on_end = [this, id](const net::HttpEnd& end) { on_end(id, end); };
  transfer.request = client_.start(std::move(request), std::move(handlers));
}

bool Fetcher::on_head(HttpId id, const net::HttpResponseHead& head) {
  Transfer& transfer = *find(id);
  const Bytes asked = transfer.get.parts[transfer.part].range.size();
  const auto verdict = check_response(transfer.get.parts[transfer.part].range, head_of(head));
  if (const auto* failure = std::get_if<HttpOutcome>(&verdict)) {
    transfer.verdict = *failure;
    transfer.retry_after = retry_after_of(head);
    return false;
  }
  const auto& plan = std::get<BodyPlan>(verdict);
  transfer.skip = plan.skip;
  transfer.take = plan.take;
  transfer.short_part = plan.take < asked;
  if (!std::exchange(transfer.first_byte, true)) sink_(HttpFirstByte{id});
  return true;
}

bool Fetcher::on_body(HttpId id, std::span<const std::uint8_t> bytes) {
  Transfer& transfer = *find(id);
  transfer.received += Bytes(static_cast<std::int64_t>(bytes.size()));
  const auto skipped =
      std::min<std::size_t>(static_cast<std::size_t>(transfer.skip.count()), bytes.size());
  transfer.skip -= Bytes(static_cast<std::int64_t>(skipped));
  bytes = bytes.subspan(skipped);
  const auto wanted =
      std::min<std::size_t>(static_cast<std::size_t>(transfer.take.count()), bytes.size());
  const bool surplus = bytes.size() > wanted;
  transfer.take -= Bytes(static_cast<std::int64_t>(wanted));
  if (!fill(id, bytes.first(wanted))) return false;
  if (surplus) transfer.verdict = HttpOutcome::kOk;  // we have what we wanted
  return !surplus;
}

// Cuts the bytes into blocks; false when there is no buffer for them.
bool Fetcher::fill(HttpId id, std::span<const std::uint8_t> bytes) {
  Transfer& transfer = *find(id);
  while (!bytes.empty()) {
    TRIBUTARY_CHECK(transfer.cut < transfer.get.cuts.size());
    const HttpGet::Cut cut = transfer.get.cuts[transfer.cut];
    if (transfer.buffer == core::kNoBuffer) transfer.buffer = buffers_.allocate(cut.length);
    if (transfer.buffer == core::kNoBuffer) {
      transfer.verdict = HttpOutcome::kCancelled;
      return false;
    }
    const auto count = std::min<std::size_t>(
        static_cast<std::size_t>((cut.length - transfer.filled).count()), bytes.size());
    std::memcpy(buffers_.data(transfer.buffer).data() + transfer.filled.count(), bytes.data(),
                count);
    transfer.filled += Bytes(static_cast<std::int64_t>(count));
    bytes = bytes.subspan(count);
    if (transfer.filled < cut.length) continue;
    ++transfer.cut;
    transfer.filled = 0_B;
    // The sink may cancel this transfer, which stays until the loop's next turn.
    sink_(HttpBlock{id, cut.block, std::exchange(transfer.buffer, core::kNoBuffer)});
  }
  return true;
}

// A redirect may have led elsewhere; the reason names the certificate's trouble, not always its
// host.
void Fetcher::tell_untrusted(std::string_view url, const std::string& why) {
  const std::string origin = origin_of(url);
  if (!log_ || !untrusted_.insert(origin).second) return;
  log_(LogLevel::kWarning, origin + " is not used: " + why);
}

void Fetcher::on_end(HttpId id, const net::HttpEnd& end) {
  Transfer& transfer = *find(id);
  if (end.error == net::HttpError::kUntrusted) {
    tell_untrusted(transfer.get.parts[transfer.part].url, end.detail);
  }
  const HttpOutcome outcome = transfer.verdict.value_or(outcome_of(end.error));
  if (outcome != HttpOutcome::kOk) return finish(id, outcome, end.status);
  if (transfer.take > 0_B || transfer.short_part) {
    return finish(id, HttpOutcome::kTruncated, end.status);
  }
  transfer.verdict.reset();
  if (++transfer.part < transfer.get.parts.size()) return start_part(transfer);
  const bool whole = transfer.cut == transfer.get.cuts.size();
  finish(id, whole ? HttpOutcome::kOk : HttpOutcome::kTruncated, end.status);
}

void Fetcher::finish(HttpId id, HttpOutcome outcome, int status) {
  const auto node = transfers_.extract(id);
  const Transfer& transfer = *node.mapped();
  if (transfer.buffer != core::kNoBuffer) buffers_.release(transfer.buffer);
  sink_(HttpDone{id, outcome, status, transfer.retry_after, transfer.received});
}

}  // namespace tributary::cdn
