// Asks a collector over HTTP, by libcurl: one request at a time.
//
// Bounded in time and in octets of an answer. A proxy of the environment (http_proxy) is not used: a collector is asked
// where it is. Threads: one at a time. Errors: Unavailable where nobody answers, with what to do; DeadlineExceeded;
// ResourceExhausted for an answer beyond the bound; Cancelled if `interrupted` said so. A status of HTTP is no error
// here. Cost: a connection a request.

#ifndef FLOWACCT_COLLECTOR_CLIENT_HTTP_CLIENT_H_
#define FLOWACCT_COLLECTOR_CLIENT_HTTP_CLIENT_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/collector/client/collector_address.h"

namespace flowacct::collector {

struct HttpClientOptions {
  absl::Duration connect_timeout = absl::Seconds(5);
  // Of a request as a whole: a reload that reads millions of prefixes, a query over many bins.
  absl::Duration timeout = absl::Minutes(2);
  // Far more than the largest answer of a collector's defaults.
  size_t max_answer_octets = size_t{256} << 20;
  // Asked now and then during a request; true: it ends. Null: never.
  std::function<bool()> interrupted;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  HttpClient(CollectorAddress address, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // `target`: path and query, such as "/api/v1/status".
  absl::StatusOr<HttpAnswer> Get(absl::string_view target) { return Ask(target, /*post=*/false, ""); }
  // `body`: JSON, or nothing.
  absl::StatusOr<HttpAnswer> Post(absl::string_view target, absl::string_view body = "") {
    return Ask(target, /*post=*/true, body);
  }

  const CollectorAddress& address() const { return address_; }

  // `text` as a value in a query.
  static std::string Escape(absl::string_view text);

 private:
  absl::StatusOr<HttpAnswer> Ask(absl::string_view target, bool post, absl::string_view body);

  const CollectorAddress address_;
  const HttpClientOptions options_;
  void* curl_;  // CURL*
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CLIENT_HTTP_CLIENT_H_
