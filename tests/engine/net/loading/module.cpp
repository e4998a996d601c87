// A library that calls the program which loads it while the loader still holds its lock.
extern "C" void during_loading();

namespace {

struct Loading {
  Loading() { during_loading(); }
} const loading;

}  // namespace
