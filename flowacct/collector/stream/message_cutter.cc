#include "flowacct/collector/stream/message_cutter.h"

#include "flowacct/flow/ipfix/message_view.h"

namespace flowacct::collector {

base::DecodeCode MessageCutter::Cut(base::Octets octets, std::vector<base::Octets>* messages) {
  base::Octets rest = octets;
  ipfix::MessageBoundary boundary = ipfix::NextMessage(rest);
  for (; boundary.code == base::DecodeCode::kOk; boundary = ipfix::NextMessage(rest)) {
    messages->push_back(rest.first(boundary.length));
    rest.remove_prefix(boundary.length);
  }
  if (boundary.code != base::DecodeCode::kTruncated) {
    lost_ += rest.size();
    std::vector<uint8_t>().swap(begun_);
    return boundary.code;
  }
  if (rest.empty()) {
    std::vector<uint8_t>().swap(begun_);
  } else if (rest.size() == octets.size()) {
    // Still the same message: only what is new is copied.
    begun_.insert(begun_.end(), rest.begin() + static_cast<ptrdiff_t>(begun_.size()), rest.end());
  } else {
    begun_.assign(rest.begin(), rest.end());
  }
  return base::DecodeCode::kOk;
}

void MessageCutter::End() {
  lost_ += begun_.size();
  std::vector<uint8_t>().swap(begun_);
}

}  // namespace flowacct::collector
