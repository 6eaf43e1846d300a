/// \file
/// Where `--serve` listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

struct serve_address {
  std::string host = "127.0.0.1";  ///< a name or an address; IPv6 in brackets
  std::uint16_t port = 9464;       ///< 0: any free port
};

/// Reads "ADDR:PORT", "ADDR", ":PORT" or "PORT"; an IPv6 address stands in brackets. Throws
/// std::invalid_argument that says what is wrong and what would be right.
serve_address parse_serve_address(std::string_view text);

/// Whether nobody but this machine can reach it.
bool is_loopback(const serve_address& where);

/// Whether what a client calls the server (its Host header) is a name that only this machine has,
/// or the address that it listens at, with any port. On loopback no other can be meant: a page of
/// another site whose name was made to point here (DNS rebinding) says its own.
bool is_own_name(std::string_view host_header, const serve_address& where);

}  // namespace sluice
