// tributary_client_*: opening, loading, switches, playback, events.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/wire/url.h"
#include "player/api/calls.h"
#include "player/api/policy.h"
#include "player/media/sink.h"

using namespace tributary;        // NOLINT: the exported functions belong to no namespace
using namespace tributary::capi;  // NOLINT

namespace {

constexpr std::size_t kMostSources = 10'000;
constexpr std::size_t kMostEdges = 64;

int read_texts(const char* const* texts, std::size_t count, std::size_t most, const char* name,
               std::vector<std::string>& out) {
  if (!texts || count == 0 || count > most) {
    return fail(TRIBUTARY_E_INVALID, std::string(name) + ": give 1 to " + std::to_string(most) +
                                         ", not " + std::to_string(texts ? count : 0));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (!texts[i]) {
      return fail(TRIBUTARY_E_INVALID, std::string(name) + "[" + std::to_string(i) + "] is NULL");
    }
    out.emplace_back(texts[i]);
  }
  return TRIBUTARY_OK;
}

// Steers playback.
template <class F>
int command(const tributary_client* handle, F body) {
  return with_loaded(handle, [&](ClientObject& client) -> int {
    body(client.player());
    return TRIBUTARY_OK;
  });
}

int give(Event event, EventQueue& events, tributary_event* out) {
  tributary_event filled{};
  filled.size = sizeof filled;
  filled.type = event.type;
  filled.result = event.result;
  filled.track = event.track;
  filled.state = event.state;
  filled.text = events.keep(std::move(event.text));
  filled.reader = event.reader;
  write_struct(filled, out);
  return TRIBUTARY_OK;
}

int pull(tributary_client* handle, std::optional<Duration> limit, tributary_event* out) {
  return with_client(handle, [&](ClientObject& client) -> int {
    const int checked = check_size(out, "tributary_event");
    if (checked < 0) return checked;
    EventQueue& events = client.events();
    auto event = events.take(limit);
    if (event) return give(*std::move(event), events, out);
    if (events.closed()) return fail(TRIBUTARY_E_CANCELLED, "the client is being closed");
    return fail(TRIBUTARY_E_AGAIN, "there is no event");
  });
}

}  // namespace

extern "C" {

int tributary_audio_device_present(void) {
  return guarded([]() -> int { return player::sdl_device_present() ? 1 : 0; });
}

int tributary_client_open(const tributary_options* options, tributary_client** client) {
  return guarded([&]() -> int {
    const int cleared = clear<tributary_client*>(client, nullptr, "client");
    if (cleared < 0) return cleared;
    tributary_options given{};
    const int read = read_struct(options, given, "tributary_options");
    if (read < 0) return read;
    auto opened = ClientObject::open(given);
    if (!opened) return fail(opened.error());
    *client = give_out<tributary_client>(*std::move(opened));
    return TRIBUTARY_OK;
  });
}

int tributary_client_close(tributary_client* client) {
  const int may = with_client(client, [](ClientObject& object) -> int {
    if (!object.in_callback()) return TRIBUTARY_OK;
    return fail(
        TRIBUTARY_E_THREAD,
        "a client cannot be closed within a callback of its own; have another thread do it");
  });
  return may < 0 ? may : free_handle<ClientObject>(client, "client");
}

int tributary_client_finish(tributary_client* client) {
  return with_client(client, [](ClientObject& object) -> int {
    object.finish();
    return TRIBUTARY_OK;
  });
}

int tributary_client_address(tributary_client* client, const char** address) {
  return with_client(client, [&](ClientObject& object) -> int {
    return clear(address, object.address().c_str(), "address");
  });
}

int tributary_client_load(tributary_client* client, const char* const* sources, size_t count) {
  return with_client(client, [&](ClientObject& object) -> int {
    std::vector<std::string> texts;
    const int read = read_texts(sources, count, kMostSources, "sources", texts);
    return read < 0 ? read : object.load(std::move(texts));
  });
}

int tributary_client_cancel_load(tributary_client* client) {
  return with_client(client, [](ClientObject& object) -> int {
    object.cancel_load();
    return TRIBUTARY_OK;
  });
}

int tributary_client_track_count(tributary_client* client) {
  return with_client(client, [](ClientObject& object) -> int {
    return object.loaded() ? static_cast<int>(object.tracks().size()) : 0;
  });
}

int tributary_client_track(tributary_client* client, size_t track, tributary_track* out) {
  return with_track(client, track, [&](ClientObject& object) -> int {
    const int checked = check_size(out, "tributary_track");
    if (checked < 0) return checked;
    const TrackText& text = object.tracks()[track];
    tributary_track filled{};
    filled.size = sizeof filled;
    filled.title = text.title.c_str();
    filled.path = text.path.c_str();
    filled.torrent = text.torrent.c_str();
    filled.info_hash = text.info_hash.c_str();
    filled.length_bytes = text.length.count();
    filled.duration_ms = ms_of(text.duration);
    filled.verifiable = text.verifiable ? 1 : 0;
    write_struct(filled, out);
    return TRIBUTARY_OK;
  });
}

int tributary_client_add_peer(tributary_client* client, size_t track, const char* peer) {
  return with_track(client, track, [&](ClientObject& object) -> int {
    const auto endpoint = peer_from(peer);
    if (!endpoint) return fail(endpoint.error());
    object.player().add_peer(track, *endpoint);
    return TRIBUTARY_OK;
  });
}

int tributary_client_set_edges(tributary_client* client, size_t track, const char* const* urls,
                               size_t count) {
  return with_track(client, track, [&](ClientObject& object) -> int {
    std::vector<std::string> edges;
    const int read = read_texts(urls, count, kMostEdges, "urls", edges);
    if (read < 0) return read;
    for (const std::string& edge : edges) {
      if (wire::is_http_url(edge)) continue;
      return fail(TRIBUTARY_E_INVALID, "edge '" + edge + "' is no http or https URL");
    }
    object.player().set_edges(track, std::move(edges));
    return TRIBUTARY_OK;
  });
}

int tributary_client_prefetch(tributary_client* client, size_t track) {
  return with_track(client, track, [&](ClientObject& object) -> int {
    object.player().prefetch(track);
    return TRIBUTARY_OK;
  });
}

int tributary_client_start(tributary_client* client) {
  return with_client(client, [](ClientObject& object) -> int { return object.start(); });
}

int tributary_client_set_paused(tributary_client* client, int paused) {
  return command(client, [&](player::Client& player) { player.set_paused(paused != 0); });
}

int tributary_client_seek(tributary_client* client, int64_t position_ms) {
  return with_loaded(client, [&](ClientObject& object) -> int {
    if (position_ms < 0 || position_ms > kLongestTime) {
      return fail(TRIBUTARY_E_INVALID,
                  "position_ms is " + std::to_string(position_ms) + "; give 0 to the track's end");
    }
    object.player().seek_to(position_ms * 1ms);
    return TRIBUTARY_OK;
  });
}

int tributary_client_seek_by(tributary_client* client, int64_t offset_ms) {
  const std::int64_t offset = std::clamp(offset_ms, -kLongestTime, kLongestTime);
  return command(client, [&](player::Client& player) { player.seek_by(offset * 1ms); });
}

int tributary_client_next(tributary_client* client) {
  return command(client, [](player::Client& player) { player.next(); });
}

int tributary_client_previous(tributary_client* client) {
  return command(client, [](player::Client& player) { player.previous(); });
}

int tributary_client_stop(tributary_client* client) {
  return with_loaded(client, [](ClientObject& object) -> int {
    object.stop();
    return TRIBUTARY_OK;
  });
}

int tributary_client_set_limits(tributary_client* client, const tributary_limits* limits) {
  return with_client(client, [&](ClientObject& object) -> int {
    tributary_limits given{};
    const int read = read_struct(limits, given, "tributary_limits");
    if (read < 0) return read;
    const auto rates = limits_from(given);
    if (!rates) return fail(rates.error());
    object.player().set_limits(*rates);
    return TRIBUTARY_OK;
  });
}

int tributary_client_set_upload(tributary_client* client, int consent) {
  return with_client(client, [&](ClientObject& object) -> int {
    object.change_conduct([&](Conduct& conduct) { conduct.consent = consent != 0; });
    return TRIBUTARY_OK;
  });
}

int tributary_client_set_metered(tributary_client* client, int metered) {
  return with_client(client, [&](ClientObject& object) -> int {
    object.change_conduct([&](Conduct& conduct) { conduct.metered = metered != 0; });
    return TRIBUTARY_OK;
  });
}

int tributary_client_set_policy(tributary_client* client, const tributary_policy* policy) {
  return with_client(client, [&](ClientObject& object) -> int {
    tributary_policy given{};
    const int read = read_struct(policy, given, "tributary_policy");
    if (read < 0) return read;
    const auto wanted = policy_from(given);
    if (!wanted) return fail(wanted.error());
    object.change_conduct([&](Conduct& conduct) { conduct.policy = *wanted; });
    return TRIBUTARY_OK;
  });
}

int tributary_client_next_event(tributary_client* client, tributary_event* event) {
  return pull(client, Duration::zero(), event);
}

int tributary_client_wait_event(tributary_client* client, int64_t timeout_ms,
                                tributary_event* event) {
  const bool limited = timeout_ms >= 0;
  const std::int64_t limit = std::min(timeout_ms, kLongestTime);
  return pull(client, limited ? std::optional(Duration(limit * 1ms)) : std::nullopt, event);
}
}
