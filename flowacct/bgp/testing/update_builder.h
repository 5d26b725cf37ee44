// Builds UPDATEs for tests and load generators: attributes and routes of all families, AS numbers of 2 or 4 octets,
// ADD-PATH.
//
//     UpdateBuilder builder(context);
//     builder.Origin(0).AsPath({64496, 64497}).NextHop("192.0.2.1").Announce("198.51.100.0/24");
//     base::Octets message = builder.Message();     // valid until the builder is used again
//     builder.Clear();
//
// Attributes are written in the order of the calls, as wrong as they are asked for (Attribute); Message() puts the
// multiprotocol ones first (RFC 7606, 5.1) unless they were written by Attribute. Addresses and prefixes that are no
// text of such end the test.

#ifndef FLOWACCT_BGP_TESTING_UPDATE_BUILDER_H_
#define FLOWACCT_BGP_TESTING_UPDATE_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/bgp/family.h"
#include "flowacct/bgp/session_context.h"

namespace flowacct::bgp::testing {

// One route as UpdateBuilder writes it.
struct BuiltRoute {
  base::IpPrefix prefix;
  uint32_t path_id = 0;
  uint64_t rd = 0;
  std::vector<uint32_t> labels;  // of a withdrawal none is 0x800000
};

base::IpPrefix PrefixOf(absl::string_view text);
base::IpAddress AddressOf(absl::string_view text);

// NLRI of one route.
void WriteNlri(Family family, bool add_path, const BuiltRoute& route, base::OctetWriter* out);
// A header around a body.
void WriteMessage(uint8_t type, base::Octets body, base::OctetWriter* out);

class UpdateBuilder {
 public:
  explicit UpdateBuilder(const SessionContext& context = {}) : context_(context) {}

  // Any attribute, right or wrong; the Extended Length flag is set if its value needs it.
  UpdateBuilder& Attribute(uint8_t flags, uint8_t code, base::Octets value);
  UpdateBuilder& Attribute(uint8_t flags, uint8_t code, std::initializer_list<uint8_t> value) {
    return Attribute(flags, code, base::Octets(value.begin(), value.size()));
  }
  UpdateBuilder& Origin(uint8_t origin) { return Attribute(0x40, 1, {origin}); }
  // One sequence, or as many as it needs.
  UpdateBuilder& AsPath(const std::vector<uint32_t>& numbers);
  struct Segment {
    uint8_t type;
    std::vector<uint32_t> numbers;
  };
  UpdateBuilder& AsPathSegments(const std::vector<Segment>& segments);
  UpdateBuilder& As4Path(const std::vector<Segment>& segments);
  UpdateBuilder& NextHop(absl::string_view address);
  UpdateBuilder& Number(uint8_t flags, uint8_t code, uint32_t value);
  UpdateBuilder& Med(uint32_t med) { return Number(0x80, 4, med); }
  UpdateBuilder& LocalPref(uint32_t preference) { return Number(0x40, 5, preference); }
  UpdateBuilder& Aggregator(uint32_t as, absl::string_view speaker);
  UpdateBuilder& Communities(const std::vector<uint32_t>& communities);
  UpdateBuilder& LargeCommunities(const std::vector<uint32_t>& thirds);

  // Routes in the message's own fields, or for other families than IPv4 unicast in the multiprotocol attributes, which
  // have one family each.
  UpdateBuilder& Announce(absl::string_view prefix) { return Announce(BuiltRoute{PrefixOf(prefix), 0, 0, {}}); }
  UpdateBuilder& Announce(const BuiltRoute& route);
  UpdateBuilder& Withdraw(absl::string_view prefix) { return Withdraw(BuiltRoute{PrefixOf(prefix), 0, 0, {}}); }
  UpdateBuilder& Withdraw(const BuiltRoute& route);
  // `next_hop`: octets as they stand in MP_REACH_NLRI.
  UpdateBuilder& MpReach(Family family, base::Octets next_hop);
  UpdateBuilder& MpAnnounce(const BuiltRoute& route);
  UpdateBuilder& MpUnreach(Family family);
  UpdateBuilder& MpWithdraw(const BuiltRoute& route);
  // Octets as they are.
  UpdateBuilder& RawAnnounce(base::Octets octets);
  UpdateBuilder& RawMpAnnounce(base::Octets octets);
  UpdateBuilder& RawMpWithdraw(base::Octets octets);

  base::Octets Message();
  // Of attributes alone.
  base::Octets Attributes();
  void Clear();

 private:
  void PutAttribute(uint8_t flags, uint8_t code, base::Octets value, base::OctetWriter* out);
  void PutSegments(const std::vector<Segment>& segments, size_t as_octets, base::OctetWriter* out);

  SessionContext context_;
  base::OctetWriter attributes_, announced_, withdrawn_, message_, all_attributes_;
  bool has_reach_ = false, has_unreach_ = false;
  Family reach_family_ = Family::kOther, unreach_family_ = Family::kOther;
  base::OctetWriter reach_hop_, reach_, unreach_;
};

}  // namespace flowacct::bgp::testing

#endif  // FLOWACCT_BGP_TESTING_UPDATE_BUILDER_H_
