/// \file
/// A small HTTP server for this machine: a table of paths, and limits on everything that a client
/// chooses. cpp-httplib reads and writes the protocol.
///
/// Limits: a request has at most `max_request_bytes` with its head, its body at most
/// `max_body_bytes` (413), and has to be there, and its reply taken, within `request_seconds`.
/// `http_threads` connections are served at once and `max_waiting` may wait beside those in the
/// kernel's queue; a connection that is kept open without a request gives way to one that waits. No
/// reply is compressed, ranges are not served.
///
/// On loopback a request must call the server by one of its own names (403): see is_own_name. No
/// reply lets pages of other sites read it, and none may be shown inside another page.
///
/// Threading: handlers are called by any of the server's threads, several at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "live/address.hpp"

namespace sluice {

inline constexpr std::size_t max_request_bytes = 64 * 1024;
inline constexpr std::size_t max_body_bytes = 16 * 1024;
inline constexpr std::size_t http_threads = 8;
inline constexpr std::size_t max_waiting = 16;
inline constexpr int request_seconds = 20;
inline constexpr int idle_seconds = 10;  ///< of a connection that is kept open

struct http_request {
  std::string path;           ///< without the query
  std::string body;           ///< as it came; forms are not taken apart
  std::string authorization;  ///< the header, empty without one
  std::map<std::string, std::string> query;
};

struct http_reply {
  int status = 200;
  std::string body;
  std::string type = "application/json";
};

class http_server {
public:
  using handler = std::function<http_reply(const http_request&)>;
  struct route {
    std::string method;  ///< "GET" (and HEAD) or "POST"
    std::string path;
    handler act;
  };

  /// Listens until destroyed. What `act` throws becomes a reply with status 500.
  /// \throws std::runtime_error when it cannot listen there
  http_server(const serve_address& where, std::vector<route> routes);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// "http://127.0.0.1:9464", with the port that was really taken.
  const std::string& url() const { return url_; }

private:
  class listener;
  std::unique_ptr<listener> listener_;
  std::string url_;
};

/// {"error": why}, as every reply that refuses something has it.
http_reply refusal(int status, std::string_view why, std::string_view hint = {});

}  // namespace sluice
