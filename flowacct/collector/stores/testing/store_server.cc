#include "flowacct/collector/stores/testing/store_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "flowacct/sink/postgresql/testing/server.h"

namespace flowacct::collector {
namespace {

class SqliteFile : public StoreServer {
 public:
  explicit SqliteFile(std::string path) : path_(std::move(path)) {}
  StorePlace place() const override {
    StorePlace place;
    place.place = path_;
    return place;
  }
  std::string sink_text() const override { return absl::StrCat("sqlite { path: \"", path_, "\" }"); }
  pid_t pid() const override { return 0; }

 private:
  const std::string path_;
};

class Postgresql : public StoreServer {
 public:
  explicit Postgresql(std::unique_ptr<sink::postgresql::Server> server) : server_(std::move(server)) {}
  StorePlace place() const override {
    const sink::postgresql::ConnectionOptions options = server_->options();
    StorePlace place;
    place.place = options.conninfo;
    place.password_file = options.password_file;
    return place;
  }
  std::string sink_text() const override {
    return absl::StrCat("postgresql { connection: \"", place().place, "\" password_file: \"", place().password_file,
                        "\" timeout: \"5s\" }");
  }
  pid_t pid() const override { return server_->pid(); }

 private:
  std::unique_ptr<sink::postgresql::Server> server_;
};

}  // namespace

std::unique_ptr<StoreServer> StartStoreServer(absl::string_view kind, const std::string& folder, std::string* why) {
  if (kind == "sqlite") return std::make_unique<SqliteFile>(folder + "/flows.db");
  if (kind == "postgresql") {
    auto server = sink::postgresql::Server::Start(why);
    return server == nullptr ? nullptr : std::make_unique<Postgresql>(std::move(server));
  }
  *why = absl::StrCat("there is no server of ", kind);
  return nullptr;
}

}  // namespace flowacct::collector
