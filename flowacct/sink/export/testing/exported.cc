#include "flowacct/sink/export/testing/exported.h"

#include "absl/strings/str_cat.h"
#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/record/value_text.h"
#include "gtest/gtest.h"

namespace flowacct::sink {

ExportReader::ExportReader(ExportFormat format, uint32_t enterprise) {
  if (format == ExportFormat::kIpfix) {
    ipfix::IpfixOptions options;
    options.templates.own_enterprise = enterprise;
    decoder_ = std::make_unique<ipfix::IpfixDecoder>(&layout_, options);
  } else if (format == ExportFormat::kSflow5) {
    decoder_ = std::make_unique<sflow::SflowDecoder>(&layout_);
  } else {
    decoder_ = std::make_unique<netflow::NetflowDecoder>(&layout_);
  }
}

void ExportReader::Read(const std::vector<std::vector<uint8_t>>& datagrams, absl::Time arrival) {
  for (const std::vector<uint8_t>& octets : datagrams) {
    record::Datagram datagram;
    datagram.octets = octets;
    datagram.source = base::IpAddress::V4(0xc0000201);
    datagram.source_port = 4739;
    datagram.arrival_nanos = absl::ToUnixNanos(arrival);
    record::DecodeOutput output;
    output.flows = &rows_;
    const base::DecodeResult result = decoder_->Decode(datagram, output);
    EXPECT_TRUE(result.ok()) << base::DecodeCodeName(result.code) << " at " << result.offset << " of " << Hex(octets);
  }
}

std::string ExportReader::Text(size_t row, record::FieldId field) const { return TextOf(rows_, row, field); }

std::string TextOf(const record::FlowBatch& batch, size_t row, record::FieldId field) {
  std::string text;
  record::AppendText(batch.row(row), field, batch.interner(), &text);
  return text;
}

std::string Hex(const std::vector<uint8_t>& octets) {
  std::string text;
  for (size_t i = 0; i < octets.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ' ';
    absl::StrAppend(&text, absl::Hex(octets[i], absl::kZeroPad2));
  }
  return text;
}

}  // namespace flowacct::sink
