// Starts a store's real server and tells where it is, a line of JSON: {"store": "postgresql:...", "sink": "postgresql
// { ... }", "pid": 4711}. Ends when standard input does. For benchmarks that are scripts.
//
//     run_server KIND FOLDER

#include <cstdio>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/collector/stores/testing/store_server.h"
#include "flowacct/record/value_text.h"

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: run_server KIND FOLDER\n");
    return 2;
  }
  std::string why;
  const auto server = flowacct::collector::StartStoreServer(words[1], words[2], &why);
  if (server == nullptr) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
  }
  std::string line = "{\"store\": ";
  flowacct::record::AppendJsonString(absl::StrCat(words[1], ":", server->place().place), &line);
  line += ", \"password_file\": ";
  flowacct::record::AppendJsonString(server->place().password_file, &line);
  line += ", \"sink\": ";
  flowacct::record::AppendJsonString(server->sink_text(), &line);
  absl::StrAppend(&line, ", \"pid\": ", server->pid(), "}\n");
  std::cout << line << std::flush;
  std::string ignored;
  while (std::getline(std::cin, ignored)) {
  }
  return 0;
}
