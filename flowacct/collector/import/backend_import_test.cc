// Databases and brokers of an import: what each key becomes, and that no password gets out.

#include "flowacct/collector/import/backend_import.h"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/import/broker_import.h"
#include "flowacct/collector/import/pmacct_import.h"
#include "flowacct/collector/import/pmacct_key.h"
#include "flowacct/collector/import/store_import.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

// What kafka_config_file names, in all tests.
std::string kafka_file;

absl::StatusOr<PmacctImport> Import(absl::string_view text) {
  PmacctImportOptions options;
  options.rules_stem = "etc/f";
  options.read_file = [](const std::string& path) -> absl::StatusOr<std::string> {
    if (path == "kafka.cfg") return kafka_file;
    return absl::NotFoundError("no such file");
  };
  return ImportPmacct(text, "x.conf", options);
}

config::Config Message(absl::string_view text) {
  const auto imported = Import(absl::StrCat("nfacctd_port: 1\n", text));
  EXPECT_TRUE(imported.ok()) << imported.status();
  if (!imported.ok()) return {};
  const auto file = config::ConfigFile::Parse(imported->text, "imported");
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? file->message() : config::Config();
}

config::Sink SinkOf(absl::string_view text) {
  const config::Config config = Message(text);
  EXPECT_EQ(config.pipeline_size(), 1);
  return config.pipeline_size() == 1 ? config.pipeline(0).sink(0) : config::Sink();
}

// One of the things that a person is told has `text` in it.
bool Tells(absl::string_view configuration, absl::string_view text) {
  const auto imported = Import(absl::StrCat("nfacctd_port: 1\n", configuration));
  EXPECT_TRUE(imported.ok()) << imported.status();
  if (!imported.ok()) return false;
  for (const std::string& line : imported->attention) {
    if (absl::StrContains(line, text)) return true;
  }
  return false;
}

struct Case {
  const char* text;
  const char* becomes;
};

TEST(StoreImportTest, ConnectionsAreWhatTheyWere) {
  for (const Case& c : {
           Case{"plugins: pgsql", "dbname=pmacct user=pmacct"},
           Case{"plugins: pgsql\nsql_host: db.example\nsql_port: 5433\nsql_db: f\nsql_user: u",
                "host=db.example port=5433 dbname=f user=u"},
           Case{"plugins: pgsql\nsql_host: /run/postgresql", "host=/run/postgresql dbname=pmacct user=pmacct"},
           Case{"plugins: pgsql\nsql_user: o'neil b\\c", "dbname=pmacct user='o\\'neil b\\\\c'"},
           Case{"plugins: pgsql\nsql_conn_ca_file: /ca.pem",
                "dbname=pmacct user=pmacct sslmode=verify-full sslrootcert=/ca.pem"},
       }) {
    EXPECT_EQ(SinkOf(c.text).postgresql().connection(), c.becomes);
  }
  for (const Case& c : {
           Case{"plugins: mysql", "host=localhost user=pmacct database=pmacct"},
           Case{"plugins: mysql\nsql_host: 192.0.2.1\nsql_port: 3307\nsql_db: f\nsql_user: u",
                "host=192.0.2.1 port=3307 user=u database=f"},
           Case{"plugins: mysql\nsql_host: unix:/run/m.sock\nsql_port: 3307",
                "socket=/run/m.sock user=pmacct database=pmacct"},
           Case{"plugins: mysql\nsql_conn_ca_file: /ca.pem",
                "host=localhost user=pmacct database=pmacct tls=verify tls_ca_file=/ca.pem"},
           Case{"plugins: mysql\nsql_user: o'neil b\\c", "host=localhost user='o''neil b\\c' database=pmacct"},
       }) {
    EXPECT_EQ(SinkOf(c.text).mariadb().connection(), c.becomes);
  }
  EXPECT_EQ(SinkOf("plugins: sqlite3").sqlite().path(), "/tmp/pmacct.db");
  EXPECT_EQ(SinkOf("plugins: sqlite3\nsql_db: /a b.db").sqlite().path(), "/a b.db");
}

TEST(StoreImportTest, MongodbIsWhatItWas) {
  config::Mongodb sink = SinkOf("plugins: mongodb").mongodb();
  EXPECT_EQ(sink.uri(), "mongodb://127.0.0.1:27017");
  EXPECT_EQ(sink.database(), "test");
  EXPECT_EQ(sink.table(), "acct_flowacct");
  EXPECT_FALSE(sink.has_password_file());
  sink = SinkOf("plugins: mongodb_legacy\nmongo_host: db:27018\nmongo_user: a@b\nmongo_passwd: x\nmongo_table: d.c.e\n")
             .mongodb();
  EXPECT_EQ(sink.uri(), "mongodb://a%40b@db:27018/?authSource=d");
  EXPECT_EQ(sink.database(), "d");
  EXPECT_EQ(sink.table(), "c_e_flowacct");
  EXPECT_EQ(sink.password_file(), "etc/f-mongo.password");
  // One of the two is enough, as in pmacct.
  EXPECT_EQ(SinkOf("plugins: mongodb\nmongo_passwd: x").mongodb().uri(),
            "mongodb://pmacct@127.0.0.1:27017/?authSource=test");
}

TEST(StoreImportTest, TablesStandBesideThoseOfPmacct) {
  for (const Case& c :
       {Case{"", ""}, Case{"sql_table: acct", "acct_flowacct"},
        Case{"sql_table: acct_v4_%Y%m%d_%H%M", "acct_v4_flowacct"}, Case{"sql_table: %Y_%m", ""},
        Case{"sql_table: t_$peer_src_ip_%H", "t_flowacct"}, Case{"sql_table: public.acct", "acct_flowacct"},
        Case{"sql_table: \"Acct\"", "Acct_flowacct"}, Case{"sql_table: a'; DROP TABLE b", "a___DROP_TABLE_b_flowacct"},
        Case{"sql_table: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_flowacct"}}) {
    EXPECT_EQ(SinkOf(absl::StrCat("plugins: pgsql\n", c.text)).postgresql().table(), c.becomes) << c.text;
  }
  // A pipeline that is called as pmacct's tables are.
  EXPECT_EQ(SinkOf("plugins: pgsql[acct_v9]").postgresql().table(), "acct_v9_flowacct");
  EXPECT_TRUE(Tells("plugins: pgsql\nsql_table: t_$tag", "variables are left out"));
}

TEST(StoreImportTest, EachPipelineHasATableOfItsOwn) {
  config::Config config = Message("plugins: mysql[a], mysql[b], mysql[c], pgsql[d]\nsql_table: t\nsql_db[c]: other\n");
  ASSERT_EQ(config.pipeline_size(), 4);
  EXPECT_EQ(config.pipeline(0).sink(0).mariadb().table(), "t_flowacct");
  EXPECT_EQ(config.pipeline(1).sink(0).mariadb().table(), "t_flowacct_b");
  EXPECT_EQ(config.pipeline(2).sink(0).mariadb().table(), "t_flowacct");  // elsewhere
  EXPECT_EQ(config.pipeline(3).sink(0).postgresql().table(), "t_flowacct");
  config = Message("plugins: sqlite3[a]\naggregate: sum_host\nsql_table: t\nsql_recovery_backup_host: /b.db");
  ASSERT_EQ(config.pipeline_size(), 2);
  EXPECT_EQ(config.pipeline(0).sink(0).sqlite().table(), "t_flowacct_src");
  EXPECT_EQ(config.pipeline(1).sink(0).sqlite().table(), "t_flowacct_dst");
  EXPECT_EQ(config.pipeline(0).sink(0).spool().folder(), "/b.db.spool");
  EXPECT_EQ(config.pipeline(1).sink(0).spool().folder(), "/b.db.spool-2");
}

TEST(StoreImportTest, BinsAreThoseOfHistory) {
  const config::Config config = Message("plugins: sqlite3\nsql_history: 5m\nsql_refresh_time: 60\n");
  EXPECT_EQ(config.pipeline(0).every(), "5m");
  EXPECT_FALSE(Tells("plugins: sqlite3\nsql_history: 5m", "sql_history"));
  EXPECT_TRUE(Tells("plugins: sqlite3", "has no sql_history"));
}

TEST(StoreImportTest, RecoveryIsASpool) {
  EXPECT_FALSE(SinkOf("plugins: pgsql[a]").has_spool());
  EXPECT_EQ(SinkOf("plugins: pgsql[a]\nsql_recovery_backup_host: db2").spool().folder(), "/var/lib/flowacct/spool/a");
  EXPECT_EQ(SinkOf("plugins: mysql[a]\nsql_recovery_logfile: /log/a").spool().folder(), "/log/a.spool");
}

TEST(BrokerImportTest, AmqpIsWhatItWas) {
  config::Amqp sink = SinkOf("plugins: amqp").amqp();
  EXPECT_EQ(sink.brokers(), "localhost:5672");
  EXPECT_EQ(sink.user(), "guest");
  EXPECT_EQ(sink.exchange(), "pmacct");
  EXPECT_EQ(sink.routing_key(), "acct");
  EXPECT_EQ(sink.format(), config::JSON_RECORD);
  sink = SinkOf(
             "plugins: amqp[q]\namqp_host: 2001:db8::1\namqp_vhost: a/b\namqp_user: u:v\namqp_exchange: e\n"
             "amqp_passwd[q]: x\namqp_output: avro\namqp_routing_key: k\n")
             .amqp();
  EXPECT_EQ(sink.brokers(), "[2001:db8::1]:5672");
  EXPECT_EQ(sink.user(), "u:v");
  EXPECT_EQ(sink.vhost(), "a/b");
  EXPECT_EQ(sink.exchange(), "e");
  EXPECT_EQ(sink.routing_key(), "k");
  EXPECT_EQ(sink.password_file(), "etc/f-amqp-q.password");
  EXPECT_EQ(sink.format(), config::AVRO);
  EXPECT_TRUE(Tells("plugins: amqp\namqp_routing_key_rr: 3", "not to NAME_0"));
  EXPECT_FALSE(Tells("plugins: amqp\namqp_routing_key_rr: 0", "not to NAME_0"));
}

TEST(BrokerImportTest, VariablesAreFields) {
  for (const Case& c : {
           Case{"$peer_src_ip", "{exporter}"},
           Case{"a.$src_host.$dst_host.b", "a.{src_addr}.{dst_addr}.b"},
           Case{"$src_port$dst_port$proto$in_iface", "{src_port}{dst_port}{protocol}{in_if}"},
           Case{"$tag2_$tag_$pre_tag", "{tag2}_{tag}_{tag}"},
           Case{"$post_tag2-$post_tag", "22-21"},
           Case{"$out_iface", "0"},  // not in aggregate
           Case{"$x$", "_x_"},
           Case{"{tag}}", "{{tag}}}}"},
           Case{"%Y", "%Y"},
       }) {
    const config::Config config = Message(absl::StrCat(
        "plugins: amqp[a], kafka[k]\naggregate: peer_src_ip, src_host, dst_host, src_port, dst_port, proto, in_iface, "
        "tag, tag2\npost_tag: 21\npost_tag2: 22\namqp_routing_key: ",
        c.text, "\nkafka_topic: ", c.text, "\nkafka_partition_key: ", c.text, "\n"));
    ASSERT_EQ(config.pipeline_size(), 2);
    EXPECT_EQ(config.pipeline(0).sink(0).amqp().routing_key(), c.becomes);
    EXPECT_EQ(config.pipeline(1).sink(0).kafka().topic(), c.becomes);
    EXPECT_EQ(config.pipeline(1).sink(0).kafka().key(), c.becomes);
  }
  // Of two pipelines each has its own field.
  const config::Config config = Message("plugins: kafka\naggregate: sum_host\nkafka_partition_key: $src_host\n");
  EXPECT_EQ(config.pipeline(0).sink(0).kafka().key(), "{src_addr}");
  EXPECT_EQ(config.pipeline(1).sink(0).kafka().key(), "0");
}

TEST(BrokerImportTest, BrokersAreWhatTheyWere) {
  for (const Case& c : {
           Case{"", "127.0.0.1:9092"},
           Case{"kafka_broker_host: k\nkafka_broker_port: 1", "k:1"},
           Case{"kafka_broker_host: 2001:db8::1", "[2001:db8::1]:9092"},
           Case{"kafka_broker_host: k:2", "k:2"},
           Case{"kafka_broker_host: a:1,b, [2001:db8::1]:3\nkafka_broker_port: 9", "a:1,b:9092,[2001:db8::1]:3"},
           Case{"kafka_broker_host: ssl://a:1,ssl://b", "a:1,b:9092"},
       }) {
    EXPECT_EQ(SinkOf(absl::StrCat("plugins: kafka\n", c.text)).kafka().brokers(), c.becomes) << c.text;
  }
  const config::Kafka tls = SinkOf("plugins: kafka\nkafka_broker_host: ssl://a").kafka();
  EXPECT_EQ(tls.property_size(), 0);
  EXPECT_TRUE(tls.tls());
  EXPECT_TRUE(Tells("plugins: kafka\nkafka_broker_host: ssl://a,b", "since some are"));
  EXPECT_TRUE(Tells("plugins: kafka\nkafka_partition: 3", "not to be said"));
  EXPECT_FALSE(Tells("plugins: kafka\nkafka_partition: -1", "not to be said"));
}

TEST(BrokerImportTest, TheKafkaFileBecomesProperties) {
  kafka_file =
      "! c\nglobal, a.b, 1\n TOPIC ,c, x, y \nglobal,metadata.broker.list,z:1\nglobal,security.protocol,sasl_ssl\n"
      "global,sasl.password,hunter2\n";
  const config::Kafka sink =
      SinkOf("plugins: kafka[k]\nkafka_config_file: kafka.cfg\nkafka_broker_host: ssl://a").kafka();
  EXPECT_EQ(sink.brokers(), "a:9092,z:1");
  ASSERT_EQ(sink.property_size(), 2);
  EXPECT_EQ(sink.property(0).name(), "a.b");
  EXPECT_EQ(sink.property(0).value(), "1");
  EXPECT_EQ(sink.property(1).name(), "c");
  EXPECT_EQ(sink.property(1).value(), "x, y");
  EXPECT_TRUE(sink.tls());
  EXPECT_EQ(sink.password_file(), "etc/f-kafka.password");
  kafka_file = "global,acks,1\ntopic,request.required.acks,0\nglobal,enable.idempotence,false\n";
  EXPECT_EQ(SinkOf("plugins: kafka\nkafka_config_file: kafka.cfg").kafka().property_size(), 0);
  kafka_file = "";
  EXPECT_FALSE(SinkOf("plugins: kafka\nkafka_config_file: kafka.cfg").kafka().has_password_file());
  EXPECT_TRUE(Tells("plugins: kafka\nkafka_config_file: gone.cfg", "give property { name: ... value: ... }"));
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&kafka_file, "global,p", i, ",v\n");
  EXPECT_EQ(SinkOf("plugins: kafka\nkafka_config_file: kafka.cfg").kafka().property_size(), 256);
}

TEST(BrokerImportTest, LinesOfTheKafkaFile) {
  KafkaConfigLine line;
  for (const char* wrong : {"", "global", "global,a", "global,a,", "global,,b", "globals,a,b", "a=b", "global,a b,c",
                            "global;a;b", ",a,b"}) {
    EXPECT_FALSE(ParseKafkaConfigLine(wrong, &line)) << wrong;
  }
  EXPECT_TRUE(ParseKafkaConfigLine("Topic, a.b-c_d , e,f", &line));
  EXPECT_EQ(line.name, "a.b-c_d");
  EXPECT_EQ(line.value, "e,f");
  for (const char* name : {"sasl.password", "ssl.key.password", "ssl.keystore.password", "SASL.Password", "ssl.key.pem",
                           "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"}) {
    EXPECT_TRUE(IsSecretProperty({name, "x"})) << name;
  }
  EXPECT_TRUE(IsSecretProperty({"a", "http://user:x@host"}));
  for (const char* name : {"sasl.username", "ssl.key.location", "compression.codec"}) {
    EXPECT_FALSE(IsSecretProperty({name, "x"})) << name;
  }
}

TEST(BackendImportTest, Hosts) {
  for (const char* host : {"a", "db.example", "192.0.2.1", "2001:db8::1", "[::1]:5", "/run/x", "unix:/run/x.sock"}) {
    EXPECT_TRUE(IsHost(host)) << host;
  }
  for (const char* wrong : {"", "a b", "u@h", "a=b", "a'", "a,b", "a?b", "a\nb", "\xc3\xa4"}) {
    EXPECT_FALSE(IsHost(wrong)) << wrong;
  }
  EXPECT_EQ(HostAndPort("h", 5), "h:5");
  EXPECT_EQ(HostAndPort("h:6", 5), "h:6");
  EXPECT_EQ(HostAndPort("::1", 5), "[::1]:5");
  EXPECT_EQ(HostAndPort("[::1]:6", 5), "[::1]:6");
  EXPECT_EQ(PercentEncoded("aZ0-._~/ @\xff"), "aZ0-._~%2F%20%40%FF");
  EXPECT_EQ(ConnectionWord("a", "b"), "a=b");
  EXPECT_EQ(ConnectionWord("a", ""), "a=''");
  EXPECT_EQ(ConnectionWord("a", "b' c=\\"), "a='b\\' c=\\\\'");
  EXPECT_EQ(ConnectionWord("a", "b' c=\\", Quoting::kDoubled), "a='b'' c=\\'");
}

TEST(BackendImportTest, OnePasswordFileAStatement) {
  const config::Config config = Message(
      "plugins: mysql[a], pgsql[b], mysql[c d], mysql[c.d]\nsql_passwd: x\nsql_passwd[c d]: y\n"
      "sql_passwd[c.d]: z\nsql_passwd[c-d]: z\n");
  ASSERT_EQ(config.pipeline_size(), 4);
  EXPECT_EQ(config.pipeline(0).sink(0).mariadb().password_file(), "etc/f-sql.password");
  EXPECT_EQ(config.pipeline(1).sink(0).postgresql().password_file(), "etc/f-sql.password");
  EXPECT_EQ(config.pipeline(2).sink(0).mariadb().password_file(), "etc/f-sql-c-d.password");
  EXPECT_EQ(config.pipeline(3).sink(0).mariadb().password_file(), "etc/f-sql-c.d.password");
}

// Wherever a password was written: not in the text, not in what is told, not in an error.
TEST(BackendImportTest, NoPasswordGetsOut) {
  kafka_file =
      "global,sasl.password,hunter2\nglobal,ssl.key.password,hunter2\nsasl.password=hunter2\nglobal hunter2\n"
      "global,p,https://u:hunter2@h\nglobal,sasl.oauthbearer.config,secret=hunter2\n";
  for (const char* text : {
           "plugins: mysql\nsql_passwd: hunter2",
           "plugins: pgsql[a]\nsql_passwd[a]: hunter2\nsql_passwd: hunter2",
           "plugins: sqlite3\nsql_passwd: hunter2",
           "plugins: mongodb\nmongo_passwd: hunter2",
           "plugins: amqp\namqp_passwd: hunter2",
           "plugins: kafka\nkafka_config_file: kafka.cfg",
           "plugins: print\nsql_passwd: hunter2\namqp_passwd: hunter2\nmongo_passwd: hunter2",
           "plugins: kafka\nkafka_avro_schema_registry: https://u:hunter2@h",
           "plugins: mysql\nsql_trigger_exec: /bin/x --password=hunter2",
           "plugins: mysql\nsql_trigger_exec: /bin/x --password hunter2",
           "plugins: pgsql\nsql_db: f password=hunter2",
           "plugins: pgsql\nsql_host: h password=hunter2",
           "plugins: pgsql\nsql_port: 5432 password=hunter2",
           "plugins: pgsql\nsql_host: h PASSWORD = hunter2",
           "plugins: mongodb\nmongo_host: mongodb://u:hunter2@h",
           "plugins: mongodb\nmongo_host: u:hunter2@h",
           "plugins: amqp\namqp_host: u:hunter2@h",
           "plugins: kafka\nkafka_broker_host: u:hunter2@h",
           "plugins: kafka\nkafka_broker_host: a,ssl://u:hunter2@h",
           "plugins: print\nsql_pasword: hunter2",
           "plugins: mysql\nsql_password: hunter2",
           "plugins: amqp\namqp_pass: hunter2",
       }) {
    const auto imported = Import(absl::StrCat("nfacctd_port: 1\n", text));
    if (!imported.ok()) {
      EXPECT_FALSE(absl::StrContains(imported.status().message(), "hunter2")) << imported.status();
      EXPECT_TRUE(absl::StrContains(imported.status().message(), "x.conf:3: ")) << imported.status();
      continue;
    }
    EXPECT_FALSE(absl::StrContains(imported->text, "hunter2")) << imported->text;
    for (const std::string& line : imported->attention) EXPECT_FALSE(absl::StrContains(line, "hunter2")) << line;
    for (const ImportedFile& file : imported->files) EXPECT_FALSE(absl::StrContains(file.text, "hunter2")) << file.path;
  }
}

struct Wrong {
  const char* text;
  const char* error;
};

TEST(BackendImportTest, ErrorsNameLineAndKeyAndWhatToDo) {
  for (const Wrong& wrong : {
           Wrong{"plugins: pgsql\nsql_port: x", "sql_port: \"x\" is no number from 1 to 65535; write one"},
           Wrong{"plugins: pgsql\nsql_host: a b",
                 "sql_host: is no host, or is more than one; write its name or address, such as db.example, and who "
                 "connects with which password into the keys that are for it"},
           Wrong{"plugins: pgsql\nsql_db: a password=x",
                 "sql_db: has a password in it; write that into the key that is for it alone"},
           Wrong{"plugins: mongodb\nmongo_table: t",
                 "mongo_table: is no DATABASE.COLLECTION; write it so, the database with letters, digits, '_' and '-'"},
           Wrong{"plugins: kafka\nkafka_output: xml", "kafka_output: \"xml\" is no form of output; write json or avro"},
           Wrong{"plugins: kafka\nkafka_broker_host: a b",
                 "kafka_broker_host: is no list of hosts; write such as kafka1.example:9092,kafka2.example:9092"},
           Wrong{"plugins: kafka\nkafka_broker_host: ,",
                 "kafka_broker_host: is no list of hosts; write such as kafka1.example:9092,kafka2.example:9092"},
           Wrong{"plugins: amqp\namqp_routing_key_rr: -1",
                 "amqp_routing_key_rr: \"-1\" is no number from 0 to 2147483647; write one"},
       }) {
    const auto imported = Import(absl::StrCat("nfacctd_port: 1\n", wrong.text));
    ASSERT_FALSE(imported.ok()) << imported->text;
    EXPECT_EQ(imported.status().message(), absl::StrCat("x.conf:3: ", wrong.error));
  }
}

}  // namespace
}  // namespace flowacct::collector
