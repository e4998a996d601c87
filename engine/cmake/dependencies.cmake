# Libraries from the system's packages, as imported targets under one naming scheme.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(CURL 7.80 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(MINIUPNPC REQUIRED IMPORTED_TARGET miniupnpc>=2.1)
find_library(NATPMP_LIBRARY natpmp REQUIRED)  # it comes without a .pc file
add_library(tributary_natpmp INTERFACE IMPORTED)
set_target_properties(tributary_natpmp PROPERTIES INTERFACE_LINK_LIBRARIES "${NATPMP_LIBRARY}")
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat>=59 libavcodec libavutil libswresample)
find_package(CLI11 REQUIRED)
find_path(IPSEC_MB_INCLUDE intel-ipsec-mb.h)  # on x86
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
# For a plugin and an example, where they are installed.
pkg_check_modules(GSTREAMER QUIET IMPORTED_TARGET gstreamer-base-1.0>=1.20)
pkg_check_modules(MPV QUIET IMPORTED_TARGET mpv>=2.0)
if(TRIBUTARY_SDL)
  pkg_check_modules(SDL2 IMPORTED_TARGET sdl2)
endif()

# tributary_inside(TARGET ARCHIVE [LIBRARY…]): programs with the property TRIBUTARY_INSIDE have the
# library inside, from an archive that needs the further ones, where there is such an archive.
function(tributary_inside target archive)
  find_library(${target}_ARCHIVE ${archive})
  mark_as_advanced(${target}_ARCHIVE)
  if(${target}_ARCHIVE)
    get_target_property(shared ${target} INTERFACE_LINK_LIBRARIES)
    set(inside $<BOOL:$<TARGET_PROPERTY:TRIBUTARY_INSIDE>>)
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES
      "$<IF:${inside},${${target}_ARCHIVE};${ARGN},${shared}>")
  endif()
endfunction()
tributary_inside(PkgConfig::SQLITE libsqlite3.a m)
tributary_inside(PkgConfig::UV libuv_a.a dl rt)
tributary_inside(PkgConfig::MINIUPNPC libminiupnpc.a)
tributary_inside(tributary_natpmp libnatpmp.a)
