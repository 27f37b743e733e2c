// A thread for what need not hold up the training: encoding and writing files.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace duel {

// Does one job after the other, in order. What a job throws comes out of the next call; later jobs are then left out.
class Background {
public:
  using Job = std::function<void()>;

  Background();
  ~Background();  // finishes the jobs it has; what they throw is lost, so finish() first
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Waits while another job waits to be begun: what jobs hold in memory stays bounded.
  void add(Job job);
  bool has_room();  // whether add() would not wait, if nobody else adds
  void finish();    // returns when all is done

private:
  void work();
  void rethrow(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  Job next_;
  bool is_working_ = false, is_stopping_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace duel
