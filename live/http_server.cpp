#include "live/http_server.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sluice {

namespace {

using steady = std::chrono::steady_clock;

/// A connection as the library sees it, with an end to what one request may cost.
class bounded_stream final : public httplib::Stream {
public:
  explicit bounded_stream(int socket) : socket_{socket} {}

  /// From here on it is the next request.
  void begin() {
    left_ = max_request_bytes;
    until_ = steady::now() + std::chrono::seconds{request_seconds};
  }
  /// The request had all that one may have, or broke off: what comes next cannot be one.
  bool spent() const { return left_ == 0 || broken_; }
  /// Something has come. What was read with the last request counts.
  bool ready(std::chrono::milliseconds wait) const {
    return first_ < last_ || poll_for(POLLIN, wait);
  }

  bool is_readable() const override { return first_ < last_ || poll_for(POLLIN, until_end()); }
  bool is_writable() const override { return poll_for(POLLOUT, until_end()); }

  ssize_t read(char* to, std::size_t size) override {
    if (first_ == last_ && !fill()) {
      broken_ = true;
      return -1;
    }
    const auto n = std::min({size, last_ - first_, left_});
    if (n == 0)
      return -1;
    std::copy_n(buffer_.data() + first_, n, to);
    first_ += n;
    left_ -= n;
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const char* from, std::size_t size) override {
    if (!is_writable())
      return -1;
    for (;;) {
      const auto n = send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0 || errno != EINTR)
        return n >= 0 || errno != EAGAIN ? n : 0;
    }
  }

  // Who it is makes no difference.
  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  socket_t socket() const override { return socket_; }

private:
  std::chrono::milliseconds until_end() const {
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::duration_cast<std::chrono::milliseconds>(until_ - steady::now()));
  }

  bool poll_for(short what, std::chrono::milliseconds wait) const {
    pollfd p{socket_, what, 0};
    const auto end = steady::now() + wait;
    for (;;) {
      const auto n = ::poll(&p, 1, static_cast<int>(wait.count()));
      if (n >= 0 || errno != EINTR)
        return n > 0;
      wait = std::max(std::chrono::milliseconds{0},
                      std::chrono::duration_cast<std::chrono::milliseconds>(end - steady::now()));
    }
  }

  bool fill() {
    if (left_ == 0 || !poll_for(POLLIN, until_end()))
      return false;
    const auto n = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n <= 0)
      return false;
    first_ = 0;
    last_ = static_cast<std::size_t>(n);
    return true;
  }

  int socket_;
  std::array<char, 4096> buffer_{};
  std::size_t first_ = 0, last_ = 0, left_ = 0;
  bool broken_ = false;
  steady::time_point until_;
};

/// The library's threads, with a queue of bounded length: who accepts waits for room in it, and
/// whoever comes then waits in the kernel.
class few_connections final : public httplib::TaskQueue {
public:
  explicit few_connections(std::atomic<std::size_t>& waiting) : waiting_{waiting} {}

  void enqueue(std::function<void()> serve) override {
    {
      std::unique_lock lock{mutex_};
      room_.wait(lock, [&] { return waiting_ < max_waiting; });
      ++waiting_;
    }
    pool_.enqueue([this, serve = std::move(serve)] {
      {
        const std::scoped_lock lock{mutex_};
        --waiting_;
      }
      room_.notify_one();
      serve();
    });
  }
  void shutdown() override { pool_.shutdown(); }

private:
  std::mutex mutex_;
  std::condition_variable room_;
  std::atomic<std::size_t>& waiting_;
  httplib::ThreadPool pool_{http_threads};
};

httplib::Headers headers_of_every_reply() {
  return {{"Content-Security-Policy",
           // The page's own style attributes, and the style in the picture of the topology.
           "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
           "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Referrer-Policy", "no-referrer"},
          {"Cache-Control", "no-store"}};
}

}  // namespace

class http_server::listener final : public httplib::Server {
public:
  listener(const serve_address& where, std::vector<route> routes)
      : where_{where}, routes_{std::move(routes)} {
    new_task_queue = [this] { return new few_connections{waiting_}; };
    // Without SO_REUSEPORT, which the library would set: a second program must not get the port.
    set_socket_options([](socket_t s) {
      const int yes = 1;
      setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_payload_max_length(max_body_bytes);
    set_keep_alive_timeout(idle_seconds);
    set_keep_alive_max_count(1'000'000);
    set_default_headers(headers_of_every_reply());
    const auto act = [this](const httplib::Request& q, httplib::Response& r) { answer(q, r); };
    Get(".*", act);
    Post(".*", act);
    // What the library refuses by itself.
    set_error_handler([](const httplib::Request&, httplib::Response& r) {
      if (!r.body.empty())
        return;
      const auto why = r.status == 413 ? fmt::format("a body has at most {} bytes", max_body_bytes)
                                       : std::string{"this request cannot be understood"};
      put(refusal(r.status, why), r);
    });
  }

  int start() {
    std::string host = where_.host;
    if (host == "localhost")
      host = "127.0.0.1";
    if (host.starts_with('['))
      host = host.substr(1, host.size() - 2);
    const int port = where_.port == 0 ? bind_to_any_port(host)
                                      : (bind_to_port(host, where_.port) ? where_.port : -1);
    if (port <= 0)
      return -1;
    thread_ = std::thread{[this] {
      listen_after_bind();
      done_ = true;
    }};
    // To stop it before it has begun would be forgotten.
    while (!is_running() && !done_)
      std::this_thread::yield();
    return port;
  }

  ~listener() override {
    stop();
    if (thread_.joinable())
      thread_.join();
  }

private:
  static void put(http_reply reply, httplib::Response& r) {
    r.status = reply.status;
    r.set_content(std::move(reply.body), reply.type);
  }

  http_reply find(const httplib::Request& q) const {
    if (is_loopback(where_) && q.has_header("Host")
        && !is_own_name(q.get_header_value("Host"), where_))
      return refusal(403, "the server has another name", "call it localhost or by its address");
    const auto method = q.method == "HEAD" ? "GET" : q.method;
    bool there = false;
    for (const auto& route : routes_) {
      if (route.path != q.path)
        continue;
      there = true;
      if (route.method != method)
        continue;
      http_request request{q.path, q.body, q.get_header_value("Authorization"), {}};
      for (const auto& [name, value] : q.params)
        request.query.emplace(name, value);
      try {
        return route.act(request);
      } catch (const std::exception& e) {
        return refusal(500, e.what());
      }
    }
    return there ? refusal(405, fmt::format("{} is not for {}", q.path, q.method))
                 : refusal(404, fmt::format("there is no {}", q.path.substr(0, 100)));
  }

  void answer(const httplib::Request& q, httplib::Response& r) { put(find(q), r); }

  // The library's own reads without an end to the head of a request.
  bool process_and_close_socket(socket_t socket) override {
    bounded_stream stream{static_cast<int>(socket)};
    const auto running = [&] { return svr_sock_ != INVALID_SOCKET; };
    auto idle_since = steady::now();
    bool well = true, closed = false;
    while (well && !closed && running()) {
      if (!stream.ready(std::chrono::milliseconds{50})) {
        const auto idle = steady::now() - idle_since;
        if (idle > std::chrono::seconds{idle_seconds}
            || (waiting_ > 0 && idle > std::chrono::milliseconds{200}))
          break;
        continue;
      }
      stream.begin();
      well = process_request(stream, waiting_ > 0, closed, [](httplib::Request& q) {
        // To compress a reply for a client on this machine takes longer than to send it.
        q.headers.erase("Accept-Encoding");
        q.ranges.clear();
        // Without a length the library would read until the client has no more to say.
        if (!q.has_header("Content-Length") && !q.has_header("Transfer-Encoding"))
          q.headers.emplace("Content-Length", "0");
      });
      well = well && !stream.spent();
      idle_since = steady::now();
    }
    ::shutdown(static_cast<int>(socket), SHUT_RDWR);
    ::close(static_cast<int>(socket));
    return well;
  }

  serve_address where_;
  std::vector<route> routes_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

http_server::http_server(const serve_address& where, std::vector<route> routes)
    : listener_{std::make_unique<listener>(where, std::move(routes))} {
  const int port = listener_->start();
  if (port < 0)
    throw std::runtime_error(fmt::format(
        "cannot serve at {}:{}: the address is not this machine's, or the port is taken; choose "
        "another with --serve=ADDR:PORT (port 0: any free one)",
        where.host, where.port));
  url_ = fmt::format("http://{}:{}", where.host == "localhost" ? "127.0.0.1" : where.host, port);
}

http_server::~http_server() = default;

http_reply refusal(int status, std::string_view why, std::string_view hint) {
  nlohmann::json body{{"error", why}};
  if (!hint.empty())
    body["hint"] = hint;
  return {status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n'};
}

}  // namespace sluice
