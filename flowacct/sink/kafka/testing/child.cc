#include "flowacct/sink/kafka/testing/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/time/clock.h"

namespace flowacct::sink::kafka {

std::unique_ptr<Child> Child::Start(std::vector<std::string> words) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return nullptr;
  if (pipe2(out, O_CLOEXEC) != 0) return nullptr;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(&word[0]);
  arguments.push_back(nullptr);
  auto child = std::unique_ptr<Child>(new Child());
  child->pid_ = fork();
  if (child->pid_ == 0) {
    if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0) _exit(126);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  child->in_ = in[1];
  child->out_ = out[0];
  return child->pid_ < 0 ? nullptr : std::move(child);
}

Child::~Child() {
  Kill();
  close(in_);
  close(out_);
}

void Child::Tell(const std::string& line) {
  const std::string text = line + "\n";
  if (write(in_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ended_ = true;
}

std::string Child::Line(absl::Duration patience) {
  const absl::Time end = absl::Now() + patience;
  for (;;) {
    if (const size_t newline = read_.find('\n', taken_); newline != std::string::npos) {
      std::string line = read_.substr(taken_, newline - taken_);
      taken_ = newline + 1;
      return line;
    }
    read_.erase(0, taken_);
    taken_ = 0;
    pollfd wait = {out_, POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(end - absl::Now());
    if (ended_ || left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) return "";
    char octets[65536];
    const ssize_t size = read(out_, octets, sizeof(octets));
    if (size <= 0) {
      ended_ = true;
    } else {
      read_.append(octets, static_cast<size_t>(size));
    }
  }
}

std::vector<std::string> Child::Rest(absl::Duration patience) {
  std::vector<std::string> lines;
  for (std::string line = Line(patience); !line.empty(); line = Line(patience)) lines.push_back(std::move(line));
  return lines;
}

void Child::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  (void)Wait();
}

int Child::Wait() {
  if (pid_ <= 0) return -1;
  int state = 0;
  const pid_t pid = waitpid(pid_, &state, 0);
  pid_ = -1;
  return pid > 0 && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

}  // namespace flowacct::sink::kafka
