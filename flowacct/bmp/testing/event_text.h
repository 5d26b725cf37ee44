// What a station told, a line each, for tests.

#ifndef FLOWACCT_BMP_TESTING_EVENT_TEXT_H_
#define FLOWACCT_BMP_TESTING_EVENT_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/bgp/message_view.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/bmp/station.h"

namespace flowacct::bmp::testing {

inline std::string TextOf(const MonitoredPeer& peer) {
  return absl::StrCat("#", peer.index, " type ", static_cast<int>(peer.key.type), " ",
                      peer.key.distinguisher == 0 ? "" : bgp::RouteDistinguisherText(peer.key.distinguisher) + " ",
                      peer.key.address.ToString(), " AS", peer.as, " id ", absl::Hex(peer.bgp_identifier));
}

class EventText : public Listener {
 public:
  void OnRouter(absl::string_view name, absl::string_view description) override {
    Put(absl::StrCat("router '", std::string(name), "' '", std::string(description), "'"));
  }
  void OnPeerUp(const PeerUp& up) override {
    Put(absl::StrCat("up ", TextOf(up.peer), up.told ? "" : " untold", up.repeated ? " repeated" : "",
                     up.filtered ? " filtered" : "", " local ", up.local_address.ToString(), ":", up.local_port, "-",
                     up.remote_port, up.sent != nullptr ? absl::StrCat(" sent AS", up.sent->as) : "",
                     up.received != nullptr ? absl::StrCat(" received AS", up.received->as) : "",
                     up.table_name.empty() ? "" : absl::StrCat(" table ", std::string(up.table_name)),
                     up.admin_label.empty() ? "" : absl::StrCat(" label ", std::string(up.admin_label))));
  }
  void OnPeerDown(const PeerDown& down) override {
    std::string text = absl::StrCat("down ", TextOf(down.peer), ": ", std::string(PeerDownReasonText(down.reason)));
    if (!down.notification.empty()) {
      const bgp::NotificationView n = bgp::ReadNotification(down.notification);
      absl::StrAppend(&text, ", ", bgp::NotificationText(n.code, n.subcode));
    }
    if (down.fsm_event != 0) absl::StrAppend(&text, ", event ", down.fsm_event);
    Put(text);
  }
  void OnUpdate(const RouteUpdate& update) override {
    std::string text = absl::StrCat(
        "update ", TextOf(update.peer), " ", std::string(RibKindName(update.rib)), update.post_policy ? " post" : "",
        update.table_name.empty() ? "" : absl::StrCat(" table ", std::string(update.table_name)));
    const auto put = [&](const char* sign, const bgp::NlriSection& section) {
      if (bgp::RowOf(section.family).shape > bgp::NlriShape::kVpn) {
        absl::StrAppend(&text, " ", sign, section.count, " of ", std::string(bgp::RowOf(section.family).name));
      }
      section.Visit([&](const bgp::Nlri& route) {
        absl::StrAppend(&text, " ", sign, route.address.ToString(), "/", route.length);
        if (route.has_path_id) absl::StrAppend(&text, " path ", route.path_id);
      });
    };
    for (const bgp::NlriSection& section : update.update.withdrawn()) put("-", section);
    for (const bgp::NlriSection& section : update.update.announced()) put("+", section);
    if (update.update.end_of_rib()) absl::StrAppend(&text, " end of rib");
    Put(text);
  }
  void OnStatistics(const StatisticsReport& report) override {
    std::string text = absl::StrCat("statistics ", TextOf(report.peer));
    for (const Statistic& s : report.statistics) {
      absl::StrAppend(&text, " ", std::string(StatisticName(s.type)), " ", s.value);
      if (s.has_family) absl::StrAppend(&text, " of ", s.afi, "/", s.safi);
    }
    Put(text);
  }
  void OnMirrored(const Mirrored& mirrored) override {
    Put(absl::StrCat("mirrored ", TextOf(mirrored.peer), " ", mirrored.message.size(),
                     mirrored.errored_pdu ? " errored" : "", mirrored.messages_lost ? " lost" : ""));
  }
  void OnTermination(TerminationReason reason, absl::string_view text) override {
    Put(absl::StrCat("termination: ", std::string(TerminationReasonText(reason)), " '", std::string(text), "'"));
  }
  void OnError(const StreamError& error) override {
    Put(absl::StrCat("error ", std::string(base::DecodeCodeName(error.result.code)), " at ", error.message_offset, "+",
                     error.result.offset));
  }

  std::vector<std::string> lines;

 private:
  void Put(std::string line) { lines.push_back(std::move(line)); }
};

}  // namespace flowacct::bmp::testing

#endif  // FLOWACCT_BMP_TESTING_EVENT_TEXT_H_
