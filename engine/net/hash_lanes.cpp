#include "engine/net/hash_lanes.h"

#include <mutex>
#include <vector>

#include "engine/base/check.h"

#ifdef TRIBUTARY_IPSEC_MB
#define NO_COMPAT_IMB_API_053  // whose names are OpenSSL's
#include <dlfcn.h>
#include <intel-ipsec-mb.h>

namespace tributary::net {
namespace {

// Jobs that a manager holds without giving one back: it has room for four times as many.
constexpr std::size_t kJobsAtOnce = 64;

template <class Function>
bool find(void* library, const char* symbol, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, symbol));
  return function != nullptr;
}

}  // namespace

struct HashLanes::Library {
  decltype(&alloc_mb_mgr) alloc = nullptr;
  decltype(&free_mb_mgr) free = nullptr;
  decltype(&init_mb_mgr_auto) init = nullptr;

  bool open() {
    void* library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    return library && find(library, "alloc_mb_mgr", alloc) && find(library, "free_mb_mgr", free) &&
           find(library, "init_mb_mgr_auto", init);
  }
};

// A manager holds the lanes' states and belongs to one thread at a time.
struct HashLanes::Managers {
  explicit Managers(const Library& l) : library(l) {}
  ~Managers() {
    for (IMB_MGR* manager : idle) library.free(manager);
  }

  IMB_MGR* take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) {
      IMB_MGR* made = library.alloc(0);
      TRIBUTARY_CHECK(made);
      library.init(made, nullptr);
      return made;
    }
    IMB_MGR* manager = idle.back();
    idle.pop_back();
    return manager;
  }
  void give_back(IMB_MGR* manager) {
    const std::lock_guard lock(mutex);
    idle.push_back(manager);
  }

  const Library library;
  std::mutex mutex;            // guards what follows
  std::vector<IMB_MGR*> idle;  // as many as threads have hashed at once
};

HashLanes::HashLanes(const Library& library) : managers_(std::make_shared<Managers>(library)) {}

HashLanes* HashLanes::load() {
  static const std::unique_ptr<HashLanes> lanes = []() -> std::unique_ptr<HashLanes> {
    Library library;
    return library.open() ? std::unique_ptr<HashLanes>(new HashLanes(library)) : nullptr;
  }();
  return lanes.get();
}

void HashLanes::sha256(std::span<const wire::Octets> blocks, std::span<Sha256> out) {
  TRIBUTARY_CHECK(out.size() == blocks.size());
  IMB_MGR* manager = managers_->take();
  std::size_t done = 0;
  const auto count = [&done](const IMB_JOB* job) {
    if (!job) return false;
    TRIBUTARY_CHECK(job->status == IMB_STATUS_COMPLETED);
    ++done;
    return true;
  };
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    IMB_JOB* job = IMB_GET_NEXT_JOB(manager);
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->cipher_mode = IMB_CIPHER_NULL;
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->hash_alg = IMB_AUTH_SHA_256;
    job->src = blocks[i].data();
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = blocks[i].size();
    job->auth_tag_output = out[i].bytes.data();
    job->auth_tag_output_len_in_bytes = Sha256::kSize;
    count(IMB_SUBMIT_JOB(manager));
    if ((i + 1) % kJobsAtOnce != 0 && i + 1 != blocks.size()) continue;
    while (count(IMB_FLUSH_JOB(manager))) {
    }
  }
  TRIBUTARY_CHECK(done == blocks.size());
  managers_->give_back(manager);
}

}  // namespace tributary::net

#else

namespace tributary::net {

struct HashLanes::Library {};
struct HashLanes::Managers {};

HashLanes* HashLanes::load() { return nullptr; }
void HashLanes::sha256(std::span<const wire::Octets>, std::span<Sha256>) {}

}  // namespace tributary::net

#endif
