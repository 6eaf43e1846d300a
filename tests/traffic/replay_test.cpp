#include "traffic/replay.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "tests/traffic/capture_bytes.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr std::uint64_t us = 1'000;  // in ns, for stamps

std::vector<emission> drain(traffic_source& source, std::size_t batch = 64) {
  std::vector<emission> out, some(batch);
  while (const auto n = source.next(some))
    out.insert(out.end(), some.begin(), some.begin() + static_cast<long>(n));
  CHECK(source.next(some) == 0);
  return out;
}

std::vector<sim_time> due_of(const replay& r, std::uint32_t endpoint = 0) {
  std::vector<sim_time> due;
  for (const auto& e : drain(*r.source_for(endpoint)))
    due.push_back(e.due);
  return due;
}

replay_config config_of(const temp_file& file) {
  replay_config config;
  config.file = file.path();
  config.to = {1};
  return config;
}

// 100-byte frames with these stamps, in microseconds after some day.
temp_file stamped_file(std::initializer_list<std::uint64_t> stamps_us) {
  std::vector<packet_spec> packets;
  for (const auto stamp : stamps_us)
    packets.push_back({1'700'000'000'000'000'000u + stamp * us, make_frame({.bytes = 100}), 0});
  return temp_file{make_pcap(packets)};
}

bool same(const std::vector<emission>& a, const std::vector<emission>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.due == y.due && x.bytes == y.bytes && x.to == y.to && x.socket == y.socket
           && x.special == y.special && x.frame.offset() == y.frame.offset()
           && x.frame.capture() == y.frame.capture();
  });
}

using dues = std::vector<sim_time>;

}  // namespace

TEST_CASE("as captured, packets are due as far apart as they were") {
  const auto file = stamped_file({10, 12, 17, 17});
  auto config = config_of(file);
  config.start = 1 * millisecond;
  const auto r = replay::open(config);
  const auto t0 = config.start;
  CHECK(due_of(r) == dues{t0, t0 + 2 * microsecond, t0 + 7 * microsecond, t0 + 7 * microsecond});
  CHECK(r.report().packets == 4);
  CHECK(r.report().bytes == 400);
  CHECK(r.report().last_ns - r.report().first_ns == 7'000);
}

TEST_CASE("an emission refers to the bytes in the file") {
  const auto frame = make_frame({.bytes = 100});
  const auto bytes = make_pcap({{0, frame, 0}});
  const temp_file file{bytes};
  auto config = config_of(file);
  config.capture_index = 5;
  const auto out = drain(*replay::open(config).source_for(0));
  REQUIRE(out.size() == 1);
  CHECK(out[0].frame.capture() == 5);
  CHECK(std::equal(frame.begin(), frame.end(),
                   bytes.begin() + static_cast<long>(out[0].frame.offset())));
}

TEST_CASE("speed is a ratio, exactly rounded down") {
  const auto file = stamped_file({0, 1, 2, 10});
  auto config = config_of(file);
  config.timing.how = replay_timing::mode::speed;
  config.timing.speed_num = 6;
  config.timing.speed_den = 2;
  CHECK(due_of(replay::open(config)) == dues{0, 333'333, 666'666, 3'333'333});
  config.timing.speed_num = 1;
  CHECK(due_of(replay::open(config)) == dues{0, 2'000'000, 4'000'000, 20'000'000});
}

TEST_CASE("rate counts the frame bits of the whole entry, over all its producers") {
  std::vector<packet_spec> packets;
  for (const bool back : {false, true, false})
    packets.push_back({0,
                       back ? make_frame({.from = {10, 0, 0, 2}, .to = {10, 0, 0, 1}, .bytes = 500})
                            : make_frame({.bytes = 1000}),
                       0});
  const temp_file file{make_pcap(packets)};
  auto config = config_of(file);
  config.map = {{*net_address::parse("10.0.0.1"), 4}, {*net_address::parse("10.0.0.2"), 9}};
  config.timing.how = replay_timing::mode::rate;
  config.timing.rate_bps = 8'000'000'000;  // a byte a ns
  config.timing.repeat = 2;
  const auto r = replay::open(config);
  CHECK(due_of(r, 4) == dues{0, 1500'000, 2500'000, 4000'000});
  CHECK(due_of(r, 9) == dues{1000'000, 3500'000});
  CHECK(r.producers() == std::vector<std::uint32_t>{4, 9});
  CHECK(r.report().period == 2500'000);
  CHECK(due_of(r, 5).empty());
}

TEST_CASE("pps counts packets; as fast as possible they are all due at the start") {
  const auto file = stamped_file({0, 50, 100});
  auto config = config_of(file);
  config.timing.how = replay_timing::mode::pps;
  config.timing.pps = 3'000'000;
  config.timing.repeat = 3;
  const auto due = due_of(replay::open(config));
  for (std::size_t n = 0; n != 9; ++n)
    CHECK(due[n] == absolute_time(n, 3'000'000));
  config.timing.how = replay_timing::mode::as_fast_as_possible;
  config.start = 7;
  CHECK(due_of(replay::open(config)) == dues(9, 7));
}

TEST_CASE("gaps above max-gap shrink to it before speed applies") {
  const auto file = stamped_file({0, 5, 1'000'000, 1'000'003});
  auto config = config_of(file);
  config.timing.max_gap = 10 * microsecond;
  CHECK(due_of(replay::open(config)) == dues{0, 5'000'000, 15'000'000, 18'000'000});
  config.timing.how = replay_timing::mode::speed;
  config.timing.speed_num = 2;
  CHECK(due_of(replay::open(config)) == dues{0, 2'500'000, 7'500'000, 9'000'000});
}

TEST_CASE("a repeat follows after last - first and the mean gap, and does not drift") {
  const auto file = stamped_file({100, 103, 106});
  auto config = config_of(file);
  config.timing.repeat = 3;
  const auto r = replay::open(config);
  CHECK(r.report().period == 9 * microsecond);
  const auto due = due_of(r);
  REQUIRE(due.size() == 9);
  for (std::size_t n = 0; n != 9; ++n)
    CHECK(due[n] == static_cast<sim_time>(n) * 3 * microsecond);
  // A period of 9/7 us: round k begins at floor(k * 9/7 us), not at k times a rounded period.
  config.timing.how = replay_timing::mode::speed;
  config.timing.speed_num = 7;
  config.timing.repeat = 1'000;
  CHECK(due_of(replay::open(config))[2'997] == 999ll * 9 * microsecond / 7);
}

TEST_CASE("a repeat of a single instant is all at once") {
  const auto file = stamped_file({5});
  auto config = config_of(file);
  config.timing.repeat = 4;
  CHECK(due_of(replay::open(config)) == dues(4, 0));
}

TEST_CASE("nothing is due at or after stop") {
  const auto file = stamped_file({0, 10, 20, 30});
  auto config = config_of(file);
  config.timing.repeat = 100;
  config.stop = 60 * microsecond;
  CHECK(due_of(replay::open(config)).size() == 6);
  config.stop = 0;
  CHECK(due_of(replay::open(config)).empty());
}

TEST_CASE("a packet stamped earlier than one before is due with it, and counted") {
  const auto file = stamped_file({10, 20, 15, 18, 25});
  const auto r = replay::open(config_of(file));
  CHECK(due_of(r)
        == dues{0, 10 * microsecond, 10 * microsecond, 10 * microsecond, 15 * microsecond});
  CHECK(r.report().backward == 2);
}

TEST_CASE("unstamped packets are due with the one before, and counted") {
  pcapng_writer w;
  const auto frame = make_frame({});
  w.section().interface(1, 0).simple(100, frame).enhanced(0, 50, frame).simple(100, frame);
  w.enhanced(0, 52, frame);
  const temp_file file{w.bytes()};
  const auto r = replay::open(config_of(file));
  CHECK(due_of(r) == dues{0, 0, 0, 2 * microsecond});
  CHECK(r.report().unstamped == 2);
  CHECK(r.report().first_ns == 50'000);
}

TEST_CASE("sliced packets count at their length on the wire") {
  const temp_file file{make_pcap({{0, make_frame({.bytes = 96}), 1400}})};
  const auto r = replay::open(config_of(file));
  CHECK(drain(*r.source_for(0))[0].bytes == 1400);
  CHECK(r.report().sliced == 1);
  CHECK(r.report().bytes == 1400);
}

TEST_CASE("a map selects by address, and every other packet is counted") {
  const std::array<std::uint8_t, 4> a{10, 0, 0, 1}, b{10, 0, 0, 2}, c{10, 0, 0, 3}, d{10, 0, 0, 4};
  const temp_file file{make_pcap({
      {1 * us, make_frame({.from = a, .to = b}), 0},
      {2 * us, make_frame({.from = b, .to = a}), 0},
      {3 * us, make_frame({.from = a, .to = {10, 0, 0, 9}}), 0},   // nobody
      {4 * us, make_frame({.from = a, .to = {224, 0, 0, 1}}), 0},  // multicast
      {5 * us, make_frame({.from = a, .to = c}), 0},               // same endpoint
      {6 * us, make_frame({.from = c, .to = b}), 0},
  })};
  auto config = config_of(file);
  config.map = {{net_address::ipv4(a), 1},
                {net_address::ipv4(b), 2},
                {net_address::ipv4(c), 1},
                {net_address::ipv4(d), 3}};
  const auto r = replay::open(config);
  const auto& report = r.report();
  CHECK(report.unmapped == 3);
  CHECK(report.selected == 3);
  CHECK(due_of(r, 1) == dues{0, 5 * microsecond});
  CHECK(due_of(r, 2) == dues{1 * microsecond});
  CHECK(drain(*r.source_for(2))[0].to == 1);
  REQUIRE(report.map.size() == 4);
  CHECK(report.map[0].seen == 5);
  CHECK(report.map[0].sent == 1);
  CHECK(report.map[0].received == 1);
  CHECK(report.map[2].sent == 1);
  CHECK(report.map[3].seen == 0);  // what a check refuses
}

TEST_CASE("with several receivers each conversation goes to one of them, both ways") {
  std::vector<packet_spec> packets;
  for (std::uint8_t client = 1; client <= 200; ++client)
    for (int way = 0; way < 4; ++way) {
      frame_spec spec{.from = {10, 0, 1, client}, .to = {10, 0, 0, 1}};
      auto frame = make_frame(spec);
      if (way % 2 != 0) {
        // The answer: addresses and ports the other way round.
        std::swap(spec.from, spec.to);
        frame = make_frame(spec);
        std::swap(frame[34], frame[36]);
        std::swap(frame[35], frame[37]);
      }
      packets.push_back({packets.size() * us, frame, 0});
    }
  const temp_file file{make_pcap(packets)};
  auto config = config_of(file);
  config.to = {5, 6, 7, 0};  // 0 sends
  const auto out = drain(*replay::open(config).source_for(0));
  REQUIRE(out.size() == 800);
  std::map<std::uint32_t, int> conversations;
  for (std::size_t c = 0; c < out.size(); c += 4) {
    for (std::size_t k = 1; k < 4; ++k)
      CHECK(out[c + k].to == out[c].to);
    ++conversations[out[c].to];
  }
  REQUIRE(conversations.size() == 3);
  for (const auto& [to, n] : conversations) {
    CHECK(to >= 5);
    CHECK(n > 40);
  }
}

TEST_CASE("whom a frame is for is what its addresses say, if that is asked for") {
  const auto to = [](std::array<std::uint8_t, 6> mac) {
    auto frame = make_frame({});
    std::copy(mac.begin(), mac.end(), frame.begin());
    return frame;
  };
  auto arp = to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  arp[12] = 0x08;
  arp[13] = 0x06;
  const temp_file file{make_pcap({
      {1 * us, to({2, 0, 0, 0, 0, 1}), 0},
      {2 * us, to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 0},
      {3 * us, to({0x33, 0x33, 0, 0, 0, 1}), 0},
      {4 * us, arp, 0},
  })};
  auto config = config_of(file);
  const auto plain = drain(*replay::open(config).source_for(0));
  config.casts = true;
  const auto cast = drain(*replay::open(config).source_for(0));
  REQUIRE(plain.size() == 4);
  REQUIRE(cast.size() == 4);
  const std::uint8_t expected[] = {packet::ordinary, packet::broadcast, packet::multicast,
                                   packet::arp};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(plain[i].special == packet::ordinary);
    CHECK(cast[i].special == expected[i]);
  }
}

TEST_CASE("a map by MAC address serves what has no IP address") {
  auto frame = make_frame({});
  frame[12] = 0x88;
  const temp_file file{make_pcap({{0, frame, 0}})};
  auto config = config_of(file);
  config.map = {{*net_address::parse("02:00:00:00:00:01"), 1},
                {*net_address::parse("02:00:00:00:00:02"), 2}};
  CHECK(due_of(replay::open(config), 1).size() == 1);
}

TEST_CASE("a filter selects by BPF, and the schedule begins with the first selected packet") {
  const temp_file file{make_pcap({{1 * us, make_frame({.protocol = 17}), 0},
                                  {5 * us, make_frame({}), 0},
                                  {6 * us, make_frame({.destination_port = 80}), 0},
                                  {9 * us, make_frame({}), 0}})};
  auto config = config_of(file);
  config.filter = "tcp port 6379";
  const auto r = replay::open(config);
  CHECK(r.report().filtered == 2);
  CHECK(due_of(r) == dues{0, 4 * microsecond});
}

TEST_CASE("a filter that does not compile is refused, even for a capture without packets") {
  const temp_file file{make_pcap({})};
  auto config = config_of(file);
  config.filter = "tcp prot 80";
  CHECK_THROWS_WITH_AS(replay::open(config), doctest::Contains("tcp prot 80"), traffic_error);
  CHECK_THROWS_AS(check_filter("and and"), traffic_error);
  CHECK_NOTHROW(check_filter("vlan and ip6"));
}

TEST_CASE("frames above the line's MTU are split or dropped, by rule and counted") {
  const temp_file file{make_pcap({{0, make_frame({.bytes = 4435}), 0},
                                  {1 * us, make_frame({.bytes = 100}), 0},
                                  {2 * us, make_frame({.protocol = 17, .bytes = 4034}), 0}})};
  auto config = config_of(file);
  config.max_frame = [](std::uint32_t) { return 1518u; };
  const auto split = replay::open(config);
  std::vector<std::uint32_t> sizes;
  for (const auto& e : drain(*split.source_for(0)))
    sizes.push_back(e.bytes);
  CHECK(sizes == std::vector<std::uint32_t>{1514, 1514, 1514, 55, 100, 1514, 1514, 1074});
  CHECK(due_of(split) == dues{0, 0, 0, 0, 1'000'000, 2'000'000, 2'000'000, 2'000'000});
  CHECK(split.report().oversize == 2);
  CHECK(split.report().split == 2);
  CHECK(split.report().split_into == 7);
  CHECK(split.report().packets == 8);
  config.oversize = oversize_rule::drop;
  const auto drop = replay::open(config);
  CHECK(drop.report().oversize_dropped == 2);
  CHECK(due_of(drop) == dues{0});
}

TEST_CASE("other link types get an Ethernet header or are skipped, and are counted") {
  pcapng_writer w;
  const auto frame = make_frame({.bytes = 114});
  w.section().interface(1, 0).interface(101, 0).interface(105, 0);
  w.enhanced(0, 1, frame).enhanced(1, 2, {frame.begin() + 14, frame.end()}).enhanced(2, 3, frame);
  w.enhanced(0, 4, byte_string(13, 0));
  const temp_file file{w.bytes()};
  const auto r = replay::open(config_of(file));
  const auto out = drain(*r.source_for(0));
  REQUIRE(out.size() == 2);
  CHECK(out[1].bytes == 114);
  CHECK(r.report().not_ethernet == 1);
  CHECK(r.report().foreign_link == 1);
  CHECK(r.report().runts == 1);
}

TEST_CASE("a damaged capture is refused before anything is emitted") {
  auto bytes = make_pcap({{0, make_frame({}), 0}, {0, make_frame({}), 0}});
  bytes.pop_back();
  const temp_file file{bytes};
  try {
    replay::open(config_of(file));
    FAIL("not refused");
  } catch (const capture_error& error) {
    CHECK(error.code() == traffic_ec::cut_off);
    CHECK(error.packet() == 2);
  }
}

TEST_CASE("settings that cannot work are refused") {
  const auto file = stamped_file({1});
  const auto refused = [&](auto change) {
    auto config = config_of(file);
    change(config);
    try {
      replay::open(config);
      return false;
    } catch (const traffic_error& error) {
      return error.code() == traffic_ec::bad_config;
    }
  };
  using mode = replay_timing::mode;
  CHECK(refused([](auto& c) { c.timing.repeat = 0; }));
  CHECK(refused([](auto& c) { c.timing.how = mode::rate; }));
  CHECK(refused([](auto& c) { c.timing.how = mode::pps; }));
  CHECK(refused([](auto& c) { c.timing.how = mode::speed, c.timing.speed_num = 0; }));
  CHECK(refused([](auto& c) { c.to = {c.from}; }));
  CHECK(refused([](auto& c) { c.map.assign(2, {*net_address::parse("10.0.0.1"), 3}); }));
  CHECK(refused([](auto& c) { c.max_frame = [](std::uint32_t) { return 0u; }; }));
}

TEST_CASE("stamps at the ends of time neither overflow nor come back") {
  pcapng_writer w;
  const auto seconds = w.option(9, {0});
  w.section()
      .interface(1, 0, seconds)
      .enhanced(0, 0, make_frame({}))
      .enhanced(0, ~0ull, make_frame({}));
  w.enhanced(0, 1, make_frame({}));
  const temp_file file{w.bytes()};
  auto config = config_of(file);
  config.timing.repeat = 0xffff'ffff;
  CHECK(due_of(replay::open(config)) == dues{0});  // the next is after the end of time
  config.timing.how = replay_timing::mode::speed;
  config.timing.speed_num = 1'000'000'000'000;
  config.timing.repeat = 2;
  CHECK(due_of(replay::open(config)).size() == 6);
}

TEST_CASE("a schedule streamed from the file is the one kept in memory") {
  const bool ok = rc::check([] {
    std::vector<packet_spec> packets;
    const auto n = *rc::gen::inRange(1, 60);
    for (int i = 0; i != n; ++i) {
      frame_spec spec;
      spec.from[3] = static_cast<std::uint8_t>(*rc::gen::inRange(1, 6));
      spec.to[3] = static_cast<std::uint8_t>(*rc::gen::inRange(1, 6));
      spec.protocol = *rc::gen::element<std::uint8_t>(6, 17);
      spec.bytes = *rc::gen::inRange(60u, 5000u);
      packets.push_back({*rc::gen::inRange<std::uint64_t>(0, 1'000'000'000), make_frame(spec), 0});
    }
    const temp_file file{make_pcap(packets, {.nanoseconds = true})};
    auto config = config_of(file);
    for (std::uint8_t i = 1; i != 5; ++i)
      config.map.push_back({net_address::ipv4(std::array<std::uint8_t, 4>{10, 0, 0, i}), i});
    config.receivers = {{2, {7, 6379}, ""}, {3, {6379}, "udp"}};
    config.max_frame = [](std::uint32_t endpoint) { return 1000 + endpoint * 300; };
    config.oversize = *rc::gen::element(oversize_rule::split, oversize_rule::drop);
    config.filter = *rc::gen::element<std::string>("", "tcp", "udp or src host 10.0.0.2");
    config.casts = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) {
      config.map.clear();
      config.to = {1, 2, 3, 4};
    }
    config.timing.how = *rc::gen::element(
        replay_timing::mode::as_captured, replay_timing::mode::speed, replay_timing::mode::rate,
        replay_timing::mode::pps, replay_timing::mode::as_fast_as_possible);
    config.timing.speed_num = *rc::gen::inRange(1, 100);
    config.timing.speed_den = *rc::gen::inRange(1, 100);
    config.timing.rate_bps = *rc::gen::inRange<std::uint64_t>(1'000'000, 40'000'000'000);
    config.timing.pps = *rc::gen::inRange<std::uint64_t>(1'000, 40'000'000);
    if (*rc::gen::arbitrary<bool>())
      config.timing.max_gap = *rc::gen::inRange<sim_time>(0, millisecond);
    config.timing.repeat = *rc::gen::inRange(1u, 5u);
    config.start = *rc::gen::inRange<sim_time>(0, second);
    if (*rc::gen::arbitrary<bool>())
      config.stop = *rc::gen::inRange<sim_time>(0, 3 * second);
    const auto kept = replay::open(config);
    config.max_records_in_memory = 0;
    const auto streamed = replay::open(config);
    const auto& report = kept.report();
    RC_ASSERT(report.in_memory);
    RC_ASSERT(report.packets == 0u || !streamed.report().in_memory);
    RC_ASSERT(report.file_packets
              == report.filtered + report.foreign_link + report.runts + report.unmapped
                     + report.oversize_dropped + report.selected);
    RC_ASSERT(kept.producers() == streamed.producers());
    std::uint64_t emitted = 0;
    for (const auto endpoint : kept.producers()) {
      const auto a = drain(*kept.source_for(endpoint), *rc::gen::inRange<std::size_t>(1, 50));
      const auto b = drain(*streamed.source_for(endpoint), *rc::gen::inRange<std::size_t>(1, 50));
      RC_ASSERT(same(a, b));
      RC_ASSERT(std::is_sorted(a.begin(), a.end(), [](auto& x, auto& y) { return x.due < y.due; }));
      emitted += a.size();
    }
    if (config.stop == never)
      RC_ASSERT(emitted == report.packets * config.timing.repeat);
  });
  CHECK(ok);
}

TEST_CASE("a streamed capture that changes during the run is an error, not other traffic") {
  const auto file = stamped_file({1, 2, 3});
  auto config = config_of(file);
  config.max_records_in_memory = 0;
  const auto r = replay::open(config);
  std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 116);
  CHECK_THROWS_AS(r.source_for(0), capture_error);
}

TEST_CASE("packets are for the socket that listens to their port, as libpcap sees it") {
  const auto open = [](const char* capture, const char* filter) {
    replay_config config;
    config.file = std::string{SLUICE_SOURCE_DIR "/scenarios/captures/"} + capture;
    config.to = {1};
    config.filter = filter;
    config.receivers = {{1, {80, 6379, 53}, "not icmp"}, {7, {1}, "tcp"}};
    return replay::open(config);
  };
  const auto count = [](const replay& r, std::uint8_t socket) {
    const auto out = drain(*r.source_for(0));
    return std::count_if(out.begin(), out.end(), [&](const auto& e) { return e.socket == socket; });
  };
  struct {
    const char *capture, *filter;
    std::uint8_t socket;
  } const cases[] = {{"http.pcap", "dst port 80", 1},
                     {"redis.pcapng", "dst port 6379", 2},
                     {"dns.pcapng", "dst port 53", 3}};
  for (const auto& c : cases) {
    CAPTURE(c.capture);
    const auto everything = open(c.capture, "");
    const auto of_port = open(c.capture, c.filter);
    CHECK(of_port.report().packets > 100);
    CHECK(count(everything, c.socket) == static_cast<long>(of_port.report().packets));
    CHECK(count(everything, 0)
          == static_cast<long>(everything.report().packets - of_port.report().packets));
  }
}

TEST_CASE("what a receiver's filter refuses is emitted as that, and other receivers' packets not") {
  std::vector<packet_spec> packets;
  for (const std::uint8_t protocol : {6, 17})
    for (const std::uint8_t to : {2, 3})
      packets.push_back({1, make_frame({.to = {10, 0, 0, to}, .protocol = protocol}), 0});
  const temp_file file{make_pcap(packets)};
  auto config = config_of(file);
  for (std::uint8_t i = 1; i != 4; ++i)
    config.map.push_back({net_address::ipv4(std::array<std::uint8_t, 4>{10, 0, 0, i}), i});
  config.receivers = {{2, {}, "udp"}};
  const auto out = drain(*replay::open(config).source_for(1));
  REQUIRE(out.size() == 4);
  for (const auto& e : out)
    CHECK((e.socket == packet::filtered) == (&e == &out[0]));
  config.receivers = {{2, {}, "no such thing"}};
  CHECK_THROWS_AS(replay::open(config), traffic_error);
}

TEST_CASE("a frame's priority is what the first field says that is trusted and says something") {
  classify_settings c;
  c.dscp[26] = 3;
  c.pcp[5] = 2;
  c.otherwise = 1;
  CHECK(c.priority_of({}, {}) == 1);
  CHECK(c.priority_of({}, 26) == 3);
  CHECK(c.priority_of({}, 27) == 1);  // no rule for it
  CHECK(c.priority_of(5, 26) == 2);
  CHECK(c.priority_of(7, {}) == 7);  // itself
  c.trust = {classify_settings::field::dscp, classify_settings::field::none};
  CHECK(c.priority_of(5, 26) == 3);
  CHECK(c.priority_of(5, {}) == 1);
}

TEST_CASE("a classified replay emits each frame with the priority of its DSCP, split or not") {
  std::vector<packet_spec> packets;
  for (const unsigned dscp : {0u, 26u, 48u, 26u}) {
    auto frame = make_frame({.to = {10, 0, 0, 2}, .protocol = 17});
    // The second byte of the IP header; the last two bits say whether it may be marked.
    frame[15] = static_cast<std::uint8_t>(dscp << 2 | (dscp == 48 ? 3 : dscp == 26 ? 2 : 0));
    packets.push_back({1, frame, 0});
  }
  packets.push_back({1, packets[1].data, 3000});
  const temp_file file{make_pcap(packets)};
  auto config = config_of(file);
  config.map = {{net_address::ipv4(std::array<std::uint8_t, 4>{10, 0, 0, 1}), 1},
                {net_address::ipv4(std::array<std::uint8_t, 4>{10, 0, 0, 2}), 2}};
  config.max_frame = [](std::uint32_t) { return 1518u; };
  classify_settings rules;
  rules.dscp[26] = 3;
  rules.dscp[48] = 6;
  config.classify = [&](std::uint32_t endpoint) { return endpoint == 1 ? &rules : nullptr; };
  for (const std::size_t kept : {1000, 0}) {
    config.max_records_in_memory = kept;
    const auto r = replay::open(config);
    std::vector<int> priorities;
    for (const auto& e : drain(*r.source_for(1))) {
      priorities.push_back(e.priority);
      CHECK(e.ecn == (e.priority == 6 ? 3 : e.priority == 3 ? 2 : 0));
    }
    CHECK(priorities == std::vector<int>{0, 3, 6, 3, 3, 3, 3});
    CHECK(r.report().producers[0].priorities == (1 << 0 | 1 << 3 | 1 << 6));
  }
  config.classify = [](std::uint32_t) { return nullptr; };
  for (const auto& e : drain(*replay::open(config).source_for(1)))
    CHECK(e.priority == emission::unclassified);
}

TEST_CASE("the shipped captures replay with every packet and byte") {
  for (const auto* name : {"redis.pcapng", "http.pcap", "dns.pcapng", "incast.pcapng"}) {
    CAPTURE(name);
    replay_config config;
    config.file = std::string{SLUICE_SOURCE_DIR "/scenarios/captures/"} + name;
    config.to = {1};
    const auto r = replay::open(config);
    std::uint64_t bytes = 0;
    const auto out = drain(*r.source_for(0));
    for (const auto& e : out)
      bytes += e.bytes;
    CHECK(out.size() == r.report().file_packets);
    CHECK(bytes == r.report().file_bytes);
    CHECK(out.back().due == (r.report().last_ns - r.report().first_ns) * nanosecond);
  }
}
