// Result<T>: a value, or an error that says what went wrong. For calls that can fail because of the
// world (input, disk, network); a bug is a TRIBUTARY_CHECK instead.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engine/base/check.h"

namespace tributary {

enum class ErrorCode {
  kInvalid,      // malformed input
  kUnsupported,  // well-formed, but not something this build handles
  kNotFound,
  kIo,  // disk or network failed
  kCancelled,
  kLimit,  // a named limit was exceeded
};

// One line, lower case, without a full stop: what, where, and when possible how to mend it.
struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;
};

inline Error invalid(std::string message) { return {ErrorCode::kInvalid, std::move(message)}; }
inline Error io_error(std::string message) { return {ErrorCode::kIo, std::move(message)}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() & { return TRIBUTARY_CHECK(ok()), *std::get_if<0>(&state_); }
  const T& value() const& { return TRIBUTARY_CHECK(ok()), *std::get_if<0>(&state_); }
  T&& value() && { return TRIBUTARY_CHECK(ok()), std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  // REQUIRES: !ok().
  const Error& error() const { return TRIBUTARY_CHECK(!ok()), *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  // REQUIRES: !ok().
  const Error& error() const { return TRIBUTARY_CHECK(error_.has_value()), *error_; }

 private:
  std::optional<Error> error_;
};

// Evaluates to the error when `expr` fails, by returning it from the enclosing function.
#define TRIBUTARY_TRY(name, expr)                   \
  auto name##_result = (expr);                      \
  if (!name##_result) return name##_result.error(); \
  auto& name = *name##_result

}  // namespace tributary
