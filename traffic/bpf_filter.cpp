#include "traffic/bpf_filter.hpp"

#include <fmt/format.h>

#include "traffic/replay.hpp"
#include "traffic/units.hpp"

namespace sluice {

void bpf_filter::free_program::operator()(bpf_program* program) const {
  pcap_freecode(program);
  delete program;
}

void bpf_filter::prepare(int link_type) {
  if (everything() || find(link_type) != nullptr)
    return;
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> dead{
      pcap_open_dead(link_type, static_cast<int>(max_frame_bytes)), &pcap_close};
  if (dead == nullptr)
    throw std::bad_alloc{};
  auto program = std::make_unique<bpf_program>();
  if (pcap_compile(dead.get(), program.get(), expression_.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    throw traffic_error{
        traffic_ec::bad_filter,
        fmt::format("filter '{}' does not compile for link type {}: {}", expression_,
                    link_type_name(link_type), pcap_geterr(dead.get()))};
  programs_.emplace_back(link_type, program.release());
}

bool bpf_filter::matches(const capture_record& record) const {
  if (everything())
    return true;
  const auto* program = find(record.link_type);
  if (program == nullptr)
    return false;
  pcap_pkthdr header{};
  header.caplen = record.captured_bytes();
  header.len = record.wire_bytes;
  return pcap_offline_filter(program, &header, record.data.data()) != 0;
}

const bpf_program* bpf_filter::find(int link_type) const {
  for (const auto& [type, program] : programs_)
    if (type == link_type)
      return program.get();
  return nullptr;
}

void check_filter(const std::string& filter) {
  bpf_filter{filter}.prepare(DLT_EN10MB);
}

}  // namespace sluice
