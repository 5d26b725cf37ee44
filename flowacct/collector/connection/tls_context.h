// What all TLS connections of one kind share: certificate, key, whom to trust, whom to let in.
//
// Standards: TLS 1.2 and 1.3 (RFC 5246, RFC 8446); RFC 7011, 11 asks for mutual authentication and for names of RFC
// 6125. Older versions, renegotiation, compression and session tickets are off.
// Ownership: shared; connections keep the context that they began with, so that a new certificate is a new context.
// Threads: immutable, any. Errors: of making one, a Status that names the option, the file and the library's reason.

#ifndef FLOWACCT_COLLECTOR_CONNECTION_TLS_CONTEXT_H_
#define FLOWACCT_COLLECTOR_CONNECTION_TLS_CONTEXT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace flowacct::collector {

struct TlsOptions {
  // PEM: the own certificate, then those of intermediate authorities. A server needs one; a client where it is asked.
  std::string certificate_file;
  // PEM: its private key, not encrypted. Empty: in certificate_file too.
  std::string key_file;
  // PEM: authorities that the other side's certificate must come from. A server that has them refuses clients without
  // such a certificate, and one that has none asks for none. A client without them trusts those of the system.
  std::string ca_file;
  // A server: names of which a client's certificate must hold one (its DNS names, or its common name if it has none;
  // no wildcards). Empty: all that ca_file vouches for. A client: the name that the server's certificate must be for.
  // Empty: the address that is connected to.
  std::vector<std::string> allowed_names;
};

enum class TlsRole { kServer, kClient };

class TlsContext {
 public:
  static absl::StatusOr<std::shared_ptr<const TlsContext>> New(TlsRole role, const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  TlsRole role() const { return role_; }
  const std::vector<std::string>& allowed_names() const { return allowed_names_; }
  bool asks_for_certificate() const { return asks_for_certificate_; }

 private:
  friend class TlsConnection;
  TlsContext(TlsRole role, const TlsOptions& options);

  const TlsRole role_;
  const std::vector<std::string> allowed_names_;
  const bool asks_for_certificate_;
  void* context_ = nullptr;  // SSL_CTX; its header stays out of this one
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CONNECTION_TLS_CONTEXT_H_
