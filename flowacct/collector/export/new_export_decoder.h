// An ExportDecoder with the decoders of all protocols that the library knows.

#ifndef FLOWACCT_COLLECTOR_EXPORT_NEW_EXPORT_DECODER_H_
#define FLOWACCT_COLLECTOR_EXPORT_NEW_EXPORT_DECODER_H_

#include <memory>

#include "flowacct/collector/export/export_decoder.h"
#include "flowacct/flow/ipfix/ipfix_decoder.h"
#include "flowacct/flow/netflow/netflow_decoder.h"
#include "flowacct/flow/sflow/sflow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::collector {

struct ExportDecoderOptions {
  ExportDecoderBounds bounds;
  netflow::NetflowOptions netflow;
  ipfix::IpfixOptions ipfix;
  sflow::SflowDecoderOptions sflow;
};

// `layout` must outlive the decoder, and be that of every call's output.flows.
std::unique_ptr<ExportDecoder> NewExportDecoder(const record::Layout* layout, const ExportDecoderOptions& options = {});

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_EXPORT_NEW_EXPORT_DECODER_H_
