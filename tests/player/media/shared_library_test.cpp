#include "player/media/shared_library.h"

#include <doctest/doctest.h>

namespace tributary::player {
namespace {

TEST_CASE("a library that is not there is named in the error") {
  const auto library = SharedLibrary::open("libtributary-of-nowhere.so.7");
  REQUIRE(!library.ok());
  CHECK(library.error().code == ErrorCode::kNotFound);
  CHECK(library.error().message.find("libtributary-of-nowhere.so.7") != std::string::npos);
  CHECK(library.error().message.find("install") != std::string::npos);
}

TEST_CASE("functions are found by name, and one that is missing is an error") {
  const auto library = SharedLibrary::open("libm.so.6");
  REQUIRE(library.ok());
  double (*root)(double) = nullptr;
  REQUIRE(library->find("sqrt", root).ok());
  CHECK(root(9.0) == 3.0);
  CHECK(library->find("no_such_function", root).error().code == ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tributary::player
