#include "flowacct/flow/netflow/fixed_format.h"

#include "flowacct/flow/netflow/fixed_record_view.h"

namespace flowacct::netflow {
namespace {

// Information elements by the names of Cisco's documents.
constexpr uint16_t kOctets = 1, kPackets = 2, kFlows = 3, kProtocol = 4, kTos = 5, kSrcPort = 7, kSrcAddr = 8,
                   kSrcMask = 9, kInput = 10, kDstPort = 11, kDstAddr = 12, kDstMask = 13, kOutput = 14, kSrcAs = 16,
                   kDstAs = 17, kLast = 21, kFirst = 22, kSrcPrefix = 44, kDstPrefix = 45, kPad = 210;

#define X(name, type, offset, element) {element, type::kOctets},
constexpr FixedField kV1[] = {FLOWACCT_NETFLOW_V1_FIELDS(X)};
constexpr FixedField kV5[] = {FLOWACCT_NETFLOW_V5_FIELDS(X)};
constexpr FixedField kV7[] = {FLOWACCT_NETFLOW_V7_FIELDS(X)};
#undef X

#define TOTALS \
  {kFlows, 4}, {kPackets, 4}, {kOctets, 4}, {kFirst, 4}, { kLast, 4 }

constexpr FixedField kAs[] = {TOTALS, {kSrcAs, 2}, {kDstAs, 2}, {kInput, 2}, {kOutput, 2}};
constexpr FixedField kProtoPort[] = {TOTALS, {kProtocol, 1}, {kPad, 3}, {kSrcPort, 2}, {kDstPort, 2}};
constexpr FixedField kSourcePrefix[] = {TOTALS,      {kSrcPrefix, 4}, {kSrcMask, 1}, {kPad, 1},
                                        {kSrcAs, 2}, {kInput, 2},     {kPad, 2}};
constexpr FixedField kDestinationPrefix[] = {TOTALS,      {kDstPrefix, 4}, {kDstMask, 1}, {kPad, 1},
                                             {kDstAs, 2}, {kOutput, 2},    {kPad, 2}};
constexpr FixedField kPrefix[] = {TOTALS,    {kSrcPrefix, 4}, {kDstPrefix, 4}, {kDstMask, 1}, {kSrcMask, 1},
                                  {kPad, 2}, {kSrcAs, 2},     {kDstAs, 2},     {kInput, 2},   {kOutput, 2}};
// Schemes 6 to 8 are Catalyst's; "marked tos", extra packets and the shortcut router are not fields of a record.
constexpr FixedField kDestination[] = {{kDstAddr, 4}, {kPackets, 4}, {kOctets, 4}, {kFirst, 4},
                                       {kLast, 4},    {kOutput, 2},  {kTos, 1},    {kPad, 9}};
constexpr FixedField kSourceDestination[] = {{kDstAddr, 4}, {kSrcAddr, 4}, {kPackets, 4}, {kOctets, 4}, {kFirst, 4},
                                             {kLast, 4},    {kOutput, 2},  {kInput, 2},   {kTos, 1},    {kPad, 11}};
constexpr FixedField kFullFlow[] = {{kDstAddr, 4}, {kSrcAddr, 4},  {kDstPort, 2}, {kSrcPort, 2}, {kPackets, 4},
                                    {kOctets, 4},  {kFirst, 4},    {kLast, 4},    {kOutput, 2},  {kInput, 2},
                                    {kTos, 1},     {kProtocol, 1}, {kPad, 10}};
constexpr FixedField kAsTos[] = {TOTALS, {kSrcAs, 2}, {kDstAs, 2}, {kInput, 2}, {kOutput, 2}, {kTos, 1}, {kPad, 3}};
constexpr FixedField kProtoPortTos[] = {TOTALS,        {kProtocol, 1}, {kTos, 1},   {kPad, 2},
                                        {kSrcPort, 2}, {kDstPort, 2},  {kInput, 2}, {kOutput, 2}};
constexpr FixedField kSourcePrefixTos[] = {TOTALS,      {kSrcPrefix, 4}, {kSrcMask, 1}, {kTos, 1},
                                           {kSrcAs, 2}, {kInput, 2},     {kPad, 2}};
constexpr FixedField kDestinationPrefixTos[] = {TOTALS,      {kDstPrefix, 4}, {kDstMask, 1}, {kTos, 1},
                                                {kDstAs, 2}, {kOutput, 2},    {kPad, 2}};
constexpr FixedField kPrefixTos[] = {TOTALS,        {kSrcPrefix, 4}, {kDstPrefix, 4}, {kDstMask, 1},
                                     {kSrcMask, 1}, {kTos, 1},       {kPad, 1},       {kSrcAs, 2},
                                     {kDstAs, 2},   {kInput, 2},     {kOutput, 2}};
constexpr FixedField kPrefixPortTos[] = {TOTALS,        {kSrcPrefix, 4}, {kDstPrefix, 4}, {kDstMask, 1},
                                         {kSrcMask, 1}, {kTos, 1},       {kProtocol, 1},  {kSrcPort, 2},
                                         {kDstPort, 2}, {kInput, 2},     {kOutput, 2}};
#undef TOTALS

constexpr FixedFormat kFormats[] = {
    {1, 0, 16, V1RecordView::kOctets, kV1},
    {5, 0, 24, V5RecordView::kOctets, kV5},
    {7, 0, 24, V7RecordView::kOctets, kV7},
    {8, 1, 28, 28, kAs},
    {8, 2, 28, 28, kProtoPort},
    {8, 3, 28, 32, kSourcePrefix},
    {8, 4, 28, 32, kDestinationPrefix},
    {8, 5, 28, 40, kPrefix},
    {8, 6, 28, 32, kDestination},
    {8, 7, 28, 40, kSourceDestination},
    {8, 8, 28, 44, kFullFlow},
    {8, 9, 28, 32, kAsTos},
    {8, 10, 28, 32, kProtoPortTos},
    {8, 11, 28, 32, kSourcePrefixTos},
    {8, 12, 28, 32, kDestinationPrefixTos},
    {8, 13, 28, 40, kPrefixTos},
    {8, 14, 28, 40, kPrefixPortTos},
};

}  // namespace

absl::Span<const FixedFormat> FixedFormats() { return kFormats; }

const FixedFormat* FindFixedFormat(uint16_t version, uint8_t aggregation) {
  for (const FixedFormat& format : kFormats) {
    if (format.version == version && format.aggregation == aggregation) return &format;
  }
  return nullptr;
}

}  // namespace flowacct::netflow
