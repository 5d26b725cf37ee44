// What subscribers on 2G and 3G do (TS 23.060), as messages of GTPv1-C (TS 29.060, 7.3 to 7.5), and how they come from
// and go to 4G (TS 23.401, annex D: by Gn and Gp, with the gateway's endpoints kept).

#include "flowacct/collector/generate/gtp_simulation.h"

namespace flowacct::collector {

using namespace gtp_message;  // NOLINT: numbers of message types, which are many

namespace {

constexpr int64_t kMicro = 1000;
// TS 24.008, 10.5.6.5, behind the octet of allocation and retention priority: interactive class, 16 and 64 Mbit/s.
constexpr uint8_t kQos[] = {0x02, 0x23, 0x92, 0x1f, 0x92, 0x96, 0xff, 0xff, 0x74, 0xfb, 0xff, 0xff};
// TS 24.008, 10.5.6.12: a new template with one filter, in both directions, for UDP.
constexpr uint8_t kTft[] = {0x21, 0x30, 0x00, 0x02, 0x30, 0x11};
constexpr uint8_t kElementTft = 137, kElementPdpContext = 130, kElementPtmsi = 5;
// Causes (7.7.1): no resources, user authentication failed, missing or unknown APN.
constexpr uint8_t kRefusals[] = {199, 209, 219};

}  // namespace

void GtpSimulation::WriteLocation1(const Subscriber& u) {
  gtp::LocationArea area;
  area.plmn = network_.VisitedPlmn(u.profile);
  area.code = 0x100u + u.mm;
  area.cell = 0x1000u + u.mm_control % 400;
  v1_.UserLocation(u.profile.geran ? gtp::LocationForm::kCgi : gtp::LocationForm::kSai, area);
}

int64_t GtpSimulation::Connect3G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const bool refused = Chance(options_.percent_refused);
  Count(refused ? GtpProcedure::kAttachRefused : GtpProcedure::kAttach);
  u.mm = PickSgsn(u);
  u.mm_control = NewTeid(u.mm, now);
  u.sgw_control = 0;
  const uint8_t apn = u.profile.apn;
  const GtpNodeId gateway = PickGateway(u, apn);
  const GtpNode &sgsn = network_.node(u.mm), &ggsn = network_.node(gateway);
  const uint32_t radio = NewTeid(u.mm, now);
  gtp::UeAddresses wanted;  // IPv4: none is any
  const gtp::UeAddresses ue = network_.UeAddresses(index, apn);
  if (ue.v6) wanted.v6 = base::IpAddress();
  if (ue.v4 && ue.v6) wanted.v4 = base::IpAddress::V4(0);

  const uint32_t sequence = Sequence(u.mm);
  gtp::LocationArea area;
  area.plmn = network_.VisitedPlmn(u.profile);
  area.code = 0x100u + u.mm;
  area.cell = 1;
  Begin1(kCreatePdpRequest, 0, sequence).Imsi(network_.Imsi(index, u.profile)).RoutingArea(area);
  v1_.Recovery(sgsn.recovery).SelectionMode(0).TeidData(radio).TeidControl(u.mm_control).Nsapi(Ebi(0, 0));
  v1_.ChargingCharacteristics(0x0800).EndUserAddress(wanted).Apn(network_.ApnText(u.profile, apn));
  v1_.GsnAddress(sgsn.control).GsnAddress(*sgsn.v4).Msisdn(network_.Msisdn(index)).QosProfile(kQos);
  v1_.RatType(u.profile.geran ? kGeran : kUtran);
  WriteLocation1(u);
  v1_.TimeZone(0x40, 0).Imei(network_.Imei(index));
  const uint32_t named = Bit(kImsi) | Bit(kMm) | (refused ? 0 : Bit(Label(0, 0, kRadio)));
  if (!refused) {
    Session& s = sessions_[static_cast<size_t>(Open(index, 0, apn, gateway, now))];
    s.gateway_control = NewTeid(gateway, now);
    s.bearers[0].teid = {radio, 0, 0, NewTeid(gateway, now)};
  }
  const uint32_t request = Request(u, now, u.mm, gateway, GtpTap::kGn, named);
  const int64_t t = now + Step();
  if (refused) {
    Begin1(kCreatePdpRequest + 1, u.mm_control, sequence).Cause(kRefusals[random_.Below(3)]).Recovery(ggsn.recovery);
    Answer(u, t, gateway, u.mm, GtpTap::kGn, Bit(kMm), request);
    FreeTeid(u.mm, radio, t);
    FreeControl(u, t);
    return t;
  }
  const Session& s = At(u, 0);
  Begin1(kCreatePdpRequest + 1, u.mm_control, sequence).Cause(kAccepted1).ReorderingRequired(false);
  v1_.Recovery(ggsn.recovery).TeidData(s.bearers[0].teid[kGateway]).TeidControl(s.gateway_control);
  v1_.ChargingId(s.charging_id).EndUserAddress(ue).GsnAddress(ggsn.control).GsnAddress(*ggsn.v4).QosProfile(kQos);
  Answer(u, t, gateway, u.mm, GtpTap::kGn, Bit(kMm) | Bit(GatewayLabel(0)) | Bit(Label(0, 0, kGateway)), request);
  u.state = State::kActive;
  if (Chance(options_.percent_early)) {
    ++truth_.early_bursts;
    return std::max(t, Burst(index, t - 900 * kMicro));
  }
  return t;
}

int64_t GtpSimulation::Update3G(uint32_t index, int slot, int64_t now) {
  Subscriber& u = subscribers_[index];
  Session& s = At(u, slot);
  const GtpNode &sgsn = network_.node(u.mm), &ggsn = network_.node(s.gateway);
  int64_t t = now;
  for (int bearer = 0; bearer < static_cast<int>(kBearers); ++bearer) {
    Bearer& b = s.bearers[bearer];
    if (!b.open) continue;
    const uint32_t sequence = Sequence(u.mm);
    const uint32_t radio = Bit(Label(slot, bearer, kRadio));
    Begin1(kUpdatePdpRequest, s.gateway_control, sequence).Recovery(sgsn.recovery).TeidData(b.teid[kRadio]);
    v1_.TeidControl(u.mm_control).Nsapi(Ebi(slot, bearer)).GsnAddress(sgsn.control).GsnAddress(*sgsn.v4);
    v1_.QosProfile(kQos).RatType(u.profile.geran ? kGeran : kUtran);
    WriteLocation1(u);
    const uint32_t request = Request(u, t, u.mm, s.gateway, GtpTap::kGn, Bit(GatewayLabel(slot)) | Bit(kMm) | radio);
    t += Step();
    Begin1(kUpdatePdpRequest + 1, u.mm_control, sequence).Cause(kAccepted1).Recovery(ggsn.recovery);
    v1_.TeidData(b.teid[kGateway]).TeidControl(s.gateway_control).ChargingId(s.charging_id);
    v1_.GsnAddress(ggsn.control).GsnAddress(*ggsn.v4).QosProfile(kQos);
    Answer(u, t, s.gateway, u.mm, GtpTap::kGn, Bit(kMm) | Bit(GatewayLabel(slot)) | Bit(Label(slot, bearer, kGateway)),
           request);
    t += Step();
  }
  return t;
}

// The new node asks the old one by GTPv1 for what it has of the subscriber.
int64_t GtpSimulation::ContextTransfer1(uint32_t index, GtpNodeId to, uint32_t new_control, int64_t now) {
  Subscriber& u = subscribers_[index];
  const GtpNode &asker = network_.node(to), &asked = network_.node(u.mm);
  const uint32_t sequence = Sequence(to);
  const uint32_t at_asker = NewTeid(to, now);
  gtp::LocationArea area;
  area.plmn = network_.VisitedPlmn(u.profile);
  area.code = 0x100u + u.mm;
  area.cell = 1;
  uint8_t ptmsi[4];
  base::StoreBe32(ptmsi, 0xc0000000 | index);
  Begin1(kSgsnContextRequest, 0, sequence).RoutingArea(area).Fixed(kElementPtmsi, ptmsi).TeidControl(at_asker);
  v1_.GsnAddress(asker.control);
  const uint32_t request = Request(u, now, to, u.mm, GtpTap::kS10, 0);
  int64_t t = now + Step();
  Begin1(kSgsnContextResponse, at_asker, sequence).Cause(kAccepted1).Imsi(network_.Imsi(index, u.profile));
  v1_.TeidControl(u.mm_control);
  uint32_t named = Bit(kImsi) | Bit(kMm);
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    for (int bearer = 0; u.sessions[slot] >= 0 && bearer < static_cast<int>(kBearers); ++bearer) {
      const Session& s = At(u, slot);
      if (!s.bearers[bearer].open) continue;
      // TS 29.060, 7.7.29.
      const gtp::UeAddresses ue = network_.UeAddresses(index, s.apn);
      const GtpNode& ggsn = network_.node(s.gateway);
      const std::string apn = network_.ApnText(u.profile, s.apn);
      payload_.Clear();
      payload_.U8(Ebi(slot, bearer)).U8(3);                               // NSAPI, SAPI
      for (int i = 0; i < 3; ++i) payload_.U8(sizeof(kQos)).Bytes(kQos);  // subscribed, requested, negotiated
      payload_.U16(0).U16(0).U8(0xff).U8(0xff);                           // numbers that were sent
      payload_.U32(s.gateway_control).U32(s.bearers[bearer].teid[kGateway]).U8(0);
      payload_.U8(0xf1).U8(ue.v4 ? 0x21 : 0x57);
      if (ue.v4) {
        payload_.U8(4).U32(ue.v4->v4());
      } else {
        payload_.U8(16).Bytes(ue.v6->octets());
      }
      payload_.U8(4).U32(ggsn.control.v4()).U8(4).U32(ggsn.v4->v4());
      payload_.U8(static_cast<uint8_t>(apn.size() + 1));
      gtp::WriteApnLabels(apn, &payload_);
      payload_.U8(Ebi(slot, bearer)).U8(0);  // transaction identifier
      v1_.Variable(kElementPdpContext, payload_.octets());
      named |= Bit(GatewayLabel(slot)) | Bit(Label(slot, bearer, kGateway));
    }
  }
  v1_.GsnAddress(asked.control);
  Answer(u, t, u.mm, to, GtpTap::kS10, named, request);
  t += Step();
  Begin1(kSgsnContextAcknowledge, u.mm_control, sequence).Cause(kAccepted1).TeidControl(new_control);
  v1_.GsnAddress(asker.control);
  Request(u, t, to, u.mm, GtpTap::kS10, Bit(kMm));
  t += Step();
  FreeTeid(to, at_asker, t);
  return t;
}

int64_t GtpSimulation::PdpUpdate(uint32_t index, int64_t now, bool new_sgsn) {
  Subscriber& u = subscribers_[index];
  const GtpNodeId next = new_sgsn ? Other(network_.sgsns(), u.mm) : u.mm;
  int64_t t = now;
  if (next != u.mm) {
    const uint32_t control = NewTeid(next, now);
    t = ContextTransfer1(index, next, control, t);
    const GtpNodeId old = u.mm;
    FreeTeid(old, u.mm_control, t);
    u.mm = next;
    u.mm_control = control;
    Fresh(u, kMm);
    for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
      for (int bearer = 0; u.sessions[slot] >= 0 && bearer < static_cast<int>(kBearers); ++bearer) {
        Bearer& b = At(u, slot).bearers[bearer];
        if (!b.open) continue;
        FreeTeid(old, b.teid[kRadio], t);
        b.teid[kRadio] = NewTeid(next, now);
        Fresh(u, Label(slot, bearer, kRadio));
      }
    }
  }
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] >= 0) t = Update3G(index, slot, t);
  }
  return t;
}

int64_t GtpSimulation::Secondary(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  Session& s = At(u, slot);
  const GtpNode &sgsn = network_.node(u.mm), &ggsn = network_.node(s.gateway);
  Bearer& b = s.bearers[1];
  b.open = true;
  b.teid = {NewTeid(u.mm, now), 0, 0, NewTeid(s.gateway, now)};
  Fresh(u, Label(slot, 1, kRadio));
  Fresh(u, Label(slot, 1, kGateway));
  const uint32_t sequence = Sequence(u.mm);
  Begin1(kCreatePdpRequest, s.gateway_control, sequence).TeidData(b.teid[kRadio]).Nsapi(Ebi(slot, 1));
  v1_.Nsapi(Ebi(slot, 0)).GsnAddress(sgsn.control).GsnAddress(*sgsn.v4).QosProfile(kQos).Variable(kElementTft, kTft);
  const uint32_t request =
      Request(u, now, u.mm, s.gateway, GtpTap::kGn, Bit(GatewayLabel(slot)) | Bit(Label(slot, 1, kRadio)));
  const int64_t t = now + Step();
  Begin1(kCreatePdpRequest + 1, u.mm_control, sequence).Cause(kAccepted1).ReorderingRequired(false);
  v1_.TeidData(b.teid[kGateway]).ChargingId(next_charging_id_++).GsnAddress(ggsn.control).GsnAddress(*ggsn.v4);
  v1_.QosProfile(kQos);
  Answer(u, t, s.gateway, u.mm, GtpTap::kGn, Bit(kMm) | Bit(Label(slot, 1, kGateway)), request);
  return t;
}

int64_t GtpSimulation::SecondaryEnd(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0 || !At(u, slot).bearers[1].open) continue;
    Session& s = At(u, slot);
    const uint32_t sequence = Sequence(u.mm);
    Begin1(kDeletePdpRequest, s.gateway_control, sequence).Teardown(false).Nsapi(Ebi(slot, 1));
    Request(u, t, u.mm, s.gateway, GtpTap::kGn, 0);
    t += Step();
    Begin1(kDeletePdpRequest + 1, u.mm_control, sequence).Cause(kAccepted1);
    Answer(u, t, s.gateway, u.mm, GtpTap::kGn, 0, 0);
    FreeBearer(u, s, 1, t);
    s.bearers[1] = Bearer();
    t += Step();
  }
  return t;
}

int64_t GtpSimulation::GgsnUpdate(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  Session& s = At(u, slot);
  const uint32_t sequence = Sequence(s.gateway);
  Begin1(kUpdatePdpRequest, u.mm_control, sequence).Imsi(network_.Imsi(index, u.profile)).Nsapi(Ebi(slot, 0));
  v1_.QosProfile(kQos).Ambr(16000, 64000);
  const uint32_t request = Request(u, now, s.gateway, u.mm, GtpTap::kGn, Bit(kImsi) | Bit(kMm));
  const int64_t t = now + Step();
  Begin1(kUpdatePdpRequest + 1, s.gateway_control, sequence).Cause(kAccepted1).QosProfile(kQos);
  Answer(u, t, u.mm, s.gateway, GtpTap::kGn, Bit(GatewayLabel(slot)), request);
  return t;
}

int64_t GtpSimulation::InfoChange(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[0] >= 0 ? 0 : 1;
  Session& s = At(u, slot);
  const base::Digits imsi = network_.Imsi(index, u.profile);
  const uint32_t sequence = Sequence(u.mm);
  Begin1(kInfoChangeRequest, s.gateway_control, sequence).Imsi(imsi).Nsapi(Ebi(slot, 0));
  v1_.RatType(u.profile.geran ? kGeran : kUtran);
  WriteLocation1(u);
  const uint32_t request = Request(u, now, u.mm, s.gateway, GtpTap::kGn, Bit(kImsi) | Bit(GatewayLabel(slot)));
  const int64_t t = now + Step();
  Begin1(kInfoChangeRequest + 1, u.mm_control, sequence).Cause(kAccepted1).Imsi(imsi).Nsapi(Ebi(slot, 0));
  Answer(u, t, s.gateway, u.mm, GtpTap::kGn, Bit(kImsi) | Bit(kMm), request);
  return t;
}

int64_t GtpSimulation::Detach3G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = now;
  for (int slot = kSlots - 1; slot >= 0; --slot) {
    if (u.sessions[slot] < 0) continue;
    Session& s = At(u, slot);
    const uint32_t sequence = Sequence(u.mm);
    Begin1(kDeletePdpRequest, s.gateway_control, sequence).Teardown(true).Nsapi(Ebi(slot, 0));
    Request(u, t, u.mm, s.gateway, GtpTap::kGn, 0);
    t += Step();
    Begin1(kDeletePdpRequest + 1, u.mm_control, sequence).Cause(kAccepted1);
    Answer(u, t, s.gateway, u.mm, GtpTap::kGn, 0, 0);
    Close(u, slot, t, /*restarted=*/false);
    t += Step();
  }
  FreeControl(u, t);
  return t;
}

int64_t GtpSimulation::EndByGateway3G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  const int slot = u.sessions[1] >= 0 ? 1 : 0;
  Session& s = At(u, slot);
  const uint32_t sequence = Sequence(s.gateway);
  Begin1(kDeletePdpRequest, u.mm_control, sequence).Teardown(true).Nsapi(Ebi(slot, 0));
  Request(u, now, s.gateway, u.mm, GtpTap::kGn, 0);
  const int64_t t = now + Step();
  Begin1(kDeletePdpRequest + 1, s.gateway_control, sequence).Cause(kAccepted1);
  Answer(u, t, u.mm, s.gateway, GtpTap::kGn, 0, 0);
  Close(u, slot, t, /*restarted=*/false);
  FreeControl(u, t);
  return t;
}

int64_t GtpSimulation::To3G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = HasDedicated(u) ? DedicatedEnd(index, now) : now;
  const GtpNodeId sgsn = PickSgsn(u), mme = u.mm, sgw = u.sgw;
  const uint32_t control = NewTeid(sgsn, now), old_control = u.mm_control;
  t = ContextTransfer1(index, sgsn, control, t);
  // The gateway sends to the SGSN from its answer on; only then the MME lets the SGW forget.
  std::array<std::array<uint32_t, kEndpoints>, kSlots> old_teids{};
  std::array<uint32_t, kSlots> old_sgw_controls{};
  const GtpNodeId radio = u.radio;
  u.access = GtpAccess::k3G;
  u.mm = sgsn;
  u.mm_control = control;
  Fresh(u, kMm);
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    Session& s = At(u, slot);
    ++s.moves;
    Bearer& b = s.bearers[0];
    old_teids[slot] = b.teid;
    old_sgw_controls[slot] = s.sgw_control;
    s.sgw_control = 0;
    b.teid = {NewTeid(sgsn, now), 0, 0, b.teid[kGateway]};
    Fresh(u, Label(slot, 0, kRadio));
    t = Update3G(index, slot, t);
  }
  // For the moment of these messages it is the MME that speaks.
  u.mm = mme;
  u.mm_control = old_control;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    t = DeleteAtSgw(u, sgw, u.sgw_control, slot, t + Step());
    if (old_teids[slot][kRadio] != 0) FreeTeid(radio, old_teids[slot][kRadio], t);
    FreeTeid(sgw, old_teids[slot][kSgwRadio], t);
    FreeTeid(sgw, old_teids[slot][kSgwCore], t);
    FreeTeid(sgw, old_sgw_controls[slot], t);
  }
  FreeTeid(sgw, u.sgw_control, t);
  FreeTeid(mme, old_control, t);
  u.mm = sgsn;
  u.mm_control = control;
  u.sgw_control = 0;
  Fresh(u, kSgw);
  return t;
}

int64_t GtpSimulation::To4G(uint32_t index, int64_t now) {
  Subscriber& u = subscribers_[index];
  int64_t t = HasDedicated(u) ? SecondaryEnd(index, now) : now;
  const GtpNodeId mme = PickMme(u), sgsn = u.mm;
  const uint32_t control = NewTeid(mme, now);
  t = ContextTransfer1(index, mme, control, t);
  FreeTeid(sgsn, u.mm_control, t);
  u.access = GtpAccess::k4G;
  u.mm = mme;
  u.mm_control = control;
  Fresh(u, kMm);
  u.sgw = PickSgw(u);
  u.sgw_control = NewTeid(u.sgw, now);
  Fresh(u, kSgw);
  u.radio = PickRadio(u, 0);
  bool first = true;
  for (int slot = 0; slot < static_cast<int>(kSlots); ++slot) {
    if (u.sessions[slot] < 0) continue;
    Session& s = At(u, slot);
    ++s.moves;
    FreeTeid(sgsn, s.bearers[0].teid[kRadio], t);
    s.bearers[0].teid[kRadio] = 0;
    t = CreateAtSgw(index, slot, first, /*radio=*/false, t) + Step();
    first = false;
  }
  return ModifyBearers(index, t, /*radio=*/true, /*sender=*/false, -1);
}

}  // namespace flowacct::collector
