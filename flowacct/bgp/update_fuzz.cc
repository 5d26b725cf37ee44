// One octet of context, then the body of an UPDATE: what comes out holds to what update.h promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "flowacct/bgp/attribute_set.h"
#include "flowacct/bgp/canonicalize.h"
#include "flowacct/bgp/testing/update_builder.h"
#include "flowacct/bgp/update.h"

namespace flowacct::bgp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Whether the bits behind the prefix are zero.
bool HasNoHostBits(const Nlri& route, bool v6) {
  for (size_t bit = size_t{route.length} + (v6 ? 0 : 96); bit < 128; ++bit) {
    if ((route.address.data()[bit / 8] & (0x80 >> (bit % 8))) != 0) return false;
  }
  return v6 || route.address.IsV4();
}

void CheckSection(const NlriSection& section) {
  const FamilyRow& row = RowOf(section.family);
  if (row.shape > NlriShape::kVpn) return;
  uint32_t visited = 0;
  section.Visit([&](const Nlri& route) {
    ++visited;
    Require(route.length <= (row.v6 ? 128 : 32));
    Require(HasNoHostBits(route, row.v6));
    Require((route.label_count != 0) == (row.shape != NlriShape::kPrefix));
  });
  Require(visited == section.count);
}

void Check(const Update& update) {
  std::vector<uint8_t> buffer;
  for (const NlriSection& section : update.withdrawn()) CheckSection(section);
  for (const NlriSection& section : update.announced()) {
    CheckSection(section);
    const base::Octets octets = CanonicalizeAttributes(update, section, &buffer);
    size_t seen = 0;
    int last = -1;
    const AttributeSetView set(octets);
    set.ForEach([&](uint8_t code, base::Octets value) {
      Require(code > last);
      last = code;
      seen += 3 + value.size();
    });
    Require(seen == octets.size());
    Require(AsPathView::IsValid(set.as_path().octets(), 4));
    Require(!set.Has(AttributeCode::kAs4Path) && !set.Has(AttributeCode::kMpReachNlri));
    (void)set.aigp();
    (void)set.next_hop();
    (void)set.as_path().ToString();
  }
  if (update.action() == ErrorAction::kSessionReset) {
    Require(update.announced().empty() && update.withdrawn().empty() && update.notification_subcode() != 0);
  }
  Require((update.action() == ErrorAction::kNone) || !update.errors().empty());
}

}  // namespace
}  // namespace flowacct::bgp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::bgp;
  if (size == 0) return 0;
  SessionContext context;
  context.as4 = (data[0] & 1) != 0;
  context.external = (data[0] & 2) != 0;
  context.family_disable = (data[0] & 4) != 0;
  if ((data[0] & 8) != 0) context.add_path = FamilySet::All();
  if ((data[0] & 16) != 0) context.families = FamilySet::Joined();
  const flowacct::base::Octets octets(data + 1, size - 1);
  Update update;
  UpdateCounters counters;
  if (octets.size() <= 65535 - 19) {
    flowacct::base::OctetWriter message;
    testing::WriteMessage(2, octets, &message);
    // From a block of exactly its size.
    const std::vector<uint8_t> exact(message.octets().begin(), message.octets().end());
    DecodeUpdate(exact, context, &update, &counters);
    Check(update);
  }
  DecodeRibEntry(octets, static_cast<Family>(data[0] % kFamilyCount), context, &update, &counters);
  Check(update);
  return 0;
}
