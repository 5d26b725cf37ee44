#include "flowacct/collector/connection/testing/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"

namespace flowacct::collector {
namespace {

template <typename T, void (*kFree)(T*)>
struct Free {
  void operator()(T* p) const { kFree(p); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;

[[noreturn]] void Give(const char* what) {
  std::fprintf(stderr, "certificates of the test: %s\n", what);
  std::abort();
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr || X509_add_ext(certificate, extension, -1) != 1) Give("extension");
  X509_EXTENSION_free(extension);
}

std::FILE* Open(const std::string& path, const char* mode) {
  std::FILE* file = std::fopen(path.c_str(), mode);
  if (file == nullptr) Give(path.c_str());
  return file;
}

// Signed by `authority`, or by itself.
CertificateFiles Make(const std::string& path, const std::string& common_name, const CertificateFiles* authority,
                      const CertificateStyle& style) {
  static int serial = 1;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), style.valid_from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), style.valid_until_seconds);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                             -1, 0);
  Key signer;
  Certificate issuer;
  if (authority != nullptr) {
    std::FILE* file = Open(authority->key_file, "r");
    signer.reset(PEM_read_PrivateKey(file, nullptr, nullptr, nullptr));
    std::fclose(file);
    file = Open(authority->certificate_file, "r");
    issuer.reset(PEM_read_X509(file, nullptr, nullptr, nullptr));
    std::fclose(file);
  }
  X509* const issued_by = authority != nullptr ? issuer.get() : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issued_by));
  AddExtension(certificate.get(), issued_by, NID_basic_constraints,
               authority == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  std::string names;
  if (!style.dns_name.empty()) absl::StrAppend(&names, "DNS:", style.dns_name);
  if (!style.ip_address.empty()) absl::StrAppend(&names, names.empty() ? "" : ",", "IP:", style.ip_address);
  if (!names.empty()) AddExtension(certificate.get(), issued_by, NID_subject_alt_name, names);
  if (X509_sign(certificate.get(), authority != nullptr ? signer.get() : key.get(), EVP_sha256()) == 0)
    Give("signature");

  CertificateFiles files = {absl::StrCat(path, ".pem"), absl::StrCat(path, ".key")};
  std::FILE* file = Open(files.certificate_file, "w");
  PEM_write_X509(file, certificate.get());
  std::fclose(file);
  file = Open(files.key_file, "w");
  PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  return files;
}

}  // namespace

CertificateFolder::CertificateFolder() {
  const char* folder = std::getenv("TEST_TMPDIR");
  path_ = absl::StrCat(folder != nullptr ? folder : "/tmp", "/certificates.XXXXXX");
  if (mkdtemp(path_.data()) == nullptr) Give(path_.c_str());
}

CertificateFolder::~CertificateFolder() {
  [[maybe_unused]] const int status = std::system(absl::StrCat("rm -rf '", path_, "'").c_str());
}

CertificateFiles CertificateFolder::NewAuthority(const std::string& common_name) {
  return Make(absl::StrCat(path_, "/", common_name), common_name, nullptr, {});
}

CertificateFiles CertificateFolder::NewCertificate(const std::string& common_name, const CertificateFiles& authority,
                                                   const CertificateStyle& style) {
  return Make(absl::StrCat(path_, "/", common_name), common_name, &authority, style);
}

std::string CertificateFolder::Write(const std::string& name, const std::string& content) {
  std::string path = absl::StrCat(path_, "/", name);
  std::ofstream(path) << content;
  return path;
}

}  // namespace flowacct::collector
