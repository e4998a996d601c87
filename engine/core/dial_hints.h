// What is known of a peer before it is dialled.
#pragma once

namespace tributary::core {

// What decides how a peer is best dialled. By others' word: a dial must not
// come to harm where it is wrong.
struct DialHints {
  bool utp = false;                 // it speaks uTP
  bool prefers_encryption = false;  // it may refuse a plain connection
  friend bool operator==(const DialHints&, const DialHints&) = default;
};

}  // namespace tributary::core
