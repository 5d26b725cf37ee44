// One octet that says how the rest is split, then a router's stream: what is told does not depend on the split, and
// each peer goes up before it does anything and down once.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "flowacct/bmp/station.h"
#include "flowacct/bmp/testing/event_text.h"

namespace flowacct::bmp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

class Checker : public testing::EventText {
 public:
  void OnPeerUp(const PeerUp& up) override {
    Require(up_.insert(up.peer.index).second != up.repeated);
    Require(up.peer.index < 8);
    EventText::OnPeerUp(up);
  }
  void OnPeerDown(const PeerDown& down) override {
    Require(up_.erase(down.peer.index) == 1);
    EventText::OnPeerDown(down);
  }
  void OnUpdate(const RouteUpdate& update) override {
    Require(up_.count(update.peer.index) == 1);
    EventText::OnUpdate(update);
  }
  void OnStatistics(const StatisticsReport& report) override {
    Require(up_.count(report.peer.index) == 1);
    EventText::OnStatistics(report);
  }
  bool empty() const { return up_.empty(); }

 private:
  std::set<uint32_t> up_;
};

}  // namespace
}  // namespace flowacct::bmp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::bmp;
  if (size == 0) return 0;
  const flowacct::base::Octets stream(data + 1, size - 1);
  const size_t step = size_t{1} + data[0];
  StationOptions options;
  options.max_peers = 8;
  options.max_message_octets = 4096;
  Checker whole, split;
  Station first(options, &whole), second(options, &split);
  (void)first.Receive(stream);
  first.End();
  for (size_t at = 0; at < stream.size(); at += step) {
    if (!second.Receive(stream.subspan(at, std::min(step, stream.size() - at)))) break;
  }
  second.End();
  Require(whole.lines == split.lines);
  Require(whole.empty() && split.empty());
  return 0;
}
