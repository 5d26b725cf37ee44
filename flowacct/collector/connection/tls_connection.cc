#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "flowacct/collector/connection/connection.h"
#include "flowacct/collector/connection/tls_context.h"

namespace flowacct::collector {
namespace {

// The library's own socket BIO writes without MSG_NOSIGNAL, so that a peer that is gone would end the process.
int SocketOf(BIO* bio) { return static_cast<const Connection*>(BIO_get_data(bio))->descriptor(); }

int BioRead(BIO* bio, char* out, int size) {
  BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY | BIO_FLAGS_IN_EOF);
  const ssize_t n = recv(SocketOf(bio), out, static_cast<size_t>(size), 0);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

int BioWrite(BIO* bio, const char* octets, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = send(SocketOf(bio), octets, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

long BioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

const BIO_METHOD* SocketBio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(made, BioRead);
    BIO_meth_set_write(made, BioWrite);
    BIO_meth_set_ctrl(made, BioControl);
    return made;
  }();
  return method;
}

ConnectionFault FaultOfVerification(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return ConnectionFault::kTlsExpired;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return ConnectionFault::kTlsWrongName;
    default:
      return ConnectionFault::kTlsUntrusted;
  }
}

}  // namespace

class TlsConnection final : public Connection {
 public:
  TlsConnection(Descriptor socket, std::shared_ptr<const TlsContext> context, const base::IpAddress& peer)
      : Connection(std::move(socket)),
        context_(std::move(context)),
        ssl_(SSL_new(static_cast<SSL_CTX*>(context_->context_))) {
    BIO* bio = BIO_new(SocketBio());
    if (ssl_ == nullptr || bio == nullptr) {
      BIO_free(bio);
      Fail(ConnectionFault::kTlsProtocol, "OpenSSL is out of memory");
      return;
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    if (context_->role() == TlsRole::kServer) {
      SSL_set_accept_state(ssl_.get());
      return;
    }
    SSL_set_connect_state(ssl_.get());
    if (context_->allowed_names().empty()) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), peer.ToString().c_str());
      return;
    }
    SSL_set_tlsext_host_name(ssl_.get(), context_->allowed_names()[0].c_str());
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    for (const std::string& name : context_->allowed_names()) SSL_add1_host(ssl_.get(), name.c_str());
  }

  IoResult Handshake() override {
    if (fault() != ConnectionFault::kNone) return {IoCode::kFailed};
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return Explain(result);
    if (context_->role() == TlsRole::kServer && !context_->allowed_names().empty() && !HasAllowedName()) {
      return Fail(ConnectionFault::kTlsWrongName, "the client's certificate holds none of allowed_names");
    }
    return {};
  }

  // A record at a time as long as one has room, so that none is left with the library (whose records have no
  // descriptor to wait for).
  IoResult Read(uint8_t* out, size_t size) override {
    if (fault() != ConnectionFault::kNone) return {IoCode::kFailed};
    size_t got = 0;
    while (size - got >= kMinReadOctets) {
      ERR_clear_error();
      size_t n = 0;
      const int result = SSL_read_ex(ssl_.get(), out + got, size - got, &n);
      if (result != 1) {
        IoResult why = Explain(result);
        why.octets = got;
        if (got > 0 && (why.code == IoCode::kWantRead || why.code == IoCode::kWantWrite)) why.code = IoCode::kOk;
        return why;
      }
      got += n;
    }
    return {IoCode::kOk, got};
  }

  IoResult Write(base::Octets octets) override {
    if (fault() != ConnectionFault::kNone) return {IoCode::kFailed};
    ERR_clear_error();
    size_t n = 0;
    const int result = SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &n);
    if (result != 1) return Explain(result);
    return {IoCode::kOk, n};
  }

  void Close() override {
    if (ssl_ != nullptr && fault() == ConnectionFault::kNone && SSL_is_init_finished(ssl_.get())) {
      ERR_clear_error();
      SSL_shutdown(ssl_.get());
      ERR_clear_error();
    }
    shutdown(descriptor(), SHUT_WR);
  }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool HasAllowedName() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    return certificate != nullptr && std::any_of(context_->allowed_names().begin(), context_->allowed_names().end(),
                                                 [&](const std::string& name) {
                                                   return X509_check_host(certificate, name.data(), name.size(),
                                                                          X509_CHECK_FLAG_NO_WILDCARDS, nullptr) == 1;
                                                 });
  }

  IoResult Explain(int result) {
    const int system_error = errno;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return {IoCode::kWantRead};
    if (error == SSL_ERROR_WANT_WRITE) return {IoCode::kWantWrite};
    if (error == SSL_ERROR_ZERO_RETURN) {
      // An end before the handshake's is no end of a stream.
      if (SSL_is_init_finished(ssl_.get())) return {IoCode::kClosed};
      return Fail(ConnectionFault::kReset, "closed within the TLS handshake");
    }
    if (error == SSL_ERROR_SYSCALL) {
      return Fail(ConnectionFault::kReset, system_error == 0 ? "closed" : std::strerror(system_error));
    }
    const unsigned long code = ERR_peek_error();
    const int reason = ERR_GET_REASON(code);
    const char* text = ERR_reason_error_string(code);
    const long verification = SSL_get_verify_result(ssl_.get());
    if (verification != X509_V_OK) {
      return Fail(FaultOfVerification(verification), X509_verify_cert_error_string(verification));
    }
    ConnectionFault fault = ConnectionFault::kTlsProtocol;
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) fault = ConnectionFault::kTlsNoCertificate;
    // Alerts of the other side: the library's reason is 1000 and the alert's number (RFC 8446, 6.2).
    if (reason >= SSL_AD_REASON_OFFSET) fault = ConnectionFault::kTlsRefused;
    return Fail(fault, text == nullptr ? "no reason given" : text);
  }

  const std::shared_ptr<const TlsContext> context_;
  const std::unique_ptr<SSL, FreeSsl> ssl_;
};

std::unique_ptr<Connection> NewTlsConnection(Descriptor socket, std::shared_ptr<const TlsContext> context,
                                             const base::IpAddress& peer) {
  return std::make_unique<TlsConnection>(std::move(socket), std::move(context), peer);
}

}  // namespace flowacct::collector
