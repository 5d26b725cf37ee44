// The first octet chooses a type, the rest are an interned value's octets: any of them have a text and a JSON value
// that hold no control character, and no octet beyond them is read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"
#include "flowacct/record/value_text.h"

namespace {

void RefuseControls(absl::string_view text) {
  for (const char c : text) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using flowacct::record::FieldType;
  if (size == 0) return 0;
  constexpr int kFirst = static_cast<int>(FieldType::kString), kLast = static_cast<int>(FieldType::kLargeCommunities);
  const FieldType type = static_cast<FieldType>(kFirst + data[0] % (kLast - kFirst + 1));
  const flowacct::base::Octets octets(data + 1, size - 1);
  std::string text, printable, json;
  flowacct::record::AppendInternedText(type, octets, &text);
  flowacct::record::AppendPrintable(text, &printable);
  RefuseControls(printable);
  flowacct::record::AppendInternedJson(type, octets, &json);
  RefuseControls(json);
  return 0;
}
