#include "flowacct/flow/template/set_decoder.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "flowacct/flow/template/options_data.h"
#include "flowacct/flow/template/record_teller.h"

namespace flowacct::flow {
namespace {

using base::DecodeCode;
using base::LoadBe16;
using base::LoadBe32;
using base::Octets;

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr uint16_t kFirstDataSet = 256;  // RFC 7011, 3.3.2
constexpr size_t kSetHeaderOctets = 4;

bool IsZero(Octets octets) {
  return std::all_of(octets.begin(), octets.end(), [](uint8_t octet) { return octet == 0; });
}

}  // namespace

struct SetDecoder::Message {
  const record::Datagram& datagram;
  MessageContext* context;
  const record::DecodeOutput& output;
  Domain* domain;
  RecordTeller teller;
  Decoded decoded;

  void Fail(DecodeCode code, size_t offset) {
    domain->errors.Count(code);
    if (decoded.result.ok()) decoded.result = base::DecodeResult::Error(code, offset);
  }
};

SetDecoder::Decoded SetDecoder::Decode(const record::Datagram& datagram, Octets octets, size_t begin,
                                       MessageContext* context, const record::DecodeOutput& output, Domain* domain) {
  Message message{datagram, context, output, domain, RecordTeller(domain, options_->max_list_depth), {}};
  context->names = &domain->names;
  context->sampling = &domain->sampling;
  if (!domain->pending.empty()) DropStale(datagram.arrival_nanos, domain);
  const uint16_t template_set = version_ == 9 ? 0 : 2;  // RFC 3954, 5.2; RFC 7011, 3.3.2
  size_t at = begin;
  while (octets.size() - at >= kSetHeaderOctets) {
    const uint16_t id = LoadBe16(octets.data() + at);
    const size_t length = LoadBe16(octets.data() + at + 2);
    if (length < kSetHeaderOctets) {
      // Some exporters pad a message to four octets or more.
      if (!IsZero(octets.subspan(at))) {
        message.Fail(DecodeCode::kBadLength, at + 2);
        ++domain->rejected_sets;
        message.decoded.uncounted = true;
      }
      at = octets.size();
      break;
    }
    const bool cut = length > octets.size() - at;
    const Octets set = octets.subspan(at + kSetHeaderOctets, std::min(length, octets.size() - at) - kSetHeaderOctets);
    const size_t offset = at + kSetHeaderOctets;
    if (id >= kFirstDataSet) {
      DecodeDataSet(id, set, offset, &message);
      message.decoded.uncounted |= cut;
    } else if (id == template_set || id == template_set + 1) {
      DecodeTemplateSet(set, offset, id != template_set, &message);
    } else {
      ++domain->rejected_sets;
      message.Fail(DecodeCode::kUnsupported, at);
    }
    if (cut) {
      ++domain->rejected_sets;
      message.Fail(DecodeCode::kTruncated, octets.size());
    }
    at += std::min(length, octets.size() - at);
  }
  if (at < octets.size() && !IsZero(octets.subspan(at))) message.Fail(DecodeCode::kTrailingOctets, at);
  return message.decoded;
}

bool SetDecoder::ReadFields(size_t count, size_t scopes, Octets set, size_t* at,
                            std::vector<TemplateField>* fields) const {
  // The shortest field has four octets: a count that cannot be true costs no memory.
  if (count > (set.size() - *at) / 4) return false;
  fields->reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (set.size() - *at < 4) return false;
    const uint16_t id = LoadBe16(set.data() + *at);
    const uint16_t length = LoadBe16(set.data() + *at + 2);
    *at += 4;
    const bool scope = i < scopes;
    uint32_t pen = kIanaPen;
    uint16_t element = id;
    if (version_ == 9) {
      if (scope) {
        pen = kNetflow9ScopePen;
      } else if (id >= 0x8000) {
        pen = kNetFlow9VendorPen;
      }
    } else if ((id & 0x8000) != 0) {  // RFC 7011, 3.2
      if (set.size() - *at < 4) return false;
      pen = LoadBe32(set.data() + *at);
      *at += 4;
      element = id & 0x7fff;
    }
    fields->push_back(MakeTemplateField(pen, element, length, scope));
  }
  return true;
}

void SetDecoder::DecodeTemplateSet(Octets set, size_t offset, bool options, Message* message) {
  size_t at = 0;
  while (set.size() - at >= 4) {
    const size_t start = at;
    const uint16_t id = LoadBe16(set.data() + at);
    size_t count = LoadBe16(set.data() + at + 2);
    size_t scopes = 0;
    if (id == 0 && IsZero(set.subspan(at))) return;  // padding
    if (version_ != 9 && count == 0) {               // RFC 7011, 8.1
      Withdraw(id, options, offset + start, message);
      at += 4;
      continue;
    }
    at += 4;
    if (options) {
      if (set.size() - at < 2) return message->Fail(DecodeCode::kBadTemplate, offset + start);
      const size_t second = LoadBe16(set.data() + at);
      at += 2;
      if (version_ == 9) {  // octets of scopes, octets of options (RFC 3954, 6.1)
        if (count % 4 != 0 || second % 4 != 0) return message->Fail(DecodeCode::kBadTemplate, offset + start + 2);
        scopes = count / 4;
        count = scopes + second / 4;
      } else {
        scopes = second;
        if (scopes == 0 || scopes > count) return message->Fail(DecodeCode::kBadTemplate, offset + start + 4);
      }
    }
    std::vector<TemplateField> fields;
    if (id < kFirstDataSet || !ReadFields(count, scopes, set, &at, &fields)) {
      return message->Fail(DecodeCode::kBadTemplate, offset + start);
    }
    Define(id, options ? record::RecordKind::kOption : record::RecordKind::kFlow, std::move(fields), offset + start,
           message);
  }
}

void SetDecoder::Define(uint16_t id, record::RecordKind kind, std::vector<TemplateField> fields, size_t offset,
                        Message* message) {
  Domain* domain = message->domain;
  auto found = domain->templates.find(id);
  uint64_t records = 0, definitions = 0, redefinitions = 0;
  if (found != domain->templates.end()) {
    TemplateEntry& known = *found->second;
    if (known.format().kind == kind && known.format().fields == fields) {
      ++known.definitions;
      known.alive_nanos = message->datagram.arrival_nanos;
      return;
    }
    records = known.records;
    definitions = known.definitions;
    redefinitions = known.redefinitions + 1;
  } else if (domain->templates.size() >= options_->max_templates_per_domain) {
    return message->Fail(DecodeCode::kLimitExceeded, offset);
  }
  // Whatever becomes of the new definition, the old one does not describe the data any more.
  Remove(domain, id);
  Template format;
  const DecodeCode code = MakeTemplate(id, kind, std::move(fields), *options_, &format);
  if (code != DecodeCode::kOk) return message->Fail(code, offset);
  auto entry = std::make_unique<TemplateEntry>(std::move(format), layout_, version_);
  if (domains_->template_octets + entry->memory_octets() > options_->max_template_octets) {
    return message->Fail(DecodeCode::kLimitExceeded, offset);
  }
  entry->records = records;
  entry->definitions = definitions + 1;
  entry->redefinitions = redefinitions;
  entry->alive_nanos = message->datagram.arrival_nanos;
  domains_->template_octets += entry->memory_octets();
  TemplateEntry* added = entry.get();
  domain->templates.emplace(id, std::move(entry));
  if (!domain->pending.empty()) DecodeHeld(added, message);
}

void SetDecoder::Remove(Domain* domain, uint16_t id) {
  auto found = domain->templates.find(id);
  if (found == domain->templates.end()) return;
  domains_->template_octets -= found->second->memory_octets();
  domain->templates.erase(found);
}

void SetDecoder::Withdraw(uint16_t id, bool options, size_t offset, Message* message) {
  // Over UDP a withdrawal could overtake the data that it follows (RFC 7011, 8.4).
  if (message->datagram.transport == record::Transport::kUdp) {
    return message->Fail(DecodeCode::kBadTemplate, offset);
  }
  Domain* domain = message->domain;
  const record::RecordKind kind = options ? record::RecordKind::kOption : record::RecordKind::kFlow;
  if (id >= kFirstDataSet) {
    if (!domain->templates.contains(id)) return message->Fail(DecodeCode::kBadTemplate, offset);
    return Remove(domain, id);
  }
  if (id != (options ? 3 : 2)) return message->Fail(DecodeCode::kBadTemplate, offset);
  std::vector<uint16_t> all;  // RFC 7011, 8.1: the set's own id withdraws all of its kind
  for (const auto& [known, entry] : domain->templates) {
    if (entry->format().kind == kind) all.push_back(known);
  }
  for (uint16_t known : all) Remove(domain, known);
}

void SetDecoder::ForgetTemplates(Domain* domain) {
  for (const auto& [id, entry] : domain->templates) domains_->template_octets -= entry->memory_octets();
  domain->templates.clear();
}

void SetDecoder::DecodeDataSet(uint16_t id, Octets set, size_t offset, Message* message) {
  Domain* domain = message->domain;
  auto found = domain->templates.find(id);
  const int64_t now = message->datagram.arrival_nanos;
  if (found != domain->templates.end() && message->datagram.transport == record::Transport::kUdp &&
      options_->template_lifetime_seconds > 0 &&
      now - found->second->alive_nanos > options_->template_lifetime_seconds * kNanosPerSecond) {
    Remove(domain, id);
    found = domain->templates.end();
  }
  if (found == domain->templates.end()) return Hold(id, set, offset, message);
  found->second->alive_nanos = now;
  DecodeData(found->second.get(), set, offset, message->context, /*held=*/false, message);
}

void SetDecoder::DecodeData(TemplateEntry* entry, Octets octets, size_t offset, MessageContext* context, bool held,
                            Message* message) {
  Domain* domain = message->domain;
  const Template& format = entry->format();
  TemplateEntry::Decoded decoded;
  if (format.kind == record::RecordKind::kFlow) {
    const size_t limit = options_->max_records_per_set * format.record_octets;
    const bool too_many = octets.size() > limit;
    decoded = entry->DecodeFlows(too_many ? octets.first(limit) : octets, context, message->output, &message->teller);
    domain->flow_records += decoded.records;
    if (too_many) {
      ++domain->rejected_sets;
      message->Fail(DecodeCode::kLimitExceeded, held ? 0 : offset + decoded.octets);
      message->decoded.uncounted |= !held;
      return;
    }
  } else {
    record::ElementListener* listener = message->output.listener;
    decoded = entry->Visit(octets, [&](Octets record, const RecordShape* shape) {
      if (listener != nullptr) {
        message->teller.TellRecord(format, record, shape, record::RecordKind::kOption, listener);
      }
      const DecodeCode code = LearnFromOptions(format, record, shape, *options_, domain);
      if (code != DecodeCode::kOk) message->Fail(code, held ? 0 : offset);
      if (listener != nullptr) listener->OnRecordEnd(0);
    });
    entry->records += decoded.records;
    domain->option_records += decoded.records;
  }
  if (!held) message->decoded.records += decoded.records;
  const Octets rest = octets.subspan(decoded.octets);
  // Up to three octets align the next set; RFC 7011, 3.3.1 allows any that are shorter than a record, and zero.
  if (rest.size() < 4 && decoded.records > 0) return;
  if (rest.empty() || IsZero(rest)) return;
  const size_t at = held ? 0 : offset + decoded.octets;
  if (decoded.records == 0) {
    ++domain->rejected_sets;
    message->Fail(DecodeCode::kBadLength, at);
  } else {
    message->Fail(DecodeCode::kTrailingOctets, at);
  }
}

void SetDecoder::DropOldest(Domain* domain) {
  const size_t octets = domain->pending.front().octets.size();
  domain->pending_octets -= octets;
  domains_->pending_octets -= octets;
  domain->pending.pop_front();
  ++domain->rejected_sets;
  domain->errors.Count(DecodeCode::kTemplateUnknown);
}

void SetDecoder::DropStale(int64_t now_nanos, Domain* domain) {
  const int64_t oldest = now_nanos - options_->pending_lifetime_seconds * kNanosPerSecond;
  while (!domain->pending.empty() && domain->pending.front().context.arrival_nanos < oldest) DropOldest(domain);
}

void SetDecoder::Hold(uint16_t id, Octets octets, size_t offset, Message* message) {
  Domain* domain = message->domain;
  message->decoded.uncounted = true;
  if (octets.empty()) return;
  if (octets.size() <= options_->max_pending_octets_per_domain) {
    while (!domain->pending.empty() &&
           domain->pending_octets + octets.size() > options_->max_pending_octets_per_domain) {
      DropOldest(domain);
    }
    if (domains_->pending_octets + octets.size() <= options_->max_pending_octets) {
      domain->pending.push_back({id, std::string(base::AsText(octets)), *message->context});
      domain->pending_octets += octets.size();
      domains_->pending_octets += octets.size();
      return;
    }
  }
  ++domain->rejected_sets;
  message->Fail(DecodeCode::kTemplateUnknown, offset);
}

void SetDecoder::DecodeHeld(TemplateEntry* entry, Message* message) {
  Domain* domain = message->domain;
  for (auto it = domain->pending.begin(); it != domain->pending.end();) {
    if (it->template_id != entry->format().id) {
      ++it;
      continue;
    }
    MessageContext context = it->context;
    context.misfits = 0;
    context.clock_repairs = 0;
    context.sections = message->context->sections;
    DecodeData(entry, base::AsOctets(it->octets), 0, &context, /*held=*/true, message);
    message->context->misfits += context.misfits;
    message->context->clock_repairs += context.clock_repairs;
    domain->pending_octets -= it->octets.size();
    domains_->pending_octets -= it->octets.size();
    it = domain->pending.erase(it);
  }
}

}  // namespace flowacct::flow
