#include "flowacct/collector/stores/testing/store_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "flowacct/sink/clickhouse/testing/server.h"
#include "flowacct/sink/mariadb/testing/server.h"
#include "flowacct/sink/mongodb/testing/server.h"
#include "flowacct/sink/postgresql/testing/server.h"

namespace flowacct::collector {
namespace {

std::string ServerText(absl::string_view kind, absl::string_view setting, const StorePlace& place) {
  std::string text = absl::StrCat(kind, " { ", setting, ": \"", place.place, "\" timeout: \"5s\"");
  const auto add = [&text](absl::string_view name, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, " ", name, ": \"", value, "\"");
  };
  add("user", place.user);
  add("database", place.database);
  add("password_file", place.password_file);
  return text + " }";
}

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
  std::string sink_text() const override { return ServerText("postgresql", "connection", place()); }
  pid_t pid() const override { return server_->pid(); }

 private:
  std::unique_ptr<sink::postgresql::Server> server_;
};

class Mariadb : public StoreServer {
 public:
  explicit Mariadb(std::unique_ptr<sink::mariadb::Server> server) : server_(std::move(server)) {}
  StorePlace place() const override {
    const sink::mariadb::ConnectionOptions options = server_->options();
    StorePlace place;
    place.place = options.host.empty() ? absl::StrCat("socket=", options.socket)
                                       : absl::StrCat("host=", options.host, " port=", options.port);
    absl::StrAppend(&place.place, " user=", options.user, " database=", options.database);
    place.password_file = options.password_file;
    return place;
  }
  std::string sink_text() const override { return ServerText("mariadb", "connection", place()); }
  pid_t pid() const override { return server_->pid(); }

 private:
  std::unique_ptr<sink::mariadb::Server> server_;
};

class Clickhouse : public StoreServer {
 public:
  explicit Clickhouse(std::unique_ptr<sink::clickhouse::Server> server) : server_(std::move(server)) {}
  StorePlace place() const override {
    const sink::clickhouse::ConnectionOptions options = server_->options();
    StorePlace place;
    place.place = absl::StrReplaceAll(options.url, {{"//", absl::StrCat("//", options.user, "@")}});
    place.password_file = options.password_file;
    return place;
  }
  std::string sink_text() const override { return ServerText("clickhouse", "url", place()); }
  pid_t pid() const override { return server_->pid(); }

 private:
  std::unique_ptr<sink::clickhouse::Server> server_;
};

class Mongodb : public StoreServer {
 public:
  explicit Mongodb(std::unique_ptr<sink::mongodb::Server> server) : server_(std::move(server)) {}
  StorePlace place() const override {
    const sink::mongodb::ConnectionOptions options = server_->options();
    StorePlace place;
    place.place = options.uri;
    place.database = options.database;
    place.password_file = options.password_file;
    return place;
  }
  std::string sink_text() const override { return ServerText("mongodb", "uri", place()); }
  pid_t pid() const override { return server_->pid(); }

 private:
  std::unique_ptr<sink::mongodb::Server> server_;
};

template <typename Wrapped, typename Server>
std::unique_ptr<StoreServer> Start(std::string* why) {
  std::unique_ptr<Server> server = Server::Start(why);
  return server == nullptr ? nullptr : std::make_unique<Wrapped>(std::move(server));
}

}  // namespace

std::unique_ptr<StoreServer> StartStoreServer(absl::string_view kind, const std::string& folder, std::string* why) {
  if (kind == "sqlite") return std::make_unique<SqliteFile>(folder + "/flows.db");
  if (kind == "postgresql") return Start<Postgresql, sink::postgresql::Server>(why);
  if (kind == "mariadb") return Start<Mariadb, sink::mariadb::Server>(why);
  if (kind == "clickhouse") return Start<Clickhouse, sink::clickhouse::Server>(why);
  if (kind == "mongodb") return Start<Mongodb, sink::mongodb::Server>(why);
  *why = absl::StrCat("there is no server of ", kind);
  return nullptr;
}

}  // namespace flowacct::collector
