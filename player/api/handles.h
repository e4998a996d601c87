// The live handles of a process: names that are given out for objects, and who is using them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace tributary::capi {

// What a handle stands for.
class Object {
 public:
  Object() = default;
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // Has calls that wait in it return soon; any thread, and none that follows waits.
  virtual void interrupt() {}
};

// Thread-safe. Tracks objects by name and, of each, how many calls are in it. Names are never given
// out twice; they are odd, so that no address is one of them.
class Handles {
 public:
  using Name = std::uintptr_t;

  // Of this process.
  static Handles& all();
  Handles() = default;
  ~Handles();
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  Name add(std::shared_ptr<Object> object);

  // A call that is in the object, which stays as long. Empty where the name means nothing.
  class Use {
   public:
    Use() = default;
    Use(Handles* handles, Name name, std::shared_ptr<Object> object)
        : handles_(handles), name_(name), object_(std::move(object)) {}
    Use(Use&& other) noexcept = default;
    Use& operator=(Use&& other) = delete;
    ~Use() {
      if (!object_) return;
      object_.reset();  // first, so that whoever takes the name back destroys the object
      handles_->leave(name_);
    }
    Object* object() const { return object_.get(); }

   private:
    Handles* handles_ = nullptr;
    Name name_ = 0;
    std::shared_ptr<Object> object_;
  };
  Use enter(Name name);

  // Takes the name back: it means nothing from now on. Interrupts the object and waits until no
  // call is in it. Nothing where the name means nothing, or was taken back by another.
  std::shared_ptr<Object> take(Name name);

 private:
  struct Entry {
    std::shared_ptr<Object> object;
    int calls = 0;
    bool leaving = false;  // taken back, and waited for
  };
  void leave(Name name);

  std::mutex mutex_;
  std::condition_variable left_;
  std::map<Name, Entry> entries_;
  Name last_ = 0;
};

// A call that is in an object of this class; empty where the handle means nothing, or another kind.
template <class T>
class In {
 public:
  explicit In(const void* handle)
      : use_(Handles::all().enter(reinterpret_cast<Handles::Name>(handle))),
        object_(dynamic_cast<T*>(use_.object())) {}
  explicit operator bool() const { return object_ != nullptr; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  Handles::Use use_;
  T* object_;
};

// The handle that an object is given out by.
template <class Handle>
Handle* give_out(std::shared_ptr<Object> object) {
  const Handles::Name name = Handles::all().add(std::move(object));
  return reinterpret_cast<Handle*>(name);  // NOLINT(performance-no-int-to-ptr): no address
}

}  // namespace tributary::capi
