#include "player/media/shared_library.h"

#include <dlfcn.h>

namespace tributary::player {
namespace {

Error not_found(const std::string& library) {
  const char* why = dlerror();
  return {ErrorCode::kNotFound, "cannot load " + library + (why ? ": " + std::string(why) : "") +
                                    "; install the package that holds it"};
}

}  // namespace

Result<SharedLibrary> SharedLibrary::open(const std::string& name) {
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return not_found(name);
  return SharedLibrary(name, handle);
}

Result<void*> SharedLibrary::find_address(const char* symbol) const {
  void* address = dlsym(handle_, symbol);
  if (!address) return not_found(name_);
  return address;
}

}  // namespace tributary::player
