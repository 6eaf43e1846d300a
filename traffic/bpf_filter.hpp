/// \file
/// Internal to traffic/: a BPF expression, compiled for each link type that needs it.
#pragma once

#include <pcap/pcap.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "traffic/capture.hpp"

namespace sluice {

class bpf_filter {
public:
  /// Empty: everything matches.
  explicit bpf_filter(std::string expression) : expression_{std::move(expression)} {}

  /// Compiles for a link type, once.
  /// \throws traffic_error bad_filter
  void prepare(int link_type);

  /// Of a link type that was prepared; of any other nothing matches. Safe from several threads.
  bool matches(const capture_record& record) const;

  bool everything() const { return expression_.empty(); }

private:
  struct free_program {
    void operator()(bpf_program* program) const;
  };
  using program_ptr = std::unique_ptr<bpf_program, free_program>;

  const bpf_program* find(int link_type) const;

  std::string expression_;
  std::vector<std::pair<int, program_ptr>> programs_;  // one or two: searched in order
};

}  // namespace sluice
