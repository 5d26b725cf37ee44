#include "flowacct/mrt/reader.h"

#include <algorithm>

#include "flowacct/base/octet_reader.h"
#include "flowacct/bgp/canonicalize.h"

namespace flowacct::mrt {
namespace {

using base::DecodeCode;

constexpr uint16_t kAfiIpv4 = 1, kAfiIpv6 = 2;
constexpr uint8_t kPeerIpv6 = 1, kPeerAs4 = 2;  // RFC 6396, 4.3.1
constexpr size_t kMarkerOctets = 16;
constexpr size_t kEntryOctets = 8;  // peer index, originated time, length of the attributes
constexpr size_t kPathIdOctets = 4;

base::IpAddress ReadAddress(base::OctetReader* in, bool v6) {
  const base::Octets octets = in->Bytes(v6 ? 16 : 4);
  if (octets.empty()) return {};
  return v6 ? base::IpAddress::FromV6(octets.data()) : base::IpAddress::FromV4(octets.data());
}

// One route at the start of `octets`; its octets, 0 if it is none.
size_t ReadRoute(bgp::Family family, bool add_path, base::Octets octets, bgp::Nlri* route) {
  const size_t bits_at = add_path ? kPathIdOctets : 0;
  if (octets.size() <= bits_at) return 0;
  const size_t length = bits_at + 1 + (size_t{octets[bits_at]} + 7) / 8;
  if (length > octets.size()) return 0;
  size_t seen = 0;
  const size_t end = bgp::VisitNlri(family, add_path, octets.subspan(0, length), [&](const bgp::Nlri& nlri) {
    if (seen++ == 0) *route = nlri;
  });
  return seen == 1 && end == length ? length : 0;
}

// Whether a count and so many entries from `at` on end where the record does.
bool EntriesFit(base::Octets record, size_t at, bool add_path) {
  if (record.size() < at + 2) return false;
  size_t count = base::LoadBe16(record.data() + at);
  at += 2;
  const size_t fixed = kEntryOctets + (add_path ? kPathIdOctets : 0);
  for (; count > 0; --count) {
    if (record.size() - at < fixed) return false;
    const size_t length = base::LoadBe16(record.data() + at + fixed - 2);
    at += fixed;
    if (record.size() - at < length) return false;
    at += length;
  }
  return at == record.size();
}

bool HasMarker(const uint8_t* p) {
  return std::all_of(p, p + kMarkerOctets, [](uint8_t octet) { return octet == 0xff; });
}

}  // namespace

Reader::Reader(Listener* listener, const ReaderOptions& options) : listener_(listener), options_(options) {}

size_t Reader::RecordOctets(base::Octets rest) {
  return rest.size() < kHeaderOctets ? 0 : kHeaderOctets + size_t{LoadRecordHeader(rest.data()).length};
}

void Reader::Read(base::Octets block) {
  counters_.octets += block.size();
  while (!block.empty()) {
    if (skip_ > 0) {
      const size_t n = static_cast<size_t>(std::min<uint64_t>(skip_, block.size()));
      skip_ -= n;
      offset_ += n;
      block.remove_prefix(n);
      continue;
    }
    if (!partial_.empty()) {
      // First the header, then what it says.
      const size_t wanted = partial_.size() < kHeaderOctets ? kHeaderOctets : RecordOctets(partial_);
      const size_t n = std::min(wanted - partial_.size(), block.size());
      partial_.insert(partial_.end(), block.begin(), block.begin() + n);
      block.remove_prefix(n);
    }
    const base::Octets rest = partial_.empty() ? block : base::Octets(partial_);
    const size_t length = RecordOctets(rest);
    if (length > options_.max_record_octets) {
      header_ = LoadRecordHeader(rest.data());
      subtype_ = SubtypeOf(header_.type, header_.subtype);
      Error(DecodeCode::kLimitExceeded, 8);
      skip_ = length;
      if (!partial_.empty()) {
        skip_ -= partial_.size();
        offset_ += partial_.size();
        partial_.clear();
      }
    } else if (length > 0 && rest.size() >= length) {
      ReadRecord(rest.subspan(0, length));
      offset_ += length;
      if (partial_.empty()) {
        block.remove_prefix(length);
      } else {
        partial_.clear();
      }
    } else if (partial_.empty()) {
      partial_.assign(block.begin(), block.end());
      return;
    }
  }
}

void Reader::End() {
  if (!partial_.empty() || skip_ > 0) {
    if (partial_.size() >= kHeaderOctets) {
      header_ = LoadRecordHeader(partial_.data());
      subtype_ = SubtypeOf(header_.type, header_.subtype);
    } else if (skip_ == 0) {
      header_ = {};
      subtype_ = Subtype::kUnknown;
    }
    Error(DecodeCode::kTruncated, partial_.size());
  }
  partial_.clear();
  skip_ = offset_ = 0;
  peers_.clear();
  has_peers_ = false;
}

void Reader::Error(DecodeCode code, size_t offset) {
  counters_.errors.Count(code);
  listener_->OnError({base::DecodeResult::Error(code, offset), offset_, header_, subtype_});
}

void Reader::ReadRecord(base::Octets record) {
  header_ = LoadRecordHeader(record.data());
  subtype_ = SubtypeOf(header_.type, header_.subtype);
  ++counters_.records;
  ++counters_.subtypes[static_cast<size_t>(subtype_)];
  entry_.time = absl::FromUnixSeconds(header_.timestamp_seconds);
  size_t at = kHeaderOctets;
  if (header_.type == kTypeBgp4mpEt) {
    if (record.size() < kHeaderOctets + kMicrosecondsOctets) return Error(DecodeCode::kTruncated, at);
    entry_.time += absl::Microseconds(base::LoadBe32(record.data() + at));
    at += kMicrosecondsOctets;
  }
  const SubtypeRow& row = RowOf(subtype_);
  switch (row.content) {
    case Content::kTableDump:
      return ReadTableDump(record, row);
    case Content::kPeerIndexTable:
      return ReadPeerIndexTable(record);
    case Content::kRib:
      return ReadRib(record, row);
    case Content::kRibGeneric:
      return ReadRibGeneric(record, row);
    case Content::kMessage:
    case Content::kStateChange:
      return ReadBgp4mp(record, row, at);
    case Content::kIgnored:
      return Error(DecodeCode::kUnsupported, 4);
  }
}

void Reader::TellEntry(base::Octets attributes, size_t at, bool as4) {
  bgp::SessionContext context;
  context.as4 = as4;
  bgp::DecodeRibEntry(attributes, entry_.family, context, &update_, &counters_.entries);
  if (update_.announced().empty()) {
    return Error(DecodeCode::kBadValue, at + (update_.errors().empty() ? 0 : update_.errors()[0].offset));
  }
  entry_.attributes = bgp::CanonicalizeAttributes(update_, update_.announced()[0], &attributes_);
  ++counters_.rib_entries;
  listener_->OnRibEntry(entry_);
}

// RFC 6396, 4.2.
void Reader::ReadTableDump(base::Octets record, const SubtypeRow& row) {
  const bool v6 = bgp::RowOf(row.family).v6;
  base::OctetReader in(record);
  in.Skip(kHeaderOctets + 2);  // view number
  entry_.sequence = in.U16();
  const size_t prefix_at = in.offset();
  uint8_t nlri[17] = {};  // as an UPDATE has it
  const base::Octets prefix = in.Bytes(v6 ? 16 : 4);
  std::copy(prefix.begin(), prefix.end(), nlri + 1);
  nlri[0] = in.U8();
  in.Skip(1);  // status
  entry_.originated = absl::FromUnixSeconds(in.U32());
  entry_.peer = Peer();
  entry_.peer.address = ReadAddress(&in, v6);
  entry_.peer.as = in.U16();
  const size_t length = in.U16();
  if (!in.ok()) return Error(DecodeCode::kTruncated, in.offset());
  if (ReadRoute(row.family, false, base::Octets(nlri, 1 + prefix.size()), &entry_.route) == 0) {
    return Error(DecodeCode::kBadValue, prefix_at + prefix.size());
  }
  const size_t at = in.offset();
  const base::Octets attributes = in.Bytes(length);
  if (!in.ok()) return Error(DecodeCode::kBadLength, at - 2);
  entry_.peer_index = RibEntry::kNoIndex;
  entry_.family = row.family;
  TellEntry(attributes, at, (row.flags & kAs4) != 0);
  if (in.remaining() > 0) Error(DecodeCode::kTrailingOctets, in.offset());
}

// RFC 6396, 4.3.1.
void Reader::ReadPeerIndexTable(base::Octets record) {
  peers_.clear();
  has_peers_ = false;
  base::OctetReader in(record);
  in.Skip(kHeaderOctets);
  PeerIndexTable table;
  table.time = entry_.time;
  table.collector_bgp_identifier = in.U32();
  table.view_name = base::AsText(in.Bytes(in.U16()));
  const size_t count_at = in.offset();
  const size_t count = in.U16();
  if (!in.ok()) return Error(DecodeCode::kTruncated, in.offset());
  for (size_t i = 0; i < count; ++i) {
    const uint8_t type = in.U8();
    Peer peer;
    peer.bgp_identifier = in.U32();
    peer.address = ReadAddress(&in, (type & kPeerIpv6) != 0);
    peer.as = (type & kPeerAs4) != 0 ? in.U32() : in.U16();
    if (!in.ok()) {
      peers_.clear();
      return Error(DecodeCode::kBadCount, count_at);
    }
    peers_.push_back(peer);
  }
  has_peers_ = true;
  counters_.peers += count;
  table.peers = peers_;
  listener_->OnPeerIndexTable(table);
  if (in.remaining() > 0) Error(DecodeCode::kTrailingOctets, in.offset());
}

// RFC 6396, 4.3.2; RFC 8050, 4.
void Reader::ReadRib(base::Octets record, const SubtypeRow& row) {
  constexpr size_t kNlriAt = kHeaderOctets + 4;
  if (record.size() < kNlriAt) return Error(DecodeCode::kTruncated, kHeaderOctets);
  const size_t length = ReadRoute(row.family, false, record.subspan(kNlriAt), &entry_.route);
  if (length == 0) return Error(DecodeCode::kBadValue, kNlriAt);
  ReadEntries(record, kNlriAt + length, (row.flags & kAddPath) != 0, row.family,
              base::LoadBe32(record.data() + kHeaderOctets));
}

// RFC 6396, 4.3.3; RFC 8050, 4.
void Reader::ReadRibGeneric(base::Octets record, const SubtypeRow& row) {
  constexpr size_t kFamilyAt = kHeaderOctets + 4, kNlriAt = kFamilyAt + 3;
  if (record.size() < kNlriAt) return Error(DecodeCode::kTruncated, kHeaderOctets);
  const bgp::Family family = bgp::FamilyOf(base::LoadBe16(record.data() + kFamilyAt), record[kFamilyAt + 2]);
  if (bgp::RowOf(family).shape > bgp::NlriShape::kVpn) return Error(DecodeCode::kUnsupported, kFamilyAt);
  const uint32_t sequence = base::LoadBe32(record.data() + kHeaderOctets);
  const base::Octets rest = record.subspan(kNlriAt);
  const bool add_path = (row.flags & kAddPath) != 0;
  size_t length = ReadRoute(family, false, rest, &entry_.route);
  if (add_path && (length == 0 || !EntriesFit(record, kNlriAt + length, true))) {
    bgp::Nlri route;
    const size_t as_standard = ReadRoute(family, true, rest, &route);
    if (as_standard > 0 && EntriesFit(record, kNlriAt + as_standard, false)) {
      entry_.route = route;
      return ReadEntries(record, kNlriAt + as_standard, false, family, sequence);
    }
  }
  if (length == 0) return Error(DecodeCode::kBadValue, kNlriAt);
  ReadEntries(record, kNlriAt + length, add_path, family, sequence);
}

// RFC 6396, 4.3.4; RFC 8050, 4.
void Reader::ReadEntries(base::Octets record, size_t at, bool add_path, bgp::Family family, uint32_t sequence) {
  base::OctetReader in(record);
  in.Skip(at);
  const size_t count = in.U16();
  if (!in.ok()) return Error(DecodeCode::kTruncated, at);
  entry_.sequence = sequence;
  entry_.family = family;
  for (size_t i = 0; i < count; ++i) {
    const size_t entry_at = in.offset();
    const uint16_t index = in.U16();
    entry_.originated = absl::FromUnixSeconds(in.U32());
    if (add_path) {
      entry_.route.has_path_id = true;
      entry_.route.path_id = in.U32();
    }
    const size_t length = in.U16();
    if (!in.ok()) return Error(DecodeCode::kBadCount, entry_at);
    const size_t attributes_at = in.offset();
    const base::Octets attributes = in.Bytes(length);
    if (!in.ok()) return Error(DecodeCode::kBadLength, attributes_at - 2);
    if (index >= peers_.size()) {
      // Without any table all entries are of unknown peers.
      Error(has_peers_ ? DecodeCode::kBadValue : DecodeCode::kTemplateUnknown, entry_at);
      continue;
    }
    entry_.peer_index = index;
    entry_.peer = peers_[index];
    TellEntry(attributes, attributes_at, true);
  }
  if (in.remaining() > 0) Error(DecodeCode::kTrailingOctets, in.offset());
}

// RFC 6396, 4.4; RFC 8050, 3.
void Reader::ReadBgp4mp(base::Octets record, const SubtypeRow& row, size_t at) {
  const bool as4 = (row.flags & kAs4) != 0, add_path = (row.flags & kAddPath) != 0;
  const bool state = row.content == Content::kStateChange;
  base::OctetReader in(record);
  in.Skip(at);
  Ends ends;
  ends.time = entry_.time;
  ends.peer.as = as4 ? in.U32() : in.U16();
  ends.local.as = as4 ? in.U32() : in.U16();
  // As Zebra wrote it before a session was established.
  const bool bare = !as4 && in.ok() && (state ? in.remaining() == 4 : in.Has(kMarkerOctets) && HasMarker(in.data()));
  if (!bare) {
    ends.interface_index = in.U16();
    const size_t afi_at = in.offset();
    const uint16_t afi = in.U16();
    if (!in.ok()) return Error(DecodeCode::kTruncated, in.offset());
    if (afi != kAfiIpv4 && afi != kAfiIpv6) return Error(DecodeCode::kBadValue, afi_at);
    ends.peer.address = ReadAddress(&in, afi == kAfiIpv6);
    ends.local.address = ReadAddress(&in, afi == kAfiIpv6);
  }
  if (state) {
    StateChange change;
    change.old_state = static_cast<FsmState>(in.U16());
    change.new_state = static_cast<FsmState>(in.U16());
    if (!in.ok()) return Error(DecodeCode::kTruncated, in.offset());
    change.ends = ends;
    ++counters_.state_changes;
    listener_->OnStateChange(change);
  } else {
    if (!in.ok()) return Error(DecodeCode::kTruncated, in.offset());
    const bgp::MessageBoundary next = bgp::NextMessage(in.rest(), bgp::kMaxExtendedMessageOctets);
    if (next.code != DecodeCode::kOk) return Error(next.code, in.offset());
    BgpMessage message;
    message.ends = ends;
    message.from_local = (row.flags & kLocal) != 0;
    message.type = next.type;
    message.message = in.Bytes(next.length);
    message.context.as4 = as4;
    message.context.extended_message = true;
    if (add_path) message.context.add_path = bgp::FamilySet::All();
    ++counters_.messages;
    listener_->OnMessage(message);
  }
  if (in.remaining() > 0) Error(DecodeCode::kTrailingOctets, in.offset());
}

}  // namespace flowacct::mrt
