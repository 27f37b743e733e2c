// Why a classifier or a discriminator of a run answers what it answers: maps over pictures, the units of its last map,
// and how faithful the maps are, as sheets, tables and JSON in a folder.
#pragma once

#include "host/explain/explained.h"

namespace duel {

// Writes into request.out, which is made:
//   NNN_NAME.png       a sheet for each picture, by its place in the order and its file's name
//   explanations.csv   a row for each picture and method; explanations.json has all figures
//   units.png, units.csv, curves.png   where they were asked for
//
// Throws kind `usage` for a run without a network that answers, a network or class that it does not have, and a method
// that the network does not allow; `data` for a run or a folder that cannot be used, and where no picture can be read;
// `device` where there is too little memory.
Explained explain(const ExplainRequest& request);

}  // namespace duel
