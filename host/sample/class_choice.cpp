#include "host/sample/class_choice.h"

#include "host/config/decimal.h"
#include "host/config/edit_distance.h"
#include "host/files/lower_case.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

namespace duel {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (bool is_more = true; is_more;) {
    const std::size_t comma = text.find(',');
    is_more = comma != std::string_view::npos;
    parts.emplace_back(trimmed(text.substr(0, comma)));
    text.remove_prefix(is_more ? comma + 1 : text.size());
  }
  return parts;
}

// The classes of a run, for what a person calls them.
class Names {
public:
  Names(const std::vector<std::string>& classes, const std::string& run) : classes_(classes), run_(run) {}

  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::find_if(classes_.begin(), classes_.end(), [&](const std::string& each) {
      return in_lower_case(each) == in_lower_case(name);
    });
    return found == classes_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - classes_.begin()));
  }

  // Takes it into `chosen`, which it may not be in yet.
  std::size_t take(const std::string& option, const std::string& name, std::vector<std::size_t>& chosen) const {
    const std::optional<std::size_t> its = find(name);
    if (!its) {
      throw_error(Error::Kind::usage, "{} {}: {} has no such class (there are {}){}", option,
                  name.empty() ? "\"\"" : name, run_, fmt::join(classes_, ", "), like(name));
    }
    if (std::find(chosen.begin(), chosen.end(), *its) != chosen.end()) {
      throw_error(Error::Kind::usage, "{}: names {} twice", option, classes_[*its]);
    }
    chosen.push_back(*its);
    return *its;
  }

  std::size_t count() const { return classes_.size(); }

private:
  std::string like(std::string_view name) const {
    const auto distance = [&](const std::string& each) {
      return edit_distance(in_lower_case(name), in_lower_case(each));
    };
    const auto nearest = std::min_element(classes_.begin(), classes_.end(),
                                          [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
    const int limit = std::max(1, static_cast<int>(name.size()) / 3);
    return distance(*nearest) > limit ? "" : fmt::format("; did you mean {}?", *nearest);
  }

  const std::vector<std::string>& classes_;
  const std::string& run_;
};

std::vector<float> whole(std::size_t chosen, std::size_t classes) {
  std::vector<float> shares(classes);
  shares[chosen] = 1;
  return shares;
}

std::vector<std::vector<float>> of_names(const std::vector<std::string>& texts, const Names& names) {
  std::vector<std::size_t> chosen;
  for (const std::string& text : texts) {
    // A class may have a comma in its name.
    for (const std::string& name : names.find(text) ? std::vector{text} : split(text)) {
      names.take("--class", name, chosen);
    }
  }
  std::vector<std::vector<float>> shares;
  for (const std::size_t each : chosen) {
    shares.push_back(whole(each, names.count()));
  }
  return shares;
}

std::vector<float> of_mix(const std::string& text, const Names& names) {
  std::vector<std::size_t> chosen;
  std::vector<float> shares(names.count());
  double sum = 0;
  for (const std::string& part : split(text)) {
    const std::size_t colon = part.rfind(':');
    const auto share = colon == std::string::npos ? std::nullopt : decimal_real(part.substr(colon + 1));
    if (!share || !(*share >= 0 && *share <= 1)) {
      throw_error(Error::Kind::usage,
                  "--class-mix {}: must be classes and their shares from 0 to 1, for example sneaker:0.5,bag:0.5",
                  text);
    }
    shares[names.take("--class-mix", std::string(trimmed(part.substr(0, colon))), chosen)] = static_cast<float>(*share);
    sum += *share;
  }
  if (std::abs(sum - 1) > 1e-3) {
    throw_error(Error::Kind::usage, "--class-mix {}: the shares make {}, but must make 1", text, sum);
  }
  return shares;
}

}  // namespace

std::vector<std::vector<float>> class_shares(const ClassRequest& request, const std::vector<std::string>& classes,
                                             const std::string& run) {
  if (classes.empty()) {
    throw_error(Error::Kind::usage, "{}: it was trained without classes, so {} means nothing there; leave it out", run,
                request.mix.empty() ? "--class" : "--class-mix");
  }
  const Names names(classes, run);
  if (!request.mix.empty()) {
    return {of_mix(request.mix, names)};
  }
  if (!request.names.empty()) {
    return of_names(request.names, names);
  }
  std::vector<std::vector<float>> each;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    each.push_back(whole(i, classes.size()));
  }
  return each;
}

std::vector<int> classes_by_row(int rows, int columns, int classes) {
  std::vector<int> chosen;
  for (int place = 0; place < rows * columns; ++place) {
    chosen.push_back(place / columns % classes);
  }
  return chosen;
}

std::vector<float> one_hot(std::span<const int> chosen, int classes) {
  std::vector<float> shares(chosen.size() * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    shares[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(chosen[i])] = 1;
  }
  return shares;
}

}  // namespace duel
