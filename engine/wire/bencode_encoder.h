// Bencoding (BEP 3): writing canonical text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/wire/bencode.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Appends values in the order of the calls. Misuse (keys that do not ascend, a key without a value,
// an end without a begin) is a bug and fails a CHECK.
class BencodeEncoder {
 public:
  BencodeEncoder& integer(std::int64_t value);
  BencodeEncoder& string(std::string_view text);
  BencodeEncoder& string(Octets octets) { return string(as_text(octets)); }
  BencodeEncoder& begin_list();
  BencodeEncoder& begin_dict();
  // Before each value of a dictionary. REQUIRES: greater than the dictionary's last key.
  BencodeEncoder& key(std::string_view key);
  BencodeEncoder& end();
  // A value that is bencoded already.
  BencodeEncoder& raw(Octets value);

  // REQUIRES: all containers are ended. Leaves the encoder empty.
  OctetBuffer take();

 private:
  struct Frame {
    bool dict = false;
    bool has_key = false;  // a key waits for its value
    bool any = false;      // last_key is set
    std::string last_key;
  };

  void begin_value();
  void append_string(std::string_view text);

  OctetBuffer out_;
  std::vector<Frame> stack_;
};

// The canonical text of a value: keys sorted. Equal to raw() when all dictionaries are sorted.
OctetBuffer encode_bencode(BencodeView value);

}  // namespace tributary::wire
