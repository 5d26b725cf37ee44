// PDUs against tshark, for each capture of $FLOWACCT_CAPTURES/isis: PDUs by type, as the manifest counts them, and each
// field of kRows of each PDU: what tshark shows equals what we read, or a row of kDifferences says why not. Skipped
// where there is no tshark 4.0, of which the rows are, or FLOWACCT_CAPTURES does not point at the captures.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/encapsulation.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/pdu_view.h"
#include "flowacct/isis/testing/pdus.h"
#include "flowacct/isis/tlv_types.h"
#include "flowacct/isis/trill.h"
#include "flowacct/testing/capture_file.h"
#include "flowacct/testing/manifest_counts.h"
#include "gtest/gtest.h"

namespace flowacct::isis {
namespace {

using flowacct::testing::CapturedFrame;
using flowacct::testing::Counts;
using flowacct::testing::CountsAsText;
using flowacct::testing::CountsOf;
using flowacct::testing::ReadCaptureFile;
using Texts = std::vector<std::string>;

struct Message {
  PduView view;
  HelloContent hello;
  LspContent lsp;
  std::vector<LspEntry> entries;
  std::vector<Tlv> tlvs;
  base::DecodeResult result;

  bool IsHello() const { return view.kind() == PduKind::kLanHello || view.kind() == PduKind::kPointToPointHello; }
  bool Is(PduKind kind) const { return view.kind() == kind; }
  bool IsSnp() const { return Is(PduKind::kCsnp) || Is(PduKind::kPsnp); }
};
using M = const Message&;

std::string Hex(uint64_t value, int digits) { return absl::StrFormat("0x%0*x", digits, value); }
Texts If(bool there, const std::string& text) { return there ? Texts{text} : Texts{}; }
std::string Bit(bool set) { return set ? "1" : "0"; }

template <typename List, typename Function>
Texts OfEach(bool there, const List& list, Function text) {
  Texts texts;
  if (!there) return texts;
  for (const auto& item : list) {
    if (const std::string one = text(item); !one.empty()) texts.push_back(one);
  }
  return texts;
}

std::string AreaText(const AreaAddress& area) {
  return absl::BytesToHexString(absl::StrCat(std::string(1, static_cast<char>(area.size)),
                                             base::AsText(base::Octets(area.octets).first(area.size))));
}
Texts Addresses(bool there, const std::vector<base::IpAddress>& addresses, bool v4) {
  return OfEach(there, addresses, [v4](const base::IpAddress& a) { return a.IsV4() == v4 ? a.ToString() : ""; });
}
Texts Topologies(bool there, const std::vector<TopologyMembership>& topologies) {
  return OfEach(there, topologies, [](const TopologyMembership& t) {
    return Hex(uint64_t{t.topology} | (t.overload ? 0x8000u : 0) | (t.attached ? 0x4000u : 0), 4);
  });
}
Texts Neighbors(M m, bool wide, const std::function<std::string(const Neighbor&)>& text) {
  return OfEach(m.Is(PduKind::kLsp), m.lsp.neighbors,
                [&](const Neighbor& n) { return n.wide == wide ? text(n) : std::string(); });
}
Texts Prefixes(M m, bool wide, bool v4, const std::function<std::string(const Reachability&)>& text) {
  return OfEach(m.Is(PduKind::kLsp), m.lsp.prefixes, [&](const Reachability& r) {
    return r.wide == wide && r.prefix.address().IsV4() == v4 ? text(r) : std::string();
  });
}
std::string IfAddress(const base::IpAddress& address) {
  return address == base::IpAddress() ? std::string() : address.ToString();
}
Texts Types(M m, bool there) {
  return OfEach(there, m.tlvs, [](const Tlv& tlv) { return absl::StrCat(tlv.type); });
}
Texts Entries(M m, const std::function<std::string(const LspEntry&)>& text) {
  return OfEach(m.IsSnp(), m.entries, text);
}
Texts Capabilities(M m, const std::function<std::string(const RouterCapability&)>& text) {
  return OfEach(m.Is(PduKind::kLsp), m.lsp.capabilities, text);
}

struct Row {
  const char* field;
  std::function<Texts(M)> say;
};

const std::vector<Row>& Rows() {
  constexpr PduKind kLsp = PduKind::kLsp;
  static const std::vector<Row> rows = {
      {"isis.type", [](M m) { return Texts{absl::StrCat(static_cast<int>(m.view.type()))}; }},
      {"isis.hello.circuit_type", [](M m) { return If(m.IsHello(), Hex(m.view.circuit_levels(), 2)); }},
      {"isis.hello.source_id", [](M m) { return If(m.IsHello(), m.view.hello_source().ToString()); }},
      {"isis.hello.holding_timer", [](M m) { return If(m.IsHello(), absl::StrCat(m.view.holding_seconds())); }},
      {"isis.hello.pdu_length", [](M m) { return If(m.IsHello(), absl::StrCat(m.view.size())); }},
      {"isis.hello.priority", [](M m) { return If(m.Is(PduKind::kLanHello), absl::StrCat(m.view.priority())); }},
      {"isis.hello.lan_id", [](M m) { return If(m.Is(PduKind::kLanHello), m.view.lan_id().ToString()); }},
      {"isis.hello.local_circuit_id",
       [](M m) { return If(m.Is(PduKind::kPointToPointHello), absl::StrCat(m.view.local_circuit_id())); }},
      {"isis.hello.clv.type", [](M m) { return Types(m, m.IsHello()); }},
      {"isis.hello.area_address", [](M m) { return OfEach(m.IsHello(), m.hello.areas, AreaText); }},
      {"isis.hello.clv_nlpid.nlpid",
       [](M m) { return OfEach(m.IsHello(), m.hello.protocols, [](uint8_t p) { return Hex(p, 2); }); }},
      {"isis.hello.clv_ipv4_int_addr", [](M m) { return Addresses(m.IsHello(), m.hello.interface_addresses, true); }},
      {"isis.hello.clv_ipv6_int_addr", [](M m) { return Addresses(m.IsHello(), m.hello.interface_addresses, false); }},
      {"isis.hello.clv_mt", [](M m) { return Topologies(m.IsHello(), m.hello.topologies); }},
      {"isis.hello.is_neighbor",
       [](M m) { return OfEach(m.IsHello(), m.hello.lan_neighbors, [](const auto& mac) { return mac.ToString(); }); }},
      {"isis.hello.adjacency_state",
       [](M m) {
         return m.hello.three_way ? Texts{absl::StrCat(static_cast<int>(m.hello.three_way->state))} : Texts{};
       }},
      {"isis.hello.extended_local_circuit_id",
       [](M m) {
         const auto& state = m.hello.three_way;
         return state && state->local_circuit ? Texts{Hex(*state->local_circuit, 8)} : Texts{};
       }},
      {"isis.hello.neighbor_systemid",
       [](M m) {
         const auto& state = m.hello.three_way;
         return state && state->neighbor ? Texts{state->neighbor->ToString()} : Texts{};
       }},
      {"isis.hello.neighbor_extended_local_circuit_id",
       [](M m) {
         const auto& state = m.hello.three_way;
         return state && state->neighbor_circuit ? Texts{Hex(*state->neighbor_circuit, 8)} : Texts{};
       }},
      {"isis.hello.clv_restart_flags",
       [](M m) { return m.hello.restart ? Texts{Hex(m.hello.restart->flags, 2)} : Texts{}; }},
      {"isis.lsp.pdu_length", [](M m) { return If(m.Is(kLsp), absl::StrCat(m.view.size())); }},
      {"isis.lsp.remaining_life", [](M m) { return If(m.Is(kLsp), absl::StrCat(m.view.remaining_seconds())); }},
      {"isis.lsp.lsp_id", [](M m) { return If(m.Is(kLsp), m.view.lsp_id().ToString()); }},
      {"isis.lsp.sequence_number", [](M m) { return If(m.Is(kLsp), Hex(m.view.sequence(), 8)); }},
      {"isis.lsp.checksum", [](M m) { return If(m.Is(kLsp), Hex(m.view.checksum(), 4)); }},
      {"isis.lsp.checksum.status",
       [](M m) {
         if (!m.Is(kLsp)) return Texts();
         // None at all is the third case.
         return Texts{m.view.checksum() == 0 ? "3" : LspChecksumIsRight(m.view.octets()) ? "1" : "0"};
       }},
      {"isis.lsp.partition_repair",
       [](M m) { return If(m.Is(kLsp), Bit((m.view.lsp_flags() & kLspPartitionRepair) != 0)); }},
      {"isis.lsp.att", [](M m) { return If(m.Is(kLsp), absl::StrCat(m.view.lsp_flags() >> 3 & 0xf)); }},
      {"isis.lsp.overload", [](M m) { return If(m.Is(kLsp), Bit((m.view.lsp_flags() & kLspOverload) != 0)); }},
      {"isis.lsp.is_type", [](M m) { return If(m.Is(kLsp), absl::StrCat(m.view.lsp_flags() & 3)); }},
      {"isis.lsp.clv.type", [](M m) { return Types(m, m.Is(kLsp)); }},
      {"isis.lsp.area_address", [](M m) { return OfEach(m.Is(kLsp), m.lsp.areas, AreaText); }},
      {"isis.lsp.clv_nlpid.nlpid",
       [](M m) { return OfEach(m.Is(kLsp), m.lsp.protocols, [](uint8_t p) { return Hex(p, 2); }); }},
      {"isis.lsp.hostname", [](M m) { return If(!m.lsp.hostname.empty(), m.lsp.hostname); }},
      {"isis.lsp.clv_mt", [](M m) { return Topologies(m.Is(kLsp), m.lsp.topologies); }},
      {"isis.lsp.clv_ipv4_int_addr", [](M m) { return Addresses(m.Is(kLsp), m.lsp.interface_addresses, true); }},
      {"isis.lsp.clv_te_router_id", [](M m) { return m.lsp.router_id ? Texts{m.lsp.router_id->ToString()} : Texts{}; }},
      {"isis.lsp.eis_neighbors.default_metric",
       [](M m) { return Neighbors(m, false, [](const Neighbor& n) { return absl::StrCat(n.metric); }); }},
      {"isis.lsp.ext_is_reachability.is_neighbor_id",
       [](M m) { return Neighbors(m, true, [](const Neighbor& n) { return n.node.ToString(); }); }},
      {"isis.lsp.ext_is_reachability.metric",
       [](M m) { return Neighbors(m, true, [](const Neighbor& n) { return absl::StrCat(n.metric); }); }},
      {"isis.lsp.ext_is_reachability.ipv4_interface_address",
       [](M m) { return Neighbors(m, true, [](const Neighbor& n) { return IfAddress(n.local_address); }); }},
      {"isis.lsp.ext_is_reachability.link_local_identifier",
       [](M m) {
         return Neighbors(m, true, [](const Neighbor& n) {
           return n.local_link_id != 0 || n.remote_link_id != 0 ? absl::StrCat(n.local_link_id) : std::string();
         });
       }},
      {"isis.lsp.ext_is_reachability.link_remote_identifier",
       [](M m) {
         return Neighbors(m, true, [](const Neighbor& n) {
           return n.local_link_id != 0 || n.remote_link_id != 0 ? absl::StrCat(n.remote_link_id) : std::string();
         });
       }},
      {"isis.lsp.maximum_link_bandwidth",
       [](M m) {
         // Shown in megabits.
         return Neighbors(m, true, [](const Neighbor& n) {
           return n.max_bandwidth ? absl::StrFormat("%g", *n.max_bandwidth * 8 / 1e6) : std::string();
         });
       }},
      {"isis.lsp.reservable_link_bandwidth",
       [](M m) {
         return Neighbors(m, true, [](const Neighbor& n) {
           return n.max_reservable_bandwidth ? absl::StrFormat("%g", *n.max_reservable_bandwidth * 8 / 1e6)
                                             : std::string();
         });
       }},
      {"isis.lsp.ip_reachability.ipv4_prefix",
       [](M m) {
         return Prefixes(m, false, true, [](const Reachability& r) { return r.prefix.address().ToString(); });
       }},
      {"isis.lsp.ip_reachability.default_metric",
       [](M m) { return Prefixes(m, false, true, [](const Reachability& r) { return absl::StrCat(r.metric); }); }},
      {"isis.lsp.ip_reachability.distribution",
       [](M m) { return Prefixes(m, false, true, [](const Reachability& r) { return Bit(r.down); }); }},
      {"isis.lsp.ext_ip_reachability.ipv4_prefix",
       [](M m) {
         return Prefixes(m, true, true, [](const Reachability& r) { return r.prefix.address().ToString(); });
       }},
      {"isis.lsp.ext_ip_reachability.prefix_length",
       [](M m) {
         return Prefixes(m, true, true, [](const Reachability& r) { return absl::StrCat(r.prefix.length()); });
       }},
      {"isis.lsp.ext_ip_reachability.metric",
       [](M m) { return Prefixes(m, true, true, [](const Reachability& r) { return absl::StrCat(r.metric); }); }},
      {"isis.lsp.ext_ip_reachability.distribution",
       [](M m) { return Prefixes(m, true, true, [](const Reachability& r) { return Bit(r.down); }); }},
      {"isis.lsp.ipv6_reachability.ipv6_prefix",
       [](M m) {
         return Prefixes(m, true, false, [](const Reachability& r) { return r.prefix.address().ToString(); });
       }},
      {"isis.lsp.ipv6_reachability.prefix_length",
       [](M m) {
         return Prefixes(m, true, false, [](const Reachability& r) { return absl::StrCat(r.prefix.length()); });
       }},
      {"isis.lsp.ipv6_reachability.metric",
       [](M m) { return Prefixes(m, true, false, [](const Reachability& r) { return absl::StrCat(r.metric); }); }},
      {"isis.lsp.ipv6_reachability.distribution",
       [](M m) { return Prefixes(m, true, false, [](const Reachability& r) { return Bit(r.down); }); }},
      {"isis.lsp.ipv6_reachability.distribution_internal",
       [](M m) { return Prefixes(m, true, false, [](const Reachability& r) { return Bit(r.external); }); }},
      {"isis.lsp.rt_capable.router_id",
       [](M m) { return Capabilities(m, [](const RouterCapability& c) { return Hex(c.router_id.v4(), 8); }); }},
      {"isis.lsp.rt_capable.flag_s",
       [](M m) {
         return Capabilities(m, [](const RouterCapability& c) { return Bit((c.flags & kCapabilityFloodDomain) != 0); });
       }},
      {"isis.lsp.rt_capable.flag_d",
       [](M m) {
         return Capabilities(m, [](const RouterCapability& c) { return Bit((c.flags & kCapabilityDown) != 0); });
       }},
      {"isis.lsp.sr_alg",
       [](M m) { return Capabilities(m, [](const RouterCapability& c) { return absl::StrJoin(c.algorithms, "|"); }); }},
      {"isis.lsp.purge_originator_id.system_id",
       [](M m) { return m.lsp.purge_originator ? Texts{m.lsp.purge_originator->ToString()} : Texts{}; }},
      {"isis.csnp.pdu_length", [](M m) { return If(m.Is(PduKind::kCsnp), absl::StrCat(m.view.size())); }},
      {"isis.psnp.pdu_length", [](M m) { return If(m.Is(PduKind::kPsnp), absl::StrCat(m.view.size())); }},
      {"isis.csnp.source_id", [](M m) { return If(m.Is(PduKind::kCsnp), m.view.snp_source().system.ToString()); }},
      {"isis.psnp.source_id", [](M m) { return If(m.Is(PduKind::kPsnp), m.view.snp_source().system.ToString()); }},
      {"isis.csnp.start_lsp_id", [](M m) { return If(m.Is(PduKind::kCsnp), m.view.first_lsp().ToString()); }},
      {"isis.csnp.end_lsp_id", [](M m) { return If(m.Is(PduKind::kCsnp), m.view.last_lsp().ToString()); }},
      {"isis.csnp.clv.type", [](M m) { return Types(m, m.Is(PduKind::kCsnp)); }},
      {"isis.psnp.clv.type", [](M m) { return Types(m, m.Is(PduKind::kPsnp)); }},
      {"isis.csnp.lsp_id", [](M m) { return Entries(m, [](const LspEntry& e) { return e.id.ToString(); }); }},
      {"isis.csnp.lsp_seq_num", [](M m) { return Entries(m, [](const LspEntry& e) { return Hex(e.sequence, 8); }); }},
      {"isis.csnp.lsp_remain_life",
       [](M m) { return Entries(m, [](const LspEntry& e) { return absl::StrCat(e.remaining_seconds); }); }},
      {"isis.csnp.lsp_checksum", [](M m) { return Entries(m, [](const LspEntry& e) { return Hex(e.checksum, 4); }); }},
  };
  return rows;
}

struct Difference {
  const char* capture;
  int frame;  // 0: all
  const char* field;
  const char* why;
};
const Difference kDifferences[] = {
    {"malformed-extended-ip-reachability.pcap", 0, "isis.hello.clv.type",
     "tshark reads a TLV of LSPs in a hello, and stops where that lies; here it is a TLV as others"},
};

// Captures whose PDUs lie: in the header, so that nothing of them is read, or in a TLV.
struct Malformed {
  const char* capture;
  base::DecodeCode header, tlvs;
};
const Malformed kMalformed[] = {
    {"malformed-l1-iih.pcapng", base::DecodeCode::kOk, base::DecodeCode::kBadLength},
    {"malformed-extended-ip-reachability.pcap", base::DecodeCode::kOk, base::DecodeCode::kBadLength},  // in TLV 143
    {"malformed-area-address.pcap", base::DecodeCode::kBadLength, base::DecodeCode::kOk},
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

Message Read(const PduView& view) {
  Message m;
  m.view = view;
  TlvReader reader(view.tlvs());
  for (Tlv tlv; reader.Next(&tlv);) m.tlvs.push_back(tlv);
  if (m.IsHello()) {
    m.result = ReadHelloContent(view.tlvs(), &m.hello);
  } else if (m.Is(PduKind::kLsp)) {
    m.result = ReadLspContent(view.tlvs(), &m.lsp);
  } else {
    LspEntryReader entries(view.tlvs());
    for (LspEntry entry; entries.Next(&entry);) m.entries.push_back(entry);
    m.result = entries.result();
  }
  return m;
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
  size_t pdus = 0, captures = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    absl::string_view capture = columns[0];
    if (!absl::ConsumePrefix(&capture, "isis/")) continue;
    ++captures;
    const std::vector<CapturedFrame> frames = ReadCaptureFile(absl::StrCat(folder, "/", columns[0]));
    Counts counts;
    std::string command = absl::StrCat("HOME=", ::testing::TempDir(), " tshark -r '", folder, "/", columns[0],
                                       "' -Y isis -T fields -E separator=/t -E aggregator='|' -e frame.number");
    for (const Row& row : Rows()) absl::StrAppend(&command, " -e ", row.field);
    const std::string output = OutputOf(absl::StrCat(command, " 2>/dev/null"));
    for (const absl::string_view shown_line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> cells = absl::StrSplit(shown_line, '\t');
      ASSERT_EQ(cells.size(), Rows().size() + 1);
      SCOPED_TRACE(absl::StrCat(capture, " frame ", cells[0]));
      size_t number = 0;
      ASSERT_TRUE(absl::SimpleAtoi(cells[0], &number));
      ASSERT_TRUE(number > 0 && number <= frames.size());
      const CapturedFrame& frame = frames[number - 1];
      CarriedPdu carried;
      const EncapsulationResult unwrapped = UnwrapCaptured(frame.link_type, frame.octets, &carried);
      ASSERT_EQ(unwrapped, EncapsulationResult::kOk) << EncapsulationResultName(unwrapped);
      PduView view;
      const base::DecodeResult parsed = PduView::Parse(carried.pdu, &view);
      Malformed expected = {"", base::DecodeCode::kOk, base::DecodeCode::kOk};
      for (const Malformed& malformed : kMalformed) {
        if (capture == malformed.capture) expected = malformed;
      }
      ++pdus;
      ++counts[std::string(FindPduType(carried.pdu[4] & 0x1f)->name)];
      ASSERT_EQ(base::DecodeCodeName(parsed.code), base::DecodeCodeName(expected.header)) << parsed.offset;
      if (!parsed.ok()) continue;
      const Message message = Read(view);
      EXPECT_EQ(base::DecodeCodeName(message.result.code), base::DecodeCodeName(expected.tlvs))
          << message.result.offset;
      // What routers send stands where the table says that it may.
      const uint8_t where = message.IsHello() ? kInHello : message.IsSnp() ? kInSnp : kInLsp;
      for (const Tlv& tlv : message.tlvs) {
        if (absl::StartsWith(capture, "malformed")) break;
        const TlvTypeInfo* info = FindTlvType(tlv.type);
        ASSERT_NE(info, nullptr) << int{tlv.type};
        EXPECT_NE(info->where & where, 0) << info->name;
      }
      for (size_t i = 0; i < Rows().size(); ++i) {
        const Row& row = Rows()[i];
        const std::string ours = absl::StrJoin(row.say(message), "|");
        const std::string& shown = cells[i + 1];
        if (!shown.empty()) compared.insert(row.field);
        if (shown == ours) continue;
        const Difference* known = nullptr;
        for (const Difference& d : kDifferences) {
          if (capture == d.capture && absl::string_view(d.field) == row.field &&
              (d.frame == 0 || static_cast<size_t>(d.frame) == number)) {
            known = &d;
          }
        }
        if (known != nullptr) {
          met.insert(known);
          continue;
        }
        ADD_FAILURE() << row.field << ": tshark '" << shown << "', we '" << ours << "'";
      }
    }
    EXPECT_EQ(CountsAsText(counts), CountsAsText(CountsOf(columns[9], "tshark: IS-IS: "))) << capture;
  }
  EXPECT_GT(captures, 12u);
  EXPECT_GT(pdus, 900u);
  for (const Difference& d : kDifferences) EXPECT_EQ(met.count(&d), 1u) << d.capture << " " << d.field << ": no more";
  for (const Row& row : Rows()) EXPECT_EQ(compared.count(row.field), 1u) << "no capture has " << row.field;
}

// What TRILL says: no capture has it, so tshark is shown what the writers wrote.
Texts Switches(M m, const std::function<Texts(const TrillSwitch&)>& text) {
  Texts texts;
  for (const RouterCapability& c : m.lsp.capabilities) {
    for (std::string& one : text(c.trill)) texts.push_back(std::move(one));
  }
  return texts;
}
template <typename List, typename Function>
Texts Each(const List& list, Function text) {
  return OfEach(true, list, text);
}
template <typename Function>
Texts Interested(M m, Function text) {
  return Switches(m, [&](const TrillSwitch& t) { return Each(t.interested_vlans, text); });
}
template <typename Function>
Texts Special(M m, Function text) {
  Texts texts;
  for (const TrillPort& port : m.hello.trill_ports) {
    if (port.special) texts.push_back(text(*port.special));
  }
  return texts;
}
template <typename Function>
Texts Forwarders(M m, Function text) {
  Texts texts;
  for (const TrillPort& port : m.hello.trill_ports) {
    for (const AppointedForwarder& f : port.forwarders) texts.push_back(text(f));
  }
  return texts;
}
template <typename Function>
Texts Heard(M m, Function text) {
  Texts texts;
  for (const TrillNeighbors& neighbors : m.hello.trill_neighbors) {
    for (const TrillNeighbor& n : neighbors.neighbors) texts.push_back(text(n));
  }
  return texts;
}
Texts Roots(const std::vector<TreeRoots>& trees) {
  Texts texts;
  for (const TreeRoots& t : trees) {
    for (const Nickname root : t.roots) texts.push_back(Hex(root, 4));
  }
  return texts;
}
Texts Firsts(const std::vector<TreeRoots>& trees) {
  return Each(trees, [](const TreeRoots& t) { return absl::StrCat(t.first); });
}
Texts TreeNumbers(M m, uint16_t TreeCounts::*count) {
  return Switches(
      m, [&](const TrillSwitch& t) { return If(t.trees.has_value(), t.trees ? absl::StrCat((*t.trees).*count) : ""); });
}
// As tshark shows six octets of any kind: "0200.0000.0001".
std::string Dotted(const base::MacAddress& mac) {
  SystemId id;
  id.octets = mac.octets;
  return id.ToString();
}
std::string GroupText(const GroupMembership::Address& address) {
  if (const auto* mac = std::get_if<base::MacAddress>(&address)) return Dotted(*mac);
  return std::get<base::IpAddress>(address).ToString();
}
// tshark knows those with VLANs only.
Texts Groups(M m, size_t kind, const std::function<Texts(const GroupMembership&)>& text) {
  Texts texts;
  for (const GroupMembership& g : m.lsp.groups) {
    const auto* ip = std::get_if<base::IpAddress>(&g.group);
    if (g.labeled || (ip == nullptr ? 0u : ip->IsV4() ? 1u : 2u) != kind) continue;
    for (std::string& one : text(g)) texts.push_back(std::move(one));
  }
  return texts;
}

const std::vector<Row>& TrillRows() {
  using Switch = const TrillSwitch&;
  static const std::vector<Row> rows = [] {
    std::vector<Row> r = {
        {"isis.type", [](M m) { return Texts{absl::StrCat(static_cast<int>(m.view.type()))}; }},
        {"isis.hello.clv.type", [](M m) { return Types(m, m.IsHello()); }},
        {"isis.lsp.rt_capable.nickname.nickname_priority",
         [](M m) {
           return Switches(m, [](Switch t) {
             return Each(t.nicknames, [](const HeldNickname& n) { return absl::StrCat(n.priority); });
           });
         }},
        {"isis.lsp.rt_capable.nickname.tree_root_priority",
         [](M m) {
           return Switches(m, [](Switch t) {
             return Each(t.nicknames, [](const HeldNickname& n) { return absl::StrCat(n.root_priority); });
           });
         }},
        {"isis.lsp.rt_capable.nickname.nickname",
         [](M m) {
           return Switches(
               m, [](Switch t) { return Each(t.nicknames, [](const HeldNickname& n) { return Hex(n.nickname, 4); }); });
         }},
        {"isis.lsp.rt_capable.trees.nof_trees_to_compute", [](M m) { return TreeNumbers(m, &TreeCounts::to_compute); }},
        {"isis.lsp.rt_capable.trees.maximum_nof_trees_to_compute",
         [](M m) { return TreeNumbers(m, &TreeCounts::can_compute); }},
        {"isis.lsp.rt_capable.trees.nof_trees_to_use", [](M m) { return TreeNumbers(m, &TreeCounts::to_use); }},
        {"isis.lsp.rt_capable.tree_root_id.starting_tree_no",
         [](M m) { return Switches(m, [](Switch t) { return Firsts(t.tree_roots); }); }},
        {"isis.lsp.rt_capable.tree_root_id.nickname",
         [](M m) { return Switches(m, [](Switch t) { return Roots(t.tree_roots); }); }},
        {"isis.lsp.rt_capable.tree_used_id.starting_tree_no",
         [](M m) { return Switches(m, [](Switch t) { return Firsts(t.trees_used); }); }},
        {"isis.lsp.rt_capable.tree_used_id.nickname",
         [](M m) { return Switches(m, [](Switch t) { return Roots(t.trees_used); }); }},
        {"isis.lsp.rt_capable.interested_vlans.nickname",
         [](M m) { return Interested(m, [](const InterestedVlans& i) { return Hex(i.nickname, 4); }); }},
        {"isis.lsp.rt_capable.interested_vlans.multicast_ipv4",
         [](M m) {
           return Interested(m, [](const InterestedVlans& i) { return Bit(i.flags & InterestedVlans::kV4Router); });
         }},
        {"isis.lsp.rt_capable.interested_vlans.multicast_ipv6",
         [](M m) {
           return Interested(m, [](const InterestedVlans& i) { return Bit(i.flags & InterestedVlans::kV6Router); });
         }},
        {"isis.lsp.rt_capable.interested_vlans.vlan_start_id",
         [](M m) { return Interested(m, [](const InterestedVlans& i) { return absl::StrCat(i.vlans.first); }); }},
        {"isis.lsp.rt_capable.interested_vlans.vlan_end_id",
         [](M m) { return Interested(m, [](const InterestedVlans& i) { return absl::StrCat(i.vlans.last); }); }},
        {"isis.lsp.rt_capable.interested_vlans.afs_lost_counter",
         [](M m) { return Interested(m, [](const InterestedVlans& i) { return absl::StrCat(i.appointed_lost); }); }},
        {"isis.lsp.root.id",
         [](M m) {
           return Interested(m, [](const InterestedVlans& i) { return absl::StrJoin(Each(i.roots, Dotted), "|"); });
         }},
        {"isis.lsp.rt_capable.trill.maximum_version",
         [](M m) {
           return Switches(m, [](Switch t) {
             return If(t.version.has_value(), absl::StrCat(t.version ? t.version->max_version : 0));
           });
         }},
        {"isis.lsp.rt_capable.vlan_group.primary_vlan_id",
         [](M m) {
           return Switches(m, [](Switch t) {
             return Each(t.vlan_groups, [](const VlanGroup& g) { return absl::StrCat(g.primary); });
           });
         }},
        {"isis.lsp.rt_capable.vlan_group.secondary_vlan_id",
         [](M m) {
           return Switches(m, [](Switch t) {
             return Each(t.vlan_groups, [](const VlanGroup& g) { return absl::StrJoin(g.secondaries, "|"); });
           });
         }},
        {"isis.hello.mtid",
         [](M m) { return Each(m.hello.trill_ports, [](const TrillPort& p) { return absl::StrCat(p.topology); }); }},
        {"isis.hello.vlan_flags.port_id",
         [](M m) { return Special(m, [](const SpecialVlans& v) { return absl::StrCat(v.port); }); }},
        {"isis.hello.vlan_flags.nickname",
         [](M m) { return Special(m, [](const SpecialVlans& v) { return Hex(v.nickname, 4); }); }},
        {"isis.hello.vlan_flags.outer_vlan",
         [](M m) { return Special(m, [](const SpecialVlans& v) { return absl::StrCat(v.outer_vlan); }); }},
        {"isis.hello.vlan_flags.designated_vlan",
         [](M m) { return Special(m, [](const SpecialVlans& v) { return absl::StrCat(v.designated_vlan); }); }},
        {"isis.hello.af.nickname",
         [](M m) { return Forwarders(m, [](const AppointedForwarder& f) { return Hex(f.nickname, 4); }); }},
        {"isis.hello.af.start_vlan",
         [](M m) { return Forwarders(m, [](const AppointedForwarder& f) { return absl::StrCat(f.vlans.first); }); }},
        {"isis.hello.af.end_vlan",
         [](M m) { return Forwarders(m, [](const AppointedForwarder& f) { return absl::StrCat(f.vlans.last); }); }},
        {"isis.hello.trill.maximum_version",
         [](M m) {
           return Each(m.hello.trill_ports, [](const TrillPort& p) {
             return p.version ? absl::StrCat(p.version->max_version) : std::string();
           });
         }},
        {"isis.hello.trill_neighbor.sf",
         [](M m) {
           return Each(m.hello.trill_neighbors, [](const TrillNeighbors& n) { return Bit(n.holds_smallest); });
         }},
        {"isis.hello.trill_neighbor.lf",
         [](M m) {
           return Each(m.hello.trill_neighbors, [](const TrillNeighbors& n) { return Bit(n.holds_largest); });
         }},
        {"isis.hello.trill_neighbor.ff",
         [](M m) { return Heard(m, [](const TrillNeighbor& n) { return Bit(n.failed); }); }},
        {"isis.hello.trill_neighbor.of",
         [](M m) { return Heard(m, [](const TrillNeighbor& n) { return Bit(n.offers_oomf); }); }},
        {"isis.hello.trill_neighbor.mtu",
         [](M m) { return Heard(m, [](const TrillNeighbor& n) { return absl::StrCat(n.mtu); }); }},
        {"isis.hello.trill_neighbor.snpa",
         [](M m) { return Heard(m, [](const TrillNeighbor& n) { return Dotted(n.mac); }); }},
    };
    const std::pair<const char*, uint8_t> flags[] = {
        {"isis.hello.vlan_flags.af", SpecialVlans::kAppointed}, {"isis.hello.vlan_flags.ac", SpecialVlans::kAccess},
        {"isis.hello.vlan_flags.vm", SpecialVlans::kMapped},    {"isis.hello.vlan_flags.by", SpecialVlans::kBypass},
        {"isis.hello.vlan_flags.tr", SpecialVlans::kTrunk},
    };
    for (const auto& [field, flag] : flags) {
      r.push_back({field, [flag = flag](M m) {
                     return Special(m, [flag](const SpecialVlans& v) { return Bit((v.flags & flag) != 0); });
                   }});
    }
    // What a group's row says, of each kind of address.
    using Group = const GroupMembership&;
    const char* const fields[3][4] = {
        {"isis.lsp.grp_macaddr.mtid", "isis.lsp.grp_macaddr.vlan_id", "isis.lsp.grp_macaddr.group_address",
         "isis.lsp.grp_macaddr.source_address"},
        {"isis.lsp.grp_ipv4addr.mtid", "isis.lsp.grp_ipv4addr.vlan_id", "isis.lsp.grp_ipv4addr.group_address",
         "isis.lsp.grp_ipv4addr.source_address"},
        {"isis.lsp.grp_ipv6addr.mtid", "isis.lsp.grp_ipv6addr.vlan_id", "isis.lsp.grp_ipv6addr.group_address",
         "isis.lsp.grp_ipv6addr.source_address"},
    };
    for (size_t kind = 0; kind < 3; ++kind) {
      const std::function<Texts(Group)> texts[] = {
          [](Group g) { return Texts{absl::StrCat(g.topology)}; },
          [](Group g) { return Texts{absl::StrCat(g.vlan)}; },
          [](Group g) { return Texts{GroupText(g.group)}; },
          [](Group g) { return Each(g.sources, GroupText); },
      };
      for (size_t i = 0; i < 4; ++i) {
        r.push_back({fields[kind][i], [kind, text = texts[i]](M m) { return Groups(m, kind, text); }});
      }
    }
    return r;
  }();
  return rows;
}

TEST(Tshark, ShowsTrillAsItWasWritten) {
  if (!absl::StrContains(OutputOf("tshark --version 2>/dev/null"), "TShark (Wireshark) 4.0.")) {
    GTEST_SKIP() << "there is no tshark 4.0";
  }
  std::string file;
  const auto little = [&](uint32_t value, int octets) {
    for (int i = 0; i < octets; ++i) file.push_back(static_cast<char>(value >> (8 * i)));
  };
  little(0xa1b2c3d4, 4);
  for (const auto& [value, octets] : {std::pair(2u, 2), {4u, 2}, {0u, 4}, {0u, 4}, {65'535u, 4}, {1u, 4}}) {
    little(value, octets);
  }
  std::vector<std::vector<uint8_t>> pdus;
  for (const testing::NamedPdu& pdu : testing::Pdus()) {
    if (pdu.name != "lsp_1" && !absl::StartsWith(pdu.name, "trill")) continue;
    pdus.push_back(pdu.octets);
    // RFC 6325, 4.1.5: IS-IS of TRILL goes to a group address of its own, and has a type of its own.
    const uint8_t header[] = {0x01, 0x80, 0xc2, 0, 0, 0x41, 2, 0, 0, 0, 0, 1, 0x22, 0xf4};
    const auto size = static_cast<uint32_t>(sizeof(header) + pdu.octets.size());
    for (const uint32_t value : {1u, 0u, size, size}) little(value, 4);
    file.append(reinterpret_cast<const char*>(header), sizeof(header));
    file.append(pdu.octets.begin(), pdu.octets.end());
  }
  ASSERT_EQ(pdus.size(), 3u);
  const std::string path = absl::StrCat(::testing::TempDir(), "/trill.pcap");
  std::ofstream(path, std::ios::binary) << file;
  std::string command = absl::StrCat("HOME=", ::testing::TempDir(), " tshark -r '", path,
                                     "' -T fields -E separator=/t -E aggregator='|'");
  for (const Row& row : TrillRows()) absl::StrAppend(&command, " -e ", row.field);
  const std::vector<std::string> lines = absl::StrSplit(OutputOf(absl::StrCat(command, " 2>/dev/null")), '\n');
  ASSERT_EQ(lines.size(), pdus.size() + 1);
  std::set<std::string> shown;
  for (size_t i = 0; i < pdus.size(); ++i) {
    PduView view;
    ASSERT_TRUE(PduView::Parse(pdus[i], &view).ok());
    const Message message = Read(view);
    EXPECT_TRUE(message.result.ok());
    const std::vector<std::string> cells = absl::StrSplit(lines[i], '\t');
    ASSERT_EQ(cells.size(), TrillRows().size());
    for (size_t j = 0; j < cells.size(); ++j) {
      EXPECT_EQ(absl::StrJoin(TrillRows()[j].say(message), "|"), cells[j]) << i << " " << TrillRows()[j].field;
      if (!cells[j].empty()) shown.insert(TrillRows()[j].field);
    }
  }
  for (const Row& row : TrillRows()) EXPECT_EQ(shown.count(row.field), 1u) << row.field;
}

// The hellos of these captures were signed by FRR with this password.
TEST(Captures, ProveThatTheirSenderHadTheKey) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  if (folder == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES does not name a folder; captures are not in the repository";
  for (const char* capture : {"frr-p2p-md5-flap.pcap", "p2p-over-gre-derived.pcap"}) {
    size_t hellos = 0;
    for (const CapturedFrame& frame : ReadCaptureFile(absl::StrCat(folder, "/isis/", capture))) {
      CarriedPdu carried;
      PduView view;
      if (UnwrapCaptured(frame.link_type, frame.octets, &carried) != EncapsulationResult::kOk) continue;
      ASSERT_TRUE(PduView::Parse(carried.pdu, &view).ok());
      if (view.kind() != PduKind::kPointToPointHello) continue;
      ++hellos;
      EXPECT_EQ(VerifyAuthentication(view, {AuthenticationKind::kHmacMd5, 0, "flowacct"}), AuthenticationResult::kOk);
      EXPECT_EQ(VerifyAuthentication(view, {AuthenticationKind::kHmacMd5, 0, "flow"}), AuthenticationResult::kFailed);
    }
    EXPECT_EQ(hellos, 158u) << capture;
  }
}

}  // namespace
}  // namespace flowacct::isis
