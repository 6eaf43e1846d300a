#include "live/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>

namespace sluice {

serve_address parse_serve_address(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::invalid_argument(
        fmt::format("'{}' is not an address to serve metrics at: {}; write ADDR:PORT, for example "
                    "127.0.0.1:9464 or 0.0.0.0:9464",
                    text, why));
  };
  serve_address out;
  std::string_view host, port = text;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      throw wrong("the bracket is not closed");
    host = text.substr(0, end + 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':')
      throw wrong("after the bracket comes a colon and the port");
    port.remove_prefix(port.empty() ? 0 : 1);
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    if (text.find(':') != colon)
      throw wrong("an IPv6 address stands in brackets");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty())
      throw wrong("the port is missing");
  } else if (text.find_first_not_of("0123456789") != std::string_view::npos) {
    host = text;
    port = {};
  }
  if (!host.empty())
    out.host = host;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size())
      throw wrong("a port is a number from 0 to 65535");
  }
  return out;
}

bool is_loopback(const serve_address& where) {
  return where.host == "localhost" || where.host.starts_with("127.") || where.host == "[::1]";
}

bool is_own_name(std::string_view host_header, const serve_address& where) {
  auto name = host_header;
  if (name.starts_with('['))
    name = name.substr(0, name.find(']') + 1);
  else
    name = name.substr(0, name.find(':'));
  const auto is = [&](std::string_view other) {
    return std::ranges::equal(name, other, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a))
             == std::tolower(static_cast<unsigned char>(b));
    });
  };
  return is("localhost") || is("127.0.0.1") || is("[::1]") || is(where.host);
}

}  // namespace sluice
