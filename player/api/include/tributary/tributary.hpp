// Tributary for C++20: the C API of <tributary/tributary.h> with handles that close themselves,
// results instead of numbers, strings and vectors. Header-only; it adds nothing to the ABI, so the
// chapters of that header hold here: threads, event loop, lifetimes, errors, compatibility.
//
//   tributary::api::Options options;
//   options.audio = "sdl";
//   auto client = tributary::api::Client::open(options);
//   if (!client || !client->play({"song.torrent"})) return 1;
//   client->finish();
//
// No function throws anything but std::bad_alloc. A Client, Reader, Snapshot or Report owns its
// handle, can be moved and not copied; one that was moved from may only be destroyed or assigned
// to.
#ifndef TRIBUTARY_TRIBUTARY_HPP
#define TRIBUTARY_TRIBUTARY_HPP

#include <tributary/tributary.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tributary::api {

using std::chrono::milliseconds;

// What went wrong: a TRIBUTARY_E_* and one line.
struct Error {
  int code = TRIBUTARY_OK;
  std::string message;
};

// A value, or an Error. REQUIRES of value() and error(): that it is there.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  explicit operator bool() const { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  const T& value() const { return *std::get_if<0>(&state_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT
  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

namespace detail {

inline Error last_error(int code) { return {code, tributary_error_message()}; }

inline Result<void> check(int code) {
  return code < 0 ? Result<void>(last_error(code)) : Result<void>();
}

// A struct of the C API that knows its size.
template <class T>
T sized() {
  T value{};
  value.size = sizeof value;
  return value;
}

// What `call` fills in; REQUIRES of it that it cannot fail for a live handle.
template <class T, class Call>
T filled(Call call) {
  T value = sized<T>();
  call(&value);
  return value;
}

template <class Handle, int (*Free)(Handle*)>
struct Freer {
  void operator()(Handle* handle) const { Free(handle); }
};
template <class Handle, int (*Free)(Handle*)>
using Owner = std::unique_ptr<Handle, Freer<Handle, Free>>;

}  // namespace detail

// The values of a policy; begin with a named one and change some.
using Policy = tributary_policy;
inline Result<Policy> policy_named(const std::string& name) {
  Policy policy = detail::sized<Policy>();
  const int code = tributary_policy_named(name.c_str(), &policy);
  if (code < 0) return detail::last_error(code);
  return policy;
}

// Whether the sink "sdl" has a sound card.
inline bool audio_device_present() { return tributary_audio_device_present() > 0; }

// As tributary_options; what is empty or zero is the default. Callbacks are called on a thread of
// the client's own.
struct Options {
  std::string audio;
  std::optional<Policy> policy;
  bool upload = false;  // the listener agreed
  bool metered = false;
  std::string cache_directory;
  std::int64_t cache_limit_bytes = 0;
  std::int64_t memory_limit_bytes = 0;
  std::string listen;
  bool local_discovery = true;
  bool port_mapping = true;
  bool dht = true;
  std::vector<std::string> dht_nodes;
  bool overlay = true;
  std::vector<std::string> peers;
  std::string network_interface;
  std::string operators_file;
  tributary_encryption encryption = TRIBUTARY_ENCRYPTION_ALLOWED;
  tributary_transport transport = TRIBUTARY_TRANSPORT_BOTH;
  std::int32_t max_connections = 0;
  std::int64_t up_bps = 0;
  std::int64_t down_bps = 0;
  std::int64_t up_each_bps = 0;
  std::int64_t down_each_bps = 0;
  milliseconds from{0};
  milliseconds until{0};
  tributary_log_level log_level = TRIBUTARY_LOG_WARNING;
  std::function<void()> wakeup;
  std::function<void(tributary_log_level, std::string_view)> log;
  std::function<void(std::string_view json)> decision;
  std::function<void(std::size_t track, std::string_view url, int status)> refused;
  std::function<void(std::string_view line)> trace;
};

// One track of the list; it lives as long as the client's strings that it points to.
using Track = tributary_track;
using Status = tributary_status;
using Ledger = tributary_ledger;
using Peer = tributary_peer;
using Edge = tributary_edge;
using Entry = tributary_entry;

struct Event {
  tributary_event_type type = TRIBUTARY_EVENT_NONE;
  int result = TRIBUTARY_OK;
  std::size_t track = 0;
  tributary_state state = TRIBUTARY_STATE_LOADING;
  std::string text;
  tributary_reader* reader = nullptr;
};

// All that a screen shows, of one moment. Strings in what it gives out live as long as it does.
class Snapshot {
 public:
  Status status() const {
    return detail::filled<Status>([&](Status* s) { tributary_snapshot_status(handle_.get(), s); });
  }
  Ledger ledger() const {
    return detail::filled<Ledger>([&](Ledger* l) { tributary_snapshot_ledger(handle_.get(), l); });
  }
  std::vector<Peer> peers() const {
    return list<Peer>(status().peer_count, tributary_snapshot_peer);
  }
  std::vector<Edge> edges() const {
    return list<Edge>(status().edge_count, tributary_snapshot_edge);
  }
  std::vector<tributary_piece_state> pieces() const {
    std::vector<tributary_piece_state> cells(status().piece_count);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = static_cast<tributary_piece_state>(tributary_snapshot_piece(handle_.get(), i));
    }
    return cells;
  }

 private:
  friend class Client;
  explicit Snapshot(tributary_snapshot* handle) : handle_(handle) {}

  template <class T>
  std::vector<T> list(std::size_t count, int (*get)(tributary_snapshot*, std::size_t, T*)) const {
    std::vector<T> all(count, detail::sized<T>());
    for (std::size_t i = 0; i < count; ++i) get(handle_.get(), i, &all[i]);
    return all;
  }

  detail::Owner<tributary_snapshot, tributary_snapshot_free> handle_;
};

// What a session came to. Strings in what it gives out live as long as it does.
class Report {
 public:
  Entry total() const {
    return detail::filled<Entry>([&](Entry* e) { tributary_report_total(handle_.get(), e); });
  }
  Ledger total_ledger() const {
    return detail::filled<Ledger>(
        [&](Ledger* l) { tributary_report_total_ledger(handle_.get(), l); });
  }
  // Nothing beyond the last track.
  std::optional<Entry> track(std::size_t index) const {
    Entry entry = detail::sized<Entry>();
    if (tributary_report_track(handle_.get(), index, &entry) < 0) return std::nullopt;
    return entry;
  }
  std::optional<Ledger> track_ledger(std::size_t index) const {
    Ledger ledger = detail::sized<Ledger>();
    if (tributary_report_track_ledger(handle_.get(), index, &ledger) < 0) return std::nullopt;
    return ledger;
  }
  std::string_view json() const {
    const char* text = "";
    tributary_report_json(handle_.get(), &text);
    return text;
  }

 private:
  friend class Client;
  explicit Report(tributary_report* handle) : handle_(handle) {}
  detail::Owner<tributary_report, tributary_report_free> handle_;
};

// Random access to one track, for a decoder of one's own.
class Reader {
 public:
  std::int64_t length() const { return tributary_reader_length(handle_.get()); }
  // How many bytes came; 0 only at the end. Waits until there is something.
  Result<std::size_t> read(std::int64_t offset, void* buffer, std::size_t size) {
    return count(tributary_reader_read(handle_.get(), offset, buffer, size));
  }
  // The same without waiting: an error of TRIBUTARY_E_AGAIN where nothing is at hand.
  Result<std::size_t> try_read(std::int64_t offset, void* buffer, std::size_t size) {
    return count(tributary_reader_try_read(handle_.get(), offset, buffer, size));
  }
  // Any thread.
  Result<void> cancel() { return detail::check(tributary_reader_cancel(handle_.get())); }
  // What an Event names. Valid as long as this.
  tributary_reader* handle() const { return handle_.get(); }

 private:
  friend class Client;
  explicit Reader(tributary_reader* handle) : handle_(handle) {}
  static Result<std::size_t> count(std::int64_t read) {
    if (read < 0) return detail::last_error(static_cast<int>(read));
    return static_cast<std::size_t>(read);
  }
  detail::Owner<tributary_reader, tributary_reader_close> handle_;
};

// One whole player. Every function may be called from every thread; the destructor, which waits for
// them and for callbacks, may not be called within a callback.
class Client {
 public:
  static Result<Client> open(const Options& options) {
    auto callbacks = std::make_unique<Options>(options);
    tributary_client* handle = nullptr;
    const int code = open_with(*callbacks, &handle);
    if (code < 0) return detail::last_error(code);
    return Client(handle, std::move(callbacks));
  }

  Client(Client&&) noexcept = default;
  Client& operator=(Client&& other) noexcept {
    handle_ = std::move(other.handle_);  // first: it closes the former one, which calls back
    callbacks_ = std::move(other.callbacks_);
    return *this;
  }

  Result<void> finish() { return detail::check(tributary_client_finish(handle())); }
  std::string address() const {
    const char* text = "";
    tributary_client_address(handle(), &text);
    return text;
  }

  Result<void> load(const std::vector<std::string>& sources) {
    const auto texts = pointers(sources);
    return detail::check(tributary_client_load(handle(), texts.data(), texts.size()));
  }
  Result<void> cancel_load() { return detail::check(tributary_client_cancel_load(handle())); }
  // Loads, starts, and waits until all was played.
  Result<void> play(const std::vector<std::string>& sources) {
    Result<void> begun = load(sources);
    if (begun) static_cast<void>(start());  // where loading has failed by now the event says why
    while (begun) {
      const std::optional<Event> event = wait_event();
      if (!event) return detail::last_error(TRIBUTARY_E_CANCELLED);
      if (event->result < 0) return Error{event->result, event->text};
      if (event->type == TRIBUTARY_EVENT_ENDED) break;
    }
    return begun;
  }

  std::vector<Track> tracks() const {
    std::vector<Track> all;
    Track track = detail::sized<Track>();
    while (tributary_client_track(handle(), all.size(), &track) == TRIBUTARY_OK) {
      all.push_back(track);
    }
    return all;
  }
  Result<void> add_peer(std::size_t track, const std::string& peer) {
    return detail::check(tributary_client_add_peer(handle(), track, peer.c_str()));
  }
  Result<void> set_edges(std::size_t track, const std::vector<std::string>& urls) {
    const auto texts = pointers(urls);
    return detail::check(tributary_client_set_edges(handle(), track, texts.data(), texts.size()));
  }
  Result<void> prefetch(std::size_t track) {
    return detail::check(tributary_client_prefetch(handle(), track));
  }

  Result<Reader> open_reader(std::size_t track) {
    tributary_reader* reader = nullptr;
    const int code = tributary_reader_open(handle(), track, &reader);
    if (code < 0) return detail::last_error(code);
    return Reader(reader);
  }

  Result<void> start() { return detail::check(tributary_client_start(handle())); }
  Result<void> set_paused(bool paused) {
    return detail::check(tributary_client_set_paused(handle(), paused ? 1 : 0));
  }
  Result<void> seek(milliseconds position) {
    return detail::check(tributary_client_seek(handle(), position.count()));
  }
  Result<void> seek_by(milliseconds offset) {
    return detail::check(tributary_client_seek_by(handle(), offset.count()));
  }
  Result<void> next() { return detail::check(tributary_client_next(handle())); }
  Result<void> previous() { return detail::check(tributary_client_previous(handle())); }
  Result<void> stop() { return detail::check(tributary_client_stop(handle())); }

  Result<void> set_limits(tributary_limits limits) {
    limits.size = sizeof limits;
    return detail::check(tributary_client_set_limits(handle(), &limits));
  }
  Result<void> set_upload(bool consent) {
    return detail::check(tributary_client_set_upload(handle(), consent ? 1 : 0));
  }
  Result<void> set_metered(bool metered) {
    return detail::check(tributary_client_set_metered(handle(), metered ? 1 : 0));
  }
  Result<void> set_policy(const Policy& policy) {
    return detail::check(tributary_client_set_policy(handle(), &policy));
  }

  // The oldest event; nothing where there is none.
  std::optional<Event> next_event() { return wait_event(milliseconds(0)); }
  // Waits for one, at most `limit`; a negative one is no limit.
  std::optional<Event> wait_event(milliseconds limit = milliseconds(-1)) {
    tributary_event event = detail::sized<tributary_event>();
    if (tributary_client_wait_event(handle(), limit.count(), &event) < 0) return std::nullopt;
    return Event{event.type, event.result, event.track, event.state, event.text, event.reader};
  }

  Result<Snapshot> snapshot(std::size_t pieces = 0) const {
    tributary_snapshot* snapshot = nullptr;
    const int code = tributary_client_snapshot(handle(), pieces, &snapshot);
    if (code < 0) return detail::last_error(code);
    return Snapshot(snapshot);
  }
  Result<Report> report() const {
    tributary_report* report = nullptr;
    const int code = tributary_client_report(handle(), &report);
    if (code < 0) return detail::last_error(code);
    return Report(report);
  }

  // For functions of the C API. Valid as long as this.
  tributary_client* handle() const { return handle_.get(); }

 private:
  Client(tributary_client* handle, std::unique_ptr<Options> callbacks)
      : callbacks_(std::move(callbacks)), handle_(handle) {}

  static std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> all;
    for (const std::string& text : texts) all.push_back(text.c_str());
    return all;
  }
  static const Options& options_of(void* user) { return *static_cast<const Options*>(user); }
  static void set_callbacks(Options& from, tributary_options& to);
  static int open_with(Options& from, tributary_client** handle);

  std::unique_ptr<Options> callbacks_;  // outlives the handle, whose callbacks use it
  detail::Owner<tributary_client, tributary_client_close> handle_;
};

inline void Client::set_callbacks(Options& from, tributary_options& to) {
  to.user = &from;
  to.log_level = from.log_level;
  if (from.wakeup) to.wakeup = [](void* user) { options_of(user).wakeup(); };
  if (from.log) {
    to.log = [](void* user, int level, const char* text) {
      options_of(user).log(static_cast<tributary_log_level>(level), text);
    };
  }
  if (from.decision) {
    to.decision = [](void* user, const char* json) { options_of(user).decision(json); };
  }
  if (from.refused) {
    to.refused = [](void* user, std::size_t track, const char* url, int status) {
      options_of(user).refused(track, url, status);
    };
  }
  if (from.trace) {
    to.trace = [](void* user, const char* line) { options_of(user).trace(line); };
  }
}

inline int Client::open_with(Options& from, tributary_client** handle) {
  const auto dht_nodes = pointers(from.dht_nodes);
  const auto peers = pointers(from.peers);
  tributary_options to = detail::sized<tributary_options>();
  to.audio = from.audio.c_str();
  to.policy = from.policy ? &*from.policy : nullptr;
  to.upload = from.upload ? 1 : 0;
  to.metered = from.metered ? 1 : 0;
  to.cache_directory = from.cache_directory.c_str();
  to.cache_limit_bytes = from.cache_limit_bytes;
  to.memory_limit_bytes = from.memory_limit_bytes;
  to.listen = from.listen.c_str();
  to.no_local_discovery = from.local_discovery ? 0 : 1;
  to.no_port_mapping = from.port_mapping ? 0 : 1;
  to.no_dht = from.dht ? 0 : 1;
  to.dht_nodes = dht_nodes.data();
  to.dht_node_count = dht_nodes.size();
  to.no_overlay = from.overlay ? 0 : 1;
  to.peers = peers.data();
  to.peer_count = peers.size();
  to.network_interface = from.network_interface.c_str();
  to.operators_file = from.operators_file.c_str();
  to.encryption = from.encryption;
  to.transport = from.transport;
  to.max_connections = from.max_connections;
  to.up_bps = from.up_bps;
  to.down_bps = from.down_bps;
  to.up_each_bps = from.up_each_bps;
  to.down_each_bps = from.down_each_bps;
  to.from_ms = from.from.count();
  to.until_ms = from.until.count();
  set_callbacks(from, to);
  return tributary_client_open(&to, handle);
}

}  // namespace tributary::api

#endif  // TRIBUTARY_TRIBUTARY_HPP
