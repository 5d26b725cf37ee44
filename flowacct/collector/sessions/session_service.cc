#include "flowacct/collector/sessions/session_service.h"

#include <utility>

#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/read_control_message.h"

namespace flowacct::collector {
namespace {

// Pieces of some 100 us each (SessionEngine::Advance).
constexpr int kAdvanceSteps = 50;

}  // namespace

SessionService::SessionService(session::SessionOptions options) : engine_(&epochs_, std::move(options)) {}

void SessionService::Take(base::Octets datagram, const session::Transport& transport) {
  base::MutexLock lock(&mutex_);
  while (!datagram.empty()) {
    gtp::MessageView view;
    base::DecodeResult result = gtp::MessageView::Parse(datagram, &view);
    if (result.ok()) result = gtp::ReadControlMessage(view, &message_);
    decoded_.Count(result.code);
    if (!result.ok()) return;
    elements_unreadable_ += message_.bad_elements;
    engine_.Take(message_, transport);
    if (!view.is_piggybacked()) return;
    datagram.remove_prefix(view.size());
  }
}

void SessionService::Advance(int64_t now_nanos) {
  base::MutexLock lock(&mutex_);
  for (int step = 0; step < kAdvanceSteps && engine_.Advance(now_nanos); ++step) {
  }
}

void SessionService::EndAll(int64_t now_nanos) {
  base::MutexLock lock(&mutex_);
  engine_.EndAll(now_nanos);
}

std::vector<session::SessionRecord> SessionService::TakeRecords() {
  base::MutexLock lock(&mutex_);
  return engine_.TakeRecords();
}

SessionServiceStatus SessionService::Status() const {
  base::MutexLock lock(&mutex_);
  SessionServiceStatus status;
  status.counters = engine_.counters();
  status.decoded = decoded_;
  status.elements_unreadable = elements_unreadable_;
  status.contexts = engine_.contexts();
  status.transactions = engine_.transactions();
  status.octets = engine_.octets();
  return status;
}

void SessionService::Visit(absl::FunctionRef<void(const session::SessionEngine&)> visit) const {
  base::MutexLock lock(&mutex_);
  visit(engine_);
}

std::string SessionService::Save() const {
  base::MutexLock lock(&mutex_);
  return engine_.Save();
}

absl::Status SessionService::Restore(base::Octets sealed) {
  base::MutexLock lock(&mutex_);
  return engine_.Restore(sealed);
}

}  // namespace flowacct::collector
