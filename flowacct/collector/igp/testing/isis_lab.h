// Routers of FRR (zebra and isisd) in network namespaces of their own, on LANs and links between them and the test.
//
//     const std::string reason = WithIsisLab([](IsisLab& lab) {
//       lab.AddRouter("r1");
//       lab.AddLan("lan0", {{"r1", "eth0"}, {"", "us0"}});   // "": the test itself
//       lab.Start("r1", "interface eth0\n ip router isis 1\n...");
//       ... lab.Ask("r1", "show isis database")
//     });
//     if (!reason.empty()) GTEST_SKIP() << reason;
//
// The body runs on a thread of its own in a namespace of its own: what it opens sees `us0` and the like. What was
// started ends with the lab. Needs root, iproute2 and FRR. Not for products.

#ifndef FLOWACCT_COLLECTOR_IGP_TESTING_ISIS_LAB_H_
#define FLOWACCT_COLLECTOR_IGP_TESTING_ISIS_LAB_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector {

class IsisLab {
 public:
  using End = std::pair<std::string, std::string>;  // router, interface

  IsisLab();
  ~IsisLab();
  IsisLab(const IsisLab&) = delete;
  IsisLab& operator=(const IsisLab&) = delete;

  void AddRouter(const std::string& name);
  // A bridge with the ends at it.
  void AddLan(const std::string& name, const std::vector<End>& ends);
  // A link of two ends.
  void AddLink(const End& a, const End& b);
  // In the router's namespace ("" : the test's), as `ip` takes it: "address add 10.0.0.1/24 dev eth0".
  void Ip(const std::string& router, const std::string& words);
  // Runs zebra and isisd with this configuration; again after Stop.
  void Start(const std::string& router, const std::string& configuration);
  void Stop(const std::string& router);
  // What vtysh prints. Lines of several commands stand one behind the other.
  std::string Ask(const std::string& router, const std::vector<std::string>& commands) const;
  std::string Ask(const std::string& router, const std::string& command) const {
    return Ask(router, std::vector<std::string>{command});
  }
  // What the daemons said, for a test that fails.
  std::string Log(const std::string& router) const;

 private:
  struct Router {
    std::string folder;
    std::vector<pid_t> processes;
  };
  std::string folder_;
  std::map<std::string, Router> routers_;
};

// Why it cannot be here, or nothing.
std::string WithIsisLab(const std::function<void(IsisLab& lab)>& body);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_TESTING_ISIS_LAB_H_
