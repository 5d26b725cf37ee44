#include "flowacct/flow/template/set_decoder.h"

#include <memory>
#include <string>
#include <utility>

#include "flowacct/flow/template/options_data.h"
#include "flowacct/flow/template/record_teller.h"

namespace flowacct::flow {
namespace {

using base::DecodeCode;
using base::Octets;

constexpr int64_t kNanosPerSecond = 1000000000;

}  // namespace

struct SetDecoder::Message {
  const record::Datagram& datagram;
  MessageContext* context;
  const record::DecodeOutput& output;
  Domain* domain;
  RecordTeller teller;
  Decoded decoded;

  bool stream() const {
    return datagram.transport == record::Transport::kTcp || datagram.transport == record::Transport::kSctp;
  }
  void Fail(DecodeCode code, size_t offset) {
    domain->counters.errors.Count(code);
    const DecodeCode first = decoded.result.code;
    if (first == DecodeCode::kOk || (stream() && record::EndsSession(code) && !record::EndsSession(first))) {
      decoded.result = base::DecodeResult::Error(code, offset);
    }
  }
};

SetDecoder::Decoded SetDecoder::Decode(const record::Datagram& datagram, SetReader sets, MessageContext* context,
                                       const record::DecodeOutput& output, Domain* domain) {
  Message message{datagram, context, output, domain, RecordTeller(domain, options_->max_list_depth), {}};
  context->names = &domain->names;
  context->interner_epoch = domains_->interner_epochs.Of(output.flows->interner());
  context->sampling = &domain->sampling;
  context->route_distinguishers = &domain->route_distinguishers;
  if (!domain->pending.empty()) RejectStale(datagram.arrival_nanos, domain);
  for (SetView set; sets.Next(&set);) {
    if (set.is_data()) {
      DecodeDataSet(set.id(), set.octets(), set.offset(), &message);
      message.decoded.uncounted |= set.cut();
    } else if (set.is_template() || set.is_options_template()) {
      DecodeTemplateSet(set, &message);
    } else {
      ++domain->counters.rejected_sets;
      message.Fail(DecodeCode::kUnsupported, set.offset() - kSetHeaderOctets);
    }
  }
  const base::DecodeResult end = sets.result();
  if (!end.ok()) {
    message.Fail(end.code, end.offset);
    if (end.code != DecodeCode::kTrailingOctets) ++domain->counters.rejected_sets;
    message.decoded.uncounted |= end.code == DecodeCode::kBadLength;
  }
  return message.decoded;
}

void SetDecoder::DecodeTemplateSet(const SetView& set, Message* message) {
  TemplateReader templates(set);
  for (TemplateView view; templates.Next(&view);) {
    if (view.withdrawal()) {
      Withdraw(view.id(), view.options(), templates.offset(), message);
    } else {
      Define(view, templates.offset(), message);
    }
  }
  if (!templates.result().ok()) message->Fail(templates.result().code, templates.result().offset);
}

void SetDecoder::Define(const TemplateView& view, size_t offset, Message* message) {
  Domain* domain = message->domain;
  const uint16_t id = view.id();
  const record::RecordKind kind = view.options() ? record::RecordKind::kOption : record::RecordKind::kFlow;
  std::vector<TemplateField> fields;
  fields.reserve(view.field_count());  // no more than there are octets for
  SpecifierReader specifiers = view.fields();
  for (FieldSpecifier field; specifiers.Next(&field);) {
    const bool own = options_->own_enterprise != 0 && field.enterprise_number == options_->own_enterprise;
    if (own) field.enterprise_number = kOwnPen;
    fields.push_back(MakeTemplateField(view.dialect(), field));
  }
  auto found = domain->templates.find(id);
  uint64_t records = 0, definitions = 0, redefinitions = 0;
  if (found != domain->templates.end()) {
    TemplateEntry& known = found->second;
    const Template& format = known.compiled->format();
    if (format.kind == kind && format.fields == fields) {
      ++known.definitions;
      known.alive_nanos = message->datagram.arrival_nanos;
      return;
    }
    // RFC 7011, 8.1: it had to be withdrawn before, and data of this id are ambiguous from now on. The session is to be
    // closed; until then the new one counts, since the data that follow mean it.
    if (message->stream()) message->Fail(DecodeCode::kBadTemplate, offset);
    records = known.records;
    definitions = known.definitions;
    redefinitions = known.redefinitions + 1;
  } else if (domain->templates.size() >= options_->max_templates_per_domain) {
    return message->Fail(DecodeCode::kLimitExceeded, offset);
  }
  // Whatever becomes of the new definition, the old one does not describe the data any more.
  domains_->RemoveTemplate(domain, id);
  Template format;
  const DecodeCode code = MakeTemplate(kind, std::move(fields), *options_, &format);
  if (code != DecodeCode::kOk) return message->Fail(code, offset);
  TemplateEntry* entry = domains_->AddTemplate(domain, id, std::move(format));
  if (entry == nullptr) return message->Fail(DecodeCode::kLimitExceeded, offset);
  entry->records = records;
  entry->definitions = definitions + 1;
  entry->redefinitions = redefinitions;
  entry->alive_nanos = message->datagram.arrival_nanos;
  if (!domain->pending.empty()) DecodeHeld(id, entry, message);
}

void SetDecoder::Withdraw(uint16_t id, bool options, size_t offset, Message* message) {
  // Over UDP a withdrawal could overtake the data that it follows (RFC 7011, 8.4).
  if (message->datagram.transport == record::Transport::kUdp) {
    return message->Fail(DecodeCode::kBadTemplate, offset);
  }
  Domain* domain = message->domain;
  const record::RecordKind kind = options ? record::RecordKind::kOption : record::RecordKind::kFlow;
  if (id >= kFirstDataSet) {
    // RFC 7011, 8.1: it is to be ignored, and what follows can still be read.
    if (!domain->templates.contains(id)) return message->Fail(DecodeCode::kTemplateUnknown, offset);
    return domains_->RemoveTemplate(domain, id);
  }
  if (id != (options ? 3 : 2)) return message->Fail(DecodeCode::kBadTemplate, offset);
  std::vector<uint16_t> all;  // RFC 7011, 8.1: the set's own id withdraws all of its kind
  for (const auto& [known, entry] : domain->templates) {
    if (entry.compiled->format().kind == kind) all.push_back(known);
  }
  for (uint16_t known : all) domains_->RemoveTemplate(domain, known);
}

void SetDecoder::DecodeDataSet(uint16_t id, Octets set, size_t offset, Message* message) {
  Domain* domain = message->domain;
  auto found = domain->templates.find(id);
  const int64_t now = message->datagram.arrival_nanos;
  if (found != domain->templates.end() && message->datagram.transport == record::Transport::kUdp &&
      options_->template_lifetime_seconds > 0 &&
      now - found->second.alive_nanos > options_->template_lifetime_seconds * kNanosPerSecond) {
    domains_->RemoveTemplate(domain, id);
    found = domain->templates.end();
  }
  if (found == domain->templates.end()) return Hold(id, set, offset, message);
  found->second.alive_nanos = now;
  DecodeData(id, &found->second, set, offset, message->context, /*held=*/false, message);
}

void SetDecoder::DecodeData(uint16_t id, TemplateEntry* entry, Octets octets, size_t offset, MessageContext* context,
                            bool held, Message* message) {
  Domain* domain = message->domain;
  CompiledTemplate* compiled = entry->compiled.get();
  const Template& format = compiled->format();
  CompiledTemplate::Decoded decoded;
  if (format.kind == record::RecordKind::kFlow) {
    const size_t limit = options_->max_records_per_set * format.record_octets;
    const bool too_many = octets.size() > limit;
    decoded =
        compiled->DecodeFlows(id, too_many ? octets.first(limit) : octets, context, message->output, &message->teller);
    entry->records += decoded.records;
    domain->counters.flow_records += decoded.records;
    domain->counters.reverse_records += decoded.reverse_records;
    if (too_many) {
      ++domain->counters.rejected_sets;
      message->Fail(DecodeCode::kLimitExceeded, held ? 0 : offset + decoded.octets);
      message->decoded.uncounted |= !held;
      return;
    }
  } else {
    record::ElementListener* listener = message->output.listener;
    decoded = compiled->Visit(octets, [&](Octets record, const RecordShape* shape) {
      if (listener != nullptr) {
        message->teller.TellRecord(format, id, record, shape, record::RecordKind::kOption, listener);
      }
      const DecodeCode code = LearnFromOptions(format, record, shape, domain);
      if (code != DecodeCode::kOk) message->Fail(code, held ? 0 : offset);
      if (listener != nullptr) listener->OnRecordEnd(0);
    });
    entry->records += decoded.records;
    domain->counters.option_records += decoded.records;
  }
  if (!held) message->decoded.records += decoded.records;
  const Octets rest = octets.subspan(decoded.octets);
  const DecodeCode code = JudgeRest(decoded.records, rest);
  if (code == DecodeCode::kOk) return;
  if (code == DecodeCode::kBadLength) ++domain->counters.rejected_sets;
  message->Fail(code, held ? 0 : offset + decoded.octets);
}

void SetDecoder::RejectStale(int64_t now_nanos, Domain* domain) {
  const int64_t oldest = now_nanos - options_->pending_lifetime_seconds * kNanosPerSecond;
  while (!domain->pending.empty() && domain->pending.front().context.arrival_nanos < oldest) {
    domains_->RejectOldest(domain);
  }
}

void SetDecoder::Hold(uint16_t id, Octets octets, size_t offset, Message* message) {
  Domain* domain = message->domain;
  message->decoded.uncounted = true;
  if (octets.empty()) return;
  if (domains_->Hold(domain, {id, std::string(base::AsText(octets)), *message->context})) return;
  ++domain->counters.rejected_sets;
  message->Fail(DecodeCode::kTemplateUnknown, offset);
}

void SetDecoder::DecodeHeld(uint16_t id, TemplateEntry* entry, Message* message) {
  Domain* domain = message->domain;
  for (auto it = domain->pending.begin(); it != domain->pending.end();) {
    if (it->template_id != id) {
      ++it;
      continue;
    }
    MessageContext context = it->context;
    context.misfits = 0;
    context.clock_repairs = 0;
    context.unread_sections = 0;
    context.interner_epoch = message->context->interner_epoch;
    context.sections = message->context->sections;
    DecodeData(id, entry, base::AsOctets(it->octets), 0, &context, /*held=*/true, message);
    message->context->misfits += context.misfits;
    message->context->clock_repairs += context.clock_repairs;
    message->context->unread_sections += context.unread_sections;
    it = domains_->Release(domain, it);
  }
}

}  // namespace flowacct::flow
