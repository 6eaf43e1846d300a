/// \file
/// Flow-control packets of credit-based links: PCI Express' data link layer packets, InfiniBand's
/// link packets.
///
/// | PCIe FC DLLP | bits | |
/// |---|---|---|
/// | type | 8 | InitFC1 0x4n, InitFC2 0xCn, UpdateFC 0x8n; n = pool << 4 \| virtual channel |
/// | HdrScale, HdrFC | 2 + 8 | header credits; one a transaction layer packet |
/// | DataScale, DataFC | 2 + 12 | data credits; one for 16 bytes |
/// | CRC | 16 | polynomial 0x100b, all ones before, complemented, low byte first |
///
/// | InfiniBand flow packet | bits | |
/// |---|---|---|
/// | Op | 4 | 0 normal, 1 init |
/// | FCTBS | 12 | blocks of 64 bytes sent since init, modulo 4096 |
/// | VL | 4 | virtual lane |
/// | FCCL | 12 | credit limit: FCTBS may come to this |
/// | LPCRC | 16 | of the 4 bytes before |
///
/// Nothing here allocates, throws, or touches a byte outside the spans given.
/// Source: PCI Express Base Specification 3.4.1, 3.4.2, 3.5.1; InfiniBand Architecture 7.9.4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace sluice {

/// What a PCIe receiver counts apart; each in headers and data.
enum class pcie_pool : std::uint8_t { posted, non_posted, completion };
inline constexpr std::size_t pcie_pools = 3;
inline constexpr unsigned pcie_header_bits = 8, pcie_data_bits = 12;
inline constexpr std::uint32_t pcie_data_unit_bytes = 16;
inline constexpr std::size_t pcie_dllp_bytes = 6;

struct pcie_flow_dllp {
  enum class kind : std::uint8_t { init1, init2, update };
  kind what = kind::update;
  pcie_pool pool = pcie_pool::posted;
  std::uint8_t channel = 0;       ///< virtual channel, 0 to 7
  std::uint8_t header_scale = 0;  ///< 0 to 3; 0: scaled flow control is not in use
  std::uint8_t headers = 0;       ///< credits granted since init, modulo 256; init: 0 is infinite
  std::uint8_t data_scale = 0;
  std::uint16_t data = 0;  ///< likewise, modulo 4096

  friend bool operator==(const pcie_flow_dllp&, const pcie_flow_dllp&) = default;
};

std::array<std::uint8_t, pcie_dllp_bytes> write_pcie_flow(const pcie_flow_dllp& dllp);
/// No value: another DLLP, a wrong length or a wrong checksum.
std::optional<pcie_flow_dllp> read_pcie_flow(std::span<const std::uint8_t> bytes);

inline constexpr std::uint32_t ib_block_bytes = 64;
inline constexpr std::uint16_t ib_count_mask = 0xfff;
inline constexpr std::size_t ib_flow_bytes = 6;

struct ib_flow_packet {
  bool init = false;
  std::uint8_t lane = 0;    ///< virtual lane, 0 to 15
  std::uint16_t fctbs = 0;  ///< 12 bits
  std::uint16_t fccl = 0;   ///< 12 bits

  friend bool operator==(const ib_flow_packet&, const ib_flow_packet&) = default;
};

std::array<std::uint8_t, ib_flow_bytes> write_ib_flow(const ib_flow_packet& packet);
/// No value: another operation, a wrong length or a wrong checksum.
std::optional<ib_flow_packet> read_ib_flow(std::span<const std::uint8_t> bytes);

}  // namespace sluice
