/// \file
/// The address of a packet's sender or receiver: IPv4, IPv6 or MAC, as a value.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

class net_address {
public:
  enum class family : std::uint8_t { none, ipv4, ipv6, mac };

  constexpr net_address() = default;  ///< no address

  /// The first bytes of the arguments, in network order.
  static net_address ipv4(std::span<const std::uint8_t, 4> bytes);
  static net_address ipv6(std::span<const std::uint8_t, 16> bytes);
  static net_address mac(std::span<const std::uint8_t, 6> bytes);

  /// "10.0.0.1", "fe80::1" or "02:00:00:00:00:01" (also with '-'); nothing else, no prefix length.
  static std::optional<net_address> parse(std::string_view text);

  family kind() const { return family_; }
  explicit operator bool() const { return family_ != family::none; }

  /// 4, 16 or 6 bytes in network order.
  std::span<const std::uint8_t> bytes() const;

  /// IPv4 and IPv6 multicast, limited broadcast 255.255.255.255, the group bit of a MAC address.
  bool is_multicast() const;

  /// 0.0.0.0, "::", all zeros: what has no address yet sends from there.
  bool is_unspecified() const;

  friend constexpr auto operator<=>(const net_address&, const net_address&) = default;

private:
  net_address(family kind, std::span<const std::uint8_t> bytes);

  family family_ = family::none;
  std::array<std::uint8_t, 16> bytes_{};
};

/// The usual notation, "-" for no address.
std::string to_string(const net_address& address);

}  // namespace sluice

template <>
struct std::hash<sluice::net_address> {
  std::size_t operator()(const sluice::net_address& address) const noexcept;
};
