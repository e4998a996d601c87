// The common part of exported functions.
#pragma once

#include <string>

#include "player/api/client_object.h"
#include "player/api/errors.h"
#include "player/api/handles.h"
#include "player/api/structs.h"

namespace tributary::capi {

// Calls `body` with the object that the handle stands for. HANDLE where it is no T.
template <class T, class F>
int with(const void* handle, const char* kind, F body) noexcept {
  return guarded([&]() -> int {
    const In<T> object(handle);
    return object ? body(*object) : no_such_handle(kind);
  });
}

template <class F>
int with_client(const tributary_client* handle, F body) noexcept {
  return with<ClientObject>(handle, "client", body);
}

// STATE before the list of tracks is there, and after the farewell.
template <class F>
int with_loaded(const tributary_client* handle, F body) noexcept {
  return with_client(handle, [&](ClientObject& client) -> int {
    if (!client.loaded()) {
      return fail(TRIBUTARY_E_STATE, "no tracks yet: wait for TRIBUTARY_EVENT_LOADED");
    }
    if (client.finished()) return fail(TRIBUTARY_E_STATE, "the client is finished");
    return body(client);
  });
}

inline int no_such(const char* what, std::size_t index, std::size_t count) {
  return fail(TRIBUTARY_E_NOT_FOUND, "there is no " + std::string(what) + " " +
                                         std::to_string(index) + ": there are " +
                                         std::to_string(count));
}

template <class F>
int with_track(const tributary_client* handle, std::size_t track, F body) noexcept {
  return with_client(handle, [&](ClientObject& client) -> int {
    const std::size_t count = client.loaded() ? client.tracks().size() : 0;
    return track < count ? body(client) : no_such("track", track, count);
  });
}

// Sets what a call gives out, or says that there is nowhere to put it.
template <class T>
int clear(T* out, T empty, const char* name) {
  if (!out) return fail(TRIBUTARY_E_INVALID, std::string(name) + " is NULL");
  *out = empty;
  return TRIBUTARY_OK;
}

// Takes a handle back that is a T.
template <class T>
int free_handle(const void* handle, const char* kind) noexcept {
  const int found = with<T>(handle, kind, [](T&) -> int { return TRIBUTARY_OK; });
  if (found < 0) return found;
  return guarded([&]() -> int {
    const auto object = Handles::all().take(reinterpret_cast<Handles::Name>(handle));
    return object ? static_cast<int>(TRIBUTARY_OK) : no_such_handle(kind);
  });
}

inline std::int64_t ms_of(Duration time) { return time / 1ms; }

}  // namespace tributary::capi
