#include "host/library/duel.h"

#include "host/config/configuration.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct duel_run {
  explicit duel_run(const duel::DeviceRequest& where) : context(duel::make_context(where)) {}

  duel::Context context;
  std::optional<duel::LoadedSampling> loaded;
  duel::Parameters::Block block = duel::Parameters::Block::average;
  std::string folder, preset;
  std::int64_t step = 0;
  std::vector<std::string> classes;  // by name; none where it draws without

  std::optional<duel::Sampler> sampler;  // of the seed that was drawn last
  std::uint64_t seed = 0;
};

namespace duel {

namespace {

constexpr std::int64_t kEnd = 1'000'000'000'000;  // of a seed's pictures

thread_local std::string last_error;

duel_status failed(int status, const char* sentence) {
  try {
    last_error = sentence;
  } catch (...) {  // no memory for the sentence
    last_error.clear();
  }
  return static_cast<duel_status>(status);
}

// Nothing is thrown beyond this: the caller may be C.
template <class Call>
duel_status status_of(Call&& call) {
  try {
    call();
    return DUEL_DONE;
  } catch (const Error& error) {
    return failed(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(DUEL_DEVICE, "out of memory");
  } catch (const std::exception& error) {
    return failed(DUEL_INTERNAL, error.what());
  } catch (...) {
    return failed(DUEL_INTERNAL, "something was thrown that is no exception");
  }
}

void require(bool condition, const char* function, const char* argument) {
  if (!condition) {
    throw_error(Error::Kind::usage, "{}: {} is NULL", function, argument);
  }
}

DeviceRequest device_of(const char* device, int threads) {
  Options options;  // whose keys know what is allowed
  apply_setting({"duel_open: device", "device", device == nullptr ? "auto" : device}, options);
  apply_setting({"duel_open: threads", "threads", fmt::format("{}", threads)}, options);
  return device_request(options);
}

std::unique_ptr<duel_run> open_run(const char* folder, std::int64_t step, int weights, const DeviceRequest& where) {
  const RunDirectory directory = RunDirectory::open_for_reading(folder);
  auto run = std::make_unique<duel_run>(where);
  run->folder = folder;
  run->block = weights == DUEL_RAW ? Parameters::Block::master : Parameters::Block::average;
  const auto asked = step == DUEL_LATEST ? std::nullopt : std::optional(step);
  run->step = read_checkpoint_of(directory, asked, [&](const std::filesystem::path& checkpoint) {
    run->loaded.emplace(run->context, directory, checkpoint, 0);
    const std::filesystem::path config = directory.config_path(checkpoint);
    run->preset = options_from_toml(read_text_file(config), config.string()).preset;
  });
  if (!draws_pictures(run->loaded->sampling)) {
    throw_error(Error::Kind::usage, "{}: is a run of the recipe {}, which draws no pictures", folder,
                run->loaded->recipe->name());
  }
  if (const std::optional<Field> classes = drawn_inputs(run->loaded->sampling).classes) {
    run->classes = classes->names;
  }
  return run;
}

std::size_t picture_bytes(const duel_run& run) {
  return static_cast<std::size_t>(run.loaded->picture.row_count());
}

void check_draw(const duel_run& run, int class_number, std::int64_t first, int count, std::size_t bytes) {
  if (count < 1 || count > kMostPictures) {
    throw_error(Error::Kind::usage, "duel_draw: count is {}, and must be from 1 to {}", count, kMostPictures);
  }
  if (first < 0 || first > kEnd - count) {
    throw_error(Error::Kind::usage, "duel_draw: first is {}, and must be from 0 to {} for {} pictures", first,
                kEnd - count, count);
  }
  const int classes = static_cast<int>(run.classes.size());
  if (class_number != DUEL_ANY_CLASS && classes == 0) {
    throw_error(Error::Kind::usage,
                "duel_draw: class {} means nothing to {}, which was trained without classes; give DUEL_ANY_CLASS",
                class_number, run.folder);
  }
  if (class_number != DUEL_ANY_CLASS && (class_number < 0 || class_number >= classes)) {
    throw_error(Error::Kind::usage, "duel_draw: class {} is none of {}, which has 0 to {}, or DUEL_ANY_CLASS",
                class_number, run.folder, classes - 1);
  }
  const std::size_t needed = static_cast<std::size_t>(count) * picture_bytes(run);
  if (bytes < needed) {
    throw_error(Error::Kind::usage, "duel_draw: {} pictures of {} bytes need room for {} bytes, and there are {}",
                count, picture_bytes(run), needed, bytes);
  }
}

std::vector<float> shares_of(const duel_run& run, int class_number, std::int64_t first, int count) {
  const auto classes = static_cast<std::int64_t>(run.classes.size());
  if (classes == 0) {
    return {};
  }
  std::vector<float> shares(static_cast<std::size_t>(count * classes));
  for (int i = 0; i < count; ++i) {
    const std::int64_t its = class_number == DUEL_ANY_CLASS ? (first + i) % classes : class_number;
    shares[static_cast<std::size_t>(i * classes + its)] = 1;
  }
  return shares;
}

void draw(duel_run& run, int class_number, std::uint64_t seed, std::int64_t first, int count, std::uint8_t* pixels) {
  if (!run.sampler || run.seed != seed) {
    run.sampler.reset();  // two need not fit
    run.sampler.emplace(run.context, run.loaded->model(), run.block, seed);
    run.seed = seed;
  }
  const Shape& shape = run.loaded->picture;
  for (const std::int64_t end = first + count; first < end;) {
    // To the end of one of the sampler's batches, which are run whole.
    const int some = static_cast<int>(std::min(end - first, Sampler::kBatch - first % Sampler::kBatch));
    const std::vector<float> values =
        run.sampler->draw(run.context, first, some, shares_of(run, class_number, first, some));
    const auto size = static_cast<std::size_t>(shape.count());
    for (int i = 0; i < some; ++i) {
      const Picture picture =
          to_picture(std::span(values).subspan(static_cast<std::size_t>(i) * size, size), shape[1], shape[2], shape[3]);
      pixels = std::copy(picture.pixels.begin(), picture.pixels.end(), pixels);
    }
    first += some;
  }
}

int extent(const duel_run* run, int axis) {
  return run == nullptr ? 0 : static_cast<int>(run->loaded->picture[axis]);
}

}  // namespace

}  // namespace duel

// --- What C sees ------------------------------------------------------------------------------------------------

duel_status duel_open(const char* folder, int64_t step, int weights, const char* device, int threads, duel_run** run) {
  if (run != nullptr) {
    *run = nullptr;
  }
  return duel::status_of([&] {
    duel::require(run != nullptr, "duel_open", "run");
    duel::require(folder != nullptr, "duel_open", "folder");
    if (step < 0 && step != DUEL_LATEST) {
      duel::throw_error(duel::Error::Kind::usage, "duel_open: step is {}, and must be 0 or more, or DUEL_LATEST", step);
    }
    if (weights != DUEL_AVERAGED && weights != DUEL_RAW) {
      duel::throw_error(duel::Error::Kind::usage, "duel_open: weights is {}, and must be DUEL_AVERAGED or DUEL_RAW",
                        weights);
    }
    *run = duel::open_run(folder, step, weights, duel::device_of(device, threads)).release();
  });
}

void duel_close(duel_run* run) {
  delete run;
}

int duel_height(const duel_run* run) {
  return duel::extent(run, 1);
}

int duel_width(const duel_run* run) {
  return duel::extent(run, 2);
}

int duel_channels(const duel_run* run) {
  return duel::extent(run, 3);
}

int duel_class_count(const duel_run* run) {
  return run == nullptr ? 0 : static_cast<int>(run->classes.size());
}

int64_t duel_step(const duel_run* run) {
  return run == nullptr ? 0 : run->step;
}

const char* duel_preset(const duel_run* run) {
  return run == nullptr ? nullptr : run->preset.c_str();
}

const char* duel_class_name(const duel_run* run, int number) {
  return number < 0 || number >= duel_class_count(run) ? nullptr
                                                       : run->classes[static_cast<std::size_t>(number)].c_str();
}

duel_status duel_draw(duel_run* run, int class_number, uint64_t seed, int64_t first, int count, uint8_t* pixels,
                      size_t bytes) {
  return duel::status_of([&] {
    duel::require(run != nullptr, "duel_draw", "run");
    duel::require(pixels != nullptr, "duel_draw", "pixels");
    duel::check_draw(*run, class_number, first, count, bytes);
    duel::draw(*run, class_number, seed, first, count, pixels);
  });
}

const char* duel_last_error(void) {
  return duel::last_error.c_str();
}
