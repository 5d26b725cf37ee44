// Tells an ElementListener what a record says, element by element as it lies on the wire.
//
// Names: the registry's; else what the exporter's type information taught (RFC 5610); else "PEN:id". Structured data
// (RFC 6313) is told as nested lists, down to max_list_depth.
// Guaranteed: never reads outside the record; a list that is malformed is told as octets. Threads: one at a time.
// Cost: only when somebody listens; formats names.

#ifndef FLOWACCT_FLOW_TEMPLATE_RECORD_TELLER_H_
#define FLOWACCT_FLOW_TEMPLATE_RECORD_TELLER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/template.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::flow {

// What a teller asks of the exporter's domain.
class TemplateSource {
 public:
  virtual ~TemplateSource() = default;
  // Null: not known (any more).
  virtual const Template* FindTemplate(uint16_t id) = 0;
  // What type information said of an element that the registry does not have; null: nothing.
  struct LearnedElement {
    std::string name;
    AbstractType type = AbstractType::kOctetArray;
  };
  virtual const LearnedElement* FindLearned(uint32_t pen, uint16_t id) = 0;
};

class RecordTeller {
 public:
  // `source` may be null. It outlives the teller.
  RecordTeller(TemplateSource* source, int max_list_depth) : source_(source), max_list_depth_(max_list_depth) {}

  // What the header of the export says of all of its records: told of each, before its fields. Borrowed.
  void set_header(absl::Span<const record::Element> header) { header_ = header; }
  // OnRecord and OnElement for each field; OnRecordEnd is the caller's. `id` of the template; 0: it has none.
  void TellRecord(const Template& format, uint16_t id, base::Octets record, const RecordShape* shape,
                  record::RecordKind kind, record::ElementListener* listener);

 private:
  void TellFields(const Template& format, base::Octets record, const uint32_t* offsets, const uint32_t* lengths,
                  int depth, record::ElementListener* listener);
  void TellElement(const TemplateField& field, base::Octets octets, int depth, record::ElementListener* listener);
  bool TellBasicList(absl::string_view name, base::Octets octets, int depth, record::ElementListener* listener);
  bool TellSubTemplateList(absl::string_view name, base::Octets octets, int depth, record::ElementListener* listener);
  bool TellSubTemplateMultiList(absl::string_view name, base::Octets octets, int depth,
                                record::ElementListener* listener);
  // The records of one template inside a list.
  void TellInner(const Template& format, base::Octets octets, int depth, record::ElementListener* listener);

  TemplateSource* source_;
  int max_list_depth_;
  absl::Span<const record::Element> header_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_RECORD_TELLER_H_
