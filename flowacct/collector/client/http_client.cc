#include "flowacct/collector/client/http_client.h"

#include <curl/curl.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

// What a request fills, and what may end it.
struct Receiving {
  std::string body;
  size_t max_octets = 0;
  bool too_long = false;
  const std::function<bool()>* interrupted = nullptr;
};

size_t OnOctets(char* octets, size_t size, size_t count, void* receiving) {
  auto* const to = static_cast<Receiving*>(receiving);
  if (to->body.size() + size * count > to->max_octets) {
    to->too_long = true;
    return 0;
  }
  to->body.append(octets, size * count);
  return size * count;
}

int OnProgress(void* receiving, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* const of = static_cast<const Receiving*>(receiving);
  return *of->interrupted && (*of->interrupted)() ? 1 : 0;
}

}  // namespace

HttpClient::HttpClient(CollectorAddress address, HttpClientOptions options)
    : address_(std::move(address)), options_(std::move(options)), curl_(curl_easy_init()) {}

HttpClient::~HttpClient() { curl_easy_cleanup(curl_); }

std::string HttpClient::Escape(absl::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    // RFC 3986, 2.3: unreserved.
    if (absl::ascii_isalnum(octet) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[octet >> 4], kDigits[octet & 0xf]});
    }
  }
  return out;
}

absl::StatusOr<HttpAnswer> HttpClient::Ask(absl::string_view target, bool post, absl::string_view body) {
  if (curl_ == nullptr) return absl::InternalError("libcurl does not start");
  Receiving receiving;
  receiving.max_octets = options_.max_answer_octets;
  receiving.interrupted = &options_.interrupted;
  char reason[CURL_ERROR_SIZE] = "";
  const std::string url = absl::StrCat(address_.url, target);
  curl_easy_reset(curl_);
  curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_PROXY, "");
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, OnOctets);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &receiving);
  curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &receiving);
  if (!address_.unix_path.empty()) {
    curl_easy_setopt(curl_, CURLOPT_UNIX_SOCKET_PATH, address_.unix_path.c_str());
  }
  if (post) {
    curl_easy_setopt(curl_, CURLOPT_POST, 1L);
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  }
  curl_slist* const headers = body.empty() ? nullptr : curl_slist_append(nullptr, "Content-Type: application/json");
  if (headers != nullptr) curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  const CURLcode code = curl_easy_perform(curl_);
  curl_slist_free_all(headers);
  if (code == CURLE_OK) {
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    answer.body = std::move(receiving.body);
    return answer;
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) return absl::CancelledError("interrupted");
  if (receiving.too_long) {
    return absl::ResourceExhaustedError(
        absl::StrCat(address_.text, " answers with more than ", options_.max_answer_octets, " octets; ask for less"));
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return absl::DeadlineExceededError(absl::StrCat(address_.text,
                                                    " does not answer in time; is the machine there, and "
                                                    "no firewall between?"));
  }
  const char* const text = reason[0] != '\0' ? reason : curl_easy_strerror(code);
  return absl::UnavailableError(
      absl::StrCat("no collector answers at ", address_.text, " (", text,
                   "); start flowacct-collector, or give the ADDRESS that its configuration has for admin"));
}

}  // namespace flowacct::collector
