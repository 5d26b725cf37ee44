#include "flowacct/isis/instance_database.h"

#include <algorithm>

namespace flowacct::isis {
namespace {

constexpr uint8_t kAuthenticationTlv = 10;

// The next TLV that is not authentication.
bool NextSaid(TlvReader* reader, Tlv* tlv) {
  while (reader->Next(tlv)) {
    if (tlv->type != kAuthenticationTlv) return true;
  }
  return false;
}

// Fletcher counts modulo 255, so that 0 and 255 are one: neither the sum nor a digest sees one become the other.
bool SameChecksum(uint16_t a, uint16_t b) {
  return (a >> 8) % 255 == (b >> 8) % 255 && (a & 0xff) % 255 == (b & 0xff) % 255;
}

}  // namespace

uint16_t StoredLsp::remaining_seconds(int64_t time_nanos) const {
  if (purged) return 0;
  return static_cast<uint16_t>(std::clamp<int64_t>((expires_nanos - time_nanos) / kNanosPerSecond, 1, UINT16_MAX));
}

LspOrder CompareLsp(const LspEntry& received, const StoredLsp& stored) {
  if (received.sequence != stored.sequence) {
    return received.sequence > stored.sequence ? LspOrder::kNewer : LspOrder::kOlder;
  }
  const bool purged = received.remaining_seconds == 0;
  if (purged != stored.purged) return purged ? LspOrder::kNewer : LspOrder::kOlder;
  // Of purged ones the checksum says nothing: each system makes its own header (7.3.16.4).
  return purged || SameChecksum(received.checksum, stored.checksum) ? LspOrder::kSame : LspOrder::kConfused;
}

const StoredLsp* LspDatabase::Find(const LspId& id) const {
  const auto it = lsps_.find(id);
  return it == lsps_.end() ? nullptr : it->second.get();
}

StoredLsp* LspDatabase::Replace(const LspId& id, base::Octets lsp, int64_t expires_nanos) {
  std::unique_ptr<StoredLsp>& slot = lsps_[id];
  if (slot == nullptr) {
    slot = std::make_unique<StoredLsp>();
  } else {
    by_expiry_.erase({slot->expires_nanos, id});
    octets_ -= slot->octets.size();
  }
  octets_ += lsp.size();
  slot->octets = std::vector<uint8_t>(lsp.begin(), lsp.end());
  slot->sequence = base::LoadBe32(lsp.data() + kLspSequenceAt);
  slot->checksum = base::LoadBe16(lsp.data() + kLspChecksumAt);
  slot->expires_nanos = expires_nanos;
  by_expiry_.insert({expires_nanos, id});
  return slot.get();
}

const StoredLsp& LspDatabase::Store(const LspId& id, base::Octets lsp, bool own, int64_t time_nanos) {
  const int64_t lifetime = base::LoadBe16(lsp.data() + kLspRemainingAt);
  StoredLsp* stored = Replace(id, lsp, time_nanos + lifetime * kNanosPerSecond);
  stored->purged = false;
  stored->own = own;
  return *stored;
}

const StoredLsp& LspDatabase::StorePurged(const LspId& id, base::Octets lsp, bool own, int64_t forget_nanos) {
  StoredLsp* stored = Replace(id, lsp, forget_nanos);
  stored->purged = true;
  stored->own = own;
  return *stored;
}

void LspDatabase::Remove(const LspId& id) {
  const auto it = lsps_.find(id);
  if (it == lsps_.end()) return;
  by_expiry_.erase({it->second->expires_nanos, id});
  octets_ -= it->second->octets.size();
  lsps_.erase(it);
}

bool SameLspContent(base::Octets a, base::Octets b) {
  if (a[kLspFlagsAt] != b[kLspFlagsAt]) return false;
  a.remove_prefix(kLspHeaderSize);
  b.remove_prefix(kLspHeaderSize);
  if (a == b) return true;
  TlvReader of_a(a), of_b(b);
  Tlv in_a, in_b;
  while (NextSaid(&of_a, &in_a)) {
    if (!NextSaid(&of_b, &in_b) || in_a.type != in_b.type || in_a.value != in_b.value) return false;
  }
  // What cannot be read to its end is not called the same.
  return !NextSaid(&of_b, &in_b) && of_a.result().ok() && of_b.result().ok();
}

}  // namespace flowacct::isis
