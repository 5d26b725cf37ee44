// A template in use: what its records hold, and the plans that decode them. Shared by all templates that have the same
// fields, of whichever exporter and id: devices of one kind send the same templates by the thousand, and a plan depends
// on the fields and the layout alone.
//
// Ownership: CompiledTemplates owns them and borrows the layout; a CompiledTemplateRef keeps one alive and must not
// outlive the table. Threads: one at a time for a table with all its templates, as a plan patches its prototype a set.
// Errors: none; what a template may be, MakeTemplate has judged. Cost: some 2 KiB for twenty fields (memory_octets),
// and a look-up by content for each that comes; a ref is 8 octets.

#ifndef FLOWACCT_FLOW_TEMPLATE_COMPILED_TEMPLATE_H_
#define FLOWACCT_FLOW_TEMPLATE_COMPILED_TEMPLATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/flow/template/template.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow {

class CompiledTemplates;
class RecordTeller;  // record_teller.h

class CompiledTemplate {
 public:
  CompiledTemplate(const CompiledTemplate&) = delete;
  CompiledTemplate& operator=(const CompiledTemplate&) = delete;

  const Template& format() const { return format_; }

  struct Decoded {
    size_t records = 0;
    size_t reverse_records = 0;  // of these, those that are biflows and so two rows
    size_t octets = 0;           // of whole records
  };
  // Decodes the whole records at the front of `octets` to rows of output.flows. What is left is
  // the caller's to judge. `id`: that by which the set refers to the template. `teller` is needed if output.listener is
  // set.
  Decoded DecodeFlows(uint16_t id, base::Octets octets, MessageContext* context, const record::DecodeOutput& output,
                      RecordTeller* teller);
  // Calls `visit(record octets, shape)` for each whole record; shape is null for fixed records.
  template <typename Visitor>
  Decoded Visit(base::Octets octets, Visitor visit) {
    Decoded decoded;
    while (octets.size() - decoded.octets >= format_.record_octets) {
      size_t length = format_.record_octets;
      if (format_.variable) length = WalkRecord(format_, octets.subspan(decoded.octets), &shape_);
      if (length == 0) break;
      visit(octets.subspan(decoded.octets, length), format_.variable ? &shape_ : nullptr);
      ++decoded.records;
      decoded.octets += length;
    }
    return decoded;
  }

  // All that it takes of the heap.
  size_t memory_octets() const;

 private:
  friend class CompiledTemplateRef;
  friend class CompiledTemplates;

  CompiledTemplate(CompiledTemplates* table, Template format);
  void Compile();
  // Whether it is a biflow.
  bool DecodeOne(base::Octets record, const RecordShape* shape, MessageContext* context, record::FlowBatch* batch);

  CompiledTemplates* table_;
  const Template format_;
  RecordShape shape_;  // of the record being read, if the template is variable
  std::unique_ptr<DecodePlan> forward_;
  std::unique_ptr<DecodePlan> reverse_;  // null: never a biflow
  uint32_t generation_ = 0;              // of the layout that the plans are for
  uint32_t uses_ = 0;
};

class CompiledTemplateRef {
 public:
  CompiledTemplateRef() = default;
  explicit CompiledTemplateRef(CompiledTemplate* compiled) : compiled_(compiled) { ++compiled->uses_; }
  CompiledTemplateRef(CompiledTemplateRef&& other) noexcept : compiled_(std::exchange(other.compiled_, nullptr)) {}
  CompiledTemplateRef& operator=(CompiledTemplateRef&& other) noexcept {
    std::swap(compiled_, other.compiled_);
    return *this;
  }
  ~CompiledTemplateRef();

  CompiledTemplate* get() const { return compiled_; }
  CompiledTemplate* operator->() const { return compiled_; }

 private:
  CompiledTemplate* compiled_ = nullptr;
};

class CompiledTemplates {
 public:
  // `version` of the export protocol (10: IPFIX, else a NetFlow).
  CompiledTemplates(const record::Layout* layout, uint16_t version) : layout_(layout), version_(version) {}
  CompiledTemplates(const CompiledTemplates&) = delete;
  CompiledTemplates& operator=(const CompiledTemplates&) = delete;

  // The compiled template that is as `format`.
  CompiledTemplateRef Intern(Template format);
  // From now on rows have another layout, which replaces the borrowed one. Plans are made anew when they are next
  // needed.
  void Rebind(const record::Layout* layout) {
    layout_ = layout;
    ++generation_;
  }

  size_t size() const { return templates_.size(); }
  // Of all of them, together with the table.
  size_t memory_octets() const;

 private:
  friend class CompiledTemplate;
  friend class CompiledTemplateRef;

  struct ByContent {
    using is_transparent = void;
    static const Template& Of(const std::unique_ptr<CompiledTemplate>& compiled) { return compiled->format(); }
    static const Template& Of(const Template& format) { return format; }
  };
  struct Hash : ByContent {
    template <typename T>
    size_t operator()(const T& t) const {
      return absl::Hash<Template>()(Of(t));
    }
  };
  struct Equal : ByContent {
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) == Of(b);
    }
  };

  void Release(CompiledTemplate* compiled);

  const record::Layout* layout_;
  const uint16_t version_;
  uint32_t generation_ = 1;
  size_t octets_ = 0;  // of the templates
  absl::flat_hash_set<std::unique_ptr<CompiledTemplate>, Hash, Equal> templates_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_COMPILED_TEMPLATE_H_
