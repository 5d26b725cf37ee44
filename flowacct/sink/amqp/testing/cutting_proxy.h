// A TCP proxy on loopback that cuts its connections after so many octets to the server, or answers nothing.
//
// Has a thread. Threads: any.

#ifndef FLOWACCT_SINK_AMQP_TESTING_CUTTING_PROXY_H_
#define FLOWACCT_SINK_AMQP_TESTING_CUTTING_PROXY_H_

#include <atomic>
#include <cstdint>
#include <thread>

namespace flowacct::sink::amqp {

class CuttingProxy {
 public:
  explicit CuttingProxy(int to_port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  // Of the connections from now on: octets to the server, or from it, until it cuts. Negative: never.
  void CutAfter(int64_t to_server, int64_t from_server = -1) {
    to_server_ = to_server;
    from_server_ = from_server;
  }
  // What comes waits.
  void Hold(bool hold) { hold_ = hold; }
  uint64_t cuts() const { return cuts_; }

 private:
  void Run();
  void Serve(int client, int server);

  const int to_port_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<int64_t> to_server_{-1}, from_server_{-1};
  std::atomic<bool> hold_{false}, closing_{false};
  std::atomic<uint64_t> cuts_{0};
  std::thread thread_;
};

}  // namespace flowacct::sink::amqp

#endif  // FLOWACCT_SINK_AMQP_TESTING_CUTTING_PROXY_H_
