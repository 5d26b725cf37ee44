// A decoder of sFlow with what it gave, for tests.

#ifndef FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_DECODER_FIXTURE_H_
#define FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_DECODER_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/flow/sflow/testing/sflow_builder.h"
#include "gtest/gtest.h"

namespace flowacct::sflow {

constexpr int64_t kArrival = 1700000000123456789;

class SflowDecoderTest : public ::testing::Test {
 protected:
  explicit SflowDecoderTest(SflowDecoderOptions options = {})
      : layout_(record::Layout::All()),
        flows_(&layout_, &interner_),
        counters_(&layout_, &interner_),
        decoder_(&layout_, options) {}

  base::DecodeResult Decode(base::Octets octets, record::ElementListener* listener = nullptr) {
    record::Datagram datagram;
    datagram.octets = octets;
    datagram.source = base::IpAddress::V4(0x7f000001);
    datagram.arrival_nanos = kArrival;
    return decoder_.Decode(datagram, {&flows_, &counters_, listener});
  }
  base::DecodeResult Decode(const SflowBuilder& builder, record::ElementListener* listener = nullptr) {
    return Decode(builder.octets(), listener);
  }
  record::RowView Row(size_t i = 0) const { return flows_.row(i); }
  template <record::FieldId field>
  std::string Interned(size_t i = 0) const {
    const base::Octets octets = interner_.Find(flows_.row(i).template Get<field>());
    return absl::BytesToHexString(base::AsText(octets));
  }
  template <record::FieldId field>
  std::string InternedText(size_t i = 0) const {
    return std::string(base::AsText(interner_.Find(flows_.row(i).template Get<field>())));
  }
  // One datagram with one flow sample.
  base::DecodeResult DecodeOne(const std::vector<BuiltRecord>& records, const FlowSampleFields& fields = {}) {
    SflowBuilder builder;
    builder.AddFlowSample(fields, records);
    return Decode(builder);
  }

  record::Layout layout_;
  base::Interner interner_;
  record::FlowBatch flows_;
  record::FlowBatch counters_;
  SflowDecoder decoder_;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_TESTING_SFLOW_DECODER_FIXTURE_H_
