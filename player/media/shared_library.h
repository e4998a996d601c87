// A shared library that is loaded when it is first needed.
#pragma once

#include <string>

#include "engine/base/result.h"

namespace tributary::player {

// Thread-safe once open. Never unloaded: threads and exit handlers of such libraries would be left
// without their code.
class SharedLibrary {
 public:
  // `name` as the dynamic linker looks for it: "libavutil.so.57". Error: kNotFound.
  static Result<SharedLibrary> open(const std::string& name);

  // Sets `function` to the library's symbol of that name. Error: kNotFound.
  template <class Function>
  Result<void> find(const char* symbol, Function*& function) const {
    TRIBUTARY_TRY(address, find_address(symbol));
    function = reinterpret_cast<Function*>(address);
    return {};
  }

 private:
  SharedLibrary(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {}
  Result<void*> find_address(const char* symbol) const;

  std::string name_;
  void* handle_;
};

}  // namespace tributary::player
