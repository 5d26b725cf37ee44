#include "flowacct/sink/kafka/testing/mock_cluster.h"

#include <signal.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::sink::kafka {

std::string MockCluster::Program() {
  return absl::StrCat(std::getenv("TEST_SRCDIR"), "/", std::getenv("TEST_WORKSPACE"),
                      "/flowacct/sink/kafka/kafka_process");
}

std::unique_ptr<MockCluster> MockCluster::Start() {
  signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<MockCluster> cluster(new MockCluster);
  cluster->process_ = Child::Start({Program(), "cluster", "1"});
  EXPECT_NE(cluster->process_, nullptr) << Program();
  if (cluster->process_ != nullptr) cluster->brokers_ = cluster->process_->Line();
  EXPECT_FALSE(cluster->brokers_.empty());
  return cluster;
}

void MockCluster::Order(const std::string& line) {
  process_->Tell(line);
  EXPECT_EQ(process_->Line(), "ok") << line;
}

std::string MockCluster::NewTopic() {
  const std::string topic = absl::StrCat("topic", ++topics_);
  Order(absl::StrCat("topic ", topic, " 4"));
  return topic;
}

}  // namespace flowacct::sink::kafka
