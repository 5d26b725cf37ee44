// Authorities and certificates for tests, made when they are needed and gone with them.
//
//     CertificateFolder folder;
//     const auto authority = folder.NewAuthority("ca");
//     const auto server = folder.NewCertificate("server", authority, {"collector.example"});
//
// Keys are of P-256, since those are made quickly. Errors: a test that cannot make one fails.

#ifndef FLOWACCT_COLLECTOR_CONNECTION_TESTING_CERTIFICATES_H_
#define FLOWACCT_COLLECTOR_CONNECTION_TESTING_CERTIFICATES_H_

#include <cstdint>
#include <string>

namespace flowacct::collector {

struct CertificateFiles {
  std::string certificate_file;  // PEM
  std::string key_file;          // PEM
};

struct CertificateStyle {
  std::string dns_name;                // a subjectAltName; empty: none
  std::string ip_address;              // the same
  int64_t valid_from_seconds = -3600;  // from now
  int64_t valid_until_seconds = 3600;

  CertificateStyle() = default;
  CertificateStyle(const char* dns_name, const char* ip_address = "", int64_t valid_from_seconds = -3600,
                   int64_t valid_until_seconds = 3600)
      : dns_name(dns_name),
        ip_address(ip_address),
        valid_from_seconds(valid_from_seconds),
        valid_until_seconds(valid_until_seconds) {}
};

class CertificateFolder {
 public:
  CertificateFolder();
  ~CertificateFolder();

  // Signed by itself; may sign others.
  CertificateFiles NewAuthority(const std::string& common_name);
  CertificateFiles NewCertificate(const std::string& common_name, const CertificateFiles& authority,
                                  const CertificateStyle& style = {});
  // A file of the folder.
  std::string Write(const std::string& name, const std::string& content);

 private:
  std::string path_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_CONNECTION_TESTING_CERTIFICATES_H_
