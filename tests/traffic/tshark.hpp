/// \file
/// What Wireshark's command line makes of packets that we wrote: an oracle from outside.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "tests/traffic/capture_bytes.hpp"

namespace sluice::test {

inline bool have_tshark() {
  if (std::system("command -v tshark >/dev/null 2>&1") == 0)
    return true;
  MESSAGE("SKIPPED: tshark is not installed (Debian package tshark)");
  return false;
}

/// What a command prints when it succeeds.
inline std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said;
  char block[4096];
  while (std::fgets(block, sizeof block, pipe) != nullptr)
    said += block;
  CHECK(pclose(pipe) == 0);
  return said;
}

/// One line a packet: the first (the outer) occurrence of each field, with '|' between them.
inline std::vector<std::string> tshark_fields(const std::vector<packet_spec>& packets,
                                              const std::vector<std::string>& fields,
                                              pcap_options options = {}) {
  const temp_file capture{make_pcap(packets, options)};
  std::string command =
      "tshark -n -r '" + capture.path()
      + "' -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -T fields"
        " -E separator='|' -E occurrence=f";
  for (const auto& field : fields)
    command += " -e " + field;
  command += " 2>/dev/null";
  const auto said = output_of(command);
  std::vector<std::string> lines;
  std::istringstream in{said};
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

}  // namespace sluice::test
