#include "flowacct/collector/server/question_desk.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/base/mutex.h"

namespace flowacct::collector {
namespace {

// Stores that can be stopped are by then.
constexpr absl::Duration kEndPatience = absl::Seconds(2);

}  // namespace

struct QuestionDesk::Work {
  std::string question;
  const query::AnswerFormat* format = nullptr;
  std::function<absl::StatusOr<OpenedStore>()> open;
  query::AskOptions limits;
  std::atomic<bool> stop{false};
};

struct QuestionDesk::State {
  base::Mutex mutex;
  absl::flat_hash_set<Work*> open ABSL_GUARDED_BY(mutex);  // being answered
};

QuestionDesk::QuestionDesk(QuestionDeskOptions options)
    : options_(std::move(options)), state_(std::make_shared<State>()) {}

QuestionDesk::~QuestionDesk() {
  base::MutexLock lock(&state_->mutex);
  for (Work* work : state_->open) work->stop = true;
  state_->mutex.AwaitFor(
      [state = state_.get()] {
        state->mutex.AssertHeld();
        return state->open.empty();
      },
      kEndPatience);
}

absl::StatusOr<std::string> QuestionDesk::Answer(const Work& work) {
  absl::StatusOr<OpenedStore> opened = work.open();
  if (!opened.ok()) return opened.status();
  query::AskOptions limits = work.limits;
  limits.stop = &work.stop;
  absl::StatusOr<query::Answer> answer = query::Ask(work.question, *opened->store, absl::Now(), limits);
  if (!answer.ok()) return answer.status();
  if (const auto filling = opened->filling.find(answer->table);
      filling != opened->filling.end() && filling->second < answer->to_seconds) {
    answer->notes.push_back(
        absl::StrCat("bins from ", query::TimeText(filling->second, answer->zone), " on are still filling"));
  }
  return work.format->text(*answer);
}

absl::StatusOr<std::string> QuestionDesk::Ask(const std::string& question, const query::AnswerFormat& format,
                                              std::function<absl::StatusOr<OpenedStore>()> open) {
  auto work = std::make_shared<Work>();
  work->question = question;
  work->format = &format;
  work->open = std::move(open);
  work->limits = options_.limits;
  {
    base::MutexLock lock(&state_->mutex);
    if (state_->open.size() >= options_.max_at_once) {
      return absl::UnavailableError(
          absl::StrCat(state_->open.size(), " questions are being answered, which is all at once; ask again soon"));
    }
    state_->open.insert(work.get());
  }
  struct Outcome {
    base::Mutex mutex;
    std::optional<absl::StatusOr<std::string>> answer ABSL_GUARDED_BY(mutex);
  };
  auto outcome = std::make_shared<Outcome>();
  std::thread([work, outcome, state = state_] {
    absl::StatusOr<std::string> answer = Answer(*work);
    work->open = nullptr;
    {
      base::MutexLock lock(&state->mutex);
      state->open.erase(work.get());
    }
    base::MutexLock lock(&outcome->mutex);
    outcome->answer = std::move(answer);
  }).detach();
  base::MutexLock lock(&outcome->mutex);
  const bool answered = outcome->mutex.AwaitFor(
      [of = outcome.get()] {
        of->mutex.AssertHeld();
        return of->answer.has_value();
      },
      options_.patience);
  if (answered) return *std::move(outcome->answer);
  work->stop = true;
  return absl::DeadlineExceededError(absl::StrCat("the question was given up after ",
                                                  absl::FormatDuration(options_.patience),
                                                  "; ask for a shorter time, or give the store a rollup"));
}

}  // namespace flowacct::collector
