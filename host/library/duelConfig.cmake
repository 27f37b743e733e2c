# find_package(duel): the target duel::duel, whose header is <duel.h>. It needs no other package.
include("${CMAKE_CURRENT_LIST_DIR}/duelTargets.cmake")
