// Starts and stops other BGP software beside an engine, in a network of the test's own.
//
//     const std::string reason = WithRouter({"/usr/sbin/bird"}, [](RouterLab& lab) {
//       lab.WriteFile("bird.conf", ...);
//       lab.Start({"/usr/sbin/bird", "-f", ...});
//       if (!lab.AwaitRoutes(kRouterV4, 0, expected)) return;
//     });
//     if (!reason.empty()) GTEST_SKIP() << reason;
//
// The network has lo alone, with the addresses below; the engine listens on port 179 of both families, and
// for BMP on kLabBmpPort. What was started
// ends with the lab, with all that it started. Not for products.

#ifndef FLOWACCT_COLLECTOR_ROUTING_TESTING_ROUTER_LAB_H_
#define FLOWACCT_COLLECTOR_ROUTING_TESTING_ROUTER_LAB_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/collector/routing/routing_engine.h"
#include "flowacct/collector/routing/routing_options.h"
#include "flowacct/collector/routing/testing/scripted_peer.h"

namespace flowacct::collector {

inline constexpr char kCollectorV4[] = "10.99.0.1";
inline constexpr char kCollectorV6[] = "2001:db8:99::1";
inline constexpr char kRouterV4[] = "10.99.0.2";
inline constexpr char kRouterV6[] = "2001:db8:99::2";
inline constexpr int kLabBmpPort = 11019;

class RouterLab {
 public:
  explicit RouterLab(RoutingOptions options = {}, std::vector<RoutingObserver*> observers = {});
  ~RouterLab();
  RouterLab(const RouterLab&) = delete;
  RouterLab& operator=(const RouterLab&) = delete;

  // A folder of its own, for sockets, configurations and logs.
  const std::string& folder() const { return folder_; }
  // In the folder; returns its path. `$0` is the folder.
  std::string WriteFile(absl::string_view name, absl::string_view text);
  // Runs on until the lab ends. Its output is in log().
  void Start(const std::vector<std::string>& command);
  // Tries again until it ends with 0, for 10 seconds; else the test has failed.
  void RunUntilDone(const std::vector<std::string>& command);
  std::string log() const;

  RoutingEngine& engine() { return *engine_; }
  // Waits until the routes of `exporter` are `expected`, for 20 seconds; else the test has failed, and false. Path
  // identifiers, which are the router's choice, are left out of both: of equal prefixes the texts are put side by side.
  bool AwaitRoutes(absl::string_view exporter, uint64_t rd, const RouteTexts& expected);

 private:
  pid_t Spawn(const std::vector<std::string>& command, const std::string& log);
  // What it said.
  std::string Run(const std::vector<std::string>& command);

  std::string folder_;
  std::unique_ptr<RoutingEngine> engine_;
  std::vector<pid_t> started_;
  std::vector<std::string> logs_;
  bool ended_well_ = false;  // what was run last
};

// Why not, or nothing.
std::string WithRouter(const std::vector<std::string>& programs, const std::function<void(RouterLab& lab)>& body,
                       const RoutingOptions& options = {}, const std::vector<RoutingObserver*>& observers = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTING_TESTING_ROUTER_LAB_H_
