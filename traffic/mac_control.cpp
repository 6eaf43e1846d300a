#include "traffic/mac_control.hpp"

#include <algorithm>

#include "traffic/byte_order.hpp"

namespace sluice {

namespace {

constexpr std::array<std::uint8_t, 6> link_peer{0x01, 0x80, 0xc2, 0x00, 0x00, 0x01};
constexpr std::uint16_t type_mac_control = 0x8808;
constexpr std::uint16_t opcode_pause = 0x0001, opcode_pfc = 0x0101;
constexpr std::size_t at_source = 6, at_type = 12, at_opcode = 14, at_body = 16;
constexpr std::size_t at_quanta = at_body + 2;  // of PFC

}  // namespace

bool write_mac_control(const mac_control& frame, std::span<std::uint8_t> out) {
  if (out.size() < mac_control_bytes)
    return false;
  out = out.first(mac_control_bytes);
  std::ranges::fill(out, std::uint8_t{0});
  std::ranges::copy(link_peer, out.begin());
  if (frame.source.kind() == net_address::family::mac)
    std::ranges::copy(frame.source.bytes(), out.begin() + at_source);
  put16(out, at_type, type_mac_control);
  if (frame.what == mac_control::kind::pause) {
    put16(out, at_opcode, opcode_pause);
    put16(out, at_body, frame.quanta[0]);
    return true;
  }
  put16(out, at_opcode, opcode_pfc);
  put16(out, at_body, frame.classes);
  for (unsigned c = 0; c < pause_classes; ++c)
    put16(out, at_quanta + 2 * c, frame.quanta[c]);
  return true;
}

std::optional<mac_control> read_mac_control(std::span<const std::uint8_t> frame) {
  if (frame.size() < mac_control_bytes || !std::ranges::equal(frame.first(6), link_peer)
      || be16(frame, at_type) != type_mac_control)
    return std::nullopt;
  mac_control read;
  std::array<std::uint8_t, 6> source;
  std::ranges::copy(frame.subspan(at_source, 6), source.begin());
  read.source = net_address::mac(source);
  switch (be16(frame, at_opcode)) {
    case opcode_pause:
      read.what = mac_control::kind::pause;
      read.quanta[0] = be16(frame, at_body);
      return read;
    case opcode_pfc:
      read.classes = static_cast<std::uint8_t>(be16(frame, at_body));
      for (unsigned c = 0; c < pause_classes; ++c)
        if ((read.classes >> c & 1) != 0)
          read.quanta[c] = be16(frame, at_quanta + 2 * c);
      return read;
    default:
      return std::nullopt;
  }
}

}  // namespace sluice
