#include "flowacct/flow/template/list_view.h"

namespace flowacct::flow {

using base::LoadBe16;
using base::Octets;

// Semantic, field specifier, content.
bool BasicListView::Parse(Octets field, BasicListView* view) {
  if (field.empty()) return false;
  SpecifierReader reader(Dialect::kIpfix, field.subspan(1), 1, 0);
  BasicListView read;
  if (!reader.Next(&read.specifier_) || read.specifier_.length == 0) return false;
  read.semantic_ = field[0];
  read.content_ = field.subspan(1 + reader.offset());
  *view = read;
  return true;
}

// Semantic, template id, records.
bool SubTemplateListView::Parse(Octets field, SubTemplateListView* view) {
  if (field.size() < 3) return false;
  view->semantic_ = field[0];
  view->template_id_ = LoadBe16(field.data() + 1);
  view->records_ = field.subspan(3);
  return true;
}

// Semantic, then for each template: id, length with these four octets, records.
bool SubTemplateMultiListView::Parse(Octets field, SubTemplateMultiListView* view) {
  if (field.empty()) return false;
  view->semantic_ = field[0];
  view->rest_ = field.subspan(1);
  return true;
}

bool SubTemplateMultiListView::Next(uint16_t* template_id, Octets* records) {
  if (rest_.size() < 4) return false;
  const size_t length = LoadBe16(rest_.data() + 2);
  if (length < 4 || length > rest_.size()) return false;
  *template_id = LoadBe16(rest_.data());
  *records = rest_.subspan(4, length - 4);
  rest_.remove_prefix(length);
  return true;
}

}  // namespace flowacct::flow
