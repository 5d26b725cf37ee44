#include "tools/flowacct/input_options.h"

namespace flowacct::tools {

void AddInputOptions(CLI::App& command, InputFlags& flags) {
  command
      .add_option("FILE", flags.files,
                  "Captures: pcap, pcapng or IPFIX files, also gzip or zstd compressed; - is standard input")
      ->required()
      ->type_name("");
  command
      .add_option("--as", flags.as,
                  "What captures hold: packets, exports (NetFlow, IPFIX, sFlow in UDP), or auto: look and see")
      ->check(CLI::IsMember({"packets", "exports", "auto"}))
      ->type_name("KIND")
      ->capture_default_str();
  command
      .add_option(
          "--depth", flags.depth,
          "Packets in tunnels: the IP header to account by; 0 is the outermost, 1 one tunnel inside, -1 the innermost")
      ->check(CLI::Range(-1, 32))
      ->type_name("N")
      ->capture_default_str();
  command.add_flag("--keep-not-ip", flags.keep_not_ip, "Account frames without IP (ARP, LLDP, ...) too");
}

collector::CaptureInputOptions ToInputOptions(const InputFlags& flags) {
  collector::CaptureInputOptions options;
  options.as = collector::ParseCaptureKind(flags.as);
  options.packets.depth = flags.depth;
  options.packets.keep_not_ip = flags.keep_not_ip;
  return options;
}

}  // namespace flowacct::tools
