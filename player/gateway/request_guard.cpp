#include "player/gateway/request_guard.h"

#include <algorithm>

#include "cdn/pool/header_values.h"
#include "engine/wire/address.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::player {
namespace {

constexpr std::string_view kCookie = "tributary_token";

// "host", "host:port", "[v6]", "[v6]:port" without the port and the brackets. Nothing for no host.
std::optional<std::string_view> host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    return authority.substr(1, end - 1);
  }
  const std::string_view host = authority.substr(0, authority.find(':'));
  if (host.empty()) return std::nullopt;
  return host;
}

bool is_own_host(std::string_view authority, const GatewayAccess& access) {
  const auto host = host_of(authority);
  if (!host) return false;
  if (wire::parse_address(*host, 0)) return true;
  const std::string name = net::lower_case(*host);
  if (name == "localhost" || name.ends_with(".localhost")) return true;
  return std::any_of(access.hosts.begin(), access.hosts.end(),
                     [&](const std::string& own) { return cdn::equal_ignoring_case(own, name); });
}

// Whether the origin's host and port are those that the request was sent to.
bool is_same_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    return cdn::equal_ignoring_case(origin.substr(scheme.size()), host);
  }
  return false;
}

// In a time that does not tell how much of it is right.
bool same_token(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

std::optional<std::string> cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    const std::string_view cookie = wire::trim(cookies.substr(0, end));
    if (cookie.size() > name.size() && cookie.starts_with(name) && cookie[name.size()] == '=') {
      return std::string(cookie.substr(name.size() + 1));
    }
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
  }
  return std::nullopt;
}

bool shows_token(const net::HttpHeaders& headers, std::string_view query,
                 const std::string& token) {
  constexpr std::string_view kBearer = "Bearer ";
  if (const auto sent = net::header_value(headers, "authorization")) {
    if (sent->starts_with(kBearer) && same_token(sent->substr(kBearer.size()), token)) return true;
  }
  if (const auto sent = query_value(query, "token"); sent && same_token(*sent, token)) return true;
  const auto cookies = net::header_value(headers, "cookie");
  const auto sent = cookies ? cookie_value(*cookies, kCookie) : std::nullopt;
  return sent && same_token(*sent, token);
}

// A page of another site embeds or fetches; following a link to here is the user's own doing.
bool is_cross_site(const net::HttpHeaders& headers) {
  const auto site = net::header_value(headers, "sec-fetch-site");
  const auto mode = net::header_value(headers, "sec-fetch-mode");
  return site == "cross-site" && mode != "navigate";
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return wire::percent_decode(pair.substr(name.size() + 1));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

std::optional<Refusal> refuse(const net::HttpHeaders& headers, std::string_view query,
                              const GatewayAccess& access) {
  const auto host = net::header_value(headers, "host");
  if (!host) return Refusal{400, "the request names no Host"};
  if (!is_own_host(*host, access)) {
    return Refusal{421, "this gateway is not called '" + wire::printable(*host) +
                            "'; use its address, or start it with --name"};
  }
  const auto origin = net::header_value(headers, "origin");
  if ((origin && !is_same_origin(*origin, *host)) || is_cross_site(headers)) {
    return Refusal{403, "a page of another site may not use this gateway"};
  }
  if (!access.token.empty() && !shows_token(headers, query, access.token)) {
    return Refusal{401, "the token is missing or wrong; open the address that the gateway printed"};
  }
  return std::nullopt;
}

bool comes_from_own_page(const net::HttpHeaders& headers) {
  const auto site = net::header_value(headers, "sec-fetch-site");
  return !site || site == "same-origin";
}

std::string token_cookie(std::string_view token) {
  return std::string(kCookie) + '=' + std::string(token) + "; Path=/; HttpOnly; SameSite=Strict";
}

}  // namespace tributary::player
