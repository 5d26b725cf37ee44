#include "flowacct/collector/connection/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace flowacct::collector {
namespace {

// The library's first reason; it keeps them in a queue of the thread.
std::string Reason() {
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  if (reason != nullptr) return reason;
  return ERR_SYSTEM_ERROR(error) ? std::strerror(ERR_GET_REASON(error)) : "no reason given";
}

absl::Status FileError(absl::string_view option, absl::string_view file) {
  return absl::InvalidArgumentError(absl::StrCat(option, " '", file, "': ", Reason()));
}

}  // namespace

TlsContext::TlsContext(TlsRole role, const TlsOptions& options)
    : role_(role),
      allowed_names_(options.allowed_names),
      asks_for_certificate_(role == TlsRole::kClient || !options.ca_file.empty()) {}

TlsContext::~TlsContext() { SSL_CTX_free(static_cast<SSL_CTX*>(context_)); }

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::New(TlsRole role, const TlsOptions& options) {
  const bool server = role == TlsRole::kServer;
  if (server && options.certificate_file.empty()) {
    return absl::InvalidArgumentError("certificate_file is empty; a TLS server needs a certificate and its key");
  }
  if (options.certificate_file.empty() && !options.key_file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key_file '", options.key_file, "' is given without a certificate_file"));
  }
  if (server && options.ca_file.empty() && !options.allowed_names.empty()) {
    return absl::InvalidArgumentError(
        "allowed_names are given without a ca_file, so that no client's certificate is asked for");
  }
  ERR_clear_error();
  std::shared_ptr<TlsContext> result(new TlsContext(role, options));
  SSL_CTX* context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  if (context == nullptr) return absl::InternalError(absl::StrCat("OpenSSL: ", Reason()));
  result->context_ = context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A peer that just closes is a peer that closes: that messages are missing, their sequence numbers tell.
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Idle connections keep no buffers; what could not be written may be tried again from elsewhere.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);

  if (!options.certificate_file.empty()) {
    const std::string& key_file = options.key_file.empty() ? options.certificate_file : options.key_file;
    if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
      return FileError("certificate_file", options.certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
      return FileError("key_file", key_file);
    }
  }
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) return FileError("ca_file", options.ca_file);
    if (server) SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.ca_file.c_str()));
  } else if (!server && SSL_CTX_set_default_verify_paths(context) != 1) {
    return absl::InternalError(absl::StrCat("the system's authorities: ", Reason()));
  }
  SSL_CTX_set_verify(
      context, result->asks_for_certificate_ ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
      nullptr);
  ERR_clear_error();
  return std::shared_ptr<const TlsContext>(std::move(result));
}

}  // namespace flowacct::collector
