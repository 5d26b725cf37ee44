#include "flowacct/collector/validation/testing/fake_cache.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/socket/bound_socket.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/socket/socket_address.h"

namespace flowacct::collector {
namespace {

constexpr int kPatienceMs = 10000;

bool Await(const Descriptor& descriptor, short events) {
  pollfd one = {descriptor.get(), events, 0};
  return poll(&one, 1, kPatienceMs) == 1;
}

}  // namespace

rpki::Vrp MakeVrp(absl::string_view prefix, uint8_t max_length, uint32_t as) {
  return {*base::IpPrefix::Parse(prefix), max_length, as};
}

FakeCache::FakeCache(uint8_t version) : version_(version) {
  const Endpoint endpoint = *ParseEndpoint("tcp://127.0.0.1:0", {EndpointScheme::kTcp});
  listener_ = *OpenSocket(endpoint);
  EXPECT_TRUE(Bind(listener_, endpoint, {}).ok());
  EXPECT_TRUE(Listen(listener_, endpoint, 8).ok());
  base::IpAddress address;
  LocalAddress(listener_.get(), &address, &port_);
}

std::string FakeCache::url() const { return absl::StrCat("tcp://127.0.0.1:", port_); }

bool FakeCache::Accept() {
  if (!Await(listener_, POLLIN)) return false;
  connection_ = Descriptor(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return connection_.is_open();
}

void FakeCache::Leave() {
  connection_.Reset();
  listener_.Reset();
}

std::string FakeCache::Read() {
  std::string pdu(rpki::kPduHeaderOctets, '\0');
  for (size_t at = 0; at < pdu.size();) {
    if (!Await(connection_, POLLIN)) return "";
    const ssize_t n = recv(connection_.get(), &pdu[at], pdu.size() - at, 0);
    if (n <= 0) return "";
    at += static_cast<size_t>(n);
    if (at == rpki::kPduHeaderOctets) pdu.resize(rpki::LoadPduHeader(base::AsOctets(pdu).data()).length);
  }
  return pdu;
}

bool FakeCache::AwaitQuery(rpki::PduType type, uint16_t session, uint32_t serial) {
  const std::string query = Read();
  if (query.empty()) return false;
  const rpki::PduHeader header = rpki::LoadPduHeader(base::AsOctets(query).data());
  EXPECT_EQ(rpki::PduTypeName(static_cast<rpki::PduType>(header.type)), rpki::PduTypeName(type));
  if (header.type != static_cast<uint8_t>(type)) return false;
  if (type != rpki::PduType::kSerialQuery) return true;
  EXPECT_EQ(header.session_id, session);
  EXPECT_EQ(base::LoadBe32(base::AsOctets(query).data() + rpki::kPduHeaderOctets), serial);
  return true;
}

bool FakeCache::Send(base::Octets octets) {
  while (!octets.empty()) {
    const ssize_t n = send(connection_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool FakeCache::AnswerWhole(uint16_t session, uint32_t serial, const std::vector<rpki::Vrp>& vrps) {
  if (!AwaitQuery(rpki::PduType::kResetQuery)) return false;
  std::vector<std::pair<bool, rpki::Vrp>> changes;
  for (const rpki::Vrp& vrp : vrps) changes.emplace_back(true, vrp);
  return AnswerChanges(session, serial, changes);
}

bool FakeCache::AnswerChanges(uint16_t session, uint32_t serial,
                              const std::vector<std::pair<bool, rpki::Vrp>>& changes) {
  base::OctetWriter out;
  rpki::WriteCacheResponse(version_, session, &out);
  for (const auto& [announce, vrp] : changes) rpki::WritePrefix(version_, {announce, vrp}, &out);
  rpki::EndOfDataPdu end;
  end.serial = serial;
  end.has_timers = version_ > 0;
  end.refresh_seconds = 3600;
  end.retry_seconds = 600;
  end.expire_seconds = 7200;
  rpki::WriteEndOfData(version_, session, end, &out);
  return Send(out.octets());
}

bool FakeCache::Notify(uint16_t session, uint32_t serial) {
  base::OctetWriter out;
  rpki::WriteSerialNotify(version_, session, serial, &out);
  return Send(out.octets());
}

}  // namespace flowacct::collector
