# A room is one folder and one static library, tributary_<name>; it may only depend on rooms below it.

include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Not -O3: g++ 12 then reports impossible overlaps in copies of std::string (GCC bug 105329), and
# nothing here is faster by it.
if(NOT DEFINED CMAKE_CXX_FLAGS_RELEASE OR CMAKE_CXX_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
endif()

add_library(tributary_flags INTERFACE)
set_target_properties(tributary_flags PROPERTIES EXPORT_NAME flags)
target_compile_features(tributary_flags INTERFACE cxx_std_20)
target_include_directories(tributary_flags INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tributary>")
if(PROJECT_IS_TOP_LEVEL)  # who embeds the library chooses warnings for himself
  set(warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast $<$<BOOL:${TRIBUTARY_WERROR}>:-Werror>)
  target_compile_options(tributary_flags INTERFACE "$<BUILD_INTERFACE:${warnings}>")
endif()
if(TRIBUTARY_SANITIZE)
  target_compile_options(tributary_flags INTERFACE
    -fsanitize=${TRIBUTARY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tributary_flags INTERFACE -fsanitize=${TRIBUTARY_SANITIZE})
endif()

# tributary_fast_build(TARGET): where TRIBUTARY_FAST_BUILD asks for it, with precompiled headers and
# with several sources read as one.
function(tributary_fast_build target)
  get_target_property(type ${target} TYPE)
  if(NOT TRIBUTARY_FAST_BUILD OR
     (TRIBUTARY_FAST_BUILD STREQUAL "TESTS" AND NOT type STREQUAL "EXECUTABLE"))
    return()
  endif()
  tributary_precompile(${target} ${type})
  tributary_group_sources(${target})
endfunction()

# Groups the sources of which no two keep the same name to themselves.
function(tributary_group_sources target)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  execute_process(
    COMMAND ${Python3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/tests/tidy/grouping.py" ${sources}
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9]+) (.*)$" matched "${line}")
    set_source_files_properties("${CMAKE_MATCH_2}" PROPERTIES UNITY_GROUP "${CMAKE_MATCH_1}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

# With the room's or the test's set of precompiled headers. The code of a library and of a program
# differ in their flags, so each has a set, shared by all of its kind. It holds the core's events too,
# whose variants cost each file that knows them a second.
set(common_headers
  "${PROJECT_SOURCE_DIR}/engine/core/events.h"
  <algorithm> <array> <chrono> <cstdint> <deque> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector>)
function(tributary_precompile target type)
  set(empty "${PROJECT_BINARY_DIR}/empty.cpp")
  if(NOT EXISTS "${empty}")
    file(WRITE "${empty}" "")
  endif()
  if(type STREQUAL "EXECUTABLE")
    set(from tributary_test_headers)
    if(NOT TARGET ${from})
      add_executable(${from} "${empty}")
      target_link_libraries(${from} PRIVATE tributary_test_main)
      target_precompile_headers(${from} PRIVATE ${common_headers} <doctest/doctest.h>)
    endif()
  else()
    set(from tributary_room_headers)
    if(NOT TARGET ${from})
      add_library(${from} STATIC "${empty}")
      target_link_libraries(${from} PRIVATE tributary_flags)
      target_precompile_headers(${from} PRIVATE ${common_headers})
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${from})
endfunction()

# tributary_room(NAME [DEPENDS target…]): the library of the calling folder's *.cpp.
function(tributary_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
  if(sources)
    add_library(tributary_${name} STATIC ${sources} ${headers})
    target_link_libraries(tributary_${name} PUBLIC tributary_flags ${ARG_DEPENDS})
    tributary_fast_build(tributary_${name})
  else()
    add_library(tributary_${name} INTERFACE)
    target_link_libraries(tributary_${name} INTERFACE tributary_flags ${ARG_DEPENDS})
  endif()
  set_target_properties(tributary_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(tributary::${name} ALIAS tributary_${name})
endfunction()

# tributary_program(NAME SOURCE… [DEPENDS target…]): a program whose start somebody waits for. With the
# C++ runtime and the smaller libraries inside it is loaded two milliseconds sooner.
function(tributary_program name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
  if(NOT TRIBUTARY_SANITIZE)
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
    set_target_properties(${name} PROPERTIES TRIBUTARY_INSIDE ON)
  endif()
endfunction()

# tributary_test(NAME [DEPENDS target…]): test_<NAME> from the calling folder's *_test.cpp.
function(tributary_test name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources OR NOT TRIBUTARY_TESTS)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE tributary_test_main ${ARG_DEPENDS})
  tributary_fast_build(test_${name})
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()
