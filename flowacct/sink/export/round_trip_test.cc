// Whatever NetFlow v9 and IPFIX can tell is decoded again with the same value, and what a row lacks is lacking
// afterwards: random rows of all fields that have an element, in all resolutions of time.

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/record/field.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/export/export_element.h"
#include "flowacct/sink/export/template_encoder.h"
#include "flowacct/sink/export/testing/exported.h"

namespace flowacct::sink {
namespace {

using base::IpAddress;
using base::IpPrefix;
using record::FieldId;
using record::FieldType;
using record::MutableRow;

constexpr int64_t kSecond = 1000000000;
constexpr uint32_t kEnterprise = 32473;  // RFC 5612: of examples
constexpr int64_t kNow = 1700000123 * kSecond + 456789012;

int64_t Unit(ExportTimes times) {
  switch (times) {
    case ExportTimes::kSeconds:
      return kSecond;
    case ExportTimes::kMicroseconds:
      return 1000;
    case ExportTimes::kNanoseconds:
      return 1;
    default:
      return 1000000;
  }
}

class RowMaker {
 public:
  RowMaker(uint64_t seed, ExportFormat format, ExportTimes times) : random_(seed), format_(format), times_(times) {}

  // Fills about half of the fields that the format can tell, such that they agree with one another.
  void Fill(const std::vector<FieldId>& fields, base::Interner& interner, MutableRow row) {
    v6_ = random_() % 2 == 0;
    for (const FieldId field : fields) {
      if (random_() % 2 == 0) Set(field, interner, row);
    }
    // What decoders know of one field from another.
    if (row.Has(FieldId::kSrcAddr) || row.Has(FieldId::kSrcNet) || row.Has(FieldId::kDstAddr) ||
        row.Has(FieldId::kDstNet)) {
      if (row.Has(FieldId::kIpVersion)) row.Set<FieldId::kIpVersion>(v6_ ? 6 : 4);
    } else {  // of no family: told as IPv4
      if (row.Has(FieldId::kSrcMask)) row.Set<FieldId::kSrcMask>(row.Get<FieldId::kSrcMask>() % 33);
      if (row.Has(FieldId::kDstMask)) row.Set<FieldId::kDstMask>(row.Get<FieldId::kDstMask>() % 33);
    }
    if (row.Has(FieldId::kSrcNet)) row.Set<FieldId::kSrcMask>(row.Get<FieldId::kSrcNet>().length());
    if (row.Has(FieldId::kDstNet)) row.Set<FieldId::kDstMask>(row.Get<FieldId::kDstNet>().length());
    if (row.Has(FieldId::kIcmpType) || row.Has(FieldId::kIcmpCode)) row.Set<FieldId::kProtocol>(v6_ ? 58 : 1);
    if (row.Has(FieldId::kMplsLabelStack)) row.Unset(FieldId::kMplsLabelTop);
    if (!row.Has(FieldId::kPackets) && !row.Has(FieldId::kBytes)) row.Set<FieldId::kPackets>(1);
  }

 private:
  IpAddress Address() {
    if (!v6_) return IpAddress::V4(static_cast<uint32_t>(random_() | 1));
    uint8_t octets[16];
    for (uint8_t& octet : octets) octet = static_cast<uint8_t>(random_());
    octets[0] = 0x20;
    return IpAddress::FromV6(octets);
  }
  std::string Octets(size_t n) {
    std::string text;
    for (size_t i = 0; i < n; ++i) text.push_back(static_cast<char>('a' + random_() % 26));
    return text;
  }
  void SetText(FieldId field, base::InternId id, MutableRow row) { row.SetNumber(field, id); }

  void Set(FieldId field, base::Interner& interner, MutableRow row) {
    const FieldType type = record::Info(field).type;
    const ExportElements elements = *ElementsOf(field, format_, times_, kEnterprise);
    if (field == FieldId::kStartTime || field == FieldId::kEndTime) {
      const int64_t ago = static_cast<int64_t>(random_() % (600 * uint64_t{kSecond}));
      const int64_t nanos = (kNow - 2 * kSecond - ago) / Unit(times_) * Unit(times_);
      row.SetNumber(field, static_cast<uint64_t>(nanos));
      return;
    }
    switch (type) {
      case FieldType::kTime:  // in milliseconds
        row.SetNumber(field, (kNow / 1000000 - 1 - random_() % 1000000) * 1000000);
        return;
      case FieldType::kAddress: {
        IpAddress address = Address();
        if (field != FieldId::kSrcAddr && field != FieldId::kDstAddr && random_() % 4 == 0) {  // RFC 8950
          v6_ = !v6_;
          address = Address();
          v6_ = !v6_;
        }
        std::memcpy(const_cast<uint8_t*>(row.octets()) + row.layout().offset(field), address.data(), 16);
        MarkPresent(field, row);
        return;
      }
      case FieldType::kPrefix: {
        const IpPrefix prefix(Address(), static_cast<uint8_t>(random_() % (v6_ ? 129 : 33)));
        uint8_t* at = const_cast<uint8_t*>(row.octets()) + row.layout().offset(field);
        std::memcpy(at, prefix.address().data(), 16);
        at[16] = prefix.length();
        MarkPresent(field, row);
        return;
      }
      case FieldType::kMac: {
        uint8_t* at = const_cast<uint8_t*>(row.octets()) + row.layout().offset(field);
        for (int i = 0; i < 6; ++i) at[i] = static_cast<uint8_t>(random_());
        MarkPresent(field, row);
        return;
      }
      case FieldType::kString:
        return SetText(field, interner.Intern(Octets(1 + random_() % (format_ == ExportFormat::kIpfix ? 300 : 64))),
                       row);
      case FieldType::kDigits: {
        const std::string text = std::to_string(random_() % 10000000000000000);
        row.SetNumber(field,
                      (random_() % 4 == 0 ? base::Digits::Pseudonym(random_()) : *base::Digits::Parse(text)).bits());
        return;
      }
      case FieldType::kOctets:
        return SetText(field, interner.Intern(Octets(4)), row);
      case FieldType::kLabelStack: {
        std::string stack = Octets(3 * (1 + random_() % 4));
        for (size_t i = 2; i < stack.size(); i += 3) stack[i] = static_cast<char>(stack[i] & 0xfe);
        stack.back() |= 1;
        return SetText(field, interner.Intern(stack), row);
      }
      case FieldType::kAsPath: {
        const size_t numbers = 1 + random_() % 80;
        return SetText(
            field,
            interner.Intern(absl::StrCat("\x02", std::string(1, static_cast<char>(numbers)), Octets(4 * numbers))),
            row);
      }
      case FieldType::kCommunities:
        return SetText(field, interner.Intern(Octets(4 * (1 + random_() % 3))), row);
      case FieldType::kExtCommunities:
        return SetText(field, interner.Intern(Octets(8 * (1 + random_() % 3))), row);
      case FieldType::kLargeCommunities:
        return SetText(field, interner.Intern(Octets(12 * (1 + random_() % 3))), row);
      default:
        break;
    }
    // Not 0, which several decoders' fields read as "not told".
    const size_t octets = std::min<size_t>(record::FieldTypeSize(type), elements.v4.length);
    uint64_t value = random_() >> (64 - 8 * octets);
    if (field == FieldId::kMplsLabelTop) value &= 0xfffff;
    if (field == FieldId::kSrcMask || field == FieldId::kDstMask) value %= v6_ ? 129 : 33;
    if (field == FieldId::kIpVersion) value = v6_ ? 6 : 4;
    if (field == FieldId::kProtocol && (value == 1 || value == 58)) value = 6;
    row.SetNumber(field, value == 0 ? 1 : value);
  }
  static void MarkPresent(FieldId field, MutableRow row) {
    const uint16_t index = row.layout().index(field);
    const_cast<uint8_t*>(row.octets())[index >> 3] |= static_cast<uint8_t>(1 << (index & 7));
  }

  std::mt19937_64 random_;
  const ExportFormat format_;
  const ExportTimes times_;
  bool v6_ = false;
};

// What a decoder may tell though the record does not: it follows from another field.
bool Follows(FieldId field) {
  static const auto* fields = new std::set<FieldId>{
      FieldId::kIpVersion, FieldId::kFlows,   FieldId::kSrcMask, FieldId::kDstMask,      FieldId::kInIf,
      FieldId::kOutIf,     FieldId::kPackets, FieldId::kBytes,   FieldId::kMplsLabelTop, FieldId::kMplsLabelStack};
  return fields->count(field) != 0;
}

using Case = std::tuple<ExportFormat, ExportTimes, size_t>;
class RoundTrip : public testing::TestWithParam<Case> {};

TEST_P(RoundTrip, EveryValueComesBack) {
  const auto [format, times, max_templates] = GetParam();
  std::vector<FieldId> fields;
  ExportOptions options;
  options.format = format;
  options.times = times;
  options.enterprise = kEnterprise;
  options.max_templates = max_templates;
  options.max_datagram_octets = 9000;
  std::set<std::string> told;
  const record::Layout layout = record::Layout::All();
  for (const FieldId field : layout.fields()) {
    if (!ElementsOf(field, format, times, kEnterprise).has_value() || IsRelayed(field)) continue;
    fields.push_back(field);
    options.fields.emplace_back(record::Info(field).name);
  }
  EXPECT_GT(fields.size(), format == ExportFormat::kIpfix ? 120u : 60u);

  KeepingTransport transport;
  auto encoder = *TemplateEncoder::New(options, &transport);
  encoder->Bind(&layout);
  base::Interner interner;
  record::FlowBatch batch(&layout, &interner);
  RowMaker maker(7, format, times);
  constexpr size_t kRows = 400;
  for (size_t i = 0; i < kRows; ++i) {
    maker.Fill(fields, interner, batch.Append());
    // One row a batch, so that they come in order.
    record::FlowBatch one(&layout, &interner);
    one.AppendCopies(1, batch.row(i).octets());
    encoder->Add(one, absl::FromUnixNanos(kNow));
  }
  encoder->Flush(absl::FromUnixNanos(kNow));
  EXPECT_EQ(encoder->counters().rows_exported, kRows);
  EXPECT_EQ(encoder->counters().values_unfit, 0u);
  EXPECT_EQ(encoder->templates(), max_templates >= kRows ? encoder->templates() : max_templates + 2);
  EXPECT_EQ(encoder->counters().rows_filled > 0, max_templates < kRows);

  ExportReader reader(format, kEnterprise);
  reader.Read(transport.datagrams, absl::FromUnixNanos(kNow));
  ASSERT_EQ(reader.rows().size(), kRows);
  std::set<FieldId> compared;
  for (size_t i = 0; i < kRows; ++i) {
    const bool exact = max_templates >= kRows || i < max_templates;
    for (const FieldId field : fields) {
      const bool has = batch.row(i).Has(field);
      if (!has && (!exact || Follows(field))) continue;
      EXPECT_EQ(reader.Text(i, field), TextOf(batch, i, field)) << "row " << i << " " << record::Info(field).name;
      EXPECT_EQ(reader.rows().row(i).Has(field), has) << "row " << i << " " << record::Info(field).name;
      if (has) compared.insert(field);
    }
    if (HasFailure()) return;
  }
  EXPECT_EQ(compared.size(), fields.size());
  EXPECT_EQ(reader.report().sequence.gaps, 0u);
  EXPECT_EQ(reader.report().misfits, 0u);
  EXPECT_EQ(reader.report().clock_repairs, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, RoundTrip,
                         testing::Values(Case{ExportFormat::kIpfix, ExportTimes::kMilliseconds, 1000},
                                         Case{ExportFormat::kIpfix, ExportTimes::kSeconds, 1000},
                                         Case{ExportFormat::kIpfix, ExportTimes::kMicroseconds, 1000},
                                         Case{ExportFormat::kIpfix, ExportTimes::kNanoseconds, 1000},
                                         Case{ExportFormat::kIpfix, ExportTimes::kMilliseconds, 20},
                                         Case{ExportFormat::kNetflow9, ExportTimes::kUptime, 1000},
                                         Case{ExportFormat::kNetflow9, ExportTimes::kSeconds, 1000},
                                         Case{ExportFormat::kNetflow9, ExportTimes::kMilliseconds, 1000},
                                         Case{ExportFormat::kNetflow9, ExportTimes::kUptime, 1}),
                         [](const testing::TestParamInfo<Case>& info) {
                           return absl::StrCat(ExportFormatName(std::get<0>(info.param)), "_",
                                               ExportTimesName(std::get<1>(info.param)), "_", std::get<2>(info.param));
                         });

}  // namespace
}  // namespace flowacct::sink
