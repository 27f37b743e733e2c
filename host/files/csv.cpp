#include "host/files/csv.h"

#include "host/files/file_descriptor.h"
#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

// One row after the other of a text.
class CsvReader {
public:
  CsvReader(std::string_view text, const std::filesystem::path& path) : rest_(text), path_(path) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (rest_.starts_with(kByteOrderMark)) {
      rest_.remove_prefix(kByteOrderMark.size());
    }
  }

  bool is_at_end() const { return rest_.empty(); }

  CsvRow read_row() {
    CsvRow row{line_, {}};
    do {
      row.fields.push_back(read_field());
    } while (take(','));
    if (!take_line_end() && !rest_.empty()) {
      refuse(row.line, "text follows a field that has ended with a quote");
    }
    return row;
  }

private:
  bool take(char letter) {
    const bool is_there = !rest_.empty() && rest_.front() == letter;
    rest_.remove_prefix(is_there ? 1 : 0);
    return is_there;
  }

  bool take_line_end() {
    const std::size_t length = rest_.starts_with("\r\n") ? 2 : rest_.starts_with('\n') ? 1 : 0;
    rest_.remove_prefix(length);
    line_ += length > 0 ? 1 : 0;
    return length > 0;
  }

  std::string read_field() {
    if (take('"')) {
      return read_quoted();
    }
    std::size_t end = std::min(rest_.find_first_of(",\n\""), rest_.size());
    if (end < rest_.size() && rest_[end] == '"') {
      refuse(line_, "a quote stands within a field that began without one");
    }
    std::string field(rest_.substr(0, end));
    if (end < rest_.size() && rest_[end] == '\n' && field.ends_with('\r')) {
      field.pop_back();
      --end;
    }
    rest_.remove_prefix(end);
    return field;
  }

  std::string read_quoted() {
    const std::size_t begin = line_;
    std::string field;
    while (true) {
      const std::size_t end = rest_.find('"');
      if (end == rest_.npos) {
        refuse(begin, "a quote is not closed");
      }
      field.append(rest_.substr(0, end));
      line_ +=
          static_cast<std::size_t>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      rest_.remove_prefix(end + 1);
      if (!take('"')) {
        return field;
      }
      field += '"';
    }
  }

  [[noreturn]] void refuse(std::size_t line, std::string_view what) const {
    throw_error(Error::Kind::data, "{}:{}: is no CSV: {}", path_.string(), line, what);
  }

  std::string_view rest_;
  const std::filesystem::path& path_;
  std::size_t line_ = 1;
};

bool is_empty(const CsvRow& row) {
  return row.fields.size() == 1 && row.fields.front().empty();
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char letter : text) {
    quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  }
  return quoted + '"';
}

std::vector<CsvRow> parse_csv(std::string_view text, const std::filesystem::path& path) {
  CsvReader reader(text, path);
  std::vector<CsvRow> rows;
  while (!reader.is_at_end()) {
    if (CsvRow row = reader.read_row(); !is_empty(row)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

CsvTable read_csv_table(const std::filesystem::path& path) {
  CsvTable table;
  table.rows = parse_csv(read_text_file(path), path);
  if (table.rows.empty()) {
    throw_error(Error::Kind::data, "{}: is empty; its first line must name the columns", path.string());
  }
  table.columns = std::move(table.rows.front().fields);
  table.rows.erase(table.rows.begin());
  for (auto column = table.columns.begin(); column != table.columns.end(); ++column) {
    if (std::find(table.columns.begin(), column, *column) != column) {
      throw_error(Error::Kind::data, "{}: two columns are called '{}'", path.string(), *column);
    }
  }
  for (const CsvRow& row : table.rows) {
    if (row.fields.size() != table.columns.size()) {
      throw_error(Error::Kind::data, "{}:{}: has {} fields, but the first line names {} columns", path.string(),
                  row.line, row.fields.size(), table.columns.size());
    }
  }
  return table;
}

}  // namespace duel
