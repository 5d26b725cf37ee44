#include "flowacct/isis/testing/pdu_text.h"

#include "absl/strings/str_cat.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/pdu_view.h"

namespace flowacct::isis::testing {

std::string PduText(base::Octets pdu) {
  PduView view;
  if (const base::DecodeResult result = PduView::Parse(pdu, &view); !result.ok()) {
    return absl::StrCat("bad at ", result.offset);
  }
  std::string text(view.info().name);
  switch (view.kind()) {
    case PduKind::kLanHello:
    case PduKind::kPointToPointHello: {
      HelloContent hello;
      if (!ReadHelloContent(view.tlvs(), &hello).ok()) return absl::StrCat(text, " malformed");
      if (view.kind() == PduKind::kLanHello) return absl::StrCat(text, " ", hello.lan_neighbors.size(), " heard");
      if (!hello.three_way) return absl::StrCat(text, " two-way");
      static constexpr const char* kStates[] = {" up", " initializing", " down"};
      return absl::StrCat(text, kStates[static_cast<size_t>(hello.three_way->state)]);
    }
    case PduKind::kLsp:
      return absl::StrCat(text, " ", view.lsp_id().ToString(), " #", view.sequence(), " ", view.remaining_seconds(),
                          "s");
    case PduKind::kCsnp:
    case PduKind::kPsnp:
      break;
  }
  LspEntryReader reader(view.tlvs());
  for (LspEntry entry; reader.Next(&entry);) {
    absl::StrAppend(&text, " ", entry.id.ToString(), " #", entry.sequence,
                    entry.remaining_seconds == 0 ? " purged" : "");
  }
  return text;
}

}  // namespace flowacct::isis::testing
