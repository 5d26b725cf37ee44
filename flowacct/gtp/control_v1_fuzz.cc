// Messages of GTPv0, GTPv1 and GTP': what is read lies within the message and its bounds, the chain of extension
// headers is as long as it says, and each function that reads an element does so of any octets.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "flowacct/gtp/control_v1.h"
#include "flowacct/gtp/elements_v1.h"
#include "flowacct/gtp/extension_headers.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/user_plane.h"

namespace flowacct::gtp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Within(base::Octets inner, base::Octets outer) {
  return inner.empty() || (inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size());
}

void ReadAsEach(base::Octets value) {
  (void)v1::ReadU8(value);
  (void)v1::ReadU16(value);
  (void)v1::ReadU32(value);
  if (const auto imsi = v1::ReadImsi(value)) Require(imsi->size() <= 15 && !imsi->is_pseudonym());
  (void)v1::ReadImei(value);
  (void)v1::ReadMsisdn(value);
  (void)v1::ReadRai(value);
  (void)v1::ReadTeidDataII(value);
  if (const auto address = v1::ReadEndUserAddress(value)) Require(address->addresses().v6_length == 64);
  (void)v1::ReadAddress(value);
  (void)v1::ReadQos(value);
  (void)v1::ReadV0Qos(value);
  if (const auto location = v1::ReadUli(value)) Require(location->present != 0);
  (void)v1::ReadAmbr(value);
  (void)v1::ReadEvolvedArpII(value);
  for (const Protocol protocol : {Protocol::kV0, Protocol::kV1}) {
    if (const auto context = v1::ReadPdpContext(protocol, value)) {
      Require(Within(context->qos_negotiated, value) && context->nsapi < 16);
    }
  }
  (void)v1::ReadRabSetup(value);
  if (const auto extension = v1::ReadPrivateExtension(value)) Require(extension->value.size() + 2 == value.size());
  if (const auto apn = ApnFromLabels(value)) Require(apn->size <= Apn::kMaxSize);
}

}  // namespace
}  // namespace flowacct::gtp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct::gtp;
  const flowacct::base::Octets octets(data, size);
  ReadAsEach(octets);
  MessageView view;
  if (const auto result = MessageView::Parse(octets, &view); !result.ok()) {
    Require(result.offset <= size && view.size() == 0);
    return 0;
  }
  Require(view.size() <= size && Within(view.payload(), view.octets()) && Within(view.extensions(), view.octets()));
  size_t chain = 0;
  ExtensionReader extensions(view);
  for (ExtensionHeader header; extensions.Next(&header);) {
    Require(Within(header.content, view.extensions()));
    chain += header.content.size() + 2;
    (void)ReadPduSessionContainer(header.content);
    (void)ReadLongPdcpNumber(header.content);
    (void)ReadPdcpNumber(header.content);
    (void)ReadServiceClass(header.content);
  }
  Require(chain == view.extensions().size());
  if (view.version() == 2 && !view.is_prime()) return 0;

  size_t end = view.size() - view.payload().size();
  v1::ElementReader elements(view);
  for (v1::Element element; elements.Next(&element);) {
    Require(element.offset == end && Within(element.value, view.payload()));
    end = static_cast<size_t>(element.value.data() + element.value.size() - view.octets().data());
    ReadAsEach(element.value);
  }
  Require(elements.result().ok() ? end == view.size() : elements.result().offset == end);

  UserPlaneView user;
  (void)ReadUserPlane(view, &user);
  Require(Within(user.inner, view.octets()));
  auto message = std::make_unique<ControlMessage>();
  (void)ReadControlMessageV1(view, message.get());
  Require(message->control_count <= ControlMessage::kMaxControlFteids);
  Require(message->bearer_count <= ControlMessage::kMaxBearers);
  for (uint8_t i = 0; i < message->connection_count; ++i) {
    const ConnectionContext& connection = message->connections[i];
    Require(connection.first_bearer + connection.bearer_count <= message->bearer_count);
  }
  return 0;
}
