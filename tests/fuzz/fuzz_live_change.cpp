// The body of POST /api/change: whatever comes, there is an answer; and what the loader takes is
// taken again when it is written as the argument that repeats the run.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "live/changes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  static const std::string text =
      "nodes: {a: {kind: host, vms: [v]}, b: {kind: host, vms: [w]}, s: {kind: switch}}\n"
      "links: [a -- s, b -- s]\n"
      "traffic: {t: {generate: {rate: 1Gbit}, from: a/v, to: b/w}}\n"
      "duration: 1s\n";
  static const auto loaded = load_scenario_text(text, "fuzz.yaml");
  if (size > max_body_bytes)
    return 0;
  const std::string body{reinterpret_cast<const char*>(data), size};
  steering steers;
  steers.close();  // nobody is there to make the change: what is right is refused with 409
  live_changes changes{loaded, "fuzz.yaml", {}, steers};
  const auto reply = changes.change(body);
  changes.end(body);
  if (reply.status != 400 && reply.status != 422 && reply.status != 409)
    std::abort();
  if (reply.status != 409)
    return 0;
  auto event = nlohmann::ordered_json::parse(body);
  event["at"] = "0ps";
  load_options options;
  options.set.push_back("events.+=" + flow_text(event));
  const auto again = load_scenario_text(text, "fuzz.yaml", options);
  if (!again.value || again.value->events.size() != 1)
    std::abort();
  return 0;
}
