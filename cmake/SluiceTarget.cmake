# sluice_library(NAME DEPENDS target...): a static library of all sources in the current folder.
function(sluice_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
    sluice_compile_options(${name})
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} ${scope} ${arg_DEPENDS})
endfunction()

# Warnings for our own code. Not errors, and without those that GCC 12 gives for correct code: it sees
# maybe-uninitialized in inlined CAF headers, restrict in std::string, and misses default members.
function(sluice_compile_options name)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wshadow
    -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endfunction()

# sluice_test(NAME SOURCES file... DEPENDS target...): a doctest program that CTest runs.
function(sluice_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE sluice_test_main ${arg_DEPENDS})
  target_compile_definitions(${name} PRIVATE SLUICE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  sluice_compile_options(${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endfunction()

# sluice_embed(TARGET NAMESPACE name HEADER file FILES file...): the files of the folder `assets` as
# texts of the target, sluice::NAMESPACE::file_name, which HEADER declares.
function(sluice_embed target)
  cmake_parse_arguments(arg "" "NAMESPACE;HEADER" "FILES" ${ARGN})
  set(files ${arg_FILES})
  list(TRANSFORM files PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/assets/)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/assets.cpp)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAMESPACE=${arg_NAMESPACE} -DHEADER=${arg_HEADER}
            -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR}/assets "-DFILES=${arg_FILES}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
