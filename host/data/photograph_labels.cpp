#include "host/data/photograph_labels.h"

#include "kernels/check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace duel {

namespace {

constexpr std::string_view kFile = "file", kLabel = "label";

std::optional<std::size_t> column_of(const CsvTable& table, std::string_view name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  return found == table.columns.end() ? std::nullopt : std::optional<std::size_t>(found - table.columns.begin());
}

// The row of each picture, or none; rows without a picture are skipped as files.
std::vector<const CsvRow*> match_rows(const CsvTable& table, std::size_t file_column, const std::filesystem::path& path,
                                      PhotographFolder& folder) {
  std::map<std::string, std::size_t, std::less<>> by_path;
  std::multimap<std::string, std::size_t, std::less<>> by_name;
  for (std::size_t i = 0; i < folder.pictures.size(); ++i) {
    const std::string& file = folder.pictures[i].file;
    by_path.emplace(file, i);
    by_name.emplace(file.substr(file.rfind('/') + 1), i);
  }
  std::set<std::string, std::less<>> skipped;  // of these a person is told already why
  for (const SkippedFile& file : folder.skipped) {
    skipped.insert(file.file);
  }
  std::vector<const CsvRow*> rows(folder.pictures.size());
  for (const CsvRow& row : table.rows) {
    std::string file = row.fields[file_column];
    if (file.starts_with("./")) {
      file.erase(0, 2);
    }
    std::optional<std::size_t> picture;
    if (const auto found = by_path.find(file); found != by_path.end()) {
      picture = found->second;
    } else if (const auto [first, last] = by_name.equal_range(file); first != last) {
      if (std::next(first) != last) {
        throw_error(Error::Kind::data, "{}:{}: '{}' could be {} or {}; name the folder too", path.string(), row.line,
                    file, folder.pictures[first->second].file, folder.pictures[std::next(first)->second].file);
      }
      picture = first->second;
    }
    if (!picture) {
      if (!skipped.contains(file)) {
        folder.skipped.push_back({file, fmt::format("line {} of {} names it, but there is no such picture", row.line,
                                                    path.filename().string())});
      }
      continue;
    }
    if (rows[*picture] != nullptr) {
      throw_error(Error::Kind::data, "{}:{}: line {} is of {} already", path.string(), row.line, rows[*picture]->line,
                  folder.pictures[*picture].file);
    }
    rows[*picture] = &row;
  }
  return rows;
}

// Which of the folder's attributes each row has: in the column `column`.
void take_attributes(const CsvTable& table, std::size_t column, const std::vector<const CsvRow*>& rows,
                     PhotographFolder& folder) {
  const std::string& name = table.columns[column];
  std::map<std::string, int> values;  // and their places among the folder's attributes
  for (const CsvRow* row : rows) {
    if (row != nullptr && !row->fields[column].empty()) {
      values.emplace(row->fields[column], 0);
    }
  }
  if (values.size() > kMostAttributeValues) {
    folder.notes.push_back(
        fmt::format("column '{}' of {} has {} different values, more than the {} of an attribute, and "
                    "is left out",
                    name, kLabelTable, values.size(), kMostAttributeValues));
    return;
  }
  for (auto& [value, place] : values) {
    place = static_cast<int>(folder.attributes.size());
    folder.attribute_columns.push_back(static_cast<int>(column));
    folder.attributes.push_back(name + "=" + value);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != nullptr && !rows[i]->fields[column].empty()) {
      folder.pictures[i].attributes.push_back(values.at(rows[i]->fields[column]));
    }
  }
}

void take_classes(std::size_t column, const std::vector<const CsvRow*>& rows, PhotographFolder& folder) {
  std::map<std::string, int> classes;
  for (const CsvRow* row : rows) {
    if (row != nullptr && !row->fields[column].empty()) {
      classes.emplace(row->fields[column], 0);
    }
  }
  for (auto& [name, place] : classes) {
    place = static_cast<int>(folder.classes.size());
    folder.classes.push_back(name);
  }
  std::vector<Photograph> labelled;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Photograph& picture = folder.pictures[i];
    if (rows[i] == nullptr) {
      folder.skipped.push_back({picture.file, fmt::format("has no row in {}", kLabelTable)});
    } else if (rows[i]->fields[column].empty()) {
      folder.skipped.push_back(
          {picture.file, fmt::format("has no label in line {} of {}", rows[i]->line, kLabelTable)});
    } else {
      picture.label = classes.at(rows[i]->fields[column]);
      labelled.push_back(std::move(picture));
    }
  }
  folder.pictures = std::move(labelled);
}

}  // namespace

bool take_labels(const CsvTable& table, const std::filesystem::path& path, PhotographFolder& folder) {
  const std::optional<std::size_t> file = column_of(table, kFile), label = column_of(table, kLabel);
  if (!file) {
    throw_error(Error::Kind::data, "{}: has no column 'file'; its first line must name the columns, as in file,label",
                path.string());
  }
  const std::vector<const CsvRow*> rows = match_rows(table, *file, path, folder);
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    if (column != file && column != label) {
      take_attributes(table, column, rows, folder);
    }
  }
  if (label) {
    take_classes(*label, rows, folder);
  }
  return label.has_value();
}

}  // namespace duel
