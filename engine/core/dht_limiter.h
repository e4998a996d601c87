// How many queries a DHT node answers, and whom: datagrams may come from anybody, under any
// address, and an answer is larger than its question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/core/pacer.h"

namespace tributary::core::dht {

struct AnswerLimits {
  // Of one IPv4 address or IPv6 /64: a search asks a node once or twice. Loopback is exempt.
  Duration per_address = 200ms;
  int per_address_burst = 20;
  // Of all: 100 answers of 1 kB are 0.8 Mbit/s, what a listener's uplink can spare.
  Duration total = 10ms;
  int total_burst = 200;
  // Addresses share so many places by their hash, 8 bytes each. Who floods from many addresses
  // uses up the places that strangers share, never the memory.
  std::size_t places = 1024;
};

class AnswerLimiter {
 public:
  // `seed` decides who shares a place: not to be guessed. REQUIRES: limits.places > 0.
  AnswerLimiter(const AnswerLimits& limits, std::uint64_t seed);

  // Whether a query from there is answered now; it then counts.
  bool take(const Endpoint& from, TimePoint now);

 private:
  std::size_t place_of(const Endpoint& from) const;

  AnswerLimits limits_;
  std::uint64_t seed_;
  Pacer total_;
  std::vector<Pacer> places_;  // made with the first query
};

}  // namespace tributary::core::dht
