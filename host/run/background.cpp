#include "host/run/background.h"

#include <utility>

namespace duel {

Background::Background() : thread_([this] { work(); }) {}

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
}

void Background::add(Job job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !next_; });
  rethrow(lock);
  next_ = std::move(job);
  changed_.notify_all();
}

bool Background::has_room() {
  const std::lock_guard lock(mutex_);
  return !next_;
}

void Background::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !next_ && !is_working_; });
  rethrow(lock);
}

void Background::rethrow(std::unique_lock<std::mutex>& lock) {
  if (error_) {
    const std::exception_ptr error = std::exchange(error_, nullptr);
    lock.unlock();
    std::rethrow_exception(error);
  }
}

void Background::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return next_ || is_stopping_; });
    if (!next_) {
      return;
    }
    const Job job = std::exchange(next_, nullptr);
    is_working_ = true;
    const bool is_left_out = error_ != nullptr;
    lock.unlock();
    changed_.notify_all();
    std::exception_ptr error;
    if (!is_left_out) {
      try {
        job();
      } catch (...) {
        error = std::current_exception();
      }
    }
    lock.lock();
    is_working_ = false;
    if (error) {
      error_ = error;
    }
    changed_.notify_all();
  }
}

}  // namespace duel
