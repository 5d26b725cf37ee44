// A writer goes on while another thread reads what it was handed; ThreadSanitizer watches.

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "gtest/gtest.h"

namespace flowacct::base {
namespace {

TEST(InternerThreads, IdsThatWereHandedOverCanBeReadWhileTheWriterGoesOn) {
  constexpr int kValues = 20000;
  Interner interner;
  std::mutex mutex;  // which ThreadSanitizer knows
  std::vector<InternId> handed;
  std::thread writer([&] {
    for (int i = 0; i < kValues; ++i) {
      const InternId id = interner.Intern(std::to_string(i));
      const std::lock_guard<std::mutex> lock(mutex);
      handed.push_back(id);
    }
  });
  for (size_t next = 0; next < kValues;) {
    std::vector<InternId> some;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      some.assign(handed.begin() + static_cast<long>(next), handed.end());
    }
    for (const InternId id : some) ASSERT_EQ(AsText(interner.Find(id)), std::to_string(next++));
  }
  writer.join();
  EXPECT_EQ(interner.size(), kValues + 2u);
  EXPECT_TRUE(interner.Find(kValues + 2).empty());
}

}  // namespace
}  // namespace flowacct::base
