// Writes the seeds of the fuzz test of GTPv2's corpus:
//     bazel build //flowacct/gtp:write_corpus_v2 && bazel-bin/flowacct/gtp/write_corpus_v2 flowacct/gtp/corpus_v2

#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/testing/gtp2_builder.h"
#include "flowacct/gtp/testing/messages_v2.h"

int main(int argc, char** argv) {
  using namespace flowacct::gtp;
  if (argc != 2) return 2;
  std::vector<testing::NamedMessage> messages = testing::MessagesV2();
  for (testing::NamedMessage& message : testing::ElementMessagesV2()) messages.push_back(std::move(message));
  // An answer that brings a request along.
  std::vector<uint8_t> both = messages[1].octets;
  both[0] |= 0x10;
  both.insert(both.end(), messages[4].octets.begin(), messages[4].octets.end());
  messages.push_back({"piggybacked", both});
  testing::Gtp2Builder deep(131, 1, 1);
  for (int i = 0; i < 200; ++i) deep.Begin(i % 2 == 0 ? v2::kPdnConnection : v2::kBearerContext, 0);
  for (int i = 0; i < 200; ++i) deep.End();
  messages.push_back({"deep", deep.Finish()});
  bool ok = true;
  for (const testing::NamedMessage& message : messages) {
    std::ofstream out(absl::StrCat(argv[1], "/", message.name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(message.octets.data()),
              static_cast<std::streamsize>(message.octets.size()));
    ok = ok && out.good();
  }
  return ok ? 0 : 1;
}
