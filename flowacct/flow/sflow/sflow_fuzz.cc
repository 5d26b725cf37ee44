// Any octets as one sFlow datagram, through the decoder with everybody listening.

#include <cstddef>
#include <cstdint>

#include "flowacct/flow/sflow/sflow_decoder.h"

namespace {

class Reader : public flowacct::record::ElementListener {
 public:
  void OnRecord(flowacct::record::RecordKind, uint16_t) override {}
  void OnElement(const flowacct::record::Element& element) override {
    for (const uint8_t octet : element.octets) sum_ += octet;  // touches all, for the sanitizer
    sum_ += element.name.size();
  }
  void OnRecordEnd(size_t rows) override { sum_ += rows; }

 private:
  uint64_t sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const kLayout = new flowacct::record::Layout(flowacct::record::Layout::All());
  flowacct::base::Interner interner;
  flowacct::record::FlowBatch flows(kLayout, &interner);
  flowacct::record::FlowBatch counters(kLayout, &interner);
  flowacct::sflow::SflowDecoderOptions options;
  options.packet.fragments.max_datagrams = 16;  // a decoder is made for each input
  flowacct::sflow::SflowDecoder decoder(kLayout, options);
  Reader reader;
  flowacct::record::Datagram datagram;
  datagram.octets = flowacct::base::Octets(data, size);
  (void)decoder.Decode(datagram, {&flows, &counters, &reader});
  (void)decoder.Report();
  return 0;
}
