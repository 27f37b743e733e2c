// A detail of a photograph before and after it was restored, for sheets that a person judges it by.
#pragma once

#include "host/pictures/captioned_sheet.h"
#include "host/pictures/png.h"

#include <string>

namespace duel {

// `given`: as the network was given it, opacity 0 where pixels are missing if it has such; `made`: what came of it,
// `scale` times as large. The detail lies about the middle of what is missing, otherwise of the picture, and what was
// given is enlarged by bicubic. kDetail pixels a side, or as many as there are.
CaptionedRow before_after(const std::string& name, const Picture& given, const Picture& made, int scale);
inline constexpr int kDetail = 288;

}  // namespace duel
