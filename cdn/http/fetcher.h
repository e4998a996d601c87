// Performs the edge pool's requests over HTTP and cuts the bodies into blocks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "cdn/pool/http.h"
#include "engine/base/log.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/http_client.h"
#include "engine/net/loop.h"

namespace tributary::cdn {

// Loop thread only; must not outlive its client, pool and loop. Tracks one entry per HttpGet until
// its HttpDone. Blocks are handed over with their buffers, which the receiver releases.
class Fetcher {
 public:
  // Called on the loop thread, never from within perform(). It may call perform(), and must not
  // destroy the fetcher.
  using Sink = std::function<void(const HttpInput&)>;

  // What a torrent's bodies are spent from; null: from what the client's are.
  using LimitOf = std::function<net::TokenBucket*(core::TorrentId)>;

  // `log` is told once of each server whose certificate is refused: waiting does not mend that.
  Fetcher(net::Loop& loop, net::HttpClient& client, net::BufferPool& buffers, Sink sink,
          LogSink log = {}, LimitOf limit_of = {});
  // Drops what runs without further inputs.
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Answered by HttpFirstByte at most once, an HttpBlock for each block that arrives whole, and one
  // HttpDone. When no buffer is free the request ends as cancelled: that is no edge's fault.
  void perform(HttpAction action);
  // Opens a connection to the URL's server ahead of the first request.
  void warm_up(const std::string& url) { client_.warm_up(url); }

  std::size_t running() const { return transfers_.size(); }

 private:
  struct Transfer;

  void get(HttpGet get);
  void cancel(HttpId id);
  void start_part(Transfer& transfer);
  bool on_head(HttpId id, const net::HttpResponseHead& head);
  bool on_body(HttpId id, std::span<const std::uint8_t> bytes);
  bool fill(HttpId id, std::span<const std::uint8_t> bytes);
  void on_end(HttpId id, const net::HttpEnd& end);
  void tell_untrusted(std::string_view url, const std::string& why);
  void finish(HttpId id, HttpOutcome outcome, int status);
  Transfer* find(HttpId id);

  net::Loop& loop_;
  net::HttpClient& client_;
  net::BufferPool& buffers_;
  Sink sink_;
  LogSink log_;
  LimitOf limit_of_;
  std::set<std::string> untrusted_;  // scheme://host:port, of those told
  std::map<HttpId, std::unique_ptr<Transfer>> transfers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tributary::cdn
