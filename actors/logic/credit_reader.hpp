/// \file
/// Credit lists, the sender's side: the credit list reader/processor.
///
///     credit lists ──▶ [ posted buffers ▸ list of credits ] ──▶ how much the next packet may carry
///
/// * A credit is the size of one receive buffer. Credits are used in the order in which they came,
///   one for each packet; a packet is never larger than its credit. One that is smaller is allowed,
///   and what was left of the buffer is counted as waste.
/// * A list comes into a buffer that was posted for it. When one has come another buffer is posted,
///   and only then are its credits put behind those that there are. So whoever sees data in the
///   buffer of a list's first credit knows that there is a buffer for another list: that is what
///   makes the control channel itself safe. A list that finds no buffer breaks the connection.
/// * Without credits nothing is sent.
///
/// Source: WO 00/41365, FIG. 7(a) and 7(b); claims 1, 26 to 30.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "actors/engine/ring.hpp"

namespace sluice {

class credit_reader {
public:
  /// \param buffers for credit lists, posted before the connection is there. At least 1.
  explicit credit_reader(unsigned buffers = 1) : posted_{buffers} {}

  /// A list has come. It fills a posted buffer, and its credits may be used only after `post`.
  /// False: there is none.
  bool receive(std::span<const std::uint32_t> list) {
    ++lists_;
    if (posted_ == 0)
      return false;
    --posted_;
    sizes_.push(list.size());
    for (const auto credit : list)
      unread_.push(credit);
    return true;
  }
  /// Another buffer is there; then the credits of the list that came first may be used.
  void post() {
    ++posted_;
    if (sizes_.empty())
      return;
    for (auto n = sizes_.front(); n != 0; --n) {
      credits_.push(unread_.front());
      unread_.pop();
    }
    sizes_.pop();
  }

  bool empty() const { return credits_.empty(); }
  std::size_t size() const { return credits_.size(); }
  /// What the next packet may carry. \pre not empty
  std::uint32_t next() const { return credits_.front(); }
  /// The next packet of so much data: how many bytes of it go. \pre not empty
  std::uint32_t use(std::uint64_t data) {
    const auto credit = credits_.front();
    credits_.pop();
    const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(data, credit));
    ++used_;
    wasted_ += credit - bytes;
    return bytes;
  }

  unsigned posted() const { return posted_; }
  std::uint64_t lists() const { return lists_; }
  std::uint64_t used() const { return used_; }
  std::uint64_t wasted_bytes() const { return wasted_; }

private:
  unsigned posted_;
  ring<std::size_t> sizes_;  // of the lists in unread_
  ring<std::uint32_t> unread_, credits_;
  std::uint64_t lists_ = 0, used_ = 0, wasted_ = 0;
};

}  // namespace sluice
