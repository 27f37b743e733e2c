// The photographs of a folder as rows: "picture", "label" where there are classes, "attributes" where the folder's
// table has some: of each "column=value" 1 where it is the picture's, 0 where the column has another value, -1 where it
// is empty.
//
// A share of the pictures is held out of training (data.held_out, in percent), the same on every machine and each time:
// those whose hash is below it, CRC-32C of the path from the folder on times 2654435761 modulo 2^32, as a share of
// 2^32. So a picture stays on its side when others come and go. Of each class the picture with the greatest hash is
// trained on in any case.
#pragma once

#include "host/config/options.h"
#include "host/data/decode_photographs.h"
#include "host/data/photograph_folder.h"
#include "host/data/source.h"

#include <memory>
#include <string>
#include <vector>

namespace duel {

struct PhotographSet {  // what both parts share
  std::string name;
  Fit fit = Fit::cover;
  PhotographFolder folder;
  DecodedFolder decoded;
  std::vector<std::size_t> training, held_out;  // places among folder.pictures; those with rows
};

class PhotographSource : public Source {
public:
  enum class Part : std::uint8_t { training, held_out };
  PhotographSource(std::shared_ptr<const PhotographSet> set, Part part);  // which is not empty

  const std::string& name() const override { return set_->name; }
  std::int64_t count() const override { return static_cast<std::int64_t>(places_.size()); }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;

  const PhotographSet& set() const { return *set_; }
  std::size_t place(std::int64_t row) const { return places_[static_cast<std::size_t>(row)]; }  // among its pictures
  std::unique_ptr<const Source> held_out() const;  // none where nothing is held out

private:
  std::shared_ptr<const PhotographSet> set_;
  const std::vector<std::size_t>& places_;
  std::vector<Field> fields_;
  std::string fingerprint_;
};

// What the options ask pictures to become. Throws kind `usage` where they contradict each other.
PictureForm picture_form(const Options::Data& options);

// Decodes what was not decoded yet. Throws kind `data` where no picture is left to train on.
std::unique_ptr<const PhotographSource> open_photographs(PhotographFolder folder, const Options::Data& options,
                                                         const DecodeSettings& settings);

}  // namespace duel
