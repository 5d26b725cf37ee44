// The UDP payloads of a pcap file, for tests that hold the decoder against real captures.

#ifndef FLOWACCT_FLOW_SFLOW_TESTING_CAPTURE_PAYLOADS_H_
#define FLOWACCT_FLOW_SFLOW_TESTING_CAPTURE_PAYLOADS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace flowacct::sflow {

// $FLOWACCT_CAPTURES/sflow/NAME; empty if there is no such file.
std::string CapturePath(const std::string& name);
// Payloads of the whole UDP datagrams of a capture, those that it cut included as far as they go.
std::vector<std::vector<uint8_t>> CapturePayloads(const std::string& path);

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_TESTING_CAPTURE_PAYLOADS_H_
