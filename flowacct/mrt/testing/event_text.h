// What a reader told, a line each, for tests.

#ifndef FLOWACCT_MRT_TESTING_EVENT_TEXT_H_
#define FLOWACCT_MRT_TESTING_EVENT_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/nlri.h"
#include "flowacct/mrt/reader.h"

namespace flowacct::mrt::testing {

inline std::string TextOf(const Peer& peer) {
  std::string text = absl::StrCat(peer.address.ToString(), " AS", peer.as);
  if (peer.bgp_identifier != 0) absl::StrAppend(&text, " id ", absl::Hex(peer.bgp_identifier));
  return text;
}

inline std::string TextOf(const Ends& ends) {
  return absl::StrCat(TextOf(ends.peer), " to ", TextOf(ends.local), " interface ", ends.interface_index, " +",
                      absl::ToInt64Microseconds(ends.time - absl::FromUnixSeconds(absl::ToUnixSeconds(ends.time))));
}

inline std::string TextOf(const bgp::Nlri& route) {
  std::string text = absl::StrCat(route.address.ToString(), "/", route.length);
  if (route.has_path_id) absl::StrAppend(&text, " path ", route.path_id);
  if (route.label_count > 0) absl::StrAppend(&text, " label ", route.label);
  if (route.rd != 0) absl::StrAppend(&text, " rd ", bgp::RouteDistinguisherText(route.rd));
  return text;
}

class EventText : public Listener {
 public:
  void OnPeerIndexTable(const PeerIndexTable& table) override {
    std::string text =
        absl::StrCat("peers ", absl::Hex(table.collector_bgp_identifier), " '", std::string(table.view_name), "'");
    for (const Peer& peer : table.peers) absl::StrAppend(&text, ", ", TextOf(peer));
    lines.push_back(text);
  }
  void OnRibEntry(const RibEntry& entry) override {
    const bgp::AttributeSetView set(entry.attributes);
    const auto hop = set.next_hop();
    lines.push_back(absl::StrCat("route ", std::string(bgp::RowOf(entry.family).name), " #", entry.sequence, " ",
                                 TextOf(entry.route), " from ",
                                 entry.peer_index == RibEntry::kNoIndex ? "" : absl::StrCat(entry.peer_index, ": "),
                                 TextOf(entry.peer), " age ", absl::ToInt64Seconds(entry.time - entry.originated),
                                 " path ", set.as_path().ToString(), " via ", hop ? hop->ToString() : "-"));
    attributes.emplace_back(entry.attributes.begin(), entry.attributes.end());
  }
  void OnMessage(const BgpMessage& message) override {
    lines.push_back(absl::StrCat(std::string(bgp::MessageTypeName(message.type)), " of ", message.message.size(),
                                 message.from_local ? " sent to " : " from ", TextOf(message.ends),
                                 message.context.as4 ? " as4" : " as2",
                                 message.context.add_path.empty() ? "" : " add_path"));
  }
  void OnStateChange(const StateChange& change) override {
    lines.push_back(absl::StrCat("state ", static_cast<int>(change.old_state), " to ",
                                 static_cast<int>(change.new_state), " of ", TextOf(change.ends)));
  }
  void OnError(const RecordError& error) override {
    lines.push_back(absl::StrCat("error ", std::string(base::DecodeCodeName(error.result.code)), " at ",
                                 error.record_offset, "+", error.result.offset, " in ",
                                 std::string(RowOf(error.subtype).name)));
  }

  std::vector<std::string> lines;
  std::vector<std::vector<uint8_t>> attributes;  // of the routes
};

}  // namespace flowacct::mrt::testing

#endif  // FLOWACCT_MRT_TESTING_EVENT_TEXT_H_
