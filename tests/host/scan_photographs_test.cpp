// Which files of a folder are pictures, and what each is of; links, tables, and what is wrong with either.
#include "host/data/scan_photographs.h"

#include "host/data/photograph_labels.h"
#include "tests/support/photographs.h"

#include <sys/stat.h>
#include <unistd.h>

namespace duel {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

class ScanPhotographs : public test::Photographs {
protected:
  // What they hold is not looked at here.
  void touch(const std::string& file, const std::string& text = "x") const {
    fs::create_directories((shop_ / file).parent_path());
    test::write_file(shop_ / file, text);
  }
  PhotographFolder scan() const { return scan_photographs(shop_); }
};

Names files_of(const PhotographFolder& folder) {
  Names names;
  for (const Photograph& picture : folder.pictures) {
    names.push_back(picture.file);
  }
  return names;
}

// "file: reason"
Names skipped(const PhotographFolder& folder) {
  Names names;
  for (const SkippedFile& file : folder.skipped) {
    names.push_back(file.file + ": " + file.reason);
  }
  return names;
}

TEST_F(ScanPhotographs, SubFoldersAreClassesInOneOrderInAnyScript) {
  for (const char* file : {"鞋/2.JPG", "鞋/deep/er/1.webp", "bags/b.jpeg", "bags/a.TIF", "туфли/x.png",
                           "bags/.hidden.jpg", ".git/a.jpg", "bags/readme.txt", "old/price.HEIC", "__MACOSX/._a.jpg"}) {
    touch(file);
  }
  fs::create_directories(shop_ / "empty");
  const PhotographFolder folder = scan();
  EXPECT_EQ(folder.classes, (Names{"bags", "туфли", "鞋"}));
  EXPECT_EQ(files_of(folder), (Names{"bags/a.TIF", "bags/b.jpeg", "туфли/x.png", "鞋/2.JPG", "鞋/deep/er/1.webp"}));
  EXPECT_EQ(folder.pictures.back().label, 2);
  EXPECT_EQ(folder.others, (std::map<std::string, std::int64_t>{{".heic", 1}, {".txt", 1}}));
  EXPECT_TRUE(folder.skipped.empty());
}

TEST_F(ScanPhotographs, WhatIsNoUsablePictureIsSkippedWithItsReason) {
  touch("shoes/a.jpg");
  touch("shoes/empty.jpg", "");
  touch("logo.png");
  fs::create_symlink("nowhere.jpg", shop_ / "shoes/dangling.jpg");
  ASSERT_EQ(::mkfifo((shop_ / "shoes/pipe.png").c_str(), 0600), 0);
  EXPECT_EQ(skipped(scan()), (Names{"logo.png: lies beside the folders of the classes, so it is of none",
                                    "shoes/dangling.jpg: is a link that leads nowhere", "shoes/empty.jpg: is empty",
                                    "shoes/pipe.png: is no file, but a pipe, a socket or a device"}));
}

TEST_F(ScanPhotographs, LinksAreFollowedOnceAndLoopsRefused) {
  touch("b/1.jpg");
  fs::create_directories(folder_ / "elsewhere");
  test::write_file(folder_ / "elsewhere/2.jpg", "x");
  fs::create_directory_symlink("b", shop_ / "a");
  fs::create_directory_symlink(folder_ / "elsewhere", shop_ / "c");
  fs::create_symlink(shop_ / "b/1.jpg", shop_ / "b/3.jpg");
  PhotographFolder folder = scan();
  EXPECT_EQ(files_of(folder), (Names{"b/1.jpg", "b/3.jpg", "c/2.jpg"}));
  EXPECT_EQ(skipped(folder), Names{"a: is a folder that was reached by another name already"});
  fs::create_directory_symlink("..", shop_ / "b/up");
  EXPECT_ERROR(scan(), Error::Kind::data, "shop/b/up: leads back to " + shop_.string());
}

TEST_F(ScanPhotographs, AFolderThatCannotBeListedIsNamed) {
  touch("shut/1.jpg");
  fs::permissions(shop_ / "shut", fs::perms::none);
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(shop_, fs::perms::all);
  const int status = test::status_of_child([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) {
      return 77;
    }
    const auto error = test::error_of([&] { scan(); });
    return error && std::string(error->what()).find("shop/shut: the folder cannot be listed: Permission denied") !=
                        std::string::npos
               ? 0
               : 1;
  });
  fs::permissions(shop_ / "shut", fs::perms::all);
  EXPECT_EQ(status, 0);
  EXPECT_ERROR(scan_photographs(folder_ / "absent"), Error::Kind::data, "No such file or directory");
}

TEST_F(ScanPhotographs, ClassesHaveNamesThatCanBeAskedFor) {
  touch("Shoes/1.jpg");
  touch("shoes/2.jpg");
  EXPECT_ERROR(scan(), Error::Kind::data, "the classes 'Shoes' and 'shoes' differ in upper and lower case only");
  fs::remove_all(shop_ / "Shoes");
  touch("line\nbreak/1.jpg");
  EXPECT_EQ(test::error_of([&] { scan(); })->kind(), Error::Kind::data);
  fs::remove_all(shop_ / "line\nbreak");
  touch("latin\xe9/1.jpg");
  EXPECT_ERROR(scan(), Error::Kind::data, "is no UTF-8");
}

TEST_F(ScanPhotographs, ATableSaysClassesAndAttributes) {
  touch("1.jpg");
  touch("in/2.jpg");
  touch("in/3.jpg");
  touch("4.jpg");
  touch("labels.csv",
        "\xef\xbb\xbf"
        "file,label,colour,id\r\n./1.jpg,\"boot, high\",white,a\r\n2.jpg,sneaker,,b\r\nin/3.jpg,,black,c\r\n"
        "gone.jpg,boot,,\r\n");
  const PhotographFolder folder = scan();
  EXPECT_EQ(folder.classes, (Names{"boot, high", "sneaker"}));
  EXPECT_EQ(files_of(folder), (Names{"1.jpg", "in/2.jpg"}));
  EXPECT_EQ(folder.attributes, (Names{"colour=black", "colour=white", "id=a", "id=b", "id=c"}));
  EXPECT_EQ(folder.pictures[0].attributes, (std::vector<int>{1, 2}));
  EXPECT_EQ(folder.pictures[1].attributes, std::vector<int>{3});
  EXPECT_EQ(skipped(folder), (Names{"4.jpg: has no row in labels.csv",
                                    "gone.jpg: line 5 of labels.csv names it, but there is no such picture",
                                    "in/3.jpg: has no label in line 4 of labels.csv"}));
}

TEST_F(ScanPhotographs, ATableWithoutLabelsLeavesTheFoldersAsClasses) {
  touch("a/1.jpg");
  touch("b/2.jpg");
  touch("labels.csv", "file,colour\na/1.jpg,red\n");
  const PhotographFolder folder = scan();
  EXPECT_EQ(folder.classes, (Names{"a", "b"}));
  EXPECT_EQ(folder.pictures[0].attributes, std::vector<int>{0});
  EXPECT_TRUE(folder.pictures[1].attributes.empty());
}

TEST_F(ScanPhotographs, ColumnsThatTellPicturesApartAreLeftOut) {
  std::string table = "file,label,id\n";
  for (std::size_t i = 0; i <= kMostAttributeValues; ++i) {
    touch(std::to_string(i) + ".jpg");
    table += fmt::format("{0}.jpg,shoe,{0}\n", i);
  }
  touch("labels.csv", table);
  const PhotographFolder folder = scan();
  EXPECT_TRUE(folder.attributes.empty());
  EXPECT_EQ(folder.notes,
            Names{"column 'id' of labels.csv has 65 different values, more than the 64 of an attribute, and "
                  "is left out"});
}

TEST_F(ScanPhotographs, TablesThatContradictThemselvesAreRefused) {
  touch("a/1.jpg");
  touch("b/1.jpg");
  const auto refused = [&](const std::string& table) {
    touch("labels.csv", table);
    const auto error = test::error_of([&] { scan(); });
    EXPECT_TRUE(error.has_value()) << table;
    const std::string text = error ? error->what() : "";
    return text.substr(std::min(text.size(), shop_.string().size() + 1));
  };
  EXPECT_EQ(refused("file,label\n1.jpg,x\n"), "labels.csv:2: '1.jpg' could be a/1.jpg or b/1.jpg; name the folder too");
  EXPECT_EQ(refused("file,label\na/1.jpg,x\n\na/1.jpg,y\n"), "labels.csv:4: line 2 is of a/1.jpg already");
  EXPECT_EQ(refused("name,label\n"),
            "labels.csv: has no column 'file'; its first line must name the columns, as in file,label");
  EXPECT_EQ(refused("file,label\na/1.jpg\n"), "labels.csv:2: has 1 fields, but the first line names 2 columns");
  EXPECT_EQ(refused("file,label\n\"a/1.jpg,x\n"), "labels.csv:2: is no CSV: a quote is not closed");
  EXPECT_EQ(refused("file,label\na/1.jpg,x\"y\n"),
            "labels.csv:2: is no CSV: a quote stands within a field that began without one");
  EXPECT_EQ(refused("file,file\n"), "labels.csv: two columns are called 'file'");
  EXPECT_EQ(refused(""), "labels.csv: is empty; its first line must name the columns");
}

TEST(Csv, QuotedFieldsHoldEverything) {
  const std::vector<CsvRow> rows = parse_csv("a,\"b\"\"c\nd\",\r\n\n\"\",x", "t.csv");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].fields, (Names{"a", "b\"c\nd", ""}));
  EXPECT_EQ(rows[1].fields, (Names{"", "x"}));
  EXPECT_EQ(rows[1].line, 4U);
}

}  // namespace
}  // namespace duel
