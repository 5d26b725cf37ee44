// A NetFlow v1, v5, v7 or v8 datagram as it lies on the wire: its header, and its records one by one.
//
//     FixedView datagram;
//     if (!FixedView::Parse(octets, &datagram).ok() || datagram.version() != 5) return;
//     for (size_t i = 0; i < datagram.record_count(); ++i) Use(V5RecordView(datagram.record(i)).srcaddr());
//
// Standard: Cisco, "NetFlow Export Datagram Formats". Records: fixed_record_view.h (v1, v5, v7); fixed_format.h tells
// the fields of all of them, v8's aggregation schemes too.
// Checked: the version, v8's scheme, and that header and records are there. Not checked: the values.
// Ownership: borrows the octets. Threads: plain values. Errors: DecodeResult with the offset in the datagram.
// Cost: no allocation.

#ifndef FLOWACCT_FLOW_NETFLOW_FIXED_VIEW_H_
#define FLOWACCT_FLOW_NETFLOW_FIXED_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/netflow/fixed_format.h"
#include "flowacct/flow/netflow/fixed_record_view.h"

namespace flowacct::netflow {

class FixedView {
 public:
  // kTruncated: the header is not all there. kBadVersion: none of 1, 5, 7 and 8. kUnsupported: an aggregation scheme
  // of v8 that is not known; the header can be read, there are no records.
  static base::DecodeResult Parse(base::Octets octets, FixedView* view);

  uint16_t version() const { return base::LoadBe16(at(0)); }
  // Of flow records, as told; record_count() are there.
  uint16_t count() const { return base::LoadBe16(at(2)); }
  uint32_t sys_uptime_milliseconds() const { return base::LoadBe32(at(4)); }
  uint32_t unix_seconds() const { return base::LoadBe32(at(8)); }
  uint32_t unix_nanoseconds() const { return base::LoadBe32(at(12)); }
  // Flows before this datagram; 32 bits that wrap. v1 has none: 0.
  uint32_t flow_sequence() const { return version() == 1 ? 0 : base::LoadBe32(at(16)); }
  // v5 and v8; else 0.
  uint8_t engine_type() const { return has_engine() ? *at(20) : 0; }
  uint8_t engine_id() const { return has_engine() ? *at(21) : 0; }
  // v5: two bits of mode, fourteen of interval; else 0.
  uint8_t sampling_mode() const { return version() == 5 ? static_cast<uint8_t>(*at(22) >> 6) : 0; }
  uint16_t sampling_interval() const { return version() == 5 ? base::LoadBe16(at(22)) & 0x3fff : 0; }
  // v8: the scheme; else 0.
  uint8_t aggregation() const { return version() == 8 ? *at(22) : 0; }
  uint8_t aggregation_version() const { return version() == 8 ? *at(23) : 0; }

  base::Octets octets() const { return octets_; }
  // Null: v8 of a scheme that is not known.
  const FixedFormat* format() const { return format_; }
  // Whole records that are there, at most count().
  size_t record_count() const { return record_count_; }
  // Of i < record_count().
  base::Octets record(size_t i) const { return records().subspan(i * format_->record_octets, format_->record_octets); }
  // All of them, one after another.
  base::Octets records() const {
    return format_ == nullptr ? base::Octets()
                              : octets_.subspan(format_->header_octets, record_count_ * format_->record_octets);
  }
  // kTruncated: fewer records than count(). kTrailingOctets: octets behind the last.
  base::DecodeResult result() const;

 private:
  static constexpr uint8_t kNoHeader[28] = {};

  const uint8_t* at(size_t offset) const { return octets_.data() + offset; }
  bool has_engine() const { return version() == 5 || version() == 8; }

  base::Octets octets_ = kNoHeader;
  const FixedFormat* format_ = nullptr;
  size_t record_count_ = 0;
};

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_FIXED_VIEW_H_
