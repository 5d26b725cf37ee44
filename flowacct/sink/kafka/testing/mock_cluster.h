// librdkafka's mock of a cluster, in a process of its own (kafka_process), for the tests of a program.
//
//     cluster_ = MockCluster::Start().release();             // once
//     options.connection.brokers = cluster_->brokers();
//     options.message.address = cluster_->NewTopic();
//     cluster_->Order("errors 0 2 6");                       // what kafka_process understands
//
// Ends with the object. Threads: one at a time. Errors: fail the test.

#ifndef FLOWACCT_SINK_KAFKA_TESTING_MOCK_CLUSTER_H_
#define FLOWACCT_SINK_KAFKA_TESTING_MOCK_CLUSTER_H_

#include <memory>
#include <string>

#include "flowacct/sink/kafka/testing/child.h"

namespace flowacct::sink::kafka {

class MockCluster {
 public:
  // Of one broker.
  static std::unique_ptr<MockCluster> Start();
  // kafka_process, which is among the data of the test.
  static std::string Program();

  const std::string& brokers() const { return brokers_; }
  void Order(const std::string& line);
  // Of four partitions; its name.
  std::string NewTopic();

 private:
  MockCluster() = default;

  std::unique_ptr<Child> process_;
  std::string brokers_;
  int topics_ = 0;
};

}  // namespace flowacct::sink::kafka

#endif  // FLOWACCT_SINK_KAFKA_TESTING_MOCK_CLUSTER_H_
