#include "traffic/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "traffic/random.hpp"

namespace sluice {

namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return std::nullopt;
}

std::optional<net_address> parse_mac(std::string_view text) {
  if (text.size() != 17 || (text[2] != ':' && text[2] != '-'))
    return std::nullopt;
  std::array<std::uint8_t, 6> bytes{};
  for (std::size_t i = 0; i != 6; ++i) {
    const auto high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
    if (!high || !low || (i != 5 && text[3 * i + 2] != text[2]))
      return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return net_address::mac(bytes);
}

std::size_t size_of(net_address::family kind) {
  switch (kind) {
    case net_address::family::ipv4:
      return 4;
    case net_address::family::ipv6:
      return 16;
    case net_address::family::mac:
      return 6;
    case net_address::family::none:
      break;
  }
  return 0;
}

}  // namespace

net_address::net_address(family kind, std::span<const std::uint8_t> bytes) : family_{kind} {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

net_address net_address::ipv4(std::span<const std::uint8_t, 4> bytes) {
  return {family::ipv4, bytes};
}

net_address net_address::ipv6(std::span<const std::uint8_t, 16> bytes) {
  return {family::ipv6, bytes};
}

net_address net_address::mac(std::span<const std::uint8_t, 6> bytes) {
  return {family::mac, bytes};
}

std::optional<net_address> net_address::parse(std::string_view text) {
  // inet_pton wants a terminated string; nothing longer than this is an address, and a NUL inside
  // would hide the rest from it.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos)
    return std::nullopt;
  if (auto address = parse_mac(text))
    return address;
  char terminated[INET6_ADDRSTRLEN] = {};
  std::copy(text.begin(), text.end(), terminated);
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated, bytes.data()) == 1)
    return ipv4(std::span{bytes}.first<4>());
  if (inet_pton(AF_INET6, terminated, bytes.data()) == 1)
    return ipv6(bytes);
  return std::nullopt;
}

std::span<const std::uint8_t> net_address::bytes() const {
  return {bytes_.data(), size_of(family_)};
}

bool net_address::is_multicast() const {
  switch (family_) {
    case family::ipv4:
      return (bytes_[0] & 0xf0) == 0xe0 || (bytes_[0] & bytes_[1] & bytes_[2] & bytes_[3]) == 0xff;
    case family::ipv6:
      return bytes_[0] == 0xff;
    case family::mac:
      return (bytes_[0] & 1) != 0;
    case family::none:
      break;
  }
  return false;
}

bool net_address::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string to_string(const net_address& address) {
  const auto b = address.bytes();
  char text[INET6_ADDRSTRLEN] = "-";
  switch (address.kind()) {
    case net_address::family::ipv4:
      inet_ntop(AF_INET, b.data(), text, sizeof text);
      break;
    case net_address::family::ipv6:
      inet_ntop(AF_INET6, b.data(), text, sizeof text);
      break;
    case net_address::family::mac:
      return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4],
                         b[5]);
    case net_address::family::none:
      break;
  }
  return text;
}

}  // namespace sluice

std::size_t std::hash<sluice::net_address>::operator()(
    const sluice::net_address& address) const noexcept {
  std::uint64_t words[2] = {};
  const auto bytes = address.bytes();
  std::memcpy(words, bytes.data(), bytes.size());
  return sluice::mix64(words[0] ^ sluice::mix64(words[1] + static_cast<unsigned>(address.kind())));
}
