# libduel as a shared library, and what find_package(duel) needs of it: the target duel::duel.
include(CMakePackageConfigHelpers)

add_library(duel_library SHARED host/library/duel.cpp)
target_compile_options(duel_library PRIVATE ${HOST_OPTIMISATION})
target_include_directories(duel_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(duel_library PRIVATE duel_program)
set(EXPORTS ${PROJECT_SOURCE_DIR}/host/library/duel.map)
# --as-needed: of what the host can use, drawing needs little. --no-undefined: or a program would be the first to know.
target_link_options(duel_library PRIVATE LINKER:--version-script=${EXPORTS} LINKER:--as-needed)
if(NOT DUEL_SANITIZE)  # whose runtime comes with the program
  target_link_options(duel_library PRIVATE LINKER:--no-undefined)
endif()
# Before 1.0 each minor version may change what a program sees.
set_target_properties(duel_library PROPERTIES OUTPUT_NAME duel EXPORT_NAME duel LINK_DEPENDS ${EXPORTS}
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

set(PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/duel)
install(TARGETS duel_library EXPORT duelTargets LIBRARY COMPONENT library)
install(FILES ${PROJECT_SOURCE_DIR}/host/library/duel.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(EXPORT duelTargets NAMESPACE duel:: DESTINATION ${PACKAGE_FOLDER} COMPONENT library)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/duelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/host/library/duelConfig.cmake ${PROJECT_BINARY_DIR}/duelConfigVersion.cmake
        DESTINATION ${PACKAGE_FOLDER} COMPONENT library)
