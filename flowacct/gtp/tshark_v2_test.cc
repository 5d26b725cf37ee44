// GTPv2-C against tshark: the captures of $FLOWACCT_CAPTURES, and messages made here that have each element that is
// read as a value. Messages by type, elements in their order with type, length and instance, and each field that tshark
// shows of an element: equal to ours by a row of Rows(), or left out by a row of kLeftOut that says why. Skipped where
// there is no tshark 4.0, of which the rows are; the captures where FLOWACCT_CAPTURES does not point at them.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/message_types.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/testing/messages_v2.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;
using flowacct::testing::CountsOf;
using v2::Element;

using Bytes = std::vector<uint8_t>;
using Texts = std::vector<std::string>;

// ---- What tshark says.

struct ShownField {
  std::string name, text;
};

struct ShownElement {
  int type = -1, length = -1, instance = -1;
  std::vector<ShownField> fields;

  Texts Of(absl::string_view name) const {
    Texts texts;
    for (const ShownField& field : fields) {
      if (field.name == name) texts.push_back(field.text);
    }
    return texts;
  }
};

struct ShownMessage {
  size_t frame = 0, position = 0, size = 0;
  std::map<std::string, std::string> header;
  std::vector<ShownElement> elements;
};

std::string Attribute(absl::string_view line, absl::string_view name) {
  const std::string begin = absl::StrCat(" ", name, "=\"");
  const size_t at = line.find(begin);
  if (at == absl::string_view::npos) return {};
  const absl::string_view rest = line.substr(at + begin.size());
  return absl::StrReplaceAll(rest.substr(0, rest.find('"')),
                             {{"&quot;", "\""}, {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}});
}

size_t Number(absl::string_view line, absl::string_view name) {
  size_t number = 0;
  return absl::SimpleAtoi(Attribute(line, name), &number) ? number : 0;
}

std::string Run(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[65536];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
  pclose(pipe);
  return output;
}

// What other versions show, and how, differs from place to place.
bool HasTshark() { return absl::StrContains(Run("tshark --version 2>/dev/null"), "TShark (Wireshark) 4.0."); }
constexpr char kNoTshark[] = "there is no tshark 4.0";

std::vector<ShownMessage> ReadTshark(const std::string& file) {
  std::vector<ShownMessage> messages;
  size_t frame = 0;
  size_t depth = 0;  // of layers: those within an element are within the message's
  const std::string pdml =
      Run(absl::StrCat("HOME=", ::testing::TempDir(), " tshark -r '", file, "' -Y gtpv2 -T pdml 2>/dev/null"));
  for (const absl::string_view line : absl::StrSplit(pdml, '\n')) {
    if (absl::StrContains(line, "<field name=\"num\"") && !absl::SimpleHexAtoi(Attribute(line, "value"), &frame)) {
      frame = 0;
    }
    if (depth > 0 && absl::StrContains(line, "</proto>")) --depth;
    if (depth > 0 && absl::StrContains(line, "<proto ") && !absl::EndsWith(line, "/>")) ++depth;
    if (absl::StrContains(line, "<packet>")) depth = 0;
    if (depth == 0 && absl::StrContains(line, "<proto name=\"gtpv2\"")) {
      depth = 1;
      messages.emplace_back();
      messages.back().frame = frame;
      messages.back().position = Number(line, "pos");
      messages.back().size = Number(line, "size");
    }
    if (depth == 0 || !absl::StrContains(line, "<field ")) continue;
    ShownMessage& message = messages.back();
    const std::string name = Attribute(line, "name"), text = Attribute(line, "show");
    if (name.empty()) continue;
    if (name == "gtpv2.ie_type") message.elements.emplace_back();
    if (message.elements.empty()) {
      message.header[name] = text;
      continue;
    }
    ShownElement& element = message.elements.back();
    int* known = name == "gtpv2.ie_type"    ? &element.type
                 : name == "gtpv2.ie_len"   ? &element.length
                 : name == "gtpv2.instance" ? &element.instance
                                            : nullptr;
    if (known == nullptr) {
      element.fields.push_back({name, text});
    } else if (*known == -1) {
      EXPECT_TRUE(absl::SimpleAtoi(text, known));
    }
  }
  return messages;
}

// ---- What we say, in tshark's words.

using Say = std::function<Texts(const Element&)>;

std::string Hex(uint64_t value, int digits) { return absl::StrFormat("0x%0*x", digits, value); }
std::string Flag(bool flag) { return flag ? "1" : "0"; }
Texts Maybe(const std::optional<base::IpAddress>& address) { return address ? Texts{address->ToString()} : Texts{}; }
// Numbers without leading zeros, as tshark shows them.
std::string Mcc(const Plmn& plmn) { return absl::StrCat(std::stoul(plmn.ToString().substr(0, 3))); }
std::string Mnc(const Plmn& plmn) { return absl::StrCat(std::stoul(plmn.ToString().substr(3))); }

// Texts of what `read` gives of the element; none if it gives nothing. `say` gives a text, a number or texts.
Texts AsTexts(Texts texts) { return texts; }
Texts AsTexts(std::string text) { return {std::move(text)}; }
Texts AsTexts(absl::string_view text) { return {std::string(text)}; }
Texts AsTexts(uint64_t number) { return {absl::StrCat(number)}; }

template <typename Read, typename Told>
Say Of(Read read, Told told) {
  return [read, told](const Element& element) -> Texts {
    const auto value = read(element.value);
    return value ? AsTexts(told(*value)) : Texts{};
  };
}

Say Number8() {
  return Of(v2::ReadU8, [](uint8_t v) { return uint64_t{v}; });
}
Say Bit(unsigned bit) {
  return Of(v2::ReadU8, [bit](uint8_t v) { return Flag((v >> bit & 1) != 0); });
}
Say Number16() {
  return Of(v2::ReadU16, [](uint16_t v) { return uint64_t{v}; });
}

template <typename Told>
Say Area(LocationForm form, Told told) {
  return Of(v2::ReadUli, [form, told](const UserLocation& location) {
    return location.Has(form) ? AsTexts(told(location[form])) : Texts{};
  });
}
std::string AreaMcc(const LocationArea& area) { return Mcc(area.plmn); }
std::string AreaMnc(const LocationArea& area) { return Mnc(area.plmn); }
std::string AreaCode(const LocationArea& area) { return Hex(area.code, 4); }

Say Indication(absl::string_view name) {
  size_t flag = 0;
  while (flag < v2::kIndicationFlags && v2::IndicationFlagName(flag) != name) ++flag;
  EXPECT_LT(flag, v2::kIndicationFlags) << name;
  return [flag](const Element& element) -> Texts {
    if (flag / 8 >= element.value.size()) return {};  // the element does not reach it
    return {Flag(v2::HasIndication(element.value, flag))};
  };
}

template <typename Told>
Say Options(Told told) {
  return [told](const Element& element) {
    v2::PcoReader reader(element.value, element.type == v2::kEpco);
    v2::PcoItem item;
    Texts texts;
    while (reader.Next(&item)) texts.push_back(told(item));
    return texts;
  };
}

template <typename Told>
Say Endpoint(Told told) {
  return [told](const Element& element) -> Texts {
    const std::optional<Fteid> fteid = v2::ReadFteid(element.value, element.instance);
    return fteid ? AsTexts(told(*fteid)) : Texts{};
  };
}

std::string Time(int64_t since_1970) {
  const time_t time = static_cast<time_t>(since_1970);
  struct tm parts;
  gmtime_r(&time, &parts);
  char text[64];
  return std::string(text, strftime(text, sizeof(text), "%b %e, %Y %H:%M:%S.000000000 UTC", &parts));
}

struct Row {
  uint8_t type;
  std::string field;
  Say ours;
  std::function<Texts(const Element&, const Texts&)> theirs;  // what tshark shows, in our way; null: as it is
};

// An address that is still to be assigned is none with us.
Texts Assigned(const Element&, const Texts& texts) {
  Texts assigned;
  std::copy_if(texts.begin(), texts.end(), std::back_inserter(assigned),
               [](const std::string& text) { return text != "0.0.0.0" && text != "::"; });
  return assigned;
}

std::vector<Row> MakeRows() {
  using base::Digits;
  using base::IpAddress;
  using v2::Ambr;
  using v2::Cause;
  using v2::DataForwarding;
  using v2::FqCsid;
  using v2::Paa;
  using v2::Qos;
  using v2::SecondaryRatUsage;
  const auto digits = [](const Digits& d) { return d.ToString(); };
  const auto address = [](bool want_v4) {
    return Of(v2::ReadIpAddress,
              [want_v4](const IpAddress& a) { return a.IsV4() == want_v4 ? Texts{a.ToString()} : Texts{}; });
  };
  const auto apn = [](const Apn& name) { return name.text(); };
  const auto mcc = [](const Plmn& plmn) { return Mcc(plmn); };
  const auto mnc = [](const Plmn& plmn) { return Mnc(plmn); };
  const auto time = [](int64_t t) { return Time(t); };
  std::vector<Row> rows = {
      {v2::kImsi, "e212.imsi", Of(v2::ReadImsi, digits), nullptr},
      {v2::kMei, "gtpv2.mei", Of(v2::ReadMei, digits), nullptr},
      {v2::kMsisdn, "e164.msisdn", Of(v2::ReadMsisdn, digits), nullptr},
      {v2::kCause, "gtpv2.cause", Of(v2::ReadCause, [](const Cause& c) { return uint64_t{c.value}; }), nullptr},
      {v2::kCause, "gtpv2.cs", Of(v2::ReadCause, [](const Cause& c) { return Flag(c.from_remote); }), nullptr},
      {v2::kCause, "gtpv2.bce", Of(v2::ReadCause, [](const Cause& c) { return Flag(c.bearer_context_error); }),
       nullptr},
      {v2::kCause, "gtpv2.pce", Of(v2::ReadCause, [](const Cause& c) { return Flag(c.pdn_connection_error); }),
       nullptr},
      {v2::kCause, "gtpv2.cause_off_ie_t",
       Of(v2::ReadCause,
          [](const Cause& c) { return c.has_offending ? AsTexts(uint64_t{c.offending_type}) : Texts{}; }),
       nullptr},
      {v2::kRecovery, "gtpv2.rec", Number8(), nullptr},
      {v2::kApn, "gtpv2.apn", Of(v2::ReadApn, apn), nullptr},
      {v2::kAmbr, "gtpv2.ambr_up", Of(v2::ReadAmbr, [](const Ambr& r) { return uint64_t{r.up}; }), nullptr},
      {v2::kAmbr, "gtpv2.ambr_down", Of(v2::ReadAmbr, [](const Ambr& r) { return uint64_t{r.down}; }), nullptr},
      {v2::kEbi, "gtpv2.ebi", Of(v2::ReadEbi, [](uint8_t v) { return uint64_t{v}; }), nullptr},
      {v2::kIpAddress, "gtpv2.ip_address_ipv4", address(true), nullptr},
      {v2::kIpAddress, "gtpv2.ip_address_ipv6", address(false), nullptr},
      {v2::kPaa, "gtpv2.pdn_type", Of(v2::ReadPaa, [](const Paa& p) { return uint64_t{p.pdn_type}; }), nullptr},
      {v2::kPaa, "gtpv2.pdn_addr_and_prefix.ipv4", Of(v2::ReadPaa, [](const Paa& p) { return Maybe(p.addresses.v4); }),
       &Assigned},
      {v2::kPaa, "gtpv2.pdn_addr_and_prefix.ipv6", Of(v2::ReadPaa, [](const Paa& p) { return Maybe(p.addresses.v6); }),
       [](const Element& element, const Texts& texts) {
         Texts prefixes;  // without the interface identifier
         for (const std::string& text : texts) {
           prefixes.push_back(v2::PrefixOf(*IpAddress::Parse(text), element.value[1]).ToString());
         }
         return Assigned(element, prefixes);
       }},
      {v2::kPaa, "gtpv2.pdn_ipv6_len",
       Of(v2::ReadPaa,
          [](const Paa& p) { return p.addresses.v6 ? AsTexts(uint64_t{p.addresses.v6_length}) : Texts{}; }),
       [](const Element& element, const Texts& texts) {
         const std::optional<Paa> paa = v2::ReadPaa(element.value);
         return paa && paa->addresses.v6 ? texts : Texts{};
       }},
      {v2::kArp, "gtpv2.arp_pvi",
       Of(v2::ReadU8, [](uint8_t v) { return Flag(!v2::Arp{v}.preemption_vulnerability()); }), nullptr},
      {v2::kArp, "gtpv2.arp_pl", Of(v2::ReadU8, [](uint8_t v) { return uint64_t{v2::Arp{v}.priority_level()}; }),
       nullptr},
      {v2::kArp, "gtpv2.arp_pci", Of(v2::ReadU8, [](uint8_t v) { return Flag(!v2::Arp{v}.preemption_capability()); }),
       nullptr},
      {v2::kBearerQos, "gtpv2.bearer_qos_pvi",
       Of(v2::ReadBearerQos, [](const Qos& q) { return Flag(!q.arp.preemption_vulnerability()); }), nullptr},
      {v2::kBearerQos, "gtpv2.bearer_qos_pl",
       Of(v2::ReadBearerQos, [](const Qos& q) { return uint64_t{q.arp.priority_level()}; }), nullptr},
      {v2::kBearerQos, "gtpv2.bearer_qos_pci",
       Of(v2::ReadBearerQos, [](const Qos& q) { return Flag(!q.arp.preemption_capability()); }), nullptr},
      {v2::kServingNetwork, "e212.mcc", Of(v2::ReadPlmn, mcc), nullptr},
      {v2::kServingNetwork, "e212.mnc", Of(v2::ReadPlmn, mnc), nullptr},
      {v2::kPlmnId, "e212.mcc", Of(v2::ReadPlmn, mcc), nullptr},
      {v2::kPlmnId, "e212.mnc", Of(v2::ReadPlmn, mnc), nullptr},
      {v2::kRatType, "gtpv2.rat_type", Number8(), nullptr},
      {v2::kUeTimeZone, "gsm_a.dtap.timezone",  // quarters of an hour, without their sign
       Of(v2::ReadUeTimeZone, [](const v2::UeTimeZone& z) { return Hex(std::abs(*TimeZoneMinutes(z.octet)) / 15, 2); }),
       nullptr},
      {v2::kUeTimeZone, "gtpv2.ue_time_zone_dst",
       Of(v2::ReadUeTimeZone, [](const v2::UeTimeZone& z) { return uint64_t{z.daylight_saving}; }), nullptr},
      {v2::kUliTimestamp, "gtpv2.uli_timestamp", Of(v2::ReadTimestamp, time), nullptr},
      {v2::kFteid, "gtpv2.f_teid_interface_type", Endpoint([](const Fteid& f) { return uint64_t{f.interface_type}; }),
       nullptr},
      {v2::kFteid, "gtpv2.f_teid_gre_key", Endpoint([](const Fteid& f) { return Hex(f.teid, 8); }), nullptr},
      {v2::kFteid, "gtpv2.f_teid_v4", Endpoint([](const Fteid& f) { return Flag(f.v4.has_value()); }), nullptr},
      {v2::kFteid, "gtpv2.f_teid_v6", Endpoint([](const Fteid& f) { return Flag(f.v6.has_value()); }), nullptr},
      {v2::kFteid, "gtpv2.f_teid_ipv4", Endpoint([](const Fteid& f) { return Maybe(f.v4); }), nullptr},
      {v2::kFteid, "gtpv2.f_teid_ipv6", Endpoint([](const Fteid& f) { return Maybe(f.v6); }), nullptr},
      {v2::kTmsi, "gtpv2.tmsi", Of(v2::ReadU32, [](uint32_t v) { return Hex(v, 8); }), nullptr},
      {v2::kPTmsi, "gtpv2.p_tmsi", Of(v2::ReadU32, [](uint32_t v) { return uint64_t{v}; }), nullptr},
      {v2::kGlobalCnId, "e212.mcc", Of(v2::ReadGlobalCnId, [](const v2::GlobalCnId& id) { return Mcc(id.plmn); }),
       nullptr},
      {v2::kGlobalCnId, "e212.mnc", Of(v2::ReadGlobalCnId, [](const v2::GlobalCnId& id) { return Mnc(id.plmn); }),
       nullptr},
      {v2::kGlobalCnId, "gtpv2.cn_id",
       Of(v2::ReadGlobalCnId,
          [](const v2::GlobalCnId& id) { return absl::StrFormat("%02x:%02x", id.cn >> 8, id.cn & 0xff); }),
       nullptr},
      {v2::kS103DataForwarding, "gtpv2.hsgw_addr_ipv4",
       Of(v2::ReadS103DataForwarding, [](const DataForwarding& f) { return f.address.ToString(); }), nullptr},
      {v2::kS103DataForwarding, "gtpv2.gre_key",
       Of(v2::ReadS103DataForwarding, [](const DataForwarding& f) { return uint64_t{f.key}; }), nullptr},
      {v2::kS103DataForwarding, "gtpv2.eps_bearer_id_number",
       Of(v2::ReadS103DataForwarding, [](const DataForwarding& f) { return uint64_t{f.ebi_count}; }), nullptr},
      {v2::kS103DataForwarding, "gtpv2.ebi",
       Of(v2::ReadS103DataForwarding, [](const DataForwarding& f) { return uint64_t{f.ebis[0]}; }), nullptr},
      {v2::kS1UDataForwarding, "gtpv2.ebi",
       Of(v2::ReadS1UDataForwarding, [](const DataForwarding& f) { return uint64_t{f.ebi}; }), nullptr},
      {v2::kS1UDataForwarding, "gtpv2.sgw_addr_ipv4",
       Of(v2::ReadS1UDataForwarding, [](const DataForwarding& f) { return f.address.ToString(); }), nullptr},
      {v2::kS1UDataForwarding, "gtpv2.sgw_s1u_teid",
       Of(v2::ReadS1UDataForwarding, [](const DataForwarding& f) { return Hex(f.key, 8); }), nullptr},
      {v2::kDelayValue, "gtpv2.delay_value", Number8(), nullptr},
      {v2::kChargingId, "gtpv2.charging_id", Of(v2::ReadU32, [](uint32_t v) { return uint64_t{v}; }), nullptr},
      {v2::kChargingCharacteristics, "gtpv2.charging_characteristic",
       Of(v2::ReadU16, [](uint16_t v) { return Hex(v, 4); }), nullptr},
      {v2::kBearerFlags, "gtpv2.bearer_flag.ppc", Bit(0), nullptr},
      {v2::kBearerFlags, "gtpv2.bearer_flag.vb", Bit(1), nullptr},
      {v2::kPdnType, "gtpv2.pdn_type", Of(v2::ReadPdnType, [](uint8_t v) { return uint64_t{v}; }), nullptr},
      {v2::kPti, "gtpv2.pti", Number8(), nullptr},
      {v2::kHopCounter, "gtpv2.hop_counter", Number8(), nullptr},
      {v2::kTraceReference, "e212.mcc",
       Of(v2::ReadTraceReference, [](const v2::TraceReference& t) { return Mcc(t.plmn); }), nullptr},
      {v2::kTraceReference, "e212.mnc",
       Of(v2::ReadTraceReference, [](const v2::TraceReference& t) { return Mnc(t.plmn); }), nullptr},
      {v2::kTraceReference, "gtpv2.trace_id",
       Of(v2::ReadTraceReference, [](const v2::TraceReference& t) { return uint64_t{t.id}; }), nullptr},
      {v2::kGuti, "e212.mcc", Of(v2::ReadGuti, [](const v2::Guti& g) { return Mcc(g.plmn); }), nullptr},
      {v2::kGuti, "e212.mnc", Of(v2::ReadGuti, [](const v2::Guti& g) { return Mnc(g.plmn); }), nullptr},
      {v2::kGuti, "gtpv2.mme_grp_id", Of(v2::ReadGuti, [](const v2::Guti& g) { return uint64_t{g.mme_group}; }),
       nullptr},
      {v2::kGuti, "gtpv2.mme_code", Of(v2::ReadGuti, [](const v2::Guti& g) { return uint64_t{g.mme_code}; }), nullptr},
      {v2::kGuti, "gtpv2.m_tmsi",
       Of(v2::ReadGuti,
          [](const v2::Guti& g) {
            return absl::StrFormat("%02x:%02x:%02x:%02x", g.m_tmsi >> 24, g.m_tmsi >> 16 & 0xff, g.m_tmsi >> 8 & 0xff,
                                   g.m_tmsi & 0xff);
          }),
       nullptr},
      {v2::kFContainer, "gtpv2.container_type",
       Of(v2::ReadFContainer, [](const v2::TypedOctets& t) { return uint64_t{t.type}; }), nullptr},
      {v2::kTargetIdentification, "gtpv2.target_type",
       Of(v2::ReadTargetIdentification, [](const v2::TypedOctets& t) { return uint64_t{t.type}; }), nullptr},
      {v2::kCompleteRequestMessage, "gtpv2.complete_req_msg_type",
       Of(v2::ReadCompleteRequestMessage, [](const v2::TypedOctets& t) { return uint64_t{t.type}; }), nullptr},
      {v2::kPortNumber, "gtpv2.upd_source_port_number", Number16(), nullptr},
      {v2::kApnRestriction, "gtpv2.apn_rest", Number8(), nullptr},
      {v2::kSelectionMode, "gtpv2.selec_mode", Of(v2::ReadSelectionMode, [](uint8_t v) { return uint64_t{v}; }),
       nullptr},
      {v2::kFqCsid, "gtpv2.fq_csid_type", Of(v2::ReadFqCsid, [](const FqCsid& f) { return uint64_t{f.node_type}; }),
       nullptr},
      {v2::kFqCsid, "gtpv2.fq_csid_nr", Of(v2::ReadFqCsid, [](const FqCsid& f) { return uint64_t{f.size()}; }),
       nullptr},
      {v2::kFqCsid, "gtpv2.fq_csid_ipv4",
       Of(v2::ReadFqCsid, [](const FqCsid& f) { return f.node_type == 0 ? Maybe(f.address) : Texts{}; }), nullptr},
      {v2::kFqCsid, "gtpv2.fq_csid_ipv6",
       Of(v2::ReadFqCsid, [](const FqCsid& f) { return f.node_type == 1 ? Maybe(f.address) : Texts{}; }), nullptr},
      {v2::kFqCsid, "gtpv2.fq_csid_id",
       Of(v2::ReadFqCsid,
          [](const FqCsid& f) {
            Texts texts;
            for (size_t i = 0; i < f.size(); ++i) texts.push_back(absl::StrCat(f[i]));
            return texts;
          }),
       nullptr},
      {v2::kNodeType, "gtpv2.node_type", Number8(), nullptr},
      {v2::kFqdn, "gtpv2.fqdn", Of(v2::ReadApn, apn), nullptr},
      {v2::kRfspIndex, "gtpv2.subscriber_rfsp", Number16(), nullptr},
      {v2::kUci, "e212.mcc", Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return Mcc(u.plmn); }), nullptr},
      {v2::kUci, "e212.mnc", Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return Mnc(u.plmn); }), nullptr},
      {v2::kUci, "gtpv2.cui_csg_id", Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return uint64_t{u.csg}; }),
       nullptr},
      {v2::kUci, "gtpv2.uci_access_mode",
       Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return uint64_t{u.access_mode}; }), nullptr},
      {v2::kUci, "gtpv2.uci_leave_csg", Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return Flag(u.leaves); }),
       nullptr},
      {v2::kUci, "gtpv2.uci_csg_membership", Of(v2::ReadUserCsg, [](const v2::UserCsg& u) { return Flag(u.member); }),
       nullptr},
      {v2::kDetachType, "gtpv2.detach_type", Number8(), nullptr},
      {v2::kSignallingPriority, "gtpv2.lapi", Bit(0), nullptr},
      {v2::kIp4cp, "gtpv2.ip4cp_subnet_prefix_len",
       Of(v2::ReadIp4cp, [](const v2::Ip4cp& p) { return uint64_t{p.prefix_length}; }), nullptr},
      {v2::kIp4cp, "gtpv2.ip4cp_ipv4", Of(v2::ReadIp4cp, [](const v2::Ip4cp& p) { return p.router.ToString(); }),
       nullptr},
      {v2::kMetric, "gtpv2.metric", Number8(), nullptr},
      {v2::kSequenceNumber, "gtpv2.sequence_number", Of(v2::ReadU32, [](uint32_t v) { return Hex(v, 8); }), nullptr},
      {v2::kApnAndRelativeCapacity, "gtpv2.relative_capacity",
       Of(v2::ReadApnCapacity, [](const v2::ApnCapacity& c) { return uint64_t{c.capacity}; }), nullptr},
      {v2::kApnAndRelativeCapacity, "gtpv2.apn",
       Of(v2::ReadApnCapacity, [](const v2::ApnCapacity& c) { return std::string(c.apn.text()); }), nullptr},
      {v2::kIntegerNumber, "gtpv2.integer_number_val", Of(v2::ReadIntegerNumber, [](uint64_t v) { return v; }),
       nullptr},
      {v2::kServingPlmnRateControl, "gtpv2.uplink_rate_limit", Number16(), nullptr},
      {v2::kCounter, "gtpv2.timestamp_value",
       Of(v2::ReadCounter, [](const v2::RateControlCounter& c) { return Time(c.start); }), nullptr},
      {v2::kCounter, "gtpv2.counter_value",
       Of(v2::ReadCounter, [](const v2::RateControlCounter& c) { return uint64_t{c.value}; }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.irpgw",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return Flag(u.to_pgw); }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.irsgw",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return Flag(u.to_sgw); }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.rat_type",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return uint64_t{u.rat}; }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.ebi",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return uint64_t{u.ebi}; }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.start_timestamp",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return Time(u.start); }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.end_timestamp",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return Time(u.end); }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.usage_data_dl",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return u.octets_down; }), nullptr},
      {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report.usage_data_ul",
       Of(v2::ReadSecondaryRatUsage, [](const SecondaryRatUsage& u) { return u.octets_up; }), nullptr},
      {v2::kPrivateExtension, "gtpv2.enterprise_id",
       Of(v2::ReadPrivateExtension, [](const v2::PrivateExtension& e) { return uint64_t{e.enterprise}; }), nullptr},
      {v2::kPrivateExtension, "gtpv2.proprietary_value",
       Of(v2::ReadPrivateExtension,
          [](const v2::PrivateExtension& e) {
            return absl::StrJoin(e.octets, ":",
                                 [](std::string* out, uint8_t octet) { absl::StrAppendFormat(out, "%02x", octet); });
          }),
       nullptr},
  };
  // Both kinds of QoS, whose rates are alike.
  struct Rates {
    uint8_t type;
    const char* prefix;
    std::optional<Qos> (*read)(base::Octets);
  };
  for (const Rates& r : {Rates{v2::kBearerQos, "gtpv2.bearer_qos_", &v2::ReadBearerQos},
                         Rates{v2::kFlowQos, "gtpv2.flow_qos_", &v2::ReadFlowQos}}) {
    rows.push_back({r.type, absl::StrCat(r.prefix, "label_qci"),
                    Of(r.read, [](const Qos& q) { return uint64_t{q.qci}; }), nullptr});
    rows.push_back(
        {r.type, absl::StrCat(r.prefix, "mbr_up"), Of(r.read, [](const Qos& q) { return q.max_up; }), nullptr});
    rows.push_back(
        {r.type, absl::StrCat(r.prefix, "mbr_down"), Of(r.read, [](const Qos& q) { return q.max_down; }), nullptr});
    rows.push_back(
        {r.type, absl::StrCat(r.prefix, "gbr_up"), Of(r.read, [](const Qos& q) { return q.guaranteed_up; }), nullptr});
    rows.push_back({r.type, absl::StrCat(r.prefix, "gbr_down"),
                    Of(r.read, [](const Qos& q) { return q.guaranteed_down; }), nullptr});
  }
  // Of locations, tshark 4.0 does not show the identities of base stations.
  struct Place {
    LocationForm form;
    const char *plmn, *code, *cell;
  };
  for (const Place& place : {Place{LocationForm::kCgi, "e212.cgi", "gtpv2.uli_cgi_lac", nullptr},
                             Place{LocationForm::kSai, "e212.sai", "gtpv2.sai_lac", "gtpv2.sai_sac"},
                             Place{LocationForm::kRai, "e212.rai", "gtpv2.rai_lac", nullptr},
                             Place{LocationForm::kTai, "e212.tai", "gtpv2.tai_tac", nullptr},
                             Place{LocationForm::kEcgi, "e212.ecgi", nullptr, nullptr},
                             Place{LocationForm::kLai, "e212.lai", "gtpv2.uli_lai_lac", nullptr}}) {
    rows.push_back({v2::kUli, absl::StrCat(place.plmn, ".mcc"), Area(place.form, &AreaMcc), nullptr});
    rows.push_back({v2::kUli, absl::StrCat(place.plmn, ".mnc"), Area(place.form, &AreaMnc), nullptr});
    if (place.code != nullptr) rows.push_back({v2::kUli, place.code, Area(place.form, &AreaCode), nullptr});
    if (place.cell != nullptr) {
      rows.push_back(
          {v2::kUli, place.cell, Area(place.form, [](const LocationArea& a) { return Hex(a.cell, 4); }), nullptr});
    }
  }
  rows.push_back({v2::kUli, "gtpv2.uli_cgi_ci",
                  Area(LocationForm::kCgi, [](const LocationArea& a) { return uint64_t{a.cell}; }), nullptr});
  rows.push_back({v2::kUli, "gtpv2.ecgi_eci",
                  Area(LocationForm::kEcgi, [](const LocationArea& a) { return uint64_t{a.cell}; }), nullptr});
  // With us without the octet that fills it up.
  rows.push_back({v2::kUli, "gtpv2.rai_rac",
                  Area(LocationForm::kRai, [](const LocationArea& a) { return Hex(a.cell << 8 | 0xff, 4); }), nullptr});
  for (const uint8_t type : {v2::kPco, v2::kApco, v2::kEpco}) {
    rows.push_back({type, "gsm_a.gm.configuration_protocol",
                    [](const Element& element) {
                      return AsTexts(uint64_t{v2::PcoReader(element.value).configuration_protocol()});
                    },
                    nullptr});
    rows.push_back(
        {type, "gsm_a.gm.sm.pco_pid", Options([](const v2::PcoItem& item) { return Hex(item.id, 4); }), nullptr});
    rows.push_back({type, "gsm_a.gm.sm.pco.length", Options([type](const v2::PcoItem& item) {
                      const bool is_long = type == v2::kEpco && (item.id == 0x0023 || item.id == 0x0024);
                      return Hex(item.contents.size(), is_long ? 4 : 2);
                    }),
                    nullptr});
  }
  // Flags have the names of the standard but for a few.
  for (size_t flag = 0; flag < 72; ++flag) {
    const std::string name(v2::IndicationFlagName(flag));
    const std::string theirs = name == "P" ? "ps" : name == "SRNI" ? "snri" : name == "PPON" ? "ppon_ppei" : name;
    rows.push_back({v2::kIndication, absl::StrCat("gtpv2.", absl::AsciiStrToLower(theirs)), Indication(name), nullptr});
  }
  return rows;
}

const std::vector<Row>& Rows() {
  static const std::vector<Row>* const kRows = new std::vector<Row>(MakeRows());
  return *kRows;
}

constexpr int kAnyElement = -1;

// What tshark shows and we have not as a value.
struct LeftOut {
  int type;
  const char* prefix;
  const char* why;
};
const LeftOut kLeftOut[] = {
    {kAnyElement, "gtpv2.spare", "means nothing"},
    {kAnyElement, "gtpv2.cr", "means nothing"},
    {kAnyElement, "gtpv2.response_", "of the conversation, not of the element"},
    {kAnyElement, "_ws.", "tshark's remarks"},
    {kAnyElement, "gtpv2.ie_len_invalid", "tshark's remarks"},
    {kAnyElement, "gtpv2.ie_data_not_dissected", "tshark's remarks"},
    {v2::kImsi, "e212.assoc.imsi", "e212.imsi again"},
    {v2::kImsi, "e212.mcc", "the digits of e212.imsi by tshark's list of networks"},
    {v2::kImsi, "e212.mnc", "the digits of e212.imsi by tshark's list of networks"},
    {v2::kImsi, "e212.imsi.malformed", "tshark's remarks"},
    {v2::kMsisdn, "e164.country_code", "the digits of e164.msisdn"},
    {v2::kUli, "gtpv2.uli_", "flags: the fields that they announce are compared"},
    {v2::kUli, "gtpv2.enodebid", "bits of gtpv2.ecgi_eci"},
    {v2::kUli, "gtpv2.cellid", "bits of gtpv2.ecgi_eci"},
    {v2::kTmsi, "gtpv2.tmsi_bytes", "gtpv2.tmsi again"},
    {v2::kUci, "gtpv2.cui_csg_id_spare", "means nothing"},
    {v2::kPTmsi, "3gpp.tmsi", "gtpv2.p_tmsi again"},
    {v2::kApnAndRelativeCapacity, "gtpv2.apn_length", "a length"},
    {v2::kS103DataForwarding, "gtpv2.hsgw_addr_f_len", "a length"},
    {v2::kS1UDataForwarding, "gtpv2.serving_gw_address_length", "a length"},
    {v2::kEpcTimer, "gtpv2.timer_", "seconds with us: in elements_v2_test"},
    {v2::kSecondaryRatUsage, "gtpv2.secondary_rat_usage_data_report", "flags: those that are named are compared"},
    {v2::kPco, "gsm_a.gm.sm.", "octets of what is within options"},
    {v2::kApco, "gsm_a.gm.sm.", "octets of what is within options"},
    {v2::kEpco, "gsm_a.gm.sm.", "octets of what is within options"},
    {v2::kPco, "ppp.", "octets of what is within options"},
    {v2::kPco, "ipcp.", "octets of what is within options"},
    {v2::kPco, "pap.", "octets of what is within options"},
    {v2::kPco, "chap.", "octets of what is within options"},
    {v2::kPco, "e212.", "octets of what is within options"},
    {v2::kBearerTft, "gsm_a.", "octets with us"},
    {v2::kTad, "gsm_a.", "octets with us"},
    {161, "gtpv2.mmbr_", "the type is reserved now"},
    {v2::kMmContextEps, "", "octets with us"},
    {v2::kPTmsiSignature, "", "octets with us"},
    {v2::kFContainer, "s1ap.", "octets with us"},
    {v2::kFContainer, "per.", "octets with us"},
    {v2::kCompleteRequestMessage, "", "octets with us"},
    {v2::kTargetIdentification, "", "octets with us"},
    {v2::kNodeFeatures, "", "octets with us"},
    {v2::kRanNasCause, "", "octets with us"},
    {v2::kServingPlmnRateControl, "gtpv2.downlink_rate_limit", "octets with us"},
    {v2::kUpFunctionSelection, "", "octets with us"},
    {v2::kMaximumPacketLossRate, "", "octets with us"},
};

// Where we differ, and who is right.
struct Difference {
  const char* file;  // null: any
  int type;
  const char* field;
  const char *theirs, *ours;
  const char* why;
};
const Difference kDifferences[] = {
    {nullptr, v2::kPlmnId, "e212.mnc", "41", "410", "tshark 4.0 reads two digits of three"},
    {nullptr, v2::kUli, "gtpv2.ecgi_eci", "4027766407", "1234567", "tshark shows the four spare bits with the others"},
    {"gtp/v2-create-and-delete-session.pcap", v2::kUli, "gtpv2.ecgi_eci", "305419896", "36984440", "the same"},
    {"gtp/scapy-gtpv2c-frames.pcap", v2::kImsi, "e212.imsi", "2080112345670000", "",
     "an IMSI has at most 15 digits; tshark calls it malformed"},
    {"gtp/scapy-gtpv2c-frames.pcap", v2::kMei, "gtpv2.mei", "0000000000102?04", "", "a nibble that is no digit"},
    {"gtp/scapy-gtpv2c-frames.pcap", v2::kMei, "gtpv2.mei", "17567547897068?", "17567547897068", "two fillers"},
    {"gtp/scapy-gtpv2c-frames.pcap", v2::kUli, "gtpv2.rai_rac", "0x1a85", "0x1aff",
     "a routeing area code is an octet, the next one means nothing"},
};

// Elements that tshark shows though the message's length says that they are not of it.
struct Beyond {
  const char* file;
  size_t frame, ours, theirs;
};
const Beyond kBeyond[] = {
    {"gtp/scapy-gtpv2c-frames.pcap", 12, 0, 1},
    {"gtp/scapy-gtpv2c-frames.pcap", 17, 0, 1},
    {"gtp/scapy-gtpv2c-frames.pcap", 23, 2, 3},
};

// Messages whose header says more than the datagram has.
struct Cut {
  const char* file;
  const char* type;
  uint64_t count;
};
const Cut kCut[] = {{"gtp/scapy-gtpv2c-frames.pcap", "Create Session Request", 2}};

bool IsLeftOut(const ShownElement& element, absl::string_view field) {
  return std::any_of(std::begin(kLeftOut), std::end(kLeftOut), [&](const LeftOut& row) {
    return (row.type == kAnyElement || row.type == element.type) && absl::StartsWith(field, row.prefix);
  });
}

// How many fields were compared.
size_t CompareElement(const std::string& file, const ShownElement& shown, const Element& element) {
  std::set<std::string> compared;
  for (const Row& row : Rows()) {
    if (row.type != shown.type) continue;
    compared.insert(row.field);
    const Texts said = shown.Of(row.field);
    const Texts theirs = row.theirs ? row.theirs(element, said) : said, ours = row.ours(element);
    const std::string their_text = absl::StrJoin(theirs, " "), our_text = absl::StrJoin(ours, " ");
    const bool explained = std::any_of(std::begin(kDifferences), std::end(kDifferences), [&](const Difference& d) {
      return (d.file == nullptr || file == d.file) && d.type == shown.type && row.field == d.field &&
             their_text == d.theirs && our_text == d.ours;
    });
    if (!explained) {
      EXPECT_EQ(our_text, their_text) << row.field;
    }
  }
  for (const ShownField& field : shown.fields) {
    if (compared.count(field.name) == 0 && !IsLeftOut(shown, field.name)) {
      ADD_FAILURE() << "tshark shows " << field.name << " = " << field.text << " of element " << shown.type
                    << ", which nothing compares";
    }
  }
  return compared.size();
}

// All of a file; adds to `counts` the messages by their types' names.
void CompareFile(const std::string& path, const std::string& file, Counts* counts, size_t* fields) {
  const std::vector<flowacct::testing::CapturedFrame> frames = flowacct::testing::ReadCaptureFile(path);
  ASSERT_FALSE(frames.empty()) << path;
  for (const ShownMessage& shown : ReadTshark(path)) {
    SCOPED_TRACE(absl::StrCat(file, " frame ", shown.frame));
    ASSERT_TRUE(shown.frame > 0 && shown.frame <= frames.size());
    const base::Octets frame = frames[shown.frame - 1].octets;
    ASSERT_LT(shown.position, frame.size());
    MessageView view;
    const base::DecodeResult parsed = MessageView::Parse(frame.subspan(shown.position), &view);
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.code, base::DecodeCode::kTruncated);
      ++(*counts)["cut"];
      continue;
    }
    const MessageTypeInfo* info = FindMessageType(view);
    ++(*counts)[info == nullptr ? absl::StrCat(view.type()) : std::string(info->name)];
    const auto header = [&](const char* name) {
      const auto found = shown.header.find(name);
      return found == shown.header.end() ? std::string() : found->second;
    };
    EXPECT_EQ(header("gtpv2.version"), absl::StrCat(view.version()));
    EXPECT_EQ(header("gtpv2.message_type"), absl::StrCat(view.type()));
    EXPECT_EQ(header("gtpv2.p"), Flag(view.is_piggybacked()));
    EXPECT_EQ(header("gtpv2.teid"), view.has_teid() ? Hex(view.teid(), 8) : "");
    EXPECT_EQ(header("gtpv2.seq"), Hex(view.sequence(), 6));

    std::vector<Element> elements;
    base::DecodeCounters counters;
    v2::WalkElements(
        view.payload(), {}, [&elements](const Element& element, size_t) { elements.push_back(element); }, &counters);
    for (size_t i = 0; i < std::max(elements.size(), shown.elements.size()); ++i) {
      if (i >= elements.size() || i >= shown.elements.size()) {
        EXPECT_TRUE(std::any_of(std::begin(kBeyond), std::end(kBeyond),
                                [&](const Beyond& row) {
                                  return file == row.file && shown.frame == row.frame && elements.size() == row.ours &&
                                         shown.elements.size() == row.theirs;
                                }))
            << "we have " << elements.size() << " elements, tshark " << shown.elements.size();
        EXPECT_NE(counters.errors(), 0u);
        break;
      }
      const ShownElement& theirs = shown.elements[i];
      const Element& ours = elements[i];
      SCOPED_TRACE(absl::StrCat("element ", i, " of type ", ours.type));
      ASSERT_EQ(theirs.type, ours.type);
      EXPECT_EQ(theirs.length, static_cast<int>(ours.value.size()));
      EXPECT_EQ(theirs.instance, ours.instance);
      *fields += CompareElement(file, theirs, ours);
    }
  }
}

// Messages in frames of raw IPv4, as a capture file.
Bytes CaptureOf(const std::vector<testing::NamedMessage>& messages) {
  constexpr uint32_t kLinkTypeIpv4 = 228;
  constexpr size_t kHeaders = 28;
  base::OctetWriter writer;
  const auto little = [&writer](uint32_t value, size_t size) {
    for (size_t i = 0; i < size; ++i) writer.U8(static_cast<uint8_t>(value >> (8 * i)));
  };
  little(0xa1b2c3d4, 4);
  little(2, 2);
  little(4, 2);
  for (const uint32_t word : {uint32_t{0}, uint32_t{0}, uint32_t{65535}, kLinkTypeIpv4}) little(word, 4);
  for (const testing::NamedMessage& message : messages) {
    const size_t size = message.octets.size();
    const uint32_t frame = static_cast<uint32_t>(size + kHeaders);
    for (const uint32_t word : {uint32_t{1}, uint32_t{0}, frame, frame}) little(word, 4);
    writer.U8(0x45).U8(0).U16(static_cast<uint16_t>(frame)).U32(0).U8(64).U8(17).U16(0).U32(0x0a000001).U32(0x0a000002);
    writer.U16(2123).U16(2123).U16(static_cast<uint16_t>(size + 8)).U16(0).Bytes(message.octets);
  }
  return {writer.octets().begin(), writer.octets().end()};
}

TEST(TsharkV2, EachElementThatIsReadAsAValue) {
  if (!HasTshark()) GTEST_SKIP() << kNoTshark;
  std::vector<testing::NamedMessage> messages = testing::MessagesV2();
  for (testing::NamedMessage& message : testing::ElementMessagesV2()) messages.push_back(std::move(message));
  const std::string path = absl::StrCat(::testing::TempDir(), "/elements_v2.pcap");
  const Bytes capture = CaptureOf(messages);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(capture.data()), static_cast<std::streamsize>(capture.size()));
  Counts counts;
  size_t fields = 0;
  CompareFile(path, "elements_v2.pcap", &counts, &fields);
  size_t read = 0;
  for (const auto& [name, count] : counts) read += count;
  EXPECT_EQ(read, messages.size()) << CountsAsText(counts);
  EXPECT_GT(fields, 800u);
}

// The manifest's short names of messages.
constexpr std::pair<const char*, const char*> kManifestNames[] = {
    {"echo-req", "Echo Request"},
    {"echo-resp", "Echo Response"},
    {"create-session-req", "Create Session Request"},
    {"create-session-resp", "Create Session Response"},
    {"modify-bearer-req", "Modify Bearer Request"},
    {"modify-bearer-resp", "Modify Bearer Response"},
    {"delete-session-req", "Delete Session Request"},
    {"delete-session-resp", "Delete Session Response"},
    {"type68", "Bearer Resource Command"},
    {"create-bearer-req", "Create Bearer Request"},
    {"create-bearer-resp", "Create Bearer Response"},
    {"context-resp", "Context Response"},
    {"release-access-bearers-req", "Release Access Bearers Request"},
    {"release-access-bearers-resp", "Release Access Bearers Response"},
    {"downlink-data-notif", "Downlink Data Notification"},
};

TEST(TsharkV2, Captures) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  std::ifstream manifest(folder == nullptr ? std::string() : absl::StrCat(folder, "/MANIFEST.tsv"));
  if (!manifest) {
    GTEST_SKIP()
        << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv; the captures are not in the repository";
  }
  if (!HasTshark()) GTEST_SKIP() << kNoTshark;
  size_t captures = 0, fields = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    if (columns.size() < 10 || !absl::StrContains(columns[9], "GTPv2-C: ")) continue;
    ++captures;
    SCOPED_TRACE(columns[0]);
    Counts counts, expected;
    CompareFile(absl::StrCat(folder, "/", columns[0]), columns[0], &counts, &fields);
    const absl::string_view said = columns[9];
    for (const auto& [name, count] :
         CountsOf(said, absl::StartsWith(said, "tshark: GTPv2-C: ") ? "tshark: GTPv2-C: " : "GTPv2-C: ")) {
      const auto* row = std::find_if(std::begin(kManifestNames), std::end(kManifestNames),
                                     [&name = name](const auto& names) { return name == names.first; });
      ASSERT_NE(row, std::end(kManifestNames)) << name;
      expected[row->second] += count;
    }
    for (const Cut& cut : kCut) {
      if (columns[0] != cut.file) continue;
      expected[cut.type] -= cut.count;
      expected["cut"] += cut.count;
    }
    EXPECT_EQ(CountsAsText(counts), CountsAsText(expected));
  }
  EXPECT_GE(captures, 5u);
  EXPECT_GT(fields, 4000u);
}

}  // namespace
}  // namespace flowacct::gtp
