// Asks a store a question: all that is not summing by groups, in one place for every store.
//
// * Table: the one that is named, else the only one that has all fields and values; of it and its rollups the coarsest
//   whose bins fit the bounds and the steps, and that holds the whole time. Percentiles are of the bins of the table
//   itself, so they take no rollup.
// * Time: bounds are moved back to whole bins (a note tells, unless they are relative to now); rates are over the time
//   asked, with or without traffic.
// * Order: by value, ties by group, so that equal data gives equal answers.
// * Others are the total less what is shown: exact for sums, rates, shares and percentiles; absent for min and max.
// * A step, or a bin of a percentile, without traffic counts as zero.
// * An earlier period is told of the groups that are shown. Change is in percent, absent where there was nothing.
//
// Threads: one at a time. Errors: InvalidArgument for what the store's tables cannot answer, with what they can;
// ResourceExhausted for more groups or cells than the options allow, with what to do; the store's own.
// Cost: one request to the store for the groups, one for the total if it is needed, the same again with steps and for
// the earlier period; where calendar steps differ in length, one for each step.

#ifndef FLOWACCT_QUERY_ASK_H_
#define FLOWACCT_QUERY_ASK_H_

#include <atomic>
#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/group_store.h"
#include "flowacct/query/question.h"
#include "flowacct/record/custom_fields.h"

namespace flowacct::query {

struct AskOptions {
  // Of one answer, in memory: a few hundred octets each.
  size_t max_groups = 1000000;
  // Groups times steps, and of percentiles groups times bins with traffic.
  size_t max_cells = 10000000;
  // Steps of `every`: more than any chart has columns.
  size_t max_steps = 100000;
  // As of GroupRequest: set by another thread, it ends the question with Cancelled.
  const std::atomic<bool>* stop = nullptr;
};

absl::StatusOr<Answer> Ask(const Question& question, GroupStore& store, absl::Time now, const AskOptions& options = {});

// The question as a person wrote it: fields go by the registry's names, and for each table by those that it has for
// them, as a configuration gave them. Errors: also those of ParseQuestion.
absl::StatusOr<Answer> Ask(absl::string_view text, GroupStore& store, absl::Time now, const AskOptions& options = {},
                           const QuestionOptions& question_options = {});

// What a person may call the table's fields, for ParseQuestion.
record::FieldNames NamesOf(const TableInfo& table);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_ASK_H_
