// Builds NetFlow v9 and IPFIX messages, set by set, for tests, corpora and benchmarks.
//
//     MessageBuilder message(9);
//     message.Template(256, {{8, 4}, {12, 4}, {1, 4}});
//     message.BeginSet(256); message.body().U32(...).U32(...).U32(...); message.EndSet();
//     decoder.Decode(message.Datagram(), ...)
//
// Standards: RFC 3954, RFC 7011. Nothing is checked: what is wrong can be built.

#ifndef FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_BUILDER_H_
#define FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_BUILDER_H_

#include <cstdint>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/record/datagram.h"

namespace flowacct::flow::testing {

inline constexpr uint32_t kExportSeconds = 1700000000;
inline constexpr uint32_t kUptimeMillis = 3600000;
inline constexpr uint16_t kVariable = 65535;
inline constexpr int64_t kSecondNanos = 1000000000;

struct BuilderField {
  uint16_t id;
  uint16_t length;
  uint32_t pen = 0;
};

class MessageBuilder {
 public:
  explicit MessageBuilder(uint16_t version, uint32_t sequence = 0, uint32_t domain = 7);

  MessageBuilder& Template(uint16_t id, const std::vector<BuilderField>& fields);
  // The first `scopes` fields are scopes.
  MessageBuilder& OptionsTemplate(uint16_t id, size_t scopes, const std::vector<BuilderField>& fields);
  MessageBuilder& Withdraw(uint16_t id, bool options = false);
  MessageBuilder& BeginSet(uint16_t id);
  // Where the records of the open set go.
  base::OctetWriter& body() { return writer_; }
  MessageBuilder& EndSet(size_t padding = 0);

  // With lengths filled in. Valid until the builder changes.
  record::Datagram Datagram();
  base::Octets octets() { return Datagram().octets; }
  std::vector<uint8_t> Copy();

 private:
  void Fields(const std::vector<BuilderField>& fields);

  uint16_t version_;
  base::OctetWriter writer_;
  size_t set_begin_ = 0;
};

}  // namespace flowacct::flow::testing

#endif  // FLOWACCT_FLOW_TEMPLATE_TESTING_MESSAGE_BUILDER_H_
