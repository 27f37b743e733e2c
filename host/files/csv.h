// Tables of comma-separated values, as RFC 4180 has them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

// Quoted where a comma, a quote or a line break is in it.
std::string csv_field(const std::string& text);

struct CsvRow {
  std::size_t line = 1;  // in which it begins, counted from 1
  std::vector<std::string> fields;
};

// Rows end with LF or CRLF, empty lines are none. A byte order mark in front, as spreadsheets write it, is left out.
// Spaces belong to a field. Throws kind `data`, naming `path` and the line, where a quote is not closed or stands
// within a field that began without one.
std::vector<CsvRow> parse_csv(std::string_view text, const std::filesystem::path& path);

// The same of a file, whose first row names the columns: names are unique, and every row has as many fields.
struct CsvTable {
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;
};
CsvTable read_csv_table(const std::filesystem::path& path);

}  // namespace duel
