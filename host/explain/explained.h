// What `duel explain` is asked, and what it finds.
#pragma once

#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"
#include "host/explain/deletion_insertion.h"
#include "host/explain/integrated_gradients.h"
#include "host/explain/smooth_gradients.h"
#include "host/explain/unit_views.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace duel {

enum class Method : std::uint8_t { gradients, smooth_gradients, grad_cam, integrated_gradients };
inline constexpr Method kMethods[] = {Method::gradients, Method::smooth_gradients, Method::grad_cam,
                                      Method::integrated_gradients};
const char* key_of(Method method);    // "grad-cam": of options and tables
const char* title_of(Method method);  // "Grad-CAM": of sheets

struct ExplainRequest {
  std::string run;
  std::vector<std::string> files;  // pictures, and folders of them: picture_files.h
  std::string network;             // "" where the run has only one that answers
  std::string class_name;          // what is asked about; "" for what the network calls the picture
  std::string out;                 // the folder
  std::vector<Method> methods;     // empty: all that the network allows
  Smoothing smoothing;
  Integration integration;
  bool has_units = false;
  int curves = 0;                    // how many held-out pictures the maps are tested on
  bool raw = false;                  // the weights as trained, not their moving average
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};  // of photographs that were not decoded yet
};

// Of the map of a method over one picture.
struct MapFigures {
  Method method = Method::gradients;
  double full = 0;          // the number of its fullest colour: full_strength()
  double top_tenth = 0;     // the share of its magnitudes that the tenth of the pixels with the greatest has; 0.1 where
                            // it says nothing
  double x = 0.5, y = 0.5;  // the middle of its magnitudes: 0 left or top, 1 right or bottom
};

struct ExplainedPicture {
  std::string file, sheet;  // the sheet's name in the folder
  int asked = 0;            // the logit
  double logit = 0;
  std::vector<double> probabilities;  // of each class or tag; none of a network that judges pictures
  std::vector<MapFigures> maps;
  std::optional<IntegratedGradients::Completeness> completeness;
};

struct Explained {
  std::string run, network;
  std::int64_t step = 0;
  std::string weights;             // weights_hash.h
  std::vector<std::string> names;  // of the logits: classes or tags; none of a network that judges pictures
  std::string told;                // the class that the network was told, of one that judges by class
  std::vector<Method> methods;
  Smoothing smoothing;
  Integration integration;
  std::vector<int> map;  // [h,w,C] of the last map; empty where there is none
  std::vector<ExplainedPicture> pictures;
  std::vector<SkippedFile> unread;
  std::vector<Unit> units;  // where they were asked for: every channel
  struct Tested {
    std::string map;  // a method's key, or "random"
    FaithfulnessCurves curves;
  };
  std::string tested_on;  // "64 of the pictures held out of shop"
  std::vector<Tested> tested;

  bool is_of_judge() const { return names.empty(); }  // of a discriminator
  // What the logit of a picture stands for: a class, a tag, or "real".
  std::string name_of(int logit) const { return is_of_judge() ? "real" : names[static_cast<std::size_t>(logit)]; }
};

// For a person: a paragraph on what each method shows, and the figures of the pictures in short.
std::string to_text(const Explained& explained, const std::string& out);
std::string to_csv(const Explained& explained);        // a row for each picture and method
std::string units_to_csv(const Explained& explained);  // a row for each channel
std::string to_json(const Explained& explained);

}  // namespace duel
