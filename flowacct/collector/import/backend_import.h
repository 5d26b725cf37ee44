// What the sinks of databases and of message brokers share in an import: where values come from, hosts, passwords,
// spools.
//
// A secret is never in what is written: a file is named into which a person writes it.

#ifndef FLOWACCT_COLLECTOR_IMPORT_BACKEND_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_BACKEND_IMPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"

namespace flowacct::collector {

// A pipeline whose sink is asked for.
struct BackendPipeline {
  const Plugin* plugin;
  std::string name;                 // no other has it
  std::string suffix;               // "-src" and "-dst" if the plugin has two
  std::vector<std::string> fields;  // of its rows, as the registry calls them
};

// The values that make a text, and the statements that they are of.
class ToldValues {
 public:
  ToldValues(Settings* settings, const Plugin& plugin) : settings_(settings), plugin_(plugin) {}

  // The value of `setting`, or pmacct's `unless_told`, which is noted as `what`.
  std::string Of(Setting setting, absl::string_view what, absl::string_view unless_told);
  // The same of one that is a host, and may be a path of a socket: an error for all that is more than a name, which may
  // hold a secret.
  std::string HostOf(Setting setting, absl::string_view unless_told);
  // "sql_host, line 3; sql_user, line 4; pmacct's unless told: port"
  std::string from() const;

 private:
  Settings* settings_;
  const Plugin& plugin_;
  std::string statements_, defaults_;
};

class BackendImport {
 public:
  // `stem`: how paths of files that are named begin: "flowacct" makes "flowacct-sql.password".
  BackendImport(ImportContext* context, std::string stem) : context_(context), stem_(std::move(stem)) {}

  ImportContext& context() { return *context_; }
  Settings& settings() { return context_->settings(); }

  // password_file, and what a person must do, if `secret`, which holds a password or names a file that does, is there.
  void WritePasswordFile(const Statement* secret, ConfigWriter* out);
  // Of the password that pmacct sends where none is told; nothing if `secret` is there.
  void RemarkOnDefaultPassword(const Statement* secret, absl::string_view key, ConfigWriter* out);
  // spool, if pmacct would have recovered batches.
  void WriteSpool(const BackendPipeline& pipeline, ConfigWriter* out);

 private:
  std::string NewPath(std::string path);

  ImportContext* context_;
  std::string stem_;
  std::vector<std::pair<const Statement*, std::string>> password_files_;
  std::vector<std::string> paths_;
};

// One name or address, or a path; nothing that ends one value and begins another.
bool IsHost(absl::string_view text);
// "db.example:5672", "[2001:db8::1]:5672"; a port that is there stays.
std::string HostAndPort(absl::string_view host, uint64_t port);
// As a part of a URI (RFC 3986, 2.1).
std::string PercentEncoded(absl::string_view text);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_BACKEND_IMPORT_H_
