// One octet that says how the rest is split, then MRT: what is told does not depend on the split, holds to what
// reader.h promises, and comes out of the writer as it went in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/update.h"
#include "flowacct/mrt/reader.h"
#include "flowacct/mrt/testing/event_text.h"
#include "flowacct/mrt/writer.h"

namespace flowacct::mrt {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Writes each route again and reads it.
class Checker : public testing::EventText {
 public:
  void OnPeerIndexTable(const PeerIndexTable& table) override {
    EventText::OnPeerIndexTable(table);
    base::OctetWriter file;
    Require(Writer(&file).WritePeerIndexTable(table));
    ++peer_tables;
  }
  void OnRibEntry(const RibEntry& entry) override {
    EventText::OnRibEntry(entry);
    const uint8_t bits = bgp::RowOf(entry.family).v6 ? 128 : 32;
    Require(entry.route.length <= bits);
    Require(bgp::AsPathView::IsValid(bgp::AttributeSetView(entry.attributes).as_path().octets(), 4));
    base::OctetWriter file;
    Writer writer(&file);
    Require(writer.WritePeerIndexTable({entry.time, 0, "", absl::MakeConstSpan(&entry.peer, 1)}));
    const RibRoute route{0, entry.originated, entry.route.path_id, entry.attributes};
    if (writer.WriteRib(entry.time, entry.family, entry.route, entry.route.has_path_id,
                        absl::MakeConstSpan(&route, 1)) == 0) {
      return;  // attributes that have grown beyond an entry
    }
    EventText again;
    Reader reader(&again);
    reader.Read(file.octets());
    reader.End();
    Require(again.attributes.size() == 1 && again.attributes[0] == attributes.back());
  }
  void OnMessage(const BgpMessage& message) override {
    EventText::OnMessage(message);
    if (message.type == bgp::MessageType::kUpdate) {
      bgp::UpdateCounters counters;
      bgp::DecodeUpdate(message.message, message.context, &update_, &counters);
    }
  }
  size_t peer_tables = 0;

 private:
  bgp::Update update_;
};

}  // namespace
}  // namespace flowacct::mrt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::mrt;
  if (size == 0) return 0;
  const flowacct::base::Octets file(data + 1, size - 1);
  const size_t step = size_t{1} + data[0];
  ReaderOptions options;
  options.max_record_octets = 4096;
  Checker whole, split;
  Reader first(&whole, options), second(&split, options);
  first.Read(file);
  first.End();
  for (size_t at = 0; at < file.size(); at += step) second.Read(file.subspan(at, std::min(step, file.size() - at)));
  second.End();
  Require(whole.lines == split.lines && whole.attributes == split.attributes);
  Require(first.counters().records == second.counters().records);
  Require(first.counters().octets == file.size());
  return 0;
}
