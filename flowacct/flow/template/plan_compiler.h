// Chooses a plan's steps: which element of a template fills which field of a layout, and with which kernel. Internal to
// the plan. Runs once a template and layout; cost: fields of the template times fields of the layout at worst.

#ifndef FLOWACCT_FLOW_TEMPLATE_PLAN_COMPILER_H_
#define FLOWACCT_FLOW_TEMPLATE_PLAN_COMPILER_H_

#include <cstdint>
#include <vector>

#include "flowacct/flow/template/decode_plan.h"
#include "flowacct/flow/template/plan_kernels.h"
#include "flowacct/record/field.h"

namespace flowacct::flow {

class PlanCompiler {
 public:
  PlanCompiler(DecodePlan* plan, uint16_t version, PlanDirection direction)
      : plan_(plan), format_(*plan->format_), layout_(*plan->layout_), version_(version), direction_(direction) {}

  void Compile();

 private:
  // An element of the template that may fill a field. The lowest rank wins.
  struct Candidate {
    uint16_t source;
    uint16_t rank;
  };

  void FindInnerFields();
  void CollectFields();
  // The fields of the record that a template's field may fill, with its rank there.
  template <typename Visitor>
  void VisitTargets(size_t index, Visitor visit) const;
  void CompileSections();
  void CompileField(record::FieldId target);
  void CompileIpVersion();
  void CompileIcmp();
  void CompileDurations();
  void CompileNames();
  void CompileRouteDistinguisher();
  void CompileLabels();
  void CompileSampling();
  void CompileCustom();
  void CompileConstants();

  // A step to `target` with its place in the row filled in.
  PlanStep StepTo(record::FieldId target) const;
  void Add(PlanKernel kernel, record::FieldId target, uint16_t source, uint16_t second = kNoField,
           uint16_t constant = 0);
  bool Find(uint16_t element, uint16_t* source) const;  // of IANA's, with octets
  bool HasCandidates(record::FieldId target) const { return !candidates_[static_cast<size_t>(target)].empty(); }

  DecodePlan* plan_;
  const Template& format_;
  const record::Layout& layout_;
  uint16_t version_;
  PlanDirection direction_;
  std::vector<bool> inner_;  // of the template's fields: those of the header inside a tunnel
  std::array<std::vector<Candidate>, record::kFieldCount> candidates_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_PLAN_COMPILER_H_
