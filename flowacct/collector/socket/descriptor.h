// A file descriptor that is closed when nobody owns it any more.

#ifndef FLOWACCT_COLLECTOR_SOCKET_DESCRIPTOR_H_
#define FLOWACCT_COLLECTOR_SOCKET_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace flowacct::collector {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.number_, -1));
    return *this;
  }
  ~Descriptor() { Reset(); }

  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void Reset(int number = -1) {
    if (number_ >= 0) close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SOCKET_DESCRIPTOR_H_
