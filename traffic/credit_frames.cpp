#include "traffic/credit_frames.hpp"

#include <algorithm>

namespace sluice {

namespace {

// CRC-16 with polynomial 0x100b, least significant bit first (reflected 0xd008), all ones before
// and complemented after: of PCIe's DLLPs and of InfiniBand's link packets.
std::uint16_t crc16(std::span<const std::uint8_t> data) {
  std::uint16_t crc = 0xffff;
  for (const auto byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xd008 : crc >> 1);
  }
  return static_cast<std::uint16_t>(~crc);
}

constexpr std::size_t covered = 4;  // bytes before the checksum, of both

template <std::size_t Size>
std::array<std::uint8_t, Size> sealed(std::uint32_t word) {
  std::array<std::uint8_t, Size> out{};
  for (std::size_t i = 0; i < covered; ++i)
    out[i] = static_cast<std::uint8_t>(word >> (24 - 8 * i));
  const auto crc = crc16({out.data(), covered});
  out[covered] = static_cast<std::uint8_t>(crc);
  out[covered + 1] = static_cast<std::uint8_t>(crc >> 8);
  return out;
}

// The word before the checksum, if it verifies.
std::optional<std::uint32_t> opened(std::span<const std::uint8_t> bytes, std::size_t size) {
  if (bytes.size() != size)
    return std::nullopt;
  const auto crc = crc16(bytes.first(covered));
  if (bytes[covered] != (crc & 0xff) || bytes[covered + 1] != crc >> 8)
    return std::nullopt;
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < covered; ++i)
    word = word << 8 | bytes[i];
  return word;
}

}  // namespace

std::array<std::uint8_t, pcie_dllp_bytes> write_pcie_flow(const pcie_flow_dllp& d) {
  constexpr std::uint32_t kinds[] = {0x40, 0xc0, 0x80};
  const auto type = kinds[static_cast<std::size_t>(d.what)]
                    | static_cast<std::uint32_t>(d.pool) << 4 | (d.channel & 7u);
  return sealed<pcie_dllp_bytes>(type << 24 | (d.header_scale & 3u) << 22
                                 | static_cast<std::uint32_t>(d.headers) << 14
                                 | (d.data_scale & 3u) << 12 | (d.data & 0xfffu));
}

std::optional<pcie_flow_dllp> read_pcie_flow(std::span<const std::uint8_t> bytes) {
  const auto word = opened(bytes, pcie_dllp_bytes);
  if (!word)
    return std::nullopt;
  pcie_flow_dllp d;
  const auto type = *word >> 24;
  switch (type >> 6) {
    case 1:
      d.what = pcie_flow_dllp::kind::init1;
      break;
    case 2:
      d.what = pcie_flow_dllp::kind::update;
      break;
    case 3:
      d.what = pcie_flow_dllp::kind::init2;
      break;
    default:
      return std::nullopt;
  }
  const auto pool = type >> 4 & 3;
  if (pool >= pcie_pools || (type & 8) != 0)
    return std::nullopt;
  d.pool = static_cast<pcie_pool>(pool);
  d.channel = static_cast<std::uint8_t>(type & 7);
  d.header_scale = static_cast<std::uint8_t>(*word >> 22 & 3);
  d.headers = static_cast<std::uint8_t>(*word >> 14);
  d.data_scale = static_cast<std::uint8_t>(*word >> 12 & 3);
  d.data = static_cast<std::uint16_t>(*word & 0xfff);
  return d;
}

std::array<std::uint8_t, ib_flow_bytes> write_ib_flow(const ib_flow_packet& p) {
  return sealed<ib_flow_bytes>((p.init ? 1u : 0u) << 28
                               | static_cast<std::uint32_t>(p.fctbs & ib_count_mask) << 16
                               | (p.lane & 15u) << 12 | (p.fccl & ib_count_mask));
}

std::optional<ib_flow_packet> read_ib_flow(std::span<const std::uint8_t> bytes) {
  const auto word = opened(bytes, ib_flow_bytes);
  if (!word || *word >> 28 > 1)
    return std::nullopt;
  return ib_flow_packet{*word >> 28 == 1, static_cast<std::uint8_t>(*word >> 12 & 15),
                        static_cast<std::uint16_t>(*word >> 16 & ib_count_mask),
                        static_cast<std::uint16_t>(*word & ib_count_mask)};
}

}  // namespace sluice
