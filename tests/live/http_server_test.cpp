// The server against real sockets: what it serves, and what it does with what nobody should send.
#include "live/http_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace sluice;

namespace {

int port_of(const http_server& server) {
  return std::stoi(server.url().substr(server.url().rfind(':') + 1));
}

std::vector<http_server::route> echoing() {
  return {{"GET", "/page",
           [](const http_request&) {
             return http_reply{200, "<p>", "text/html"};
           }},
          {"GET", "/query",
           [](const http_request& q) {
             const auto found = q.query.find("a");
             return http_reply{200, found == q.query.end() ? "-" : found->second, "text/plain"};
           }},
          {"POST", "/echo",
           [](const http_request& q) {
             return http_reply{200, q.authorization + '|' + q.body, "text/plain"};
           }},
          {"GET", "/throws",
           [](const http_request&) -> http_reply { throw std::runtime_error{"out of order"}; }}};
}

/// A connection on which one says what one likes.
class raw {
public:
  explicit raw(const http_server& server) : fd_{socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port_of(server)));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  ~raw() { close(fd_); }
  raw(const raw&) = delete;
  raw& operator=(const raw&) = delete;

  /// False: the other side has had enough.
  bool say(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const auto n = send(fd_, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }
  /// Everything until the other side closes.
  std::string rest() {
    std::string out;
    char block[4096];
    for (ssize_t n = 0; (n = recv(fd_, block, sizeof block, 0)) > 0;)
      out.append(block, static_cast<std::size_t>(n));
    return out;
  }

private:
  int fd_;
};

std::string ask(const http_server& server, const std::string& request) {
  raw connection{server};
  connection.say(request);
  return connection.rest();
}

}  // namespace

TEST_CASE("replies have the type and the headers that keep other sites away") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  httplib::Client client{"127.0.0.1", port_of(server)};
  const auto page = client.Get("/page");
  REQUIRE(page);
  CHECK(page->status == 200);
  CHECK(page->body == "<p>");
  CHECK(page->get_header_value("Content-Type") == "text/html");
  CHECK(page->get_header_value("Content-Security-Policy").find("default-src 'none'")
        != std::string::npos);
  CHECK(page->get_header_value("X-Content-Type-Options") == "nosniff");
  CHECK_FALSE(page->has_header("Access-Control-Allow-Origin"));
  CHECK(client.Get("/query?a=1%202&b")->body == "1 2");
  CHECK(client.Post("/echo", {{"Authorization", "Bearer x"}}, "{}", "application/json")->body
        == "Bearer x|{}");
  CHECK(client.Head("/page")->status == 200);
}

TEST_CASE("what is not there, not for this method or broken is told as JSON") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  httplib::Client client{"127.0.0.1", port_of(server)};
  CHECK(client.Get("/nowhere")->status == 404);
  CHECK(client.Get("/../../etc/passwd")->status == 404);
  CHECK(client.Get("/echo")->status == 405);
  CHECK(client.Post("/page", "", "text/plain")->status == 405);
  CHECK(client.Options("/echo")->status == 404);
  const auto broken = client.Get("/throws");
  CHECK(broken->status == 500);
  CHECK(broken->body.find("out of order") != std::string::npos);
  CHECK(broken->get_header_value("Content-Type") == "application/json");
}

TEST_CASE("a POST without a length has an empty body") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  const auto reply = ask(server, "POST /echo HTTP/1.1\r\nConnection: close\r\n\r\n");
  CHECK(reply.find("200 OK") != std::string::npos);
  CHECK(reply.ends_with("\r\n\r\n|"));
}

TEST_CASE("on loopback a request must call the server by a name of its own") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  const auto with = [&](const std::string& host) {
    return ask(server, "GET /page HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  };
  CHECK(with("localhost:1234").find(" 200 ") != std::string::npos);
  CHECK(with("evil.example").find(" 403 ") != std::string::npos);
  CHECK(ask(server, "GET /page HTTP/1.0\r\n\r\n").find(" 200 ") != std::string::npos);
}

TEST_CASE("bodies, heads and ranges beyond the limits are refused and cost nothing") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  httplib::Client client{"127.0.0.1", port_of(server)};
  CHECK(client.Post("/echo", std::string(max_body_bytes, 'x'), "text/plain")->body.size()
        == max_body_bytes + 1);
  const auto large = client.Post("/echo", std::string(max_body_bytes + 1, 'x'), "text/plain");
  REQUIRE(large);
  CHECK(large->status == 413);
  CHECK(large->body.find("at most 16384 bytes") != std::string::npos);

  // A head without an end: it is not read beyond the limit.
  raw endless{server};
  REQUIRE(endless.say("GET /page HTTP/1.1\r\n"));
  std::size_t sent = 0;
  const std::string header = "X-More: " + std::string(1000, 'x') + "\r\n";
  while (sent < 100 * max_request_bytes && endless.say(header))
    sent += header.size();
  CHECK(sent < 100 * max_request_bytes);

  CHECK(ask(server, "GET /page HTTP/1.1\r\nRange: bytes=0-0\r\nConnection: close\r\n\r\n")
            .find(" 200 ")
        != std::string::npos);
  for (const auto* odd :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /page HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: -1\r\nConnection: close\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nConnection: "
        "close\r\n\r\n"}) {
    raw connection{server};
    connection.say(odd);
  }
  CHECK(client.Get("/page")->status == 200);
}

TEST_CASE("connections that say nothing do not keep others out") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  std::vector<std::unique_ptr<raw>> silent;
  for (std::size_t i = 0; i < http_threads + 4; ++i)
    silent.push_back(std::make_unique<raw>(server));
  httplib::Client client{"127.0.0.1", port_of(server)};
  client.set_read_timeout(30);
  const auto page = client.Get("/page");
  REQUIRE(page);
  CHECK(page->status == 200);
}

TEST_CASE("it ends at once, whoever is connected") {
  auto server = std::make_unique<http_server>(serve_address{"127.0.0.1", 0}, echoing());
  const raw idle{*server};
  const auto begun = std::chrono::steady_clock::now();
  server.reset();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{idle_seconds});
}

TEST_CASE("many ask at the same time") {
  const http_server server{{"127.0.0.1", 0}, echoing()};
  std::vector<std::future<int>> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(std::async(std::launch::async, [&] {
      httplib::Client client{"127.0.0.1", port_of(server)};
      int well = 0;
      for (int k = 0; k < 20; ++k)
        if (const auto reply = client.Get("/page"); reply && reply->status == 200)
          ++well;
      return well;
    }));
  for (auto& each : all)
    CHECK(each.get() == 20);
}

TEST_CASE("a port that is taken is an error that says what to do") {
  const http_server first{{"127.0.0.1", 0}, {}};
  try {
    const http_server second{{"127.0.0.1", static_cast<std::uint16_t>(port_of(first))}, {}};
    FAIL("two servers on one port");
  } catch (const std::runtime_error& e) {
    CHECK(std::string{e.what()}.find("--serve=ADDR:PORT") != std::string::npos);
  }
}
