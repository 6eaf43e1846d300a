#include "live/address.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace sluice;

TEST_CASE("addresses to serve at are read in every usual form") {
  const auto is = [](std::string_view text, std::string_view host, std::uint16_t port) {
    const auto where = parse_serve_address(text);
    CHECK(where.host == host);
    CHECK(where.port == port);
  };
  is("", "127.0.0.1", 9464);
  is("9000", "127.0.0.1", 9000);
  is(":9000", "127.0.0.1", 9000);
  is("0.0.0.0", "0.0.0.0", 9464);
  is("0.0.0.0:80", "0.0.0.0", 80);
  is("[::1]:9464", "[::1]", 9464);
  for (const auto* wrong : {"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1", "[::1"})
    CHECK_THROWS_AS(parse_serve_address(wrong), std::invalid_argument);
}

TEST_CASE("a name that could have been made to point here is none of the server's own") {
  const serve_address standard;
  for (const auto* own :
       {"127.0.0.1", "127.0.0.1:9464", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:80"})
    CHECK_MESSAGE(is_own_name(own, standard), own);
  for (const auto* other : {"", "evil.example", "localhost.evil.example:9464", "127.0.0.1.nip.io",
                            "[::1", "[::2]:80", "10.0.0.1", ":9464"})
    CHECK_MESSAGE(!is_own_name(other, standard), other);
  CHECK(is_own_name("127.0.0.9:1", {"127.0.0.9", 1}));
  CHECK(is_loopback(standard));
  CHECK(is_loopback({"[::1]", 1}));
  CHECK_FALSE(is_loopback({"0.0.0.0", 1}));
}
