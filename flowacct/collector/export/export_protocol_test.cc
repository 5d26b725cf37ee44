#include "flowacct/collector/export/export_protocol.h"

#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/collector/export/export_builder.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct Case {
  const char* what;
  std::string datagram;
  ExportProtocol protocol;
  ExportFit fit;
};

std::vector<Case> WholeCases() {
  using P = ExportProtocol;
  constexpr ExportFit kWhole = ExportFit::kWhole;
  return {
      {"v1", BuildFixedNetflow(1, 24), P::kNetflow1, kWhole},
      {"v5, one record", BuildFixedNetflow(5, 1), P::kNetflow5, kWhole},
      {"v5, as many as fit", BuildFixedNetflow(5, 30), P::kNetflow5, kWhole},
      {"v6", BuildFixedNetflow(6, 3), P::kNetflow6, kWhole},
      {"v7", BuildFixedNetflow(7, 27), P::kNetflow7, kWhole},
      {"v8 by AS", BuildNetflow8(1, 51, 28), P::kNetflow8, kWhole},
      {"v8 full flow", BuildNetflow8(8, 2, 44), P::kNetflow8, kWhole},
      {"v9 template", BuildNetflow9({{0, 20}}), P::kNetflow9, kWhole},
      {"v9 options, data, data", BuildNetflow9({{1, 20}, {256, 44}, {65535, 0}}), P::kNetflow9, kWhole},
      {"IPFIX templates", BuildIpfix({{2, 20}, {3, 12}, {256, 40}}), P::kIpfix, kWhole},
      {"IPFIX without a set", BuildIpfix({}), P::kIpfix, kWhole},
      {"sFlow v2", BuildSflow(2, false, {40, 40}), P::kSflow2, kWhole},
      {"sFlow v4 of an IPv6 agent", BuildSflow(4, true, {60}), P::kSflow4, kWhole},
      {"sFlow v5", BuildSflow(5, false, {40, 0, 120}), P::kSflow5, kWhole},
      {"sFlow v5 of an IPv6 agent", BuildSflow(5, true, {40}), P::kSflow5, kWhole},
      {"sFlow v5 without samples", BuildSflow(5, false, {}), P::kSflow5, kWhole},
  };
}

std::string With(std::string datagram, size_t at, uint8_t octet) {
  datagram[at] = static_cast<char>(octet);
  return datagram;
}

TEST(GuessExportTest, WholeDamagedAndForeign) {
  using P = ExportProtocol;
  std::vector<Case> cases = WholeCases();
  const std::vector<Case> more = {
      {"v5, one record missing", BuildFixedNetflow(5, 3).substr(0, 24 + 96), P::kNetflow5, ExportFit::kHead},
      {"v5, something behind", BuildFixedNetflow(5, 3) + "x", P::kNetflow5, ExportFit::kHead},
      {"v5 without records", BuildFixedNetflow(5, 0), P::kNetflow5, ExportFit::kVersion},
      {"v5 with more than an exporter sends", BuildFixedNetflow(5, 31), P::kNetflow5, ExportFit::kVersion},
      {"v8, no such scheme", BuildNetflow8(15, 2, 32), P::kNetflow8, ExportFit::kVersion},
      {"v8, records too small", BuildNetflow8(1, 2, 24), P::kNetflow8, ExportFit::kHead},
      {"v9 without a set", BuildNetflow9({}), P::kNetflow9, ExportFit::kVersion},
      {"v9, reserved set first", BuildNetflow9({{2, 8}}), P::kNetflow9, ExportFit::kVersion},
      {"v9, reserved set later", BuildNetflow9({{0, 8}, {255, 8}}), P::kNetflow9, ExportFit::kHead},
      {"v9, last set cut", BuildNetflow9({{0, 8}, {256, 40}}).substr(0, 50), P::kNetflow9, ExportFit::kHead},
      {"v9, first set cut", BuildNetflow9({{256, 40}}).substr(0, 50), P::kNetflow9, ExportFit::kVersion},
      {"IPFIX, v9's template set", BuildIpfix({{0, 8}}), P::kIpfix, ExportFit::kVersion},
      {"IPFIX, cut in the last set", BuildIpfix({{2, 8}, {256, 8}}).substr(0, 33), P::kIpfix, ExportFit::kHead},
      {"IPFIX, something behind", BuildIpfix({{2, 8}}) + "x", P::kIpfix, ExportFit::kHead},
      {"IPFIX, length below the header", With(BuildIpfix({{2, 8}}), 3, 15), P::kIpfix, ExportFit::kVersion},
      {"sFlow v5, last sample cut", BuildSflow(5, false, {8, 8}).substr(0, 56), P::kSflow5, ExportFit::kHead},
      {"sFlow v5, first sample cut", BuildSflow(5, false, {80}).substr(0, 56), P::kSflow5, ExportFit::kVersion},
      {"sFlow v5, length not in words", With(BuildSflow(5, false, {8}), 35, 7), P::kSflow5, ExportFit::kVersion},
      {"sFlow, no such address", With(BuildSflow(5, false, {8}), 7, 3), P::kSflow5, ExportFit::kVersion},
      {"sFlow v4, no such sample", With(BuildSflow(4, false, {20}), 27, 3), P::kSflow4, ExportFit::kVersion},
      {"no such version", With(BuildNetflow9({{0, 8}}), 1, 11), P::kNone, ExportFit::kVersion},
      {"sFlow v3", With(BuildSflow(5, false, {8}), 3, 3), P::kNone, ExportFit::kVersion},
      // A DNS query and an answer whose identifiers are 9 and 5.
      {"DNS query", std::string("\0\x09\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1", 33), P::kNetflow9,
       ExportFit::kVersion},
      {"DNS answer", std::string("\0\5\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3com\0\0\1\0\1", 33), P::kNetflow5,
       ExportFit::kVersion},
      {"empty", "", P::kNone, ExportFit::kVersion},
  };
  cases.insert(cases.end(), more.begin(), more.end());
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const ExportGuess guess = GuessExport(base::AsOctets(c.datagram));
    EXPECT_EQ(ExportProtocolName(guess.protocol), ExportProtocolName(c.protocol));
    EXPECT_EQ(guess.fit, c.fit);
  }
}

TEST(GuessExportTest, CutAtEveryOctetIsNeverWhole) {
  for (const Case& c : WholeCases()) {
    for (size_t cut = 0; cut < c.datagram.size(); ++cut) {
      const std::string exact = c.datagram.substr(0, cut);
      const ExportGuess guess = GuessExport(base::AsOctets(exact));
      EXPECT_EQ(guess.protocol, cut < 4 ? ExportProtocol::kNone : c.protocol) << c.what << " cut at " << cut;
      // v9 and sFlow v2 and v4 do not say how long they are: a cut between two sets is one that nobody can see.
      if (c.protocol == ExportProtocol::kNetflow9 || c.protocol == ExportProtocol::kSflow2 ||
          c.protocol == ExportProtocol::kSflow4) {
        continue;
      }
      EXPECT_NE(guess.fit, ExportFit::kWhole) << c.what << " cut at " << cut;
    }
  }
}

TEST(CustomaryPortTest, ByFamily) {
  EXPECT_TRUE(IsCustomaryPort(ExportProtocol::kNetflow5, 2055));
  EXPECT_TRUE(IsCustomaryPort(ExportProtocol::kNetflow9, 9995));
  EXPECT_TRUE(IsCustomaryPort(ExportProtocol::kIpfix, 4739));
  EXPECT_TRUE(IsCustomaryPort(ExportProtocol::kSflow5, 6343));
  EXPECT_FALSE(IsCustomaryPort(ExportProtocol::kNetflow9, 6343));
  EXPECT_FALSE(IsCustomaryPort(ExportProtocol::kSflow5, 2055));
  EXPECT_FALSE(IsCustomaryPort(ExportProtocol::kNone, 2055));
}

}  // namespace
}  // namespace flowacct::collector
