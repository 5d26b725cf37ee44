// sFlow datagrams, samples and records as they lie on the wire: borrowed views and the readers that walk them.
//
//     DatagramView datagram;
//     if (!DatagramView::Parse(octets, &datagram).ok()) return;
//     SampleReader samples(datagram);
//     for (SampleView sample; samples.Next(&sample);) {
//       RecordReader records(sample);
//       for (RecordView record; records.Next(&record);) Use(record.format(), record.octets());
//     }
//
// sFlow version 5 (sflow.org, sflow_version_5.txt: sample_datagram_v5), discarded packets (sflow_drops.txt), versions
// 2 and 4 (RFC 3176, 4). The older versions come out in version 5's terms: the same sample kinds and record formats.
// Checked: every length and count against the octets. Not checked: what the octets of a record hold (that is
// flow_record_view.h and record_walk.h), and whether padding is zero.
// Ownership: views borrow the datagram's octets. Threads: plain values. Errors: DecodeResult with the offset in the
// datagram. Cost: no allocation; a version 5 sample is skipped by its length, an older one by walking it.

#ifndef FLOWACCT_FLOW_SFLOW_SFLOW_VIEW_H_
#define FLOWACCT_FLOW_SFLOW_SFLOW_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octets.h"

namespace flowacct::sflow {

// data_format: the upper 20 bits are an enterprise (0: sflow.org), the lower 12 a number of its own.
constexpr uint32_t DataFormat(uint32_t enterprise, uint32_t format) { return enterprise << 12 | format; }
constexpr uint32_t FormatEnterprise(uint32_t data_format) { return data_format >> 12; }
constexpr uint32_t FormatNumber(uint32_t data_format) { return data_format & 0xfff; }

// sflow_data_source: what was sampled or polled.
struct DataSource {
  uint32_t type = 0;  // 0 ifIndex, 1 smonVlanDataSource, 2 entPhysicalEntry, 3 logical entity
  uint32_t index = 0;

  friend bool operator==(const DataSource& a, const DataSource& b) { return a.type == b.type && a.index == b.index; }
};

// interface, interface_expanded: where a packet came in or went out.
struct Interface {
  enum Format : uint32_t { kSingle = 0, kDiscarded = 1, kMultiple = 2 };
  // "No input or output interface": the packet began or ended in the device itself.
  static constexpr uint32_t kLocal = 0x3fffffff;

  uint32_t format = kSingle;
  uint32_t value = 0;  // ifIndex, reason of the discard, or number of interfaces

  bool IsLocal() const { return format == kSingle && (value == kLocal || value == 0xffffffff); }
  // Absent if unknown (0), local, discarded or multiple.
  std::optional<uint32_t> IfIndex() const {
    if (format != kSingle || value == 0 || IsLocal()) return std::nullopt;
    return value;
  }
};

class DatagramView {
 public:
  // Reads the header. Fails on a version other than 2, 4 and 5, an unknown type of address, or too few octets.
  static base::DecodeResult Parse(base::Octets octets, DatagramView* view);

  base::Octets octets() const { return octets_; }
  uint32_t version() const { return version_; }
  // Unspecified (::) where the agent says that it does not know (address type 0, version 5).
  const base::IpAddress& agent_address() const { return agent_address_; }
  uint32_t sub_agent_id() const { return sub_agent_id_; }  // 0 before version 5
  uint32_t sequence_number() const { return sequence_number_; }
  uint32_t uptime_milliseconds() const { return uptime_; }
  // As told; the octets may hold fewer.
  uint32_t sample_count() const { return sample_count_; }
  size_t header_size() const { return header_size_; }

 private:
  base::Octets octets_;
  base::IpAddress agent_address_;
  uint32_t version_ = 0;
  uint32_t sub_agent_id_ = 0;
  uint32_t sequence_number_ = 0;
  uint32_t uptime_ = 0;
  uint32_t sample_count_ = 0;
  size_t header_size_ = 0;
};

enum class SampleKind : uint8_t {
  kFlow,             // flow_sample (1), flow_sample_expanded (3)
  kCounters,         // counters_sample (2), counters_sample_expanded (4)
  kDiscardedPacket,  // discarded_packet (5)
  kUnknown,          // of another enterprise or a newer number
};

class SampleView {
 public:
  SampleKind kind() const { return kind_; }
  uint32_t version() const { return version_; }
  uint32_t data_format() const { return data_format_; }
  uint32_t enterprise() const { return FormatEnterprise(data_format_); }
  uint32_t format() const { return FormatNumber(data_format_); }
  // Of the octets in the datagram.
  size_t offset() const { return offset_; }
  // The sample without its format and length.
  base::Octets octets() const { return octets_; }
  // Not ok: the octets end within the sample's own header, and all that follows is zero.
  const base::DecodeResult& result() const { return result_; }

  uint32_t sequence_number() const { return sequence_number_; }
  const DataSource& source() const { return source_; }
  // Flow samples.
  uint32_t sampling_rate() const { return sampling_rate_; }
  uint32_t sample_pool() const { return sample_pool_; }
  // Flow and discarded packet samples: how many the agent lost since it began.
  uint32_t drops() const { return drops_; }
  const Interface& input() const { return input_; }
  const Interface& output() const { return output_; }
  // Discarded packet samples: drop_reason (record_format.h).
  uint32_t drop_reason() const { return drop_reason_; }
  // Counter samples before version 5: sFlowCounterSamplingInterval.
  uint32_t sampling_interval_seconds() const { return sampling_interval_; }
  // As told; the octets may hold fewer. Before version 5: as found, the packet data being the first.
  uint32_t record_count() const { return record_count_; }
  size_t records_offset() const { return records_offset_; }  // in octets()

 private:
  friend class SampleReader;
  void ParseHeader();

  SampleKind kind_ = SampleKind::kUnknown;
  uint32_t version_ = 5;
  uint32_t data_format_ = 0;
  size_t offset_ = 0;
  base::Octets octets_;
  base::DecodeResult result_;
  uint32_t sequence_number_ = 0;
  DataSource source_;
  uint32_t sampling_rate_ = 0;
  uint32_t sample_pool_ = 0;
  uint32_t drops_ = 0;
  Interface input_, output_;
  uint32_t drop_reason_ = 0;
  uint32_t sampling_interval_ = 0;
  uint32_t record_count_ = 0;
  size_t records_offset_ = 0;
};

class SampleReader {
 public:
  explicit SampleReader(const DatagramView& datagram);

  // The next sample; false at the end or where no further sample can be found: result() tells which.
  bool Next(SampleView* sample);
  // Ok, or why the octets could not be read to the end. kTrailingOctets: all samples were read, and more followed.
  const base::DecodeResult& result() const { return result_; }

 private:
  bool NextLegacy(SampleView* sample);
  bool Fail(base::DecodeCode code, size_t offset);

  base::Octets octets_;
  size_t offset_;
  uint32_t version_;
  uint32_t remaining_;
  base::DecodeResult result_;
};

class RecordView {
 public:
  uint32_t version() const { return version_; }
  // In version 5's numbers, whatever the version: 1 is a sampled header, 1001 extended switch data.
  uint32_t data_format() const { return data_format_; }
  uint32_t enterprise() const { return FormatEnterprise(data_format_); }
  uint32_t format() const { return FormatNumber(data_format_); }
  // A counter_record, else a flow_record: the two have numbers of their own.
  bool counters() const { return counters_; }
  size_t offset() const { return offset_; }  // of the octets in the datagram
  base::Octets octets() const { return octets_; }

 private:
  friend class RecordReader;
  uint32_t version_ = 5;
  uint32_t data_format_ = 0;
  bool counters_ = false;
  size_t offset_ = 0;
  base::Octets octets_;
};

class RecordReader {
 public:
  explicit RecordReader(const SampleView& sample);

  bool Next(RecordView* record);
  const base::DecodeResult& result() const { return result_; }
  // Where the next record would begin in the sample's octets.
  size_t offset() const { return offset_; }

 private:
  bool NextLegacyFlow(RecordView* record);
  bool NextLegacyCounters(RecordView* record);
  bool TakeLegacy(uint32_t format, RecordView* record);
  bool Fail(base::DecodeCode code, size_t offset);

  base::Octets octets_;
  size_t base_;  // of octets_ in the datagram
  size_t offset_;
  uint32_t version_;
  SampleKind kind_;
  uint32_t remaining_;
  uint32_t step_ = 0;
  uint32_t counters_version_ = 0;
  base::DecodeResult result_;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_SFLOW_VIEW_H_
