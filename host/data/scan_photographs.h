// How a folder of photographs is read.
//
// Files whose names end in .jpg, .jpeg, .png, .webp, .tif or .tiff, in upper or lower case, are pictures, however deep
// they lie; hidden ones (.name) are passed over. What a picture is of says
//   the table labels.csv in the folder (photograph_labels.h), where it has a column "label";
//   else the sub-folder of the folder that it lies in: "shoes/2024/a.jpg" is of the class "shoes";
//   else nothing: there are no classes.
// Links are followed. A folder that is reached a second time is skipped, and the links come last, so that it is skipped
// as the link. One that leads back to a folder that it lies in has no end, and is refused.
#pragma once

#include "host/data/photograph_folder.h"

namespace duel {

// Throws kind `data`, naming the folder or file: one that cannot be listed, a link without end, a class that is no
// UTF-8 or has letters that cannot be printed, two that differ in upper and lower case only, a table that is none.
PhotographFolder scan_photographs(const std::filesystem::path& folder);

// The same files without classes, attributes or a table, wherever in the folder they lie. Throws for the folders alone.
PhotographFolder list_photographs(const std::filesystem::path& folder);

}  // namespace duel
