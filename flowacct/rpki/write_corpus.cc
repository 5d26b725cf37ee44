// Writes the seeds of the fuzz test's corpus:
//     bazel build //flowacct/rpki:write_corpus && bazel-bin/flowacct/rpki/write_corpus flowacct/rpki/corpus

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/rpki/pdu.h"

namespace flowacct::rpki {
namespace {

bool Write(const std::string& path, uint8_t first, base::Octets octets) {
  std::ofstream out(path, std::ios::binary);
  out.put(static_cast<char>(first));
  out.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
  return out.good();
}

int Main(const std::string& folder) {
  bool ok = true;
  const Vrp a{*base::IpPrefix::Parse("192.0.2.0/24"), 26, 64496}, b{*base::IpPrefix::Parse("2001:db8::/32"), 48, 64497},
      c{*base::IpPrefix::Parse("192.0.2.0/25"), 25, 64498};
  for (const uint8_t version : {uint8_t{0}, uint8_t{1}}) {
    EndOfDataPdu end;
    end.serial = 9;
    end.refresh_seconds = 3600;
    end.retry_seconds = 600;
    end.expire_seconds = 7200;
    base::OctetWriter full, more, reset, error;
    WriteCacheResponse(version, 7, &full);
    for (const Vrp& vrp : {a, b, c}) WritePrefix(version, {true, vrp}, &full);
    if (version > 0) full.U8(1).U8(9).U16(0x0100).U32(40).Fill(32, 7);
    WriteEndOfData(version, 7, end, &full);
    ok &= Write(absl::StrCat(folder, "/full_", version), 20, full.octets());
    more.Bytes(full.octets());
    WriteSerialNotify(version, 7, 10, &more);
    WriteCacheResponse(version, 7, &more);
    WritePrefix(version, {false, a}, &more);
    WritePrefix(version, {true, a}, &more);
    WritePrefix(version, {false, b}, &more);
    WriteEndOfData(version, 7, end, &more);
    ok &= Write(absl::StrCat(folder, "/serial_", version), 6, more.octets());
    reset.Bytes(full.octets());
    WriteSerialNotify(version, 7, 10, &reset);
    WriteCacheReset(version, &reset);
    reset.Bytes(full.octets());
    ok &= Write(absl::StrCat(folder, "/reset_", version), 11, reset.octets());
    WriteErrorReport(version, ErrorCode::kNoDataAvailable, {}, "none yet", &error);
    WriteSerialNotify(version, 7, 1, &error);
    WriteErrorReport(version, ErrorCode::kUnsupportedVersion, full.octets().subspan(0, 8), "no", &error);
    ok &= Write(absl::StrCat(folder, "/error_", version), 1, error.octets());
  }
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace flowacct::rpki

int main(int argc, char** argv) { return argc == 2 ? flowacct::rpki::Main(argv[1]) : 2; }
