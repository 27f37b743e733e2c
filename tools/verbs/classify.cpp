#include "host/sample/classify.h"

#include "host/files/atomic_file.h"
#include "host/files/csv.h"
#include "kernels/check.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

std::string to_csv(const Classified& classified) {
  std::string text = "file,class,probability\n";
  for (const CalledPicture& picture : classified.pictures) {
    text += fmt::format("{},{},{:.4f}\n", csv_field(picture.file), csv_field(classified.classes[picture.label]),
                        picture.probability);
  }
  return text;
}

Json to_json(const Classified& classified) {
  Json object = {{"step", classified.step}, {"classes", classified.classes}};
  if (classified.confusion) {
    const Confusion& confusion = *classified.confusion;
    Json of_classes = Json::array();
    for (std::size_t label = 0; label < confusion.names.size(); ++label) {
      of_classes.push_back(confusion.accuracy_of(label));
    }
    object["accuracy"] = confusion.accuracy();
    object["accuracy_by_class"] = of_classes;
    object["confusion"] = confusion.counts;
    return object;
  }
  object["pictures"] = Json::array();
  for (const CalledPicture& picture : classified.pictures) {
    object["pictures"].push_back(
        {{"file", picture.file}, {"class", classified.classes[picture.label]}, {"probability", picture.probability}});
  }
  return object;
}

struct Classify {
  ClassifyRequest request;
  std::string out;
  bool json = false;

  void run() const {
    if (request.held_out == !request.files.empty()) {
      throw_error(Error::Kind::usage, "classify: {}",
                  request.held_out ? "--held-out measures on the run's own data, and takes no files"
                                   : "nothing says which pictures; name files, or give --held-out");
    }
    if (!out.empty() && request.held_out) {
      throw_error(Error::Kind::usage, "classify: --out {}: is for files; what --held-out finds is printed", out);
    }
    const Classified classified = classify(request);
    if (!out.empty()) {
      write_file_atomically(out, to_csv(classified));
    }
    if (json) {
      fmt::print("{}\n", to_json(classified).dump(2));
    } else if (classified.confusion) {
      fmt::print("{}\n", to_text(*classified.confusion));
    } else if (out.empty()) {
      fmt::print("{}", to_csv(classified));
    } else {
      fmt::print("{}: {} pictures by step {}\n", out, classified.pictures.size(), classified.step);
    }
  }
};

}  // namespace

void add_classify(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("classify", "Tell the classes of pictures with the classifier of a run");
  auto classify = std::make_shared<Classify>();
  auto at = std::make_shared<std::int64_t>(0);
  auto device = std::make_shared<DeviceFlags>();
  constexpr std::int64_t kMostSteps = 1'000'000'000'000;
  add_text(*verb, "--run", classify->request.run, "folder of the run, trained with --preset classify")->required();
  verb->add_option("FILES", classify->request.files,
                   "PNG, or IDX files of pictures, plain or gzip; of the size and the channels of those it was trained "
                   "on");
  verb->add_flag("--held-out", classify->request.held_out,
                 "instead of files the pictures that the run's data keep out of training: which classes are taken for "
                 "which");
  add_text(*verb, "--out", classify->out, "CSV file to write, file,class,probability; otherwise it is printed");
  CLI::Option* step =
      add_integer(*verb, "--step", *at, std::int64_t{0}, kMostSteps, "of the checkpoint; otherwise the latest");
  device->declare(*verb);
  verb->add_flag("--json", classify->json, "for programs");
  verb->callback([classify, at, step, device, &exit_code] {
    if (step->count() > 0) {
      classify->request.step = *at;
    }
    classify->request.where = device->resolve();
    classify->run();
    exit_code = 0;
  });
}

}  // namespace duel
