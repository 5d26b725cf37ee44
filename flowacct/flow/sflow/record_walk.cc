#include "flowacct/flow/sflow/record_walk.h"

#include <algorithm>
#include <cstdint>

#include "flowacct/base/octet_reader.h"

namespace flowacct::sflow {

namespace {

using base::DecodeCode;
using base::DecodeResult;
using base::OctetReader;
using base::Octets;

// The octets of a string or opaque and its padding (RFC 4506, 4.9 to 4.11).
Octets TakeVariable(OctetReader* reader) {
  const uint32_t length = reader->U32();
  const Octets value = reader->Bytes(length);
  if (reader->ok()) reader->Skip(std::min<size_t>((4 - length % 4) % 4, reader->remaining()));
  return value;
}

Octets TakeValue(XdrType type, OctetReader* reader) {
  switch (type) {
    case XdrType::kU32:
    case XdrType::kI32:
    case XdrType::kFloat:
    case XdrType::kIpv4:
      return reader->Bytes(4);
    case XdrType::kU64:
      return reader->Bytes(8);
    case XdrType::kIpv6:
    case XdrType::kUuid:
      return reader->Bytes(16);
    case XdrType::kMac: {
      const Octets value = reader->Bytes(8);
      return value.subspan(0, std::min<size_t>(6, value.size()));
    }
    case XdrType::kAddress: {
      const uint32_t address_type = reader->U32();
      if (address_type > 2) reader->Skip(SIZE_MAX);  // of unknown length: nothing after it can be read
      return reader->Bytes(address_type == 1 ? 4 : address_type == 2 ? 16 : 0);
    }
    case XdrType::kString:
    case XdrType::kOpaque:
      return TakeVariable(reader);
    case XdrType::kListBegin:
    case XdrType::kListEnd:
    case XdrType::kMayEnd:
      break;
  }
  return Octets();
}

size_t MatchingEnd(absl::Span<const XdrField> fields, size_t begin) {
  int depth = 0;
  for (size_t i = begin; i < fields.size(); ++i) {
    if (fields[i].type == XdrType::kListBegin) ++depth;
    if (fields[i].type == XdrType::kListEnd && --depth == 0) return i;
  }
  return fields.size();
}

DecodeResult Walk(absl::Span<const XdrField> fields, OctetReader* reader, FieldVisitor* visitor) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const XdrField& field = fields[i];
    const size_t offset = reader->offset();
    if (field.type == XdrType::kMayEnd) {
      if (reader->remaining() == 0) return DecodeResult::Ok();
      continue;
    }
    if (field.type == XdrType::kListBegin) {
      const size_t end = MatchingEnd(fields, i);
      const uint32_t count = reader->U32();
      if (!reader->ok()) return DecodeResult::Error(DecodeCode::kTruncated, offset);
      // A member takes at least four octets, so that a count costs no more than the octets that were sent.
      if (count > reader->remaining() / 4) return DecodeResult::Error(DecodeCode::kBadCount, offset);
      if (visitor != nullptr) visitor->OnListBegin(field);
      DecodeResult result;
      for (uint32_t n = 0; n < count && result.ok(); ++n) {
        result = Walk(fields.subspan(i + 1, end - i - 1), reader, visitor);
      }
      if (visitor != nullptr) visitor->OnListEnd();
      if (!result.ok()) return result;
      i = end;
      continue;
    }
    const Octets value = TakeValue(field.type, reader);
    if (!reader->ok()) return DecodeResult::Error(DecodeCode::kTruncated, offset);
    if (visitor != nullptr) visitor->OnField(field, value);
  }
  return DecodeResult::Ok();
}

}  // namespace

DecodeResult WalkFields(absl::Span<const XdrField> fields, Octets octets, FieldVisitor* visitor, size_t* walked) {
  OctetReader reader(octets);
  const DecodeResult result = Walk(fields, &reader, visitor);
  *walked = reader.offset();
  return result;
}

}  // namespace flowacct::sflow
