// Stands before a server and cuts connections: on the way there after some octets, or the answer after some.
//
// Threads: its own; ends with the object. For tests alone.

#ifndef FLOWACCT_SINK_CLICKHOUSE_TESTING_CUTTING_PROXY_H_
#define FLOWACCT_SINK_CLICKHOUSE_TESTING_CUTTING_PROXY_H_

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>

namespace flowacct::sink::clickhouse {

class CuttingProxy {
 public:
  // Of the loopback's ports. One connection in `one_in` is cut.
  CuttingProxy(int server_port, unsigned one_in, uint32_t seed);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  uint64_t cuts() const { return cuts_; }

 private:
  void Run();
  void Forward(int client);

  const int server_port_;
  const unsigned one_in_;
  std::mt19937 random_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> cuts_{0};
  std::thread thread_;
};

}  // namespace flowacct::sink::clickhouse

#endif  // FLOWACCT_SINK_CLICKHOUSE_TESTING_CUTTING_PROXY_H_
