// A MongoDB deployment as sink and store need it, over libmongoc: commands that are answered or fail within a time.
//
// Standard: MongoDB's wire protocol (OP_MSG) by libmongoc. Writes ask for the majority and its journals; reads from the
// primary, of what the majority has. Nothing is written again behind our back: who failed knows that he does not know.
// Connects at the first call, and anew at the next one after the connection was lost. Ownership: owns the connection.
// Threads: one call at a time. Errors: by the server's code, see mongodb_connection.cc; texts have the server's
// message, never the password.

#ifndef FLOWACCT_SINK_MONGODB_MONGODB_CONNECTION_H_
#define FLOWACCT_SINK_MONGODB_MONGODB_CONNECTION_H_

#include <mongoc/mongoc.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "flowacct/sink/mongodb/connection_options.h"
#include "flowacct/sink/mongodb/document.h"

namespace flowacct::sink::mongodb {

class MongodbConnection {
 public:
  enum class Deployment { kServer, kReplicaSet, kSharded };

  // InvalidArgument for a uri that libmongoc does not understand, or that has a password. Connects to nothing.
  static absl::StatusOr<std::unique_ptr<MongodbConnection>> New(ConnectionOptions options);

  // Connects if need be, and asks what is there.
  absl::StatusOr<Deployment> Ask();

  // Tells each document; valid for the call. `tell` returns false to stop, which is no error.
  using Tell = absl::FunctionRef<bool(const bson_t&)>;
  absl::Status Find(const std::string& collection, const Document& filter, const Document& options, Tell tell);
  absl::Status Aggregate(const std::string& collection, const std::vector<Document>& stages, Tell tell);
  absl::StatusOr<std::optional<Document>> FindOne(const std::string& collection, const Document& filter);

  // False: there is one of that _id.
  absl::StatusOr<bool> Insert(const std::string& collection, const Document& document);
  // In order, all or some of them if it fails.
  absl::Status InsertMany(const std::string& collection, absl::Span<const Document> documents);
  // Whether there was one that fits.
  absl::StatusOr<bool> Replace(const std::string& collection, const Document& filter, const Document& document);
  absl::StatusOr<uint64_t> DeleteMany(const std::string& collection, const Document& filter);
  // Of the database, or of `database`.
  absl::Status Command(const Document& command, const std::string& database = "");

  const ConnectionOptions& options() const { return options_; }

 private:
  struct DestroyUri {
    void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
  };
  struct DestroyClient {
    void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
  };
  struct DestroyCollection {
    void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
  };
  struct DestroyCursor {
    void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
  };
  using Uri = std::unique_ptr<mongoc_uri_t, DestroyUri>;
  using Collection = std::unique_ptr<mongoc_collection_t, DestroyCollection>;
  using Cursor = std::unique_ptr<mongoc_cursor_t, DestroyCursor>;

  MongodbConnection(ConnectionOptions options, Uri uri) : options_(std::move(options)), uri_(std::move(uri)) {}
  absl::Status Connect();
  Collection Get(const std::string& collection);
  absl::Status Walk(Cursor cursor, Tell tell);
  absl::Status Error(const bson_error_t& error);
  absl::Status ReadPassword();

  const ConnectionOptions options_;
  const Uri uri_;
  std::unique_ptr<mongoc_client_t, DestroyClient> client_;
  bool lost_ = false;
  Deployment deployment_ = Deployment::kServer;
};

}  // namespace flowacct::sink::mongodb

#endif  // FLOWACCT_SINK_MONGODB_MONGODB_CONNECTION_H_
