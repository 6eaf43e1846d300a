#include "traffic/error.hpp"

#include <fmt/format.h>

namespace sluice {

namespace {

std::string place(const std::string& file, std::uint64_t packet, std::uint64_t offset) {
  if (packet == 0 && offset == 0)
    return file;
  if (packet == 0)
    return fmt::format("{}: offset {:#x} ({})", file, offset, offset);
  return fmt::format("{}: packet {} at offset {:#x} ({})", file, packet, offset, offset);
}

}  // namespace

std::string_view to_string(traffic_ec code) {
  switch (code) {
    case traffic_ec::cannot_open:
      return "cannot_open";
    case traffic_ec::cannot_write:
      return "cannot_write";
    case traffic_ec::cannot_read:
      return "cannot_read";
    case traffic_ec::empty:
      return "empty";
    case traffic_ec::compressed:
      return "compressed";
    case traffic_ec::not_a_capture:
      return "not_a_capture";
    case traffic_ec::unsupported:
      return "unsupported";
    case traffic_ec::cut_off:
      return "cut_off";
    case traffic_ec::bad_length:
      return "bad_length";
    case traffic_ec::bad_block:
      return "bad_block";
    case traffic_ec::bad_filter:
      return "bad_filter";
    case traffic_ec::bad_config:
      return "bad_config";
  }
  return "unknown";
}

capture_error::capture_error(traffic_ec code, std::string file, std::uint64_t packet,
                             std::uint64_t offset, std::string message)
    : traffic_error{code, place(file, packet, offset) + ": " + message},
      file_{std::move(file)},
      packet_{packet},
      offset_{offset},
      message_{std::move(message)} {}

}  // namespace sluice
