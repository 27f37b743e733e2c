#include "host/sample/classify.h"

#include "host/data/confusion_drawing.h"
#include "host/files/atomic_file.h"
#include "host/files/csv.h"
#include "host/pictures/svg.h"
#include "kernels/check.h"
#include "tools/verbs/classification_json.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/ranges.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace duel {

namespace {

// Of classes the most probable; of tags the probability of each.
std::string to_csv(const Classified& classified) {
  std::string text = "file";
  if (classified.is_of_tags) {
    for (const std::string& tag : classified.classes) {
      text += "," + csv_field(tag);
    }
  } else {
    text += ",class,probability";
  }
  text += "\n";
  for (const CalledPicture& picture : classified.pictures) {
    text += csv_field(picture.file);
    if (classified.is_of_tags) {
      for (const float probability : picture.probabilities) {
        text += fmt::format(",{:.4f}", probability);
      }
    } else {
      text += fmt::format(",{},{:.4f}", csv_field(classified.classes[picture.label]), picture.probability());
    }
    text += "\n";
  }
  return text;
}

std::string to_text(const Classified& classified) {
  const Judged& judged = *classified.judged;
  std::string text = fmt::format("{}, by step {}\n", judged.rows, classified.step);
  text += judged.tags ? to_text(*judged.tags) : to_text(*judged.confusion) + "\n" + to_text(*judged.calibration);
  for (const auto& [name, rows] : judged.left_out) {
    text += fmt::format("\nleft out: {} of class {}, which the network does not know", rows, name);
  }
  if (!judged.unknown_tags.empty()) {
    text += fmt::format("\nnot told: {}, which the network does not know", fmt::join(judged.unknown_tags, ", "));
  }
  if (!judged.missing_tags.empty()) {
    text += fmt::format("\nnot judged: {}, which these data do not have", fmt::join(judged.missing_tags, ", "));
  }
  return text + fmt::format("\nfeatures: {} numbers, weights {}\n", classified.features, classified.weights);
}

struct Classify {
  ClassifyRequest request;
  std::string out, drawing;
  bool json = false;

  int run() {
    check_usage();
    request.progress = show_decoding();
    const Classified classified = classify(request);
    if (!out.empty()) {
      write_file_atomically(out, to_csv(classified));
    }
    if (!drawing.empty()) {
      draw(classified);
    }
    if (json) {
      fmt::print("{}\n", classification_json(classified));
    } else if (classified.judged) {
      fmt::print("{}", to_text(classified));
    } else if (out.empty()) {
      fmt::print("{}", to_csv(classified));
    } else {
      fmt::print("{}: {} pictures by step {}\n", out, classified.pictures.size(), classified.step);
    }
    for (const SkippedFile& file : classified.unread) {
      fmt::print(stderr, "{}: {}\n", file.file, file.reason);
    }
    return classified.unread.empty() ? 0 : kUnread;
  }

private:
  void check_usage() const {
    const bool judges = request.held_out || !request.data.empty();
    if (request.held_out && !request.data.empty()) {
      throw_error(Error::Kind::usage,
                  "classify: --held-out is of the run's own data, and --data {} of others; give one", request.data);
    }
    if (judges && !request.files.empty()) {
      throw_error(Error::Kind::usage, "classify: {}",
                  request.held_out ? "--held-out measures on the run's own data, and takes no files"
                                   : "--data names what is measured on, and takes no files");
    }
    if (!judges && request.files.empty()) {
      throw_error(Error::Kind::usage,
                  "classify: nothing says which pictures; name files or folders, or give --held-out or --data");
    }
    if (!out.empty() && judges) {
      throw_error(Error::Kind::usage, "classify: --out {}: is for files; what --held-out and --data find is printed",
                  out);
    }
    const std::string ending = std::filesystem::path(drawing).extension().string();
    if (!drawing.empty() && (!judges || (ending != ".png" && ending != ".svg"))) {
      throw_error(Error::Kind::usage, "classify: --confusion {}: {}", drawing,
                  judges ? "must end in .png or .svg" : "is of --held-out or --data");
    }
  }

  void draw(const Classified& classified) const {
    const Judged& judged = *classified.judged;
    if (!judged.confusion) {
      throw_error(Error::Kind::usage, "classify: --confusion {}: is of classes, but {} tells tags", drawing,
                  request.run);
    }
    const std::string svg =
        draw_confusion(*judged.confusion, fmt::format("{}, by step {}", judged.rows, classified.step));
    if (std::filesystem::path(drawing).extension() == ".svg") {
      write_file_atomically(drawing, svg);
    } else {
      write_png(drawing, render_svg(svg));
    }
  }
};

}  // namespace

void add_classify(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("classify", "Tell the classes or tags of pictures with the classifier of a run");
  auto classify = std::make_shared<Classify>();
  auto at = std::make_shared<std::int64_t>(0);
  auto device = std::make_shared<DeviceFlags>();
  add_text(*verb, "--run", classify->request.run, "folder of the run, trained with --preset classify")->required();
  verb->add_option("FILES", classify->request.files,
                   "pictures, and folders of them: photographs, where the run was trained on such; else PNG or IDX "
                   "files (plain or gzip) of the size and the channels of those it was trained on");
  verb->add_flag("--held-out", classify->request.held_out,
                 "instead of files the pictures that the run's data keep out of training: how well they are told, and "
                 "which classes are taken for which");
  add_text(*verb, "--data", classify->request.data,
           "the same of another data set with labels, whose classes are called as the run's");
  add_text(*verb, "--confusion", classify->drawing,
           "FILE.png or FILE.svg to draw the table of --held-out or --data into");
  add_text(*verb, "--out", classify->out,
           "CSV file to write, file,class,probability, or of tags the probability of each; otherwise it is printed");
  CLI::Option* step =
      add_integer(*verb, "--step", *at, std::int64_t{0}, kMostSteps, "of the checkpoint; otherwise the latest");
  device->declare(*verb);
  verb->add_flag("--json", classify->json, "for programs");
  verb->callback([classify, at, step, device, &exit_code] {
    if (step->count() > 0) {
      classify->request.step = *at;
    }
    classify->request.where = device->resolve();
    exit_code = classify->run();
  });
}

}  // namespace duel
