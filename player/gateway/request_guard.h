// Who may ask the gateway: pure functions of a request's header. A page of any web site can make a
// browser talk to this machine; these are the ways in which it could, and what stops them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/http_headers.h"

namespace tributary::player {

// What a request must show.
struct GatewayAccess {
  std::string token;               // empty: none is needed
  std::vector<std::string> hosts;  // names the gateway is called by, beside its addresses
};

struct Refusal {
  int status = 403;
  std::string message;  // one line: what is wrong and how to mend it
};

// Nothing: the request may pass. Names of headers are in lower case, `query` is as sent.
// - Host must be an address, localhost, or one of the names: a foreign name that points here is DNS
//   rebinding, and 421.
// - A page of another origin is refused: Origin must be this one, Sec-Fetch-Site not cross-site,
//   unless the user followed a link. 403.
// - The token comes as "Authorization: Bearer", `token=` in the query or the cookie. 401.
std::optional<Refusal> refuse(const net::HttpHeaders& headers, std::string_view query,
                              const GatewayAccess& access);

// Whether a request that changes something comes from this gateway's own page, or from no page at
// all.
bool comes_from_own_page(const net::HttpHeaders& headers);

// The value of `name=` in a query, percent-decoded; nothing when it is not there or does not
// decode.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// What sets the cookie that stands for the token.
std::string token_cookie(std::string_view token);

}  // namespace tributary::player
