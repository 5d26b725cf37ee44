#include "flowacct/collector/import/pmacct_import.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/import/pipeline_import.h"
#include "flowacct/collector/import/pmacct_key.h"
#include "flowacct/filter/filter.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

constexpr char kFolder[] = "flowacct/collector/import/testdata";

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError("no such file");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Maps beside the configurations.
absl::StatusOr<std::string> ReadMap(const std::string& path) {
  return ReadAll(absl::StrCat(kFolder, "/", std::filesystem::path(path).filename().string()));
}

PmacctImportOptions Options(std::string daemon = "") {
  PmacctImportOptions options;
  options.daemon = std::move(daemon);
  options.read_file = ReadMap;
  return options;
}

std::vector<std::string> Configurations() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".conf") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

// testdata/NAME.conf becomes testdata/NAME.expected: the attentions, the files and the configuration.
TEST_P(GoldenTest, BecomesWhatIsExpected) {
  const std::string file = absl::StrCat(GetParam(), ".conf");
  const auto text = ReadMap(file);
  ASSERT_TRUE(text.ok());
  const auto imported = ImportPmacct(*text, file, Options());
  ASSERT_TRUE(imported.ok()) << imported.status();
  std::string got = imported->text;
  for (const ImportedFile& made : imported->files) absl::StrAppend(&got, "\n== ", made.path, "\n", made.text);
  absl::StrAppend(&got, "\n== attention\n");
  for (const std::string& line : imported->attention) absl::StrAppend(&got, line, "\n");
  const auto expected = ReadMap(absl::StrCat(GetParam(), ".expected"));
  EXPECT_EQ(got, expected.ok() ? *expected : "");
  if (const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    std::ofstream(absl::StrCat(folder, "/", GetParam(), ".expected"), std::ios::binary) << got;
  }
  if (imported->runs) {
    EXPECT_TRUE(config::ConfigFile::Parse(imported->text, "imported").ok());
  }
  // Twice is the same.
  EXPECT_EQ(ImportPmacct(*text, file, Options())->text, imported->text);
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest, testing::ValuesIn(Configurations()),
                         [](const auto& info) { return info.param; });

config::Config Message(absl::string_view text, const std::string& daemon = "") {
  const auto imported = ImportPmacct(text, "x.conf", Options(daemon));
  EXPECT_TRUE(imported.ok()) << imported.status();
  if (!imported.ok()) return {};
  const auto file = config::ConfigFile::Parse(imported->text, "imported");
  EXPECT_TRUE(file.ok()) << file.status();
  return file.ok() ? file->message() : config::Config();
}

TEST(PmacctImportTest, ACollectorIsWhatItWas) {
  const config::Config config = Message(
      "nfacctd_port: 2055\nplugins: print[a]\naggregate[a]: src_as, dst_as\nprint_history[a]: 5m\nprint_output[a]: "
      "csv\n");
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).udp().listen(0), "[::]:2055");
  ASSERT_EQ(config.pipeline_size(), 1);
  EXPECT_EQ(config.pipeline(0).name(), "a");
  EXPECT_EQ(config.pipeline(0).by(), "src_as,dst_as");
  EXPECT_EQ(config.pipeline(0).sum(), "packets,bytes");
  EXPECT_EQ(config.pipeline(0).every(), "5m");
  EXPECT_FALSE(config.pipeline(0).scale_sampled());
  EXPECT_EQ(config.pipeline(0).time_field(), "start_time");
  EXPECT_EQ(config.pipeline(0).sink(0).print().format(), config::Print::CSV);
  EXPECT_EQ(config.pipeline(0).sink(0).print().naming(), config::Print::PMACCT);
}

TEST(PmacctImportTest, AProbeIsWhatItWas) {
  const config::Config config = Message(
      "pcap_interface: eth0\nplugins: nfprobe\nnfprobe_receiver: 192.0.2.1:2055\nnfprobe_version: 5\n"
      "nfprobe_engine: 3:4\nnfprobe_timeouts: general=60:maxlife=120\n");
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).interface().device(0), "eth0");
  EXPECT_EQ(config.input(0).meter().by(), "src_addr,dst_addr,src_port,dst_port,protocol,tos");
  EXPECT_EQ(config.input(0).meter().idle_timeout(), "60s");
  EXPECT_EQ(config.input(0).meter().active_timeout(), "120s");
  const config::Export& sink = config.pipeline(0).sink(0).export_();
  EXPECT_EQ(sink.protocol(), config::Export::NETFLOW5);
  EXPECT_EQ(sink.to(0), "192.0.2.1:2055");
  EXPECT_EQ(sink.domain(), 3u * 256 + 4);
}

TEST(PmacctImportTest, WithoutPluginsThereIsMemoryAsInPmacct) {
  const config::Config config = Message("", "nfacctd");
  EXPECT_EQ(config.pipeline(0).name(), "memory");
  EXPECT_EQ(config.pipeline(0).by(), "src_addr");
  EXPECT_TRUE(config.pipeline(0).sink(0).has_memory());
}

TEST(PmacctImportTest, TheLastStatementThatAppliesCounts) {
  constexpr absl::string_view kText =
      "nfacctd_port: 1\nnfacctd_port: 2\nplugins: print[a], print[b]\n"
      "aggregate[a]: src_host\naggregate: dst_host\naggregate[b]: tos\n";
  const config::Config config = Message(kText);
  EXPECT_EQ(config.input(0).udp().listen(0), "[::]:2");
  EXPECT_EQ(config.pipeline(0).by(), "dst_addr");
  EXPECT_EQ(config.pipeline(1).by(), "tos");
  const auto imported = ImportPmacct(kText, "x.conf", Options());
  EXPECT_TRUE(absl::StrContains(imported->text, "# line 1: nfacctd_port: 1\n#     line 2 counts instead\n"));
  EXPECT_TRUE(absl::StrContains(imported->text, "# line 4: aggregate[a]: src_host\n#     line 5 counts instead\n"));
}

TEST(PmacctImportTest, TwoPluginsDoNotShareAFile) {
  const config::Config config = Message(
      "nfacctd_port: 1\nplugins: print[a], print[b]\nprint_output: csv\nprint_output_file: /srv/x.y/z-%H.csv\n");
  EXPECT_EQ(config.pipeline(0).sink(0).print().output(), "/srv/x.y/z-%H.csv");
  EXPECT_EQ(config.pipeline(1).sink(0).print().output(), "/srv/x.y/z-%H-b.csv");
}

TEST(PmacctImportTest, AFileThatIsAddedToKeepsItsName) {
  constexpr absl::string_view kText =
      "nfacctd_port: 1\nplugins: print[a]\nprint_output: csv\nprint_output_file: /srv/x.y/z\n";
  EXPECT_EQ(Message(kText).pipeline(0).sink(0).print().output(), "/srv/x.y/z-%Y%m%d-%H%M%S");
  EXPECT_EQ(Message(absl::StrCat(kText, "print_output_file_append: true\n")).pipeline(0).sink(0).print().output(),
            "/srv/x.y/z");
}

TEST(PmacctImportTest, SnapLengthsAreWhatTheCollectorTakes) {
  EXPECT_EQ(Message("pcap_interface: lo\nsnaplen: 40\n").input(0).interface().snap_length(), 64u);
  EXPECT_EQ(Message("pcap_interface: lo\nsnaplen: 700\n").input(0).interface().snap_length(), 700u);
}

struct Told {
  const char* text;
  const char* name;
  const char* daemon;
};

TEST(PmacctImportTest, TheDaemonIsTold) {
  for (const Told& told :
       {Told{"nfacctd_port: 1", "x", "nfacctd"}, Told{"sfacctd_renormalize: true\nnfacctd_port: 1", "x", "nfacctd"},
        Told{"sfacctd_renormalize: true", "nfacctd.conf", "sfacctd"},
        Told{"pcap_filter: tcp", "/etc/nfacctd.conf", "nfacctd"}, Told{"pcap_interface: lo", "x", "pmacctd"},
        Told{"uacctd_group: 1", "x", "uacctd"}, Told{"plugins: nfprobe", "x", "pmacctd"},
        Told{"plugins: tee", "x", "nfacctd"}, Told{"bgp_daemon_ip: 192.0.2.1", "x", "pmbgpd"},
        Told{"bmp_daemon_ip: 192.0.2.1", "x", "pmbmpd"}}) {
    const auto imported = ImportPmacct(told.text, told.name, Options());
    ASSERT_TRUE(imported.ok()) << told.text << imported.status();
    EXPECT_TRUE(absl::StrContains(imported->text, absl::StrCat(" as ", told.daemon, " reads it"))) << imported->text;
  }
}

struct Wrong {
  const char* text;
  const char* error;
};

class WrongTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTest, NamesLineAndKeyAndWhatToDo) {
  const auto imported = ImportPmacct(GetParam().text, "x.conf", Options());
  ASSERT_FALSE(imported.ok()) << imported->text;
  EXPECT_TRUE(absl::IsInvalidArgument(imported.status())) << imported.status();
  EXPECT_EQ(imported.status().message(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTest,
    testing::Values(
        Wrong{"", "x.conf: nothing tells which daemon reads it; say --daemon nfacctd, sfacctd, pmacctd or uacctd"},
        Wrong{"\n\nnfacctd_port 1", "x.conf:3: no ':' between a key and its value; write key: value"},
        Wrong{"nfacctd_port[: 1", "x.conf:1: the '[' before a plugin's name has no ']'; write key[name]:"},
        Wrong{"nfacctd_port]: 1", "x.conf:1: the ']' behind a plugin's name has no '['; write key[name]:"},
        Wrong{"aggregate[]: 1", "x.conf:1: no name of a plugin between '[' and ']'; leave them out"},
        Wrong{"aggregate[a]b: 1", "x.conf:1: something stands between ']' and ':'; write key[name]: value"},
        Wrong{": 1", "x.conf:1: no key before ':'; write key: value"},
        Wrong{"nfacctd_port: 70000", "x.conf:1: nfacctd_port: \"70000\" is no number from 1 to 65535; write one"},
        Wrong{"nfacctd_port: -1", "x.conf:1: nfacctd_port: \"-1\" is no number from 1 to 65535; write one"},
        Wrong{"nfacctd_renormalize: yes",
              "x.conf:1: nfacctd_renormalize: \"yes\" is neither true nor false; write one of them"},
        Wrong{"nfacctd_ip: any", "x.conf:1: nfacctd_ip: \"any\" is no address; give one, such as 192.0.2.1"},
        Wrong{"nfacctd_port: 1\nplugins: print\nprint_history: 5x",
              "x.conf:3: print_history: \"5x\" is no width of a bin up to a year; write such as 5m, 1h, 1d"},
        Wrong{"nfacctd_port: 1\nplugins: print\nprint_output: xml",
              "x.conf:3: print_output: \"xml\" is no form of output; write formatted, csv or json"},
        Wrong{"nfacctd_port: 1\nplugins: print\nprint_output: csv\nprint_output_separator: ab",
              "x.conf:4: print_output_separator: is not one character; write one, or \\t or \\s"},
        Wrong{"nfacctd_port: 1\nplugins: print\npre_tag_filter: x",
              "x.conf:3: pre_tag_filter: \"x\" is no tag; write numbers, ranges 10-20, or -6"},
        Wrong{"pcap_interface: lo\nplugins: nfprobe\nnfprobe_version: 8",
              "x.conf:3: nfprobe_version: is none of 5, 9, 10; write one of them"},
        Wrong{"pcap_interface: lo\nplugins: nfprobe\nnfprobe_engine: 1:2:3",
              "x.conf:3: nfprobe_engine: \"1:2:3\" is neither a number nor two octets; write 1 or 1:1"},
        Wrong{"pcap_interface: lo\nplugins: nfprobe\nnfprobe_timeouts: tpc=5",
              "x.conf:3: nfprobe_timeouts: \"tpc=5\" is no timeout; write such as tcp=120:maxlife=3600"},
        Wrong{"pcap_interface: lo\npcap_direction: up",
              "x.conf:2: pcap_direction: is neither in nor out; write one of them"}));

TEST(PmacctImportTest, ADaemonThatIsNoneIsAnError) {
  EXPECT_EQ(ImportPmacct("", "x.conf", Options("nfcapd")).status().message(),
            "daemon \"nfcapd\" is none of pmacct's; known are nfacctd, sfacctd, pmacctd, uacctd, pmbgpd, pmbmpd, "
            "pmtelemetryd");
}

TEST(PmacctImportTest, ALargeFileIsRefused) {
  EXPECT_FALSE(ImportPmacct(std::string(2 << 20, '!'), "x.conf", Options()).ok());
}

TEST(PmacctImportTest, ManyStatementsPluginsAndUnknownKeysAreBounded) {
  std::string text = "nfacctd_port: 1\n";
  for (int i = 1; i < 8192; ++i) absl::StrAppend(&text, "nfacctd_prt", i, ": x\n");
  const auto imported = ImportPmacct(text, "x.conf", Options());
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->attention.size(), 8191u);
  EXPECT_TRUE(absl::StrContains(imported->attention[0], "did you mean nfacctd_port ")) << imported->attention[0];
  EXPECT_TRUE(absl::EndsWith(imported->attention[8190], "so it is left out as pmacct does"));
  EXPECT_EQ(std::string(ImportPmacct(absl::StrCat(text, "a: b"), "x.conf", Options()).status().message()),
            "x.conf:8193: more than 8192 statements; is it one configuration?");

  text = "nfacctd_port: 1\nplugins: print[p0]";
  for (int i = 1; i < 256; ++i) absl::StrAppend(&text, ", print[p", i, "]");
  EXPECT_EQ(Message(text).pipeline_size(), 256);
  EXPECT_EQ(std::string(ImportPmacct(absl::StrCat(text, ", tee[q]"), "x.conf", Options()).status().message()),
            "x.conf:2: plugins: more than 256 plugins; divide them over configurations");
}

// Values that each setting takes; a row of the table that is read has one.
std::string SampleOf(const PmacctKey& key) {
  switch (key.setting) {
    case Setting::kPlugins:
      return "print[a]";
    case Setting::kAddress:
    case Setting::kSource:
      return "192.0.2.1";
    case Setting::kHistory:
      return "5m";
    case Setting::kTimeNew:
    case Setting::kUtc:
    case Setting::kProRating:
    case Setting::kStitching:
    case Setting::kRenormalize:
    case Setting::kPromiscuous:
    case Setting::kSaveFileWait:
    case Setting::kUseIpNextHop:
    case Setting::kNetworksNoLpm:
    case Setting::kOutputAppend:
    case Setting::kProbeDontCache:
    case Setting::kTeeTransparent:
      return "false";
    case Setting::kOutput:
    case Setting::kAmqpOutput:
    case Setting::kKafkaOutput:
      return "json";
    case Setting::kMongoTable:
      return "flows.hosts";
    case Setting::kSeparator:
      return ";";
    case Setting::kDirection:
      return "in";
    case Setting::kIfIndex:
      return "sys";
    case Setting::kProbeTimeouts:
      return "tcp=5";
    case Setting::kProbeReceiver:
    case Setting::kSamplerReceiver:
      return "192.0.2.1:9";
    default:
      return "5";
  }
}

// Each name of the table is heeded or explained, whichever daemon reads it, and is never called unknown.
TEST(PmacctImportTest, EveryKeyOfTheTableIsHandled) {
  for (const PmacctKey& key : PmacctKeys()) {
    for (const std::string& name : KeyNames(key.names)) {
      for (const char* daemon : {"nfacctd", "sfacctd", "pmacctd", "uacctd"}) {
        if (key.setting == Setting::kPlugins) continue;
        const std::string text = absl::StrCat(
            "plugins: print[a], tee[t], nfprobe[n], sfprobe[s], memory[m], mysql[q], pgsql[p], sqlite3[l], mongodb[o], "
            "amqp[r], kafka[k]\n",
            name, ": ", SampleOf(key), "\n");
        const auto imported = ImportPmacct(text, "x.conf", Options(daemon));
        ASSERT_TRUE(imported.ok()) << text << imported.status();
        for (const std::string& line : imported->attention) {
          EXPECT_FALSE(absl::StrContains(line, "neither pmacct nor we know")) << line;
        }
        // Those of databases and brokers: as a value that came from it, or in a comment.
        if (key.setting >= Setting::kSqlDatabase && key.setting <= Setting::kKafkaOutput) {
          EXPECT_TRUE(absl::StrContains(imported->text, absl::StrCat(name, ", line 2")) ||
                      absl::StrContains(imported->text, absl::StrCat("# line 2: ", name, ": ")))
              << text << daemon << imported->text;
        }
        if (key.setting == Setting::kNone) {
          EXPECT_TRUE(absl::StrContains(imported->text, absl::StrCat("# line 2: ", name, ": "))) << name;
        }
      }
    }
  }
}

// What pmacct ships: each example becomes a configuration.
TEST(PmacctImportTest, PmacctsOwnExamplesBecomeConfigurations) {
  size_t examples = 0;
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu/pmacct/examples", "/usr/share/doc/pmacct/examples",
                             "/usr/share/pmacct/examples", "/etc/pmacct"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string path = entry.path().string();
      if (!absl::StrContains(entry.path().filename().string(), ".conf")) continue;
      const auto text = ReadAll(path);
      if (!text.ok()) continue;
      PmacctImportOptions options;
      options.read_file = ReadAll;
      const auto imported = ImportPmacct(*text, path, options);
      ASSERT_TRUE(imported.ok()) << imported.status();
      EXPECT_TRUE(imported->runs) << path;
      for (const std::string& line : imported->attention) {
        EXPECT_FALSE(absl::StrContains(line, "neither pmacct nor we know")) << line;
      }
      ++examples;
    }
  }
  if (examples == 0) GTEST_SKIP() << "no examples of pmacct here (Debian's package pmacct has them)";
  EXPECT_GE(examples, 7u);
}

// The conditions of rules are filters of ours.
TEST(MapAsRulesTest, EachRuleIsSaidInOurLanguage) {
  for (const auto& [file, field] :
       {std::make_pair("tags.map", "tag"), std::make_pair("rd.map", "mpls_vpn_rd"),
        std::make_pair("peers.map", "peer_src_as"), std::make_pair("sampling.map", "sampling_rate")}) {
    const auto map = ParsePmacctMap(*ReadMap(file), file);
    ASSERT_TRUE(map.ok()) << map.status();
    const RulesOfMap rules = MapAsRules(*map, field);
    EXPECT_GT(rules.rules, 0u);
    EXPECT_EQ(rules.rules + rules.unsaid.size(), map->size());
    for (absl::string_view line : absl::StrSplit(rules.text, '\n', absl::SkipEmpty())) {
      const size_t where = line.find(" where ");
      if (line[0] == '#' || where == absl::string_view::npos) continue;
      const absl::string_view condition = line.substr(where + 7);
      if (absl::StrContains(condition, "comm contains")) continue;
      EXPECT_TRUE(filter::Filter::Parse(condition).ok()) << condition;
    }
  }
}

TEST(MapAsRulesTest, JumpsGoForwardToTheFirstLabelThatIsSaid) {
  const auto map = ParsePmacctMap(
      "set_tag=1 in=1 jeq=b\nset_tag=2 in=2 label=b\nset_tag=3 in=3 jeq=b\nset_tag=4 colour=red label=b\n"
      "set_tag=5 in=5 jeq=c\nset_tag=6 in=6 jeq=nowhere\nset_tag=7 in=7 label=c jeq=b\n",
      "m");
  EXPECT_EQ(MapAsRules(*map, "tag").text,
            "set tag 1, continue where in_if = 1\n"
            "set tag 2 where in_if = 2\n"
            "set tag 3, continue where in_if = 3\n"
            "# ATTENTION: line 4: colour=red: has no counterpart; it is left out\n"
            "set tag 5, goto line7 where in_if = 5\n"
            "set tag 6 where in_if = 6\n"
            "line7: set tag 7 where in_if = 7\n");
}

TEST(MapAsRulesTest, ManyLinesAreQuick) {
  std::string text;
  for (int i = 1; i <= 30000; ++i) absl::StrAppend(&text, "set_tag=", i, " in=", i, " jeq=end nothing=1\n");
  PmacctFileOptions options;
  options.max_octets = text.size();
  const auto map = ParsePmacctMap(text, "m", options);
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(MapAsRules(*map, "tag").unsaid.size(), 30000u);
}

TEST(TagFilterTest, DecidesAsPmacctDoes) {
  EXPECT_EQ(*TagFilter("tag", "100"), "tag in (100)");
  EXPECT_EQ(*TagFilter("tag", "100, 5-10"), "tag in (100, 5-10)");
  EXPECT_EQ(*TagFilter("tag", "0"), "tag in (0) or not exists(tag)");
  EXPECT_EQ(*TagFilter("tag2", "-6"), "not tag2 in (6)");
  EXPECT_EQ(*TagFilter("tag", "1,-6,7"), "tag in (1) or not tag in (6)");
  EXPECT_EQ(*TagFilter("tag", "-0"), "not (tag in (0) or not exists(tag))");
  EXPECT_FALSE(TagFilter("tag", "x").ok());
  EXPECT_FALSE(TagFilter("tag", "10-5").ok());
}

TEST(LabelFilterTest, QuotesAndNegates) {
  EXPECT_EQ(LabelFilter("a, b"), "label = \"a\" or label = \"b\"");
  EXPECT_EQ(LabelFilter("-null"), "not (not exists(label))");
  EXPECT_EQ(LabelFilter("-a\"b"), "not label = \"a\\\"b\"");
}

TEST(WidthTest, TakesPmacctsUnits) {
  bool month = false;
  EXPECT_EQ(Width("300", &month), "5m");
  EXPECT_EQ(Width("90s", &month), "90s");
  EXPECT_EQ(Width("5m", &month), "5m");
  EXPECT_EQ(Width("24h", &month), "1d");
  EXPECT_EQ(Width("1w", &month), "7d");
  EXPECT_FALSE(month);
  EXPECT_EQ(Width("1M", &month), "1d");
  EXPECT_TRUE(month);
  for (const char* wrong : {"", "m", "0m", "5x", "5mm", "400d", "99999999999999999999s"}) {
    EXPECT_EQ(Width(wrong, &month), "") << wrong;
  }
}

}  // namespace
}  // namespace flowacct::collector
