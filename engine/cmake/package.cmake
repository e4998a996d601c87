# What `cpack` makes Debian packages of: the shared libraries, what to build with them, the command.
# Configure with -DCMAKE_INSTALL_PREFIX=/usr: where Debian has its libraries GNUInstallDirs goes by
# that. The rooms stay out: their types are no ABI, and who builds on them builds from the sources.
set(TRIBUTARY_MAINTAINER "The authors of Tributary <tributary@localhost.localdomain>" CACHE STRING
    "Who answers for the Debian packages, as NAME <ADDRESS>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tributary)
set(CPACK_PACKAGE_CONTACT "${TRIBUTARY_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has one of its own
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}/player/api")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_COMPONENTS_ALL "")

string(TIMESTAMP changed "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(changelog "${PROJECT_BINARY_DIR}/changelog")
file(WRITE "${changelog}" "tributary (${PROJECT_VERSION}) unstable; urgency=medium

  * Version ${PROJECT_VERSION}.

 -- ${TRIBUTARY_MAINTAINER}  ${changed}
")
execute_process(COMMAND gzip -9nf "${changelog}" COMMAND_ERROR_IS_FATAL ANY)

# What is loaded by name when something is first played, which no linker sees.
set(loaded "libsdl2-2.0-0")
foreach(library IN ITEMS swresample avutil avcodec avformat)
  string(REGEX REPLACE "\\..*" "" major "${FFMPEG_lib${library}_VERSION}")
  string(PREPEND loaded "lib${library}${major}, ")
endforeach()
set(CPACK_DEBIAN_LIBTRIBUTARY0_PACKAGE_RECOMMENDS "${loaded}")
set(CPACK_DEBIAN_TRIBUTARY_PACKAGE_RECOMMENDS "${loaded}")

# debian_package(NAME SECTION DEPENDS SUMMARY HOLDS): the package that the component NAME becomes.
# DEPENDS comes on top of the libraries that its files are linked to.
function(debian_package name section depends summary holds)
  string(TOUPPER "${name}" upper)
  set(prefix CPACK_DEBIAN_${upper})
  set(${prefix}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(${prefix}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(${prefix}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(${prefix}_DESCRIPTION "${summary}
Tributary starts a track from a CDN server, shifts the load to BitTorrent
peers by the deadline of each block, and feeds one playback buffer from both.

${holds}" PARENT_SCOPE)
  if(name MATCHES "^lib.*[0-9]$")
    set(${prefix}_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/engine/cmake/debian/triggers" PARENT_SCOPE)
  endif()
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} ${name} PARENT_SCOPE)

  set(folder "${CMAKE_INSTALL_DATADIR}/doc/${name}")
  set(overrides engine/cmake/debian/${name}.lintian-overrides)
  install(FILES engine/cmake/debian/copyright DESTINATION "${folder}" COMPONENT ${name})
  install(FILES "${changelog}.gz" DESTINATION "${folder}" COMPONENT ${name})
  if(EXISTS "${PROJECT_SOURCE_DIR}/${overrides}")
    install(FILES ${overrides} DESTINATION "${CMAKE_INSTALL_DATADIR}/lintian/overrides"
            RENAME ${name} COMPONENT ${name})
  endif()
endfunction()

debian_package(libtributary0 libs "" "hybrid CDN and peer-to-peer media streaming"
  "This package holds the shared library.")
debian_package(libtributary-avio0 libs "libtributary0 (= ${PROJECT_VERSION})"
  "hybrid CDN and peer-to-peer media streaming for FFmpeg"
  "This package holds the library that makes an AVIOContext of a track.")
if(TARGET tributary_gstreamer)
  debian_package(gstreamer1.0-tributary libs "libtributary0 (= ${PROJECT_VERSION})"
    "hybrid CDN and peer-to-peer media streaming for GStreamer"
    "This package holds the source element of tributary:// URIs.")
endif()
debian_package(libtributary-dev libdevel
  "libtributary0 (= ${PROJECT_VERSION}), libtributary-avio0 (= ${PROJECT_VERSION}), libavformat-dev"
  "hybrid CDN and peer-to-peer media streaming, headers"
  "This package holds the headers, and what CMake and pkg-config ask for.")
debian_package(tributary sound "" "hybrid CDN and peer-to-peer media player and server"
  "This package holds the command: player, publisher, HTTP gateway, seed,
origin, tracker and simulator.")
include(CPack)
