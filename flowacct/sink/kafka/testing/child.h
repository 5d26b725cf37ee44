// Another process of a test, with pipes to and from it. Killed with the object.

#ifndef FLOWACCT_SINK_KAFKA_TESTING_CHILD_H_
#define FLOWACCT_SINK_KAFKA_TESTING_CHILD_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace flowacct::sink::kafka {

class Child {
 public:
  // `words[0]` is its program. Null: it could not be started.
  static std::unique_ptr<Child> Start(std::vector<std::string> words);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void Tell(const std::string& line);
  // The next line of what it prints; "" at its end or after `patience`.
  std::string Line(absl::Duration patience = absl::Seconds(20));
  // All that it prints until it ends.
  std::vector<std::string> Rest(absl::Duration patience = absl::Seconds(60));
  void Kill();
  // Its exit code; -1: it was killed, or has not ended.
  int Wait();

 private:
  Child() = default;
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  bool ended_ = false;
  std::string read_;
  size_t taken_ = 0;  // of what was read
};

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_TESTING_CHILD_H_
