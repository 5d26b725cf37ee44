#include "flowacct/collector/service/service.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <optional>

#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

std::atomic<bool> end_asked{false};

// The folder and what is in it; links are not followed.
bool GiveFolder(const std::string& path, uid_t uid, gid_t gid) {
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) return false;
  bool given = fchown(dirfd(folder), uid, gid) == 0;
  for (const dirent* entry = readdir(folder); given && entry != nullptr; entry = readdir(folder)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    given = fchownat(dirfd(folder), entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0;
  }
  closedir(folder);
  return given;
}

sigset_t ServiceSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void BlockSignals() {
  const sigset_t signals = ServiceSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int RunService(const ServiceCalls& calls) {
  sd_notify(0, "READY=1");
  uint64_t watchdog_usec = 0;
  const bool has_watchdog = sd_watchdog_enabled(0, &watchdog_usec) > 0;
  const sigset_t signals = ServiceSignals();
  const timespec second = {1, 0};
  std::time_t last_word = 0;
  while (!end_asked) {
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGTERM || signal == SIGINT) {
      sd_notify(0, "STOPPING=1");
      return signal;
    }
    if (signal == SIGHUP && calls.reload) {
      timespec now{};
      clock_gettime(CLOCK_MONOTONIC, &now);
      sd_notify(
          0, absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000).c_str());
      calls.reload();
      sd_notify(0, "READY=1");
    }
    if (calls.every_second) calls.every_second();
    const std::time_t now = std::time(nullptr);
    if (has_watchdog && now != last_word && (!calls.is_alive || calls.is_alive())) {
      sd_notify(0, "WATCHDOG=1");
      last_word = now;
    }
  }
  sd_notify(0, "STOPPING=1");
  return 0;
}

void EndService() {
  end_asked = true;
  kill(getpid(), SIGUSR1);
}

void NotifyStatus(absl::string_view line) { sd_notify(0, absl::StrCat("STATUS=", line).c_str()); }

absl::Status DropPrivileges(const std::string& user, const std::string& group, const std::string& folder) {
  if (user.empty() && group.empty()) return absl::OkStatus();
  std::optional<gid_t> gid;
  std::optional<uid_t> uid;
  if (!user.empty()) {
    const passwd* entry = getpwnam(user.c_str());
    if (entry == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("user: there is no \"", user, "\"; make it with adduser --system ", user));
    }
    uid = entry->pw_uid;
    gid = entry->pw_gid;
  }
  if (!group.empty()) {
    const struct group* entry = getgrnam(group.c_str());
    if (entry == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("group: there is no \"", group, "\"; make it with addgroup --system ", group));
    }
    gid = entry->gr_gid;
  }
  const auto denied = [&](const char* what) {
    return absl::PermissionDeniedError(absl::StrCat(what, ": ", std::strerror(errno), "; start the collector as root"));
  };
  if (uid && !folder.empty() && !GiveFolder(folder, *uid, gid.value_or(getgid()))) {
    return absl::PermissionDeniedError(absl::StrCat(folder, ": cannot be given to ", user, ": ", std::strerror(errno),
                                                    "; start the collector as root"));
  }
  if (gid) {
    if (setgroups(0, nullptr) != 0 || setgid(*gid) != 0) return denied("group");
  }
  if (uid) {
    if (setuid(*uid) != 0) return denied("user");
    // A core of a process that changed its user is not written unless it says so.
    prctl(PR_SET_DUMPABLE, 1);
  }
  return absl::OkStatus();
}

absl::Status RestrictSystemCalls() {
  // What the collector, its libraries and the C library's allocator, clocks and threads use while they run. Others are
  // refused rather than killed for: a library's rare path may fail, the accounting goes on.
  static constexpr const char* kAllowed[] = {
      "accept",
      "accept4",
      "access",
      "bind",
      "brk",
      "clock_gettime",
      "clock_nanosleep",
      "clone",
      "clone3",
      "close",
      "connect",
      "dup",
      "epoll_create1",
      "epoll_ctl",
      "epoll_pwait",
      "epoll_wait",
      "eventfd2",
      "exit",
      "exit_group",
      "faccessat",
      "faccessat2",
      "fadvise64",
      "fallocate",
      "fchmod",
      "fcntl",
      "fdatasync",
      "flock",
      "fstat",
      "fsync",
      "ftruncate",
      "futex",
      "getdents64",
      "getpeername",
      "getpid",
      "getppid",
      "getrandom",
      "getrlimit",
      "getrusage",
      "getsockname",
      "getsockopt",
      "gettid",
      "gettimeofday",
      "getuid",
      "geteuid",
      "getgid",
      "getegid",
      "inotify_add_watch",
      "inotify_init1",
      "ioctl",
      "kill",
      "listen",
      "lseek",
      "madvise",
      "membarrier",
      "mkdir",
      "mkdirat",
      "mmap",
      "mprotect",
      "mremap",
      "munmap",
      "nanosleep",
      "newfstatat",
      "open",
      "openat",
      "pipe2",
      "poll",
      "ppoll",
      "prctl",
      "pread64",
      "prlimit64",
      "pwrite64",
      "read",
      "readlink",
      "readlinkat",
      "readv",
      "recvfrom",
      "recvmmsg",
      "recvmsg",
      "rename",
      "renameat",
      "renameat2",
      "restart_syscall",
      "rseq",
      "rt_sigaction",
      "rt_sigprocmask",
      "rt_sigreturn",
      "rt_sigtimedwait",
      "sched_getaffinity",
      "sched_yield",
      "select",
      "sendmmsg",
      "sendmsg",
      "sendto",
      "set_robust_list",
      "setsockopt",
      "shutdown",
      "sigaltstack",
      "socket",
      "socketpair",
      "stat",
      "statfs",
      "statx",
      "sysinfo",
      "tgkill",
      "umask",
      "uname",
      "unlink",
      "unlinkat",
      "utimensat",
      "write",
      "writev",
  };
  const scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  bool ok = context != nullptr;
  for (const char* name : kAllowed) {
    const int number = seccomp_syscall_resolve_name(name);
    if (ok && number >= 0) ok = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0) == 0;
  }
  // All threads, also those that run already.
  ok = ok && seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && seccomp_load(context) == 0;
  if (context != nullptr) seccomp_release(context);
  if (ok) return absl::OkStatus();
  return absl::FailedPreconditionError("seccomp: the system does not take a filter; set seccomp: false");
}

}  // namespace flowacct::collector
