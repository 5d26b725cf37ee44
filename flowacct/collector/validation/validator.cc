#include "flowacct/collector/validation/validator.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/socket_address.h"
#include "flowacct/rpki/client.h"
#include "flowacct/rpki/vrp_table.h"

namespace flowacct::collector {
namespace {

// Of one cache, before others have their turn: some 2 ms of work.
constexpr size_t kReadOctets = size_t{256} << 10;
// What a cache still sends is thrown away before its connection is closed, so that an Error Report is not lost with it.
constexpr int kLastReads = 16;
// A connection that lasted so long was one: the next attempt after it comes soon.
constexpr absl::Duration kGoodConnection = absl::Minutes(1);
constexpr size_t kMaxErrorOctets = 200;

int64_t MonotonicNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

// What a cache says is for people's eyes: nothing that a terminal obeys, and no more than a line.
std::string Printable(absl::string_view text) {
  std::string printable(text.substr(0, kMaxErrorOctets));
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = ' ';
  }
  return printable;
}

std::string ErrorText(rpki::ErrorCode code) {
  const absl::string_view text = rpki::ErrorCodeText(code);
  return text.empty() ? absl::StrCat("error ", static_cast<unsigned>(code)) : std::string(text);
}

}  // namespace

// One cache: its connection, and when the next one is due.
class Validator::Cache final : public rpki::ClientListener {
 public:
  Cache(const ValidationOptions& options, std::string name, Endpoint endpoint)
      : options_(options),
        name_(std::move(name)),
        endpoint_(std::move(endpoint)),
        pause_(options.first_retry),
        client_(options.client, this) {}

  void OnUpdate(const rpki::VrpSet&) override { changed_ = true; }
  void OnClosed(rpki::ErrorCode code, bool from_cache, absl::string_view text) override {
    const std::string what = ErrorText(code);
    if (!from_cache) {
      error_ = text.empty() ? what : std::string(text);
    } else {
      error_ = absl::StrCat("the cache reports ", what, text.empty() ? "" : ": ", Printable(text));
    }
  }

  // What is due, and what `events` of poll(2) told. True: the set is another.
  bool Step(short events, absl::Time now, uint8_t* buffer) {
    const bool had_set = has_set();
    if (phase_ == Phase::kWaiting && now >= due_) Connect(now);
    if (phase_ == Phase::kConnecting) FinishConnecting(events, now);
    if (phase_ == Phase::kOpen) Converse(events, now, buffer);
    if (phase_ != Phase::kOpen && now >= client_.expires()) client_.Tick(now);
    if (client_.counters().updates != updates_) {
      updates_ = client_.counters().updates;
      updated_ = now;
      logged_.clear();
    }
    return std::exchange(changed_, false) || has_set() != had_set;
  }
  pollfd Waits() const {
    switch (phase_) {
      case Phase::kWaiting:
        break;
      case Phase::kConnecting:
        return {socket_.get(), POLLOUT, 0};
      case Phase::kOpen:
        return {socket_.get(), static_cast<short>(client_.output().empty() ? POLLIN : POLLIN | POLLOUT), 0};
    }
    return {-1, 0, 0};
  }
  absl::Time deadline() const {
    if (phase_ == Phase::kOpen) return client_.deadline();
    return std::min(due_, client_.expires());
  }

  const rpki::VrpSet& vrps() const { return client_.vrps(); }
  bool has_set() const { return client_.expires() != absl::InfiniteFuture(); }
  bool has_settled() const { return has_set() || failures_ != 0 || client_.state() == rpki::ClientState::kNoData; }
  // An error that is to be logged; each once until the cache is heard again.
  bool TakeError(std::string* line) {
    if (last_error_.empty() || last_error_ == logged_) return false;
    logged_ = last_error_;
    *line = absl::StrCat("rpki: ", name_, ": ", last_error_);
    return true;
  }
  RpkiCacheStatus Tell() const {
    const rpki::ClientCounters& counters = client_.counters();
    RpkiCacheStatus told;
    told.cache = name_;
    told.state = phase_ == Phase::kConnecting ? "connecting" : std::string(rpki::ClientStateName(client_.state()));
    told.version = client_.version();
    if (client_.has_session()) {
      told.session = client_.session_id();
      told.serial = client_.serial();
    }
    told.vrps = client_.vrps().size();
    told.connections = connections_;
    told.failures = failures_;
    told.updates = counters.updates;
    told.announced = counters.announced;
    told.withdrawn = counters.withdrawn;
    told.flushed = counters.flushed;
    told.errors_sent = counters.errors_sent;
    told.errors_received = counters.errors_received;
    told.updated = updated_;
    told.expires = client_.expires();
    told.last_error = last_error_;
    return told;
  }

 private:
  enum class Phase : uint8_t { kWaiting, kConnecting, kOpen };

  void Connect(absl::Time now) {
    absl::StatusOr<Descriptor> socket = OpenSocket(endpoint_);
    const absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint_);
    if (!socket.ok() || !address.ok()) {
      return Lose(std::string((socket.ok() ? address.status() : socket.status()).message()), now);
    }
    const int on = 1;
    setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    // A cache may say nothing for an hour; whether it is still there shows sooner.
    setsockopt(socket->get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    const bool connected = connect(socket->get(), address->get(), address->length) == 0;
    const int error = errno;
    if (!connected && error != EINPROGRESS) return Lose(std::strerror(error), now);
    socket_ = *std::move(socket);
    phase_ = Phase::kConnecting;
    due_ = now + options_.connect_timeout;
  }

  void FinishConnecting(short events, absl::Time now) {
    pollfd one = {socket_.get(), POLLOUT, 0};
    if (events == 0 && poll(&one, 1, 0) > 0) events = one.revents;
    if (events == 0) {
      if (now >= due_) Lose("does not answer within connect_timeout", now);
      return;
    }
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return Lose(std::strerror(error), now);
    phase_ = Phase::kOpen;
    opened_ = now;
    ++connections_;
    error_.clear();
    client_.Connected(now);
  }

  void Converse(short events, absl::Time now, uint8_t* buffer) {
    const uint64_t downgrades = client_.counters().downgrades;
    if (now >= client_.deadline()) client_.Tick(now);
    if ((events & (POLLIN | POLLERR | POLLHUP)) != 0 && !client_.closing()) {
      const ssize_t n = recv(socket_.get(), buffer, kReadOctets, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        return Lose(n == 0 ? "the cache closed the connection" : std::strerror(errno), now);
      }
      if (n > 0) client_.Receive(base::Octets(buffer, static_cast<size_t>(n)), now);
    }
    while (!client_.output().empty()) {
      const base::Octets output = client_.output();
      const ssize_t n = send(socket_.get(), output.data(), output.size(), MSG_NOSIGNAL);
      if (n > 0) {
        client_.ConsumeOutput(static_cast<size_t>(n));
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else if (client_.closing()) {
        break;  // it takes not even that
      } else if (n < 0 && errno == EAGAIN) {
        return;
      } else {
        return Lose(std::strerror(errno), now);
      }
    }
    if (!client_.closing()) return;
    shutdown(socket_.get(), SHUT_WR);
    for (int i = 0; i < kLastReads && recv(socket_.get(), buffer, kReadOctets, 0) > 0; ++i) {
    }
    Lose(error_, now);
    if (client_.counters().downgrades != downgrades) due_ = now;  // it speaks the older version
  }

  void Lose(std::string why, absl::Time now) {
    if (phase_ == Phase::kOpen) {
      client_.Disconnected(now);
      if (now - opened_ >= kGoodConnection) pause_ = options_.first_retry;
    }
    socket_.Reset();
    phase_ = Phase::kWaiting;
    ++failures_;
    last_error_ = std::move(why);
    pause_ = std::min(pause_, client_.retry());
    due_ = now + pause_;
    pause_ *= 2;
  }

  const ValidationOptions& options_;
  const std::string name_;
  const Endpoint endpoint_;
  Phase phase_ = Phase::kWaiting;
  Descriptor socket_;
  absl::Time due_ = absl::InfinitePast();  // the next attempt, or the end of one
  absl::Duration pause_;
  absl::Time opened_ = absl::InfinitePast();
  absl::Time updated_ = absl::InfinitePast();
  uint64_t connections_ = 0, failures_ = 0, updates_ = 0;
  bool changed_ = false;
  std::string error_;  // of this connection
  std::string last_error_, logged_;
  rpki::Client client_;
};

absl::StatusOr<std::unique_ptr<Validator>> Validator::New(const ValidationOptions& options,
                                                          std::shared_ptr<rpki::PublishedVrps> published,
                                                          std::function<void(absl::string_view)> log) {
  if (absl::Status status = CheckValidationOptions(options); !status.ok()) return status;
  std::unique_ptr<Validator> validator(new Validator(options, std::move(published), std::move(log)));
  if (absl::Status status = validator->Open(); !status.ok()) return status;
  return validator;
}

Validator::Validator(const ValidationOptions& options, std::shared_ptr<rpki::PublishedVrps> published,
                     std::function<void(absl::string_view)> log)
    : options_(options), published_(std::move(published)), log_(std::move(log)), buffer_(new uint8_t[kReadOctets]) {
  start_ = absl::Now();
  start_nanos_ = MonotonicNanos();
}

Validator::~Validator() { Stop(); }

absl::Status Validator::Open() {
  event_ = Descriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event_.is_open()) return absl::ErrnoToStatus(errno, "eventfd");
  for (const std::string& cache : options_.caches) {
    absl::StatusOr<Endpoint> endpoint = ParseEndpoint(cache, {EndpointScheme::kTcp});
    if (!endpoint.ok()) return endpoint.status();
    caches_.push_back(std::make_unique<Cache>(options_, cache, *std::move(endpoint)));
  }
  for (const std::string& file : options_.roa_files) {
    files_.push_back(std::make_unique<WatchedFile>(RoaFileWatch(file, options_)));
  }
  PublishStatus();
  return absl::OkStatus();
}

absl::Time Validator::Now() const {
  // What is set on the wall is not felt by timers.
  return start_ + absl::Nanoseconds(MonotonicNanos() - start_nanos_);
}

void Validator::Start() {
  if (thread_.joinable()) return;
  const absl::Time now = Now();
  first_table_until_ = now + options_.first_table_waits;
  LookAtFiles(now);
  if (caches_.empty()) MakeTable(now);
  PublishStatus();
  thread_ = std::thread([this] { Run(); });
}

void Validator::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t octets = write(event_.get(), &one, sizeof(one));
  thread_.join();
}

void Validator::LookAtFiles(absl::Time now) {
  if (now < next_look_) return;
  next_look_ = now + options_.look_at_files;
  for (const std::unique_ptr<WatchedFile>& file : files_) {
    // Their ROAs end by the wall's time.
    table_is_old_ |= file->watch.Look(absl::Now());
    const std::string& error = file->watch.status().last_error;
    if (error == file->logged) continue;
    file->logged = error;
    if (!error.empty() && log_) {
      log_(absl::StrCat("rpki: ", file->watch.status().file, ": ", error,
                        file->watch.has_vrps() ? "; what was read before still holds" : ""));
    }
  }
}

bool Validator::AllHaveSettled() const {
  return std::all_of(caches_.begin(), caches_.end(), [](const auto& cache) { return cache->has_settled(); });
}

void Validator::MakeTable(absl::Time now) {
  if (!table_is_old_ || now < next_table_) return;
  if (first_table_ && now < first_table_until_ && !AllHaveSettled()) return;
  const absl::Time begun = Now();
  table_is_old_ = false;
  first_table_ = false;
  validates_ = false;
  std::vector<rpki::Vrp> vrps;
  for (const std::unique_ptr<Cache>& cache : caches_) {
    validates_ |= cache->has_set();
    vrps.insert(vrps.end(), cache->vrps().begin(), cache->vrps().end());
  }
  for (const std::unique_ptr<WatchedFile>& file : files_) {
    validates_ |= file->watch.has_vrps();
    vrps.insert(vrps.end(), file->watch.vrps().begin(), file->watch.vrps().end());
  }
  std::shared_ptr<const rpki::VrpTable> table;
  if (validates_) table = std::make_shared<const rpki::VrpTable>(std::move(vrps));
  vrps_ = table == nullptr ? 0 : table->size();
  octets_ = table == nullptr ? 0 : table->octets();
  ++tables_;
  published_->Publish(std::move(table));
  const absl::Time done = Now();
  next_table_ = done + std::max(options_.between_tables, 9 * (done - begun));
}

void Validator::PublishStatus() {
  RpkiStatus status;
  status.vrps = vrps_;
  status.tables = tables_;
  status.octets = octets_;
  status.validates = validates_;
  for (const std::unique_ptr<Cache>& cache : caches_) status.caches.push_back(cache->Tell());
  for (const std::unique_ptr<WatchedFile>& file : files_) status.files.push_back(file->watch.status());
  base::MutexLock lock(&mutex_);
  status_ = std::move(status);
}

RpkiStatus Validator::Status() {
  base::MutexLock lock(&mutex_);
  return status_;
}

void Validator::Run() {
  std::vector<pollfd> waiting;
  while (!stopping_.load(std::memory_order_acquire)) {
    waiting.assign(1, {event_.get(), POLLIN, 0});
    absl::Time until = files_.empty() ? absl::InfiniteFuture() : next_look_;
    for (const std::unique_ptr<Cache>& cache : caches_) {
      waiting.push_back(cache->Waits());
      until = std::min(until, cache->deadline());
    }
    if (table_is_old_) {
      until = std::min(until, first_table_ ? std::max(next_table_, first_table_until_) : next_table_);
    }
    const absl::Duration wait = absl::Ceil(std::max(until - Now(), absl::ZeroDuration()), absl::Milliseconds(1));
    poll(waiting.data(), waiting.size(), static_cast<int>(std::min(wait, absl::Hours(1)) / absl::Milliseconds(1)));
    if ((waiting[0].revents & POLLIN) != 0) {
      uint64_t wakes;
      [[maybe_unused]] const ssize_t octets = read(event_.get(), &wakes, sizeof(wakes));
    }
    const absl::Time now = Now();
    for (size_t i = 0; i < caches_.size(); ++i) {
      table_is_old_ |= caches_[i]->Step(waiting[i + 1].revents, now, buffer_.get());
      std::string line;
      if (caches_[i]->TakeError(&line) && log_) log_(line);
    }
    LookAtFiles(now);
    MakeTable(now);
    PublishStatus();
  }
}

}  // namespace flowacct::collector
