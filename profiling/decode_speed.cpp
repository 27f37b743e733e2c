// How many photographs of a folder a second become pictures of one size: FOLDER SIZE THREADS SECONDS. The files are in
// the page cache behind a first pass over them, which is not counted. Prints that number.
#include "host/pictures/decode.h"
#include "kernels/check.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace duel {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::filesystem::path> photographs_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".jpg") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

int run(int count, char** arguments) {
  if (count != 5) {
    std::fputs("usage: duel_decode_speed FOLDER SIZE THREADS SECONDS\n", stderr);
    return 2;
  }
  const std::vector<std::filesystem::path> files = photographs_in(arguments[1]);
  PictureForm form;
  form.height = form.width = std::stoi(arguments[2]);
  const double seconds = std::stod(arguments[4]);
  const auto decode = [&](std::size_t number, std::vector<std::uint8_t>& to) {
    to.resize(static_cast<std::size_t>(form.height) * form.width * form.channels);
    decode_picture(files[number % files.size()], form, to);
  };
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < files.size(); ++i) {
    decode(i, pixels);
  }
  std::atomic<std::size_t> next = 0;
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < std::stoi(arguments[3]); ++i) {
      threads.emplace_back([&] {
        std::vector<std::uint8_t> own;
        while (elapsed() < seconds) {
          decode(next++, own);
        }
      });
    }
  }
  std::printf("%.1f\n", static_cast<double>(next) / elapsed());
  return 0;
}

}  // namespace
}  // namespace duel

int main(int count, char** arguments) {
  try {
    return duel::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "duel_decode_speed: %s\n", error.what());
    return 1;
  }
}
