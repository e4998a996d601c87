#include "engine/net/dht_file.h"

#include "engine/net/disk_file.h"

namespace tributary::net {

Result<wire::DhtState> load_dht_state(const std::string& path) {
  TRIBUTARY_TRY(file, DiskFile::open_read(path));
  TRIBUTARY_TRY(stamp, file.stamp());
  if (stamp.size > Bytes(wire::kMaxDhtStateSize)) {
    return invalid(path + " is too large for a saved DHT state; delete it");
  }
  wire::OctetBuffer bytes(static_cast<std::size_t>(stamp.size.count()));
  const auto read = file.read(0_B, bytes);
  if (!read) return read.error();
  auto state = wire::decode_dht_state(bytes);
  if (!state) {
    return Error{state.error().code, path + ": " + state.error().message + "; delete it"};
  }
  return state;
}

Result<void> save_dht_state(const std::string& path, const wire::DhtState& state) {
  return replace_file(path, wire::encode_dht_state(state));
}

}  // namespace tributary::net
