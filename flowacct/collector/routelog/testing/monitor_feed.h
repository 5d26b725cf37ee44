// Does with a BMP stream what a listener would: its peers into a book, all of it to an observer.

#ifndef FLOWACCT_COLLECTOR_ROUTELOG_TESTING_MONITOR_FEED_H_
#define FLOWACCT_COLLECTOR_ROUTELOG_TESTING_MONITOR_FEED_H_

#include <map>
#include <utility>

#include "absl/time/time.h"
#include "flowacct/bmp/station.h"
#include "flowacct/collector/routing/bmp_view.h"
#include "flowacct/collector/routing/peer_book.h"
#include "flowacct/collector/routing/routing_observer.h"

namespace flowacct::collector {

class MonitorFeed final : public bmp::Listener {
 public:
  MonitorFeed(const base::IpAddress& router, PeerBook* book, RoutingObserver* observer, absl::Time time)
      : router_(router), book_(book), observer_(observer), time_(time) {
    observer_->OnRouterUp(router_, "", "", time_);
  }

  void End() { observer_->OnRouterDown(router_, "closed", time_); }

  void OnRouter(absl::string_view name, absl::string_view description) override {
    observer_->OnRouterUp(router_, name, description, time_);
  }
  void OnPeerUp(const bmp::PeerUp& up) override { observer_->OnMonitoredUp(router_, up, time_); }
  void OnPeerDown(const bmp::PeerDown& down) override {
    observer_->OnMonitoredDown(router_, down, time_);
    for (auto it = peers_.begin(); it != peers_.end();) {
      if (it->first.first != down.peer.index) {
        ++it;
        continue;
      }
      // What a Peer Down withdraws is gone at once.
      book_->Down(it->second,
                  down.reason == bmp::PeerDownReason::kStreamEnded ? absl::Minutes(2) : absl::ZeroDuration(), time_);
      it = peers_.erase(it);
    }
  }
  void OnUpdate(const bmp::RouteUpdate& update) override {
    const rib::RibView view = RibViewOf(update.rib, update.post_policy);
    PeerBook::Peer*& peer = peers_[{update.peer.index, view}];
    if (peer == nullptr) {
      Announcer announcer;
      announcer.key.address = view == rib::RibView::kLocRib ? router_ : update.peer.key.address;
      announcer.key.bgp_identifier = update.peer.bgp_identifier;
      announcer.key.as = update.peer.as;
      announcer.key.distinguisher = update.peer.key.distinguisher;
      announcer.key.view = view;
      announcer.key.told_by = router_;
      announcer.rd = update.peer.key.distinguisher;
      peer = book_->Up(announcer, time_);
    }
    observer_->OnMonitoredUpdate(router_, update, time_);
    book_->Take(peer, update.update, time_);
  }
  void OnStatistics(const bmp::StatisticsReport& report) override { observer_->OnStatistics(router_, report, time_); }

 private:
  const base::IpAddress router_;
  PeerBook* const book_;
  RoutingObserver* const observer_;
  const absl::Time time_;
  std::map<std::pair<uint32_t, rib::RibView>, PeerBook::Peer*> peers_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ROUTELOG_TESTING_MONITOR_FEED_H_
