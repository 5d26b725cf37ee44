// Structured data as it lies on the wire: the lists that a field can hold.
//
// Standard: RFC 6313 (4.5.1 basicList, 4.5.2 subTemplateList, 4.5.3 subTemplateMultiList). Inner records are read with
// RecordReader (set_view.h) and the template of the id that is told. Checked: every length against the octets. Not
// checked: the semantic, and how deep lists lie in lists: who descends bounds that.
// Ownership: views borrow the field's octets. Threads: plain values. Errors: Parse and Next say false. Cost: no
// allocation.

#ifndef FLOWACCT_FLOW_TEMPLATE_LIST_VIEW_H_
#define FLOWACCT_FLOW_TEMPLATE_LIST_VIEW_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/base/octets.h"
#include "flowacct/flow/template/set_view.h"

namespace flowacct::flow {

// structuredDataTypeSemantics (RFC 6313, 4.4): 0xff undefined, 0 noneOf, 1 exactlyOneOf, 2 oneOrMoreOf, 3 allOf, 4
// ordered.

// Elements of one kind. Next gives them one by one.
class BasicListView {
 public:
  // False: the header is cut, or its elements have no octets.
  static bool Parse(base::Octets field, BasicListView* view);

  uint8_t semantic() const { return semantic_; }
  const FieldSpecifier& specifier() const { return specifier_; }
  bool Next(base::Octets* value) {
    if (at_ < content_.size() && TakeField(content_, specifier_.length, &at_, value)) return true;
    cut_ |= at_ < content_.size();
    at_ = content_.size();
    return false;
  }
  // The last element was not all there.
  bool cut() const { return cut_; }

 private:
  uint8_t semantic_ = 0;
  bool cut_ = false;
  FieldSpecifier specifier_;
  base::Octets content_;
  size_t at_ = 0;
};

// Records of one template.
class SubTemplateListView {
 public:
  static bool Parse(base::Octets field, SubTemplateListView* view);

  uint8_t semantic() const { return semantic_; }
  uint16_t template_id() const { return template_id_; }
  base::Octets records() const { return records_; }

 private:
  uint8_t semantic_ = 0;
  uint16_t template_id_ = 0;
  base::Octets records_;
};

// Records of several templates. Next gives those of one after another.
class SubTemplateMultiListView {
 public:
  static bool Parse(base::Octets field, SubTemplateMultiListView* view);

  uint8_t semantic() const { return semantic_; }
  bool Next(uint16_t* template_id, base::Octets* records);

 private:
  uint8_t semantic_ = 0;
  base::Octets rest_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_LIST_VIEW_H_
