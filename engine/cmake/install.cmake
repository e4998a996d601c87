# What `cmake --install` copies, by component: the shared libraries with their headers, the `tributary`
# command with its manual pages and completions, and the rooms up to player/client for who builds with
# the sources' own types. The simulator stays at home.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/tributary")

# The C API: find_package(Tributary), target Tributary::tributary.
install(TARGETS tributary_shared EXPORT tributary-api
        LIBRARY COMPONENT libtributary0 NAMELINK_COMPONENT libtributary-dev)
# A track for FFmpeg: Tributary::avio.
install(TARGETS tributary_avio EXPORT tributary-api
        LIBRARY COMPONENT libtributary-avio0 NAMELINK_COMPONENT libtributary-dev)
install(DIRECTORY player/avio/include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT libtributary-dev)
install(EXPORT tributary-api NAMESPACE Tributary:: DESTINATION "${package_folder}"
        FILE tributary-api-targets.cmake COMPONENT libtributary-dev)
install(DIRECTORY player/api/include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        COMPONENT libtributary-dev)
if(TARGET tributary_gstreamer)
  install(TARGETS tributary_gstreamer DESTINATION "${CMAKE_INSTALL_LIBDIR}/gstreamer-1.0"
          COMPONENT gstreamer1.0-tributary)
endif()
# From its own folder on, so that an installed tree may be moved.
file(RELATIVE_PATH pc_to_include "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/${CMAKE_INSTALL_INCLUDEDIR}")
configure_file(engine/cmake/tributary.pc.in "${PROJECT_BINARY_DIR}/tributary.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tributary.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT libtributary-dev)

# The command, and what it says of itself.
set(documents "${PROJECT_BINARY_DIR}/documents")
set(documents_script "${PROJECT_SOURCE_DIR}/engine/cmake/documents.cmake")
add_custom_command(OUTPUT "${documents}.written"
  COMMAND ${CMAKE_COMMAND} "-DPROGRAM=$<TARGET_FILE:tributary>" "-DOUT=${documents}"
          -P "${documents_script}"
  COMMAND ${CMAKE_COMMAND} -E touch "${documents}.written"
  DEPENDS tributary "${documents_script}" VERBATIM)
add_custom_target(tributary_documents ALL DEPENDS "${documents}.written")
set(zsh_folder site-functions)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh_folder vendor-completions)  # where Debian's zsh looks for what a package brings
endif()
install(TARGETS tributary COMPONENT tributary)
install(DIRECTORY "${documents}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT tributary)
install(FILES "${documents}/tributary"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT tributary)
install(FILES "${documents}/_tributary"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/${zsh_folder}" COMPONENT tributary)
install(FILES "${documents}/tributary.fish"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT tributary)

# The rooms: find_package(Tributary COMPONENTS rooms), a target tributary::<room> each.
set(installed_targets tributary_flags)
foreach(room base core wire net cdn_pool cdn_http prefetch buffer node media client)
  list(APPEND installed_targets tributary_${room})
endforeach()
install(TARGETS ${installed_targets} EXPORT tributary COMPONENT rooms)
install(EXPORT tributary NAMESPACE tributary:: DESTINATION "${package_folder}"
        FILE tributary-targets.cmake COMPONENT rooms)
foreach(folder engine/base engine/core engine/wire engine/net cdn prefetch player)
  install(DIRECTORY ${folder}/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tributary/${folder}"
          COMPONENT rooms FILES_MATCHING PATTERN "*.h" PATTERN "api" EXCLUDE PATTERN "avio" EXCLUDE)
endforeach()
# The package looks for the same libraries in the same way as the build does.
install(FILES "${PROJECT_SOURCE_DIR}/engine/cmake/dependencies.cmake"
        DESTINATION "${package_folder}" COMPONENT rooms)

configure_package_config_file(engine/cmake/tributary-config.cmake.in
  "${PROJECT_BINARY_DIR}/tributary-config.cmake" INSTALL_DESTINATION "${package_folder}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tributary-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tributary-config.cmake"
              "${PROJECT_BINARY_DIR}/tributary-config-version.cmake"
        DESTINATION "${package_folder}" COMPONENT libtributary-dev)
