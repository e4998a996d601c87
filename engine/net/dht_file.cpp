#include "engine/net/dht_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "engine/net/disk_file.h"

namespace tributary::net {
namespace {

Result<void> write_new(const std::string& path, const wire::OctetBuffer& bytes) {
  std::remove(path.c_str());  // of a save that was interrupted
  TRIBUTARY_TRY(file, DiskFile::open_write(path));
  return file.write(0_B, bytes);
}

}  // namespace

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
  const std::string fresh = path + ".new";
  const auto written = write_new(fresh, wire::encode_dht_state(state));
  if (!written) return written.error();
  if (std::rename(fresh.c_str(), path.c_str()) == 0) return {};
  const std::string reason = std::generic_category().message(errno);
  std::remove(fresh.c_str());
  return io_error("cannot write " + path + ": " + reason);
}

}  // namespace tributary::net
