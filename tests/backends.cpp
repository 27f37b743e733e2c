// The backends of duel_tests: the CPU with two threads and with one; a GPU where the build and the machine have one.
#include "kernels/check.h"
#include "tests/support/op_runner.h"

#include <cstdio>
#include <cstdlib>

namespace duel::test {

namespace {

bool is_cuda_required() {
  const char* required = std::getenv("DUEL_REQUIRE_CUDA");
  return required != nullptr && std::string_view(required) == "1";
}

// With DUEL_REQUIRE_CUDA=1 a GPU that cannot be opened ends the program; otherwise its cases are left out, said once.
bool can_open_cuda() {
  try {
    Context::cuda();
    return true;
  } catch (const Error& error) {
    if (is_cuda_required()) {
      std::fprintf(stderr, "DUEL_REQUIRE_CUDA is 1, but: %s\n", error.what());
      std::exit(1);
    }
    std::fprintf(stderr, "the backend cuda is SKIPPED: %s\n", error.what());
    return false;
  }
}

std::vector<Backend> make_backends() {
  // Always a new context: the number of threads that oneDNN takes is one per process, set by the context made last.
  std::vector<Backend> list{
      {"cpu", {2, 1}, false, [](int threads) { return std::make_shared<Context>(Context::cpu(threads)); }}};
  if (can_open_cuda()) {
    static const auto context = std::make_shared<Context>(Context::cuda());
    static const auto tf32 = std::make_shared<Context>(Context::cuda(0, true));
    list.push_back({"cuda", {0}, true, [](int) { return context; }});
    list.push_back({"cuda_tf32", {0}, true, [](int) { return tf32; }, true});
  }
  return list;
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> list = make_backends();
  return list;
}

}  // namespace duel::test
