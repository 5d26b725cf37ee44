#include "flowacct/flow/template/record_teller.h"

#include "flowacct/flow/template/list_view.h"

namespace flowacct::flow {
namespace {

record::ElementType ListenerType(AbstractType type) {
  using record::ElementType;
  switch (type) {
    case AbstractType::kUnsigned8:
    case AbstractType::kUnsigned16:
    case AbstractType::kUnsigned32:
    case AbstractType::kUnsigned64:
      return ElementType::kUnsigned;
    case AbstractType::kSigned8:
    case AbstractType::kSigned16:
    case AbstractType::kSigned32:
    case AbstractType::kSigned64:
      return ElementType::kSigned;
    case AbstractType::kFloat32:
    case AbstractType::kFloat64:
      return ElementType::kFloat;
    case AbstractType::kBoolean:
      return ElementType::kBoolean;
    case AbstractType::kMacAddress:
      return ElementType::kMac;
    case AbstractType::kString:
      return ElementType::kString;
    case AbstractType::kDateTimeSeconds:
      return ElementType::kSeconds;
    case AbstractType::kDateTimeMilliseconds:
      return ElementType::kMilliseconds;
    case AbstractType::kDateTimeMicroseconds:
      return ElementType::kMicroseconds;
    case AbstractType::kDateTimeNanoseconds:
      return ElementType::kNanoseconds;
    case AbstractType::kIpv4Address:
      return ElementType::kIpv4;
    case AbstractType::kIpv6Address:
      return ElementType::kIpv6;
    default:
      return ElementType::kOctets;
  }
}

// A number in the octets that its element takes, so that a listener may load it.
bool Fits(record::ElementType type, size_t length) {
  using record::ElementType;
  switch (type) {
    case ElementType::kUnsigned:
    case ElementType::kSigned:
      return length >= 1 && length <= 8;
    case ElementType::kFloat:
      return length == 4 || length == 8;
    case ElementType::kBoolean:
      return length == 1;
    case ElementType::kMac:
      return length == 6;
    case ElementType::kIpv4:
      return length == 4;
    case ElementType::kIpv6:
      return length == 16;
    case ElementType::kSeconds:
    case ElementType::kMilliseconds:
      return length == 4 || length == 8;
    case ElementType::kMicroseconds:
    case ElementType::kNanoseconds:
      return length == 8;
    default:
      return true;
  }
}

}  // namespace

void RecordTeller::TellRecord(const Template& format, uint16_t id, base::Octets record, const RecordShape* shape,
                              record::RecordKind kind, record::ElementListener* listener) {
  listener->OnRecord(kind, id);
  for (const record::Element& element : header_) listener->OnElement(element);
  TellFields(format, record, shape == nullptr ? format.offsets.data() : shape->offsets.data(),
             shape == nullptr ? format.lengths.data() : shape->lengths.data(), 0, listener);
}

void RecordTeller::TellFields(const Template& format, base::Octets record, const uint32_t* offsets,
                              const uint32_t* lengths, int depth, record::ElementListener* listener) {
  for (size_t i = 0; i < format.fields.size(); ++i) {
    TellElement(format.fields[i], record.subspan(offsets[i], lengths[i]), depth, listener);
  }
}

void RecordTeller::TellElement(const TemplateField& field, base::Octets octets, int depth,
                               record::ElementListener* listener) {
  AbstractType type = field.element == nullptr ? AbstractType::kOctetArray : field.element->type;
  std::string name;
  const TemplateSource::LearnedElement* learned = nullptr;
  if (field.element == nullptr && source_ != nullptr) learned = source_->FindLearned(field.pen, field.id);
  if (learned != nullptr) {
    name = learned->name;
    type = learned->type;
  } else if (field.pen == kNetflow9ScopePen) {
    name = TemplateFieldName(field);
    type = AbstractType::kUnsigned64;
  } else {
    name = TemplateFieldName(field);
  }
  if (depth < max_list_depth_) {
    if (type == AbstractType::kBasicList && TellBasicList(name, octets, depth + 1, listener)) return;
    if (type == AbstractType::kSubTemplateList && TellSubTemplateList(name, octets, depth + 1, listener)) return;
    if (type == AbstractType::kSubTemplateMultiList && TellSubTemplateMultiList(name, octets, depth + 1, listener)) {
      return;
    }
  }
  record::Element element;
  element.name = name;
  element.type = ListenerType(type);
  if (!Fits(element.type, octets.size())) element.type = record::ElementType::kOctets;
  element.octets = octets;
  listener->OnElement(element);
}

bool RecordTeller::TellBasicList(absl::string_view name, base::Octets octets, int depth,
                                 record::ElementListener* listener) {
  BasicListView list;
  if (!BasicListView::Parse(octets, &list)) return false;
  const TemplateField field = MakeTemplateField(Dialect::kIpfix, list.specifier());
  listener->OnListBegin(name);
  for (base::Octets value; list.Next(&value);) TellElement(field, value, depth, listener);
  listener->OnListEnd();
  return true;
}

bool RecordTeller::TellSubTemplateList(absl::string_view name, base::Octets octets, int depth,
                                       record::ElementListener* listener) {
  SubTemplateListView list;
  if (!SubTemplateListView::Parse(octets, &list)) return false;
  const Template* format = source_ == nullptr ? nullptr : source_->FindTemplate(list.template_id());
  if (format == nullptr && !list.records().empty()) return false;
  listener->OnListBegin(name);
  if (format != nullptr) TellInner(*format, list.records(), depth, listener);
  listener->OnListEnd();
  return true;
}

bool RecordTeller::TellSubTemplateMultiList(absl::string_view name, base::Octets octets, int depth,
                                            record::ElementListener* listener) {
  SubTemplateMultiListView list;
  if (!SubTemplateMultiListView::Parse(octets, &list)) return false;
  listener->OnListBegin(name);
  uint16_t id = 0;
  for (base::Octets records; list.Next(&id, &records);) {
    const Template* format = source_ == nullptr ? nullptr : source_->FindTemplate(id);
    if (format != nullptr) {
      TellInner(*format, records, depth, listener);
    } else {
      listener->OnElement({"records", record::ElementType::kOctets, records});
    }
  }
  listener->OnListEnd();
  return true;
}

void RecordTeller::TellInner(const Template& format, base::Octets octets, int depth,
                             record::ElementListener* listener) {
  RecordShape shape;  // a list may hold records of the template that holds it, so none is shared
  shape.offsets.resize(format.fields.size());
  shape.lengths.resize(format.fields.size());
  while (octets.size() >= format.record_octets) {
    const size_t length = WalkRecord(format, octets, &shape);
    if (length == 0) return;
    listener->OnListBegin("record");
    TellFields(format, octets.first(length), shape.offsets.data(), shape.lengths.data(), depth, listener);
    listener->OnListEnd();
    octets.remove_prefix(length);
  }
}

}  // namespace flowacct::flow
