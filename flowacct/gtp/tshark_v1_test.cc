// GTPv0, GTPv1, GTP-U and GTP' against tshark, for each capture of $FLOWACCT_CAPTURES/gtp: messages by type, and each
// field of kRows of each message: what tshark shows equals what we read, or a row of kDifferences says why not. Skipped
// where there is no tshark 4.0, of which the rows are, or FLOWACCT_CAPTURES does not point at the captures.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/gtp/elements_v1.h"
#include "flowacct/gtp/extension_headers.h"
#include "flowacct/gtp/message_types.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/user_plane.h"
#include "flowacct/testing/manifest_counts.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

using base::Octets;
using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;
using flowacct::testing::CountsOf;
using Texts = std::vector<std::string>;

struct Message {
  MessageView view;
  std::vector<v1::Element> elements;
  base::DecodeResult result;
};

std::string Hex(uint64_t value, int digits) { return absl::StrFormat("0x%0*x", digits, value); }
Texts If(bool there, const std::string& text) { return there ? Texts{text} : Texts{}; }

// `say` of each element of the type, in their order; it appends what it has.
template <typename Function>
Texts OfEach(const Message& message, uint8_t type, Function say) {
  Texts texts;
  for (const v1::Element& element : message.elements) {
    if (element.type == type) say(element.value, &texts);
  }
  return texts;
}
template <typename T>
void Append(const std::optional<T>& value, Texts* texts) {
  if (value) texts->push_back(absl::StrCat(*value));
}
void AppendText(const std::optional<base::IpAddress>& value, bool v4, Texts* texts) {
  if (value && value->IsV4() == v4) texts->push_back(value->ToString());
}

Texts Number(const Message& m, uint8_t type) {
  return OfEach(m, type, [](Octets value, Texts* texts) { Append(v1::ReadU8(value), texts); });
}
Texts HexOf(const Message& m, uint8_t type, int digits) {
  return OfEach(m, type, [=](Octets value, Texts* texts) {
    texts->push_back(Hex(base::LoadBe(value.data(), value.size()), digits));
  });
}
// Of a QoS profile of either version; `extended` ones only where the profile has that much.
Texts QosOf(const Message& m, bool extended, const std::function<uint64_t(const v1::Qos&)>& get) {
  Texts texts;
  for (const v1::Element& element : m.elements) {
    const bool v0 = ProtocolOf(m.view) == Protocol::kV0 && element.type == v1::kV0Qos;
    if (!v0 && element.type != v1::kQos) continue;
    const std::optional<v1::Qos> qos = v0 ? v1::ReadV0Qos(element.value) : v1::ReadQos(element.value);
    if (qos && (qos->extended || !extended)) texts.push_back(absl::StrCat(get(*qos)));
  }
  return texts;
}
Texts LocationOf(const Message& m, LocationForm form, const std::function<std::string(const LocationArea&)>& get) {
  return OfEach(m, v1::kUli, [&](Octets value, Texts* texts) {
    const std::optional<UserLocation> location = v1::ReadUli(value);
    if (location && location->Has(form)) texts->push_back(get((*location)[form]));
  });
}
Texts Extension(const Message& m, ExtensionType type, const std::function<std::string(Octets)>& get) {
  Texts texts;
  ExtensionReader reader(m.view);
  for (ExtensionHeader header; reader.Next(&header);) {
    if (header.Is(type)) texts.push_back(get(header.content));
  }
  return texts;
}

enum class Compare : uint8_t {
  kAll,    // every occurrence
  kFirst,  // the first one: the others are of packets within
  kRate,   // the last one: a rate in kbit/s is shown before its extension, which is in Mbit/s where it is no fraction
};

struct Row {
  const char* field;
  Compare compare;
  std::function<Texts(const Message&)> say;
};

const std::vector<Row>& Rows() {
  using M = const Message&;
  static const std::vector<Row> rows = {
      {"gtp.flags.version", Compare::kFirst, [](M m) { return Texts{absl::StrCat(m.view.version())}; }},
      {"gtp.message", Compare::kFirst, [](M m) { return Texts{Hex(m.view.type(), 2)}; }},
      {"gtp.teid", Compare::kFirst, [](M m) { return If(m.view.has_teid(), Hex(m.view.teid(), 8)); }},
      {"gtp.seq_number", Compare::kFirst, [](M m) { return If(m.view.has_sequence(), Hex(m.view.sequence(), 4)); }},
      {"gtp.flow_label", Compare::kFirst,
       [](M m) { return If(ProtocolOf(m.view) == Protocol::kV0, Hex(m.view.flow_label(), 4)); }},
      {"gtp.ext_hdr.pdu_ses_con.pdu_type", Compare::kFirst,
       [](M m) {
         return Extension(m, ExtensionType::kPduSessionContainer,
                          [](Octets o) { return absl::StrCat(ReadPduSessionContainer(o)->pdu_type); });
       }},
      {"gtp.ext_hdr.pdu_ses_con.qos_flow_id", Compare::kFirst,
       [](M m) {
         return Extension(m, ExtensionType::kPduSessionContainer,
                          [](Octets o) { return absl::StrCat(ReadPduSessionContainer(o)->qfi); });
       }},
      {"gtp.ext_hdr.pdcp_sn", Compare::kFirst,
       [](M m) {
         return Extension(m, ExtensionType::kPdcpNumber, [](Octets o) { return absl::StrCat(*ReadPdcpNumber(o)); });
       }},
      {"gtp.recovery", Compare::kAll, [](M m) { return Number(m, v1::kRecovery); }},
      {"gtp.cause", Compare::kAll, [](M m) { return Number(m, v1::kCause); }},
      {"gtp.sel_mode", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kSelectionMode,
                       [](Octets o, Texts* texts) { texts->push_back(absl::StrCat(v1::SelectionMode(o[0]))); });
       }},
      {"gtp.teid_data", Compare::kAll,
       [](M m) { return m.view.version() == 1 ? HexOf(m, v1::kTeidDataI, 8) : Texts(); }},
      {"gtp.teid_cp", Compare::kAll,
       [](M m) { return m.view.version() == 1 ? HexOf(m, v1::kTeidControl, 8) : Texts(); }},
      {"gtp.ext_flow_label", Compare::kAll,
       [](M m) { return m.view.version() == 0 ? HexOf(m, v1::kTeidDataI, 4) : Texts(); }},
      {"gtp.flow_sig", Compare::kAll,
       [](M m) { return m.view.version() == 0 ? HexOf(m, v1::kTeidControl, 4) : Texts(); }},
      {"gtp.nsapi", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kNsapi, [](Octets o, Texts* texts) { texts->push_back(absl::StrCat(v1::Nsapi(o[0]))); });
       }},
      {"gtp.tear_ind", Compare::kAll,
       [](M m) {
         if (m.view.version() == 0) return Texts();
         return OfEach(m, v1::kTeardownInd,
                       [](Octets o, Texts* texts) { texts->push_back(v1::Teardown(o[0]) ? "1" : "0"); });
       }},
      {"gtp.chrg_id", Compare::kAll, [](M m) { return HexOf(m, v1::kChargingId, 8); }},
      {"gtp.chrg_char", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kChargingCharacteristics, [](Octets o, Texts* texts) { Append(v1::ReadU16(o), texts); });
       }},
      {"gtp.user_addr_pdp_org", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kEndUserAddress,
                       [](Octets o, Texts* texts) { Append(std::optional<int>(o[0] & 0xf), texts); });
       }},
      {"gtp.user_addr_pdp_type", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kEndUserAddress, [](Octets o, Texts* texts) { texts->push_back(Hex(o[1], 2)); });
       }},
      {"gtp.user_ipv4", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kEndUserAddress, [](Octets o, Texts* texts) {
           if (const auto address = v1::ReadEndUserAddress(o)) AppendText(address->v4, true, texts);
         });
       }},
      {"gtp.user_ipv6", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kEndUserAddress, [](Octets o, Texts* texts) {
           if (const auto address = v1::ReadEndUserAddress(o)) AppendText(address->v6, false, texts);
         });
       }},
      {"gtp.apn", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kApn, [](Octets o, Texts* texts) {
           if (const auto apn = ApnFromLabels(o)) texts->push_back(std::string(apn->text()));
         });
       }},
      {"gtp.gsn_ipv4", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kGsnAddress, [](Octets o, Texts* texts) { AppendText(v1::ReadAddress(o), true, texts); });
       }},
      {"gtp.gsn_ipv6", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kGsnAddress,
                       [](Octets o, Texts* texts) { AppendText(v1::ReadAddress(o), false, texts); });
       }},
      {"e164.msisdn", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kMsisdn, [](Octets o, Texts* texts) {
           if (const auto digits = v1::ReadMsisdn(o)) texts->push_back(digits->ToString());
         });
       }},
      {"e212.imsi", Compare::kFirst,
       [](M m) {
         return OfEach(m, v1::kImsi, [](Octets o, Texts* texts) {
           if (const auto digits = v1::ReadImsi(o)) texts->push_back(digits->ToString());
         });
       }},
      {"gtp.qos_al_ret_priority", Compare::kAll,
       [](M m) {
         return ProtocolOf(m.view) == Protocol::kV0 ? Texts() : QosOf(m, false, [](auto& q) { return q.arp; });
       }},
      {"gtp.qos_delay", Compare::kAll, [](M m) { return QosOf(m, false, [](auto& q) { return q.delay_class; }); }},
      {"gtp.qos_reliability", Compare::kAll,
       [](M m) { return QosOf(m, false, [](auto& q) { return q.reliability_class; }); }},
      {"gtp.qos_peak", Compare::kAll, [](M m) { return QosOf(m, false, [](auto& q) { return q.peak_throughput; }); }},
      {"gtp.qos_precedence", Compare::kAll,
       [](M m) { return QosOf(m, false, [](auto& q) { return q.precedence_class; }); }},
      {"gtp.qos_mean", Compare::kAll, [](M m) { return QosOf(m, false, [](auto& q) { return q.mean_throughput; }); }},
      {"gtp.qos_traf_class", Compare::kAll,
       [](M m) { return QosOf(m, true, [](auto& q) { return q.traffic_class; }); }},
      {"gtp.qos_traf_handl_prio", Compare::kAll,
       [](M m) { return QosOf(m, true, [](auto& q) { return q.handling_priority; }); }},
      {"gtp.qos_max_ul", Compare::kRate, [](M m) { return QosOf(m, true, [](auto& q) { return q.max_up; }); }},
      {"gtp.qos_max_dl", Compare::kRate, [](M m) { return QosOf(m, true, [](auto& q) { return q.max_down; }); }},
      {"gtp.sig_ind", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kQos, [](Octets o, Texts* texts) {
           if (o.size() > 12) Append(std::optional<int>(v1::ReadQos(o)->signalling), texts);
         });
       }},
      {"gtp.ext_rat_type", Compare::kAll, [](M m) { return Number(m, v1::kRatType); }},
      {"gtp.geo_loc_type", Compare::kAll, [](M m) { return Number(m, v1::kUli); }},
      {"gtp.cgi_ci", Compare::kAll,
       [](M m) { return LocationOf(m, LocationForm::kCgi, [](auto& a) { return absl::StrCat(a.cell); }); }},
      {"gtp.sai_sac", Compare::kAll,
       [](M m) { return LocationOf(m, LocationForm::kSai, [](auto& a) { return absl::StrCat(a.cell); }); }},
      {"gtp.timezone", Compare::kAll,  // in quarters of an hour
       [](M m) {
         return OfEach(m, v1::kMsTimeZone, [](Octets o, Texts* texts) {
           if (const auto minutes = TimeZoneMinutes(o[0])) texts->push_back(absl::StrCat(*minutes / 15));
         });
       }},
      {"gtp.dti", Compare::kAll,
       [](M m) {
         return OfEach(m, v1::kDirectTunnelFlags,
                       [](Octets o, Texts* texts) { texts->push_back((o[0] & 1) != 0 ? "1" : "0"); });
       }},
  };
  return rows;
}

// How the manifest calls what the captures have.
const std::map<int, const char*> kManifestNames = {
    {1, "echo-req"},        {2, "echo-resp"},        {16, "create-pdp-req"}, {17, "create-pdp-resp"},
    {18, "update-pdp-req"}, {19, "update-pdp-resp"}, {20, "delete-pdp-req"}, {21, "delete-pdp-resp"},
    {26, "error-ind"},      {255, "G-PDU"},
};

struct Difference {
  const char* capture;
  int frame;  // 0: all
  const char* field;
  const char* why;
};
const Difference kDifferences[] = {
    {"scapy-gtpv1c-frames.pcap", 0, "e212.imsi", "16 digits, which no IMSI has"},
    {"gtp-prime.pcapng", 0, "e212.imsi", "of a charging record within, which is octets here"},
    {"gtp-prime.pcapng", 0, "gtp.flags.version", "has another name in GTP'"},
};

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[65536];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
  pclose(pipe);
  return output;
}

bool IsOf(Compare compare, const Texts& shown, const Texts& ours) {
  switch (compare) {
    case Compare::kAll:
      return shown == ours;
    case Compare::kFirst:
      return ours.empty() ? shown.empty() : !shown.empty() && shown.front() == ours.front();
    case Compare::kRate:
      if (ours.empty() || shown.empty()) return ours.empty() && shown.empty();
      return shown.back() == ours.back() || (shown.size() == 2 && absl::StrCat(shown.back(), "000") == ours.back());
  }
  return false;
}

TEST(Tshark, ShowsWhatWeRead) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  std::ifstream manifest(folder == nullptr ? std::string() : absl::StrCat(folder, "/MANIFEST.tsv"));
  if (!manifest) {
    GTEST_SKIP()
        << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv; the captures are not in the repository";
  }
  if (!absl::StrContains(OutputOf("tshark --version 2>/dev/null"), "TShark (Wireshark) 4.0.")) {
    GTEST_SKIP() << "there is no tshark 4.0";
  }
  std::set<std::string> compared;  // fields that were shown
  std::set<const Difference*> met;
  size_t messages = 0, captures = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    absl::string_view capture = columns[0];
    if (!absl::ConsumePrefix(&capture, "gtp/")) continue;
    ++captures;
    Counts expected, counts;
    for (const char* decoder : {"tshark: GTPv0: ", "tshark: GTPv1: ", "tshark: GTPv0/1: "}) {
      for (const auto& count : CountsOf(columns[9], decoder)) expected.insert(count);
    }
    std::string command = absl::StrCat(
        "HOME=", ::testing::TempDir(), " tshark -r '", folder, "/", columns[0],
        "' -Y 'gtp || gtpprime' -T fields -E separator=/t -E aggregator='|' -e frame.number -e udp.payload");
    for (const Row& row : Rows()) absl::StrAppend(&command, " -e ", row.field);
    const std::string output = OutputOf(absl::StrCat(command, " 2>/dev/null"));
    for (const absl::string_view shown_line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> cells = absl::StrSplit(shown_line, '\t');
      ASSERT_EQ(cells.size(), Rows().size() + 2);
      SCOPED_TRACE(absl::StrCat(capture, " frame ", cells[0]));
      int frame = 0;
      ASSERT_TRUE(absl::SimpleAtoi(cells[0], &frame));
      const std::string payload =
          absl::HexStringToBytes(std::string(absl::string_view(cells[1]).substr(0, cells[1].find('|'))));
      Message message;
      const base::DecodeResult parsed = MessageView::Parse(base::AsOctets(payload), &message.view);
      EXPECT_TRUE(parsed.ok()) << base::DecodeCodeName(parsed.code) << " at " << parsed.offset;
      if (!parsed.ok() || message.view.version() == 2) continue;
      ++messages;
      if (!message.view.is_prime()) {
        const auto name = kManifestNames.find(message.view.type());
        ++counts[name == kManifestNames.end() ? absl::StrCat("type", message.view.type()) : name->second];
      }
      EXPECT_NE(FindMessageType(message.view), nullptr);
      if (message.view.type() != 255) {
        v1::ElementReader reader(message.view);
        for (v1::Element element; reader.Next(&element);) message.elements.push_back(element);
        message.result = reader.result();
      }
      for (size_t i = 0; i < Rows().size(); ++i) {
        const Row& row = Rows()[i];
        const Texts shown = absl::StrSplit(cells[i + 2], '|', absl::SkipEmpty());
        const Texts ours = row.say(message);
        if (!shown.empty()) compared.insert(row.field);
        if (IsOf(row.compare, shown, ours)) continue;
        const Difference* known = nullptr;
        for (const Difference& d : kDifferences) {
          if (capture == d.capture && absl::string_view(d.field) == row.field && (d.frame == 0 || d.frame == frame)) {
            known = &d;
          }
        }
        if (known != nullptr) {
          met.insert(known);
          continue;
        }
        ADD_FAILURE() << row.field << ": tshark '" << absl::StrJoin(shown, "|") << "', we '" << absl::StrJoin(ours, "|")
                      << "' (" << base::DecodeCodeName(message.result.code) << " at " << message.result.offset << ")";
      }
    }
    EXPECT_EQ(CountsAsText(counts), CountsAsText(expected)) << capture;
  }
  EXPECT_GT(captures, 20u);
  EXPECT_GT(messages, 600u);
  for (const Difference& d : kDifferences) EXPECT_EQ(met.count(&d), 1u) << d.capture << " " << d.field << ": no more";
  for (const Row& row : Rows()) EXPECT_EQ(compared.count(row.field), 1u) << "no capture has " << row.field;
}

}  // namespace
}  // namespace flowacct::gtp
