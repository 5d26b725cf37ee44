#include "flowacct/flow/sflow/sflow_view.h"

#include <algorithm>

#include "flowacct/flow/sflow/record_format.h"
#include "flowacct/flow/sflow/record_walk.h"

namespace flowacct::sflow {

namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::LoadBe32;
using base::OctetReader;
using base::Octets;

constexpr uint32_t kFlowSample = 1;
constexpr uint32_t kCountersSample = 2;
constexpr uint32_t kFlowSampleExpanded = 3;
constexpr uint32_t kCountersSampleExpanded = 4;
constexpr uint32_t kDiscardedPacketSample = 5;

// sflow_data_source: the type in the upper octet, the index in the rest.
DataSource CompactSource(uint32_t v) { return DataSource{v >> 24, v & 0xffffff}; }
// interface: the format in the upper two bits.
Interface CompactInterface(uint32_t v) { return Interface{v >> 30, v & 0x3fffffff}; }

// RFC 3176, 4: the types of packet_data_type and extended_data_type in version 5's numbers.
constexpr uint32_t kLegacyPacketData[] = {0, 1, 3, 4};
constexpr uint32_t kLegacyExtendedData[] = {0, 1001, 1002, 1003, 1004, 1005};
// counters_type: the counter records that follow one another, and how many they are.
constexpr uint32_t kLegacyCounters[][2] = {
    {0, 0},  //
    {1, 0},  // GENERIC
    {1, 2},  // ETHERNET
    {1, 3},  // TOKENRING
    {1, 0},  // FDDI
    {1, 4},  // VG
    {1, 0},  // WAN
    {5, 0},  // VLAN
};

template <size_t n>
uint32_t Lookup(const uint32_t (&table)[n], uint32_t i) {
  return i < n ? table[i] : 0;
}

// Rounded up to XDR's unit; a missing rest at the end of `octets` is forgiven.
size_t Padded(size_t length, size_t available) { return std::min((length + 3) & ~size_t{3}, available); }

}  // namespace

DecodeResult DatagramView::Parse(Octets octets, DatagramView* view) {
  *view = DatagramView();
  view->octets_ = octets;
  OctetReader reader(octets);
  view->version_ = reader.U32();
  if (!reader.ok()) return DecodeResult::Error(DecodeCode::kTruncated, 0);
  if (view->version_ != 2 && view->version_ != 4 && view->version_ != 5) {
    return DecodeResult::Error(DecodeCode::kBadVersion, 0);
  }
  switch (reader.U32()) {
    case 0:
      break;
    case 1:
      if (reader.Has(4)) view->agent_address_ = base::IpAddress::FromV4(reader.data());
      reader.Skip(4);
      break;
    case 2:
      if (reader.Has(16)) view->agent_address_ = base::IpAddress::FromV6(reader.data());
      reader.Skip(16);
      break;
    default:
      return DecodeResult::Error(DecodeCode::kBadValue, 4);
  }
  if (view->version_ == 5) view->sub_agent_id_ = reader.U32();
  view->sequence_number_ = reader.U32();
  view->uptime_ = reader.U32();
  view->sample_count_ = reader.U32();
  if (!reader.ok()) return DecodeResult::Error(DecodeCode::kTruncated, reader.offset());
  view->header_size_ = reader.offset();
  return DecodeResult::Ok();
}

void SampleView::ParseHeader() {
  const bool expanded = data_format_ == kFlowSampleExpanded || data_format_ == kCountersSampleExpanded ||
                        data_format_ == kDiscardedPacketSample;
  OctetReader reader(octets_);
  sequence_number_ = reader.U32();
  if (expanded) {
    source_.type = reader.U32();
    source_.index = reader.U32();
  } else {
    source_ = CompactSource(reader.U32());
  }
  switch (kind_) {
    case SampleKind::kFlow:
      sampling_rate_ = reader.U32();
      sample_pool_ = reader.U32();
      drops_ = reader.U32();
      if (expanded) {
        input_.format = reader.U32();
        input_.value = reader.U32();
        output_.format = reader.U32();
        output_.value = reader.U32();
      } else {
        input_ = CompactInterface(reader.U32());
        output_ = CompactInterface(reader.U32());
      }
      break;
    case SampleKind::kCounters:
      if (version_ < 5) sampling_interval_ = reader.U32();
      break;
    case SampleKind::kDiscardedPacket:
      drops_ = reader.U32();
      input_.value = reader.U32();
      output_.value = reader.U32();
      drop_reason_ = reader.U32();
      break;
    case SampleKind::kUnknown:
      return;
  }
  if (version_ == 5) record_count_ = reader.U32();
  if (!reader.ok()) {
    result_ = DecodeResult::Error(DecodeCode::kTruncated, offset_ + reader.offset());
    return;
  }
  records_offset_ = reader.offset();
}

SampleReader::SampleReader(const DatagramView& datagram)
    : octets_(datagram.octets()),
      offset_(datagram.header_size()),
      version_(datagram.version()),
      remaining_(datagram.sample_count()) {}

bool SampleReader::Fail(DecodeCode code, size_t offset) {
  result_ = DecodeResult::Error(code, offset);
  remaining_ = 0;
  offset_ = octets_.size();  // so that what could not be read is not called trailing
  return false;
}

bool SampleReader::Next(SampleView* sample) {
  if (remaining_ == 0) {
    if (result_.ok() && offset_ < octets_.size()) {
      result_ = DecodeResult::Error(DecodeCode::kTrailingOctets, offset_);
    }
    return false;
  }
  --remaining_;
  if (version_ != 5) return NextLegacy(sample);
  const size_t available = octets_.size() - offset_;
  if (available < 8) return Fail(DecodeCode::kTruncated, offset_);
  const uint8_t* p = octets_.data() + offset_;
  const uint32_t length = LoadBe32(p + 4);
  if (length > available - 8) return Fail(DecodeCode::kTruncated, offset_ + 4);
  *sample = SampleView();
  sample->data_format_ = LoadBe32(p);
  sample->offset_ = offset_ + 8;
  sample->octets_ = octets_.subspan(offset_ + 8, length);
  switch (sample->data_format_) {
    case kFlowSample:
    case kFlowSampleExpanded:
      sample->kind_ = SampleKind::kFlow;
      break;
    case kCountersSample:
    case kCountersSampleExpanded:
      sample->kind_ = SampleKind::kCounters;
      break;
    case kDiscardedPacketSample:
      sample->kind_ = SampleKind::kDiscardedPacket;
      break;
    default:
      break;
  }
  if (sample->kind_ != SampleKind::kUnknown) sample->ParseHeader();
  offset_ += 8 + Padded(length, available - 8);
  return true;
}

// Samples before version 5 have no length: their records are walked to find where they end.
bool SampleReader::NextLegacy(SampleView* sample) {
  if (octets_.size() - offset_ < 4) return Fail(DecodeCode::kTruncated, offset_);
  const uint32_t type = LoadBe32(octets_.data() + offset_);
  if (type != kFlowSample && type != kCountersSample) return Fail(DecodeCode::kUnsupported, offset_);
  *sample = SampleView();
  sample->version_ = version_;
  sample->data_format_ = type;
  sample->kind_ = type == kFlowSample ? SampleKind::kFlow : SampleKind::kCounters;
  sample->offset_ = offset_ + 4;
  sample->octets_ = octets_.subspan(offset_ + 4);
  sample->ParseHeader();
  if (!sample->result_.ok()) return Fail(sample->result_.code, sample->result_.offset);
  RecordReader records(*sample);
  RecordView record;
  while (records.Next(&record)) ++sample->record_count_;
  if (!records.result().ok()) return Fail(records.result().code, records.result().offset);
  sample->octets_ = sample->octets_.subspan(0, records.offset());
  offset_ = sample->offset_ + records.offset();
  return true;
}

RecordReader::RecordReader(const SampleView& sample)
    : octets_(sample.octets()),
      base_(sample.offset()),
      offset_(sample.records_offset()),
      version_(sample.version()),
      kind_(sample.kind()),
      remaining_(sample.record_count()) {
  // An unknown sample has no records that could be found, and a cut one none that could be trusted.
  if (kind_ == SampleKind::kUnknown || !sample.result().ok()) {
    version_ = 5;
    remaining_ = 0;
    offset_ = octets_.size();
  }
}

bool RecordReader::Fail(DecodeCode code, size_t offset) {
  result_ = DecodeResult::Error(code, base_ + offset);
  remaining_ = 0;
  step_ = UINT32_MAX;
  offset_ = octets_.size();
  return false;
}

bool RecordReader::Next(RecordView* record) {
  if (version_ != 5) {
    return kind_ == SampleKind::kFlow ? NextLegacyFlow(record) : NextLegacyCounters(record);
  }
  if (remaining_ == 0) {
    if (result_.ok() && offset_ < octets_.size()) {
      result_ = DecodeResult::Error(DecodeCode::kTrailingOctets, base_ + offset_);
    }
    return false;
  }
  --remaining_;
  const size_t available = octets_.size() - offset_;
  if (available < 8) return Fail(DecodeCode::kTruncated, offset_);
  const uint8_t* p = octets_.data() + offset_;
  const uint32_t length = LoadBe32(p + 4);
  if (length > available - 8) return Fail(DecodeCode::kBadLength, offset_ + 4);
  record->version_ = 5;
  record->counters_ = kind_ == SampleKind::kCounters;
  record->data_format_ = LoadBe32(p);
  record->offset_ = base_ + offset_ + 8;
  record->octets_ = octets_.subspan(offset_ + 8, length);
  offset_ += 8 + Padded(length, available - 8);
  return true;
}

// Takes the record of version 5's number `format` that begins at offset_, whose length only its fields tell.
bool RecordReader::TakeLegacy(uint32_t format, RecordView* record) {
  record->version_ = version_;
  record->counters_ = kind_ == SampleKind::kCounters;
  record->data_format_ = format;
  record->offset_ = base_ + offset_;
  const RecordFormat* row = record->counters_ ? FindCounterFormat(format) : FindFlowFormat(version_, format);
  if (row == nullptr) return Fail(DecodeCode::kUnsupported, offset_);
  size_t walked = 0;
  const DecodeResult result = WalkFields(row->fields, octets_.subspan(offset_), nullptr, &walked);
  if (!result.ok()) return Fail(result.code, offset_ + result.offset);
  record->octets_ = octets_.subspan(offset_, walked);
  offset_ += walked;
  return true;
}

bool RecordReader::NextLegacyFlow(RecordView* record) {
  if (step_ == UINT32_MAX) return false;
  if (step_ == 0) {
    if (octets_.size() - offset_ < 4) return Fail(DecodeCode::kTruncated, offset_);
    const uint32_t format = Lookup(kLegacyPacketData, LoadBe32(octets_.data() + offset_));
    if (format == 0) return Fail(DecodeCode::kUnsupported, offset_);
    offset_ += 4;
    if (!TakeLegacy(format, record)) return false;
    step_ = 1;
    return true;
  }
  if (step_ == 1) {
    if (octets_.size() - offset_ < 4) return Fail(DecodeCode::kTruncated, offset_);
    remaining_ = LoadBe32(octets_.data() + offset_);
    offset_ += 4;
    step_ = 2;
  }
  if (remaining_ == 0) return false;
  --remaining_;
  if (octets_.size() - offset_ < 4) return Fail(DecodeCode::kTruncated, offset_);
  const uint32_t format = Lookup(kLegacyExtendedData, LoadBe32(octets_.data() + offset_));
  if (format == 0) return Fail(DecodeCode::kUnsupported, offset_);
  offset_ += 4;
  return TakeLegacy(format, record);
}

bool RecordReader::NextLegacyCounters(RecordView* record) {
  if (step_ == 0) {
    if (octets_.size() - offset_ < 4) return Fail(DecodeCode::kTruncated, offset_);
    counters_version_ = LoadBe32(octets_.data() + offset_);
    constexpr uint32_t kCount = sizeof(kLegacyCounters) / sizeof(kLegacyCounters[0]);
    if (counters_version_ == 0 || counters_version_ >= kCount) return Fail(DecodeCode::kUnsupported, offset_);
    offset_ += 4;
  }
  if (step_ >= 2) return false;
  const uint32_t format = kLegacyCounters[counters_version_][step_];
  if (format == 0) {
    step_ = UINT32_MAX;
    return false;
  }
  ++step_;
  return TakeLegacy(format, record);
}

}  // namespace flowacct::sflow
