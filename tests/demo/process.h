// Runs the built command as a process of its own: in pipes, or in a terminal.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tributary::demo::testing {

struct Outcome {
  int code = -1;  // exit code; -1 when a signal ended it
  std::string out;
  std::string err;
};

// Runs `tributary ARGUMENTS…` to its end, without input.
Outcome run(const std::vector<std::string>& arguments);

// A process that goes on; killed, if need be, when this goes.
class Process {
 public:
  enum class Kind { kPipe, kTerminal };
  // With kTerminal stdin, stdout and stderr are a terminal of 80 × 24. `environment` adds
  // NAME=VALUE.
  explicit Process(const std::vector<std::string>& arguments, Kind kind = Kind::kPipe,
                   const std::vector<std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Reads until the output holds `text`; false when it ended before. Blocks.
  bool read_until(const std::string& text);
  // Reads the rest and waits. The exit code as in Outcome.
  int finish();
  void press(const std::string& keys) const;
  void signal(int number) const;

  const std::string& output() const { return output_; }
  // What stands between "listening on " and the end of its line. Blocks.
  std::string address();
  int terminal() const { return fd_; }

 private:
  bool read_some();

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string output_;
};

// A folder that goes with its content.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name = "") const;
  // A WAVE file of noise-free tone, 8 kHz, 16 bit, mono.
  void add_wave(const std::string& name, int seconds) const;
  void add_text(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;

 private:
  std::string path_;
};

}  // namespace tributary::demo::testing
