// Answers questions to stores, each on a thread of its own: few at once, and nobody waits for ever.
//
// Guaranteed: Ask returns after `patience` at the latest, whatever the store does; no more than `max_at_once` questions
// are being answered, also of those that nobody waits for any more, which are told to stop.
// Ownership: what a question uses it owns, so that one whose store never returns is left behind with its thread.
// Threads: any may call. Errors: of query::Ask; Unavailable if there is no place, DeadlineExceeded after `patience`.

#ifndef FLOWACCT_COLLECTOR_SERVER_QUESTION_DESK_H_
#define FLOWACCT_COLLECTOR_SERVER_QUESTION_DESK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "flowacct/query/answer.h"
#include "flowacct/query/ask.h"
#include "flowacct/query/group_store.h"

namespace flowacct::collector {

struct QuestionDeskOptions {
  // A question may take a processor, and the memory of its groups.
  size_t max_at_once = 2;
  // Below the time that a connection of the administration has.
  absl::Duration patience = absl::Seconds(30);
  // A fifth of what a program that does nothing else allows itself: some 100 MB for each.
  query::AskOptions limits = {200000, 2000000, 100000, nullptr};
};

// Whom a question is asked.
struct OpenedStore {
  std::unique_ptr<query::GroupStore> store;
  // Where the first of the bins begins that still fill, by table; seconds since 1970.
  std::map<std::string, int64_t> filling;
};

class QuestionDesk {
 public:
  explicit QuestionDesk(QuestionDeskOptions options = {});
  // Tells those that are being answered to stop, and waits for them a little.
  ~QuestionDesk();
  QuestionDesk(const QuestionDesk&) = delete;
  QuestionDesk& operator=(const QuestionDesk&) = delete;

  // `open` is called on the question's thread, and owns all that it uses.
  absl::StatusOr<std::string> Ask(const std::string& question, const query::AnswerFormat& format,
                                  std::function<absl::StatusOr<OpenedStore>()> open);

 private:
  struct State;
  struct Work;
  static absl::StatusOr<std::string> Answer(const Work& work);

  const QuestionDeskOptions options_;
  const std::shared_ptr<State> state_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_SERVER_QUESTION_DESK_H_
