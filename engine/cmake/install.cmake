# What `cmake --install` copies: the rooms up to player/client as one CMake package, `tributary`, with
# a target tributary::<room> each, and the `tributary` command. The simulator stays at home.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/tributary")
set(installed_targets tributary_flags)
foreach(room base core wire net cdn_pool cdn_http prefetch buffer node media client)
  list(APPEND installed_targets tributary_${room})
endforeach()

install(TARGETS ${installed_targets} EXPORT tributary)
install(EXPORT tributary NAMESPACE tributary:: DESTINATION "${package_folder}"
        FILE tributary-targets.cmake)
foreach(folder engine/base engine/core engine/wire engine/net cdn prefetch player)
  install(DIRECTORY ${folder}/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tributary/${folder}"
          FILES_MATCHING PATTERN "*.h")
endforeach()
if(TARGET tributary)
  install(TARGETS tributary)
endif()

# The package looks for the same libraries in the same way as the build does.
file(WRITE "${PROJECT_BINARY_DIR}/tributary-config.cmake"
  "set(TRIBUTARY_SDL ${TRIBUTARY_SDL})\n"
  "include(\"\${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake\")\n"
  "include(\"\${CMAKE_CURRENT_LIST_DIR}/tributary-targets.cmake\")\n")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tributary-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tributary-config.cmake"
              "${PROJECT_BINARY_DIR}/tributary-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/engine/cmake/dependencies.cmake"
        DESTINATION "${package_folder}")
