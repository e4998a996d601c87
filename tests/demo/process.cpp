#include "tests/demo/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tributary::demo::testing {
namespace {

namespace fs = std::filesystem;

// In the child: never returns.
[[noreturn]] void exec(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>("tributary")};  // NOLINT: execv takes it so
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));  // NOLINT
  argv.push_back(nullptr);
  execv(TRIBUTARY_BINARY, argv.data());
  _exit(127);
}

int exit_code(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Outcome run(const std::vector<std::string>& arguments) {
  const Folder folder;
  const std::string out = folder.path("out");
  const std::string err = folder.path("err");
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    exec(arguments);
  }
  REQUIRE(pid > 0);
  Outcome outcome;
  outcome.code = exit_code(pid);
  outcome.out = folder.read("out");
  outcome.err = folder.read("err");
  return outcome;
}

Process::Process(const std::vector<std::string>& arguments, Kind kind,
                 const std::vector<std::string>& environment) {
  int pipe_fds[2] = {-1, -1};
  if (kind == Kind::kTerminal) {
    winsize size{24, 80, 0, 0};
    pid_ = forkpty(&fd_, nullptr, nullptr, &size);
  } else {
    REQUIRE(pipe2(pipe_fds, O_CLOEXEC) == 0);
    pid_ = fork();
  }
  if (pid_ == 0) {
    if (kind == Kind::kPipe) {
      dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
      dup2(pipe_fds[1], STDOUT_FILENO);
      dup2(pipe_fds[1], STDERR_FILENO);
    }
    setenv("TERM", "xterm-256color", 1);
    unsetenv("NO_COLOR");
    for (const std::string& entry : environment) {
      const std::size_t equals = entry.find('=');
      setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
    }
    exec(arguments);
  }
  REQUIRE(pid_ > 0);
  if (kind == Kind::kPipe) {
    close(pipe_fds[1]);
    fd_ = pipe_fds[0];
  }
}

Process::~Process() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(fd_);
}

bool Process::read_some() {
  char bytes[4096];
  const ssize_t n = read(fd_, bytes, sizeof bytes);
  if (n <= 0) return false;  // a terminal whose last user went gives EIO
  output_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

bool Process::read_until(const std::string& text) {
  while (output_.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

int Process::finish() {
  while (read_some()) {
  }
  const int code = exit_code(pid_);
  pid_ = -1;
  return code;
}

void Process::press(const std::string& keys) const {
  REQUIRE(write(fd_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

void Process::signal(int number) const { kill(pid_, number); }

std::string Process::address() {
  const std::string before = "listening on ";
  REQUIRE(read_until(before));
  while (output_.find('\n', output_.find(before)) == std::string::npos) REQUIRE(read_some());
  const std::size_t begin = output_.find(before) + before.size();
  return output_.substr(begin, output_.find('\n', begin) - begin);
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "tributary-demo-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Folder::path(const std::string& name) const {
  return name.empty() ? path_ : path_ + "/" + name;
}

void Folder::add_text(const std::string& name, const std::string& text) const {
  fs::create_directories(fs::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << text;
}

void Folder::add_wave(const std::string& name, int seconds) const {
  constexpr std::uint32_t kRate = 8000;
  const auto data = static_cast<std::uint32_t>(seconds) * kRate * 2;
  std::string wave;
  const auto number = [&wave](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) wave += static_cast<char>(value >> (8 * i));
  };
  wave += "RIFF";
  number(36 + data, 4);
  wave += "WAVEfmt ";
  number(16, 4);
  number(1, 2);
  number(1, 2);
  number(kRate, 4);
  number(kRate * 2, 4);
  number(2, 2);
  number(16, 2);
  wave += "data";
  number(data, 4);
  for (std::uint32_t i = 0; i < data / 2; ++i) number((i * 37 + seconds) % 20'000, 2);
  add_text(name, wave);
}

std::string Folder::read(const std::string& name) const {
  std::ifstream in(path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace tributary::demo::testing
