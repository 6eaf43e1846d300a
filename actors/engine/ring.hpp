/// \file
/// A first-in-first-out ring that grows by doubling and never shrinks: in steady state it
/// allocates nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace sluice {

template <class T>
class ring {
public:
  bool empty() const { return head_ == tail_; }
  std::size_t size() const { return tail_ - head_; }

  T& front() { return slots_[head_ & mask_]; }
  const T& front() const { return slots_[head_ & mask_]; }
  T& back() { return slots_[(tail_ - 1) & mask_]; }
  const T& back() const { return slots_[(tail_ - 1) & mask_]; }
  /// The element `i` places behind the front.
  const T& operator[](std::size_t i) const { return slots_[(head_ + i) & mask_]; }

  void swap(std::size_t i, std::size_t j) {
    std::swap(slots_[(head_ + i) & mask_], slots_[(head_ + j) & mask_]);
  }

  void push(T value) {
    if (tail_ - head_ == capacity_)
      grow();
    slots_[tail_++ & mask_] = std::move(value);
  }

  void pop() { ++head_; }

  void clear() { head_ = tail_ = 0; }

private:
  void grow() {
    const std::size_t larger = capacity_ == 0 ? 16 : 2 * capacity_;
    auto slots = std::make_unique<T[]>(larger);
    const std::size_t n = size();
    for (std::size_t i = 0; i < n; ++i)
      slots[i] = std::move(slots_[(head_ + i) & mask_]);
    slots_ = std::move(slots);
    capacity_ = larger;
    mask_ = larger - 1;
    head_ = 0;
    tail_ = n;
  }

  std::unique_ptr<T[]> slots_;
  std::size_t capacity_ = 0, mask_ = 0, head_ = 0, tail_ = 0;
};

/// Puts the value behind all that are no later, by their `at`. Mostly that is at the end.
template <class T>
void insert_by_time(ring<T>& r, T value) {
  r.push(std::move(value));
  for (auto x = r.size() - 1; x > 0 && r[x - 1].at > r[x].at; --x)
    r.swap(x - 1, x);
}

}  // namespace sluice
