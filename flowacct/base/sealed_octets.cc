#include "flowacct/base/sealed_octets.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"

namespace flowacct::base {
namespace {

constexpr absl::string_view kMagic = "flowacct";
constexpr size_t kSumOctets = 8;

uint64_t Fnv1a(Octets octets) {
  uint64_t sum = 0xcbf29ce484222325;
  for (uint8_t octet : octets) sum = (sum ^ octet) * 0x100000001b3;
  return sum;
}

}  // namespace

std::string Seal(absl::string_view kind, uint16_t version, Octets body) {
  kind = kind.substr(0, 255);
  OctetWriter writer;
  writer.Text(kMagic).U8(static_cast<uint8_t>(kind.size())).Text(kind).U16(version).U64(body.size()).Bytes(body);
  writer.U64(Fnv1a(writer.octets()));
  return std::string(AsText(writer.octets()));
}

absl::StatusOr<SealedOctets> Unseal(absl::string_view kind, uint16_t newest, Octets octets) {
  OctetReader reader(octets);
  if (AsText(reader.Bytes(kMagic.size())) != kMagic) {
    return absl::InvalidArgumentError("this is no state that flowacct has written");
  }
  const absl::string_view found = AsText(reader.Bytes(reader.U8()));
  SealedOctets sealed;
  sealed.version = reader.U16();
  const uint64_t size = reader.U64();
  if (!reader.ok() || reader.remaining() < kSumOctets || size != reader.remaining() - kSumOctets) {
    return absl::DataLossError(
        absl::StrCat("the state has ", octets.size(), " octets, which are not those that it tells"));
  }
  sealed.body = reader.Bytes(static_cast<size_t>(size));
  if (reader.U64() != Fnv1a(octets.first(octets.size() - kSumOctets))) {
    return absl::DataLossError("the state is damaged: its sum does not agree");
  }
  if (found != kind) {
    return absl::InvalidArgumentError(absl::StrCat("this is state of kind \"", found, "\", not \"", kind, "\""));
  }
  if (sealed.version == 0 || sealed.version > newest) {
    return absl::InvalidArgumentError(absl::StrCat("the state of kind \"", kind, "\" has version ", sealed.version,
                                                   "; this program knows 1 to ", newest));
  }
  return sealed;
}

}  // namespace flowacct::base
