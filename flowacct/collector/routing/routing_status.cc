#include "flowacct/collector/routing/routing_status.h"

namespace flowacct::collector {
namespace {

constexpr absl::string_view kRefusalNames[] = {
#define X(reason, name, help) name,
    FLOWACCT_ROUTING_REFUSALS(X)
#undef X
};
constexpr absl::string_view kRefusalHelps[] = {
#define X(reason, name, help) help,
    FLOWACCT_ROUTING_REFUSALS(X)
#undef X
};

void AddTo(uint64_t more, uint64_t* sum) { *sum += more; }
template <typename T, size_t kCount>
void AddTo(const std::array<T, kCount>& more, std::array<T, kCount>* sum) {
  for (size_t i = 0; i < kCount; ++i) AddTo(more[i], &(*sum)[i]);
}

}  // namespace

absl::string_view RoutingRefusalName(RoutingRefusal refusal) { return kRefusalNames[static_cast<size_t>(refusal)]; }
absl::string_view RoutingRefusalHelp(RoutingRefusal refusal) { return kRefusalHelps[static_cast<size_t>(refusal)]; }

uint64_t RoutingPeer::not_joined() const {
  uint64_t routes = 0;
  for (size_t i = 0; i < bgp::kFamilyCount; ++i) {
    if (!bgp::kFamilies[i].joined) routes += counters.updates.announced[i];
  }
  return routes - link_state();
}

uint64_t RoutingPeer::link_state() const {
  uint64_t objects = 0;
  bgp::FamilySet::LinkState().ForEach(
      [&](bgp::Family family) { objects += counters.updates.announced[static_cast<size_t>(family)]; });
  return objects;
}

void Add(const bgp::SessionCounters& more, bgp::SessionCounters* sum) {
  AddTo(more.received, &sum->received);
  AddTo(more.sent, &sum->sent);
  AddTo(more.received_octets, &sum->received_octets);
  AddTo(more.erroneous_updates, &sum->erroneous_updates);
  AddTo(more.ignored_refreshes, &sum->ignored_refreshes);
  const bgp::UpdateCounters& m = more.updates;
  bgp::UpdateCounters& s = sum->updates;
  AddTo(m.messages, &s.messages);
  AddTo(m.announced, &s.announced);
  AddTo(m.withdrawn, &s.withdrawn);
  AddTo(m.treated_as_withdrawn, &s.treated_as_withdrawn);
  AddTo(m.end_of_rib, &s.end_of_rib);
  AddTo(m.actions, &s.actions);
  AddTo(m.faults, &s.faults);
  AddTo(m.attribute_errors, &s.attribute_errors);
  AddTo(m.unknown_attributes, &s.unknown_attributes);
}

std::string PrintableText(absl::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F in UTF-8: some terminals obey these, too.
    const bool high = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                      static_cast<unsigned char>(text[i + 1]) <= 0x9f;
    printable.push_back(c < 0x20 || c == 0x7f || high ? ' ' : text[i]);
    if (high) ++i;
  }
  return printable;
}

}  // namespace flowacct::collector
