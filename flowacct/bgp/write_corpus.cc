// Writes the seeds of the fuzz tests' corpora:
//     bazel run //flowacct/bgp:write_corpus -- $PWD/flowacct/bgp

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/bgp/message_writer.h"
#include "flowacct/bgp/testing/update_builder.h"

namespace flowacct::bgp {
namespace {

using testing::PrefixOf;
using testing::UpdateBuilder;

bool Write(const std::string& path, uint8_t first, base::Octets octets) {
  std::ofstream file(path, std::ios::binary);
  file.put(static_cast<char>(first));
  file.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
  if (!file) std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

void PutAll(UpdateBuilder* b) {
  b->Origin(0).AsPathSegments({{3, {65001}}, {2, {64496, 4200000000}}, {1, {7, 8}}}).NextHop("192.0.2.1");
  b->Med(7).LocalPref(100).Attribute(0x40, 6, {}).Aggregator(4200000000, "192.0.2.9").Communities({1, 0xffffff01});
  b->Number(0x80, 9, 0x01020304).Attribute(0x80, 10, {1, 1, 1, 1}).Attribute(0xc0, 16, {0, 2, 0, 1, 0, 0, 0, 1});
  b->Attribute(0x80, 26, {1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 9}).LargeCommunities({1, 2, 3}).Number(0xc0, 35, 64496);
  b->Attribute(0xc0, 40, {1, 0, 7, 0, 0, 0, 0, 0, 0, 1}).Attribute(0xe0, 99, {1, 2});
}

using Octets = std::vector<uint8_t>;

Octets Tlv(uint16_t type, const std::vector<Octets>& parts) {
  base::OctetWriter value, out;
  for (const Octets& part : parts) value.Bytes(part);
  out.U16(type).U16(static_cast<uint16_t>(value.size())).Bytes(value.octets());
  return {out.octets().begin(), out.octets().end()};
}

// The first octet is that of link_state_fuzz.cc: 1 an attribute, 2 of a VPN, 4 ADD-PATH.
bool WriteLinkState(const std::string& folder) {
  const Octets head = {2, 0, 0, 0, 0, 0, 0, 0, 7}, rd = {0, 0, 0xfb, 0xf4, 0, 0, 0, 7}, path_id = {0, 0, 0, 9};
  const auto node = [](uint16_t type, const Octets& router) {
    return Tlv(
        type, {Tlv(512, {{0, 0, 0xfb, 0xf4}}), Tlv(513, {{0, 0, 0, 5}}), Tlv(514, {{0, 0, 0, 1}}), Tlv(515, {router})});
  };
  const Octets local = node(256, {0, 0, 0, 0, 0, 1}), remote = node(257, {0, 0, 0, 0, 0, 2, 3});
  const Octets v6(16, 0x20);
  const std::vector<std::pair<const char*, std::vector<Octets>>> kinds = {
      {"node", {local, Tlv(65000, {{1}})}},
      {"link",
       {local, remote, Tlv(258, {{0, 0, 0, 1, 0, 0, 0, 2}}), Tlv(259, {{192, 0, 2, 1}}), Tlv(260, {{192, 0, 2, 2}}),
        Tlv(261, {v6}), Tlv(262, {v6}), Tlv(263, {{0, 2}})}},
      {"ipv4_prefix", {local, Tlv(263, {{0, 0}}), Tlv(264, {{3}}), Tlv(265, {{20, 198, 51, 96}})}},
      {"ipv6_prefix", {local, Tlv(263, {{0, 2}}), Tlv(265, {{32, 0x20, 1, 0xd, 0xb8}})}},
  };
  bool ok = true;
  for (const uint8_t flags : {0, 2, 4, 6}) {
    base::OctetWriter all;
    for (size_t i = 0; i < kinds.size(); ++i) {
      std::vector<Octets> value = kinds[i].second;
      value.insert(value.begin(), head);
      if ((flags & 2) != 0) value.insert(value.begin(), rd);
      base::OctetWriter one;
      if ((flags & 4) != 0) one.Bytes(path_id);
      one.Bytes(Tlv(static_cast<uint16_t>(i + 1), value));
      all.Bytes(one.octets());
      ok &= Write(folder + kinds[i].first + "_" + std::to_string(flags), flags, one.octets());
    }
    all.Bytes(Tlv(6, {{1, 2, 3}}));  // of later
    ok &= Write(folder + "all_" + std::to_string(flags), flags, all.octets());
  }
  const Octets attributes[] = {Tlv(263, {{0, 0, 0, 2}}),    Tlv(1024, {{0xc0}}),
                               Tlv(1026, {{'r', '1'}}),     Tlv(1027, {{0x49, 0, 1}}),
                               Tlv(1028, {{192, 0, 2, 1}}), Tlv(1029, {v6}),
                               Tlv(1030, {{192, 0, 2, 2}}), Tlv(1031, {v6}),
                               Tlv(1088, {{0, 0, 0, 1}}),   Tlv(1089, {{0x4e, 0x95, 2, 0xf9}}),
                               Tlv(1092, {{0, 0, 0, 9}}),   Tlv(1095, {{0, 0, 10}}),
                               Tlv(1096, {{0, 0, 0, 7}}),   Tlv(1098, {{'d'}}),
                               Tlv(1152, {{0x80}}),         Tlv(1153, {{0, 0, 0, 3}}),
                               Tlv(1155, {{0, 0, 0, 5}}),   Tlv(1158, {{0, 0, 0, 0, 0, 0, 0, 4}})};
  base::OctetWriter all;
  for (const Octets& attribute : attributes) all.Bytes(attribute);
  return Write(folder + "attribute", 1, all.octets()) && ok;
}

int Main(const std::string& folder) {
  bool ok = WriteLinkState(folder + "/corpus_link_state/");
  // The first octet is that of update_fuzz.cc: 1 as4, 8 ADD-PATH.
  for (const uint8_t flags : {uint8_t{1}, uint8_t{0}, uint8_t{9}}) {
    SessionContext context;
    context.as4 = (flags & 1) != 0;
    if ((flags & 8) != 0) context.add_path = FamilySet::All();
    for (size_t i = 0; i + 1 < kFamilyCount; ++i) {
      const Family family = static_cast<Family>(i);
      const FamilyRow& row = RowOf(family);
      UpdateBuilder b(context);
      PutAll(&b);
      if (!context.as4)
        b.As4Path({{2, {4200000000}}, {1, {7, 8}}}).Attribute(0xc0, 18, {0xfa, 0x56, 0xea, 0, 1, 1, 1, 1});
      if (row.shape <= NlriShape::kVpn) {
        const size_t rd_octets = row.shape == NlriShape::kVpn ? 8 : 0;
        std::vector<uint8_t> hop(rd_octets + (row.v6 ? 16 : 4), 1);
        b.MpReach(family, hop).MpUnreach(family);
        const testing::BuiltRoute route{PrefixOf(row.v6 ? "2001:db8::/33" : "198.51.100.0/23"), 7, 9, {16, 17}};
        b.MpAnnounce(route).MpAnnounce(route).MpWithdraw({route.prefix, 7, 9, {}});
      } else if (flags == 1) {
        b.MpReach(family, std::vector<uint8_t>(4, 1)).RawMpAnnounce(std::vector<uint8_t>{0, 3, 0, 2, 1, 2});
      } else {
        continue;
      }
      if (family == Family::kIpv4Multicast) b.Announce("192.0.2.0/24").Withdraw("0.0.0.0/0");
      ok &= Write(folder + "/corpus_update/" + std::string(row.name) + "_" + std::to_string(flags), flags,
                  b.Message().subspan(19));
    }
  }
  UpdateBuilder rib;
  rib.Origin(0).AsPath({1}).Attribute(0x80, 14, {16, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  ok &= Write(folder + "/corpus_update/rib_entry", 1, rib.Attributes());

  Open open;
  open.as = 4200000000;
  open.as4 = open.route_refresh = open.enhanced_route_refresh = open.extended_message = true;
  open.bgp_identifier = 9;
  open.families = FamilySet::Joined();
  open.add_path_send.Add(Family::kIpv6Unicast);
  open.graceful_restart = GracefulRestart();
  open.graceful_restart->families = open.families;
  open.role = Role::kPeer;
  open.host_name = "r";
  for (const bool large : {false, true}) {
    base::OctetWriter stream;
    if (large) open.software_version = std::string(200, 'v');  // RFC 9072
    WriteOpen(open, &stream);
    WriteKeepalive(&stream);
    UpdateBuilder b;
    PutAll(&b);
    b.Announce("192.0.2.0/24");
    stream.Bytes(b.Message());
    b.Clear();
    stream.Bytes(b.Message());
    WriteRouteRefresh(Family::kIpv4Unicast, RouteRefreshSubtype::kBeginning, &stream);
    WriteRouteRefresh(Family::kIpv4Unicast, RouteRefreshSubtype::kEnd, &stream);
    base::OctetWriter text;
    WriteShutdownCommunication("bye", &text);
    WriteNotification(NotificationOf(NotificationCode::kAdministrativeShutdown, text.octets()), &stream);
    for (const uint8_t split : {uint8_t{0}, uint8_t{31}, uint8_t{64 + 17}}) {
      ok &= Write(folder + "/corpus_session/" + (large ? "large_" : "small_") + std::to_string(split), split,
                  stream.octets());
    }
  }
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace flowacct::bgp

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return flowacct::bgp::Main(argv[1]);
}
