// The table labels.csv of a folder of photographs: what each is of, and what else is known of it.
//
//   file,label,colour,sleeve
//   shoes/0001.jpg,sneaker,white,
//   0002.jpg,boot,black,none
//
// "file" is the path from the folder on; a name alone also finds a picture in a sub-folder, where only one is called
// so. "label" names the class; without this column the sub-folders do. Every further column is an attribute, whose
// values become "colour=white" and so on; an empty field is a value that nobody knows. A column of more than
// kMostAttributeValues different values tells pictures apart rather than describing them, and is left out, with a note.
#pragma once

#include "host/data/photograph_folder.h"
#include "host/files/csv.h"

namespace duel {

inline constexpr const char* kLabelTable = "labels.csv";
inline constexpr std::size_t kMostAttributeValues = 64;

// Gives the pictures of `folder` their labels and attributes. Whether there is a column "label": then pictures without
// a row or with an empty label are skipped, and so are, as files, rows without a picture. Throws kind `data`, with
// the line, where there is no column "file", a file has two rows, or a name alone is that of several pictures.
bool take_labels(const CsvTable& table, const std::filesystem::path& path, PhotographFolder& folder);

}  // namespace duel
