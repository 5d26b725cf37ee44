#include "flowacct/bgp/testing/update_builder.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "flowacct/bgp/as_path.h"

namespace flowacct::bgp::testing {
namespace {

template <typename T>
T OrDie(const std::optional<T>& value, absl::string_view text) {
  if (!value) {
    std::fprintf(stderr, "no address or prefix: %s\n", std::string(text).c_str());
    std::abort();
  }
  return *value;
}

}  // namespace

base::IpPrefix PrefixOf(absl::string_view text) { return OrDie(base::IpPrefix::Parse(text), text); }
base::IpAddress AddressOf(absl::string_view text) { return OrDie(base::IpAddress::Parse(text), text); }

void WriteNlri(Family family, bool add_path, const BuiltRoute& route, base::OctetWriter* out) {
  const FamilyRow& row = RowOf(family);
  const bool labelled = row.shape == NlriShape::kLabelled || row.shape == NlriShape::kVpn;
  const size_t labels = labelled ? std::max<size_t>(1, route.labels.size()) : 0;
  const size_t bits = route.prefix.length() + 24 * labels + (row.shape == NlriShape::kVpn ? 64 : 0);
  if (add_path) out->U32(route.path_id);
  out->U8(static_cast<uint8_t>(bits));
  for (size_t i = 0; i < labels; ++i) {
    if (route.labels.empty()) {
      out->U24(0x800000);
    } else {
      out->U24(route.labels[i] << 4 | (i + 1 == labels ? 1 : 0));
    }
  }
  if (row.shape == NlriShape::kVpn) out->U64(route.rd);
  const uint8_t* address = route.prefix.address().data() + (row.v6 ? 0 : 12);
  out->Bytes(base::Octets(address, (size_t{route.prefix.length()} + 7) / 8));
}

void WriteMessage(uint8_t type, base::Octets body, base::OctetWriter* out) {
  out->Fill(16, 0xff).U16(static_cast<uint16_t>(19 + body.size())).U8(type).Bytes(body);
}

void UpdateBuilder::PutAttribute(uint8_t flags, uint8_t code, base::Octets value, base::OctetWriter* out) {
  if (value.size() > 255) flags |= 0x10;
  out->U8(flags).U8(code);
  if ((flags & 0x10) != 0) {
    out->U16(static_cast<uint16_t>(value.size()));
  } else {
    out->U8(static_cast<uint8_t>(value.size()));
  }
  out->Bytes(value);
}

void UpdateBuilder::PutSegments(const std::vector<Segment>& segments, size_t as_octets, base::OctetWriter* out) {
  for (const Segment& segment : segments) {
    out->U8(segment.type).U8(static_cast<uint8_t>(segment.numbers.size()));
    for (uint32_t as : segment.numbers) out->Number(as_octets == 2 && as > 0xffff ? kAsTrans : as, as_octets);
  }
}

UpdateBuilder& UpdateBuilder::Attribute(uint8_t flags, uint8_t code, base::Octets value) {
  PutAttribute(flags, code, value, &attributes_);
  return *this;
}

UpdateBuilder& UpdateBuilder::AsPath(const std::vector<uint32_t>& numbers) {
  std::vector<Segment> segments;
  for (size_t at = 0; at < numbers.size(); at += 255) {
    const size_t end = std::min(numbers.size(), at + 255);
    segments.push_back({2, {numbers.begin() + at, numbers.begin() + end}});
  }
  return AsPathSegments(segments);
}

UpdateBuilder& UpdateBuilder::AsPathSegments(const std::vector<Segment>& segments) {
  base::OctetWriter value;
  PutSegments(segments, context_.as4 ? 4 : 2, &value);
  return Attribute(0x40, 2, value.octets());
}

UpdateBuilder& UpdateBuilder::As4Path(const std::vector<Segment>& segments) {
  base::OctetWriter value;
  PutSegments(segments, 4, &value);
  return Attribute(0xc0, 17, value.octets());
}

UpdateBuilder& UpdateBuilder::NextHop(absl::string_view address) {
  return Attribute(0x40, 3, base::Octets(AddressOf(address).data() + 12, 4));
}

UpdateBuilder& UpdateBuilder::Number(uint8_t flags, uint8_t code, uint32_t value) {
  uint8_t octets[4];
  base::StoreBe32(octets, value);
  return Attribute(flags, code, octets);
}

UpdateBuilder& UpdateBuilder::Aggregator(uint32_t as, absl::string_view speaker) {
  base::OctetWriter value;
  value.Number(!context_.as4 && as > 0xffff ? kAsTrans : as, context_.as4 ? 4 : 2);
  value.Bytes(base::Octets(AddressOf(speaker).data() + 12, 4));
  return Attribute(0xc0, 7, value.octets());
}

UpdateBuilder& UpdateBuilder::Communities(const std::vector<uint32_t>& communities) {
  base::OctetWriter value;
  for (uint32_t community : communities) value.U32(community);
  return Attribute(0xc0, 8, value.octets());
}

UpdateBuilder& UpdateBuilder::LargeCommunities(const std::vector<uint32_t>& thirds) {
  base::OctetWriter value;
  for (uint32_t third : thirds) value.U32(third);
  return Attribute(0xc0, 32, value.octets());
}

UpdateBuilder& UpdateBuilder::Announce(const BuiltRoute& route) {
  WriteNlri(Family::kIpv4Unicast, context_.add_path.Has(Family::kIpv4Unicast), route, &announced_);
  return *this;
}

UpdateBuilder& UpdateBuilder::Withdraw(const BuiltRoute& route) {
  WriteNlri(Family::kIpv4Unicast, context_.add_path.Has(Family::kIpv4Unicast), route, &withdrawn_);
  return *this;
}

UpdateBuilder& UpdateBuilder::MpReach(Family family, base::Octets next_hop) {
  has_reach_ = true;
  reach_family_ = family;
  reach_hop_.Bytes(next_hop);
  return *this;
}

UpdateBuilder& UpdateBuilder::MpAnnounce(const BuiltRoute& route) {
  WriteNlri(reach_family_, context_.add_path.Has(reach_family_), route, &reach_);
  return *this;
}

UpdateBuilder& UpdateBuilder::MpUnreach(Family family) {
  has_unreach_ = true;
  unreach_family_ = family;
  return *this;
}

UpdateBuilder& UpdateBuilder::MpWithdraw(const BuiltRoute& route) {
  WriteNlri(unreach_family_, context_.add_path.Has(unreach_family_), route, &unreach_);
  return *this;
}

UpdateBuilder& UpdateBuilder::RawAnnounce(base::Octets octets) {
  announced_.Bytes(octets);
  return *this;
}

UpdateBuilder& UpdateBuilder::RawMpAnnounce(base::Octets octets) {
  reach_.Bytes(octets);
  return *this;
}

UpdateBuilder& UpdateBuilder::RawMpWithdraw(base::Octets octets) {
  unreach_.Bytes(octets);
  return *this;
}

base::Octets UpdateBuilder::Attributes() {
  all_attributes_.Clear();
  base::OctetWriter value;
  if (has_reach_) {
    value.U16(RowOf(reach_family_).afi).U8(RowOf(reach_family_).safi).U8(static_cast<uint8_t>(reach_hop_.size()));
    value.Bytes(reach_hop_.octets()).U8(0).Bytes(reach_.octets());
    PutAttribute(0x80, 14, value.octets(), &all_attributes_);
    value.Clear();
  }
  if (has_unreach_) {
    value.U16(RowOf(unreach_family_).afi).U8(RowOf(unreach_family_).safi).Bytes(unreach_.octets());
    PutAttribute(0x80, 15, value.octets(), &all_attributes_);
  }
  all_attributes_.Bytes(attributes_.octets());
  return all_attributes_.octets();
}

base::Octets UpdateBuilder::Message() {
  const base::Octets attributes = Attributes();
  message_.Clear();
  message_.Fill(16, 0xff);
  message_.U16(static_cast<uint16_t>(23 + withdrawn_.size() + attributes.size() + announced_.size())).U8(2);
  message_.U16(static_cast<uint16_t>(withdrawn_.size())).Bytes(withdrawn_.octets());
  message_.U16(static_cast<uint16_t>(attributes.size())).Bytes(attributes).Bytes(announced_.octets());
  return message_.octets();
}

void UpdateBuilder::Clear() {
  for (base::OctetWriter* part : {&attributes_, &announced_, &withdrawn_, &reach_hop_, &reach_, &unreach_})
    part->Clear();
  has_reach_ = has_unreach_ = false;
}

}  // namespace flowacct::bgp::testing
