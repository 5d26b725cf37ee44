// An IPFIX message as it lies on the wire: its header, and all that is in it, read without state.
//
//     MessageView message;
//     if (!MessageView::Parse(octets, &message).ok()) return;
//     SetReader sets = message.sets();
//     for (SetView set; sets.Next(&set);) ...   // TemplateReader, RecordReader, ValueReader: flow/template/set_view.h
//
// Standards: RFC 7011 (3.1 message header, 10.4 streams), RFC 5655 (files), RFC 6313 (lists: BasicListView and the
// others).
// Checked: version and length of the header; of what is within, every length and count. Not checked: sequence numbers,
// times, and whether a template is the one that an exporter means: to keep templates (by exporter, observation domain
// and id) is the caller's matter. Whoever wants that done takes IpfixDecoder.
// Ownership: views borrow the octets. Threads: plain values. Errors: DecodeResult with the offset in the message.
// Cost: no allocation; a header is four loads.

#ifndef FLOWACCT_FLOW_IPFIX_MESSAGE_VIEW_H_
#define FLOWACCT_FLOW_IPFIX_MESSAGE_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/list_view.h"
#include "flowacct/flow/template/set_view.h"

namespace flowacct::ipfix {

inline constexpr uint16_t kVersion = 10;            // RFC 7011, 3.1
inline constexpr size_t kMessageHeaderOctets = 16;  // RFC 7011, 3.1

using flow::BasicListView;
using flow::FieldSpecifier;
using flow::FieldView;
using flow::kVariableLength;
using flow::RecordReader;
using flow::RecordView;
using flow::SetReader;
using flow::SetView;
using flow::SpecifierReader;
using flow::SubTemplateListView;
using flow::SubTemplateMultiListView;
using flow::TemplateReader;
using flow::TemplateView;
using flow::ValueReader;

class MessageView {
 public:
  // kTruncated: the header is not all there. kBadVersion: not IPFIX. kBadLength: shorter than its header. A message
  // that is cut behind its header is read as far as it goes: ask cut().
  static base::DecodeResult Parse(base::Octets octets, MessageView* view);

  // As told; of the header too.
  size_t length() const { return length_; }
  uint32_t export_time_seconds() const { return base::LoadBe32(octets_.data() + 4); }  // since 1970
  // Data records (options data too) that the session had before this message; 32 bits that wrap.
  uint32_t sequence_number() const { return base::LoadBe32(octets_.data() + 8); }
  uint32_t observation_domain_id() const { return base::LoadBe32(octets_.data() + 12); }

  // The message without what follows it.
  base::Octets octets() const { return octets_; }
  bool cut() const { return octets_.size() < length_; }
  SetReader sets() const { return SetReader(flow::Dialect::kIpfix, octets_, kMessageHeaderOctets); }

 private:
  static constexpr uint8_t kNoHeader[kMessageHeaderOctets] = {};
  base::Octets octets_ = kNoHeader;
  size_t length_ = kMessageHeaderOctets;
};

// A template that was kept: a copy of TemplateView::octets().
inline base::DecodeResult ParseTemplate(bool options, base::Octets octets, TemplateView* view) {
  return TemplateView::Parse(flow::Dialect::kIpfix, options, octets, view);
}

// Where the first message of a stream (RFC 7011, 10.4) or file (RFC 5655) ends.
struct MessageBoundary {
  // kOk: a message of `length` octets is whole. kTruncated: more octets are needed, `length` in all (0: not yet known;
  // at the end of a file this is a cut message). kBadVersion, kBadLength: the stream cannot be followed any further.
  base::DecodeCode code = base::DecodeCode::kOk;
  size_t length = 0;
};
MessageBoundary NextMessage(base::Octets rest);

}  // namespace flowacct::ipfix

#endif  // FLOWACCT_FLOW_IPFIX_MESSAGE_VIEW_H_
